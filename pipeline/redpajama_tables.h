/* SPDX-License-Identifier: Apache-2.0
 *
 * Words and characters that RedPajama-V2's signals count.
 */
#ifndef PIPELINE_REDPAJAMA_TABLES_H
#define PIPELINE_REDPAJAMA_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* The English stop words. Free with oy_free. */
struct redpajama_stop_words *redpajama_stop_words_new(void);
/* Whether it is one of them; case counts. A word of \w, 16 bytes of which can
 * be read. */
int redpajama_is_stop_word(const struct redpajama_stop_words *set,
                           const char *word, size_t len);
/* Letters that Python's str.isnumeric() holds for numbers as well. */
int redpajama_is_numeral(uint32_t c);

#endif

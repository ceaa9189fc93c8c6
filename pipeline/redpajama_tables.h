/* SPDX-License-Identifier: Apache-2.0
 *
 * Words and characters that RedPajama-V2's signals count.
 */
#ifndef PIPELINE_REDPAJAMA_TABLES_H
#define PIPELINE_REDPAJAMA_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Whether it is one of the English stop words; case counts. */
int redpajama_is_stop_word(const char *word, size_t len);
/* Letters that Python's str.isnumeric() holds for numbers as well. */
int redpajama_is_numeral(uint32_t c);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The writing of ids in vectors.
 */
#ifndef TOKENIZER_TOK_IDS_INTERNAL_H
#define TOKENIZER_TOK_IDS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum { TOK_IDS_STORE = 64 }; /* bytes written at once; fewer may be meant */

/* Whether the processor has the instructions. */
int tok_ids_has_avx512(void);

/* Writes ids as decimal numbers, each with a comma behind it, and moves *out
 * to their end; up to TOK_IDS_STORE bytes there are written over. Ends early
 * before an id of eight digits or more, whose seven neighbours may have to
 * wait, too. Returns how many were written. */
size_t tok_ids_avx512(const int32_t *id, size_t n, char **out);

#endif

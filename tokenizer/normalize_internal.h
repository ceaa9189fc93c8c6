/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a normalizer that look at one character at a time. */
#ifndef TOKENIZER_NORMALIZE_INTERNAL_H
#define TOKENIZER_NORMALIZE_INTERNAL_H

#include "tokenizer/normalize.h"

/* The characters that a step of this kind changes, NULL for other steps than
 * those from LOWER to NMT. */
const struct oy_utf8_set *normalize_set_of(enum normalize_kind kind);
/* Whether a step takes away this character, which is of its set. */
int normalize_removes(enum normalize_kind kind, uint32_t c);
/* Appends the text with every character of the set changed. */
void normalize_characters(enum normalize_kind kind, struct oy_text text,
                          struct oy_buffer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The visible alphabet in which byte-level tokenizers spell bytes.
 *
 * GPT-2 gave each byte a character that prints: 188 bytes stand for
 * themselves, the other 68 take U+0100 onwards in ascending order
 * (encoder.py of openai/gpt-2, bytes_to_unicode), so that a space is "Ġ". All
 * functions are thread-safe.
 */
#ifndef TOKENIZER_BYTE_ALPHABET_H
#define TOKENIZER_BYTE_ALPHABET_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

enum { BYTE_ALPHABET_LAST = 0x143 }; /* highest code point of the alphabet */

struct byte_alphabet {
    int16_t byte_of[BYTE_ALPHABET_LAST + 1]; /* -1: not in the alphabet */
};

void byte_alphabet_init(struct byte_alphabet *alphabet);

/* Maps spelled text (any bytes) to the bytes it stands for; `out` has room
 * for len. Returns how many, -1 when a character is not of the alphabet; `out`
 * may be written to then too. */
int64_t byte_alphabet_map(const struct byte_alphabet *alphabet,
                          const char *text, size_t len, char *out);

/* Appends the spelling of bytes. */
void byte_alphabet_put(const char *bytes, size_t len, struct oy_buffer *out);

#endif

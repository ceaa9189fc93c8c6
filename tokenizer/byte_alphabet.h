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

/* The byte that the character at *at (any bytes, two of them readable) stands
 * for; *at is moved behind it. -1 when it is not of the alphabet. */
static inline int byte_alphabet_next(const struct byte_alphabet *alphabet,
                                     const char **at)
{
    const unsigned char *s = (const unsigned char *)*at;
    uint32_t c = s[0];

    if (c >= 0x80) {
        if (c < 0xc2 || c > 0xc5 || (s[1] & 0xc0) != 0x80)
            return -1;
        c = (c & 0x1f) << 6 | (s[1] & 0x3f);
        if (c > BYTE_ALPHABET_LAST)
            return -1;
        ++*at;
    }
    ++*at;
    return alphabet->byte_of[c];
}

/* Maps spelled text (any bytes) to the bytes it stands for; `out` has room
 * for len. Returns how many, -1 when a character is not of the alphabet; `out`
 * may be written to then too. */
int64_t byte_alphabet_map(const struct byte_alphabet *alphabet,
                          const char *text, size_t len, char *out);

/* Appends the spelling of bytes. */
void byte_alphabet_put(const char *bytes, size_t len, struct oy_buffer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The visible alphabet of bytes. */
#include "tokenizer/byte_alphabet.h"

#include "core/utf8.h"

static int is_own_character(int byte)
{
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) ||
           byte >= 0xae;
}

/* The character of a byte. */
static uint32_t character_of(unsigned char byte)
{
    if (is_own_character(byte))
        return byte;
    /* 32 controls and the space, then 7F to A0, then AD. */
    return byte <= 0x20 ? 0x100u + byte : byte == 0xad ? 0x143 : 0xa2u + byte;
}

void byte_alphabet_init(struct byte_alphabet *alphabet)
{
    for (int i = 0; i <= BYTE_ALPHABET_LAST; i++)
        alphabet->byte_of[i] = -1;
    for (int byte = 0; byte < 256; byte++)
        alphabet->byte_of[character_of((unsigned char)byte)] = (int16_t)byte;
}

int64_t byte_alphabet_map(const struct byte_alphabet *alphabet,
                          const char *text, size_t len, char *out)
{
    const char *at = text, *end = text + len;
    char *o = out;

    while (at < end) {
        /* A character that is cut off at the end is none. */
        const int is_cut = end - at == 1 && (unsigned char)*at >= 0x80;
        const int byte = is_cut ? -1 : byte_alphabet_next(alphabet, &at);
        if (byte < 0)
            return -1;
        *o++ = (char)byte;
    }
    return o - out;
}

void byte_alphabet_put(const char *bytes, size_t len, struct oy_buffer *out)
{
    char *const begin = oy_buffer_reserve(out, 2 * len + 4), *to = begin;

    for (size_t i = 0; i < len; i++)
        to += oy_utf8_put(to, character_of((unsigned char)bytes[i]));
    out->len += (size_t)(to - begin);
}

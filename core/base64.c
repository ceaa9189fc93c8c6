/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 as RFC 4648 has it, with padding. */
#include "core/base64.h"

#include <stdint.h>

static const char digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void oy_base64_put(struct oy_buffer *out, const void *data, size_t len)
{
    const unsigned char *in = data;
    char *to = oy_buffer_reserve(out, (len + 2) / 3 * 4);

    for (size_t i = 0; i < len; i += 3) {
        const unsigned b = i + 1 < len ? in[i + 1] : 0;
        const unsigned c = i + 2 < len ? in[i + 2] : 0;
        const unsigned word = (unsigned)in[i] << 16 | b << 8 | c;

        *to++ = digit[word >> 18];
        *to++ = digit[word >> 12 & 63];
        *to++ = i + 1 < len ? digit[word >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digit[word & 63] : '=';
    }
    out->len += (len + 2) / 3 * 4;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* The n digits of a group of four without its padding: n - 1 bytes. */
static int read_group(const char *text, size_t n, char *to)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        const int value = i < n ? value_of(text[i]) : 0;
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i + 1 < n; i++)
        to[i] = (char)(bits >> (16 - 8 * i));
    /* n is 4, or bits are left over. */
    return n < 2 || (n < 4 && bits & ((1U << (32 - 8 * n)) - 1)) ? -1 : 0;
}

int oy_base64_read(const char *text, size_t len, struct oy_buffer *out)
{
    size_t n = len;

    if (len % 4)
        return -1;
    while (n && len - n < 2 && text[n - 1] == '=')
        n--;
    char *to = oy_buffer_reserve(out, len / 4 * 3);
    for (size_t i = 0; i < n; i += 4) {
        const size_t n_digit = n - i < 4 ? n - i : 4;
        if (read_group(text + i, n_digit, to))
            return -1;
        to += n_digit - 1;
        out->len += n_digit - 1;
    }
    return 0;
}

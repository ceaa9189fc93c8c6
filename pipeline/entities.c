/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up characters that HTML spells. */
#include "pipeline/entities_internal.h"

/* As strcmp(), with name number i of the table. */
static int compare(const uint32_t *name, size_t len, size_t i)
{
    const char *other = entities_name + entities_at[i];
    const size_t n = (size_t)(entities_at[i + 1] - entities_at[i] - 1);

    for (size_t k = 0; k < len && k < n; k++) {
        if (name[k] != (unsigned char)other[k])
            return name[k] < (unsigned char)other[k] ? -1 : 1;
    }
    return (len > n) - (len < n);
}

/* What name number i stands for. */
static int write_codes(size_t i, uint32_t code[ENTITIES_MAX])
{
    const uint32_t value = entities_code[i];
    int n = 0;

    if (!(value & ENTITIES_MORE)) {
        code[0] = value;
        return 1;
    }
    const uint32_t *more = entities_more[value - ENTITIES_MORE];
    for (; n < ENTITIES_MAX && more[n]; n++)
        code[n] = more[n];
    return n;
}

int entities_find(const uint32_t *name, size_t len, uint32_t code[ENTITIES_MAX])
{
    size_t low = 0, high = entities_n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(name, len, middle);
        if (!order)
            return write_codes(middle, code);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

/* ---- numbers ---- */

/* What browsers take C1 controls for; 0: itself. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

uint32_t entities_control(uint32_t c)
{
    return windows_1252[c - 0x80] ? windows_1252[c - 0x80] : c;
}

/* Python's html._invalid_codepoints: these become nothing. */
static int is_nothing(uint64_t c)
{
    return (c >= 0x1 && c <= 0x8) || c == 0xb || (c >= 0xe && c <= 0x1f) ||
           (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef) ||
           (c & 0xfffe) == 0xfffe;
}

static int digit_value(uint32_t c)
{
    if (c >= '0' && c <= '9')
        return (int)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (int)(c - 'a') + 10 : 99;
}

int64_t entities_number(const uint32_t *body, size_t len)
{
    const int is_hexadecimal = len && (body[0] | 0x20) == 'x';
    const int base = is_hexadecimal ? 16 : 10;
    const uint64_t most = 0x110000;
    uint64_t c = 0;

    if (len == (size_t)is_hexadecimal)
        return -1;
    for (size_t i = (size_t)is_hexadecimal; i < len; i++) {
        const int digit = digit_value(body[i]);
        if (digit >= base)
            return -1;
        c = c * (uint64_t)base + (uint64_t)digit;
        c = c > most ? most : c;
    }
    if (c >= 0x80 && c < 0xa0)
        return entities_control((uint32_t)c);
    if (!c || c >= most || (c >= 0xd800 && c <= 0xdfff))
        return 0xfffd;
    return is_nothing(c) ? 0 : (int64_t)c;
}

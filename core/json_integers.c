/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of integers. */
#include "core/json_integers.h"

#include "core/bytes8.h"

size_t oy_json_integers_max(const struct oy_json_value *list)
{
    return list->len / 2 + 1;
}

/* Eight digits, the first in the lowest byte. */
static uint32_t eight_digits(uint64_t digits)
{
    digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ffu;
    digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffffu;
    return (uint32_t)(digits * 10000 + (digits >> 32));
}

/* As Python and we write it: digits with a comma, and maybe a space, between
 * them. -1 where it is anything else. The bytes behind the list that are
 * looked at are its padding. */
static int64_t read_plain(const char *at, const char *end, int32_t *out)
{
    int64_t n = 0;

    while (at < end) {
        /* Bytes above 9 get the high bit. */
        const uint64_t word = oy_load8(at) ^ OY_EVERY_BYTE * '0';
        const uint64_t other =
            ((word + OY_EVERY_BYTE * (0x80 - 10)) | word) & OY_HIGH_BITS;
        const int n_digit = other ? __builtin_ctzll(other) / 8 : 8;
        if (n_digit == 0 || n_digit == 8 || (n_digit > 1 && !(word & 255)))
            return -1;
        out[n++] = (int32_t)eight_digits(word << (64 - 8 * n_digit));
        at += n_digit;
        if (*at == ']' && at + 1 == end)
            return n;
        if (*at != ',')
            return -1;
        at += 1 + (at[1] == ' ');
    }
    return -1;
}

int64_t oy_json_integers(const struct oy_json_value *list, int32_t *out)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int64_t number, n;
    int more;

    if (list->kind != OY_JSON_ARRAY)
        return -1;
    n = read_plain(list->at + 1, list->at + list->len, out);
    if (n >= 0)
        return n;
    n = 0;
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &value)) > 0) {
        if (oy_json_int64(&value, &number))
            return -1;
        out[n++] = number < 0 || number > INT32_MAX ? -1 : (int32_t)number;
    }
    return more < 0 ? -1 : n;
}

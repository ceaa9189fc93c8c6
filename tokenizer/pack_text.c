/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers into text. */
#include "tokenizer/pack_text.h"

enum { MAX_DIGITS = 21 };

void pack_put_number(struct oy_buffer *out, int64_t number)
{
    char text[MAX_DIGITS], *at = text + sizeof text;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--at = '-';
    oy_buffer_append(out, at, (size_t)(text + sizeof text - at));
}

void pack_put_ids(struct oy_buffer *out, const int32_t *id, size_t n)
{
    oy_buffer_append(out, "[", 1);
    for (size_t i = 0; i < n; i++) {
        if (i)
            oy_buffer_append(out, ",", 1);
        pack_put_number(out, id[i]);
    }
    oy_buffer_append(out, "]", 1);
}

void pack_put_labels(struct oy_buffer *out, const int32_t *id,
                     const uint8_t *loss, size_t n)
{
    oy_buffer_append(out, "[", 1);
    for (size_t i = 0; i < n; i++) {
        if (i)
            oy_buffer_append(out, ",", 1);
        pack_put_number(out, i && loss[i] ? id[i] : PACK_NO_LABEL);
    }
    oy_buffer_append(out, "]", 1);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON out: strings and numbers. */
#include <string.h>

#include "core/decimal.h"
#include "core/json_internal.h"
#include "core/utf8.h"

/* The escape of a quote, backslash or control. */
static void put_escape(struct oy_buffer *out, unsigned char c)
{
    static const char letter[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    char *at = oy_buffer_reserve(out, 6);

    at[0] = '\\';
    if (letter[c]) {
        at[1] = letter[c];
        out->len += 2;
        return;
    }
    memcpy(at + 1, "u00", 3);
    at[4] = (char)('0' + (c >> 4));
    at[5] = "0123456789abcdef"[c & 15];
    out->len += 6;
}

/* The runs between escapes go in one piece each; `text` need not be padded,
 * so its last bytes are looked at one by one. */
static const char *run_end(const struct oy_json_kernel *kernel, const char *at,
                           const char *end)
{
    uint64_t high = 0;
    const char *stop = at;

    if (end - at > OY_PADDING) {
        const char *border = end - OY_PADDING;
        stop = kernel->plain_end(at, border, &high);
        if (stop < border)
            return stop;
    }
    return oy_json_plain.plain_end(stop, end, &high);
}

void oy_json_put_string(struct oy_buffer *out, const char *text, size_t len)
{
    const struct oy_json_kernel *kernel = oy_json_kernel();
    const char *end = text + len;

    oy_buffer_reserve(out, len + 2);
    oy_buffer_append_char(out, '"');
    while (text < end) {
        const char *stop = run_end(kernel, text, end);
        oy_buffer_append(out, text, (size_t)(stop - text));
        if (stop < end)
            put_escape(out, (unsigned char)*stop++);
        text = stop;
    }
    oy_buffer_append_char(out, '"');
}

void oy_json_put_name(struct oy_buffer *out, const char *name)
{
    struct oy_buffer repaired = {0};

    oy_utf8_repair(name, strlen(name), &repaired);
    oy_json_put_string(out, oy_buffer_string(&repaired), repaired.len);
    oy_buffer_release(&repaired);
}

void oy_json_put_int(struct oy_buffer *out, int64_t number)
{
    char digits[20];
    int n = 0;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do
        digits[n++] = (char)('0' + rest % 10);
    while (rest /= 10);
    char *at = oy_buffer_reserve(out, sizeof digits + 1);
    if (number < 0) {
        *at++ = '-';
        out->len++;
    }
    out->len += (size_t)n;
    while (n)
        *at++ = digits[--n];
}

void oy_json_put_double(struct oy_buffer *out, double number)
{
    char text[OY_DECIMAL_SIZE];

    oy_buffer_append(out, text, oy_decimal_put_double(text, number));
}

void oy_json_put_float(struct oy_buffer *out, float number)
{
    char text[OY_DECIMAL_SIZE];

    oy_buffer_append(out, text, oy_decimal_put_float(text, number));
}

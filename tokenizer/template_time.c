/* SPDX-License-Identifier: Apache-2.0
 *
 * What strftime_now() tells. */
#include <string.h>

#include "tokenizer/template_internal.h"

/* One directive through the C library, which is in the C locale: so does
 * CPython's time.strftime. */
static void put_directive(const struct tm *time, const char *directive,
                          size_t len, struct oy_buffer *out)
{
    char format[8], text[128];

    memcpy(format, directive, len);
    format[len] = '\0';
    oy_buffer_append(out, text, strftime(text, sizeof text, format, time));
}

/* Of a time without a zone %z and %Z are empty in Python, and %f knows no
 * smaller part than the second here. */
void template_put_time(const struct tm *time, struct oy_text format,
                       struct oy_buffer *out)
{
    for (size_t i = 0; i < format.len; i++) {
        const size_t flag = i + 2 < format.len && format.at[i + 1] &&
                            strchr("-_0^#EO", format.at[i + 1]);
        const size_t last = i + 1 + flag;
        if (format.at[i] != '%' || last >= format.len) {
            oy_buffer_append_char(out, format.at[i]);
            continue;
        }
        if (format.at[last] == 'f')
            oy_buffer_append_string(out, "000000");
        else if (format.at[last] != 'z' && format.at[last] != 'Z')
            put_directive(time, format.at + i, last + 1 - i, out);
        i = last;
    }
}

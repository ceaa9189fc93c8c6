/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts by code point and by name.
 */
#include "core/unicode_script.h"

#include <ctype.h>

#include "core/unicode_script_internal.h"

enum { END_OF_UNICODE = 0x110000 };

int oy_unicode_script_until(uint32_t c, uint32_t *end)
{
    const uint32_t *const run = oy_unicode_script_run;
    size_t first = 0, n = oy_unicode_n_script_run;

    while (n > 1) {
        const size_t half = n / 2;

        first += run[first + half] >> 8 <= c ? half : 0;
        n -= half;
    }
    *end = first + 1 < oy_unicode_n_script_run ? run[first + 1] >> 8
                                               : END_OF_UNICODE;
    return (int)(run[first] & 255);
}

int oy_unicode_script(uint32_t c)
{
    uint32_t end;

    return oy_unicode_script_until(c, &end);
}

static int is_ignored(char c)
{
    return c == '_' || c == '-' || c == ' ';
}

int oy_unicode_same_name(const char *name, size_t len, const char *other)
{
    for (size_t i = 0; i < len; i++) {
        if (is_ignored(name[i]))
            continue;
        while (is_ignored(*other))
            other++;
        /* The name may hold a NUL. */
        if (!*other ||
            tolower((unsigned char)name[i]) != tolower((unsigned char)*other))
            return 0;
        other++;
    }
    return !*other;
}

int oy_unicode_find_script(const char *name, size_t len)
{
    for (int i = 0; i < oy_unicode_n_script; i++) {
        if (oy_unicode_same_name(name, len, oy_unicode_scripts[i].name) ||
            oy_unicode_same_name(name, len, oy_unicode_scripts[i].code))
            return i;
    }
    return -1;
}

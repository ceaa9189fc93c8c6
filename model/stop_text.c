/* SPDX-License-Identifier: Apache-2.0
 *
 * Stop texts, whole and begun. */
#include "model/stop_text.h"

#include <stdint.h>
#include <string.h>

size_t stop_text_find(const char *const *stop, size_t n, const char *text,
                      size_t len)
{
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < n && len; i++) {
        const size_t size = strlen(stop[i]);
        const char *at = size ? memmem(text, len, stop[i], size) : NULL;
        if (at && (size_t)(at - text) < first)
            first = (size_t)(at - text);
    }
    return first;
}

/* The longest beginning of `stop` that the text ends with. */
static size_t begun(const char *stop, const char *text, size_t len)
{
    size_t n = strlen(stop);

    if (n)
        n--;
    if (n > len)
        n = len;
    while (n && memcmp(text + len - n, stop, n) != 0)
        n--;
    return n;
}

size_t stop_text_settled(const char *const *stop, size_t n, const char *text,
                         size_t len)
{
    size_t settled;

    while (len >= 3 && memcmp(text + len - 3, "\xef\xbf\xbd", 3) == 0)
        len -= 3;
    settled = len;
    for (size_t i = 0; i < n; i++) {
        const size_t rest = len - begun(stop[i], text, len);
        if (rest < settled)
            settled = rest;
    }
    return settled;
}

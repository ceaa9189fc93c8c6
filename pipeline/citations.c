/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts without citations. */
#include "pipeline/citations.h"

#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"

/* The citation at `at` (a bracket): its length, or 0. */
static size_t citation_len(const char *at, const char *end)
{
    static const char *const word[] = {"[edit]", "[citation needed]"};
    size_t place = 1;

    for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
        const size_t n = strlen(word[i]);
        if ((size_t)(end - at) >= n && memcmp(at, word[i], n) == 0)
            return n;
    }
    while (at + place < end) {
        size_t next = place;
        const uint32_t c = oy_utf8_next(at, &next);
        if (c == ']')
            return next;
        if (!oy_py_isdecimal(c))
            return 0;
        place = next;
    }
    return 0;
}

void citations_remove(const char *text, size_t len, struct oy_buffer *out)
{
    const char *at = text, *end = text + len, *from = text;

    while ((at = memchr(at, '[', (size_t)(end - at))) != NULL) {
        const size_t n = citation_len(at, end);
        if (n == 0) {
            at++;
            continue;
        }
        oy_buffer_append(out, from, (size_t)(at - from));
        from = at += n;
    }
    oy_buffer_append(out, from, (size_t)(end - from));
}

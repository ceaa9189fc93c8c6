/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of strings, read and checked. */
#include "pipeline/text_list.h"

#include <string.h>

#include "core/input.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/words.h"

enum { MAX_SIZE = 256 << 20 };

/* What is wrong with the line; NULL: nothing. */
static const char *complaint(const char *line, size_t len)
{
    if (!len)
        return "an empty line";
    if (!oy_utf8_valid(line, len))
        return "not UTF-8";
    for (size_t at = 0; at < len;) {
        const uint32_t c = oy_utf8_next(line, &at);
        if (oy_py_is_line_end(c))
            return "a line end within the line";
        if (!c)
            return "a NUL";
    }
    return NULL;
}

static int read_lines(const char *path, const char *text, size_t len, int strip,
                      text_list_add add, void *arg, struct oy_error *err)
{
    size_t number = 0;

    for (size_t at = 0; at < len;) {
        const char *line = text + at;
        const char *feed = memchr(line, '\n', len - at);
        size_t n = feed ? (size_t)(feed - line) : len - at, begin = 0;

        at += n + (feed != NULL);
        n -= n && line[n - 1] == '\r';
        number++;
        const char *why = complaint(line, n);
        if (!why && strip) {
            words_strip(line, &begin, &n);
            why = complaint(line + begin, n);
        }
        if (why)
            return oy_fail(err, OY_DATA, "%s:%zu: %s", path, number, why);
        add(arg, line + begin, n);
    }
    return number ? 0 : oy_fail(err, OY_DATA, "%s: an empty list", path);
}

int text_list_read(const char *path, int strip, struct oy_run *run,
                   text_list_add add, void *arg, struct oy_error *err)
{
    size_t len;
    char *text = oy_input_slurp(path, MAX_SIZE, &len, err);

    if (!text)
        return -1;
    const int failed = read_lines(path, text, len, strip, add, arg, err);
    oy_free(text);
    if (failed)
        return -1;
    return run ? oy_run_add_resource(run, "list", path, err) : 0;
}

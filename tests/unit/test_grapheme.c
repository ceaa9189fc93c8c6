/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of grapheme clusters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/grapheme.h"
#include "core/input.h"
#include "core/utf8.h"

/* Clusters of a text given in code points: a minus stands before one that
 * joins the cluster before it. */
static void check(const int32_t *cp)
{
    size_t border[64], n_border = 0, len = 0, at = 0;
    char text[256];

    for (int i = 0; cp[i]; i++) {
        if (cp[i] > 0)
            border[n_border++] = len;
        len += oy_utf8_put(text + len, (uint32_t)abs(cp[i]));
    }
    border[n_border] = len;
    for (size_t i = 0; i < n_border; i++) {
        assert_int_equal(at, border[i]);
        at = oy_grapheme_end(text, len, at);
    }
    assert_int_equal(at, len);
}

static void test_rules(void **state)
{
    static const int32_t text[][12] = {
        {'\r', -'\n', '\n', '\r', 'a', 0},                  /* GB3 to GB5 */
        {'a', -0x301, -0x200d, 'b', -0x903, 0},             /* GB9, GB9a */
        {'\n', 0x301, -0x301, 0},                           /* GB4 */
        {0x600, -'a', 'b', 0x600, '\n', 0},                 /* GB9b */
        {0x1100, -0x1161, -0x11a8, 0xac00, -0x11a8, 0xac01, /* GB6 to GB8 */
         0xac00, -0x1161, 'a', 0x11a8, 0},
        {0x1f1e6, -0x1f1e7, 0x1f1e8, -0x1f1e9, 0x1f1ea, 0}, /* GB12 */
        {0x1f468, -0x200d, -0x1f469, -0x200d, -0x1f466, 0}, /* GB11 */
        {0x1f468, -0x301, -0x200d, -0x1f469, 0},
        {0x1f468, -0x200d, -0x301, 0x1f469, 0},
        {0x1f468, -0x200d, -0x200d, 0x1f469, 0},
        {'a', -0x200d, 0x1f469, 0},
        {0x915, -0x94d, -0x937, 0x915, 0}, /* GB9c */
        {0x915, -0x94d, -0x200d, -0x937, -0x94d, -0x930, 0},
        {0x915, -0x94d, -0x200c, 0x937, 0},
        {0x915, 0x937, 'a', -0x94d, 0x937, 0},
        /* Of 16 and 17. */
        {'a', -0x1acf, 'a', -0x11b61, 0x16d63, -0x16d67, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        check(text[i]);
}

/* One line of the Unicode test: `÷ 0020 × 0308 ÷`. */
static void check_line(const char *line)
{
    int32_t cp[40];
    int n = 0, joins = 0;

    for (; *line && *line != '#'; line++) {
        char *end;
        if (!strncmp(line, "\xc3\x97", 2))
            joins = 1;
        else if (!strncmp(line, "\xc3\xb7", 2))
            joins = 0;
        const long c = strtol(line, &end, 16);
        if (end == line || c == 0)
            continue;
        cp[n++] = (int32_t)(joins ? -c : c);
        line = end - 1;
    }
    cp[n] = 0;
    check(cp);
}

static char *read_tests(void)
{
    const char *shared = getenv("OYSTER_SHARED");
    char *path = oy_asprintf("%s/data/unicode/GraphemeBreakTest.txt.bz2",
                             shared ? shared : "../shared");
    struct oy_error err = {0};
    size_t len;
    char *text = oy_input_slurp(path, (size_t)1 << 24, &len, &err);

    if (!text)
        print_message("SKIPPED: %s\n", err.message);
    oy_free(path);
    return text;
}

/* What changed since is the other test's. */
static void test_unicode_15(void **state)
{
    char *const text = read_tests();
    int n = 0;

    (void)state;
    if (!text)
        skip();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        /* U+2701 is no pictogram any more in Unicode 17. */
        if (*line == '#' || strstr(line, " 2701 \xc3\x97 200D \xc3\x97 2701"))
            continue;
        check_line(line);
        n++;
    }
    assert_int_equal(n, 601);
    oy_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_unicode_15),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

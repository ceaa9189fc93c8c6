/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting by masks gives the pieces of the matchers, whatever the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/random.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "tests/unit/cpu_levels.h"
#include "tokenizer/split_internal.h"

enum { MOST = 6000, SLACK = 300 };

/* What the expressions tell apart: cases, quotes, digits and white space of
 * one and more bytes, line ends, marks, CJK at the borders of DeepSeek's range,
 * characters of no class. */
static const char *const part[] = {
    "a",
    "B",
    "s",
    "t",
    "re",
    "'s",
    "'",
    "'T",
    "'lL",
    "\xc5\xbf",
    " ",
    "  ",
    "    ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "1",
    "23",
    "7890",
    "\xef\xbc\x91",
    "\xd9\xa3",
    "\xc2\xb2",
    "!",
    "/",
    "//",
    "/\n",
    "*",
    ".",
    "\xe3\x80\x80",
    "\xc2\xa0",
    "\xe2\x80\xa8",
    "\xe4\xb8\xad",
    "\xe4\xb7\x80",
    "\xe9\xbe\xa5",
    "\xe9\xbe\xa6",
    "\xe3\x81\x82",
    "\xe3\x82\x99",
    "\xe3\x83\xbb",
    "\xea\xb0\x80",
    "\xed\x95\x9c",
    "\xc3\xa9",
    "\xc3\x89",
    "\xd0\x96",
    "\xcc\x81",
    "\xe0\xa4\x95",
    "\xe0\xa4\xbf",
    "\xf0\x9f\x98\x80",
    "\xf0\x90\x90\x80",
    "\xe2\x80\x8b",
    "\x01",
    "\x7f",
    "\xef\xbf\xbe",
    "\xe2\x80\x9c",
    "\xc7\x85",
    "\xca\xb0",
    "\xef\xbc\x8c",
    "hello",
    "World",
    "\xe2\x85\xa3",
    "\xee\x80\x80",
    "\xf0\x97\xa2\xb0",
    "\xf0\x90\x85\x80",
};

enum { N_PART = sizeof part / sizeof *part };

static size_t put_part(struct oy_random *random, uint64_t first, uint64_t width,
                       char *out)
{
    const char *next = part[(first + oy_random_below(random, width)) % N_PART];
    uint64_t n = 1;

    if (oy_random_below(random, 60) == 0)
        n = 1 + oy_random_below(random, 50);
    for (uint64_t i = 0; i < n; i++)
        memcpy(out + i * strlen(next), next, strlen(next));
    return n * strlen(next);
}

static size_t put_any(struct oy_random *random, char *out)
{
    const uint64_t top = oy_random_below(random, 4) ? 0x3000 : 0x110000;
    const uint32_t c = (uint32_t)oy_random_below(random, top);

    return oy_utf8_put(out, c);
}

/* Few kinds of parts, all of them, or any characters. */
static size_t make_text(struct oy_random *random, char *out)
{
    const size_t want = (size_t)oy_random_below(
        random, oy_random_below(random, 8) ? 200 : MOST);
    const uint64_t first = oy_random_below(random, N_PART);
    const uint64_t width = oy_random_below(random, 2) ? 6 : N_PART;
    const int any = oy_random_below(random, 4) == 0;
    size_t len = 0;

    while (len < want)
        len += any ? put_any(random, out + len)
                   : put_part(random, first, width, out + len);
    memset(out + len, " \na'1\x80"[oy_random_below(random, 6)], OY_PADDING);
    return len;
}

/* Marks of one window; returns where the next begins. */
static size_t check_window(enum split_kind kind, const char *text, size_t len,
                           size_t at, size_t want)
{
    uint64_t mark[SPLIT_N_BLOCK];
    uint32_t begin[SPLIT_LIST_MAX];
    const size_t n_byte = split_marks(kind, text, len, at, want, mark);
    const size_t inside = n_byte <= SPLIT_WINDOW ? n_byte : SPLIT_WINDOW;
    const size_t n = split_list(mark, inside, begin);
    size_t next = at;

    assert_true(n_byte > 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(at + begin[i], next);
        next = split_piece(kind, text, len, next);
    }
    assert_int_equal(next, at + n_byte);
    return next;
}

static void test_pieces_of_the_matchers(void **state)
{
    char *text = oy_alloc(MOST + SLACK + OY_PADDING);
    struct oy_random random = oy_random_at(7, 1);

    (void)state;
    for (int i = 0; i < 4000; i++) {
        const size_t len = make_text(&random, text);
        const size_t want = oy_random_below(&random, 4)
                                ? SPLIT_WINDOW
                                : 1 + (size_t)oy_random_below(&random, 300);
        for (int k = 0; k < SPLIT_N_KIND; k++) {
            const enum split_kind kind = (enum split_kind)k;
            for (size_t at = 0; split_has_marks(kind) && at < len;)
                at = check_window(kind, text, len, at, want);
        }
    }
    oy_free(text);
}

/* A piece that is longer than a window, and pieces that end with one. */
static void test_long_pieces(void **state)
{
    enum { LEN = 3 * SPLIT_WINDOW };
    static const char filler[] = {'a', ' ', '\n', '1', '!'};
    char *text = oy_alloc(LEN + OY_PADDING);

    (void)state;
    for (int k = 0; k < SPLIT_N_KIND; k++) {
        const enum split_kind kind = (enum split_kind)k;
        if (!split_has_marks(kind))
            continue;
        for (size_t i = 0; i < sizeof filler; i++) {
            memset(text, filler[i], LEN + OY_PADDING);
            for (size_t at = 0; at < LEN;)
                at = check_window(kind, text, LEN, at, SPLIT_WINDOW);
            memset(text + SPLIT_WINDOW + 3, '.', SPLIT_WINDOW);
            for (size_t at = 0; at < LEN;)
                at = check_window(kind, text, LEN, at, SPLIT_WINDOW);
        }
    }
    oy_free(text);
}

/* Class bytes of ASCII and the ranges told by two bytes are those of the
 * tables. */
static void test_classes_are_those_of_the_tables(void **state)
{
    (void)state;
    for (int k = 0; k < SPLIT_N_KIND; k++) {
        const enum split_kind kind = (enum split_kind)k;
        const struct split_classes *classes = split_classes_of(kind);
        if (!classes)
            continue;
        for (uint32_t c = 0; c < 0x80; c++) {
            const unsigned class = oy_unicode_class16(c);
            const uint8_t got = classes->ascii[c];
            assert_int_equal(!(got & SPLIT_LETTER), !(class & OY_IS_L));
            assert_int_equal(!(got & SPLIT_NUMBER), !(class & OY_IS_N));
            assert_int_equal(!(got & SPLIT_WHITE), !(class & OY_IS_SPACE));
            assert_int_equal(!(got & SPLIT_NEWLINE), !(class & OY_IS_CRLF));
            assert_int_equal(!(got & SPLIT_BLANK), c != ' ');
        }
        for (uint32_t c = 0x4e00; c < 0x9f80; c++)
            assert_int_equal(split_class_of(kind, c), classes->han);
        for (uint32_t c = 0xb000; c < 0xd000; c++)
            assert_int_equal(split_class_of(kind, c), classes->hangul);
    }
}

#ifdef __x86_64__
/* Both forms of the loops, where this machine has both. */
static void test_forms_agree(void **state)
{
    enum { N = 8 };
    const struct split_classes *classes = split_classes_of(SPLIT_O200K);
    struct oy_random random = oy_random_at(8, 1);
    uint8_t class[N * SPLIT_BLOCK + SPLIT_BLOCK];
    char text[N * SPLIT_BLOCK + OY_PADDING];
    struct split_masks wide[N], narrow[N];

    (void)state;
    if (getenv("OYSTER_CPU"))
        return; /* the first run has done it */
    if (!split_has_avx512())
        skip();
    for (int i = 0; i < 2000; i++) {
        for (size_t at = 0; at < sizeof class; at++)
            class[at] = (uint8_t)oy_random_below(&random, 256);
        for (size_t at = 0; at < sizeof text; at++)
            text[at] = (char)oy_random_below(&random, i % 2 ? 256 : 128);
        split_masks_avx512(text, class, N, wide);
        split_masks_avx2(text, class, N, narrow);
        assert_memory_equal(wide, narrow, sizeof wide);
        uint8_t got[sizeof class] = {0}, want[sizeof class] = {0};
        uint64_t rest[N];
        if (i % 2)
            continue;
        split_classify_avx512(classes, text, N, got, rest);
        split_classify_avx2(classes, text, N, want, rest);
        assert_memory_equal(got, want, sizeof got);
    }
}
#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_pieces_of_the_matchers),
        cmocka_unit_test(test_long_pieces),
        cmocka_unit_test(test_classes_are_those_of_the_tables),
#ifdef __x86_64__
        cmocka_unit_test(test_forms_agree),
#endif
    };

    (void)argc;
    return run_lower_level(argv, cmocka_run_group_tests(test, NULL, NULL));
}

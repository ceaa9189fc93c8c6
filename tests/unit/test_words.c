/* SPDX-License-Identifier: Apache-2.0
 *
 * Word splitters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "pipeline/byte_count.h"
#include "pipeline/words_internal.h"

/* Splits and joins the words with '|'. */
static void assert_words(enum words_splitter splitter, const char *text,
                         const char *want)
{
    struct oy_buffer copy = {0}, got = {0};
    struct words words = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    words_split(splitter, copy.data, copy.len, &words);
    for (size_t i = 0; i < words.n; i++) {
        if (i)
            oy_buffer_append_char(&got, '|');
        oy_buffer_append(&got, copy.data + words.item[i].at, words.item[i].len);
    }
    assert_string_equal(oy_buffer_string(&got), want);
    words_release(&words);
    oy_buffer_release(&copy);
    oy_buffer_release(&got);
}

static void splitters_have_names(void **state)
{
    (void)state;
    assert_int_equal(words_splitter_of("ws"), WORDS_WS);
    assert_int_equal(words_splitter_of("uax29"), WORDS_UAX29);
    assert_int_equal(words_splitter_of("spacy"), WORDS_SPACY);
    assert_int_equal(words_splitter_of("none"), WORDS_NONE);
    assert_int_equal(words_splitter_of(""), WORDS_NONE);
    assert_string_equal(words_splitter_name(WORDS_UAX29), "uax29");
}

static void ws_cuts_where_python_does(void **state)
{
    (void)state;
    assert_words(WORDS_WS, "", "");
    assert_words(WORDS_WS, " \t\n", "");
    assert_words(WORDS_WS, "one", "one");
    assert_words(WORDS_WS,
                 "  a, b\x1c"
                 "c\x1f"
                 "d\r\n",
                 "a,|b|c|d");
    /* U+00A0, U+0085, U+2003, U+2028, U+3000, U+1680 cut ... */
    assert_words(WORDS_WS,
                 "a\xc2\xa0"
                 "b\xc2\x85"
                 "c\xe2\x80\x83"
                 "d\xe2\x80\xa8"
                 "e\xe3\x80\x80"
                 "f\xe1\x9a\x80g",
                 "a|b|c|d|e|f|g");
    /* ... U+200B, U+FEFF, U+180E, U+00E9 do not. */
    assert_words(WORDS_WS, "a\xe2\x80\x8b\xef\xbb\xbf\xe1\xa0\x8e\xc3\xa9",
                 "a\xe2\x80\x8b\xef\xbb\xbf\xe1\xa0\x8e\xc3\xa9");
}

static void uax29_keeps_marks_as_words(void **state)
{
    (void)state;
    assert_words(WORDS_UAX29, "Don't stop, (3.14)  x_1!",
                 "Don't|stop|,|(|3.14|)|x_1|!");
    assert_words(WORDS_UAX29, "a.b 1.b a:b 1,2;3 a,b e.g. 'q'",
                 "a.b|1|.|b|a:b|1,2;3|a|,|b|e.g|.|'|q|'");
    assert_words(WORDS_UAX29, "a\r\n\r\nb \x1c c", "a|b|c");
    assert_words(WORDS_UAX29, "a_.b _a 1_a", "a_|.|b|_a|1_a");
    assert_words(WORDS_UAX29, "caf\xc3\xa9's na\xc3\xafve.",
                 "caf\xc3\xa9's|na\xc3\xafve|.");
    assert_words(WORDS_UAX29, "", "");
}

static void uax29_strips_segments(void **state)
{
    (void)state;
    /* space and combining mark are one segment, the mark is the word */
    assert_words(WORDS_UAX29, "a \xcc\x88 b", "a|\xcc\x88|b");
    assert_words(WORDS_UAX29, "\xc2\xa0\xe3\x80\x80", "");
}

/* ---- the official test file ---- */

/* One line: marks of boundary (U+00F7) or none (U+00D7) between hex numbers. */
static void check_break_line(const char *line)
{
    struct oy_buffer text = {0};
    size_t want[64], n_want = 0, n = 0;

    while (*line && *line != '#') {
        if (!strncmp(line, "\xc3\xb7", 2)) {
            want[n_want++] = text.len;
            line += 2;
        } else if (!strncmp(line, "\xc3\x97", 2)) {
            line += 2;
        } else if (*line == ' ' || *line == '\t' || *line == '\n') {
            line++;
        } else {
            char *behind;
            const unsigned long c = strtoul(line, &behind, 16);
            text.len += oy_utf8_put(oy_buffer_reserve(&text, 4), (uint32_t)c);
            line = behind;
        }
    }
    oy_buffer_reserve(&text, OY_PADDING);
    for (size_t at = 0; at < text.len; n++) {
        assert_int_equal(at, want[n]);
        at = words_segment_end(text.data, text.len, at);
    }
    assert_int_equal(n + 1, n_want);
    oy_buffer_release(&text);
}

static void the_official_test_passes(void **state)
{
    const char *shared = getenv("OYSTER_SHARED");
    char command[1000], line[2000];
    int n = 0;

    (void)state;
    snprintf(command, sizeof command,
             "bzip2 -dc '%s/data/unicode/WordBreakTest.txt.bz2' 2>/dev/null",
             shared ? shared : "../shared");
    FILE *file = popen(command, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] != '#' && line[0] != '\n') {
            check_break_line(line);
            n++;
        }
    }
    pclose(file);
    if (n < 1000) {
        printf("SKIPPED: no WordBreakTest.txt\n");
        skip();
    }
}

/* The quick way through ASCII gives the segments of the long way. */
static void quick_and_long_way_agree(void **state)
{
    static const char *const piece[] = {
        "a",
        "Z",
        "7",
        "_",
        "'",
        ".",
        ":",
        ",",
        ";",
        "\"",
        " ",
        "\n",
        "\r",
        "-",
        "\xc3\xa9",
        "\xcc\x88",
        "\xe2\x80\x8d",
        "\xd7\x90",
    };
    uint64_t seed = 11;

    (void)state;
    for (int round = 0; round < 50000; round++) {
        struct oy_buffer text = {0};
        struct words quick = {0};
        size_t n = 0;
        for (int i = 0; i < 12; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            oy_buffer_append_string(&text, piece[(seed >> 33) % 18]);
        }
        oy_buffer_reserve(&text, OY_PADDING);
        words_split(WORDS_UAX29, text.data, text.len, &quick);
        for (size_t at = 0; at < text.len;) {
            const size_t end = words_segment_end(text.data, text.len, at);
            size_t start = at, len = end - at;
            words_strip(text.data, &start, &len);
            at = end;
            if (!len)
                continue;
            assert_true(n < quick.n);
            assert_int_equal(quick.item[n].at, start);
            assert_int_equal(quick.item[n++].len, len);
        }
        assert_int_equal(n, quick.n);
        words_release(&quick);
        oy_buffer_release(&text);
    }
}

/* The vectorised splitter against the plain one: white space of every kind at
 * every place of a block, all lengths. */
static void ws_agrees_with_the_oracle(void **state)
{
    static const char *const piece[] = {
        "a",
        "bc",
        "d",
        "e",
        " ",
        "\n",
        "\x1f",
        "\x1b",
        "\xc2\xa0",
        "\xc2\xa1",
        "\xe2\x80\x83",
        "\xe2\x80\x8b",
        "\xe3\x80\x80",
        "\xe3\x80\x81",
        "\xe1\x9a\x80",
        "\xf0\x9f\x98\x80",
    };
    uint64_t seed = 31;

    (void)state;
    for (size_t round = 0; round < 20000; round++) {
        struct oy_buffer text = {0};
        struct words quick = {0}, plain = {0};
        for (size_t i = 0; i < round % 100; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            const uint64_t r = seed >> 33;
            oy_buffer_append_string(&text, piece[r % (round & 1 ? 16 : 6)]);
        }
        memset(oy_buffer_reserve(&text, OY_PADDING), round & 2 ? ' ' : 'x',
               OY_PADDING);
        words_split(WORDS_WS, text.data, text.len, &quick);
        words_split_ws_plain(text.data, text.len, &plain);
        assert_int_equal(quick.n, plain.n);
        if (plain.n)
            assert_memory_equal(quick.item, plain.item,
                                plain.n * sizeof *plain.item);
        words_release(&quick);
        words_release(&plain);
        oy_buffer_release(&text);
    }
}

static void so_many_words_are_told(void **state)
{
    char text[] = " one \xc2\xa0two\nthree                                   "
                  "                                                   ";

    (void)state;
    assert_true(words_are_at_least(text, 16, 0));
    assert_true(words_are_at_least(text, 16, 3));
    assert_false(words_are_at_least(text, 16, 4));
    assert_true(words_are_at_least(text, 8, 2));
    assert_false(words_are_at_least(text, 7, 2));
    assert_false(words_are_at_least(text, 0, 1));
}

static void vectors_count_as_plain_code(void **state)
{
    static const char *const part[] = {"a",
                                       "Zz",
                                       " ",
                                       "\n",
                                       "\xc2\xa0",
                                       "\xc3\xa9",
                                       "\xe3\x80\x80",
                                       "\xe2\x80\xa6",
                                       "09",
                                       "word"};
    struct oy_buffer text = {0};
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 500; round++) {
        oy_buffer_clear(&text);
        for (int i = 0; i < round % 60; i++) {
            seed = seed * 1103515245U + 12345;
            oy_buffer_append_string(&text, part[(seed >> 16) % 10]);
        }
        oy_buffer_reserve(&text, OY_PADDING);
        memset(text.data + text.len, 'A', OY_PADDING);
        int is_ascii, want_ascii;
        assert_int_equal(words_count_ws(text.data, text.len, SIZE_MAX),
                         words_count_ws_plain(text.data, text.len, SIZE_MAX));
        assert_int_equal(
            byte_count_range(text.data, text.len, 'A', 26, &is_ascii),
            byte_count_range_plain(text.data, text.len, 'A', 26, &want_ascii));
        assert_int_equal(is_ascii, want_ascii);
        assert_int_equal(is_ascii, oy_utf8_is_ascii(text.data, text.len));
    }
    oy_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_count_as_plain_code),
        cmocka_unit_test(splitters_have_names),
        cmocka_unit_test(ws_cuts_where_python_does),
        cmocka_unit_test(uax29_keeps_marks_as_words),
        cmocka_unit_test(uax29_strips_segments),
        cmocka_unit_test(the_official_test_passes),
        cmocka_unit_test(quick_and_long_way_agree),
        cmocka_unit_test(ws_agrees_with_the_oracle),
        cmocka_unit_test(so_many_words_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Unicode: properties by version, Python's str methods, normal forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/json.h"
#include "core/unicode.h"
#include "core/utf8.h"

/* The bytes of a file below the folder of shared data, or NULL. */
static char *slurp_shared(const char *path, size_t *len)
{
    const char *const root = getenv("OYSTER_SHARED");
    char *const full = oy_asprintf("%s/%s", root ? root : "../shared", path);
    struct oy_error err = {0};
    char *const data = oy_input_slurp(full, (size_t)1 << 28, len, &err);

    if (!data)
        print_message("SKIPPED: %s\n", err.message);
    oy_free(full);
    return data;
}

static void categories_have_versions(void **state)
{
    (void)state;
    assert_int_equal(oy_unicode_category('A', 12), OY_LU);
    assert_int_equal(oy_unicode_category(' ', 12), OY_ZS);
    assert_int_equal(oy_unicode_category('_', 15), OY_PC);
    assert_int_equal(oy_unicode_category(0xd800, 15), OY_CS);
    assert_int_equal(oy_unicode_category(0xe000, 15), OY_CO);
    assert_int_equal(oy_unicode_category(0x10ffff, 16), OY_CN);
    /* U+32FF came with 12.1, U+1F6DC with 15.0, U+1C89 with 16.0. */
    assert_int_equal(oy_unicode_category(0x32ff, 12), OY_CN);
    assert_int_equal(oy_unicode_category(0x32ff, 13), OY_SO);
    assert_int_equal(oy_unicode_category(0x1f6dc, 14), OY_CN);
    assert_int_equal(oy_unicode_category(0x1f6dc, 15), OY_SO);
    assert_int_equal(oy_unicode_category(0x1c89, 15), OY_CN);
    assert_int_equal(oy_unicode_category(0x1c89, 16), OY_LU);
    assert_int_equal(oy_unicode_category(0x1171e, 15), OY_MN);
    assert_int_equal(oy_unicode_category(0x1171e, 16), OY_MC);
}

static void classes_are_those_of_16(void **state)
{
    (void)state;
    assert_int_equal(oy_unicode_class16('\n'), OY_IS_SPACE | OY_IS_CRLF);
    assert_int_equal(oy_unicode_class16('a'), OY_IS_LL | OY_IS_WORD);
    assert_int_equal(oy_unicode_class16(0x4e2d),
                     OY_IS_LO | OY_IS_WORD | OY_IS_CJK);
    assert_int_equal(oy_unicode_class16(0x10d40),
                     OY_IS_N | OY_IS_WORD | OY_IS_DIGITS);
    assert_int_equal(oy_unicode_class16(0x11de0), OY_IS_DIGITS);
    assert_int_equal(oy_unicode_class16(0x180e), 0);
    for (uint32_t c = 0; c < 256; c++)
        assert_int_equal(oy_unicode_class16(c), oy_unicode_class16_latin[c]);
}

/* Marks the code points of "41-5A 61 ..." in `member`. */
static void mark_ranges(const char *text, size_t len, unsigned char *member)
{
    const char *at = text;

    while (at < text + len) {
        char *end;
        const unsigned long first = strtoul(at, &end, 16);
        const unsigned long last =
            *end == '-' ? strtoul(end + 1, &end, 16) : first;

        for (unsigned long c = first; c <= last; c++)
            member[c] = 1;
        at = end + 1;
    }
}

static void classes_equal_the_measured_ones(void **state)
{
    static const struct {
        const char *name;
        unsigned mask;
    } want[] = {
        {"\\p{L}", OY_IS_L},   {"\\p{N}", OY_IS_N},   {"\\s", OY_IS_SPACE},
        {"\\p{M}", OY_IS_M},   {"\\p{P}", OY_IS_P},   {"\\p{S}", OY_IS_S},
        {"\\p{Lu}", OY_IS_LU}, {"\\p{Ll}", OY_IS_LL}, {"\\p{Lt}", OY_IS_LT},
        {"\\p{Lm}", OY_IS_LM}, {"\\p{Lo}", OY_IS_LO},
    };
    size_t len;
    char *const text =
        slurp_shared("data/tokenizers/regex_classes_unicode16.json", &len);
    struct oy_json_value root;
    const char *why;

    (void)state;
    if (!text)
        skip();
    assert_int_equal(oy_json_value_of(text, len, &root, &why), 0);
    const struct oy_json_value all = oy_json_member(&root, "ranges_hex");
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        unsigned char *const member = oy_calloc(0x110000, 1);
        const struct oy_json_value ranges = oy_json_member(&all, want[i].name);

        assert_int_equal(ranges.kind, OY_JSON_STRING);
        mark_ranges(ranges.at + 1, ranges.len - 2, member);
        for (uint32_t c = 0; c < 0x110000; c++)
            assert_int_equal((oy_unicode_class16(c) & want[i].mask) != 0,
                             member[c]);
        oy_free(member);
    }
    oy_free(text);
}

static void python_asks_for_14(void **state)
{
    int n_space = 0, n_line_end = 0;

    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        n_space += oy_py_isspace(c);
        n_line_end += oy_py_is_line_end(c);
    }
    assert_int_equal(n_space, 29);
    assert_int_equal(n_line_end, 10);
    assert_true(oy_py_isspace(0x1f));
    assert_false(oy_py_isspace(0x200b));
    assert_true(oy_py_isalpha(0x4e2d));
    assert_false(oy_py_isalpha(0x2160));
    assert_true(oy_py_isalnum(0x2160));
    assert_true(oy_py_isdigit(0xb2));
    assert_false(oy_py_isdecimal(0xb2));
    assert_true(oy_py_isdecimal(0x660));
    assert_true(oy_py_isupper('A') && !oy_py_islower('A'));
    assert_true(oy_py_islower(0xaa));
    /* Lowercase in 15.0 only; and a letter of 15.0. */
    assert_false(oy_py_islower(0x10fc));
    assert_false(oy_py_isalpha(0x31350));
}

static void words_break_by_15(void **state)
{
    (void)state;
    assert_int_equal(oy_unicode_word_break('a'), OY_WB_ALETTER);
    assert_int_equal(oy_unicode_word_break('\''), OY_WB_SINGLE_QUOTE);
    assert_int_equal(oy_unicode_word_break(0x30a2), OY_WB_KATAKANA);
    assert_int_equal(oy_unicode_word_break(0x4e2d), OY_WB_OTHER);
    assert_int_equal(oy_unicode_word_break(0x200d), OY_WB_ZWJ);
    assert_true(oy_unicode_is_pictographic(0x1f600));
    assert_false(oy_unicode_is_pictographic('a'));
}

static void assert_lower(const char *text, const char *want)
{
    struct oy_buffer out = {0};

    oy_py_lower(text, strlen(text), &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

static void lower_is_pythons(void **state)
{
    (void)state;
    assert_lower("", "");
    assert_lower("HELLO, World @[`{ 0129", "hello, world @[`{ 0129");
    assert_lower("\xc3\x84\xc3\x96\xc3\x9c", "\xc3\xa4\xc3\xb6\xc3\xbc");
    /* U+0130 becomes two, U+023A grows. */
    assert_lower("\xc4\xb0\xc8\xba", "i\xcc\x87\xe2\xb1\xa5");
    /* Sigma: final behind a letter, also over what is ignorable. */
    assert_lower("\xce\x91\xce\xa3", "\xce\xb1\xcf\x82");
    assert_lower("\xce\xa3", "\xcf\x83");
    assert_lower("A\xce\xa3'\xcc\x81", "a\xcf\x82'\xcc\x81");
    assert_lower("A\xce\xa3'B", "a\xcf\x83'b");
    assert_lower("'\xce\xa3 ", "'\xcf\x83 ");
}

static void assert_normal(enum oy_normal_form form, int version,
                          const char *text, const char *want)
{
    struct oy_buffer out = {0};

    oy_unicode_normalize(form, version, text, strlen(text), &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

static void forms_have_versions(void **state)
{
    (void)state;
    assert_normal(OY_NFC, 15, "plain text", "plain text");
    assert_normal(OY_NFC, 15, "e\xcc\x81t\xc3\xa9", "\xc3\xa9t\xc3\xa9");
    assert_normal(OY_NFD, 15, "\xc3\xa9", "e\xcc\x81");
    assert_normal(OY_NFKC, 15, "\xef\xac\x81\xef\xbc\xa1", "fiA");
    assert_normal(OY_NFKD, 15, "\xc2\xbd",
                  "1\xe2\x81\x84"
                  "2");
    /* Hangul, both ways. */
    assert_normal(OY_NFD, 15, "\xed\x95\x9c",
                  "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab");
    assert_normal(OY_NFC, 15, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
                  "\xed\x95\x9c");
    /* U+1F16C RAISED MR SIGN came with 12.0, U+32FF with 12.1. */
    assert_normal(OY_NFKC, 12, "\xf0\x9f\x85\xac", "MR");
    assert_normal(OY_NFKC, OY_UNICODE_HF, "\xf0\x9f\x85\xac",
                  "\xf0\x9f\x85\xac");
    assert_normal(OY_NFKC, 12, "\xe3\x8b\xbf", "\xe3\x8b\xbf");
    /* The class of U+07FD is 220, since 11.0. */
    assert_normal(OY_NFC, 15, "a\xcc\x85\xdf\xbd", "a\xdf\xbd\xcc\x85");
    assert_normal(OY_NFC, OY_UNICODE_HF, "a\xcc\x85\xdf\xbd",
                  "a\xcc\x85\xdf\xbd");
}

static void long_runs_of_marks_are_sorted(void **state)
{
    struct oy_buffer text = {0}, out = {0};
    enum { N = 100000 };

    (void)state;
    oy_buffer_append_char(&text, 'x');
    for (int i = 0; i < N; i++)
        oy_buffer_append_string(&text, i % 2 ? "\xcc\xa3" : "\xcc\x81");
    oy_unicode_normalize(OY_NFD, 15, text.data, text.len, &out);
    assert_int_equal(out.len, text.len);
    for (int i = 0; i < N; i++)
        assert_memory_equal(out.data + 1 + 2 * i,
                            i < N / 2 ? "\xcc\xa3" : "\xcc\x81", 2);
    oy_buffer_release(&text);
    oy_buffer_release(&out);
}

static void quick_answer_is_sure(void **state)
{
    (void)state;
    assert_true(oy_unicode_is_nfc("", 0));
    assert_true(oy_unicode_is_nfc("caf\xc3\xa9 \xe4\xb8\xad", 9));
    assert_false(oy_unicode_is_nfc("cafe\xcc\x81", 6));
    assert_false(oy_unicode_is_nfc("\xe2\x84\xab", 3));
}

/* Column `field` of a line of NormalizationTest.txt as UTF-8. */
static size_t read_field(const char *line, int field, char *out)
{
    size_t len = 0;

    for (; field > 0; field--)
        line = strchr(line, ';') + 1;
    while (*line != ';') {
        char *end;

        len += oy_utf8_put(out + len, (uint32_t)strtoul(line, &end, 16));
        line = *end == ' ' ? end + 1 : end;
    }
    return len;
}

/* The conformance rules in the head of NormalizationTest.txt. */
static void check_line(const char *line)
{
    static const int want[4][5] = {
        [OY_NFC] = {1, 1, 1, 3, 3},
        [OY_NFD] = {2, 2, 2, 4, 4},
        [OY_NFKC] = {3, 3, 3, 3, 3},
        [OY_NFKD] = {4, 4, 4, 4, 4},
    };
    struct oy_buffer out = {0};
    char field[5][200];
    size_t len[5];

    for (int i = 0; i < 5; i++)
        len[i] = read_field(line, i, field[i]);
    for (int form = 0; form < 4; form++) {
        for (int i = 0; i < 5; i++) {
            const int w = want[form][i];

            oy_buffer_clear(&out);
            oy_unicode_normalize((enum oy_normal_form)form, 15, field[i],
                                 len[i], &out);
            assert_int_equal(out.len, len[w]);
            assert_memory_equal(out.data, field[w], len[w]);
        }
    }
    oy_buffer_release(&out);
}

static void conformance_test_of_15_passes(void **state)
{
    size_t len, n = 0;
    char *const text =
        slurp_shared("data/unicode/NormalizationTest.txt.bz2", &len);

    (void)state;
    if (!text)
        skip();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == '#' || *line == '@')
            continue;
        check_line(line);
        n++;
    }
    assert_int_equal(n, 19074);
    oy_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(categories_have_versions),
        cmocka_unit_test(classes_are_those_of_16),
        cmocka_unit_test(classes_equal_the_measured_ones),
        cmocka_unit_test(python_asks_for_14),
        cmocka_unit_test(words_break_by_15),
        cmocka_unit_test(lower_is_pythons),
        cmocka_unit_test(forms_have_versions),
        cmocka_unit_test(long_runs_of_marks_are_sorted),
        cmocka_unit_test(quick_answer_is_sure),
        cmocka_unit_test(conformance_test_of_15_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

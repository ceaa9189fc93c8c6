/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions: both languages, classes over all code points, walks,
 * what is refused, what does not end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/regex.h"
#include "core/unicode.h"
#include "core/unicode_script.h"
#include "core/utf8.h"

static struct oy_regex *compile(const char *pattern,
                                enum oy_regex_language language)
{
    struct oy_error err = {0};
    struct oy_regex *const regex =
        oy_regex_new(pattern, strlen(pattern), language, &err);

    if (!regex)
        fail_msg("%s: %s", pattern, err.message);
    return regex;
}

/* The matches of a text: "0-1 3-3". */
static void walk_text(const char *pattern, enum oy_regex_language language,
                      const char *text, char *out)
{
    struct oy_regex *const regex = compile(pattern, language);
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};

    *out = '\0';
    while (oy_regex_next(regex, matcher, text, strlen(text), &walk, &match,
                         &err) > 0)
        sprintf(out + strlen(out), "%s%zu-%zu", *out ? " " : "", match.begin,
                match.end);
    assert_int_equal(err.code, 0);
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
}

/* Matches as Hugging Face's Split gives them (0.23.3). */
static void oniguruma_means_what_it_means(void **state)
{
    static const struct {
        const char *pattern, *text, *matches;
    } known[] = {
        {"a", "banana", "1-2 3-4 5-6"},
        /* Empty matches, but not at the end of one before. */
        {"a*", "baac", "0-0 1-3 4-4"},
        {"", "ab", "0-0 1-1 2-2"},
        /* Anchors of lines. */
        {"^.", "ab\ncd\n", "0-1 3-4"},
        {"$", "a\nb\n", "1-1 3-3 4-4"},
        {"\\A.", "a\nb", "0-1"},
        {".\\z", "a\nb", "2-3"},
        {"b\\Z", "b\n", "0-1"},
        {".+", "ab\ncd", "0-2 3-5"},
        {"(?m:.+)", "ab\ncd", "0-5"},
        {"\\N", "a\n", "0-1"},
        {"\\O", "a\n", "0-1 1-2"},
        {"\\R", "a\r\n\n", "1-3 3-4"},
        /* Classes of Unicode 16: U+180E is no space, U+A7CB a letter. */
        {"\\s", "\xe1\xa0\x8e \xc2\x85", "3-4 4-6"},
        {"\\p{Lu}", "\xea\x9f\x8b", "0-3"},
        {"\\d", "1\xd9\xa3", "0-1 1-3"},
        {"\\h+", "xFACEg", "1-5"},
        {"\\w", "\xc2\xb2", "0-2"},
        {"[\\w]", "\xc2\xb2", ""},
        {"\\p{Punct}", "$!", "1-2"},
        {"[[:punct:]]", "$!", "0-1 1-2"},
        {"\\p{^L}", "a1", "1-2"},
        {"\\P{L}", "a1", "1-2"},
        {"\\p{ upper_case letter }", "aB", "1-2"},
        {"\\pL", "apL", "1-3"},
        {"[a-c&&[^b]]", "abc", "0-1 2-3"},
        {"[^a&&b]", "ab", "0-1 1-2"},
        {"[]a]", "]", "0-1"},
        {"[a-c-]", "-d", "0-1"},
        {"[\\x41\\x{4e2d}\\u00e9]", "A\xe4\xb8\xad\xc3\xa9", "0-1 1-4 4-6"},
        /* Case. */
        {"(?i:s)", "sS\xc5\xbf", "0-1 1-2 2-4"},
        {"(?i:[^s])",
         "s\xc5\xbf"
         "a",
         "3-4"},
        {"a(?i)b|c", "aBaCC", "0-2 2-4"},
        {"(?i-i:a)A", "aA", "0-2"},
        /* Repeats that PCRE2 spells alike and means otherwise. */
        {"a{1,2}+b", "aaab", "0-4"},
        {"a{,2}b", "aab", "0-3"},
        {"a{2,1}a", "aaa", "0-3"},
        {"a{2}?", "aaa", "0-2 3-3"},
        {"a++a|b", "aab", "2-3"},
        {"x{", "x{", "0-2"},
        {"x{a}", "x{a}", "0-4"},
        /* Groups. */
        {"(?<n>a)(?'m'b)", "ab", "0-2"},
        {"(?#no)a", "a", "0-1"},
        {"(?x: a # b\n b )", "ab", "0-2"},
        {"(?<=a)b(?!c)", "abbabc", "1-2"},
        {"(?>a+)b", "aab", "0-3"},
        {"\\bab\\b", "ab abc", "0-2"},
        {"\\-\\~\\'", "-~'", "0-3"},
    };
    char out[1000];

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        walk_text(known[i].pattern, OY_REGEX_ONIGURUMA, known[i].text, out);
        if (strcmp(out, known[i].matches) != 0)
            fail_msg("%s on %s: %s, want %s", known[i].pattern, known[i].text,
                     out, known[i].matches);
    }
}

static void plain_is_pcre2(void **state)
{
    char out[1000];

    (void)state;
    walk_text("\\d+", OY_REGEX_PCRE2, "12\xd9\xa3", out);
    assert_string_equal(out, "0-2");
    walk_text("(*UCP)\\d+", OY_REGEX_PCRE2, "12\xd9\xa3", out);
    assert_string_equal(out, "0-4");
    walk_text("^.", OY_REGEX_PCRE2, "a\nb", out);
    assert_string_equal(out, "0-1");
    walk_text("(a)(b)\\2\\1", OY_REGEX_PCRE2, "abba", out);
    assert_string_equal(out, "0-4");
    walk_text("(?i)\xc3\xa9", OY_REGEX_PCRE2, "\xc3\x89", out);
    assert_string_equal(out, "0-2");
}

static void refusals_name_the_place(void **state)
{
    static const struct {
        const char *pattern, *message;
    } wrong[] = {
        {"(a)\\1", "byte 3: an escape that is not supported"},
        {"a\\Gb", "byte 1: an escape that is not supported"},
        {"\\p{Emoji}", "byte 3: a property that is not supported"},
        {"[[:vowel:]]", "byte 2: a class that is not supported"},
        {"[[:alpha]", "byte 2: a class that is not supported"},
        {"ab(c", "byte 2: a group without its end"},
        {"ab)c", "byte 2: a `)` without its `(`"},
        {"[abc", "byte 0: a bracket without its end"},
        {"[]", "byte 0: an empty bracket"},
        {"[c-a]", "byte 2: a range that runs backwards"},
        {"*a", "byte 0: a repeat of nothing"},
        {"^*", "byte 1: a repeat of something that has no width"},
        {"a{70000}", "byte 1: too many repeats"},
        {"(?(1)a)", "byte 2: a group that is not supported"},
        {"(?W:a)", "byte 2: a group that is not supported"},
        {"(*FAIL)", "byte 0: callouts are not supported"},
        {"(?i:\xc3\xa9)",
         "byte 4: letters beyond ASCII in any case are not supported"},
        {"(?i:[\\p{L}])",
         "byte 4: letters beyond ASCII in any case are not supported"},
        {"(?i:ss)", "byte 5: these letters side by side in any case are not "
                    "supported"},
        {"\\xff", "byte 2: a number that is not supported"},
        {"\\x{d800}", "byte 2: a number that is not supported"},
        {"a\\", "byte 2: nothing behind a backslash"},
        {"a\xff", "byte 1: not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct oy_error err = {0};
        char message[200];

        snprintf(message, sizeof message, "regular expression, %s",
                 wrong[i].message);
        assert_null(oy_regex_new(wrong[i].pattern, strlen(wrong[i].pattern),
                                 OY_REGEX_ONIGURUMA, &err));
        assert_string_equal(err.message, message);
        assert_int_equal(err.code, OY_DATA);
    }
    struct oy_error err = {0};
    assert_null(oy_regex_new("a(b", 3, OY_REGEX_PCRE2, &err));
    assert_string_equal(err.message, "regular expression, byte 3: missing "
                                     "closing parenthesis");
}

static void deep_expressions_are_refused(void **state)
{
    static const char *const unit[] = {"(", "(?:", "[", "(?i)"};
    enum { N = 5000 };
    char *const pattern = oy_alloc(N * 4 + 1);

    (void)state;
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
        struct oy_error err = {0};

        *pattern = '\0';
        for (int i = 0; i < N; i++)
            memcpy(pattern + i * strlen(unit[u]), unit[u], strlen(unit[u]) + 1);
        assert_null(
            oy_regex_new(pattern, strlen(pattern), OY_REGEX_ONIGURUMA, &err));
        assert_non_null(strstr(err.message, "nested too deeply"));
    }
    oy_free(pattern);
}

/* ---- classes ---- */

struct every {
    char *text; /* all scalar values in order */
    size_t len;
    unsigned char *has; /* [0x110000] */
};

static void mark_matches(const struct every *every, const char *pattern)
{
    struct oy_regex *const regex = compile(pattern, OY_REGEX_ONIGURUMA);
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};

    memset(every->has, 0, 0x110000);
    while (oy_regex_next(regex, matcher, every->text, every->len, &walk, &match,
                         &err) > 0) {
        for (size_t at = match.begin; at < match.end;)
            every->has[oy_utf8_next(every->text, &at)] = 1;
    }
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
}

static void every_init(struct every *every)
{
    every->text = oy_alloc(4 * 0x110000 + OY_PADDING);
    every->len = 0;
    every->has = oy_alloc(0x110000);
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c < 0xd800 || c >= 0xe000)
            every->len += oy_utf8_put(every->text + every->len, c);
    }
}

static void every_release(struct every *every)
{
    oy_free(every->text);
    oy_free(every->has);
}

static int in_group(uint32_t c, const char *name)
{
    static const char code[][3] = {
        "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
        "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
        "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};

    return !strncmp(code[oy_unicode_category(c, 16)], name, strlen(name));
}

/* Also a proof that PCRE2's own categories are what regex_class.c takes them
 * for. */
static void categories_are_those_of_unicode_16(void **state)
{
    static const char *const name[] = {
        "L",  "M",  "N",  "P",  "S",  "Z",  "C",  "Lu", "Ll", "Lt", "Lm", "Lo",
        "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
        "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co"};
    static const char *const form[] = {"\\p{%s}", "[^\\P{%s}]", "[\\p{%s}z]"};
    struct every every;
    char pattern[100];

    (void)state;
    every_init(&every);
    for (size_t i = 0; i < 3 * sizeof name / sizeof *name; i++) {
        snprintf(pattern, sizeof pattern, form[i % 3], name[i / 3]);
        mark_matches(&every, pattern);
        for (uint32_t c = 0; c < 0x110000; c++) {
            if (c == 0xd800)
                c = 0xe000;
            const int want =
                in_group(c, name[i / 3]) || (i % 3 == 2 && c == 'z');
            if (every.has[c] != want)
                fail_msg("%s: U+%04X", pattern, (unsigned)c);
        }
    }
    every_release(&every);
}

/* Sizes measured in Hugging Face's tokenizers 0.23.3. */
static void other_classes_have_their_sizes(void **state)
{
    static const struct {
        const char *pattern;
        size_t n;
    } known[] = {
        {"\\s", 25},
        {"\\w", 144671},
        {"[\\w]", 144665},
        {"\\d", 760},
        {"[[:punct:]]", 9369},
        {"[[:alpha:]]", 142759},
        {"\\p{Han}", 99030},
        {"\\h", 22},
        {"[[:graph:]]", 292447},
        {"[^\\s]", 1112039},
        {"(?i:[^s])", 1112061},
        {"[[:print:]]", 292464},
        {"[[:upper:]]", 1978},
        {"[[:lower:]]", 2569},
        {"[[:alnum:]]", 143519},
        {"[[:cntrl:]]", 65},
        {"[[:blank:]]", 18},
        {"[[:xdigit:]]", 22},
        {"[[:ascii:]]", 128},
        {"\\p{Any}", 1112064},
    };
    struct every every;

    (void)state;
    every_init(&every);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = 0;

        mark_matches(&every, known[i].pattern);
        for (uint32_t c = 0; c < 0x110000; c++)
            n += every.has[c];
        if (n != known[i].n)
            fail_msg("%s: %zu, want %zu", known[i].pattern, n, known[i].n);
    }
    every_release(&every);
}

static void scripts_have_names(void **state)
{
    (void)state;
    const int han = oy_unicode_find_script("Han", 3);

    assert_int_equal(oy_unicode_find_script("hani", 4), han);
    assert_int_equal(oy_unicode_script(0x4e2d), han);
    assert_int_equal(oy_unicode_script(0x2ebf0), han);
    assert_int_equal(oy_unicode_find_script("old italic", 10),
                     oy_unicode_script(0x10300));
    assert_int_equal(oy_unicode_script(0x0378), 0);
    assert_int_equal(oy_unicode_script(0x10ffff), 0);
    assert_int_equal(oy_unicode_find_script("Klingon", 7), -1);
    assert_true(oy_unicode_same_name("old-Italic", 10, "Old_Italic"));
    assert_false(oy_unicode_same_name("Old", 3, "Old_Italic"));
    assert_false(oy_unicode_same_name("Old\0x", 5, "Old"));
}

/* ---- matching ---- */

static void what_lies_before_is_seen(void **state)
{
    struct oy_regex *const regex = compile("(?<=a)b|^c", OY_REGEX_ONIGURUMA);
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_match match;
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(oy_regex_find(regex, matcher, "abc", 3, 1, &match, &err),
                     1);
    assert_int_equal(match.begin, 1);
    assert_int_equal(oy_regex_find(regex, matcher, "abc", 3, 2, &match, &err),
                     0);
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
    oy_regex_matcher_free(NULL);
    oy_regex_free(NULL);
}

static void groups_are_found(void **state)
{
    struct oy_regex *const regex = compile("(a)|(b)(c)?", OY_REGEX_PCRE2);
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_match match, group;
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(oy_regex_n_group(regex), 3);
    assert_int_equal(oy_regex_find(regex, matcher, "xb", 2, 0, &match, &err),
                     1);
    assert_true(oy_regex_group(matcher, 0, &group));
    assert_int_equal(group.begin, 1);
    assert_false(oy_regex_group(matcher, 1, &group));
    assert_true(oy_regex_group(matcher, 2, &group));
    assert_int_equal(group.end, 2);
    assert_false(oy_regex_group(matcher, 3, &group));
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
}

static void endless_searches_are_failures(void **state)
{
    struct oy_regex *const regex =
        compile("^(?:a|aa|a(?=a))+$", OY_REGEX_ONIGURUMA);
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_match match;
    struct oy_error err = {0};
    char text[80];

    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    assert_int_equal(
        oy_regex_find(regex, matcher, text, sizeof text, 0, &match, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    assert_string_equal(err.message, "regular expression on a text: match "
                                     "limit exceeded");
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
}

/* More than the stack of compiled code holds. */
static void long_searches_end(void **state)
{
    enum { LEN = 1 << 20 };
    struct oy_regex *const regex =
        compile("(?:a|b(?=[ab]))*c", OY_REGEX_ONIGURUMA);
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    char *const text = oy_alloc(LEN);
    struct oy_regex_match match;
    struct oy_error err = {0};

    (void)state;
    memset(text, 'a', LEN);
    text[LEN - 1] = 'c';
    assert_int_equal(oy_regex_find(regex, matcher, text, LEN, 0, &match, &err),
                     1);
    assert_int_equal(match.begin, 0);
    assert_int_equal(match.end, LEN);
    oy_free(text);
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
}

static void first_bytes_are_known(void **state)
{
    static const struct {
        const char *pattern;
        char may, may_not; /* 0: all may */
    } known[] = {
        {"[0-9][0-9]", '5', 'a'},  {"abc", 'a', 'b'}, {"(?i:ab)", 'A', 'c'},
        {"(?i:k)", '\xe2', 'a'},   {"a*", 'x', 0},    {"\xc3\xa9", '\xc3', 'a'},
        {"\\p{Han}", '\xe4', 'a'}, {"(?=b)", 'b', 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct oy_regex *const regex =
            compile(known[i].pattern, OY_REGEX_ONIGURUMA);

        assert_true(oy_regex_may_begin(regex, (unsigned char)known[i].may));
        if (known[i].may_not)
            assert_false(
                oy_regex_may_begin(regex, (unsigned char)known[i].may_not));
        oy_regex_free(regex);
    }
}

static void *match_often(void *regex)
{
    static const char text[] = "one 22 three 4444 five";
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_match match;
    struct oy_error err = {0};
    size_t sum = 0;

    for (int i = 0; i < 500; i++) {
        struct oy_regex_walk walk = {0};

        while (oy_regex_next(regex, matcher, text, sizeof text - 1, &walk,
                             &match, &err) > 0)
            sum += match.end;
    }
    oy_regex_matcher_free(matcher);
    return (void *)sum;
}

static void threads_share_an_expression(void **state)
{
    struct oy_regex *const regex =
        compile("\\p{L}+|\\p{N}{1,3}", OY_REGEX_ONIGURUMA);
    pthread_t thread[4];
    void *sum[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, match_often, regex),
                         0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(thread[i], &sum[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal((size_t)sum[i], 500 * (3 + 6 + 12 + 16 + 17 + 22));
    oy_regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oniguruma_means_what_it_means),
        cmocka_unit_test(plain_is_pcre2),
        cmocka_unit_test(refusals_name_the_place),
        cmocka_unit_test(deep_expressions_are_refused),
        cmocka_unit_test(categories_are_those_of_unicode_16),
        cmocka_unit_test(other_classes_have_their_sizes),
        cmocka_unit_test(scripts_have_names),
        cmocka_unit_test(what_lies_before_is_seen),
        cmocka_unit_test(groups_are_found),
        cmocka_unit_test(endless_searches_are_failures),
        cmocka_unit_test(long_searches_end),
        cmocka_unit_test(first_bytes_are_known),
        cmocka_unit_test(threads_share_an_expression),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

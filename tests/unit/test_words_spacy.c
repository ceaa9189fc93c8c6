/* SPDX-License-Identifier: Apache-2.0
 *
 * spaCy's English words: each rule by hand, then the golden strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/words_spacy_internal.h"
#include "tests/unit/golden_lines.h"

/* Splits with the state of the text before; joins the words with '\x1f'. */
static void join_words(struct words *words, const char *text, size_t len,
                       struct oy_buffer *got)
{
    oy_buffer_clear(got);
    words_split(WORDS_SPACY, text, len, words);
    for (size_t i = 0; i < words->n; i++) {
        if (i)
            oy_buffer_append_char(got, '\x1f');
        oy_buffer_append(got, text + words->item[i].at, words->item[i].len);
    }
}

/* `want` has its words between bars. */
static void assert_words(const char *text, const char *want)
{
    struct oy_buffer copy = {0}, got = {0};
    struct words words = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    for (int round = 0; round < 2; round++) { /* cut, then remembered */
        join_words(&words, copy.data, copy.len, &got);
        for (size_t i = 0; i < got.len; i++)
            got.data[i] = got.data[i] == '\x1f' ? '|' : got.data[i];
        assert_string_equal(oy_buffer_string(&got), want);
    }
    words_release(&words);
    oy_buffer_release(&copy);
    oy_buffer_release(&got);
}

static void white_space_is_no_word(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" \t\n\xc2\xa0", "");
    assert_words("one  two\nthree\xe3\x80\x80"
                 "four",
                 "one|two|three|four");
}

static void affixes_come_off(void **state)
{
    (void)state;
    assert_words("\"Hello, world!\"", "\"|Hello|,|world|!|\"");
    assert_words("(see [1]).", "(|see|[|1|]|)|.");
    assert_words("wait... what", "wait|...|what");
    assert_words("+3 +x US$5 5US$ $5", "+3|+|x|US$|5|5|US$|$|5");
    assert_words("dog's dogs\xe2\x80\x99 JOHN'S",
                 "dog|'s|dogs|\xe2\x80\x99|JOHN|'S");
    assert_words("5km 5xm 10% 20\xc2\xb0"
                 "C. 3+",
                 "5|km|5xm|10|%|20|\xc2\xb0|C|.|3|+");
    assert_words("the USA. No I. am", "the|USA|.|No|I.|am");
}

static void infixes_cut(void **state)
{
    (void)state;
    assert_words("well-known a--b x---y", "well|-|known|a|--|b|x|---|y");
    assert_words("one.Two one.two a,b 1,000", "one|.|Two|one.two|a|,|b|1,000");
    assert_words("1+2 1-2 a+b a=b a/b 1/2", "1|+|2|1|-|2|a+b|a|=|b|a|/|b|1/2");
    assert_words("-a-b", "-a|-|b");
    assert_words("a\xe2\x80\xa6"
                 "b a\xe2\x84\xa2"
                 "b",
                 "a|\xe2\x80\xa6|b|a|\xe2\x84\xa2|b");
}

static void special_cases_come_first(void **state)
{
    (void)state;
    assert_words("don't can't cannot gonna", "do|n't|ca|n't|can|not|gon|na");
    assert_words("(don't) Mr. e.g., 10am", "(|do|n't|)|Mr.|e.g.|,|10|am");
    assert_words("fine:) :-) (i.e.)", "fine|:)|:-)|(|i.e.|)");
    assert_words("i.e .", "i.e|.");
    assert_words("and/or w/o and / or", "and/or|w/o|and|/|or");
}

static void addresses_hold_together(void **state)
{
    (void)state;
    assert_words("http://a.com/x-y?z=1 me@b-c.co.uk:80",
                 "http://a.com/x-y?z=1|me@b-c.co.uk:80");
    assert_words("(www.x-y.org) x-y.Org", "(|www.x-y.org|)|x|-|y.|Org");
    assert_int_equal(spacy_is_url("8.8.8.8", 7), 1);
    assert_int_equal(spacy_is_url("223.1.1.254:8080/", 17), 1);
    assert_int_equal(spacy_is_url("224.1.1.1", 9), 0);
    assert_int_equal(spacy_is_url("1.1.1.255", 9), 0);
    assert_int_equal(spacy_is_url("10.1.1.1", 8), 0);
    assert_int_equal(spacy_is_url("172.15.1.1", 10), 1);
    assert_int_equal(spacy_is_url("172.16.1.1", 10), 0);
    assert_int_equal(spacy_is_url("192.168.1.1", 11), 0);
    assert_int_equal(spacy_is_url("a.co:1", 6), 0);
    assert_int_equal(spacy_is_url("a.co:12", 7), 1);
    assert_int_equal(spacy_is_url("-a.co", 5), 0);
    assert_int_equal(spacy_is_url("a_b.co", 6), 1);
    assert_int_equal(spacy_is_url("a.c", 3), 0);
    assert_int_equal(spacy_is_url("@a.co", 5), 0);
    assert_int_equal(spacy_is_url("x@a.co", 6), 1);
    assert_int_equal(spacy_is_url("a.co\0", 5), 0);
}

/* A text of n times the same character takes no more than a look at each:
 * whatever is quadratic would not end. */
static void long_pieces_end(void **state)
{
    static const char *const unit[] = {
        "(", ".", "a@", "-", "a.", "a-", ":80@", "'", "1.", "\xe2\x80\xa6",
    };
    struct words words = {0};

    (void)state;
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
        struct oy_buffer text = {0};
        size_t end = 0;
        for (int i = 0; i < 500000; i++)
            oy_buffer_append_string(&text, unit[u]);
        oy_buffer_reserve(&text, OY_PADDING);
        words_split(WORDS_SPACY, text.data, text.len, &words);
        for (size_t i = 0; i < words.n; i++) {
            assert_int_equal(words.item[i].at, end);
            end += words.item[i].len;
        }
        assert_int_equal(end, text.len);
        oy_buffer_release(&text);
    }
    words_release(&words);
}

/* Blocks are cut at spaces; a run of tokens may lie across. */
static void blocks_do_not_show(void **state)
{
    struct oy_buffer text = {0};
    struct words words = {0};

    (void)state;
    for (int i = 0; i < 40000; i++)
        oy_buffer_append_string(&text, "it's ");
    oy_buffer_reserve(&text, OY_PADDING);
    words_split(WORDS_SPACY, text.data, text.len, &words);
    assert_int_equal(words.n, 80000);
    words_release(&words);
    oy_buffer_release(&text);
}

/* Random mixtures: the words are the text without its white space, and the
 * same whatever was cut before. */
static void what_came_before_does_not_show(void **state)
{
    static const char *const atom[] = {
        "don't",
        "a.m",
        ".",
        ":",
        ")",
        "(",
        "-",
        " ",
        " ",
        "\n",
        "e.g.",
        "'s",
        "\xe2\x80\x99",
        "10",
        "km",
        "+",
        "x",
        "Xy",
        ",",
        "@",
        "b.c",
        "://",
        "\"",
        "$",
        "...",
        "/3",
        "\xc2\xa0",
    };
    struct words used = {0};
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct oy_buffer text = {0};
        struct words fresh = {0};
        size_t at = 0;
        for (int i = 0; i < 40; i++) {
            seed = seed * 1664525 + 1013904223; /* Numerical Recipes, 7.1 */
            oy_buffer_append_string(
                &text, atom[(seed >> 16) % (sizeof atom / sizeof *atom)]);
        }
        oy_buffer_reserve(&text, OY_PADDING);
        words_split(WORDS_SPACY, text.data, text.len, &fresh);
        words_split(WORDS_SPACY, text.data, text.len, &used);
        assert_int_equal(fresh.n, used.n);
        assert_memory_equal(fresh.item, used.item,
                            fresh.n * sizeof *fresh.item);
        for (size_t i = 0; i < used.n; i++) {
            size_t gap_at = at, gap = used.item[i].at - at;
            words_strip(text.data, &gap_at, &gap);
            assert_int_equal(gap, 0);
            at = used.item[i].at + used.item[i].len;
        }
        words_release(&fresh);
        oy_buffer_release(&text);
    }
    words_release(&used);
}

static void golden_strings_are_spacys(void **state)
{
    struct golden golden;
    struct oy_json_value line, element;
    struct oy_buffer got = {0}, want = {0};
    struct words words = {0};
    int n = 0;

    (void)state;
    if (golden_open(&golden, "golden/pipeline/words_spacy_en_hard.jsonl"))
        skip();
    for (; golden_next(&golden, &line); n++) {
        const struct oy_text text = golden_text(&golden, &line, "text");
        const struct oy_json_value list = oy_json_member(&line, "words");
        struct oy_json_cursor cursor;
        oy_buffer_clear(&want);
        oy_json_enter(&cursor, &list);
        while (oy_json_next_element(&cursor, &element) == 1) {
            struct oy_text word;
            uint64_t repaired = 0;
            const char *why;
            assert_int_equal(
                oy_json_text(&element, &golden.arena, &word, &repaired, &why),
                0);
            if (want.len)
                oy_buffer_append_char(&want, '\x1f');
            oy_buffer_append(&want, word.at, word.len);
        }
        join_words(&words, text.at, text.len, &got);
        assert_string_equal(oy_buffer_string(&got), oy_buffer_string(&want));
    }
    assert_true(n > 2000);
    golden_close(&golden);
    words_release(&words);
    oy_buffer_release(&got);
    oy_buffer_release(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_is_no_word),
        cmocka_unit_test(affixes_come_off),
        cmocka_unit_test(infixes_cut),
        cmocka_unit_test(special_cases_come_first),
        cmocka_unit_test(addresses_hold_together),
        cmocka_unit_test(long_pieces_end),
        cmocka_unit_test(blocks_do_not_show),
        cmocka_unit_test(what_came_before_does_not_show),
        cmocka_unit_test(golden_strings_are_spacys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Cleaning of benchmark texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/unicode_case.h"
#include "eval/text_clean.h"
#include "golden_lines.h"

typedef void (*cleaner)(const char *, size_t, struct oy_buffer *);

static void assert_text(cleaner clean, struct oy_text text, struct oy_text want)
{
    struct oy_buffer out = {0};
    char *expected = oy_strndup(want.at, want.len);

    clean(text.at, text.len, &out);
    assert_string_equal(oy_buffer_string(&out), expected);
    oy_buffer_release(&out);
    oy_free(expected);
}

static void assert_cleans(cleaner clean, const char *text, const char *want)
{
    assert_text(clean, (struct oy_text){text, strlen(text)},
                (struct oy_text){want, strlen(want)});
}

static void wikihow(void **state)
{
    (void)state;
    assert_cleans(text_clean_wikihow, " [title] A  b", " A b");
    assert_cleans(text_clean_wikihow, "x [title] A", "x. A");
    assert_cleans(text_clean_wikihow, "a [step] b  c   d", "a b c  d");
    assert_cleans(text_clean_wikihow, "[a [b] c]", " c]");
    assert_cleans(text_clean_wikihow, "a [b\nc] d [e", "a [b\nc] d [e");
    assert_cleans(text_clean_wikihow, "", "");
}

static void wikitext(void **state)
{
    (void)state;
    assert_cleans(text_clean_wikitext, "the band 's first", "the band's first");
    assert_cleans(text_clean_wikitext, "a @-@ b @,@ c @.@ d", "a-b,c.d");
    assert_cleans(text_clean_wikitext, "( x ) [ y ] { z } \" q \" ' r '",
                  "(x) [y] {z} \"q\" 'r'");
    assert_cleans(text_clean_wikitext, "= = = x = = =", "=== x ===");
    assert_cleans(text_clean_wikitext, "20 \u00b0 C N 5", "20\u00b0C 1 5");
    assert_cleans(text_clean_wikitext, "\n \n x \n", "\n\nx\n");
}

static void words_and_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_count_words("", 0), 1);
    assert_int_equal(text_count_words("a b", 3), 2);
    assert_int_equal(text_count_words(" a  b ", 6), 4);
    assert_int_equal(text_count_bytes("\u00e9", 2), 2);
}

static void golden_wikihow(void **state)
{
    struct golden golden;
    struct oy_json_value object;

    (void)state;
    if (golden_open(&golden, "golden/eval/hellaswag_clean.jsonl"))
        skip();
    while (golden_next(&golden, &object)) {
        const struct oy_text text = golden_text(&golden, &object, "text");
        const struct oy_text word = golden_text(&golden, &object, "capitalize");
        const struct oy_text want = golden_text(&golden, &object, "expected");
        if (text.at)
            assert_text(text_clean_wikihow, text, want);
        else
            assert_text(oy_py_capitalize, word, want);
    }
    golden_close(&golden);
}

static void golden_wikitext(void **state)
{
    struct golden golden;
    struct oy_json_value object;

    (void)state;
    if (golden_open(&golden, "golden/eval/wikitext_detok.jsonl"))
        skip();
    while (golden_next(&golden, &object)) {
        const struct oy_text page = golden_text(&golden, &object, "page");
        const struct oy_json_value words = oy_json_member(&object, "words");
        int64_t n;
        assert_text(text_clean_wikitext, page,
                    golden_text(&golden, &object, "expected"));
        assert_int_equal(oy_json_int64(&words, &n), 0);
        assert_int_equal(text_count_words(page.at, page.len), n);
    }
    golden_close(&golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wikihow),         cmocka_unit_test(wikitext),
        cmocka_unit_test(words_and_bytes), cmocka_unit_test(golden_wikihow),
        cmocka_unit_test(golden_wikitext),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

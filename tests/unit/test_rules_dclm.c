/* SPDX-License-Identifier: Apache-2.0
 *
 * DCLM's filters and modifiers, dolma's places and RedPajama's signals on
 * small texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pipeline/chain.h"
#include "tests/unit/rule_params.h"

/* The text that a rule leaves; "-" when it drops the document. */
static void assert_text(const char *rule, const char *setting, const char *text,
                        const char *want)
{
    struct document document = {0};
    struct oy_buffer copy = {0};
    struct chain chain = {0};
    struct oy_error err = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    assert_int_equal(chain_set_rules(&chain, rule, &err), 0);
    if (setting)
        assert_int_equal(chain_set_param(&chain, setting, &err), 0);
    document_start(&document, (struct oy_text){copy.data, copy.len});
    const char *reason =
        chain.step[0].rule->judge(chain.step[0].params, &document, NULL);
    if (reason) {
        assert_string_equal(reason, rule);
        assert_string_equal("-", want);
    } else {
        assert_int_equal(document.text.len, strlen(want));
        assert_memory_equal(document.text.at, want, strlen(want));
    }
    document_release(&document);
    chain_release(&chain);
    oy_buffer_release(&copy);
}

static void lines_are_taken_out(void **state)
{
    (void)state;
    assert_text("dclm_newline_removal_modifier", NULL, "a\n\n\n\nb\nc\n",
                "a\n\nb\nc\n");
    assert_text("dclm_newline_removal_modifier", NULL, "", "");
    assert_text("dclm_uppercase_ratio_line_modifier", NULL, "ABC\nAb\n", "Ab");
    assert_text("dclm_numeric_ratio_line_modifier",
                "dclm_numeric_ratio_line_modifier.max_ratio=0.9", "12\na1",
                "a1");
    assert_text("dclm_counter_line_modifier", NULL,
                "so\n- 3,1 likes!\n5K views\n5 views of it\n",
                "so\n5 views of it");
    assert_text("dclm_counter_line_modifier", NULL, "3 Likes", "-");
    assert_text("dclm_line_length_modifier",
                "dclm_line_length_modifier.min_length=2", "a\n\nb c", "\nb c");
    assert_text("dclm_punctuation_line_modifier", NULL, "a.\nb\n\nc... ",
                "a.\n\nc... ");
    assert_text("dclm_punctuation_line_modifier",
                "dclm_punctuation_line_modifier.remove_ellipses=true",
                "a.\nc... ", "a.");
    assert_text("dclm_citation_removal_modifier", NULL,
                "a[12] b[edit][x][citation needed]", "a b[x]");
}

static void what_comes_again_is_taken_out(void **state)
{
    static const char rule[] = "dclm_within_page_dedup";

    (void)state;
    assert_text(rule, NULL, "A b\nc\n\n a B \n\nc", "A b\nc\n\n");
    assert_text(rule, "dclm_within_page_dedup.normalize=false",
                "a\nA\na \na\nA", "a\nA\na ");
    assert_text(rule, "dclm_within_page_dedup.granularity=paragraph",
                "a\nb\n\nc\n\na\nb\nc\n\nA\nb", "a\nb\n\nc\n\na\nb\nc");
    assert_text(rule, NULL, "", "");
}

static void lines_of_long_words_are_taken_out(void **state)
{
    static const char rule[] = "dclm_word_length_modifier";

    (void)state;
    assert_text(rule, "dclm_word_length_modifier.max_length=3",
                "abc d\n\nabcd\n\xc3\xa4\xc3\xa4\xc3\xa4",
                "abc d\n\n\xc3\xa4\xc3\xa4\xc3\xa4");
    assert_text(rule, "dclm_word_length_modifier.max_length=0", "a", "-");
}

static void sentences_and_case(void **state)
{
    (void)state;
    assert_text("dclm_page_length_filter",
                "dclm_page_length_filter.length_type=sentence", "One. Two.",
                "One. Two.");
    assert_text("dclm_page_length_filter",
                "dclm_page_length_filter.length_type=sentence", " ", "-");
    assert_text("dclm_repetition_filter",
                "dclm_repetition_filter.ignore_case=true", "ab\nAB\nc", "-");
    assert_text("dclm_repetition_filter",
                "dclm_repetition_filter.ignore_case=false", "ab\nAB\nc",
                "ab\nAB\nc");
}

static void phrases_are_taken_out(void **state)
{
    static const char rule[] = "dclm_substring_line_modifier";

    (void)state;
    assert_text(rule, "dclm_substring_line_modifier.banlist=[\"in cart\"]",
                "two In Cart\nthree", "three");
    assert_text(rule, "dclm_substring_line_modifier.banlist=a.c", "xabc\nac",
                "ac");
    assert_text(rule, NULL, "as it is", "as it is");
}

static void filters_count_as_their_peer(void **state)
{
    (void)state;
    assert_text("dclm_stop_word_filter", NULL, "The THE", "The THE");
    assert_text("dclm_stop_word_filter",
                "dclm_stop_word_filter.count_unique=true", "The THE", "-");
    assert_text("dclm_symbol_ratio_filter", NULL, " ", "-");
    assert_text("dclm_bullet_count_filter", NULL, " - a\n\n* b", "-");
    assert_text("dclm_ellipsis_count_filter", NULL, "a. . . \nb", "-");
    assert_text("dclm_word_length_filter",
                "dclm_word_length_filter.max_length=2", "ab abc", "-");
    assert_text("dclm_repetition_filter",
                "dclm_repetition_filter.granularity=line", "a\n a\nb", "-");
    /* One paragraph is kept, whatever it is. */
    assert_text("dclm_repetition_filter",
                "dclm_repetition_filter.granularity=paragraph", "a\na\n",
                "a\na\n");
    assert_text("dclm_repetition_filter",
                "dclm_repetition_filter.granularity=2", "a b a b", "-");
    assert_text("dclm_repetition_filter",
                "dclm_repetition_filter.granularity=2", "a b c", "a b c");
    assert_text("dclm_massive_web_repetition_filters", NULL, "", "-");
    /* A line feed is a word of fastText's, but no letter. */
    assert_text("dclm_page_length_filter",
                "dclm_page_length_filter.min_length=3", "a\nb", "a\nb");
}

/* What a rule measures, as the inside of an object. */
static void assert_measured(const char *name, const char *text,
                            const char *want)
{
    const struct rule *rule = rule_find(name);
    struct measures measures = {.rule = name};
    struct document document = {0};
    struct oy_buffer copy = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    document_start(&document, (struct oy_text){copy.data, copy.len});
    void *params = load_params(rule);
    assert_null(rule->judge(params, &document, &measures));
    free_params(rule, params);
    assert_non_null(strstr(oy_buffer_string(&measures.json), want));
    document_release(&document);
    oy_buffer_release(&copy);
    oy_buffer_release(&measures.json);
}

static void places_are_code_points(void **state)
{
    (void)state;
    assert_measured("dolma_c4_v1", "\xc3\xa9\nb",
                    "\"lines_with_no_ending_punctuation\":"
                    "[[0,2,1.0],[2,3,1.0]]");
    assert_measured(
        "dolma_pii_regex_v2", "\xc3\xa9, (a@b.de) \n",
        "\"spans\":[[1,12,\"EMAIL_ADDRESS\",1.0],[0,13,\"doc\",0.5]]");
    assert_measured("dolma_pii_regex_with_counts_fast_v2", "a 123-456-7890",
                    "[1,14,\"PHONE_NUMBER\",1.0]");
    assert_measured("dolma_gopher_v2", "a\n\n\na",
                    "\"fraction_of_duplicate_lines\":1.0");
    assert_measured("redpajama", "It's I. No", "\"RPS_Doc_Num_Sentences\":2.0");
    assert_measured("redpajama", "a 1\n",
                    "\"RPS_Lines_Numerical_Chars_Fraction\":"
                    "{\"n\":1,\"sum\":0.33333333}");
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(lines_are_taken_out),
        cmocka_unit_test(what_comes_again_is_taken_out),
        cmocka_unit_test(lines_of_long_words_are_taken_out),
        cmocka_unit_test(sentences_and_case),
        cmocka_unit_test(phrases_are_taken_out),
        cmocka_unit_test(filters_count_as_their_peer),
        cmocka_unit_test(places_are_code_points),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

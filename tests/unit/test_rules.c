/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules one by one on small texts, their parameters, the chain of presets and
 * options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/chain.h"

/* The reason that the chain's first failing rule gives, or "keep". */
static const char *judge(const struct chain *chain, const char *text)
{
    struct document document = {.splitter = WORDS_WS};
    const char *reason = NULL;
    struct oy_buffer copy = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    document_start(&document, (struct oy_text){copy.data, copy.len});
    for (size_t i = 0; i < chain->n_step && !reason; i++)
        reason =
            chain->step[i].rule->judge(chain->step[i].params, &document, NULL);
    document_release(&document);
    oy_buffer_release(&copy);
    return reason ? reason : "keep";
}

static void make(struct chain *chain, const char *rules,
                 const char *const *setting)
{
    struct oy_error err = {0};

    *chain = (struct chain){0};
    assert_int_equal(chain_set_rules(chain, rules, &err), 0);
    for (; *setting; setting++)
        assert_int_equal(chain_set_param(chain, *setting, &err), 0);
}

static void assert_reason(const char *rules, const char *const *setting,
                          const char *text, const char *want)
{
    struct chain chain;

    make(&chain, rules, setting);
    assert_string_equal(judge(&chain, text), want);
    chain_release(&chain);
}

#define SET(...)                                                               \
    (const char *const[])                                                      \
    {                                                                          \
        __VA_ARGS__, NULL                                                      \
    }

static void length_counts_code_points(void **state)
{
    (void)state;
    assert_reason("length", SET("length.min=5"), "caf\xc3\xa9", "too_short");
    assert_reason("length", SET("length.min=4"), "caf\xc3\xa9", "keep");
    assert_reason("length", SET("length.max=4"), "caf\xc3\xa9", "keep");
    assert_reason("length", SET("length.max=3"), "caf\xc3\xa9", "too_long");
    assert_reason("length", SET("length.max=null"), "caf\xc3\xa9", "keep");
    assert_reason("length,length", SET("length.min=1", "length#2.max=2"), "abc",
                  "too_long");
}

#define QUIET                                                                  \
    "gopher_quality.min_doc_words=0", "gopher_quality.min_avg_word_length=0",  \
        "gopher_quality.min_stop_words=0",                                     \
        "gopher_quality.max_non_alpha_words_ratio=0"

static void gopher_quality_gives_its_reasons(void **state)
{
    const char *name = "gopher_quality";

    (void)state;
    assert_reason(name, SET("gopher_quality.min_doc_words=2"), "one",
                  "gopher_short_doc");
    assert_reason(name, SET(QUIET, "gopher_quality.max_doc_words=2"), "a b c",
                  "gopher_long_doc");
    assert_reason(name, SET("gopher_quality.min_doc_words=0"), "a b",
                  "gopher_below_avg_threshold");
    assert_reason(name, SET(QUIET), "internationalisation",
                  "gopher_above_avg_threshold");
    assert_reason(name, SET(QUIET), "a b # c", "gopher_too_many_hashes");
    assert_reason(name, SET(QUIET), "a b c ......", "gopher_too_many_ellipsis");
    assert_reason(name, SET(QUIET), "- a\n\xe2\x80\xa2 b\r\n -c",
                  "gopher_too_many_bullets");
    assert_reason(name, SET(QUIET, "gopher_quality.max_symbol_word_ratio=null"),
                  "a...\x0b"
                  "b\xe2\x80\xa8",
                  "gopher_too_many_end_ellipsis");
    assert_reason(name,
                  SET(QUIET, "gopher_quality.max_non_alpha_words_ratio=0.8"),
                  "a b c 1", "gopher_below_alpha_threshold");
    assert_reason(name, SET(QUIET, "gopher_quality.min_stop_words=2"),
                  "The of a", "gopher_enough_stop_words");
    assert_reason(name,
                  SET(QUIET, "gopher_quality.min_stop_words=2",
                      "gopher_quality.stop_words=[\"a\",\"The\",\"a\"]"),
                  "The of a", "keep");
    assert_reason(name, SET("gopher_quality.min_doc_words=0"), "", "empty");
}

static void gopher_repetition_gives_its_reasons(void **state)
{
    const char *name = "gopher_repetition";
    const char *const none[] = {NULL};

    (void)state;
    assert_reason(name, none, "", "empty");
    assert_reason(name, none, "p\n\np\n\np\n\nq", "dup_para_frac");
    assert_reason(name, none, "abcd\nabcd\nq", "dup_line_frac");
    assert_reason(name, none, "one two", "top_2_gram");
    assert_reason(name,
                  SET("gopher_repetition.top_n_grams=[]",
                      "gopher_repetition.dup_n_grams=[[2,0.1]]"),
                  "a b x a b", "duplicated_2_n_grams");
    assert_reason(name,
                  SET("gopher_repetition.top_n_grams=null",
                      "gopher_repetition.dup_n_grams=null"),
                  "a b a b a b", "keep");
}

static void fineweb_quality_gives_its_reasons(void **state)
{
    const char *name = "fineweb_quality";
    const char *const none[] = {NULL};
    static const char line[] = "This is a line of more than thirty characters";
    char text[400];

    (void)state;
    assert_reason(name, none, "", "empty");
    assert_reason(name, none, " \n\t\n", "empty");
    assert_reason(name, none, line, "line_punct_ratio");
    assert_reason(name, SET("fineweb_quality.line_punct_exclude_zero=true"),
                  line, "keep");
    assert_reason(name, none, "Short.", "short_line_ratio");
    snprintf(text, sizeof text, "%s.\n%s.", line, line);
    assert_reason(name, none, text, "char_dup_ratio");
    snprintf(text, sizeof text, "%s.\n\n\n\n\n", line);
    assert_reason(name, none, text, "list_ratio");
    snprintf(text, sizeof text, "%s\r\n%s.\r\n", line, line);
    assert_reason(name, none, text, "line_punct_ratio");
}

/* ---- parameters and presets ---- */

#define FIVE "It is one. It is two. It is three. It is four. It is five."

/* What the rule leaves of the text. */
static void assert_leaves(const char *rule, const char *const *setting,
                          const char *text, const char *want, int is_rewritten)
{
    struct document document = {0};
    struct oy_buffer copy = {0};
    struct chain chain;

    make(&chain, rule, setting);
    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    document_start(&document, (struct oy_text){copy.data, copy.len});
    assert_null(
        chain.step[0].rule->judge(chain.step[0].params, &document, NULL));
    assert_int_equal(document.text.len, strlen(want));
    assert_memory_equal(document.text.at, want, strlen(want));
    assert_int_equal(document.is_rewritten, is_rewritten);
    document_release(&document);
    oy_buffer_release(&copy);
    chain_release(&chain);
}

static void assert_left(const char *const *setting, const char *text,
                        const char *want, int is_rewritten)
{
    assert_leaves("c4_quality", setting, text, want, is_rewritten);
}

static void pii_gets_stand_ins(void **state)
{
    const char *const none[] = {NULL};
    const char *const *short_ones = SET("pii.email_replacement=[\"E\"]",
                                        "pii.ip_replacement=[\"I\",\"J\"]");

    (void)state;
    assert_leaves("pii", none, "", "", 0);
    assert_leaves("pii", none, "a@b.c", "email@example.com", 1);
    assert_leaves("pii", none, "a@b.c d@e.f",
                  "email@example.com firstname.lastname@example.org", 1);
    assert_leaves("pii", none, "v 8.8.8.8", "v 22.214.171.124", 1);
    /* Not addresses. */
    assert_leaves("pii", none, "a@b", "a@b", 0);
    assert_leaves("pii", none, "a.@b.c", "a.@b.c", 0);
    assert_leaves("pii", none, "\xe4\xb8\xad@b.c", "\xe4\xb8\xad@b.c", 0);
    assert_leaves("pii", none, "(+@b.c", "(+@b.c", 0);
    assert_leaves("pii", none, "192.168.0.1 08.8.8.8 10.1.2.3",
                  "192.168.0.1 08.8.8.8 10.1.2.3", 0);
    /* Borders: what matches ends where the expressions end. */
    assert_leaves("pii", short_ones, "x..a.b@c.d.e-f-.g", "x..E-.g", 1);
    assert_leaves("pii", short_ones, "+a@b.c--", "+E--", 1);
    assert_leaves("pii", short_ones, "a@[1.2.3.t-ag:]b@[1.2.3.4]", "EE", 1);
    assert_leaves("pii", short_ones, "256.1.1.1 1.1.1.2567", "2I J67", 1);
    assert_leaves("pii",
                  SET("pii.remove_emails=false", "pii.ip_replacement=[]",
                      "pii.only_remove_public_ips=false"),
                  "a@b.c 10.1.2.3", "a@b.c ", 1);
    assert_leaves("pii", SET("pii.email_replacement=null"), "a@b.c", "", 1);
}

static void fix_text_is_ftfys(void **state)
{
    const char *const none[] = {NULL};
    const char *const *all =
        SET("fix_text.fix_latin_ligatures=true",
            "fix_text.fix_character_width=true", "fix_text.uncurl_quotes=true",
            "fix_text.fix_line_breaks=true", "fix_text.normalization=NFC");

    (void)state;
    assert_leaves("fix_text", none, "", "", 0);
    assert_leaves("fix_text", none, "caf\u00e9 \u4e2d\n", "caf\u00e9 \u4e2d\n",
                  0);
    /* Mojibake, once and twice over; with a lost no-break space. */
    assert_leaves("fix_text", none, "sch\u00c3\u00b6n", "sch\u00f6n", 1);
    assert_leaves("fix_text", none, "l\u00c3\u0192\u00c2\u00a9g", "l\u00e9g",
                  1);
    assert_leaves("fix_text", none, "voil\u00c3 le travail",
                  "voil\u00e0 le travail", 1);
    assert_leaves("fix_text", none, "a \u00e2\u20ac\u0153b\u00e2\u20ac\ufffd",
                  "a \u201cb\ufffd", 1);
    /* Entities, up to the first tag. */
    assert_leaves("fix_text", none, "&lt;&#x41;&EACUTE;&none;&amp;amp;\n<&lt;",
                  "<A\u00c9&none;&\n<&lt;", 1);
    assert_leaves("fix_text", SET("fix_text.unescape_html=false"), "&lt;",
                  "&lt;", 0);
    assert_leaves("fix_text", SET("fix_text.unescape_html=true"), "<&lt;", "<<",
                  1);
    /* Controls and escapes. */
    assert_leaves("fix_text", none, "a\x1b[36;44mb\x07\x1b[z\ufeff", "ab", 1);
    assert_leaves("fix_text", SET("fix_text.remove_control_chars=false"),
                  "a\x07", "a\x07", 0);
    assert_leaves("fix_text", all,
                  "\u2018a\u201d \ufb01 \u01c4 \uff21\u3000e\u0301\r\n",
                  "'a\" fi D\u017d A \u00e9\n", 1);
}

static void code_looks_at_lines(void **state)
{
    (void)state;
    assert_reason("code", SET("code.line_max=3"), "abcd\n", "code");
    assert_reason("code", SET("code.line_max=4"), "abcd\n", "keep");
    assert_reason("code", SET("code.line_mean=2"), "abc\n\nab", "keep");
    assert_reason("code", SET("code.line_mean=1.6"), "abc\n\nab", "code");
    assert_reason("code", SET("code.xml=true"), "a.......", "code");
    assert_reason("code", SET("code.alpha_frac=0"), "........", "keep");
    assert_reason("code", SET("code.xml=true"), "a <?xml version=1", "code");
    assert_reason("code", SET("code.xml=false"), "a <?xml version=1", "keep");
    assert_reason("code", SET("code.xml=true"), "", "empty");
}

static void symbol_lines_go(void **state)
{
    const char *const *none = SET(NULL);
    const char *const *bar = SET("symbol_lines.symbols_to_remove=[\"|\"]",
                                 "symbol_lines.replace_char=\"\\n\"");

    (void)state;
    assert_leaves("symbol_lines", none, "", "", 0);
    assert_leaves("symbol_lines", none, "a\n- -\n***\nb", "a\nb", 1);
    assert_leaves("symbol_lines", none, "a\n \n\nb'", "a\n \n\nb'", 0);
    assert_leaves("symbol_lines", none, "a\r\nb\n", "a\nb", 1);
    assert_leaves("symbol_lines", none, "--\t-", "--\t-", 0);
    assert_leaves("symbol_lines", none, "---", "", 1);
    assert_leaves("symbol_lines", bar, "a\n| |\n|\n--\n|", "a\n\n\n--\n\n", 1);
    assert_leaves("symbol_lines", SET("symbol_lines.replace_char=null"),
                  "---\na", "a", 1);
}

static void normal_forms_rewrite(void **state)
{
    const char *const *none = SET(NULL);

    (void)state;
    assert_leaves("nfc", none, "", "", 0);
    assert_leaves("nfc", none, "caf\xc3\xa9 \xef\xac\x81",
                  "caf\xc3\xa9 \xef\xac\x81", 0);
    assert_leaves("nfc", none, "cafe\xcc\x81", "caf\xc3\xa9", 1);
    assert_leaves("nfkc", none, "\xef\xac\x81x\xc2\xb2", "fix2", 1);
    assert_leaves("nfkc", none, "plain", "plain", 0);
}

static void c4_quality_drops_lines(void **state)
{
    const char *const *none = SET(NULL);

    (void)state;
    assert_left(none, FIVE, FIVE, 0);
    assert_left(none, " " FIVE "\r\n", FIVE, 1);
    assert_left(none, "no end mark here\n" FIVE, FIVE, 1);
    assert_left(none, "it trails off...\n" FIVE, FIVE, 1);
    assert_left(none, "Too few.\n" FIVE, FIVE, 1);
    assert_left(none, "Turn your JavaScript on.\n" FIVE, FIVE, 1);
    assert_left(none, FIVE "\nRead our Privacy Policy now.", FIVE, 1);
    assert_left(none, FIVE "\nThis site uses coo\xe2\x84\xaaies.", FIVE, 1);
    assert_left(none, "Cited [12] twice [edit].\n" FIVE,
                "Cited  twice .\n" FIVE, 1);
    assert_left(SET("c4_quality.remove_citations=false"),
                "Cited [12] twice [edit].\n" FIVE,
                "Cited [12] twice [edit].\n" FIVE, 0);
    assert_left(SET("c4_quality.max_word_length=6"),
                "The longest word here.\n" FIVE, FIVE, 1);
    assert_left(SET("c4_quality.filter_no_terminal_punct=false"),
                "no end mark here\n" FIVE, "no end mark here\n" FIVE, 0);
    assert_left(SET("c4_quality.min_num_sentences=-1"), "One line is left.",
                "One line is left.", 0);
    assert_left(SET("c4_quality.split_paragraph=false"),
                FIVE " And no end mark", FIVE, 1);
    assert_left(
        SET("c4_quality.split_paragraph=false", "c4_quality.sentences=regex"),
        FIVE "\nToo few.", FIVE, 1);
}

static void c4_quality_drops_documents(void **state)
{
    const char *const *none = SET(NULL);

    (void)state;
    assert_reason("c4_quality", none, "", "too_few_sentences");
    assert_reason("c4_quality", none, "One line is left.", "too_few_sentences");
    assert_reason("c4_quality", none, "Lorem IPSUM dolor sit amet.\n" FIVE,
                  "lorem_ipsum");
    assert_reason("c4_quality", none, "It is a { bracket.\n" FIVE,
                  "curly_bracket");
    /* Not in lines that are dropped before. */
    assert_reason("c4_quality", none, "lorem ipsum {\n" FIVE, "keep");
    assert_reason("c4_quality", SET("c4_quality.filter_curly_bracket=false"),
                  "It is a { bracket.\n" FIVE, "keep");
}

static void c4_paragraph_wants_three(void **state)
{
    const char *const *ten = SET("c4_paragraph.min_paragraph_len=10");

    (void)state;
    assert_reason("c4_paragraph", ten, "0123456789\n0123456789\n012345678",
                  "< 3 paragraphs");
    assert_reason("c4_paragraph", ten, "0123456789\n0123456789\n\n0123456789",
                  "keep");
    assert_reason("c4_paragraph", SET(NULL), FIVE, "< 3 paragraphs");
}

static void rewritten_texts_reach_the_next_rule(void **state)
{
    (void)state;
    assert_reason("c4_quality,length", SET("length.min=70"),
                  "no end mark here, but many words\n" FIVE, "too_short");
    assert_reason(
        "c4_quality,c4_quality,length",
        SET("c4_quality.filter_no_terminal_punct=false", "length.min=70"),
        "no end mark here, but many words\n" FIVE, "too_short");
}

static void assert_refused(const char *rules, const char *setting,
                           const char *message)
{
    struct chain chain = {0};
    struct oy_error err = {0};

    assert_int_equal(chain_set_rules(&chain, rules, &err), 0);
    assert_int_equal(chain_set_param(&chain, setting, &err), -1);
    assert_int_equal(err.code, OY_USAGE);
    assert_string_equal(err.message, message);
    chain_release(&chain);
}

static void settings_are_checked(void **state)
{
    (void)state;
    assert_refused("length", "length.mean=3",
                   "rule 'length' has no parameter 'mean'");
    assert_refused("length", "length.min=many", "'length.min' must be a count");
    assert_refused("length", "length.min=-1", "'length.min' must be a count");
    assert_refused("length", "length.min=1.5", "'length.min' must be a count");
    assert_refused("length", "length#2.min=1",
                   "--set length#2.min=1: no such rule in the list");
    assert_refused("length", "min=1",
                   "--set wants RULE.PARAM=VALUE, not 'min=1'");
    assert_refused("gopher_repetition", "gopher_repetition.top_n_grams=[[2]]",
                   "'gopher_repetition.top_n_grams' must be a list of "
                   "[n, limit]");
    assert_refused("gopher_quality", "gopher_quality.stop_words=the",
                   "'gopher_quality.stop_words' must be a list of strings");
}

static void unknown_rules_are_usage_errors(void **state)
{
    struct chain chain = {0};
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(chain_set_rules(&chain, "length,beauty", &err), -1);
    assert_int_equal(err.code, OY_USAGE);
    chain_release(&chain);
    assert_null(rule_find("beauty"));
    assert_non_null(rule_row(0));
}

/* Writes a preset and adds it; the code of the failure, 0 if there is none. */
static int add_preset(struct chain *chain, const char *json)
{
    char path[] = "/tmp/preset-XXXXXX";
    struct oy_error err = {0};
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, json, strlen(json)), strlen(json));
    close(fd);
    chain_add_preset(chain, NULL, path, &err);
    unlink(path);
    return err.code;
}

static void presets_make_a_list(void **state)
{
    struct chain chain = {0};
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(add_preset(&chain, "{\"words\":\"uax29\",\"rules\":["
                                        "{\"rule\":\"length\",\"min\":3},"
                                        "\"gopher_quality\"]}"),
                     0);
    assert_int_equal(
        add_preset(&chain, "{\"rules\":[{\"rule\":\"length\",\"max\":9}]}"), 0);
    assert_int_equal(chain.n_step, 3);
    assert_int_equal(chain.words, WORDS_UAX29);
    assert_string_equal(chain.step[2].label, "length#2");
    assert_true(chain_needs_words(&chain));
    assert_int_equal(chain_set_rules(&chain, "length", &err), 0);
    assert_int_equal(chain.n_step, 1);
    assert_false(chain_needs_words(&chain));
    assert_string_equal(judge(&chain, "ab"), "too_short");
    assert_int_equal(chain_set_rules(&chain, "none", &err), 0);
    assert_int_equal(chain.n_step, 0);
    chain_release(&chain);
}

static void damaged_presets_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"rules\":{}}",
        "{\"rules\":[\"beauty\"]}",
        "{\"rules\":[{\"rule\":\"length\",\"mean\":1}]}",
        "{\"words\":\"letters\",\"rules\":[]}",
        "{\"rules\":[]} x"};
    struct oy_error err = {0};
    struct chain chain = {0};

    (void)state;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(add_preset(&chain, bad[i]), OY_DATA);
        chain_release(&chain);
    }
    assert_int_equal(chain_add_preset(&chain, NULL, "./no-such-preset", &err),
                     -1);
    assert_int_equal(err.code, OY_NOINPUT);
    chain_release(&chain);
}

static void measures_of_one_name_are_told_apart(void **state)
{
    struct measures out = {.rule = "one"};

    (void)state;
    measure_count(&out, "lines", 3);
    out.rule = "two";
    measure_number(&out, "lines", 0.5);
    measure_json(&out, "list", "[]", 2);
    assert_string_equal(oy_buffer_string(&out.json),
                        "\"lines\":3,\"two.lines\":0.5,\"list\":[]");
    measure_count(NULL, "lines", 3);
    oy_buffer_release(&out.json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_counts_code_points),
        cmocka_unit_test(gopher_quality_gives_its_reasons),
        cmocka_unit_test(gopher_repetition_gives_its_reasons),
        cmocka_unit_test(fineweb_quality_gives_its_reasons),
        cmocka_unit_test(symbol_lines_go),
        cmocka_unit_test(code_looks_at_lines),
        cmocka_unit_test(fix_text_is_ftfys),
        cmocka_unit_test(pii_gets_stand_ins),
        cmocka_unit_test(normal_forms_rewrite),
        cmocka_unit_test(c4_quality_drops_lines),
        cmocka_unit_test(c4_quality_drops_documents),
        cmocka_unit_test(c4_paragraph_wants_three),
        cmocka_unit_test(rewritten_texts_reach_the_next_rule),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(unknown_rules_are_usage_errors),
        cmocka_unit_test(presets_make_a_list),
        cmocka_unit_test(damaged_presets_are_refused),
        cmocka_unit_test(measures_of_one_name_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * DCLM's filters on the golden documents, and what dolma's taggers and
 * RedPajama-V2's signals measure there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/chain.h"
#include "tests/unit/golden_table.h"
#include "tests/unit/rule_params.h"

static struct oy_arena arena;

/* ---- verdicts ---- */

static const struct filter {
    const char *name, *rule;
    const char *setting[5];
} filter[] = {
    {"page_length",
     "dclm_page_length_filter",
     {"min_length=50", "max_length=100000", "ignore_punctuation=true",
      "model=uniseg"}},
    {"page_length_fasttext_model",
     "dclm_page_length_filter",
     {"min_length=50", "max_length=100000", "ignore_punctuation=true"}},
    {"word_length",
     "dclm_word_length_filter",
     {"min_length=3", "max_length=10"}},
    {"symbol_ratio", "dclm_symbol_ratio_filter", {0}},
    {"bullet_count", "dclm_bullet_count_filter", {0}},
    {"ellipsis_count", "dclm_ellipsis_count_filter", {0}},
    {"alphabetic_word_ratio", "dclm_alphabetic_word_ratio_filter", {0}},
    {"stop_word", "dclm_stop_word_filter", {0}},
    {"stop_word_unique", "dclm_stop_word_filter", {"count_unique=true"}},
    {"massive_web_repetition", "dclm_massive_web_repetition_filters", {0}},
    {"alnum_char_ratio", "dclm_alphanumeric_char_ratio_filter", {0}},
    {"line_len_avg_100",
     "dclm_line_length_filter",
     {"length_type=avg", "max_length=100"}},
    {"rep_para_char",
     "dclm_repetition_filter",
     {"granularity=paragraph", "max_fraction=0.2"}},
    {"rep_3gram",
     "dclm_repetition_filter",
     {"granularity=3", "max_fraction=0.18"}},
    {"rep_8gram",
     "dclm_repetition_filter",
     {"granularity=8", "max_fraction=0.12"}},
};

static void make_chain(struct chain *chain, const struct filter *f)
{
    struct oy_error err = {0};

    *chain = (struct chain){0};
    assert_int_equal(chain_set_rules(chain, f->rule, &err), 0);
    for (int i = 0; f->setting[i]; i++) {
        char *setting = oy_asprintf("%s.%s", f->rule, f->setting[i]);
        assert_int_equal(chain_set_param(chain, setting, &err), 0);
        oy_free(setting);
    }
}

/* Whether the list of the row names the filter. */
static int is_dropped(const struct oy_json_value *row, const char *name)
{
    const struct oy_json_value list = oy_json_member(row, "dropped_by");
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    int found = 0;

    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &element) == 1)
        found |= oy_json_equals(&element, name);
    return found;
}

static void check_filter(const struct filter *f,
                         const struct golden_table *documents,
                         const struct golden_table *cases)
{
    struct document document = {0};
    struct chain chain;

    make_chain(&chain, f);
    for (size_t i = 0; i < cases->n_row; i++) {
        document_start(&document,
                       golden_document(&arena, documents, &cases->row[i]));
        const char *reason =
            chain.step[0].rule->judge(chain.step[0].params, &document, NULL);
        if ((reason != NULL) != is_dropped(&cases->row[i], f->name))
            fail_msg("%s: case %zu", f->name, i);
        if (reason)
            assert_string_equal(reason, f->rule);
    }
    document_release(&document);
    chain_release(&chain);
}

static void filters_drop_what_dclm_drops(void **state)
{
    struct golden_table documents, cases;

    (void)state;
    if (golden_table_read(&documents, "docs")) {
        skip();
    }
    assert_int_equal(golden_table_read(&cases, "dclm_filters"), 0);
    for (size_t i = 0; i < sizeof filter / sizeof *filter; i++)
        check_filter(&filter[i], &documents, &cases);
    golden_table_release(&documents);
    golden_table_release(&cases);
    oy_arena_release(&arena);
}

/* ---- measures ---- */

/* Numbers to the decimals of the files; lists that were kept as a hash are
 * passed over. */
static void compare(const char *where, const struct oy_json_value *want,
                    const struct oy_json_value *got)
{
    struct oy_json_cursor a, b;
    struct oy_json_value key, x, y;
    double m, n;

    if (want->kind == OY_JSON_OBJECT && got->kind == OY_JSON_OBJECT) {
        oy_json_enter(&a, want);
        while (oy_json_next_member(&a, &key, &x) == 1) {
            char name[80];
            snprintf(name, sizeof name, "%.*s", (int)key.len - 2, key.at + 1);
            y = oy_json_member(got, name);
            compare(name, &x, &y);
        }
    } else if (want->kind == OY_JSON_ARRAY && got->kind == OY_JSON_ARRAY) {
        oy_json_enter(&a, want);
        oy_json_enter(&b, got);
        while (oy_json_next_element(&a, &x) == 1) {
            assert_int_equal(oy_json_next_element(&b, &y), 1);
            compare(where, &x, &y);
        }
        assert_int_equal(oy_json_next_element(&b, &y), 0);
    } else if (!oy_json_double(want, &m)) {
        if (oy_json_double(got, &n) || fabs(m - n) > 1e-11 * fmax(1, fabs(m)))
            fail_msg("%s is %.*s, want %.12g", where, (int)got->len, got->at,
                     m);
    } else if (want->kind != OY_JSON_OBJECT && want->kind != got->kind) {
        fail_msg("%s is of another kind", where);
    }
}

static void check_measures(const struct rule *rule,
                           const struct golden_table *documents,
                           const struct oy_json_value *row, const char *member)
{
    const struct oy_json_value want =
        member ? oy_json_member(row, member) : *row;
    struct measures measures = {.rule = rule->name};
    struct document document = {0};
    struct oy_buffer json = {0};
    struct oy_json_value got;
    const char *why;

    document_start(&document, golden_document(&arena, documents, row));
    void *params = load_params(rule);
    assert_null(rule->judge(params, &document, &measures));
    free_params(rule, params);
    oy_buffer_append_char(&json, '{');
    oy_buffer_append(&json, measures.json.data, measures.json.len);
    oy_buffer_append_char(&json, '}');
    assert_int_equal(oy_json_value_of(json.data, json.len, &got, &why), 0);
    if (member && !strcmp(member, "spans"))
        got = oy_json_member(&got, member);
    compare(rule->name, &want, &got);
    oy_buffer_release(&json);
    oy_buffer_release(&measures.json);
    document_release(&document);
}

/* A file whose rows name dolma's tagger, or that of one rule. */
static void check_file(const char *file, const char *one, const char *member)
{
    struct golden_table documents, cases;

    if (golden_table_read(&documents, "docs")) {
        skip();
    }
    assert_int_equal(golden_table_read(&cases, file), 0);
    for (size_t i = 0; i < cases.n_row; i++) {
        char name[80];
        if (!one) {
            const struct oy_text tagger =
                golden_text(&arena, &cases.row[i], "tagger");
            snprintf(name, sizeof name, "dolma_%.*s", (int)tagger.len,
                     tagger.at);
        }
        const struct rule *rule = rule_find(one ? one : name);
        assert_non_null(rule);
        check_measures(rule, &documents, &cases.row[i], member);
    }
    golden_table_release(&documents);
    golden_table_release(&cases);
    oy_arena_release(&arena);
}

static void taggers_measure_what_dolma_measures(void **state)
{
    (void)state;
    check_file("dolma_gopher", NULL, "attributes");
    check_file("dolma_c4", NULL, "attributes");
    check_file("dolma_pii", NULL, "spans");
}

static void signals_are_those_of_redpajama(void **state)
{
    (void)state;
    check_file("redpajama_signals", "redpajama", "doc_signals");
    check_file("redpajama_signals", "redpajama", "line_signals");
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(filters_drop_what_dclm_drops),
        cmocka_unit_test(taggers_measure_what_dolma_measures),
        cmocka_unit_test(signals_are_those_of_redpajama),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

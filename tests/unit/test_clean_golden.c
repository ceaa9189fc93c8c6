/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts, reasons and measures of the rules against those of the peers, on
 * the golden documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "pipeline/chain.h"
#include "tests/unit/golden_table.h"

static struct oy_arena arena;
static struct golden_table documents;

static const char *member_string(const struct oy_json_value *object,
                                 const char *name)
{
    const struct oy_text text = golden_text(&arena, object, name);

    return oy_arena_copy(&arena, text.at, text.len);
}

/* Every number that the peer measured is ours too. */
static void compare_measures(const char *id, const struct oy_json_value *want,
                             const struct oy_json_value *got)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    if (want->kind != OY_JSON_OBJECT)
        return;
    oy_json_enter(&cursor, want);
    while (oy_json_next_member(&cursor, &key, &value) == 1) {
        char name[64];
        double a, b;
        snprintf(name, sizeof name, "%.*s", (int)key.len - 2, key.at + 1);
        const struct oy_json_value mine = oy_json_member(got, name);
        if (value.kind == OY_JSON_OBJECT)
            compare_measures(id, &value, &mine);
        else if (!oy_json_double(&value, &a) &&
                 (oy_json_double(&mine, &b) || fabs(a - b) > 1e-11))
            fail_msg("%s: %s is %.*s, want %g", id, name, (int)mine.len,
                     mine.at, a);
    }
}

/* The case's verdict on its document, and its measures. */
static void check_case(const struct rule *rule, const void *params,
                       struct document *document,
                       const struct oy_json_value *row, const char *expected)
{
    struct measures measures = {.rule = rule->name};
    const char *id = member_string(row, "id");
    const char *want = member_string(row, expected);
    struct oy_json_value got;
    const char *why;

    if (!strncmp(want, "error:", 6))
        want = "empty";
    document_start(document, golden_document(&arena, &documents, row));
    const char *quick = rule->judge(params, document, NULL);
    const char *reason = rule->judge(params, document, &measures);
    assert_string_equal(quick ? quick : "keep", want);
    assert_string_equal(reason ? reason : "keep", want);
    char *json = oy_asprintf("{%s}%*s", oy_buffer_string(&measures.json),
                             OY_PADDING, "");
    assert_int_equal(oy_json_value_of(json, strlen(json), &got, &why), 0);
    const struct oy_json_value wanted = oy_json_member(row, "measured");
    compare_measures(id, &wanted, &got);
    oy_free(json);
    oy_buffer_release(&measures.json);
}

/* The goldens' names of splitters. */
static enum words_splitter splitter_of(const char *name)
{
    if (!strcmp(name, "spacy-en"))
        return WORDS_SPACY;
    return strcmp(name, "uax29") ? WORDS_WS : WORDS_UAX29;
}

static int check_rule(const char *golden, const char *name,
                      const char *splitter, const char *expected,
                      const char *param)
{
    static const struct oy_json_value yes = {OY_JSON_TRUE, "true", 4};
    const struct rule *rule = rule_find(name);
    void *params = oy_alloc(rule->params_size);
    struct document document = {.splitter = splitter_of(splitter)};
    struct oy_error err = {0};
    struct golden_table cases;
    int n = 0;

    assert_int_equal(golden_table_read(&cases, golden), 0);
    memcpy(params, rule->defaults, rule->params_size);
    if (param)
        assert_int_equal(
            rule_set(rule, params, param, &yes, &arena, OY_USAGE, &err), 0);
    for (size_t i = 0; i < cases.n_row; i++) {
        const struct oy_json_value words =
            oy_json_member(&cases.row[i], "tokenizer");
        if (!oy_json_equals(&words, splitter))
            continue;
        check_case(rule, params, &document, &cases.row[i], expected);
        oy_arena_clear(&arena);
        n++;
    }
    golden_table_release(&cases);
    document_release(&document);
    oy_free(params);
    return n;
}

static void need_goldens(void)
{
    if (!documents.data)
        skip();
}

static void gopher_quality_is_datatroves(void **state)
{
    (void)state;
    need_goldens();
    assert_int_equal(check_rule("datatrove_gopher_quality", "gopher_quality",
                                "whitespace", "expected", NULL),
                     463);
    assert_int_equal(check_rule("datatrove_gopher_quality", "gopher_quality",
                                "uax29", "expected", NULL),
                     463);
    assert_int_equal(check_rule("datatrove_gopher_quality", "gopher_quality",
                                "spacy-en", "expected", NULL),
                     463);
}

static void gopher_repetition_is_datatroves(void **state)
{
    (void)state;
    need_goldens();
    assert_int_equal(check_rule("datatrove_gopher_repetition",
                                "gopher_repetition", "whitespace", "expected",
                                NULL),
                     463);
    assert_int_equal(check_rule("datatrove_gopher_repetition",
                                "gopher_repetition", "uax29", "expected", NULL),
                     463);
    assert_int_equal(check_rule("datatrove_gopher_repetition",
                                "gopher_repetition", "spacy-en", "expected",
                                NULL),
                     463);
}

static void fineweb_quality_is_datatroves(void **state)
{
    static const char *const splitter[] = {"whitespace", "uax29", "spacy-en"};

    (void)state;
    need_goldens();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(check_rule("datatrove_fineweb_quality",
                                    "fineweb_quality", splitter[i], "expected",
                                    NULL),
                         463);
        assert_int_equal(check_rule("datatrove_fineweb_quality",
                                    "fineweb_quality", splitter[i],
                                    "expected_exclude_zero",
                                    "line_punct_exclude_zero"),
                         463);
    }
}

/* Sets what the case's object says. */
static void set_params(const struct rule *rule, void *params,
                       const struct oy_json_value *row)
{
    static const struct oy_json_value regex = {OY_JSON_STRING, "\"regex\"", 7};
    const struct oy_json_value object = oy_json_member(row, "params");
    const struct oy_json_value sentences = oy_json_member(row, "sentences");
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    struct oy_error err = {0};

    memcpy(params, rule->defaults, rule->params_size);
    oy_json_enter(&cursor, &object);
    while (oy_json_next_member(&cursor, &key, &value) == 1) {
        const char *name = oy_arena_copy(&arena, key.at + 1, key.len - 2);
        assert_int_equal(
            rule_set(rule, params, name, &value, &arena, OY_USAGE, &err), 0);
    }
    if (oy_json_equals(&sentences, "datatrove-regex"))
        assert_int_equal(
            rule_set(rule, params, "sentences", &regex, &arena, OY_USAGE, &err),
            0);
}

/* The case's verdict and the text that is left. */
static void check_rewrite(const struct rule *rule, const void *params,
                          struct document *document, struct oy_text text,
                          const struct oy_json_value *row)
{
    const struct oy_json_value after = oy_json_member(row, "sha1_after");
    const char *want = member_string(row, "expected");
    unsigned char digest[20];
    char hex[41];

    document_start(document, text);
    const char *reason = rule->judge(params, document, NULL);
    assert_string_equal(reason ? reason : "keep", want);
    oy_sha1(document->text.at, document->text.len, digest);
    for (int i = 0; i < 20; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    if (!reason)
        assert_true(oy_json_equals(&after, hex));
    assert_int_equal(document->is_rewritten, document->text.at != text.at);
    if (reason)
        assert_false(document->is_rewritten);
}

static void c4_quality_is_datatroves(void **state)
{
    const struct rule *rule = rule_find("c4_quality");
    struct document document = {.splitter = WORDS_WS};
    struct golden_table cases;

    (void)state;
    need_goldens();
    void *params = oy_alloc(rule->params_size);
    assert_int_equal(golden_table_read(&cases, "datatrove_c4_quality"), 0);
    for (size_t i = 0; i < cases.n_row; i++) {
        const struct oy_json_value *row = &cases.row[i];
        set_params(rule, params, row);
        check_rewrite(rule, params, &document,
                      golden_document(&arena, &documents, row), row);
        oy_arena_clear(&arena);
    }
    assert_int_equal(cases.n_row, 8 * 463);
    golden_table_release(&cases);
    document_release(&document);
    oy_free(params);
}

static void c4_paragraph_is_datatroves(void **state)
{
    const struct rule *rule = rule_find("c4_paragraph");
    struct document document = {.splitter = WORDS_WS};
    struct golden_table cases;

    (void)state;
    need_goldens();
    assert_int_equal(golden_table_read(&cases, "datatrove_c4_paragraph"), 0);
    for (size_t i = 0; i < cases.n_row; i++) {
        check_case(rule, rule->defaults, &document, &cases.row[i], "expected");
        oy_arena_clear(&arena);
    }
    assert_int_equal(cases.n_row, 463);
    golden_table_release(&cases);
    document_release(&document);
}

/* A rule that rewrites, on every document, against a member of a table that is
 * no string where the text stays. */
static void assert_rewrites(const char *name, const char *setting,
                            const char *golden, const char *member)
{
    struct document document = {.splitter = WORDS_WS};
    struct chain chain = {0};
    struct oy_error err = {0};
    struct golden_table cases;

    need_goldens();
    assert_int_equal(chain_set_rules(&chain, name, &err), 0);
    if (setting)
        assert_int_equal(chain_set_param(&chain, setting, &err), 0);
    const struct chain_step *step = &chain.step[0];
    assert_int_equal(golden_table_read(&cases, golden), 0);
    for (size_t i = 0; i < cases.n_row; i++) {
        const struct oy_json_value *row = &cases.row[i];
        const struct oy_json_value after = oy_json_member(row, member);
        const struct oy_text text = golden_document(&arena, &documents, row);
        const int changes = after.kind == OY_JSON_STRING;
        const struct oy_text want =
            changes ? golden_text(&arena, row, member) : text;
        document_start(&document, text);
        assert_null(step->rule->judge(step->params, &document, NULL));
        assert_int_equal(document.is_rewritten, changes);
        assert_int_equal(document.text.len, want.len);
        assert_memory_equal(document.text.at, want.at, want.len);
        oy_arena_clear(&arena);
    }
    assert_int_equal(cases.n_row, 463);
    golden_table_release(&cases);
    chain_release(&chain);
    document_release(&document);
}

static void symbol_lines_is_datatroves(void **state)
{
    (void)state;
    assert_rewrites("symbol_lines", NULL, "datatrove_symbol_lines",
                    "text_after");
}

static void pii_is_datatroves(void **state)
{
    (void)state;
    assert_rewrites("pii", NULL, "datatrove_pii", "text_after");
    assert_rewrites("pii", "pii.only_remove_public_ips=false",
                    "datatrove_pii_all_ips", "text_after");
}

static void fix_text_is_ftfys(void **state)
{
    (void)state;
    assert_rewrites("fix_text", NULL, "ftfy", "datatrove_config");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gopher_quality_is_datatroves),
        cmocka_unit_test(gopher_repetition_is_datatroves),
        cmocka_unit_test(fineweb_quality_is_datatroves),
        cmocka_unit_test(c4_quality_is_datatroves),
        cmocka_unit_test(c4_paragraph_is_datatroves),
        cmocka_unit_test(symbol_lines_is_datatroves),
        cmocka_unit_test(pii_is_datatroves),
        cmocka_unit_test(fix_text_is_ftfys),
    };

    golden_table_read(&documents, "docs");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    golden_table_release(&documents);
    oy_arena_release(&arena);
    return failed;
}

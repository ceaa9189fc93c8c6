/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of rules, their parameters, their measures. */
#include "pipeline/rule.h"

#include <math.h>
#include <string.h>

#include "core/regex.h"
#include "pipeline/rule_internal.h"

static const struct rule *const table[] = {
    &rule_gopher_quality,
    &rule_gopher_repetition,
    &rule_c4_quality,
    &rule_c4_paragraph,
    &rule_c4_badwords,
    &rule_fineweb_quality,
    &rule_symbol_lines,
    &rule_pii,
    &rule_fix_text,
    &rule_language,
    &rule_code,
    &rule_dclm_page_length_filter,
    &rule_dclm_word_length_filter,
    &rule_dclm_symbol_ratio_filter,
    &rule_dclm_bullet_count_filter,
    &rule_dclm_ellipsis_count_filter,
    &rule_dclm_alphabetic_word_ratio_filter,
    &rule_dclm_alphanumeric_char_ratio_filter,
    &rule_dclm_stop_word_filter,
    &rule_dclm_line_length_filter,
    &rule_dclm_repetition_filter,
    &rule_dclm_massive_web_repetition_filters,
    &rule_dclm_substring_filter,
    &rule_dclm_word_counter_enricher,
    &rule_dclm_word_removal_ratio_filter,
    &rule_dclm_url_removal_modifier,
    &rule_dclm_newline_removal_modifier,
    &rule_dclm_uppercase_ratio_line_modifier,
    &rule_dclm_numeric_ratio_line_modifier,
    &rule_dclm_counter_line_modifier,
    &rule_dclm_line_length_modifier,
    &rule_dclm_word_length_modifier,
    &rule_dclm_punctuation_line_modifier,
    &rule_dclm_substring_line_modifier,
    &rule_dclm_citation_removal_modifier,
    &rule_dclm_within_page_dedup,
    &rule_dolma_gopher_v1,
    &rule_dolma_gopher_v2,
    &rule_dolma_c4_v1,
    &rule_dolma_c4_v2,
    &rule_dolma_pii_regex_v1,
    &rule_dolma_pii_regex_v2,
    &rule_dolma_pii_regex_with_counts_v2,
    &rule_dolma_pii_regex_with_counts_fast_v2,
    &rule_dolma_code_redpajama_taggers_v1,
    &rule_redpajama,
    &rule_nfc,
    &rule_nfkc,
    &rule_length,
    &rule_value,
    &rule_match,
    &rule_url,
};

enum { N_RULE = sizeof table / sizeof *table };

const struct rule *rule_row(size_t i)
{
    return i < N_RULE ? table[i] : NULL;
}

const struct rule *rule_find(const char *name)
{
    for (size_t i = 0; i < N_RULE; i++) {
        if (!strcmp(table[i]->name, name))
            return table[i];
    }
    return NULL;
}

/* ---- setting parameters ---- */

static int read_count(const struct oy_json_value *value, int64_t *count)
{
    if (value->kind == OY_JSON_NULL) {
        *count = 0;
        return 0;
    }
    return oy_json_int64(value, count) || *count < 0 ? -1 : 0;
}

static int read_limit(const struct oy_json_value *value, int64_t *limit)
{
    if (value->kind == OY_JSON_NULL) {
        *limit = -1;
        return 0;
    }
    return oy_json_int64(value, limit);
}

/* Whether a value is the JSON word true, false or null of that name, or the
 * number. */
static int is_word(const struct oy_json_value *value, const char *name)
{
    return (value->kind == OY_JSON_TRUE || value->kind == OY_JSON_FALSE ||
            value->kind == OY_JSON_NULL || value->kind == OY_JSON_NUMBER) &&
           strlen(name) == value->len && !memcmp(value->at, name, value->len);
}

static int read_choice(const struct oy_json_value *value,
                       const char *const *choice, int *chosen)
{
    for (int i = 0; choice[i]; i++) {
        if (oy_json_equals(value, choice[i]) || is_word(value, choice[i])) {
            *chosen = i;
            return 0;
        }
    }
    return -1;
}

static int read_number(const struct oy_json_value *value, double *number)
{
    if (value->kind == OY_JSON_NULL) {
        *number = 0;
        return 0;
    }
    return oy_json_double(value, number);
}

static int read_bound(const struct oy_json_value *value, double *bound)
{
    if (value->kind == OY_JSON_NULL) {
        *bound = NAN;
        return 0;
    }
    return oy_json_double(value, bound);
}

static int read_text(const struct oy_json_value *value, const char **string,
                     struct oy_arena *arena)
{
    struct oy_text text = {0};
    uint64_t n_repaired = 0;
    const char *why;

    *string = "";
    if (value->kind == OY_JSON_NULL)
        return 0;
    if (oy_json_text(value, arena, &text, &n_repaired, &why) ||
        memchr(text.at, '\0', text.len))
        return -1;
    *string = oy_arena_copy(arena, text.at, text.len);
    return 0;
}

/* *why tells what is wrong with the expression. */
static int read_regex(const struct oy_json_value *value, const char **string,
                      struct oy_arena *arena, struct oy_error *why)
{
    struct oy_regex *regex;

    if (read_text(value, string, arena))
        return -1;
    regex = oy_regex_new(*string, strlen(*string), OY_REGEX_PCRE2, why);
    oy_regex_free(regex);
    return regex ? 0 : -1;
}

static int read_texts(const struct oy_json_value *value,
                      struct rule_texts *texts, struct oy_arena *arena)
{
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    uint64_t n_repaired = 0;
    const char *why, **item;
    size_t n = 0;
    int more;

    *texts = (struct rule_texts){0};
    if (value->kind == OY_JSON_NULL)
        return 0;
    if (value->kind != OY_JSON_ARRAY)
        return -1;
    /* An element takes two bytes at the least. */
    item = oy_arena_array(arena, value->len / 2, sizeof *item);
    oy_json_enter(&cursor, value);
    while ((more = oy_json_next_element(&cursor, &element)) == 1) {
        struct oy_text text;
        if (oy_json_text(&element, arena, &text, &n_repaired, &why))
            return -1;
        item[n++] = oy_arena_copy(arena, text.at, text.len);
    }
    *texts = (struct rule_texts){item, n};
    return more;
}

static int read_phrases(const struct oy_json_value *value,
                        struct rule_texts *texts, struct oy_arena *arena)
{
    const char **item;

    if (value->kind != OY_JSON_STRING)
        return read_texts(value, texts, arena);
    item = oy_arena_array(arena, 1, sizeof *item);
    *texts = (struct rule_texts){item, 1};
    return read_text(value, item, arena);
}

static int read_pair(const struct oy_json_value *value, int *size,
                     double *limit)
{
    struct oy_json_cursor cursor;
    struct oy_json_value n, number;
    int64_t count;

    oy_json_enter(&cursor, value);
    if (oy_json_next_element(&cursor, &n) != 1 ||
        oy_json_next_element(&cursor, &number) != 1 ||
        oy_json_next_element(&cursor, &n) == 1)
        return -1;
    oy_json_enter(&cursor, value);
    oy_json_next_element(&cursor, &n);
    if (read_count(&n, &count) || count < 1 || count > 1000)
        return -1;
    *size = (int)count;
    return read_number(&number, limit);
}

static int read_pairs(const struct oy_json_value *value,
                      struct rule_pairs *pairs)
{
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    int more;

    pairs->n = 0;
    if (value->kind == OY_JSON_NULL)
        return 0;
    if (value->kind != OY_JSON_ARRAY)
        return -1;
    oy_json_enter(&cursor, value);
    while ((more = oy_json_next_element(&cursor, &element)) == 1) {
        if (pairs->n == RULE_MAX_PAIRS ||
            read_pair(&element, &pairs->size[pairs->n],
                      &pairs->limit[pairs->n]))
            return -1;
        pairs->n++;
    }
    return more;
}

static int read_value(const struct rule_param *param, void *field,
                      const struct oy_json_value *value, struct oy_arena *arena,
                      struct oy_error *why)
{
    switch (param->type) {
    case RULE_NUMBER: return read_number(value, field);
    case RULE_COUNT: return read_count(value, field);
    case RULE_BOUND: return read_bound(value, field);
    case RULE_LIMIT: return read_limit(value, field);
    case RULE_CHOICE: return read_choice(value, param->choice, field);
    case RULE_BOOL: return oy_json_bool(value, field);
    case RULE_TEXT: return read_text(value, field, arena);
    case RULE_TEXTS: return read_texts(value, field, arena);
    case RULE_PHRASES: return read_phrases(value, field, arena);
    case RULE_PAIRS: return read_pairs(value, field);
    case RULE_REGEX: return read_regex(value, field, arena, why);
    }
    return -1;
}

static int fail_choice(const struct rule *rule, const struct rule_param *param,
                       int code, struct oy_error *err)
{
    struct oy_buffer names = {0};

    for (size_t i = 0; param->choice[i]; i++) {
        oy_buffer_append_string(&names, i ? " or " : "");
        oy_buffer_append_string(&names, param->choice[i]);
    }
    oy_fail(err, code, "'%s.%s' must be %s", rule->name, param->name,
            oy_buffer_string(&names));
    oy_buffer_release(&names);
    return -1;
}

int rule_set(const struct rule *rule, void *params, const char *name,
             const struct oy_json_value *value, struct oy_arena *arena,
             int code, struct oy_error *err)
{
    static const char *const wanted[] = {
        [RULE_NUMBER] = "a number",
        [RULE_BOUND] = "a number",
        [RULE_COUNT] = "a count",
        [RULE_LIMIT] = "a whole number",
        [RULE_BOOL] = "true or false",
        [RULE_TEXT] = "a string",
        [RULE_TEXTS] = "a list of strings",
        [RULE_PHRASES] = "a string or a list of strings",
        [RULE_PAIRS] = "a list of [n, limit]",
        [RULE_REGEX] = "a regular expression",
    };
    const struct rule_param *param = rule->param;
    struct oy_error why = {0};

    while (param->name && strcmp(param->name, name) != 0)
        param++;
    if (!param->name)
        return oy_fail(err, code, "rule '%s' has no parameter '%s'", rule->name,
                       name);
    if (!read_value(param, (char *)params + param->offset, value, arena, &why))
        return 0;
    if (why.code)
        return oy_fail(err, code, "'%s.%s': %s", rule->name, name, why.message);
    if (param->type == RULE_CHOICE)
        return fail_choice(rule, param, code, err);
    return oy_fail(err, code, "'%s.%s' must be %s", rule->name, name,
                   wanted[param->type]);
}

/* ---- measures ---- */

static int is_taken(const struct measures *out, const char *name)
{
    for (int i = 0; i < out->n_name; i++) {
        if (!strcmp(out->name[i], name))
            return 1;
    }
    return 0;
}

static void put_name(struct measures *out, const char *name)
{
    const int taken = is_taken(out, name);

    if (out->json.len)
        oy_buffer_append_char(&out->json, ',');
    oy_buffer_append_char(&out->json, '"');
    if (taken) {
        oy_buffer_append_string(&out->json, out->rule);
        oy_buffer_append_char(&out->json, '.');
    } else if (out->n_name < (int)(sizeof out->name / sizeof *out->name)) {
        out->name[out->n_name++] = name;
    }
    oy_buffer_append_string(&out->json, name);
    oy_buffer_append_string(&out->json, "\":");
}

void measure_count(struct measures *out, const char *name, size_t count)
{
    if (!out)
        return;
    put_name(out, name);
    oy_json_put_int(&out->json, (int64_t)count);
}

void measure_number(struct measures *out, const char *name, double number)
{
    if (!out)
        return;
    put_name(out, name);
    oy_json_put_double(&out->json, number);
}

void measure_json(struct measures *out, const char *name, const char *json,
                  size_t len)
{
    if (!out)
        return;
    put_name(out, name);
    oy_buffer_append(&out->json, json, len);
}

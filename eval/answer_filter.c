/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of completions and their comparison with a target. */
#include "eval/answer_filter.h"

#include <ctype.h>
#include <string.h>

#include "core/regex.h"
#include "core/unicode.h"
#include "core/utf8.h"

enum step_kind { STEP_REGEX, STEP_STRIP, STEP_LOWER, STEP_MAP, STEP_FIRST };

struct step {
    enum step_kind kind;
    struct oy_regex *regex;
    int64_t select;          /* which match; from the end below 0 */
    struct oy_text fallback; /* of STEP_REGEX */
    const struct template_value *map;
    struct oy_text other; /* of STEP_MAP; .at NULL: refused */
};

struct answer_filter {
    char *name;
    struct step *step;
    size_t n_step;
    struct oy_regex_matcher *matcher;
};

/* Python's classes are those of Unicode. */
static struct oy_regex *python_regex(const struct template_value *source,
                                     struct oy_error *err)
{
    struct oy_buffer text = {0};
    struct oy_regex *regex;

    if (!source || source->kind != TEMPLATE_STRING) {
        oy_fail(err, OY_DATA, "an expression is not a text");
        return NULL;
    }
    oy_buffer_append_string(&text, "(*UCP)");
    oy_buffer_append(&text, source->text.at, source->text.len);
    regex = oy_regex_new(text.data, text.len, OY_REGEX_PCRE2, err);
    oy_buffer_release(&text);
    return regex;
}

/* ---- pipelines ---- */

static int read_regex(const struct template_value *config, struct step *step,
                      struct oy_error *err)
{
    const struct template_value *select = template_get(config, "group_select");
    const struct template_value *fallback = template_get(config, "fallback");
    const struct template_value *pattern =
        template_get(config, "regex_pattern");
    /* lm_eval/filters/extraction.py, RegexFilter */
    const struct template_value usual =
        template_literal("#### (\\-?[0-9\\.\\,]+)");
    const struct template_value invalid = template_literal("[invalid]");

    if ((select && select->kind != TEMPLATE_INT) ||
        (fallback && fallback->kind != TEMPLATE_STRING))
        return oy_fail(err, OY_DATA, "regex: group_select or fallback");
    step->select = select ? select->integer : 0;
    step->fallback = fallback ? fallback->text : invalid.text;
    step->regex = python_regex(pattern ? pattern : &usual, err);
    return step->regex ? 0 : -1;
}

static int read_map(const struct template_value *config, struct step *step,
                    struct oy_error *err)
{
    const struct template_value *other = template_get(config, "default_value");

    step->map = template_get(config, "mapping_dict");
    if (!step->map || step->map->kind != TEMPLATE_DICT)
        return oy_fail(err, OY_DATA, "map: no mapping_dict");
    if (other && other->kind == TEMPLATE_STRING)
        step->other = other->text;
    return 0;
}

static int read_step(const struct template_value *config, struct step *step,
                     struct oy_error *err)
{
    static const struct {
        const char *name;
        enum step_kind kind;
    } known[] = {{"regex", STEP_REGEX},
                 {"remove_whitespace", STEP_STRIP},
                 {"lowercase", STEP_LOWER},
                 {"map", STEP_MAP},
                 {"take_first", STEP_FIRST}};
    const struct template_value *name = template_get(config, "function");

    if (!name || name->kind != TEMPLATE_STRING)
        return oy_fail(err, OY_DATA, "a filter without a function");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct template_value other = template_literal(known[i].name);
        if (!template_equal(name, &other))
            continue;
        step->kind = known[i].kind;
        if (step->kind == STEP_REGEX)
            return read_regex(config, step, err);
        return step->kind == STEP_MAP ? read_map(config, step, err) : 0;
    }
    return oy_fail(err, OY_DATA, "filter '%.*s' is not supported",
                   (int)name->text.len, name->text.at);
}

static int read_pipeline(const struct template_value *config,
                         struct answer_filter *filter, struct oy_error *err)
{
    const struct template_value *name = template_get(config, "name");
    const struct template_value *list = template_get(config, "filter");

    if (!name || name->kind != TEMPLATE_STRING || !list ||
        list->kind != TEMPLATE_LIST || !list->list->n_item)
        return oy_fail(err, OY_DATA, "a filter without 'name' or 'filter'");
    filter->name = oy_strndup(name->text.at, name->text.len);
    filter->step = oy_calloc(list->list->n_item, sizeof *filter->step);
    for (size_t i = 0; i < list->list->n_item; i++) {
        filter->n_step = i + 1;
        if (read_step(&list->list->item[i], &filter->step[i], err))
            return oy_fail_at(err, "filter '%s'", filter->name);
    }
    if (filter->step[filter->n_step - 1].kind != STEP_FIRST)
        return oy_fail(err, OY_DATA,
                       "filter '%s': one that does not end with take_first"
                       " is not supported",
                       filter->name);
    return 0;
}

struct answer_filter *answer_filter_new(const struct template_value *config,
                                        struct oy_error *err)
{
    struct answer_filter *filter = oy_calloc(1, sizeof *filter);

    filter->matcher = oy_regex_matcher_new();
    if (!config)
        filter->name = oy_strdup("none");
    else if (read_pipeline(config, filter, err)) {
        answer_filter_free(filter);
        return NULL;
    }
    return filter;
}

void answer_filter_free(struct answer_filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->n_step; i++)
        oy_regex_free(filter->step[i].regex);
    oy_regex_matcher_free(filter->matcher);
    oy_free(filter->step);
    oy_free(filter->name);
    oy_free(filter);
}

const char *answer_filter_name(const struct answer_filter *filter)
{
    return filter->name;
}

/* ---- steps ---- */

/* str.strip() */
static struct oy_text strip(struct oy_text text)
{
    size_t begin = text.len, end = 0;

    for (size_t at = 0; at < text.len;) {
        const size_t from = at;
        if (oy_py_isspace(oy_utf8_next(text.at, &at)))
            continue;
        if (begin == text.len)
            begin = from;
        end = at;
    }
    return begin < end ? (struct oy_text){text.at + begin, end - begin}
                       : (struct oy_text){text.at, 0};
}

/* What re.findall() tells of a match: all of it without groups, else the
 * first group that holds something. 0 when none of several does. */
static int found_text(const struct answer_filter *filter,
                      const struct step *step, struct oy_text text,
                      const struct oy_regex_match *match, struct oy_text *found)
{
    const size_t n = oy_regex_n_group(step->regex);
    struct oy_regex_match group;

    *found =
        (struct oy_text){text.at + match->begin, match->end - match->begin};
    if (n == 0)
        return 1;
    for (size_t i = 1; i <= n && i <= OY_REGEX_MAX_GROUP; i++) {
        if (!oy_regex_group(filter->matcher, (int)i, &group) ||
            group.begin == group.end)
            continue;
        *found =
            (struct oy_text){text.at + group.begin, group.end - group.begin};
        return 1;
    }
    found->len = 0;
    return n == 1;
}

/* Goes through the matches up to number `last`; how many there were in *n. */
static int walk(const struct answer_filter *filter, const struct step *step,
                struct oy_text text, int64_t last, int64_t *n,
                struct oy_text *found, struct oy_error *err)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    int more = 1;

    *n = 0;
    while (*n <= last &&
           (more = oy_regex_next(step->regex, filter->matcher, text.at,
                                 text.len, &walk, &match, err)) == 1) {
        if (!found_text(filter, step, text, &match, found))
            *found = step->fallback;
        (*n)++;
    }
    return more < 0 ? -1 : 0;
}

static int apply_regex(const struct answer_filter *filter,
                       const struct step *step, struct oy_text *text,
                       struct oy_error *err)
{
    struct oy_text found = step->fallback;
    int64_t n, last = step->select < -1 ? INT64_MAX - 1 : step->select;

    if (last < 0)
        last = INT64_MAX - 1;
    if (walk(filter, step, *text, last, &n, &found, err))
        return -1;
    if (n == 0) {
        *text = step->fallback;
        return 0;
    }
    if (step->select >= n || -step->select > n)
        return oy_fail(err, OY_DATA, "filter '%s': group_select %lld of %lld",
                       filter->name, (long long)step->select, (long long)n);
    if (step->select < -1 &&
        walk(filter, step, *text, n + step->select, &n, &found, err))
        return -1;
    *text = strip(found);
    return 0;
}

static int apply_map(const struct answer_filter *filter,
                     const struct step *step, struct oy_text *text,
                     struct oy_error *err)
{
    const struct template_value key = template_string(text->at, text->len);
    const struct template_value *value = template_find(step->map, &key);

    if (value && value->kind == TEMPLATE_STRING)
        *text = value->text;
    else if (!value && step->other.at)
        *text = step->other;
    else
        return oy_fail(err, OY_DATA, "filter '%s': map gives no text",
                       filter->name);
    return 0;
}

static void apply_lower(struct oy_arena *arena, struct oy_text *text)
{
    struct oy_buffer lower = {0};

    oy_py_lower(text->at, text->len, &lower);
    *text = (struct oy_text){
        oy_arena_copy(arena, lower.len ? lower.data : "", lower.len),
        lower.len};
    oy_buffer_release(&lower);
}

int answer_filter_apply(const struct answer_filter *filter,
                        struct oy_text completion, struct oy_arena *arena,
                        struct oy_text *answer, struct oy_error *err)
{
    int rc = 0;

    *answer = completion;
    for (size_t i = 0; rc == 0 && i < filter->n_step; i++) {
        const struct step *step = &filter->step[i];
        switch (step->kind) {
        case STEP_REGEX: rc = apply_regex(filter, step, answer, err); break;
        case STEP_STRIP: *answer = strip(*answer); break;
        case STEP_LOWER: apply_lower(arena, answer); break;
        case STEP_MAP: rc = apply_map(filter, step, answer, err); break;
        case STEP_FIRST: break;
        }
    }
    return rc;
}

/* ---- exact_match ---- */

struct answer_match {
    struct oy_regex **ignored;
    size_t n_ignored;
    int no_case, no_punctuation, no_numbers;
    struct oy_regex_matcher *matcher;
};

static int flag(const struct template_value *config, const char *name)
{
    const struct template_value *value = template_get(config, name);

    return value && template_truth(value);
}

struct answer_match *answer_match_new(const struct template_value *config,
                                      struct oy_error *err)
{
    const struct template_value *list =
        template_get(config, "regexes_to_ignore");
    const size_t n =
        list && list->kind == TEMPLATE_LIST ? list->list->n_item : 0;
    struct answer_match *match = oy_calloc(1, sizeof *match);

    match->no_case = flag(config, "ignore_case");
    match->no_punctuation = flag(config, "ignore_punctuation");
    match->no_numbers = flag(config, "ignore_numbers");
    match->matcher = oy_regex_matcher_new();
    match->ignored = oy_calloc(n + 1, sizeof(struct oy_regex *));
    for (; match->n_ignored < n; match->n_ignored++) {
        match->ignored[match->n_ignored] =
            python_regex(&list->list->item[match->n_ignored], err);
        if (!match->ignored[match->n_ignored]) {
            answer_match_free(match);
            return NULL;
        }
    }
    return match;
}

void answer_match_free(struct answer_match *match)
{
    if (!match)
        return;
    for (size_t i = 0; i < match->n_ignored; i++)
        oy_regex_free(match->ignored[i]);
    oy_regex_matcher_free(match->matcher);
    oy_free(match->ignored);
    oy_free(match);
}

/* re.sub(expression, "", text) */
static int cut_matches(const struct answer_match *match,
                       const struct oy_regex *regex, struct oy_buffer *text,
                       struct oy_error *err)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match found;
    struct oy_buffer rest = {0};
    const char *at = oy_buffer_string(text);
    size_t from = 0;
    int more;

    while ((more = oy_regex_next(regex, match->matcher, at, text->len, &walk,
                                 &found, err)) == 1) {
        oy_buffer_append(&rest, at + from, found.begin - from);
        from = found.end;
    }
    oy_buffer_append(&rest, at + from, text->len - from);
    oy_buffer_release(text);
    *text = rest;
    return more;
}

static void cut_ascii(const struct answer_match *match, struct oy_buffer *text)
{
    size_t n = 0;

    for (size_t i = 0; i < text->len; i++) {
        const unsigned char c = (unsigned char)text->data[i];
        if ((match->no_punctuation && c < 128 && ispunct(c)) ||
            (match->no_numbers && c >= '0' && c <= '9'))
            continue;
        text->data[n++] = (char)c;
    }
    text->len = n;
}

static int simplify(const struct answer_match *match, struct oy_text from,
                    struct oy_buffer *text, struct oy_error *err)
{
    oy_buffer_append(text, from.at, from.len);
    for (size_t i = 0; i < match->n_ignored; i++) {
        if (cut_matches(match, match->ignored[i], text, err))
            return -1;
    }
    if (match->no_case) {
        struct oy_buffer lower = {0};
        oy_py_lower(oy_buffer_string(text), text->len, &lower);
        oy_buffer_release(text);
        *text = lower;
    }
    cut_ascii(match, text);
    return 0;
}

static int test_one(const struct answer_match *match,
                    const struct oy_buffer *answer,
                    const struct template_value *target, struct oy_error *err)
{
    struct oy_buffer text = {0}, simple = {0};
    int result;

    template_put_text(target, &text);
    result =
        simplify(match, (struct oy_text){oy_buffer_string(&text), text.len},
                 &simple, err);
    if (result == 0)
        result =
            simple.len == answer->len &&
            (!simple.len || !memcmp(simple.data, answer->data, simple.len));
    oy_buffer_release(&text);
    oy_buffer_release(&simple);
    return result;
}

int answer_match_test(const struct answer_match *match, struct oy_text answer,
                      const struct template_value *target, struct oy_error *err)
{
    const int is_list = target->kind == TEMPLATE_LIST;
    const size_t n = is_list ? target->list->n_item : 1;
    struct oy_buffer simple = {0};
    int result = simplify(match, answer, &simple, err);

    for (size_t i = 0; result == 0 && i < n; i++)
        result = test_one(match, &simple,
                          is_list ? &target->list->item[i] : target, err);
    oy_buffer_release(&simple);
    return result;
}

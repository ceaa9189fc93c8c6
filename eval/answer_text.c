/* SPDX-License-Identifier: Apache-2.0
 *
 * Python's ways with texts, for filters and metrics. */
#include "eval/answer_text.h"

#include <ctype.h>
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"

/* The Unicode of Python 3.11's unicodedata. */
enum { UNICODE_VERSION = 14 };

struct oy_text answer_strip(struct oy_text text)
{
    size_t start = 0, end = text.len;

    while (start < end) {
        size_t next = start;
        if (!oy_py_isspace(oy_utf8_next(text.at, &next)))
            break;
        start = next;
    }
    while (end > start) {
        size_t previous = end;
        if (!oy_py_isspace(oy_utf8_previous(text.at, &previous)))
            break;
        end = previous;
    }
    return (struct oy_text){text.at + start, end - start};
}

/* ---- expressions ---- */

struct oy_regex *answer_regex(struct oy_text source, struct oy_error *err)
{
    struct oy_buffer text = {0};
    struct oy_regex *regex;

    oy_buffer_append_string(&text, "(*UCP)");
    oy_buffer_append(&text, source.at, source.len);
    regex = oy_regex_new(text.data, text.len, OY_REGEX_PCRE2, err);
    oy_buffer_release(&text);
    return regex;
}

struct oy_regex *answer_regex_of(const struct template_value *source,
                                 struct oy_error *err)
{
    if (source && source->kind == TEMPLATE_STRING)
        return answer_regex(source->text, err);
    oy_fail(err, OY_DATA, "an expression is not a text");
    return NULL;
}

/* What re.findall() tells of a match. 0 when it has several groups and none
 * holds something. */
static int found_text(const struct oy_regex *regex,
                      const struct oy_regex_matcher *matcher,
                      struct oy_text text, const struct oy_regex_match *match,
                      struct oy_text *found)
{
    const size_t n = oy_regex_n_group(regex);
    struct oy_regex_match group;

    *found =
        (struct oy_text){text.at + match->begin, match->end - match->begin};
    if (n == 0)
        return 1;
    for (size_t i = 1; i <= n && i <= OY_REGEX_MAX_GROUP; i++) {
        if (!oy_regex_group(matcher, (int)i, &group) ||
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
static int walk(const struct oy_regex *regex, struct oy_regex_matcher *matcher,
                struct oy_text text, int64_t last, struct oy_text none,
                int64_t *n, struct oy_text *found, struct oy_error *err)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    int more = 1;

    *n = 0;
    while (*n <= last &&
           (more = oy_regex_next(regex, matcher, text.at, text.len, &walk,
                                 &match, err)) == 1) {
        if (!found_text(regex, matcher, text, &match, found))
            *found = none;
        (*n)++;
    }
    return more < 0 ? -1 : 0;
}

int answer_select(const struct oy_regex *regex,
                  struct oy_regex_matcher *matcher, struct oy_text text,
                  int64_t select, struct oy_text none, struct oy_text *found,
                  struct oy_error *err)
{
    const int64_t last = select < 0 ? INT64_MAX - 1 : select;
    int64_t n;

    if (walk(regex, matcher, text, last, none, &n, found, err))
        return -1;
    if (n == 0)
        return 0;
    if (select >= n || -select > n)
        return oy_fail(err, OY_DATA, "group_select %lld of %lld",
                       (long long)select, (long long)n);
    if (select < -1 &&
        walk(regex, matcher, text, n + select, none, &n, found, err))
        return -1;
    *found = answer_strip(*found);
    return 1;
}

/* ---- what is not looked at ---- */

struct answer_ignore {
    struct oy_regex **regex;
    size_t n_regex;
    int has_case, has_punctuation, has_numbers; /* to ignore */
    enum answer_punctuation punctuation;
    struct oy_regex_matcher *matcher;
};

static int flag(const struct template_value *config, const char *name)
{
    const struct template_value *value = template_get(config, name);

    return value && template_truth(value);
}

struct answer_ignore *answer_ignore_new(const struct template_value *config,
                                        enum answer_punctuation punctuation,
                                        struct oy_error *err)
{
    const struct template_value *list =
        template_get(config, "regexes_to_ignore");
    const size_t n =
        list && list->kind == TEMPLATE_LIST ? list->list->n_item : 0;
    struct answer_ignore *ignore = oy_calloc(1, sizeof *ignore);

    ignore->has_case = flag(config, "ignore_case");
    ignore->has_punctuation = flag(config, "ignore_punctuation");
    ignore->has_numbers = flag(config, "ignore_numbers");
    ignore->punctuation = punctuation;
    ignore->matcher = oy_regex_matcher_new();
    ignore->regex = oy_calloc(n + 1, sizeof(struct oy_regex *));
    for (; ignore->n_regex < n; ignore->n_regex++) {
        ignore->regex[ignore->n_regex] =
            answer_regex_of(&list->list->item[ignore->n_regex], err);
        if (!ignore->regex[ignore->n_regex]) {
            answer_ignore_free(ignore);
            return NULL;
        }
    }
    return ignore;
}

void answer_ignore_free(struct answer_ignore *ignore)
{
    if (!ignore)
        return;
    for (size_t i = 0; i < ignore->n_regex; i++)
        oy_regex_free(ignore->regex[i]);
    oy_regex_matcher_free(ignore->matcher);
    oy_free(ignore->regex);
    oy_free(ignore);
}

/* re.sub(expression, "", text) */
static int cut_matches(const struct answer_ignore *ignore,
                       const struct oy_regex *regex, struct oy_buffer *text,
                       struct oy_error *err)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match found;
    struct oy_buffer rest = {0};
    const char *at = oy_buffer_string(text);
    size_t from = 0;
    int more;

    while ((more = oy_regex_next(regex, ignore->matcher, at, text->len, &walk,
                                 &found, err)) == 1) {
        oy_buffer_append(&rest, at + from, found.begin - from);
        from = found.end;
    }
    oy_buffer_append(&rest, at + from, text->len - from);
    oy_buffer_release(text);
    *text = rest;
    return more;
}

static int is_punctuation(enum answer_punctuation kind, uint32_t c)
{
    const enum oy_category category = oy_unicode_category(c, UNICODE_VERSION);

    if (kind == ANSWER_ASCII)
        return c < 128 && ispunct((int)c);
    return category >= OY_PC && category <= OY_PO;
}

static void cut_characters(const struct answer_ignore *ignore,
                           struct oy_buffer *text)
{
    size_t n = 0;

    for (size_t at = 0; at < text->len;) {
        const size_t from = at;
        const uint32_t c = oy_utf8_next(text->data, &at);
        if ((ignore->has_punctuation &&
             is_punctuation(ignore->punctuation, c)) ||
            (ignore->has_numbers && c >= '0' && c <= '9'))
            continue;
        memmove(text->data + n, text->data + from, at - from);
        n += at - from;
    }
    text->len = n;
}

int answer_ignore_apply(const struct answer_ignore *ignore, struct oy_text text,
                        struct oy_buffer *out, struct oy_error *err)
{
    struct oy_buffer left = {0};
    int rc = 0;

    oy_buffer_append(&left, text.at, text.len);
    for (size_t i = 0; rc == 0 && i < ignore->n_regex; i++)
        rc = cut_matches(ignore, ignore->regex[i], &left, err);
    if (rc == 0 && ignore->has_case) {
        struct oy_buffer lower = {0};
        oy_py_lower(oy_buffer_string(&left), left.len, &lower);
        oy_buffer_release(&left);
        left = lower;
    }
    if (rc == 0) {
        cut_characters(ignore, &left);
        oy_buffer_append(out, oy_buffer_string(&left), left.len);
    }
    oy_buffer_release(&left);
    return rc;
}

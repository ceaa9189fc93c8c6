/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `match`: what a regular expression of the user's finds in a text, its
 * lines or its url decides, or is replaced. */
#include <string.h>

#include "core/regex.h"
#include "pipeline/rule_internal.h"

enum { ON_TEXT, ON_LINE, ON_URL };
enum { ACTION_DROP, ACTION_KEEP, ACTION_REPLACE };

struct match {
    const char *match;
    int on;
    int action;
    const char *with;   /* stands for a match; $1, $$ */
    const char *field;  /* the url's path */
    const char *reason; /* "": the rule's name */
    struct oy_regex *regex;
};

static const struct match defaults = {
    .match = "", .with = "", .field = "url", .reason = ""};

static const char *const on_name[] = {"text", "line", "url", NULL};
static const char *const action_name[] = {"drop", "keep", "replace", NULL};

static const struct rule_param param[] = {
    RULE_PARAM(struct match, RULE_REGEX, match),
    {"on", RULE_CHOICE, offsetof(struct match, on), on_name},
    {"action", RULE_CHOICE, offsetof(struct match, action), action_name},
    RULE_PARAM(struct match, RULE_TEXT, with),
    RULE_PARAM(struct match, RULE_TEXT, field),
    RULE_PARAM(struct match, RULE_TEXT, reason),
    {0},
};

/* ---- what stands for a match ---- */

/* Every `$` is followed by another one or by the number of a group. */
static int check_with(const struct match *p, struct oy_error *err)
{
    const size_t n_group = oy_regex_n_group(p->regex);

    for (const char *at = strchr(p->with, '$'); at; at = strchr(at + 2, '$')) {
        if (at[1] == '$')
            continue;
        if (at[1] < '0' || at[1] > '9')
            return oy_fail(err, OY_USAGE,
                           "'with' has a '$' that is neither $0 to $9 nor $$");
        if ((size_t)(at[1] - '0') > n_group)
            return oy_fail(err, OY_USAGE,
                           "'with' has $%c, and the expression %zu groups",
                           at[1], n_group);
    }
    return 0;
}

static void put_with(const struct match *p,
                     const struct oy_regex_matcher *matcher,
                     const char *subject, struct oy_buffer *out)
{
    const char *at = p->with;
    struct oy_regex_match group;

    for (const char *sign = strchr(at, '$'); sign; sign = strchr(at, '$')) {
        oy_buffer_append(out, at, (size_t)(sign - at));
        at = sign + 2;
        if (sign[1] == '$')
            oy_buffer_append_char(out, '$');
        else if (oy_regex_group(matcher, sign[1] - '0', &group))
            oy_buffer_append(out, subject + group.begin,
                             group.end - group.begin);
    }
    oy_buffer_append_string(out, at);
}

/* ---- matching ---- */

/* What the judging of one document has to do with. */
struct work {
    const struct match *p;
    struct oy_regex_matcher *matcher;
    struct oy_buffer *draft;
    size_t n; /* matches, or lines that match */
    struct oy_error err;
};

/* 1, 0, or -1 with work->err. */
static int finds(struct work *work, struct oy_text subject)
{
    struct oy_regex_match match;
    const int found = oy_regex_find(work->p->regex, work->matcher, subject.at,
                                    subject.len, 0, &match, &work->err);

    work->n += found > 0;
    return found;
}

/* Appends the subject with every match replaced. */
static int replace(struct work *work, struct oy_text subject)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    size_t done = 0;
    int found;

    while ((found = oy_regex_next(work->p->regex, work->matcher, subject.at,
                                  subject.len, &walk, &match, &work->err)) ==
           1) {
        oy_buffer_append(work->draft, subject.at + done, match.begin - done);
        put_with(work->p, work->matcher, subject.at, work->draft);
        done = match.end;
        work->n++;
    }
    oy_buffer_append(work->draft, subject.at + done, subject.len - done);
    return found;
}

/* A line without its end, LF or CR LF. */
static struct oy_text line_at(struct oy_text text, size_t at, size_t *next)
{
    const char *feed = memchr(text.at + at, '\n', text.len - at);
    size_t end = feed ? (size_t)(feed - text.at) : text.len;

    *next = feed ? end + 1 : end;
    if (feed && end > at && text.at[end - 1] == '\r')
        end--;
    return (struct oy_text){text.at + at, end - at};
}

/* Appends the text with its lines replaced or taken out; *n_out counts those
 * that went. */
static int take_lines(struct work *work, struct oy_text text, size_t *n_out)
{
    const struct match *p = work->p;

    for (size_t at = 0, next; at < text.len; at = next) {
        const struct oy_text line = line_at(text, at, &next);
        const size_t end = at + line.len;
        int found, goes;
        if (p->action == ACTION_REPLACE) {
            if (replace(work, line) < 0)
                return -1;
            oy_buffer_append(work->draft, text.at + end, next - end);
            continue;
        }
        found = finds(work, line);
        if (found < 0)
            return -1;
        goes = found == (p->action == ACTION_DROP);
        *n_out += (size_t)goes;
        if (!goes)
            oy_buffer_append(work->draft, text.at + at, next - at);
    }
    return 0;
}

static const char *reason_of(const struct match *p)
{
    return *p->reason ? p->reason : "match";
}

/* Lines, and replacing. */
static const char *rewrite(struct work *work, struct document *document)
{
    const struct oy_text text = document->text;
    const int by_line = work->p->on == ON_LINE;
    size_t n_out = 0;
    int failed;

    work->draft = document_draft(document);
    oy_buffer_reserve(work->draft, text.len);
    failed = by_line ? take_lines(work, text, &n_out) : replace(work, text) < 0;
    if (failed)
        return NULL;
    if (n_out && !work->draft->len)
        return reason_of(work->p);
    if (n_out || (work->n && work->p->action == ACTION_REPLACE))
        document_rewrite(document,
                         (struct oy_text){work->draft->data, work->draft->len});
    return NULL;
}

static const char *decide(struct work *work, struct oy_text subject)
{
    const int found = finds(work, subject);

    return found == (work->p->action == ACTION_DROP) ? reason_of(work->p)
                                                     : NULL;
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct match *p = params;
    struct work work = {.p = p, .matcher = document_matcher(document)};
    struct oy_text url;
    const char *reason;

    if (!p->regex)
        return NULL;
    if (p->on == ON_URL && !document_member_text(document, &url))
        return "no_url";
    if (p->on == ON_URL)
        reason = decide(&work, url);
    else if (p->on == ON_TEXT && p->action != ACTION_REPLACE)
        reason = decide(&work, document->text);
    else
        reason = rewrite(&work, document);
    if (work.err.code) {
        document_fail(document, work.err.message);
        return NULL;
    }
    measure_count(out, "matches", work.n);
    return reason;
}

/* ---- loading ---- */

static int load(void *params, struct oy_run *run, struct oy_error *err)
{
    struct match *p = params;

    (void)run;
    if (!*p->match)
        return oy_fail(err, OY_USAGE, "needs 'match', a regular expression");
    if (p->on == ON_URL && p->action == ACTION_REPLACE)
        return oy_fail(err, OY_USAGE, "a url is not replaced");
    p->regex = oy_regex_new(p->match, strlen(p->match), OY_REGEX_PCRE2, err);
    return p->regex ? check_with(p, err) : -1;
}

static void unload(void *params)
{
    struct match *p = params;

    oy_regex_free(p->regex);
    p->regex = NULL;
}

static const char *field(const void *params)
{
    const struct match *p = params;

    return p->on == ON_URL ? p->field : NULL;
}

const struct rule rule_match = {
    .name = "match",
    .params_size = sizeof(struct match),
    .defaults = &defaults,
    .param = param,
    .load = load,
    .unload = unload,
    .field = field,
    .judge = judge,
};

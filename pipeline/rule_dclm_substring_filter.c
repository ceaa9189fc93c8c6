/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `dclm_substring_filter`: drops documents in which a string of a list
 * stands (DCLM's baselines/mappers/filters/content_filters.py at 361714b).
 *
 * As in dclm_substring_line_modifier a point stands for any character but a
 * line feed, since the peer does not escape its list; all other characters
 * stand for themselves here. */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/borders.h"
#include "pipeline/needles.h"
#include "pipeline/rule_internal.h"
#include "pipeline/text_list.h"

enum { ANYWHERE, PREFIX, SUFFIX };

/* What the list became. */
struct banned {
    int is_lower;
    struct needles plain;
    char **dotted; /* those with points */
    size_t n_dotted, cap_dotted;
};

struct substring_filter {
    struct rule_texts banlist;
    const char *banlist_from_fname; /* a file; taken before the list */
    int location;
    int case_sensitive;
    int exact_word;
    struct banned *banned;
};

static const struct substring_filter defaults = {.banlist_from_fname = ""};
static const char *const locations[] = {"any", "prefix", "suffix", NULL};

static const struct rule_param param[] = {
    RULE_PARAM(struct substring_filter, RULE_PHRASES, banlist),
    RULE_PARAM(struct substring_filter, RULE_TEXT, banlist_from_fname),
    {"location", RULE_CHOICE, offsetof(struct substring_filter, location),
     locations},
    RULE_PARAM(struct substring_filter, RULE_BOOL, case_sensitive),
    RULE_PARAM(struct substring_filter, RULE_BOOL, exact_word),
    {0},
};

/* ---- judging ---- */

struct work {
    const struct substring_filter *p;
    struct oy_text text;
};

/* `$`: also before a line feed that ends the text. */
static int is_end(struct oy_text text, size_t at)
{
    return at == text.len || (at + 1 == text.len && text.at[at] == '\n');
}

static int is_place(void *arg, size_t at, size_t len)
{
    const struct work *work = arg;
    const struct oy_text text = work->text;

    if (work->p->location == SUFFIX && !is_end(text, at + len))
        return 0;
    return !work->p->exact_word || (border_at(text.at, text.len, at) &&
                                    border_at(text.at, text.len, at + len));
}

/* The end of the string at `at`; 0 when it does not stand there. */
static size_t dotted_end(struct oy_text text, const char *string, size_t at)
{
    const size_t len = strlen(string);

    for (size_t i = 0; i < len;) {
        const uint32_t a = oy_utf8_next(string, &i);
        if (at == text.len)
            return 0;
        const uint32_t b = oy_utf8_next(text.at, &at);
        if (a == '.' ? b == '\n' : a != b)
            return 0;
    }
    return at;
}

static int has_dotted_at(struct work *work, size_t at)
{
    const struct banned *banned = work->p->banned;

    for (size_t i = 0; i < banned->n_dotted; i++) {
        const size_t end = dotted_end(work->text, banned->dotted[i], at);
        if (end && is_place(work, at, end - at))
            return 1;
    }
    return 0;
}

static int has_any(struct work *work)
{
    const struct banned *banned = work->p->banned;
    const struct oy_text text = work->text;

    if (work->p->location == PREFIX)
        return needles_find_at(&banned->plain, text.at, text.len, 0, is_place,
                               work) ||
               has_dotted_at(work, 0);
    if (needles_find(&banned->plain, text.at, text.len, is_place, work))
        return 1;
    for (size_t at = 0; banned->n_dotted && at < text.len;
         oy_utf8_next(text.at, &at)) {
        if (has_dotted_at(work, at))
            return 1;
    }
    return 0;
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    struct work work = {params, document->text};

    (void)out;
    if (!work.p->banned)
        return NULL;
    if (work.p->banned->is_lower) {
        struct oy_buffer *lower = document_own_text(document);
        oy_buffer_clear(lower);
        oy_py_lower(work.text.at, work.text.len, lower);
        work.text = (struct oy_text){lower->data, lower->len};
    }
    return has_any(&work) ? "dclm_substring_filter" : NULL;
}

/* ---- loading ---- */

static void add_string(void *arg, const char *string, size_t len)
{
    struct banned *banned = arg;
    struct oy_buffer lower = {0};

    if (banned->is_lower)
        oy_py_lower(string, len, &lower);
    else
        oy_buffer_append(&lower, string, len);
    if (memchr(lower.data, '.', lower.len)) {
        OY_GROW(banned->dotted, banned->cap_dotted, banned->n_dotted + 1);
        banned->dotted[banned->n_dotted++] =
            oy_strdup(oy_buffer_string(&lower));
    } else {
        needles_add(&banned->plain, lower.data, lower.len);
    }
    oy_buffer_release(&lower);
}

static int add_list(const struct substring_filter *p, struct oy_error *err)
{
    for (size_t i = 0; i < p->banlist.n; i++) {
        const char *string = p->banlist.item[i];
        if (!*string)
            return oy_fail(err, OY_USAGE, "'banlist' holds an empty string");
        add_string(p->banned, string, strlen(string));
    }
    return p->banlist.n ? 0
                        : oy_fail(err, OY_USAGE,
                                  "'banlist' or 'banlist_from_fname' must be "
                                  "given");
}

static int load(void *params, struct oy_run *run, struct oy_error *err)
{
    struct substring_filter *p = params;

    p->banned = oy_calloc(1, sizeof *p->banned);
    p->banned->is_lower = !p->case_sensitive;
    if (*p->banlist_from_fname ? text_list_read(p->banlist_from_fname, 0, run,
                                                add_string, p->banned, err)
                               : add_list(p, err))
        return -1;
    needles_finish(&p->banned->plain);
    return 0;
}

static void unload(void *params)
{
    struct substring_filter *p = params;

    if (!p->banned)
        return;
    needles_release(&p->banned->plain);
    for (size_t i = 0; i < p->banned->n_dotted; i++)
        oy_free(p->banned->dotted[i]);
    oy_free(p->banned->dotted);
    oy_free(p->banned);
    p->banned = NULL;
}

const struct rule rule_dclm_substring_filter = {
    .name = "dclm_substring_filter",
    .params_size = sizeof(struct substring_filter),
    .defaults = &defaults,
    .param = param,
    .load = load,
    .unload = unload,
    .judge = judge,
};

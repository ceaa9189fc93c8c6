/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `url`: drops records by what their URL is or holds. datatrove's
 * URLFilter (url_filter.py) with the user's lists in the place of its own.
 *
 * A list has an entry a line; lines that begin with '#' and blank ones count
 * for nothing. It may have millions: a set takes 16 bytes a place, of which
 * three in four are used at most and three in eight at least, and nothing of
 * the entries but their hashes (core/table.h). */
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/input.h"
#include "core/table.h"
#include "pipeline/registered_domain.h"
#include "pipeline/rule_internal.h"
#include "pipeline/subwords.h"

enum list { DOMAINS, URLS, BANNED_WORDS, SOFT_BANNED_WORDS, N_SET };

/* What the lists became. */
struct url_lists {
    struct public_suffixes *suffixes;
    struct oy_table set[N_SET];
    struct subwords subwords;
};

struct url {
    const char *path[N_SET]; /* files; "": none */
    const char *banned_subwords;
    const char *public_suffix_list;
    int64_t soft_word_threshold;
    const char *field;
    struct url_lists *lists;
};

static const struct url defaults = {
    .path = {"", "", "", ""},
    .banned_subwords = "",
    .public_suffix_list = "",
    .soft_word_threshold = 2,
    .field = "url",
};

#define LIST(name, list)                                                       \
    {                                                                          \
        name, RULE_TEXT, offsetof(struct url, path[list])                      \
    }

static const struct rule_param param[] = {
    LIST("domains", DOMAINS),
    LIST("urls", URLS),
    LIST("banned_words", BANNED_WORDS),
    LIST("soft_banned_words", SOFT_BANNED_WORDS),
    RULE_PARAM(struct url, RULE_TEXT, banned_subwords),
    RULE_PARAM(struct url, RULE_COUNT, soft_word_threshold),
    RULE_PARAM(struct url, RULE_TEXT, public_suffix_list),
    RULE_PARAM(struct url, RULE_TEXT, field),
    {0},
};

/* ---- judging ---- */

static int is_alnum(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 ||
           (unsigned char)(c - '0') < 10;
}

/* The next run of letters and digits of ASCII behind *at; 0 at the end. */
static int next_word(struct oy_text url, size_t *at, struct oy_text *word)
{
    size_t start = *at;

    while (start < url.len && !is_alnum(url.at[start]))
        start++;
    *at = start;
    while (*at < url.len && is_alnum(url.at[*at]))
        ++*at;
    *word = (struct oy_text){url.at + start, *at - start};
    return word->len > 0;
}

static int is_in(const struct oy_table *set, struct oy_text entry)
{
    return set->n && oy_table_has(set, oy_hash128(entry.at, entry.len));
}

static int has_banned_word(const struct url_lists *lists, struct oy_text url)
{
    struct oy_text word;

    if (!lists->set[BANNED_WORDS].n)
        return 0;
    for (size_t at = 0; next_word(url, &at, &word);) {
        if (is_in(&lists->set[BANNED_WORDS], word))
            return 1;
    }
    return 0;
}

/* Whether the hash is one of them; else it becomes the last. */
static int was_seen(struct oy_hash128 *seen, size_t n, struct oy_hash128 hash)
{
    for (size_t i = 0; i < n; i++) {
        if (seen[i].low == hash.low && seen[i].high == hash.high)
            return 1;
    }
    seen[n] = hash;
    return 0;
}

/* Whether `threshold` different words of the list are in the URL. */
static int has_soft_words(const struct url *p, struct document *document,
                          struct oy_text url)
{
    const struct oy_table *set = &p->lists->set[SOFT_BANNED_WORDS];
    const size_t most = url.len / 2 + 1;
    const size_t limit = (size_t)p->soft_word_threshold;
    struct oy_hash128 *seen;
    struct oy_text word;
    size_t n = 0;

    if (limit == 0 || limit > most || limit > set->n)
        return limit == 0;
    seen = oy_arena_array(&document->arena, limit, sizeof *seen);
    for (size_t at = 0; n < limit && next_word(url, &at, &word);) {
        const struct oy_hash128 hash = oy_hash128(word.at, word.len);
        if (oy_table_has(set, hash) && !was_seen(seen, n, hash))
            n++;
    }
    return n == limit;
}

/* The host with narrow dots, as lists write it, without a dot in front: one
 * that has a registered domain. */
static struct oy_text full_name(struct document *document, struct oy_text host)
{
    char *name = oy_arena_copy(&document->arena, host.at, host.len);
    size_t n = 0;

    for (size_t i = 0; i < host.len; i++) {
        const char *c = host.at + i;
        const int is_wide =
            host.len - i >= 3 &&
            (!memcmp(c, "\xe3\x80\x82", 3) || !memcmp(c, "\xef\xbc\x8e", 3) ||
             !memcmp(c, "\xef\xbd\xa1", 3));
        name[n++] = is_wide ? '.' : *c;
        i += is_wide ? 2 : 0;
    }
    return (struct oy_text){name, n};
}

/* What stands in the lists of domains, if anything does. */
static const char *judge_host(const struct url_lists *lists,
                              struct document *document, struct oy_text url,
                              struct measures *out)
{
    struct oy_text host = full_name(document, url_host(url));
    const struct oy_text domain = registered_domain(lists->suffixes, host);

    if (out) {
        struct oy_buffer json = {0};
        oy_json_put_string(&json, domain.at, domain.len);
        measure_json(out, "registered_domain", json.data, json.len);
        oy_buffer_release(&json);
    }
    if (!domain.len)
        return NULL;
    if (is_in(&lists->set[DOMAINS], domain))
        return "domain";
    /* As the peer joins the parts: an empty one before the domain goes. */
    if (host.len == domain.len + 1)
        host = domain;
    return is_in(&lists->set[DOMAINS], host) ? "subdomain" : NULL;
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct url *p = params;
    const struct url_lists *lists = p->lists;
    struct oy_text url;
    const char *reason;

    if (!document_member_text(document, &url) || !url.len)
        return "no_url";
    if (!lists)
        return NULL;
    reason = judge_host(lists, document, url, out);
    if (reason)
        return reason;
    if (is_in(&lists->set[URLS], url))
        return "url";
    if (has_banned_word(lists, url))
        return "hard_blacklisted";
    if (has_soft_words(p, document, url))
        return "soft_blacklisted";
    return subwords_occur(&lists->subwords, url.at, url.len)
               ? "blacklisted_subword"
               : NULL;
}

/* ---- loading ---- */

/* Where the entries of a file go. */
struct filling {
    struct oy_table *set; /* or */
    struct subwords *subwords;
    int is_of_words; /* lower case, letters and digits alone */
};

static int add_entry(const struct filling *filling, char *line, size_t len,
                     struct oy_error *err)
{
    size_t at = 0, n = 0;

    if (len && *line == '#')
        return 0;
    words_strip(line, &at, &len);
    line += at;
    if (filling->subwords) {
        subwords_add(filling->subwords, line, len);
        return 0;
    }
    for (size_t i = 0; filling->is_of_words && i < len; i++) {
        const char c = line[i];
        if (is_alnum(c))
            line[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    if (filling->is_of_words)
        len = n;
    if (!len)
        return 0;
    return oy_table_add(filling->set, oy_hash128(line, len), 0, NULL, err) < 0
               ? -1
               : 0;
}

/* Hands on the whole lines of the buffer; with `is_last` the rest is one. */
static int add_lines(const struct filling *filling, struct oy_buffer *buffer,
                     int is_last, struct oy_error *err)
{
    size_t at = 0;

    while (at < buffer->len) {
        char *line = buffer->data + at;
        const char *feed = memchr(line, '\n', buffer->len - at);
        if (!feed && !is_last)
            break;
        const size_t len = feed ? (size_t)(feed - line) : buffer->len - at;
        if (add_entry(filling, line, len, err))
            return -1;
        at += len + (feed != NULL);
    }
    buffer->len -= at;
    if (buffer->len)
        memmove(buffer->data, buffer->data + at, buffer->len);
    return 0;
}

static int read_list(const char *path, const struct filling *filling,
                     struct oy_run *run, struct oy_error *err)
{
    enum { STEP = 1 << 16, LONGEST = 1 << 20 };
    struct oy_input *input = oy_input_open(path, err);
    struct oy_buffer buffer = {0};
    ssize_t n = STEP;
    int failed = !input;

    while (!failed && n == STEP) {
        n = oy_input_read(input, oy_buffer_reserve(&buffer, STEP), STEP, err);
        buffer.len += n > 0 ? (size_t)n : 0;
        failed = n < 0 || add_lines(filling, &buffer, n < STEP, err);
        if (!failed && buffer.len > LONGEST)
            failed =
                oy_fail(err, OY_DATA, "%s: a line of more than 1 MiB", path);
    }
    oy_buffer_release(&buffer);
    oy_input_close(input);
    if (failed)
        return -1;
    return run ? oy_run_add_resource(run, "list", path, err) : 0;
}

static int load_lists(const struct url *p, struct oy_run *run,
                      struct oy_error *err)
{
    struct url_lists *lists = p->lists;

    for (int i = 0; i < N_SET; i++) {
        const struct filling filling = {.set = &lists->set[i],
                                        .is_of_words = i >= BANNED_WORDS};
        oy_table_init(&lists->set[i], 0, 0);
        if (*p->path[i] && read_list(p->path[i], &filling, run, err))
            return -1;
    }
    if (*p->banned_subwords) {
        const struct filling filling = {.subwords = &lists->subwords};
        if (read_list(p->banned_subwords, &filling, run, err))
            return -1;
        subwords_finish(&lists->subwords);
    }
    return 0;
}

static int load(void *params, struct oy_run *run, struct oy_error *err)
{
    struct url *p = params;

    p->lists = oy_calloc(1, sizeof *p->lists);
    p->lists->suffixes = public_suffixes_load(p->public_suffix_list, err);
    if (!p->lists->suffixes || load_lists(p, run, err))
        return -1;
    if (run && *p->public_suffix_list)
        return oy_run_add_resource(run, "list", p->public_suffix_list, err);
    return 0;
}

static void unload(void *params)
{
    struct url *p = params;

    if (!p->lists)
        return;
    public_suffixes_free(p->lists->suffixes);
    for (int i = 0; i < N_SET; i++)
        oy_table_release(&p->lists->set[i]);
    subwords_release(&p->lists->subwords);
    oy_free(p->lists);
    p->lists = NULL;
}

static const char *field(const void *params)
{
    const struct url *p = params;

    return p->field;
}

const struct rule rule_url = {
    .name = "url",
    .params_size = sizeof(struct url),
    .defaults = &defaults,
    .param = param,
    .load = load,
    .unload = unload,
    .field = field,
    .judge = judge,
};

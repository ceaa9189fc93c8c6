/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over a corpus and its groups. */
#include "pipeline/corpus_stat.h"

#include <stdlib.h>
#include <string.h>

#include "core/filter.h"
#include "core/hash.h"
#include "core/unicode.h"
#include "core/utf8.h"

/* ---- words and hosts ---- */

/* White space of Python's str.split() among ASCII. */
static const unsigned char ascii_space[128] = {
    [0x09] = 1, [0x0a] = 1, [0x0b] = 1, [0x0c] = 1, [0x0d] = 1,
    [0x1c] = 1, [0x1d] = 1, [0x1e] = 1, [0x1f] = 1, [' '] = 1,
};

uint64_t corpus_count_words(const char *text, size_t len)
{
    uint64_t n = 0;
    int was_space = 1;

    for (size_t at = 0; at < len;) {
        const unsigned char c = (unsigned char)text[at];
        int is_space;

        if (c < 0x80) {
            is_space = ascii_space[c];
            at++;
        } else {
            is_space = oy_py_isspace(oy_utf8_next(text, &at));
        }
        n += (uint64_t)(was_space & !is_space);
        was_space = is_space;
    }
    return n;
}

void corpus_host_of(const char *url, size_t len, const char **host,
                    size_t *host_len)
{
    const char *end = url + len;
    const char *at = memmem(url, len, "//", 2);

    *host = url;
    *host_len = len;
    if (!at)
        return;
    at += 2;
    for (const char *c = at; c < end; c++) {
        if (strchr("/?#", *c) && *c)
            end = c;
    }
    const char *user = memrchr(at, '@', (size_t)(end - at));
    if (user)
        at = user + 1;
    const char *colon = memchr(at, ':', (size_t)(end - at));
    /* An IPv6 address has colons of its own, in brackets. */
    if (colon && *at != '[')
        end = colon;
    *host = at;
    *host_len = (size_t)(end - at);
}

/* ---- groups ---- */

static void rehash(struct corpus *corpus, size_t n_slot)
{
    oy_free(corpus->slot);
    corpus->slot = oy_calloc(n_slot, sizeof *corpus->slot);
    corpus->n_slot = n_slot;
    for (size_t i = 0; i < corpus->n_group; i++) {
        size_t at = corpus->group[i].hash & (n_slot - 1);
        while (corpus->slot[at])
            at = (at + 1) & (n_slot - 1);
        corpus->slot[at] = (uint32_t)i + 1;
    }
}

static struct corpus_group *get_group(struct corpus *corpus, const char *key,
                                      size_t len)
{
    const uint64_t hash = oy_hash64(key, len);

    if (corpus->n_group * 2 >= corpus->n_slot)
        rehash(corpus, corpus->n_slot ? corpus->n_slot * 2 : 64);
    size_t at = hash & (corpus->n_slot - 1);
    for (; corpus->slot[at]; at = (at + 1) & (corpus->n_slot - 1)) {
        struct corpus_group *group = &corpus->group[corpus->slot[at] - 1];
        if (group->hash == hash && group->key_len == len &&
            !memcmp(group->key, key, len))
            return group;
    }
    OY_ASSERT(corpus->n_group < UINT32_MAX);
    OY_GROW(corpus->group, corpus->cap_group, corpus->n_group + 1);
    struct corpus_group *group = &corpus->group[corpus->n_group++];
    *group = (struct corpus_group){
        .key = oy_arena_copy(&corpus->arena, key, len),
        .key_len = len,
        .hash = hash,
    };
    corpus->slot[at] = (uint32_t)corpus->n_group;
    return group;
}

void corpus_add(struct corpus *corpus, const char *text, size_t len,
                const char *key, size_t key_len)
{
    const uint64_t size[N_UNIT] = {
        [UNIT_BYTES] = len,
        [UNIT_CHARACTERS] = oy_utf8_count(text, len),
        [UNIT_WORDS] = corpus_count_words(text, len),
    };
    struct corpus_group *group = key ? get_group(corpus, key, key_len) : NULL;

    for (int u = 0; u < N_UNIT; u++)
        lengths_add(&corpus->lengths[u], size[u]);
    if (!group)
        return;
    group->record++;
    for (int u = 0; u < N_UNIT; u++)
        group->total[u] += size[u];
}

void corpus_count(struct corpus *corpus, const char *key, size_t key_len)
{
    get_group(corpus, key, key_len)->record++;
}

uint64_t corpus_records_of(const struct corpus *corpus,
                           const struct corpus_group *like)
{
    for (size_t at = like->hash & (corpus->n_slot - 1);
         corpus->n_slot && corpus->slot[at];
         at = (at + 1) & (corpus->n_slot - 1)) {
        const struct corpus_group *group = &corpus->group[corpus->slot[at] - 1];
        if (group->key_len == like->key_len &&
            !memcmp(group->key, like->key, like->key_len))
            return group->record;
    }
    return 0;
}

void corpus_merge(struct corpus *corpus, const struct corpus *more)
{
    for (int i = 0; more->facet && i < N_FACET; i++)
        corpus_merge(&corpus->facet[i], &more->facet[i]);
    for (int u = 0; u < N_UNIT; u++)
        lengths_merge(&corpus->lengths[u], &more->lengths[u]);
    for (size_t i = 0; i < more->n_group; i++) {
        const struct corpus_group *from = &more->group[i];
        struct corpus_group *to = get_group(corpus, from->key, from->key_len);

        to->record += from->record;
        for (int u = 0; u < N_UNIT; u++)
            to->total[u] += from->total[u];
    }
}

static int compare_groups(const void *a, const void *b)
{
    const struct corpus_group *x = a, *y = b;
    const size_t least = x->key_len < y->key_len ? x->key_len : y->key_len;

    if (x->record != y->record)
        return x->record > y->record ? -1 : 1;
    const int order = memcmp(x->key, y->key, least);
    return order ? order
                 : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

void corpus_sort(struct corpus *corpus)
{
    for (int i = 0; corpus->facet && i < N_FACET; i++)
        corpus_sort(&corpus->facet[i]);
    if (!corpus->n_group)
        return;
    qsort(corpus->group, corpus->n_group, sizeof *corpus->group,
          compare_groups);
    rehash(corpus, corpus->n_slot);
}

void corpus_release(struct corpus *corpus)
{
    for (int i = 0; corpus->facet && i < N_FACET; i++)
        corpus_release(&corpus->facet[i]);
    oy_free(corpus->facet);
    oy_free(corpus->group);
    oy_free(corpus->slot);
    oy_arena_release(&corpus->arena);
    *corpus = (struct corpus){0};
}

/* ---- the filter ---- */

/* What a page looks at: the model's languages or a member that names one. */
enum { PATH_LANGUAGES, PATH_LANGUAGE, PATH_REASON, PATH_URL, N_PATH };
static const char *const page_path[N_PATH] = {"oyster.clean.measured.languages",
                                              "language", "oyster.clean.reason",
                                              "url"};

struct stat_job {
    const struct corpus_settings *settings;
    struct corpus *corpus;      /* what this run reads */
    const struct corpus *other; /* to compare with, or NULL */
    int by_host;
    int is_silent;     /* reads only */
    int place[N_PATH]; /* of a page's members among those that were found */
};

/* Room for the groups that are asked for. */
static void init_corpus(struct corpus *corpus,
                        const struct corpus_settings *settings)
{
    *corpus = (struct corpus){0};
    if (settings->format == FORMAT_HTML)
        corpus->facet = oy_calloc(N_FACET, sizeof *corpus->facet);
}

static void *worker_new(void *self)
{
    const struct stat_job *job = self;
    struct corpus *corpus = oy_alloc(sizeof *corpus);

    init_corpus(corpus, job->settings);
    return corpus;
}

static void worker_free(void *self, void *worker)
{
    (void)self;
    corpus_release(worker);
    oy_free(worker);
}

/* The group of a record: a string's text, another value as it stands. */
static int find_key(const struct stat_job *job, struct oy_record *record,
                    struct oy_text *key)
{
    const struct oy_json_value *value = &record->found[1];
    const char *why;

    *key = (struct oy_text){"(none)", 6};
    if (value->kind == OY_JSON_MISSING)
        return 0;
    if (value->kind != OY_JSON_STRING) {
        *key = (struct oy_text){value->at, value->len};
        return 0;
    }
    if (oy_json_text(value, record->arena, key, &record->n_repaired, &why)) {
        oy_record_fail(record, "field '%s': %s", job->settings->by, why);
        return -1;
    }
    if (job->by_host)
        corpus_host_of(key->at, key->len, &key->at, &key->len);
    return 0;
}

/* The label of [[label, score], ...], or the value itself. */
static struct oy_json_value first_label(const struct oy_json_value *value)
{
    struct oy_json_cursor cursor;
    struct oy_json_value inner = *value;

    for (int i = 0; i < 2 && inner.kind == OY_JSON_ARRAY; i++) {
        oy_json_enter(&cursor, &inner);
        if (oy_json_next_element(&cursor, &inner) != 1)
            return (struct oy_json_value){0};
    }
    return inner;
}

static void count_facet(struct corpus *facet, struct oy_record *record,
                        const struct oy_json_value *value, int is_url)
{
    struct oy_text key = {"kept", 4};
    const char *why;

    if (value->kind == OY_JSON_STRING &&
        oy_json_text(value, record->arena, &key, &record->n_repaired, &why))
        return;
    if (value->kind != OY_JSON_STRING && value->kind != OY_JSON_NULL)
        return;
    if (is_url)
        corpus_host_of(key.at, key.len, &key.at, &key.len);
    corpus_count(facet, key.at, key.len);
}

/* What lacks a member does not count there. A reason of null means kept. */
static void count_facets(const struct stat_job *job, struct corpus *corpus,
                         struct oy_record *record)
{
    struct oy_json_value value[N_PATH];

    for (int i = 0; i < N_PATH; i++)
        value[i] = record->found[job->place[i]];
    if (value[PATH_LANGUAGES].kind == OY_JSON_MISSING)
        value[PATH_LANGUAGES] = value[PATH_LANGUAGE];
    value[PATH_LANGUAGES] = first_label(&value[PATH_LANGUAGES]);
    if (value[PATH_LANGUAGES].kind == OY_JSON_STRING)
        count_facet(&corpus->facet[FACET_LANGUAGE], record,
                    &value[PATH_LANGUAGES], 0);
    count_facet(&corpus->facet[FACET_REASON], record, &value[PATH_REASON], 0);
    if (value[PATH_URL].kind == OY_JSON_STRING)
        count_facet(&corpus->facet[FACET_DOMAIN], record, &value[PATH_URL], 1);
}

static int judge(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct stat_job *job = self;
    struct oy_text key = {0};

    (void)pass;
    (void)err;
    if (job->settings->by && find_key(job, record, &key))
        return 0;
    corpus_add(worker, record->text.at, record->text.len, key.at, key.len);
    if (job->settings->format == FORMAT_HTML)
        count_facets(job, worker, record);
    return 0;
}

static int merge(void *self, void *worker, int pass, struct oy_error *err)
{
    const struct stat_job *job = self;

    (void)pass;
    (void)err;
    corpus_merge(job->corpus, worker);
    return 0;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    const struct stat_job *job = self;
    struct oy_buffer out = {0};
    int status = 0;

    corpus_sort(job->corpus);
    if (!job->is_silent) {
        corpus_put(job->corpus, job->other, job->settings, &out);
        status = oy_output_write(context->output, out.data, out.len, err);
    }
    oy_buffer_release(&out);
    return status;
}

static int ends_in_url(const char *path)
{
    const char *dot = strrchr(path, '.');

    return !strcmp(dot ? dot + 1 : path, "url");
}

/* The members to find: what --by names, then a page's, each once. */
static void list_fields(struct stat_job *job, const char *text,
                        const char **field)
{
    const struct corpus_settings *settings = job->settings;
    int n = 0;

    if (settings->by)
        field[n++] = settings->by;
    for (int i = 0; settings->format == FORMAT_HTML && i < N_PATH; i++) {
        const char *path = page_path[i];
        const int is_by = settings->by && !strcmp(path, settings->by);
        job->place[i] = is_by ? 1 : n + 1;
        if (!strcmp(path, text))
            job->place[i] = 0;
        else if (!is_by)
            field[n++] = path;
    }
    field[n] = NULL;
}

static int read_corpus(struct stat_job *job, struct oy_run *run,
                       struct oy_error *err)
{
    const char *field[N_PATH + 2];
    const struct oy_filter filter = {
        .self = job,
        .field = field,
        .wants_text = 1,
        .n_pass = 1,
        .output_kind = "statistics",
        .opens_no_output = job->is_silent,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .merge = merge,
        .finish = finish,
    };

    list_fields(job, run->field, field);
    return oy_filter_run(&filter, 1, run, NULL, err);
}

/* The other corpus is read by a run of its own that leaves no trace. */
static int read_other(struct stat_job *job, const struct oy_run *run,
                      struct oy_error *err)
{
    struct oy_run quiet = *run;

    quiet.input = (struct oy_list){0};
    oy_list_add(&quiet.input, job->settings->diff);
    quiet.stats = quiet.manifest = quiet.rejects = NULL;
    quiet.verbose = 0;
    quiet.quiet = 1;
    const int status = read_corpus(job, &quiet, err);
    oy_list_release(&quiet.input);
    return status;
}

int corpus_stat_run(const struct corpus_settings *settings, struct oy_run *run,
                    struct oy_error *err)
{
    struct corpus *corpus = oy_calloc(2, sizeof *corpus);
    struct stat_job job = {
        .settings = settings,
        .corpus = &corpus[1],
        .by_host = settings->by && ends_in_url(settings->by),
        .is_silent = 1,
    };
    int status = 0;

    init_corpus(&corpus[0], settings);
    init_corpus(&corpus[1], settings);
    if (settings->diff) {
        status = read_other(&job, run, err);
        job.other = &corpus[1];
    }
    job.corpus = &corpus[0];
    job.is_silent = 0;
    if (!status)
        status = read_corpus(&job, run, err);
    corpus_release(&corpus[0]);
    corpus_release(&corpus[1]);
    oy_free(corpus);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact and near duplicates as filters of the engine. */
#include "pipeline/dedup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/filter.h"
#include "core/hash.h"
#include "core/input.h"
#include "core/table.h"
#include "pipeline/exact.h"
#include "pipeline/jieba.h"
#include "pipeline/minhash.h"
#include "pipeline/near.h"
#include "pipeline/simplify.h"

struct dedup {
    const struct dedup_options *options;
    enum words_splitter splitter;
    struct jieba *jieba;
    int normalizes;
    int tells;  /* records carry oyster.dedup: two passes */
    int spills; /* exact hashes may outgrow --memory: two passes */
    struct minhash minhash;
    struct near near;      /* its cluster serves exact groups, too */
    struct oy_table table; /* of exact hashes, to the index in the cluster */
    struct exact exact;    /* instead of both, if it spills */
};

struct worker {
    struct simplify simplify;
    struct minhash_work minhash;
    uint64_t *signature; /* [n_lane] */
};

/* ---- workers ---- */

static void *worker_new(void *self)
{
    const struct dedup *dedup = self;
    struct worker *worker = oy_calloc(1, sizeof *worker);

    worker->minhash.words.jieba = dedup->jieba;
    worker->signature =
        oy_calloc(dedup->minhash.n_lane, sizeof *worker->signature);
    return worker;
}

static void worker_free(void *self, void *arg)
{
    struct worker *worker = arg;

    (void)self;
    simplify_release(&worker->simplify);
    minhash_work_release(&worker->minhash);
    oy_free(worker->signature);
    oy_free(worker);
}

static struct oy_text text_of(const struct dedup *dedup, struct worker *worker,
                              const struct oy_record *record)
{
    struct oy_text text = record->text;

    if (dedup->normalizes)
        text.at =
            simplify_text(&worker->simplify, text.at, text.len, &text.len);
    return text;
}

/* ---- exact ---- */

static int judge_exact(void *self, void *worker, struct oy_record *record,
                       int pass, struct oy_error *err)
{
    const struct dedup *dedup = self;

    (void)err;
    if (pass == 1)
        return 0;
    const struct oy_text text = text_of(dedup, worker, record);
    const struct oy_hash128 hash = oy_hash128(text.at, text.len);
    record->word[0] = hash.high;
    record->word[1] = hash.low;
    return 0;
}

static struct oy_hash128 hash_of(const struct oy_record *record)
{
    return (struct oy_hash128){record->word[0], record->word[1]};
}

static int is_new(struct dedup *dedup, const struct oy_record *record,
                  uint64_t value, uint64_t *old, struct oy_error *err)
{
    return oy_table_add(&dedup->table, hash_of(record), value, old, err);
}

/* The one pass. */
static int settle_exact(void *self, struct oy_record *record,
                        struct oy_filter_context *context, struct oy_error *err)
{
    const int rc = is_new(self, record, 0, NULL, err);

    (void)context;
    if (rc == 0) {
        record->fate = OY_DROP;
        record->reason = "exact_duplicate";
    }
    return rc < 0 ? -1 : 0;
}

/* The first of two: joins the record to the first of its kind. */
static int gather_exact(struct dedup *dedup, const struct oy_record *record,
                        struct oy_error *err)
{
    struct cluster *cluster = &dedup->near.cluster;
    uint64_t first;
    const uint32_t self = (uint32_t)cluster->n;

    if (dedup->spills)
        return exact_add(&dedup->exact, record->number, hash_of(record), err);
    if (cluster_add(cluster, record->number, err))
        return -1;
    const int rc = is_new(dedup, record, self, &first, err);
    if (rc == 0)
        cluster_join(cluster, (uint32_t)first, self);
    return rc < 0 ? -1 : 0;
}

/* ---- near ---- */

/* Leaves the band keys, and behind them the signature where it is kept; a
 * blob of no bytes says that the text is too short. */
static int judge_near(void *self, void *arg, struct oy_record *record, int pass,
                      struct oy_error *err)
{
    const struct dedup *dedup = self;
    const struct minhash *minhash = &dedup->minhash;
    struct worker *worker = arg;

    (void)err;
    if (pass == 1)
        return 0;
    const struct oy_text text = text_of(dedup, worker, record);
    if (text.len >= UINT32_MAX) {
        oy_record_fail(record, "text of 4 GiB or more");
        return 0;
    }
    const size_t n = dedup->normalizes && dedup->splitter == WORDS_WS
                         ? minhash_simple_shingles(minhash, &worker->minhash,
                                                   text.at, text.len)
                         : minhash_shingles(minhash, &worker->minhash,
                                            dedup->splitter, text.at, text.len);
    if (!n)
        return 0;
    minhash_sign(minhash, worker->minhash.hash, n, worker->signature);
    const size_t n_band = (size_t)minhash->n_band;
    const size_t n_word =
        n_band + (dedup->near.keeps_signatures ? minhash->n : 0);
    uint64_t *blob = oy_arena_array(record->arena, n_word, sizeof *blob);
    minhash_keys(minhash, worker->signature, blob);
    memcpy(blob + n_band, worker->signature, (n_word - n_band) * sizeof *blob);
    record->blob = blob;
    record->blob_len = n_word * sizeof *blob;
    return 0;
}

static int gather_near(struct dedup *dedup, const struct oy_record *record,
                       struct oy_filter_context *context, struct oy_error *err)
{
    const uint64_t *blob = record->blob;

    if (!record->blob_len) {
        oy_counter_add(context->counter, "too_short_to_compare", 1);
        return 0;
    }
    return near_add(&dedup->near, record->number, blob,
                    blob + dedup->minhash.n_band, err);
}

/* ---- two passes ---- */

static void tell(struct oy_record *record, int keep,
                 const struct cluster_answer *answer)
{
    enum { SIZE = 128 };
    char *json = oy_arena_alloc(record->arena, SIZE);
    char number[24] = "null";

    if (answer->is_member)
        snprintf(number, sizeof number, "%" PRIu64, answer->first);
    const int len = snprintf(
        json, SIZE, "{\"keep\":%s,\"cluster\":%s,\"size\":%" PRIu64 "}",
        keep ? "true" : "false", number, answer->size);
    oy_record_set_part(record, "dedup", json, (size_t)len);
}

static int decide(struct dedup *dedup, struct oy_record *record,
                  struct oy_error *err)
{
    struct cluster_answer answer;

    if (!dedup->spills)
        answer = cluster_find(&dedup->near.cluster, record->number);
    else if (exact_find(&dedup->exact, record->number, &answer, err))
        return -1;
    const int stays =
        dedup->options->keep == DEDUP_KEEP_DATATROVE && dedup->options->near
            ? answer.is_root
            : answer.is_first;
    const int keep = !answer.is_member || stays;

    if (dedup->tells && (dedup->options->annotate || !keep))
        tell(record, keep, &answer);
    if (keep || dedup->options->annotate)
        return 0;
    record->fate = OY_DROP;
    record->reason =
        dedup->options->near ? "near_duplicate" : "exact_duplicate";
    return 0;
}

static int settle_twice(void *self, struct oy_record *record,
                        struct oy_filter_context *context, struct oy_error *err)
{
    struct dedup *dedup = self;

    if (context->pass == 1)
        return decide(dedup, record, err);
    return dedup->options->near ? gather_near(dedup, record, context, err)
                                : gather_exact(dedup, record, err);
}

static int close_groups(struct dedup *dedup, uint64_t *n_group,
                        struct oy_error *err)
{
    if (dedup->spills) {
        if (exact_close(&dedup->exact, err))
            return -1;
        *n_group = dedup->exact.n_group;
        return 0;
    }
    if (dedup->options->near) {
        if (near_cluster(&dedup->near, err))
            return -1;
    } else {
        oy_table_release(&dedup->table);
        cluster_close(&dedup->near.cluster);
    }
    *n_group = cluster_count(&dedup->near.cluster);
    return 0;
}

static int finish_pass(void *self, struct oy_filter_context *context,
                       struct oy_error *err)
{
    struct dedup *dedup = self;
    uint64_t n_group;

    if (context->pass == 1)
        return 0;
    if (close_groups(dedup, &n_group, err))
        return -1;
    /* What is counted must not tell whether the memory was enough. */
    if (dedup->options->near || dedup->tells)
        oy_counter_add(context->counter, "clusters", n_group);
    return 0;
}

/* ---- the budget ---- */

/* Bytes of a regular file that is not compressed; else no bound is known, -1.
 * What cannot be opened is told by the engine. */
static int64_t plain_size(const char *path)
{
    struct oy_error ignored = {0};
    struct stat st;
    int64_t size = -1;

    /* Opening a pipe would take its first bytes. */
    if (strcmp(path, "-") == 0 || stat(path, &st) || !S_ISREG(st.st_mode))
        return -1;
    struct oy_input *input = oy_input_open(path, &ignored);
    if (input && oy_input_codec(input) == OY_CODEC_PLAIN)
        size = oy_input_size(input);
    oy_input_close(input);
    return size;
}

/* Whether the hashes of this input might not fit into --memory. The shortest
 * record is {"F":""} and its LF. */
static int may_spill(const struct dedup *dedup, const struct oy_run *run)
{
    enum { CLUSTER_SIZE = 20 * 3 / 2 }; /* a document in pipeline/cluster */
    const uint64_t shortest = strlen(run->field) + 8;
    uint64_t n = 0;

    if (!run->memory || !run->input.n_item)
        return run->memory > 0;
    for (size_t i = 0; i < run->input.n_item; i++) {
        const int64_t size = plain_size(run->input.item[i]);
        if (size < 0)
            return 1;
        n += (uint64_t)size / shortest + 1;
    }
    return oy_table_need(&dedup->table, n) +
               (dedup->tells ? n * CLUSTER_SIZE : 0) >
           run->memory;
}

/* ---- the program ---- */

static int check(struct dedup *dedup, struct oy_error *err)
{
    const struct dedup_options *options = dedup->options;

    if (options->exact + options->near != 1)
        return oy_fail(err, OY_USAGE, "choose one of --exact and --near");
    if (options->words)
        dedup->splitter = words_splitter_of(options->words);
    if (options->words && dedup->splitter == WORDS_NONE)
        return oy_fail(err, OY_USAGE, "--words: there is no splitter '%s'",
                       options->words);
    if (options->near && !options->words)
        return oy_fail(err, OY_USAGE,
                       "--near needs --words: what a word is decides which "
                       "documents are near duplicates");
    return words_check(dedup->splitter, err);
}

static struct oy_filter filter_of(struct dedup *dedup)
{
    const int twice = dedup->options->near || dedup->tells || dedup->spills;

    return (struct oy_filter){
        .self = dedup,
        .wants_text = 1,
        .n_pass = twice ? 2 : 1,
        .writes_records = 1,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = dedup->options->near ? judge_near : judge_exact,
        .settle = twice ? settle_twice : settle_exact,
        .finish = twice ? finish_pass : NULL,
    };
}

int dedup_run(const struct dedup_options *options, struct oy_run *run,
              struct oy_error *err)
{
    struct dedup dedup = {.options = options};

    if (check(&dedup, err))
        return -1;
    dedup.tells = options->annotate || run->dropped;
    dedup.normalizes = options->normalize == DEDUP_AUTO
                           ? options->near
                           : options->normalize == DEDUP_DATATROVE;
    minhash_init(&dedup.minhash, (int)options->bands, (int)options->rows,
                 (int)options->shingle, (enum minhash_hash)options->hash,
                 (uint64_t)options->hash_seed);
    near_init(&dedup.near, (int)options->bands, (int)options->rows,
              options->keep == DEDUP_KEEP_DATATROVE, run->memory);
    oy_table_init(&dedup.table, dedup.tells, run->memory);
    dedup.spills = options->exact && may_spill(&dedup, run);
    int rc = jieba_load_for(dedup.splitter, options->dictionary, run,
                            &dedup.jieba, err);
    if (rc == 0 && dedup.spills)
        rc = exact_init(&dedup.exact, run->memory, run->tmpdir, err);
    const struct oy_filter filter = filter_of(&dedup);
    if (rc == 0)
        rc = oy_filter_run(&filter, 1, run, NULL, err);
    exact_release(&dedup.exact);
    minhash_release(&dedup.minhash);
    near_release(&dedup.near);
    jieba_free(dedup.jieba);
    oy_table_release(&dedup.table);
    return rc;
}

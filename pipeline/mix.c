/* SPDX-License-Identifier: Apache-2.0
 *
 * Mixing as a filter of the engine. */
#include "pipeline/mix.h"

#include <string.h>

#include "core/alloc.h"
#include "core/filter.h"
#include "core/hash.h"
#include "core/random.h"
#include "pipeline/mix_plan.h"
#include "pipeline/shuffle.h"

/* What random numbers are for, so that no two uses draw the same ones. */
static const uint64_t FOR_FRACTION = 0x6d69782d66726163;
static const uint64_t FOR_QUOTA = 0x6d69782d71756f74;
static const uint64_t FOR_ORDER = 0x6d69782d6f726465;
static const uint64_t FOR_SPLIT = 0x6d69782d73706c69;

/* One part of a split. */
struct part {
    struct oy_output *output;
    char *path;
    uint64_t records;
};

struct mix {
    const struct mix_options *options;
    uint64_t seed;
    struct mix_shares weights, split;
    int has_quotas; /* two passes: records are counted first */
    struct mix_plan plan;
    struct shuffle *shuffle;
    struct part *part; /* [split.n] */
    struct oy_manifest_file *made;
    struct oy_output *output; /* the engine's */
    uint64_t n_written;
    struct oy_buffer line;
};

/* ---- sources ---- */

/* The bytes of the member: of a string those between its quotes, unescaped. */
static int source_name(const struct oy_record *record, struct oy_text *name)
{
    const struct oy_json_value *value = &record->found[1];
    uint64_t n_repaired = 0;
    const char *why;

    *name = (struct oy_text){value->at, value->len};
    if (value->kind != OY_JSON_STRING)
        return 0;
    return oy_json_text(value, record->arena, name, &n_repaired, &why);
}

static int judge(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct mix *mix = self;
    struct oy_text name = {0};

    (void)worker;
    (void)pass;
    (void)err;
    if (!mix->options->weights)
        return 0;
    if (!mix->options->by) {
        record->word[0] = mix_shares_find_file(&mix->weights, record->file);
        return 0;
    }
    if (source_name(record, &name))
        oy_record_fail(record, "field '%s' is a damaged string",
                       mix->options->by);
    else
        record->word[0] = mix_shares_find(&mix->weights, name.at, name.len);
    return 0;
}

/* ---- where a line goes ---- */

/* A hash of seed and line decides, so that a line goes where it went before
 * whatever stands around it. */
static size_t part_of(const struct mix *mix, const char *line, size_t len)
{
    struct oy_random random =
        oy_random_at(mix->seed ^ FOR_SPLIT, oy_hash64(line, len));
    double at = oy_random_unit(&random) * mix->split.sum;
    size_t i = 0;

    while (i + 1 < mix->split.n && at >= mix->split.item[i].weight)
        at -= mix->split.item[i++].weight;
    return i;
}

static int put(void *arg, const char *line, size_t len, struct oy_error *err)
{
    struct mix *mix = arg;

    if (!mix->part) {
        mix->n_written++;
        return oy_output_write(mix->output, line, len, err);
    }
    struct part *part = &mix->part[part_of(mix, line, len - 1)];
    part->records++;
    return oy_output_write(part->output, line, len, err);
}

static int send_copy(struct mix *mix, const struct oy_record *record,
                     uint64_t copy, struct oy_error *err)
{
    struct oy_random random =
        oy_random_at(mix->seed ^ FOR_ORDER ^ oy_mix64(copy), record->number);

    if (mix->shuffle)
        return shuffle_add(mix->shuffle, oy_random_next(&random),
                           mix->line.data, mix->line.len, err);
    return put(mix, mix->line.data, mix->line.len, err);
}

/* ---- which records ---- */

static uint64_t copies_of(struct mix *mix, const struct oy_record *record)
{
    struct oy_random random =
        oy_random_at(mix->seed ^ FOR_FRACTION, record->number);

    if (mix->has_quotas)
        return mix_plan_copies(&mix->plan, record->word[0], record->number);
    return oy_random_unit(&random) < mix->options->fraction;
}

static int settle(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err)
{
    struct mix *mix = self;

    if (mix->has_quotas && context->pass == 0) {
        mix_plan_count(&mix->plan, record->word[0]);
        return 0;
    }
    const uint64_t n = copies_of(mix, record);
    if (!n) {
        record->fate = OY_DROP;
        record->reason = "not_taken";
        return 0;
    }
    mix->output = context->output;
    oy_buffer_clear(&mix->line);
    oy_record_write(record, 0, &mix->line);
    for (uint64_t copy = 0; copy < n; copy++) {
        if (send_copy(mix, record, copy, err))
            return -1;
    }
    return 0;
}

/* ---- the end ---- */

static const char *suffix(const struct oy_run *run)
{
    switch (run->codec) {
    case OY_CODEC_PLAIN: return ".jsonl";
    case OY_CODEC_GZIP: return ".jsonl.gz";
    default: return ".jsonl.zst";
    }
}

static int open_parts(struct mix *mix, const struct oy_run *run,
                      struct oy_error *err)
{
    const struct oy_output_options options = {
        .codec = run->codec < 0 ? OY_CODEC_ZSTD : run->codec,
        .level = run->level,
        .n_thread = oy_run_threads(run),
    };

    mix->part = oy_calloc(mix->split.n, sizeof *mix->part);
    for (size_t i = 0; i < mix->split.n; i++) {
        struct part *part = &mix->part[i];
        part->path = oy_asprintf("%s-%s%s", run->output,
                                 mix->split.item[i].name, suffix(run));
        part->output = oy_output_open(part->path, &options, err);
        if (!part->output)
            return -1;
    }
    return 0;
}

/* All parts are durable before the first of them is seen. */
static int commit_parts(struct mix *mix, struct oy_filter_context *context,
                        struct oy_error *err)
{
    mix->made = oy_calloc(mix->split.n, sizeof *mix->made);
    for (size_t i = 0; i < mix->split.n; i++) {
        struct part *part = &mix->part[i];
        struct oy_manifest_file *made = &mix->made[i];
        made->name = made->path = part->path;
        made->kind = "records";
        made->bytes = oy_output_bytes(part->output);
        made->records = part->records;
        oy_hash128_text(oy_output_digest(part->output), made->hash);
        oy_counter_add(context->counter, mix->split.item[i].name,
                       part->records);
        if (oy_output_finish(part->output, err))
            return -1;
    }
    for (size_t i = 0; i < mix->split.n; i++) {
        struct oy_output *output = mix->part[i].output;
        mix->part[i].output = NULL;
        if (oy_output_commit_as(output, mix->part[i].path, err))
            return -1;
    }
    context->made = mix->made;
    context->n_made = (int)mix->split.n;
    return 0;
}

static void tell_sources(const struct mix *mix,
                         struct oy_filter_context *context)
{
    for (size_t i = 0; i < mix->weights.n; i++) {
        char *name = oy_asprintf("from_%s", mix->weights.item[i].name);
        oy_counter_add(context->counter, name, mix->plan.source[i].quota);
        oy_free(name);
    }
    if (mix->weights.n)
        oy_counter_add(context->counter, "from_others",
                       mix->plan.source[mix->weights.n].quota);
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct mix *mix = self;
    const int64_t take = mix->options->take;

    if (mix->has_quotas && context->pass == 0)
        return mix_plan_close(&mix->plan, take, mix->options->fraction, err);
    mix->output = context->output;
    if (mix->shuffle && shuffle_drain(mix->shuffle, put, mix, err))
        return -1;
    tell_sources(mix, context);
    context->n_written = mix->n_written;
    return mix->part ? commit_parts(mix, context, err) : 0;
}

/* ---- the program ---- */

static int check(struct mix *mix, const struct oy_run *run,
                 struct oy_error *err)
{
    const struct mix_options *options = mix->options;

    if (options->take >= 0 && oy_options_given(run->program, "fraction"))
        return oy_fail(err, OY_USAGE, "choose one of --take and --fraction");
    if (options->by && !options->weights)
        return oy_fail(err, OY_USAGE, "--by needs --weights");
    if (options->split && (!run->output || !strcmp(run->output, "-")))
        return oy_fail(err, OY_USAGE, "--split needs -o PREFIX");
    if (options->weights &&
        mix_shares_read(&mix->weights, "weights", options->weights, err))
        return -1;
    if (!options->split)
        return 0;
    if (mix_shares_read(&mix->split, "split", options->split, err))
        return -1;
    for (size_t i = 0; i < mix->split.n; i++) {
        if (strchr(mix->split.item[i].name, '/'))
            return oy_fail(err, OY_USAGE, "--split: '%s' is no part of a name",
                           mix->split.item[i].name);
    }
    return 0;
}

static void release(struct mix *mix)
{
    for (size_t i = 0; mix->part && i < mix->split.n; i++) {
        oy_output_discard(mix->part[i].output);
        oy_free(mix->part[i].path);
    }
    oy_free(mix->part);
    oy_free(mix->made);
    oy_buffer_release(&mix->line);
    shuffle_free(mix->shuffle);
    mix_plan_release(&mix->plan);
    mix_shares_release(&mix->weights);
    mix_shares_release(&mix->split);
}

static int run_engine(struct mix *mix, struct oy_run *run, struct oy_error *err)
{
    const char *const field[] = {run->field, mix->options->by, NULL};
    const struct oy_filter filter = {
        .self = mix,
        .field = field,
        .n_pass = mix->has_quotas ? 2 : 1,
        .opens_no_output = mix->options->split != NULL,
        .judge = judge,
        .settle = settle,
        .finish = finish,
    };

    return oy_filter_run(&filter, 1, run, NULL, err);
}

int mix_run(const struct mix_options *options, struct oy_run *run,
            struct oy_error *err)
{
    struct mix mix = {.options = options, .seed = (uint64_t)run->seed};
    int rc = check(&mix, run, err);

    mix.has_quotas = options->weights || options->take >= 0;
    mix_plan_init(&mix.plan, options->weights ? &mix.weights : NULL,
                  mix.seed ^ FOR_QUOTA);
    if (options->shuffle)
        mix.shuffle = shuffle_new(run->tmpdir, run->memory);
    if (rc == 0 && options->split)
        rc = open_parts(&mix, run, err);
    if (rc == 0)
        rc = run_engine(&mix, run, err);
    release(&mix);
    return rc;
}

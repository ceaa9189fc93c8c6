/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts a training run together and steps through it.
 */
#include "model/trainer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/json.h"
#include "core/log.h"
#include "core/output.h"
#include "model/train_batch.h"
#include "model/train_log.h"
#include "model/train_report.h"
#include "model/train_state.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_document.h"

enum {
    DEFAULT_SEQ_LEN = 512,
    MAX_BAD_STEPS = 3,
    MAX_CONFIG_FILE = 1 << 24,
};

struct trainer {
    const struct trainer_options *options;
    struct schedule schedule;
    size_t seq_len;
    uint64_t n_step;       /* of the whole run */
    const char *tokenizer; /* path, or NULL */
    char *tokenizer_file;  /* the file that it led to */
    struct oy_hash128 tokenizer_hash;

    struct decoder_config config;
    int has_experts;
    struct weight_layout layout;
    struct oy_pool *pool;
    struct gemm *gemm;
    float *weights;
    struct optimizer optimizer;
    struct decoder *decoder;

    struct feed *feed, *valid; /* valid: NULL without validation */
    struct train_batch *batch; /* [accumulate] */
    int n_batch;               /* filled */
    struct train_state state;
    struct train_report report;
    struct train_log *log;
    int n_bad;               /* steps in a row that were not finite */
    struct profile *profile; /* NULL: none is wanted */
};

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the model ---- */

/* The tokenizer says how many ids there are and where texts end. */
static int take_tokenizer(struct trainer *t, struct oy_error *err)
{
    struct decoder_config *const c = &t->config;
    struct tokenizer *tokenizer;

    if (!t->tokenizer)
        return 0;
    tokenizer = tokenizer_load(t->tokenizer, err);
    if (!tokenizer)
        return -1;
    const int n = tokenizer_size(tokenizer);
    const int bos = tokenizer_bos(tokenizer), eos = tokenizer_eos(tokenizer);
    t->tokenizer_hash = tokenizer_hash(tokenizer);
    t->tokenizer_file = oy_strdup(tokenizer_path(tokenizer));
    tokenizer_free(tokenizer);
    if (c->n_vocab == 0) {
        c->n_vocab = n;
        c->bos_id = bos;
        c->n_eos = eos >= 0;
        c->eos_id[0] = eos;
    }
    if (n > c->n_vocab)
        return oy_fail(err, OY_DATA, "%s: %d ids do not fit a model of %d",
                       t->tokenizer, n, c->n_vocab);
    return 0;
}

static int read_config_file(struct trainer *t, const char *path,
                            struct oy_error *err)
{
    size_t len;
    char *const text = oy_input_slurp(path, MAX_CONFIG_FILE, &len, err);
    const int rc = text ? config_parse(&t->config, path, text, len, err) : -1;

    oy_free(text);
    return rc;
}

static int choose_model(struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;

    t->tokenizer = o->tokenizer;
    if (!t->tokenizer && o->init && tokenizer_document_is_in(o->init))
        t->tokenizer = o->init;
    if (o->init && config_read(&t->config, o->init, err) != 0)
        return -1;
    if (o->config_file && read_config_file(t, o->config_file, err) != 0)
        return -1;
    if (o->preset && config_preset(&t->config, o->preset) != 0)
        return oy_fail(err, OY_USAGE, "unknown preset '%s'", o->preset);
    if (config_check_trainable(&t->config, err) != 0)
        return -1;
    t->has_experts = config_has_experts(&t->config);
    if (t->has_experts && t->config.moe.is_normalised &&
        t->config.moe.n_used == 1)
        oy_warn("with num_experts_per_tok 1 and norm_topk_prob true the "
                "router learns from its balance alone");
    return take_tokenizer(t, err);
}

/* What the user said, else what the stream says, else 512 if the model has so
 * many positions. */
static size_t wanted_length(const struct trainer *t)
{
    const int64_t max = t->config.max_position;

    if (t->options->seq_len > 0)
        return (size_t)t->options->seq_len;
    return (size_t)(max < DEFAULT_SEQ_LEN ? max : DEFAULT_SEQ_LEN);
}

static int settle_length(struct trainer *t, struct oy_error *err)
{
    t->seq_len = feed_info(t->feed)->seq_len;
    if (t->seq_len > (size_t)t->config.max_position)
        return oy_fail(err, OY_USAGE,
                       "rows of %zu tokens are longer than the model's %d "
                       "positions",
                       t->seq_len, t->config.max_position);
    return 0;
}

static int check_feed(const struct trainer *t, const struct feed *feed,
                      struct oy_error *err)
{
    const struct feed_info *const info = feed_info(feed);

    if (info->n_vocab > (uint32_t)t->config.n_vocab)
        return oy_fail(err, OY_DATA,
                       "tokens of a vocabulary of %u do not fit a model of %d",
                       info->n_vocab, t->config.n_vocab);
    if (t->tokenizer && info->has_tokenizer &&
        (info->tokenizer.high != t->tokenizer_hash.high ||
         info->tokenizer.low != t->tokenizer_hash.low))
        return oy_fail(err, OY_DATA,
                       "%s: the tokens were made with another tokenizer",
                       t->tokenizer);
    return 0;
}

/* A stream knows the size of its vocabulary; a preset has none yet. */
static int settle_vocabulary(struct trainer *t, struct oy_error *err)
{
    if (t->config.n_vocab == 0)
        t->config.n_vocab = (int)feed_info(t->feed)->n_vocab;
    if (t->config.n_vocab == 0)
        return oy_fail(err, OY_USAGE,
                       "a preset needs a tokenizer for ready-made rows: give "
                       "-t TOKENIZER");
    if (check_feed(t, t->feed, err) != 0)
        return -1;
    if (t->valid && check_feed(t, t->valid, err) != 0)
        return oy_fail_at(err, "%s", t->options->valid);
    return 0;
}

/* ---- the length of the run ---- */

static int choose_steps(struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;
    const struct feed_info *const info = feed_info(t->feed);
    const double rows = (double)(o->batch_rows * o->accumulate);
    const double epochs = o->epochs > 0.0 ? o->epochs : 1.0;

    if (o->steps >= 0) {
        t->n_step = (uint64_t)o->steps;
    } else if (o->tokens > 0) {
        if (info->has_rows)
            return oy_fail(err, OY_USAGE,
                           "rows have no fixed length: give --steps or "
                           "--epochs in place of --tokens");
        t->n_step =
            (uint64_t)ceil((double)o->tokens / rows / (double)t->seq_len);
    } else if (!info->is_stream) {
        t->n_step = (uint64_t)ceil(epochs * (double)info->n_row / rows);
    } else {
        return oy_fail(err, OY_USAGE,
                       "the length of a pipe is not known: give --steps or "
                       "--tokens");
    }
    t->schedule = o->schedule;
    t->schedule.steps = (int64_t)t->n_step;
    return 0;
}

/* ---- memory ---- */

/* Tokens of a row that go in, at most: with experts the last id too. */
static size_t row_tokens(const struct trainer *t)
{
    return t->seq_len + (size_t)t->has_experts;
}

static uint64_t planned_memory(const struct trainer *t)
{
    const size_t n = (size_t)t->options->batch_rows * row_tokens(t);

    return (uint64_t)t->layout.n_float * sizeof(float) +
           optimizer_memory(&t->layout, &t->options->optimizer) +
           decoder_memory(&t->layout, n, row_tokens(t));
}

static void put_plan(const struct trainer *t, struct oy_buffer *out)
{
    const struct trainer_options *const o = t->options;
    const struct feed_info *const info = feed_info(t->feed);

    oy_buffer_append_format(
        out,
        "{\"weights\":%llu,\"active_weights\":%llu,\"vocab_size\":%d,"
        "\"memory\":%llu,\"steps\":%llu,"
        "\"rows_per_step\":%lld,\"seq_len\":%zu,\"tokens_per_step\":%llu",
        (unsigned long long)config_count_weights(&t->config),
        (unsigned long long)config_count_active(&t->config), t->config.n_vocab,
        (unsigned long long)planned_memory(t), (unsigned long long)t->n_step,
        (long long)(o->batch_rows * o->accumulate), t->seq_len,
        (unsigned long long)(o->batch_rows * o->accumulate) * t->seq_len);
    if (info->n_row > 0)
        oy_buffer_append_format(out, ",\"rows\":%llu,\"tokens\":%llu",
                                (unsigned long long)info->n_row,
                                (unsigned long long)info->n_token);
    oy_buffer_append_format(out, ",\"shuffled\":%s,\"kernel\":\"%s\"}\n",
                            info->is_shuffled ? "true" : "false",
                            gemm_kernel_name(t->gemm));
}

static int print_plan(const struct trainer *t, struct oy_error *err)
{
    struct oy_buffer plan = {0};
    int rc = 0;

    put_plan(t, &plan);
    if (fwrite(plan.data, 1, plan.len, stdout) != plan.len ||
        fflush(stdout) != 0)
        rc = oy_fail_errno(err, OY_IO, "standard output");
    oy_buffer_release(&plan);
    return rc;
}

static int take_memory(struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;
    const size_t n = (size_t)o->batch_rows * row_tokens(t);

    t->weights = weights_new(&t->layout, err);
    if (!t->weights || optimizer_init(&t->optimizer, &t->layout, &o->optimizer,
                                      t->gemm, err) != 0)
        return -1;
    t->decoder = decoder_new(&t->layout, t->gemm, n, row_tokens(t), err);
    if (!t->decoder)
        return -1;
    t->batch = oy_calloc((size_t)o->accumulate, sizeof *t->batch);
    for (int64_t i = 0; i < o->accumulate; i++)
        train_batch_init(&t->batch[i], (size_t)o->batch_rows, row_tokens(t));
    return 0;
}

static int check_memory(const struct trainer *t, struct oy_error *err)
{
    const uint64_t need = planned_memory(t);

    oy_note("%llu weights, %llu MiB, kernel %s, %d threads",
            (unsigned long long)config_count_weights(&t->config),
            (unsigned long long)(need >> 20), gemm_kernel_name(t->gemm),
            oy_pool_size(t->pool));
    if (t->options->memory > 0 && need > t->options->memory)
        return oy_fail(err, OY_SYSTEM,
                       "%llu MiB are needed, --memory allows %llu: take fewer "
                       "--batch-rows and --accumulate more",
                       (unsigned long long)(need >> 20),
                       (unsigned long long)(t->options->memory >> 20));
    return 0;
}

/* ---- beginning and resuming ---- */

static struct checkpoint checkpoint_of(struct trainer *t)
{
    return (struct checkpoint){.layout = &t->layout,
                               .weights = t->weights,
                               .optimizer = &t->optimizer,
                               .state = &t->state,
                               .tokenizer = t->tokenizer,
                               .tokenizer_hash = t->tokenizer_hash,
                               .report = t->report.program ? &t->report : NULL};
}

static void describe_run(const struct trainer *t, struct train_state *state)
{
    state->seed = t->options->seed;
    state->seq_len = t->seq_len;
    state->batch_rows = (uint64_t)t->options->batch_rows;
    state->accumulate = (uint64_t)t->options->accumulate;
    state->is_shuffled = (uint64_t)feed_info(t->feed)->is_shuffled;
    state->optimizer = (uint64_t)t->options->optimizer.kind;
}

static int go_on(struct trainer *t, struct oy_error *err)
{
    const struct checkpoint checkpoint = checkpoint_of(t);
    struct train_state wanted = {0};

    if (checkpoint_resume(&checkpoint, t->options->output, err) != 0)
        return -1;
    describe_run(t, &wanted);
    if (wanted.seed != t->state.seed || wanted.seq_len != t->state.seq_len ||
        wanted.batch_rows != t->state.batch_rows ||
        wanted.accumulate != t->state.accumulate ||
        wanted.is_shuffled != t->state.is_shuffled ||
        wanted.optimizer != t->state.optimizer)
        return oy_fail(err, OY_DATA,
                       "%s: was trained with another --seed, --seq-len, "
                       "--batch-rows, --accumulate, --order or --optimizer",
                       t->options->output);
    oy_note("%s: going on after step %llu", t->options->output,
            (unsigned long long)t->state.step);
    return feed_skip(t->feed, t->state.n_row, t->state.data_hash, err);
}

static int begin(struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;

    if (o->resume && checkpoint_can_resume(o->output))
        return go_on(t, err);
    describe_run(t, &t->state);
    if (o->init)
        return weights_read(&t->layout, t->weights, o->init, err);
    weights_init_random(&t->layout, t->weights, o->seed);
    return 0;
}

static int save(struct trainer *t, struct oy_error *err)
{
    const struct checkpoint checkpoint = checkpoint_of(t);

    t->state.n_update = t->optimizer.n_update;
    t->state.n_row = feed_position(t->feed);
    t->state.data_hash = feed_hash(t->feed);
    return checkpoint_write(&checkpoint, t->options->output, err);
}

/* ---- what it was ---- */

/* Hashes all inputs, before the first step: what is missing is told soon. */
static int note_inputs(struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;
    struct train_report *const report = &t->report;
    const char *const kind = feed_info(t->feed)->kind;
    int rc = 0;

    report->program = o->program;
    if (!report->program)
        return 0;
    for (int i = 0; i < o->feed.n_path && rc == 0; i++)
        rc = train_report_add(report, kind, o->feed.path[i], err);
    if (o->feed.n_path == 0)
        rc = train_report_add(report, kind, "-", err);
    if (rc == 0 && t->tokenizer_file)
        rc = train_report_add(report, "tokenizer", t->tokenizer_file, err);
    if (rc == 0 && o->config_file)
        rc = train_report_add(report, "config", o->config_file, err);
    if (rc == 0 && o->init) {
        char *const path = oy_asprintf("%s/model.safetensors", o->init);
        if (access(path, F_OK) == 0)
            rc = train_report_add(report, "checkpoint", path, err);
        oy_free(path);
    }
    return rc;
}

/* The manifest of the checkpoint again, and the counts. */
static int tell(const struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;

    if (o->stats &&
        train_report_write_stats(&t->report, o->stats, &t->state, err) != 0)
        return -1;
    if (!o->manifest)
        return 0;
    char *const path = oy_asprintf("%s/manifest.json", o->output);
    size_t len;
    char *const text = oy_input_slurp(path, MAX_CONFIG_FILE, &len, err);
    const int rc =
        text ? oy_output_write_file(o->manifest, text, len, err) : -1;
    oy_free(text);
    oy_free(path);
    return rc;
}

/* ---- validation ---- */

static int sum_validation(struct trainer *t, struct feed *feed,
                          struct decoder_sums *all, struct oy_error *err)
{
    static const struct decoder_loss_options plain = {0};
    struct train_batch *const batch = &t->batch[0];
    struct decoder_sums sums;

    for (;;) {
        if (train_batch_fill(batch, feed, (size_t)t->options->batch_rows,
                             t->config.n_vocab, err) != 0)
            return -1;
        if (batch->n_row == 0)
            return 0;
        decoder_forward(t->decoder, t->weights, &batch->decoder);
        decoder_loss(t->decoder, t->weights, NULL, &plain, 1.0, &sums);
        all->ce += sums.ce;
        all->n_target += sums.n_target;
    }
}

static int validate(struct trainer *t, struct oy_error *err)
{
    struct decoder_sums all = {0};
    uint64_t text_bytes;

    if (!t->valid)
        return 0;
    if (feed_rewind(t->valid, err) != 0 ||
        sum_validation(t, t->valid, &all, err) != 0)
        return oy_fail_at(err, "%s", t->options->valid);
    if (all.n_target == 0)
        return oy_fail(err, OY_DATA, "%s: no tokens to validate on",
                       t->options->valid);
    text_bytes = feed_info(t->valid)->text_bytes;
    return train_log_valid(
        t->log, t->state.step, all.ce / (double)all.n_target,
        text_bytes > 0 ? all.ce / M_LN2 / (double)text_bytes : -1.0, err);
}

/* ---- a step ---- */

/* Fills the step's micro-batches; the step's tokens, targets and rows. */
static int fill_step(struct trainer *t, uint64_t *n_token, uint64_t *n_target,
                     uint64_t *n_row, struct oy_error *err)
{
    *n_token = *n_target = *n_row = 0;
    t->n_batch = 0;
    while (t->n_batch < t->options->accumulate) {
        struct train_batch *const batch = &t->batch[t->n_batch];
        if (train_batch_fill(batch, t->feed, (size_t)t->options->batch_rows,
                             t->config.n_vocab, err) != 0)
            return -1;
        if (batch->n_row == 0)
            break;
        t->n_batch++;
        *n_row += batch->n_row;
        *n_token += batch->decoder.n_token;
        *n_target += batch->n_target;
    }
    return 0;
}

/* Loss and gradients of the step's micro-batches. */
static void learn(struct trainer *t, uint64_t n_target,
                  struct train_log_step *step)
{
    const int micro = t->options->loss_average == LOSS_MICRO;
    struct decoder_sums sums;

    step->has_aux = t->has_experts;
    for (int i = 0; i < t->n_batch; i++) {
        const struct train_batch *const batch = &t->batch[i];
        const double whole =
            micro ? (double)batch->n_target * t->n_batch : (double)n_target;
        const double scale = whole > 0.0 ? 1.0 / whole : 0.0;
        if (batch->n_target == 0 && !t->has_experts)
            continue;
        decoder_forward(t->decoder, t->weights, &batch->decoder);
        decoder_loss(t->decoder, t->weights, t->optimizer.gradient,
                     &t->options->loss, scale, &sums);
        decoder_backward(t->decoder, t->weights, t->optimizer.gradient,
                         1.0 / t->n_batch);
        step->loss += sums.loss * scale;
        step->ce += sums.ce * scale;
        step->aux += decoder_balance(t->decoder) / t->n_batch;
    }
    step->loss += step->aux;
}

static int dump_gradients(const struct trainer *t, struct oy_error *err)
{
    const char *const folder = t->options->gradients;
    char *path;
    int rc;

    if (!folder || t->state.step > 0)
        return 0;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return oy_fail_errno(err, OY_CANTCREAT, "%s: cannot create", folder);
    path = oy_asprintf("%s/gradients.safetensors", folder);
    rc = weights_write(&t->layout, t->optimizer.gradient, path, err);
    oy_free(path);
    return rc;
}

/* Muon's learning rate goes as AdamW's does. */
static double muon_rate_of(const struct trainer *t,
                           const struct train_log_step *step)
{
    struct schedule schedule = t->schedule;

    schedule.lr = t->options->muon_lr;
    return schedule_rate(&schedule, (int64_t)step->step);
}

/* Updates the weights, unless something is not finite. */
static int update(struct trainer *t, struct train_log_step *step,
                  struct oy_error *err)
{
    step->grad_norm = optimizer_norm(&t->optimizer);
    step->is_skipped = !isfinite(step->loss) || !isfinite(step->grad_norm);
    t->n_bad = step->is_skipped ? t->n_bad + 1 : 0;
    if (step->is_skipped || step->n_target == 0) {
        optimizer_skip(&t->optimizer);
    } else {
        const struct optimizer_rates lr = {step->lr, muon_rate_of(t, step)};
        optimizer_step(&t->optimizer, t->weights, &lr, step->grad_norm);
    }
    if (step->is_skipped)
        oy_warn("step %llu: loss or gradient is not finite; no update",
                (unsigned long long)step->step);
    if (t->n_bad >= MAX_BAD_STEPS)
        return oy_fail(err, OY_DATA,
                       "%d steps in a row without a finite loss and gradient, "
                       "the last is step %llu",
                       t->n_bad, (unsigned long long)step->step);
    return 0;
}

/* 1 when a step was done, 0 when the input has ended, -1. */
static int run_step(struct trainer *t, struct oy_error *err)
{
    const double began = seconds_now();
    struct train_log_step step = {.step = t->state.step};
    uint64_t n_row;

    if (fill_step(t, &step.n_token, &step.n_target, &n_row, err) != 0)
        return -1;
    if (n_row == 0)
        return 0;
    profile_mark(t->profile, PROFILE_DATA, PEAK_F32, 0, 0);
    step.lr = schedule_rate(&t->schedule, (int64_t)step.step);
    learn(t, step.n_target, &step);
    if (dump_gradients(t, err) != 0 || update(t, &step, err) != 0)
        return -1;
    t->state.step++;
    t->state.n_token += step.n_target;
    step.seconds = seconds_now() - began;
    if (train_log_step(t->log, &step, err) != 0)
        return -1;
    profile_mark(t->profile, PROFILE_OTHER, PEAK_F32, 0, 0);
    return 1;
}

static int run_steps(struct trainer *t, struct oy_error *err)
{
    const uint64_t every = (uint64_t)t->options->save_every;
    uint64_t saved = t->state.step;

    while (t->state.step < t->n_step) {
        const int got = run_step(t, err);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        if (every > 0 && t->state.step % every == 0 &&
            t->state.step < t->n_step) {
            if (validate(t, err) != 0 || save(t, err) != 0)
                return -1;
            saved = t->state.step;
            profile_mark(t->profile, PROFILE_OTHER, PEAK_F32, 0, 0);
        }
    }
    if (saved == t->state.step && saved > 0)
        return 0;
    if (t->state.step > 0 && validate(t, err) != 0)
        return -1;
    const int rc = save(t, err);
    profile_mark(t->profile, PROFILE_OTHER, PEAK_F32, 0, 0);
    return rc;
}

/* ---- the run ---- */

static int open_feeds(struct trainer *t, struct oy_error *err)
{
    struct feed_options options = t->options->feed;

    options.tokenizer = t->tokenizer;
    options.seq_len = wanted_length(t);
    options.take_row_len = t->options->seq_len == 0;
    options.seed = t->options->seed;
    options.keep_last = t->has_experts;
    t->feed = feed_open(&options, err);
    if (!t->feed || settle_length(t, err) != 0)
        return -1;
    if (!t->options->valid)
        return 0;
    options.seq_len = t->seq_len;
    options.take_row_len = 0;
    options.path = &t->options->valid;
    options.n_path = 1;
    options.order = FEED_SEQUENTIAL;
    options.one_pass = 1;
    t->valid = feed_open(&options, err);
    return t->valid ? 0 : -1;
}

/* All that can fail for a reason of the user's comes before memory. */
static int prepare(struct trainer *t, struct oy_error *err)
{
    if (choose_model(t, err) != 0 || open_feeds(t, err) != 0 ||
        settle_vocabulary(t, err) != 0 || choose_steps(t, err) != 0 ||
        weight_layout_init(&t->layout, &t->config, err) != 0)
        return -1;
    t->pool = oy_pool_new(t->options->n_thread, err);
    if (!t->pool)
        return -1;
    const char *const kernel =
        t->options->kernel ? t->options->kernel : "packed";
    char *const name =
        oy_asprintf("%s%s", kernel, t->options->is_bf16 ? "-bf16" : "");
    t->gemm = gemm_new(name, t->pool, err);
    oy_free(name);
    return t->gemm ? check_memory(t, err) : -1;
}

static int train(struct trainer *t, struct oy_error *err)
{
    const struct trainer_options *const o = t->options;
    int rc;

    if (note_inputs(t, err) != 0 || take_memory(t, err) != 0 ||
        begin(t, err) != 0)
        return -1;
    if (o->profile) {
        t->profile = profile_new(t->pool);
        gemm_set_profile(t->gemm, t->profile);
    }
    t->log = train_log_open(o->log, t->state.step, t->n_step, o->progress, err);
    if (!t->log)
        return -1;
    rc = run_steps(t, err);
    if (train_log_close(t->log, err) != 0)
        rc = -1;
    profile_print(t->profile);
    return rc == 0 ? tell(t, err) : -1;
}

static void release(struct trainer *t)
{
    for (int64_t i = 0; t->batch && i < t->options->accumulate; i++)
        train_batch_release(&t->batch[i]);
    oy_free(t->batch);
    decoder_free(t->decoder);
    optimizer_release(&t->optimizer);
    oy_free(t->weights);
    gemm_free(t->gemm);
    oy_pool_free(t->pool);
    weight_layout_release(&t->layout);
    feed_close(t->feed);
    feed_close(t->valid);
    train_report_release(&t->report);
    profile_free(t->profile);
    oy_free(t->tokenizer_file);
}

int trainer_run(struct trainer_options *options, struct oy_error *err)
{
    struct trainer trainer = {.options = options};
    const char *const kernel = options->kernel;
    int rc = prepare(&trainer, err);

    if (rc == 0) {
        options->kernel = gemm_kernel_name(trainer.gemm);
        rc =
            options->dry_run ? print_plan(&trainer, err) : train(&trainer, err);
        options->kernel = kernel;
    }
    release(&trainer);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream behind oy-gen. */
#include "model/gen.h"

#include <math.h>
#include <string.h>

#include "core/filter.h"
#include "core/json.h"
#include "model/model_file.h"
#include "model/text_lines.h"

enum { WINDOW_PROMPTS = 256, WINDOW_TOKENS = 1 << 20 };

/* The fields that are looked at, in the order of found[1] and on. */
static const char *const field[] = {"prompt", "ids", "logits", NULL};
enum { FOUND_PROMPT = 1, FOUND_IDS, FOUND_LOGITS };

/* What judge() leaves of a record. */
struct judged {
    int32_t *id;
    size_t n_id;
    float *logits; /* NULL: none given */
    size_t n_logits;
    size_t close; /* where in the line its '}' is */
    int has_member;
};

struct waiting {
    struct judged judged;
    const char *line;
    size_t len;
    uint64_t record;
};

struct gen {
    const struct gen_settings *settings;
    struct generate_options generate;
    struct engine *engine;       /* NULL: logits are given */
    struct tokenizer *tokenizer; /* NULL: ids are given */
    struct oy_arena arena;       /* of the window */
    struct waiting *waiting;
    size_t n_waiting, cap_waiting, n_token;
    struct generate_job *job;
    size_t cap_job;
    struct distribution distribution;
    struct oy_buffer out;
};

/* A thread's encoder. */
struct worker {
    struct tokenizer_worker *tokenizer;
    struct token_ids ids;
};

/* ---- reading ---- */

static void *make_worker(void *self)
{
    const struct gen *gen = self;
    struct worker *worker = oy_calloc(1, sizeof *worker);

    if (gen->tokenizer)
        worker->tokenizer = tokenizer_worker_new(gen->tokenizer);
    return worker;
}

static void free_worker(void *self, void *arg)
{
    struct worker *worker = arg;

    (void)self;
    tokenizer_worker_free(worker->tokenizer);
    token_ids_release(&worker->ids);
    oy_free(worker);
}

static void read_logits(struct oy_record *record, struct judged *judged)
{
    const struct oy_json_value *value = &record->found[FOUND_LOGITS];
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    double number;

    judged->logits =
        oy_arena_array(record->arena, value->len / 2 + 1, sizeof(float));
    oy_json_enter(&cursor, value);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (item.kind == OY_JSON_NULL) {
            judged->logits[judged->n_logits++] = -INFINITY;
        } else if (item.kind == OY_JSON_NUMBER &&
                   !oy_json_double(&item, &number)) {
            judged->logits[judged->n_logits++] = (float)number;
        } else {
            oy_record_fail(record, "'logits' holds what is no number");
            return;
        }
    }
}

static void read_ids(const struct gen *gen, struct oy_record *record,
                     struct judged *judged)
{
    const struct oy_json_value *value = &record->found[FOUND_IDS];
    const int64_t n_vocab =
        gen->engine ? engine_config(gen->engine)->n_vocab : INT32_MAX;
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int64_t id;

    judged->id =
        oy_arena_array(record->arena, value->len / 2 + 1, sizeof *judged->id);
    oy_json_enter(&cursor, value);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (item.kind != OY_JSON_NUMBER || oy_json_int64(&item, &id) ||
            id < 0 || id >= n_vocab) {
            oy_record_fail(record, "'ids' holds what is no token id");
            return;
        }
        judged->id[judged->n_id++] = (int32_t)id;
    }
}

/* The post-processor's tokens stand around a prompt; an empty one is BOS. */
static void encode_prompt(const struct gen *gen, struct worker *worker,
                          struct oy_record *record, const struct oy_text *text,
                          struct judged *judged)
{
    size_t n_before, n_behind;
    const int32_t *before = tokenizer_before(gen->tokenizer, &n_before);
    const int32_t *behind = tokenizer_behind(gen->tokenizer, &n_behind);
    const int32_t bos = tokenizer_bos(gen->tokenizer);

    worker->ids.n = 0;
    token_ids_append(&worker->ids, before, n_before);
    tokenizer_encode(worker->tokenizer, text->at, text->len, TOKENIZER_TOKEN,
                     &worker->ids, NULL);
    token_ids_append(&worker->ids, behind, n_behind);
    if (!worker->ids.n && bos >= 0)
        token_ids_append(&worker->ids, &bos, 1);
    judged->n_id = worker->ids.n;
    judged->id =
        oy_arena_array(record->arena, judged->n_id + 1, sizeof *judged->id);
    if (judged->n_id)
        memcpy(judged->id, worker->ids.id, judged->n_id * sizeof *judged->id);
}

static void read_prompt(const struct gen *gen, struct worker *worker,
                        struct oy_record *record, struct judged *judged)
{
    const struct oy_json_value *value = &record->found[FOUND_PROMPT];
    struct oy_text text;
    const char *why;

    if (value->kind != OY_JSON_STRING)
        oy_record_fail(record, value->kind == OY_JSON_MISSING
                                   ? "neither 'prompt' nor 'ids'"
                                   : "field 'prompt' is not a string");
    else if (!gen->tokenizer)
        oy_record_fail(record, "a prompt in text, but there is no tokenizer");
    else if (oy_json_text(value, record->arena, &text, &record->n_repaired,
                          &why))
        oy_record_fail(record, "field 'prompt': %s", why);
    else
        encode_prompt(gen, worker, record, &text, judged);
}

static void check_prompt(const struct gen *gen, struct oy_record *record,
                         const struct judged *judged)
{
    const int n_max =
        gen->engine ? engine_config(gen->engine)->max_position : 0;

    if (record->fate == OY_BAD || judged->logits)
        return;
    if (!gen->engine)
        oy_record_fail(record, "no 'logits', and no --model to make them");
    else if (!judged->n_id)
        oy_record_fail(record, "an empty prompt");
    else if (judged->n_id > (size_t)n_max)
        oy_record_fail(record,
                       "a prompt of %zu tokens, more than the model's "
                       "%d",
                       judged->n_id, n_max);
}

static int judge(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct gen *gen = self;
    struct judged *judged = oy_arena_alloc(record->arena, sizeof *judged);

    (void)pass;
    (void)err;
    *judged =
        (struct judged){.close = (size_t)(record->outline.close - record->line),
                        .has_member = record->outline.has_member};
    record->blob = judged;
    if (gen->settings->print_distribution &&
        record->found[FOUND_LOGITS].kind == OY_JSON_ARRAY)
        read_logits(record, judged);
    if (record->found[FOUND_IDS].kind == OY_JSON_ARRAY)
        read_ids(gen, record, judged);
    else if (!judged->logits)
        read_prompt(gen, worker, record, judged);
    check_prompt(gen, record, judged);
    return 0;
}

/* ---- writing ---- */

static void put_ids(struct oy_buffer *out, const struct token_ids *ids)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < ids->n; i++)
        oy_buffer_append_format(out, "%s%d", i ? "," : "", ids->id[i]);
    oy_buffer_append_char(out, ']');
}

/* The line up to its '}', with a comma if something stands before. */
static void open_line(const struct waiting *waiting, struct oy_buffer *out)
{
    oy_buffer_append(out, waiting->line, waiting->judged.close);
    if (waiting->judged.has_member)
        oy_buffer_append_char(out, ',');
}

static void put_completion(struct gen *gen, const struct waiting *waiting,
                           const struct generate_job *job)
{
    struct oy_buffer *out = &gen->out;

    if (gen->settings->lines) {
        oy_buffer_append(out, job->text.data, job->text.len);
        oy_buffer_append_char(out, '\n');
        return;
    }
    open_line(waiting, out);
    oy_buffer_append_string(out, "\"completion\":");
    oy_json_put_string(out, job->text.data ? job->text.data : "",
                       job->text.len);
    if (gen->settings->with_ids) {
        oy_buffer_append_string(out, ",\"completion_ids\":");
        put_ids(out, &job->ids);
    }
    oy_buffer_append_format(out, ",\"finish_reason\":\"%s\"}\n",
                            job->finish == GENERATE_STOP ? "stop" : "length");
}

static void put_distribution(struct gen *gen, const struct waiting *waiting,
                             float *logits, size_t n)
{
    struct oy_buffer *out = &gen->out;
    struct distribution *left = &gen->distribution;

    const struct sampler_past past = {waiting->judged.id, waiting->judged.n_id,
                                      waiting->judged.n_id, NULL};
    sampler_filter(&gen->generate.sampler, &past, logits, n, left);
    distribution_sort(left);
    open_line(waiting, out);
    oy_buffer_append_string(out, "\"distribution\":{");
    for (size_t i = 0; i < left->n; i++) {
        oy_buffer_append_format(out, "%s\"%d\":", i ? "," : "",
                                left->candidate[i].id);
        oy_json_put_double(out, left->candidate[i].probability);
    }
    oy_buffer_append_string(out, "}}\n");
}

/* ---- the window ---- */

static int generate_window(struct gen *gen, struct oy_error *err)
{
    const size_t n_sample = (size_t)gen->settings->n_sample;
    const size_t n = gen->n_waiting * n_sample;

    OY_GROW(gen->job, gen->cap_job, n);
    for (size_t i = 0; i < n; i++) {
        const struct waiting *waiting = &gen->waiting[i / n_sample];
        gen->job[i] = (struct generate_job){.prompt = waiting->judged.id,
                                            .n_prompt = waiting->judged.n_id,
                                            .record = waiting->record,
                                            .sample = i % n_sample};
    }
    const int status = generate_run(gen->engine, gen->tokenizer, &gen->generate,
                                    gen->job, n, err);
    for (size_t i = 0; i < n; i++) {
        if (!status)
            put_completion(gen, &gen->waiting[i / n_sample], &gen->job[i]);
        generate_job_release(&gen->job[i]);
    }
    return status;
}

static void keep_logits(void *arg, size_t row, float *logits, int worker)
{
    struct judged *judged = arg;

    (void)row;
    (void)worker;
    memcpy(judged->logits, logits, judged->n_logits * sizeof *logits);
}

/* The logits behind a prompt. */
static int make_logits(struct gen *gen, struct judged *judged,
                       struct oy_error *err)
{
    const struct decoder_config *config = engine_config(gen->engine);
    struct kv_sequence sequence = {0};
    float *hidden =
        oy_arena_array(&gen->arena, (size_t)config->dim, sizeof *hidden);
    int status = 0;

    judged->n_logits = (size_t)config->n_vocab;
    judged->logits =
        oy_arena_array(&gen->arena, judged->n_logits, sizeof(float));
    for (size_t at = 0; !status && at < judged->n_id; at += ENGINE_ROWS) {
        const size_t left = judged->n_id - at;
        const struct engine_piece piece = {
            &sequence, judged->id + at, left < ENGINE_ROWS ? left : ENGINE_ROWS,
            NULL};
        status = engine_run(gen->engine, &piece, 1, hidden, err);
    }
    if (!status)
        status =
            engine_logits(gen->engine, hidden, 1, keep_logits, judged, err);
    kv_release(engine_kv(gen->engine), &sequence);
    return status;
}

static int distribution_window(struct gen *gen, struct oy_error *err)
{
    for (size_t i = 0; i < gen->n_waiting; i++) {
        struct judged *judged = &gen->waiting[i].judged;
        if (!judged->logits && make_logits(gen, judged, err))
            return -1;
        put_distribution(gen, &gen->waiting[i], judged->logits,
                         judged->n_logits);
    }
    return 0;
}

static int flush_window(struct gen *gen, struct oy_output *output,
                        struct oy_error *err)
{
    if (!gen->n_waiting)
        return 0;
    oy_buffer_clear(&gen->out);
    if ((gen->settings->print_distribution ? distribution_window
                                           : generate_window)(gen, err))
        return -1;
    oy_arena_clear(&gen->arena);
    gen->n_waiting = gen->n_token = 0;
    if (oy_output_write(output, gen->out.data, gen->out.len, err))
        return -1;
    return oy_output_flush(output, err);
}

static int settle(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err)
{
    struct gen *gen = self;
    struct judged judged = *(const struct judged *)record->blob;

    if (judged.n_id)
        judged.id =
            memcpy(oy_arena_array(&gen->arena, judged.n_id, sizeof *judged.id),
                   judged.id, judged.n_id * sizeof *judged.id);
    if (judged.logits)
        judged.logits = memcpy(
            oy_arena_array(&gen->arena, judged.n_logits + 1, sizeof(float)),
            judged.logits, judged.n_logits * sizeof(float));
    OY_GROW(gen->waiting, gen->cap_waiting, gen->n_waiting + 1);
    gen->waiting[gen->n_waiting++] = (struct waiting){
        .judged = judged,
        .line = oy_arena_copy(&gen->arena, record->line, record->len),
        .len = record->len,
        .record = record->number};
    gen->n_token += judged.n_id + judged.n_logits;
    if (gen->n_waiting < WINDOW_PROMPTS && gen->n_token < WINDOW_TOKENS)
        return 0;
    return flush_window(gen, context->output, err);
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    return flush_window(self, context->output, err);
}

/* ---- the run ---- */

/* The model's own tokenizer may be missing when ids are given. */
static int open_tokenizer(struct gen *gen, struct oy_error *err)
{
    const struct gen_settings *settings = gen->settings;
    struct oy_error missing = {0};

    if (settings->tokenizer) {
        gen->tokenizer = tokenizer_load(settings->tokenizer, err);
        return gen->tokenizer ? 0 : -1;
    }
    if (!settings->model || !model_file_has_tokenizer(settings->model))
        return 0;
    gen->tokenizer = tokenizer_load(settings->model, &missing);
    if (gen->tokenizer || missing.code == OY_NOINPUT)
        return 0;
    *err = missing;
    return -1;
}

static int open_model(struct gen *gen, struct oy_pool *pool,
                      struct oy_error *err)
{
    const struct gen_settings *settings = gen->settings;

    if (settings->model) {
        gen->engine = engine_open(settings->model, settings->kernel,
                                  settings->kv_memory, pool, err);
        if (!gen->engine)
            return -1;
        engine_set_kv_type(gen->engine, (enum kv_type)settings->kv_type);
    }
    if (open_tokenizer(gen, err))
        return -1;
    const int n = gen->engine ? engine_config(gen->engine)->n_vocab : INT32_MAX;
    if (gen->tokenizer && tokenizer_size(gen->tokenizer) > n)
        return oy_fail(err, OY_DATA,
                       "the tokenizer has %d tokens, the model but %d",
                       tokenizer_size(gen->tokenizer), n);
    if (!gen->tokenizer && (settings->stop.n_item || settings->lines))
        return oy_fail(err, OY_NOINPUT, "%s: no tokenizer",
                       settings->model ? settings->model : "-t");
    return 0;
}

static int run_filter(struct gen *gen, struct oy_run *run, struct oy_error *err)
{
    const struct oy_filter filter = {.self = gen,
                                     .field = field,
                                     .n_pass = 1,
                                     .worker_new = make_worker,
                                     .worker_free = free_worker,
                                     .judge = judge,
                                     .settle = settle,
                                     .finish = finish};
    struct oy_source *source = NULL;

    if (gen->settings->lines) {
        source = text_lines_open(run, "prompt", err);
        if (!source)
            return -1;
    }
    return oy_filter_run(&filter, 1, run, source, err);
}

int gen_run(const struct gen_settings *settings, struct oy_run *run,
            struct oy_error *err)
{
    struct gen gen = {.settings = settings, .generate = settings->generate};
    int status = -1;

    if (!settings->model && !settings->print_distribution)
        return oy_fail(err, OY_USAGE, "--model is missing");
    gen.generate.stop = settings->stop.item;
    gen.generate.n_stop = settings->stop.n_item;
    gen.generate.seed = (uint64_t)run->seed;
    struct oy_pool *pool = oy_pool_new(oy_run_threads(run), err);
    if (pool && !open_model(&gen, pool, err))
        status = run_filter(&gen, run, err);
    engine_free(gen.engine);
    tokenizer_free(gen.tokenizer);
    oy_pool_free(pool);
    oy_arena_release(&gen.arena);
    oy_buffer_release(&gen.out);
    distribution_release(&gen.distribution);
    oy_free(gen.waiting);
    oy_free(gen.job);
    return status;
}

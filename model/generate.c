/* SPDX-License-Identifier: Apache-2.0
 *
 * Prompts as requests of a batch, and what is done with their logits. */
#include "model/generate.h"

#include <string.h>

#include "model/batch.h"
#include "model/stop_text.h"

/* Jobs that the batch knows of: enough to choose from for those that run. */
enum { N_SLOT = 2 * BATCH_RUNNING };

struct generator;

/* A job that runs or waits in the batch. */
struct slot {
    struct generator *generator;
    struct generate_job *job; /* NULL: free */
    struct oy_random random;
    int64_t max_tokens;
    int is_over;
};

struct generator {
    struct engine *engine;
    const struct tokenizer *tokenizer;
    const struct generate_options *options;
    struct batch *batch;
    struct slot slot[N_SLOT];
    struct distribution *distribution; /* [worker] */
    struct token_ids *history;         /* [worker] */
    uint64_t *allowed;                 /* [worker][n_word] */
    size_t n_word;
};

void generate_job_release(struct generate_job *job)
{
    token_ids_release(&job->ids);
    oy_buffer_release(&job->text);
}

struct oy_random generate_random(uint64_t seed, uint64_t record,
                                 uint64_t sample)
{
    return oy_random_at(sample ? seed ^ oy_mix64(sample) : seed, record);
}

static const struct generate_options *options_of(
    const struct generator *generator, const struct generate_job *job)
{
    return job->options ? job->options : generator->options;
}

static int64_t limit_of(const struct generator *generator,
                        const struct generate_job *job)
{
    const int64_t wanted = job->max_tokens
                               ? job->max_tokens
                               : options_of(generator, job)->max_tokens;
    const int64_t room = config_max_text(engine_config(generator->engine)) -
                         (int64_t)job->n_prompt;

    return wanted < room ? wanted : room;
}

/* ---- a token ---- */

static int is_end(const struct generator *generator,
                  const struct generate_job *job, int32_t id)
{
    const struct decoder_config *config = engine_config(generator->engine);

    for (int i = 0;
         i < config->n_eos && !options_of(generator, job)->ignore_eos; i++) {
        if (config->eos_id[i] == id)
            return 1;
    }
    return 0;
}

static void take_token(struct generator *generator, struct slot *slot,
                       int32_t id)
{
    struct generate_job *job = slot->job;

    if (id < 0 || is_end(generator, job, id)) {
        if (id >= 0 || !job->constraint)
            job->finish = GENERATE_STOP;
        slot->is_over = 1;
        return;
    }
    token_ids_append(&job->ids, &id, 1);
    slot->is_over = (int64_t)job->ids.n >= slot->max_tokens;
    if (job->constraint && constraint_is_over(job->constraint, &job->cursor,
                                              job->ids.id, job->ids.n)) {
        job->finish = GENERATE_STOP;
        slot->is_over = 1;
    }
}

/* Prompt and output behind each other, for the penalties. */
static void make_history(const struct generate_job *job,
                         struct token_ids *history)
{
    history->n = 0;
    token_ids_append(history, job->prompt, job->n_prompt);
    token_ids_append(history, job->ids.id, job->ids.n);
}

static const uint64_t *find_allowed(struct generate_job *job, uint64_t *mask)
{
    if (!job->constraint)
        return NULL;
    constraint_allow(job->constraint, &job->cursor, job->ids.id, job->ids.n,
                     mask);
    return mask;
}

/* Rows that pad the vocabulary are no tokens. */
static size_t n_choice(const struct generator *generator)
{
    const int n = engine_config(generator->engine)->n_vocab;
    const int n_token =
        generator->tokenizer ? tokenizer_size(generator->tokenizer) : n;

    return (size_t)(n_token < n ? n_token : n);
}

static void sample_row(void *arg, size_t position, float *logits, int worker)
{
    struct slot *slot = arg;
    struct generator *generator = slot->generator;
    struct distribution *distribution = &generator->distribution[worker];
    struct token_ids *history = &generator->history[worker];

    (void)position;
    make_history(slot->job, history);
    const struct sampler_past past = {
        history->id, history->n, slot->job->n_prompt,
        find_allowed(slot->job,
                     generator->allowed + (size_t)worker * generator->n_word)};
    sampler_filter(&options_of(generator, slot->job)->sampler, &past, logits,
                   n_choice(generator), distribution);
    take_token(generator, slot, sampler_draw(distribution, &slot->random));
}

/* Decodes when the text matters: for stop texts, to those who listen, and at
 * the end. */
static void read_text(struct generator *generator, struct slot *slot)
{
    struct generate_job *job = slot->job;
    const struct generate_options *options = options_of(generator, job);

    if (!generator->tokenizer ||
        !(options->n_stop || job->progress || slot->is_over))
        return;
    oy_buffer_clear(&job->text);
    tokenizer_decode(generator->tokenizer, job->ids.id, job->ids.n, 1,
                     &job->text);
    const size_t stop = stop_text_find(options->stop, options->n_stop,
                                       job->text.data, job->text.len);
    if (stop == SIZE_MAX)
        return;
    job->text.len = stop;
    job->finish = GENERATE_STOP;
    slot->is_over = 1;
}

static void tell(struct slot *slot)
{
    struct generate_job *job = slot->job;

    if (!slot->is_over && job->progress && job->progress(job->arg, job)) {
        job->finish = GENERATE_STOP;
        slot->is_over = 1;
    }
}

/* The token that sample_row drew, if the completion goes on. */
static int32_t next_token(void *arg)
{
    struct slot *slot = arg;
    const struct token_ids *ids = &slot->job->ids;

    read_text(slot->generator, slot);
    tell(slot);
    return slot->is_over ? BATCH_END : ids->id[ids->n - 1];
}

static void end_slot(void *arg)
{
    struct slot *slot = arg;

    if (slot->job->done)
        slot->job->done(slot->job->arg, slot->job);
    slot->job = NULL;
}

/* ---- the run ---- */

static int start_job(struct generator *generator, struct slot *slot,
                     struct generate_job *job, struct oy_error *err)
{
    const int64_t n = limit_of(generator, job);

    OY_ASSERT(job->n_prompt > 0 && n >= 0);
    job->finish = GENERATE_LENGTH;
    if (!n)
        return 0;
    *slot = (struct slot){.generator = generator,
                          .job = job,
                          .random =
                              generate_random(options_of(generator, job)->seed,
                                              job->record, job->sample),
                          .max_tokens = n};
    const struct batch_request request = {.id = job->prompt,
                                          .n = job->n_prompt,
                                          .first = job->n_prompt - 1,
                                          .max_new = (size_t)n - 1,
                                          .embed = job->embed,
                                          .row = sample_row,
                                          .next = next_token,
                                          .done = end_slot,
                                          .arg = slot};
    return batch_add(generator->batch, &request, err);
}

/* Puts jobs into free slots. */
static int start_jobs(struct generator *generator, struct generate_job *job,
                      size_t n, size_t *next, struct oy_error *err)
{
    for (int i = 0; i < N_SLOT; i++) {
        while (!generator->slot[i].job && *next < n) {
            if (start_job(generator, &generator->slot[i], &job[(*next)++], err))
                return -1;
        }
    }
    return 0;
}

/* Nothing begins that cannot end. */
static int check_jobs(const struct generator *generator,
                      const struct generate_job *job, size_t n,
                      struct oy_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t most = limit_of(generator, &job[i]);
        if (most && batch_check(generator->batch,
                                job[i].n_prompt + (size_t)most - 1, err))
            return -1;
    }
    return 0;
}

static int run_all(struct generator *generator, struct generate_job *job,
                   size_t n, struct oy_error *err)
{
    size_t next = 0;
    int status = 1;

    if (check_jobs(generator, job, n, err))
        return -1;
    while (status > 0) {
        if (start_jobs(generator, job, n, &next, err))
            return -1;
        status = batch_step(generator->batch, err);
    }
    return status;
}

struct generator *generator_new(struct engine *engine,
                                const struct tokenizer *tokenizer)
{
    const size_t n_worker = (size_t)oy_pool_size(engine_pool(engine));
    const struct batch_options keep = {.keep_last = 1};
    struct generator *generator = oy_calloc(1, sizeof *generator);

    generator->engine = engine;
    generator->tokenizer = tokenizer;
    generator->distribution =
        oy_calloc(n_worker, sizeof *generator->distribution);
    generator->history = oy_calloc(n_worker, sizeof *generator->history);
    generator->n_word = ((size_t)engine_config(engine)->n_vocab + 63) / 64;
    generator->allowed = oy_alloc_array(n_worker * generator->n_word,
                                        sizeof *generator->allowed);
    generator->batch = batch_new(engine, &keep);
    return generator;
}

void generator_free(struct generator *generator)
{
    if (!generator)
        return;
    const int n_worker = oy_pool_size(engine_pool(generator->engine));
    batch_free(generator->batch);
    for (int i = 0; i < n_worker; i++) {
        distribution_release(&generator->distribution[i]);
        token_ids_release(&generator->history[i]);
    }
    oy_free(generator->distribution);
    oy_free(generator->history);
    oy_free(generator->allowed);
    oy_free(generator);
}

int generator_run(struct generator *generator,
                  const struct generate_options *options,
                  struct generate_job *job, size_t n, struct oy_error *err)
{
    generator->options = options;
    return run_all(generator, job, n, err);
}

uint64_t generator_count(const struct generator *generator)
{
    return batch_counts(generator->batch).n_row;
}

int generate_run(struct engine *engine, const struct tokenizer *tokenizer,
                 const struct generate_options *options,
                 struct generate_job *job, size_t n, struct oy_error *err)
{
    struct generator *generator = generator_new(engine, tokenizer);
    const int status = generator_run(generator, options, job, n, err);

    generator_free(generator);
    return status;
}

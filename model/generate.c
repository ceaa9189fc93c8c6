/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of passes that completes prompts. */
#include "model/generate.h"

#include <string.h>

#include "model/stop_text.h"

enum { N_SLOT = 64 };

/* A job that runs. */
struct slot {
    struct generate_job *job; /* NULL: free */
    struct kv_sequence cache;
    size_t fed; /* tokens of prompt and completion in the cache */
    struct oy_random random;
    int64_t max_tokens;
    int is_over;
};

struct loop {
    struct engine *engine;
    const struct tokenizer *tokenizer;
    const struct generate_options *options;
    struct slot slot[N_SLOT];
    struct engine_piece piece[N_SLOT];
    struct slot *of_piece[N_SLOT];
    struct slot *of_row[N_SLOT]; /* whose logits row i are */
    size_t n_piece, n_row;
    int32_t last[N_SLOT]; /* the token that a running slot is fed */
    struct distribution *distribution; /* [worker] */
    struct token_ids *history;         /* [worker] */
    uint64_t *allowed;                 /* [worker][n_word] */
    size_t n_word;
    uint8_t *unwanted; /* [ENGINE_ROWS] zeros */
    float *hidden;     /* [N_SLOT][dim] */
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

static const struct generate_options *options_of(const struct loop *loop,
                                                 const struct generate_job *job)
{
    return job->options ? job->options : loop->options;
}

/* ---- starting ---- */

/* A slot whose prompt is the same and in the cache. */
static const struct slot *find_leader(const struct loop *loop,
                                      const struct generate_job *job)
{
    for (int i = 0; i < N_SLOT; i++) {
        const struct slot *slot = &loop->slot[i];
        if (slot->job && slot->job->prompt == job->prompt &&
            slot->job->n_prompt == job->n_prompt &&
            slot->cache.len >= job->n_prompt)
            return slot;
    }
    return NULL;
}

static int64_t limit_of(const struct loop *loop, const struct generate_job *job)
{
    const int64_t wanted =
        job->max_tokens ? job->max_tokens : options_of(loop, job)->max_tokens;
    const int64_t room =
        engine_config(loop->engine)->max_position - (int64_t)job->n_prompt;

    return wanted < room ? wanted : room;
}

static void start_job(struct loop *loop, struct slot *slot,
                      struct generate_job *job)
{
    const struct slot *leader = find_leader(loop, job);
    struct oy_error none = {0};

    OY_ASSERT(job->n_prompt > 0);
    *slot = (struct slot){.job = job,
                          .random = generate_random(options_of(loop, job)->seed,
                                                    job->record, job->sample),
                          .max_tokens = limit_of(loop, job)};
    OY_ASSERT(slot->max_tokens >= 0);
    job->finish = GENERATE_LENGTH;
    slot->is_over = slot->max_tokens == 0;
    /* The last token is computed again: its logits are wanted. */
    if (leader && !kv_fork(engine_kv(loop->engine), &leader->cache,
                           job->n_prompt - 1, &slot->cache, &none))
        slot->fed = job->n_prompt - 1;
}

/* ---- a pass ---- */

static void add_piece(struct loop *loop, struct slot *slot, size_t room)
{
    const struct generate_job *job = slot->job;
    struct engine_piece *piece = &loop->piece[loop->n_piece];

    piece->sequence = &slot->cache;
    piece->wanted = NULL;
    if (slot->fed < job->n_prompt) {
        const size_t left = job->n_prompt - slot->fed;
        piece->id = job->prompt + slot->fed;
        piece->n = left < room ? left : room;
        if (piece->n < left)
            piece->wanted = loop->unwanted;
    } else {
        loop->last[loop->n_piece] = job->ids.id[job->ids.n - 1];
        piece->id = &loop->last[loop->n_piece];
        piece->n = 1;
    }
    if (!piece->wanted)
        loop->of_row[loop->n_row++] = slot;
    loop->of_piece[loop->n_piece++] = slot;
}

/* Running completions go first: they are one row each. */
static void fill_pass(struct loop *loop)
{
    size_t n_row = 0;

    loop->n_piece = loop->n_row = 0;
    for (int is_prompt = 0; is_prompt < 2; is_prompt++) {
        for (int i = 0; i < N_SLOT && n_row < ENGINE_ROWS; i++) {
            struct slot *slot = &loop->slot[i];
            if (!slot->job || (slot->fed < slot->job->n_prompt) != is_prompt)
                continue;
            add_piece(loop, slot, ENGINE_ROWS - n_row);
            n_row += loop->piece[loop->n_piece - 1].n;
        }
    }
}

static int is_end(const struct loop *loop, const struct generate_job *job,
                  int32_t id)
{
    const struct decoder_config *config = engine_config(loop->engine);

    for (int i = 0; i < config->n_eos && !options_of(loop, job)->ignore_eos;
         i++) {
        if (config->eos_id[i] == id)
            return 1;
    }
    return 0;
}

static void take_token(struct loop *loop, struct slot *slot, int32_t id)
{
    struct generate_job *job = slot->job;

    if (id < 0 || is_end(loop, job, id)) {
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
static size_t n_choice(const struct loop *loop)
{
    const int n = engine_config(loop->engine)->n_vocab;
    const int n_token = loop->tokenizer ? tokenizer_size(loop->tokenizer) : n;

    return (size_t)(n_token < n ? n_token : n);
}

static void sample_row(void *arg, size_t row, float *logits, int worker)
{
    struct loop *loop = arg;
    struct slot *slot = loop->of_row[row];
    struct distribution *distribution = &loop->distribution[worker];
    struct token_ids *history = &loop->history[worker];

    make_history(slot->job, history);
    const struct sampler_past past = {
        history->id, history->n, slot->job->n_prompt,
        find_allowed(slot->job, loop->allowed + (size_t)worker * loop->n_word)};
    sampler_filter(&options_of(loop, slot->job)->sampler, &past, logits,
                   n_choice(loop), distribution);
    take_token(loop, slot, sampler_draw(distribution, &slot->random));
}

/* Decodes when the text matters: for stop texts, to those who listen, and at
 * the end. */
static void read_text(struct loop *loop, struct slot *slot)
{
    struct generate_job *job = slot->job;
    const struct generate_options *options = options_of(loop, job);

    if (!loop->tokenizer ||
        !(options->n_stop || job->progress || slot->is_over))
        return;
    oy_buffer_clear(&job->text);
    tokenizer_decode(loop->tokenizer, job->ids.id, job->ids.n, 1, &job->text);
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

static void end_slot(struct loop *loop, struct slot *slot)
{
    kv_release(engine_kv(loop->engine), &slot->cache);
    *slot = (struct slot){0};
}

static int run_pass(struct loop *loop, struct oy_error *err)
{
    fill_pass(loop);
    if (engine_run(loop->engine, loop->piece, loop->n_piece, loop->hidden,
                   err) ||
        engine_logits(loop->engine, loop->hidden, loop->n_row, sample_row, loop,
                      err))
        return -1;
    for (size_t i = 0; i < loop->n_piece; i++)
        loop->of_piece[i]->fed += loop->piece[i].n;
    for (size_t i = 0; i < loop->n_row; i++) {
        struct slot *slot = loop->of_row[i];
        read_text(loop, slot);
        tell(slot);
        if (slot->is_over)
            end_slot(loop, slot);
    }
    return 0;
}

/* Puts waiting jobs into free slots; returns whether any slot runs. */
static int fill_slots(struct loop *loop, struct generate_job *job, size_t n,
                      size_t *next)
{
    int n_running = 0;

    for (int i = 0; i < N_SLOT; i++) {
        struct slot *slot = &loop->slot[i];
        while (!slot->job && *next < n) {
            start_job(loop, slot, &job[(*next)++]);
            if (slot->is_over)
                end_slot(loop, slot);
        }
        n_running += slot->job != NULL;
    }
    return n_running > 0;
}

/* Samples of one prompt wait until the first of them has computed it. */
static int run_all(struct loop *loop, struct generate_job *job, size_t n,
                   struct oy_error *err)
{
    size_t next = 0;

    while (next < n || fill_slots(loop, job, 0, &next)) {
        size_t end = next;
        while (end < n &&
               (end == next || job[end].prompt != job[end - 1].prompt ||
                find_leader(loop, &job[end])))
            end++;
        if (fill_slots(loop, job, end, &next) && run_pass(loop, err))
            return -1;
    }
    return 0;
}

int generate_run(struct engine *engine, const struct tokenizer *tokenizer,
                 const struct generate_options *options,
                 struct generate_job *job, size_t n, struct oy_error *err)
{
    const size_t n_worker = (size_t)oy_pool_size(engine_pool(engine));
    const size_t dim = (size_t)engine_config(engine)->dim;
    struct loop *loop = oy_calloc(1, sizeof *loop);

    loop->engine = engine;
    loop->tokenizer = tokenizer;
    loop->options = options;
    loop->distribution = oy_calloc(n_worker, sizeof *loop->distribution);
    loop->history = oy_calloc(n_worker, sizeof *loop->history);
    loop->n_word = ((size_t)engine_config(engine)->n_vocab + 63) / 64;
    loop->allowed =
        oy_alloc_array(n_worker * loop->n_word, sizeof *loop->allowed);
    loop->unwanted = oy_calloc(ENGINE_ROWS, 1);
    loop->hidden = oy_alloc_array(N_SLOT * dim, sizeof *loop->hidden);
    const int status = run_all(loop, job, n, err);
    for (int i = 0; i < N_SLOT; i++)
        kv_release(engine_kv(engine), &loop->slot[i].cache);
    for (size_t i = 0; i < n_worker; i++) {
        distribution_release(&loop->distribution[i]);
        token_ids_release(&loop->history[i]);
    }
    oy_free(loop->distribution);
    oy_free(loop->history);
    oy_free(loop->allowed);
    oy_free(loop->unwanted);
    oy_free(loop->hidden);
    oy_free(loop);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows of requests answered, one by one told of. */
#include <string.h>
#include <time.h>

#include "core/hash.h"
#include "core/json.h"
#include "eval/scorer_internal.h"

/* ---- sequences ---- */

/* Whether the tree has to score it. */
static int is_open(const struct scorer_item *item)
{
    return !item->answer.given && !item->plan.generate;
}

static size_t count_parts(const struct scorer_item *item, size_t n)
{
    size_t n_part = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_open(&item[i]))
            n_part += item[i].plan.n_part;
    }
    return n_part;
}

static size_t scored_rows(const struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_part; i++)
        n += plan->part[i].n_scored;
    return n;
}

/* Memory for the logits of an item; its parts write one behind the other. */
static int keep_logits(struct scorer *scorer, const struct scorer_item *item,
                       struct oy_error *err)
{
    const size_t n_row = scored_rows(&item->plan);
    float *logits =
        oy_try_alloc(n_row * (size_t)scorer->config.n_vocab, sizeof *logits);

    if (!logits)
        return oy_fail(err, OY_SYSTEM, "no memory for logits");
    OY_GROW(scorer->kept, scorer->cap_kept, scorer->n_kept + 1);
    scorer->kept[scorer->n_kept++] = (struct kept){item->number, n_row, logits};
    return 0;
}

static void make_sequence(struct scorer *scorer, const struct plan_part *part,
                          float *logits, struct oy_arena *arena,
                          struct tree_sequence *out)
{
    const size_t n = part->n_scored;
    const size_t n_top = (size_t)scorer->options.top_logprobs;

    *out = (struct tree_sequence){.id = part->id,
                                  .n = part->n,
                                  .embed = part->embed,
                                  .key = scorer_find_keys(scorer, part, arena),
                                  .n_scored = n,
                                  .logits = logits};
    out->logprob = oy_arena_array(arena, n, sizeof *out->logprob);
    out->greedy = oy_arena_array(arena, n, sizeof *out->greedy);
    if (n_top) {
        out->top_id = oy_arena_array(arena, n * n_top, sizeof *out->top_id);
        out->top_logprob =
            oy_arena_array(arena, n * n_top, sizeof *out->top_logprob);
    }
}

static int make_sequences(struct scorer *scorer, const struct scorer_item *item,
                          size_t n, struct oy_arena *arena,
                          struct tree_sequence *sequence, struct oy_error *err)
{
    for (size_t i = 0; i < n; i++) {
        float *logits = NULL;
        if (!is_open(&item[i]))
            continue;
        if (scorer->options.keep_logits) {
            if (keep_logits(scorer, &item[i], err))
                return -1;
            logits = scorer->kept[scorer->n_kept - 1].logits;
        }
        for (size_t j = 0; j < item[i].plan.n_part; j++) {
            const struct plan_part *part = &item[i].plan.part[j];
            make_sequence(scorer, part, logits, arena, sequence++);
            if (logits)
                logits += part->n_scored * (size_t)scorer->config.n_vocab;
        }
    }
    return 0;
}

static void put_token_logprobs(const struct tree_sequence *sequence,
                               size_t n_part, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < n_part; i++) {
        for (size_t k = 0; k < sequence[i].n_scored; k++) {
            if (i || k)
                oy_buffer_append_char(out, ',');
            oy_json_put_float(out, sequence[i].logprob[k]);
        }
    }
    oy_buffer_append_char(out, ']');
}

static void put_top(const struct tree_sequence *sequence, size_t k,
                    size_t n_top, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '{');
    for (size_t i = k * n_top; i < (k + 1) * n_top; i++) {
        oy_buffer_append_format(out, "%s\"%d\":", i > k * n_top ? "," : "",
                                sequence->top_id[i]);
        oy_json_put_float(out, sequence->top_logprob[i]);
    }
    oy_buffer_append_char(out, '}');
}

static void put_top_logprobs(const struct tree_sequence *sequence,
                             size_t n_part, size_t n_top, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < n_part; i++) {
        for (size_t k = 0; k < sequence[i].n_scored; k++) {
            if (i || k)
                oy_buffer_append_char(out, ',');
            put_top(&sequence[i], k, n_top, out);
        }
    }
    oy_buffer_append_char(out, ']');
}

static void to_arena(struct oy_buffer *buffer, struct oy_arena *arena,
                     struct oy_text *text)
{
    text->at = oy_arena_copy(arena, buffer->data, buffer->len);
    text->len = buffer->len;
    oy_buffer_clear(buffer);
}

/* As lm-eval: a float32 sum of each part, parts added in Python's floats. */
static void sum_parts(const struct tree_sequence *sequence, size_t n_part,
                      struct request_answer *answer)
{
    answer->given = 1;
    answer->logprob = 0;
    answer->is_greedy = 1;
    for (size_t i = 0; i < n_part; i++) {
        double sum = 0;
        for (size_t k = 0; k < sequence[i].n_scored; k++) {
            sum += (double)sequence[i].logprob[k];
            answer->is_greedy &= sequence[i].greedy[k];
        }
        answer->logprob += (double)(float)sum;
    }
}

static void put_answer(const struct scorer *scorer, struct scorer_item *item,
                       const struct tree_sequence *sequence,
                       struct oy_arena *arena)
{
    const size_t n_part = item->plan.n_part;
    const size_t n_top = (size_t)scorer->options.top_logprobs;
    struct request_answer *answer = &item->answer;
    struct oy_buffer buffer = {0};

    sum_parts(sequence, n_part, answer);
    if (scorer->options.per_token) {
        put_token_logprobs(sequence, n_part, &buffer);
        to_arena(&buffer, arena, &answer->token_logprobs);
    }
    if (n_top) {
        put_top_logprobs(sequence, n_part, n_top, &buffer);
        to_arena(&buffer, arena, &answer->top_logprobs);
    }
    oy_buffer_release(&buffer);
}

/* ---- a window as it is answered ---- */

enum { TELL_SECONDS = 1 };

struct window {
    struct scorer *scorer;
    const struct scorer_listener *listener;
    struct oy_arena *arena;
    /* Items that the tree answers, as long as nobody was told. */
    struct open_item {
        struct scorer_item *item;
        const struct tree_sequence *sequence; /* its first */
    } * open;
    size_t n_open;
    time_t told; /* when */
};

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void tell_item(const struct window *window,
                      const struct scorer_item *item)
{
    if (window->listener)
        window->listener->answered(window->listener->arg, item);
}

static void pause_listener(struct window *window)
{
    window->told = seconds();
    if (window->listener)
        window->listener->pause(window->listener->arg);
}

static int is_whole(const struct open_item *open)
{
    for (size_t i = 0; i < open->item->plan.n_part; i++) {
        if (!open->sequence[i].is_done)
            return 0;
    }
    return 1;
}

/* Answers those that the tree is through with. */
static void settle_items(struct window *window)
{
    size_t n_left = 0;

    for (size_t i = 0; i < window->n_open; i++) {
        const struct open_item open = window->open[i];
        if (!is_whole(&open)) {
            window->open[n_left++] = open;
            continue;
        }
        put_answer(window->scorer, open.item, open.sequence, window->arena);
        tell_item(window, open.item);
    }
    window->n_open = n_left;
    pause_listener(window);
}

static void note_rows(void *arg, uint64_t n_row)
{
    struct window *window = arg;
    const struct scorer_options *options = &window->scorer->options;

    window->scorer->n_computed += n_row;
    if (options->progress)
        options->progress(options->progress_arg, n_row);
    if (window->listener && seconds() >= window->told + TELL_SECONDS)
        settle_items(window);
}

static void list_open(struct window *window, struct scorer_item *item, size_t n,
                      const struct tree_sequence *sequence)
{
    window->open = oy_arena_array(window->arena, n + 1, sizeof *window->open);
    for (size_t i = 0; i < n; i++) {
        if (!is_open(&item[i]))
            continue;
        window->open[window->n_open++] = (struct open_item){&item[i], sequence};
        for (size_t j = 0; j < item[i].plan.n_part; j++)
            window->scorer->n_naive += item[i].plan.part[j].n;
        sequence += item[i].plan.n_part;
    }
}

static int score_items(struct window *window, struct scorer_item *item,
                       size_t n, struct oy_error *err)
{
    struct scorer *scorer = window->scorer;
    const struct tree_options options = {
        .n_top = (size_t)scorer->options.top_logprobs,
        .progress = note_rows,
        .arg = window};
    const size_t n_part = count_parts(item, n);
    struct tree_sequence *sequence =
        oy_arena_array(window->arena, n_part ? n_part : 1, sizeof *sequence);

    OY_ASSERT(scorer->engine);
    profile_mark(scorer->profile, PROFILE_DATA, PEAK_F32, 0, 0);
    if (make_sequences(scorer, item, n, window->arena, sequence, err))
        return -1;
    list_open(window, item, n, sequence);
    if (tree_score(scorer->batch, sequence, n_part, &options, err))
        return -1;
    settle_items(window);
    OY_ASSERT(!window->n_open);
    profile_mark(scorer->profile, PROFILE_OTHER, PEAK_F32, 0, 0);
    return 0;
}

/* ---- completions ---- */

/* The random stream of a prompt is a function of its tokens and of which of
 * its completions it is. */
static struct generate_job make_job(const struct plan *plan)
{
    const struct plan_part *part = &plan->part[0];

    return (struct generate_job){
        .prompt = part->id,
        .n_prompt = part->n,
        .embed = part->embed,
        .record = oy_hash64(part->id, part->n * sizeof *part->id),
        .sample = plan->sample,
        .options = plan->generate};
}

static int wants_completion(const struct scorer_item *item)
{
    return !item->answer.given && item->plan.generate;
}

/* --max-length may promise more than the model can take. */
static int check_prompts(const struct scorer *scorer,
                         const struct generate_job *job, size_t n,
                         struct oy_error *err)
{
    const size_t most = (size_t)config_max_text(&scorer->config);

    for (size_t i = 0; i < n; i++) {
        if (job[i].n_prompt > most)
            return oy_fail(err, OY_DATA,
                           "a prompt of %zu tokens, more than the model's %zu",
                           job[i].n_prompt, most);
    }
    return 0;
}

/* The batch gives way: its blocks are the generator's. */
static int run_jobs(struct scorer *scorer, struct generate_job *job, size_t n,
                    struct oy_error *err)
{
    int status;

    if (check_prompts(scorer, job, n, err))
        return -1;
    batch_free(scorer->batch);
    scorer->batch = NULL;
    status = generate_run(scorer->engine, scorer->tokenizer, job[0].options,
                          job, n, err);
    scorer->batch = batch_new(scorer->engine, NULL);
    return status;
}

/* A completion, where it belongs. */
struct completed {
    struct window *window;
    struct scorer_item *item;
};

static void take_completion(struct completed *completed,
                            const struct generate_job *job)
{
    struct window *window = completed->window;
    struct oy_text *text = &completed->item->answer.completion;

    *text = (struct oy_text){
        oy_arena_copy(window->arena, job->text.data, job->text.len),
        job->text.len};
    completed->item->answer.given = 1;
    tell_item(window, completed->item);
}

static void note_completion(void *arg, const struct generate_job *job)
{
    struct completed *completed = arg;

    take_completion(completed, job);
    if (seconds() >= completed->window->told + TELL_SECONDS)
        pause_listener(completed->window);
}

static int complete(struct window *window, struct scorer_item *item, size_t n,
                    struct oy_error *err)
{
    struct generate_job *job =
        oy_arena_array(window->arena, n + 1, sizeof *job);
    struct completed *completed =
        oy_arena_array(window->arena, n + 1, sizeof *completed);
    size_t n_job = 0;
    int status;

    for (size_t i = 0; i < n; i++) {
        if (!wants_completion(&item[i]))
            continue;
        completed[n_job] = (struct completed){window, &item[i]};
        job[n_job] = make_job(&item[i].plan);
        job[n_job].done = note_completion;
        job[n_job].arg = &completed[n_job];
        n_job++;
    }
    if (!n_job)
        return 0;
    status = run_jobs(window->scorer, job, n_job, err);
    for (size_t i = 0; i < n_job; i++) {
        /* One that had no room for a token was not told of. */
        if (!status && !completed[i].item->answer.given)
            take_completion(&completed[i], &job[i]);
        generate_job_release(&job[i]);
    }
    pause_listener(window);
    return status;
}

/* The lines that have no answer go to the command, and theirs come back. */
static int ask_command(struct window *window, struct scorer_item *item,
                       size_t n, struct oy_error *err)
{
    const struct scorer *scorer = window->scorer;
    struct oy_arena *const arena = window->arena;
    struct oy_text *const line = oy_arena_array(arena, n + 1, sizeof *line);
    struct request_answer *const answer =
        oy_arena_array(arena, n + 1, sizeof *answer);
    size_t n_open = 0;

    for (size_t i = 0; i < n; i++) {
        if (!item[i].answer.given)
            line[n_open++] = item[i].line;
    }
    if (command_model_answer(scorer->command, line, n_open, answer, arena, err))
        return -1;
    n_open = 0;
    for (size_t i = 0; i < n; i++) {
        if (item[i].answer.given)
            continue;
        item[i].answer = answer[n_open++];
        tell_item(window, &item[i]);
    }
    pause_listener(window);
    if (scorer->options.progress)
        scorer->options.progress(scorer->options.progress_arg, n_open);
    return 0;
}

int scorer_answer(struct scorer *scorer, struct scorer_item *item, size_t n,
                  const struct scorer_listener *listener,
                  struct oy_arena *arena, struct oy_error *err)
{
    struct window window = {.scorer = scorer,
                            .listener = listener,
                            .arena = arena,
                            .told = seconds()};

    if (scorer->command)
        return ask_command(&window, item, n, err);
    if (score_items(&window, item, n, err))
        return -1;
    return complete(&window, item, n, err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream behind oy-score. */
#include "eval/score.h"

#include <string.h>

#include "core/filter.h"
#include "eval/journal.h"
#include "eval/window.h"

/* What judge() leaves of a line. */
struct judged {
    int is_header;
    struct oy_json_value run; /* of a header */
    struct oy_text task;
    int64_t doc_id;
    enum request_type type;
    struct plan plan;
    struct oy_hash128 key;
};

struct score {
    const struct score_settings *settings;
    struct scorer *scorer;
    struct journal *journal;
    struct window window;
    uint64_t n_request; /* of the run */
    struct oy_buffer out;

    /* --shard */
    uint64_t shard_index, shard_count;
    uint64_t n_document; /* begun so far */
    struct oy_buffer last_task;
    int64_t last_doc;
};

static void *make_worker(void *self)
{
    return scorer_worker_new(((struct score *)self)->scorer);
}

static void free_worker(void *self, void *worker)
{
    (void)self;
    scorer_worker_free(worker);
}

static int judge(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    struct judged *judged = oy_arena_alloc(record->arena, sizeof *judged);
    struct oy_error bad = {0};
    struct request request;

    (void)self;
    (void)pass;
    (void)err;
    memset(judged, 0, sizeof *judged);
    record->blob = judged;
    judged->is_header =
        request_is_header(record->line, record->len, &judged->run);
    if (judged->is_header)
        return 0;
    if (request_parse(record->line, record->len, record->arena, &request,
                      &bad) ||
        scorer_plan(worker, &request, record->arena, &judged->plan, &bad)) {
        oy_record_fail(record, "%s", bad.message);
        return 0;
    }
    judged->task = request.task;
    judged->doc_id = request.doc_id;
    judged->type = request.type;
    judged->key = oy_hash128(record->line, record->len);
    return 0;
}

/* ---- the window ---- */

static int write_window(struct score *score, struct oy_output *output,
                        struct oy_error *err)
{
    oy_buffer_clear(&score->out);
    for (size_t i = 0; i < score->window.n; i++) {
        const struct scorer_item *item = &score->window.item[i];
        request_put_answered(item->line.at, item->line.len, item->type,
                             &item->answer, &score->out);
    }
    if (oy_output_write(output, score->out.data, score->out.len, err))
        return -1;
    return oy_output_flush(output, err);
}

static int flush_window(struct score *score, struct oy_output *output,
                        struct oy_error *err)
{
    if (!score->window.n)
        return 0;
    if (window_answer(&score->window, err) || write_window(score, output, err))
        return -1;
    window_clear(&score->window);
    return 0;
}

static void add_request(struct score *score, const struct oy_record *record,
                        const struct judged *judged)
{
    struct oy_arena *arena = &score->window.arena;
    const struct scorer_item item = {
        .type = judged->type,
        .plan = scorer_keep_plan(score->scorer, &judged->plan, arena),
        .number = score->n_request++,
        .line = {oy_arena_copy(arena, record->line, record->len), record->len}};

    window_add(&score->window, &item, judged->task, judged->doc_id,
               judged->key);
}

/* Whether the request is of this shard, which has every so-manieth document
 * with all its requests; one that names no task is a document. */
static int is_ours(struct score *score, const struct judged *judged)
{
    const struct oy_text *task = &judged->task;
    struct oy_buffer *last = &score->last_task;

    if (!score->n_document || !task->len || judged->doc_id != score->last_doc ||
        last->len != task->len || memcmp(last->data, task->at, task->len)) {
        oy_buffer_clear(last);
        oy_buffer_append(last, task->at, task->len);
        score->last_doc = judged->doc_id;
        score->n_document++;
    }
    return (score->n_document - 1) % score->shard_count == score->shard_index;
}

static int pass_header(struct score *score, const struct judged *judged,
                       struct oy_output *output, struct oy_error *err)
{
    struct oy_buffer model = {0};

    if (flush_window(score, output, err))
        return -1;
    oy_buffer_clear(&score->out);
    scorer_put_model(score->scorer, &model);
    request_put_header(&judged->run, model.data, model.len, &score->out);
    oy_buffer_release(&model);
    return oy_output_write(output, score->out.data, score->out.len, err);
}

static int settle(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err)
{
    struct score *score = self;
    const struct judged *judged = record->blob;

    if (!judged->is_header && !is_ours(score, judged))
        return 0;
    if (score->settings->scorer.dry_run) {
        if (!judged->is_header)
            scorer_count(score->scorer, &judged->plan);
        return 0;
    }
    if (judged->is_header)
        return pass_header(score, judged, context->output, err);
    if (window_is_full(&score->window, judged->task, judged->doc_id) &&
        flush_window(score, context->output, err))
        return -1;
    add_request(score, record, judged);
    return 0;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct score *score = self;

    if (score->settings->scorer.dry_run) {
        oy_buffer_clear(&score->out);
        scorer_put_counts(score->scorer, &score->out);
        oy_buffer_append_char(&score->out, '\n');
        return oy_output_write(context->output, score->out.data, score->out.len,
                               err);
    }
    if (flush_window(score, context->output, err))
        return -1;
    scorer_add_counts(score->scorer, context->counter);
    return score->settings->logits
               ? scorer_write_logits(score->scorer, score->settings->logits,
                                     err)
               : 0;
}

/* ---- the run ---- */

static int open_journal(struct score *score, struct oy_error *err)
{
    const struct scorer_options *options = &score->settings->scorer;
    struct oy_buffer identity = {0};

    if (!score->settings->journal || options->dry_run)
        return 0;
    oy_buffer_append_string(&identity, "{\"model\":");
    scorer_put_identity(score->scorer, &identity);
    oy_buffer_append_format(
        &identity, ",\"per_token\":%d,\"top_logprobs\":%lld}",
        options->per_token, (long long)options->top_logprobs);
    score->journal = journal_open(score->settings->journal, identity.data,
                                  identity.len, err);
    oy_buffer_release(&identity);
    return score->journal ? 0 : -1;
}

static int check_settings(const struct score_settings *settings,
                          struct oy_error *err)
{
    if (!settings->scorer.model && !settings->scorer.dry_run)
        return oy_fail(err, OY_USAGE, "--model is missing");
    if (!settings->scorer.model && !settings->scorer.tokenizer)
        return oy_fail(err, OY_USAGE, "--dry-run needs --model or -t");
    if (settings->logits && settings->journal)
        return oy_fail(err, OY_USAGE,
                       "--logits and --journal contradict each other");
    return 0;
}

static int run_filter(struct score *score, struct oy_run *run,
                      struct oy_error *err)
{
    const struct oy_filter filter = {.self = score,
                                     .n_pass = 1,
                                     .output_kind = "requests",
                                     .worker_new = make_worker,
                                     .worker_free = free_worker,
                                     .judge = judge,
                                     .settle = settle,
                                     .finish = finish};

    /* Shards are of documents here, not of lines. */
    score->shard_index = run->shard_index;
    score->shard_count = run->shard_count;
    run->shard_index = 0;
    run->shard_count = 1;
    return oy_filter_run(&filter, 1, run, NULL, err);
}

int score_run(const struct score_settings *settings, struct oy_run *run,
              struct oy_error *err)
{
    struct score score = {.settings = settings};
    struct scorer_options options = settings->scorer;
    int status = -1;

    if (check_settings(settings, err))
        return -1;
    struct oy_pool *pool = oy_pool_new(oy_run_threads(run), err);
    options.keep_logits = settings->logits != NULL;
    if (pool)
        score.scorer = scorer_new(&options, pool, err);
    if (score.scorer && !open_journal(&score, err)) {
        score.window.scorer = score.scorer;
        score.window.journal = score.journal;
        status = run_filter(&score, run, err);
    }
    if (status == 0)
        status = scorer_finish(score.scorer, err);
    journal_close(score.journal);
    if (status == 0)
        scorer_print_profile(score.scorer);
    scorer_free(score.scorer);
    oy_pool_free(pool);
    window_release(&score.window);
    oy_buffer_release(&score.out);
    oy_buffer_release(&score.last_task);
    return status;
}

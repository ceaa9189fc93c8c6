/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions, answers and grades without a pipe. */
#include "eval/evaluate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/output.h"
#include "eval/journal.h"
#include "eval/run_report.h"
#include "eval/window.h"
#include "model/engine.h"

struct evaluate {
    const struct evaluate_settings *settings;
    struct oy_pool *pool;
    struct scorer *scorer;
    struct scorer_worker *worker;
    struct grade *grade;      /* NULL: of a shard, whose answers are written */
    struct oy_output *output; /* of a shard */
    struct journal *journal;
    struct run_report report;
    uint64_t n_answered; /* of the whole run */

    struct window window;
    struct request *request; /* [window.n] */
    size_t cap_request;
    struct oy_buffer line;
};

/* ---- the model's arguments ---- */

static int set_model_arg(const char *name, const char *value,
                         struct scorer_options *options, struct oy_error *err)
{
    static const char *const ignored[] = {
        "device",      "batch_size",         "trust_remote_code", "backend",
        "parallelize", "use_fast_tokenizer", "revision",          NULL};
    char *end;

    if (!strcmp(name, "pretrained")) {
        options->model = value;
        return 0;
    }
    if (!strcmp(name, "tokenizer")) {
        options->tokenizer = value;
        return 0;
    }
    if (!strcmp(name, "max_length")) {
        options->max_length = strtoll(value, &end, 10);
        if (*value && !*end && options->max_length > 0)
            return 0;
        return oy_fail(err, OY_USAGE, "--model_args: max_length=%s", value);
    }
    if (!strcmp(name, "dtype")) {
        if (!strcmp(value, "float32") || !strcmp(value, "f32"))
            return 0;
        if (!strcmp(value, "bfloat16") || !strcmp(value, "bf16")) {
            options->type = ENGINE_BF16 * ENGINE_TYPE_SPELLINGS;
            return 0;
        }
        if (!strcmp(value, "int8") || !strcmp(value, "q8")) {
            options->type = ENGINE_Q8 * ENGINE_TYPE_SPELLINGS;
            return 0;
        }
        return oy_fail(err, OY_USAGE, "--model_args: dtype=%s is not supported",
                       value);
    }
    for (int i = 0; ignored[i]; i++) {
        if (!strcmp(name, ignored[i])) {
            oy_note("--model_args: %s is ignored", name);
            return 0;
        }
    }
    return oy_fail(err, OY_USAGE, "--model_args: '%s' is not understood", name);
}

int evaluate_parse_model_args(const char *text, struct scorer_options *options,
                              struct oy_arena *arena, struct oy_error *err)
{
    char *copy = oy_arena_copy(arena, text, strlen(text));
    char *state = NULL;

    for (char *part = strtok_r(copy, ",", &state); part;
         part = strtok_r(NULL, ",", &state)) {
        char *equals = strchr(part, '=');
        if (!equals)
            return oy_fail(err, OY_USAGE, "--model_args: '%s' has no value",
                           part);
        *equals = '\0';
        if (set_model_arg(part, equals + 1, options, err))
            return -1;
    }
    return 0;
}

/* ---- the window ---- */

/* An answered request goes to be graded, or into the shard's stream. */
static int pass_on(struct evaluate *e, const struct request *request,
                   struct oy_error *err)
{
    if (e->grade)
        return grade_add(e->grade, request, err);
    oy_buffer_clear(&e->line);
    request_write(request, &e->line);
    return oy_output_write(e->output, e->line.data, e->line.len, err);
}

static int flush_window(struct evaluate *e, struct oy_error *err)
{
    if (!e->window.n)
        return 0;
    if (window_answer(&e->window, err))
        return -1;
    for (size_t i = 0; i < e->window.n; i++) {
        e->request[i].answer = e->window.item[i].answer;
        if (pass_on(e, &e->request[i], err))
            return -1;
    }
    e->n_answered += e->window.n;
    oy_note("%llu requests are answered", (unsigned long long)e->n_answered);
    window_clear(&e->window);
    return 0;
}

/* The line that oy-ask would write, without its LF. */
static struct oy_text line_of(struct evaluate *e, const struct request *request)
{
    oy_buffer_clear(&e->line);
    request_write(request, &e->line);
    return (struct oy_text){e->line.data, e->line.len - 1};
}

static int take_request(void *arg, const struct request *request,
                        struct oy_error *err)
{
    struct evaluate *e = arg;
    struct oy_arena *arena = &e->window.arena;
    struct scorer_item item = {.type = request->type};
    struct oy_hash128 key = {0};

    if (window_is_full(&e->window, request->task, request->doc_id) &&
        flush_window(e, err))
        return -1;
    OY_GROW(e->request, e->cap_request, e->window.n + 1);
    struct request *kept = &e->request[e->window.n];
    request_copy(request, arena, kept);
    if (scorer_plan(e->worker, kept, arena, &item.plan, err))
        return -1;
    if (e->journal || scorer_is_command(e->scorer)) {
        const struct oy_text line = line_of(e, request);
        key = oy_hash128(line.at, line.len);
        item.line =
            (struct oy_text){oy_arena_copy(arena, line.at, line.len), line.len};
    }
    window_add(&e->window, &item, request->task, request->doc_id, key);
    return 0;
}

static int open_journal(struct evaluate *e, struct oy_error *err)
{
    struct oy_buffer identity = {0};

    if (!e->settings->journal)
        return 0;
    oy_buffer_append_string(&identity, "{\"model\":");
    scorer_put_identity(e->scorer, &identity);
    oy_buffer_append_string(&identity, ",\"per_token\":0,\"top_logprobs\":0}");
    e->journal =
        journal_open(e->settings->journal, identity.data, identity.len, err);
    oy_buffer_release(&identity);
    if (e->journal)
        oy_note("%zu answers stand in the journal", journal_count(e->journal));
    return e->journal ? 0 : -1;
}

/* The model is read once the tasks are known to be there. */
static int open_scorer(struct evaluate *e, struct oy_error *err)
{
    e->scorer = scorer_new(&e->settings->scorer, e->pool, err);
    if (!e->scorer)
        return -1;
    e->worker = scorer_worker_new(e->scorer);
    if (open_journal(e, err))
        return -1;
    e->window.scorer = e->scorer;
    e->window.journal = e->journal;
    return 0;
}

static int write_header(struct evaluate *e, const char *run, size_t len,
                        const struct oy_buffer *model, struct oy_error *err)
{
    const struct oy_json_value value = {OY_JSON_OBJECT, run, len};

    oy_buffer_clear(&e->line);
    request_put_header(&value, model->data, model->len, &e->line);
    return oy_output_write(e->output, e->line.data, e->line.len, err);
}

static int take_header(void *arg, const char *run, size_t len,
                       struct oy_error *err)
{
    struct evaluate *e = arg;
    struct oy_buffer model = {0};

    /* Grading first: what it lacks is known before the model is read. */
    if ((e->grade && grade_begin(e->grade, run, len, err)) ||
        open_scorer(e, err))
        return -1;
    scorer_put_model(e->scorer, &model);
    const int status =
        e->grade ? grade_set_model(e->grade, model.data, model.len, err)
                 : write_header(e, run, len, &model, err);
    oy_buffer_release(&model);
    return status;
}

/* ---- the run ---- */

static int write_results(struct evaluate *e, const struct oy_run *run,
                         struct oy_error *err)
{
    struct oy_output *file = oy_run_open_output(run, err);
    struct oy_buffer out = {0};

    if (!file)
        return -1;
    grade_put_results(e->grade, &out);
    const int failed = oy_output_write(file, out.data, out.len, err);
    oy_buffer_release(&out);
    if (failed) {
        oy_output_discard(file);
        return -1;
    }
    run_report_output(&e->report, file, run->output, "results", 0);
    return oy_output_commit(file, err);
}

static int write_table(const struct evaluate *e, struct oy_error *err)
{
    struct oy_output *table = oy_output_open(NULL, NULL, err);
    struct oy_buffer out = {0};

    if (!table)
        return -1;
    grade_put_table(e->grade, &out);
    const int failed = oy_output_write(table, out.data, out.len, err);
    oy_buffer_release(&out);
    return oy_output_commit(table, err) || failed ? -1 : 0;
}

static int answer_all(struct evaluate *e, struct oy_error *err)
{
    const struct ask_sink sink = {take_header, take_request, e};

    if (ask_run(&e->settings->ask, &sink, err) || flush_window(e, err) ||
        scorer_finish(e->scorer, err))
        return -1;
    oy_counter_add(&e->report.counter, "requests", e->n_answered);
    scorer_add_counts(e->scorer, &e->report.counter);
    return 0;
}

static int write_graded(struct evaluate *e, const struct oy_run *run,
                        struct oy_error *err)
{
    e->grade = grade_new(&e->settings->grade, err);
    if (!e->grade || answer_all(e, err) || grade_finish(e->grade, err))
        return -1;
    if (run->output && strcmp(run->output, "-") && write_results(e, run, err))
        return -1;
    return write_table(e, err);
}

/* A shard's answers are graded when those of the others are there. */
static int write_shard(struct evaluate *e, const struct oy_run *run,
                       struct oy_error *err)
{
    if (e->settings->grade.log_samples)
        return oy_fail(err, OY_USAGE,
                       "--log-samples is oy-grade's, when the shards are"
                       " merged");
    e->output = oy_run_open_output(run, err);
    if (!e->output)
        return -1;
    if (answer_all(e, err)) {
        oy_output_discard(e->output);
        return -1;
    }
    run_report_output(&e->report, e->output, run->output, "requests",
                      e->n_answered + 1);
    return oy_output_commit(e->output, err);
}

static int evaluate_all(struct evaluate *e, const struct oy_run *run,
                        struct oy_error *err)
{
    const int status =
        run->shard ? write_shard(e, run, err) : write_graded(e, run, err);

    return status ? -1 : run_report_write(&e->report, run, err);
}

int evaluate_run(const struct evaluate_settings *settings, struct oy_run *run,
                 struct oy_error *err)
{
    struct evaluate e = {.settings = settings};
    int status = -1;

    if (!settings->scorer.model)
        return oy_fail(err, OY_USAGE, "--model is missing");
    if (!settings->ask.tasks)
        return oy_fail(err, OY_USAGE, "--tasks is missing");
    e.pool = oy_pool_new(oy_run_threads(run), err);
    if (e.pool)
        status = evaluate_all(&e, run, err);
    journal_close(e.journal);
    grade_free(e.grade);
    if (status == 0)
        scorer_print_profile(e.scorer);
    scorer_worker_free(e.worker);
    scorer_free(e.scorer);
    oy_pool_free(e.pool);
    run_report_release(&e.report);
    window_release(&e.window);
    oy_buffer_release(&e.line);
    oy_free(e.request);
    return status;
}

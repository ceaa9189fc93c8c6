/* SPDX-License-Identifier: Apache-2.0
 *
 * One document graded: its metrics, its hashes, its line of samples. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "core/utf8.h"
#include "eval/grade_internal.h"

/* Documents whose programs are run together. */
enum { MOST_DEFERRED = 256 };

void grade_sha256(const void *data, size_t len, char hex[65])
{
    unsigned char digest[32];

    oy_sha256(data, len, digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static int fail(const struct grade *grade, struct oy_error *err,
                const char *why)
{
    return oy_fail(err, OY_DATA, "task '%s': document %lld: %s",
                   grade->current->task->name, (long long)grade->doc_id, why);
}

static int read_part(struct grade *grade, const struct oy_json_value *json,
                     struct template_value *value, struct oy_error *err)
{
    const char *why = "";

    *value = template_none();
    if (json->kind != OY_JSON_MISSING &&
        template_from_json(json, &grade->pending, value, &why))
        return fail(grade, err, why);
    return 0;
}

/* ---- metrics ---- */

/* The labels of a metric, one a choice: which are right. */
static int read_labels(struct grade *grade, const struct graded *graded,
                       const struct template *expression, uint8_t *right,
                       size_t n, struct oy_error *err)
{
    struct template_value labels;

    if (template_evaluate(expression, &graded->doc, &grade->pending, &labels,
                          err))
        return -1;
    if (labels.kind != TEMPLATE_LIST || labels.list->n_item != n)
        return fail(grade, err, "as many labels as choices are wanted");
    for (size_t i = 0; i < n; i++)
        right[i] = (uint8_t)template_truth(&labels.list->item[i]);
    return 0;
}

static int choice_metric(struct grade *grade, const struct graded *graded,
                         const struct grade_metric *metric,
                         const struct metric_choice *choice, double *value,
                         struct oy_error *err)
{
    const size_t n = grade->n_request;

    if (!metric->labels) {
        *value = metric_of_choices(metric->kind->name, choice, n);
        return 0;
    }
    uint8_t *right = oy_arena_alloc(&grade->pending, n);
    if (read_labels(grade, graded, metric->labels, right, n, err))
        return -1;
    *value = metric_of_labels(choice, right, n);
    return 0;
}

/* The target is an index, or a list of them. */
static int mark_right(const struct grade *grade,
                      const struct template_value *target,
                      struct metric_choice *choice, struct oy_error *err)
{
    const int is_list = target->kind == TEMPLATE_LIST;
    const size_t n = is_list ? target->list->n_item : 1;

    for (size_t i = 0; i < n; i++) {
        const struct template_value *const index =
            is_list ? &target->list->item[i] : target;
        if (index->kind != TEMPLATE_INT || index->integer < 0 ||
            (uint64_t)index->integer >= grade->n_request)
            return fail(grade, err, "'target' is no choice's index");
        choice[index->integer].is_right = 1;
    }
    return 0;
}

/* What the metric that runs are compared by takes for the answer. */
static void choose_answer(struct graded *graded, const struct grade_task *task,
                          const struct metric_choice *choice, size_t n)
{
    const char *name = "acc";

    for (size_t i = 0; i < task->n_metric; i++) {
        if (!strcmp(task->metric[i].kind->name, "acc_norm"))
            name = "acc_norm";
    }
    const size_t best = metric_choose(name, choice, n);
    graded->chosen = graded->choices.list->item[best].text;
}

static int choice_metrics(struct grade *grade, struct graded *graded,
                          struct oy_error *err)
{
    const struct grade_task *task = grade->current;
    const size_t n = grade->n_request;
    struct metric_choice *choice =
        oy_arena_array(&grade->pending, n, sizeof *choice);

    if (graded->choices.kind != TEMPLATE_LIST ||
        graded->choices.list->n_item != n)
        return fail(grade, err, "as many requests as choices are wanted");
    for (size_t i = 0; i < n; i++) {
        const struct template_value *text = &graded->choices.list->item[i];
        if (text->kind != TEMPLATE_STRING)
            return fail(grade, err, "a choice is not a text");
        choice[i] = (struct metric_choice){
            .logprob = grade->request[i].answer.logprob,
            .is_greedy = grade->request[i].answer.is_greedy,
            .n_char = oy_utf8_count(text->text.at, text->text.len),
            .n_byte = text->text.len,
        };
    }
    if (mark_right(grade, &graded->target, choice, err))
        return -1;
    choose_answer(graded, task, choice, n);
    for (size_t i = 0; i < task->n_metric; i++) {
        if (choice_metric(grade, graded, &task->metric[i], choice,
                          &graded->item[i].value, err))
            return -1;
    }
    return 0;
}

/* lambada: acc is whether the answer is the greedy one. */
static void likelihood_metrics(const struct grade *grade, struct graded *graded)
{
    const struct request_answer *answer = &grade->request[0].answer;

    for (size_t i = 0; i < grade->current->n_metric; i++) {
        const int is_acc = !strcmp(grade->current->metric[i].kind->name, "acc");
        graded->item[i].value = is_acc ? answer->is_greedy : answer->logprob;
    }
}

static int rolling_metrics(struct grade *grade, struct graded *graded,
                           struct oy_error *err)
{
    const struct grade_task *task = grade->current;

    for (size_t i = 0; i < task->n_metric; i++) {
        struct template_value weight;
        if (!task->metric[i].weight)
            return fail(grade, err, "a metric without its weight");
        if (template_evaluate(task->metric[i].weight, &graded->doc,
                              &grade->pending, &weight, err))
            return -1;
        if (!template_is_number(&weight))
            return fail(grade, err, "a weight is not a number");
        graded->item[i] = (struct metric_item){grade->request[0].answer.logprob,
                                               template_number(&weight)};
    }
    return 0;
}

/* What every filter makes of the completions: of the first, or of each. */
static int filter_completions(struct grade *grade, struct graded *graded,
                              struct oy_error *err)
{
    const struct grade_task *task = grade->current;
    const size_t n = graded->n_request;

    graded->answer = oy_arena_array(&grade->pending, task->n_filter * n,
                                    sizeof *graded->answer);
    for (size_t i = 0; i < task->n_filter * n; i++) {
        const struct answer_filter *filter = task->filter[i / n];
        graded->answer[i] = (struct oy_text){"", 0};
        if (i % n && !answer_filter_keeps_all(filter))
            continue;
        if (answer_filter_apply(filter, &graded->doc,
                                graded->request[i % n].answer.completion,
                                &grade->pending, &graded->answer[i], err))
            return oy_fail_at(err, "task '%s': document %lld", task->task->name,
                              (long long)grade->doc_id);
    }
    return 0;
}

static int match_answer(const struct grade_metric *metric,
                        const struct graded *graded, struct oy_text answer,
                        const struct template_value *target,
                        struct oy_error *err)
{
    const struct template_value *reference;

    if (!metric->equal)
        return answer_match(metric->ignore, answer, target, err);
    /* The target is a list where the text looks like one: "[2,7]". */
    reference = template_get(&graded->doc, "answer");
    if (!reference || reference->kind != TEMPLATE_STRING)
        return oy_fail(err, OY_DATA, "document %lld: 'answer' is not a text",
                       (long long)graded->doc_id);
    return metric->equal(answer, reference->text);
}

static int completion_metrics(struct grade *grade, struct graded *graded,
                              struct oy_error *err)
{
    const struct grade_task *task = grade->current;
    const struct template_value *target = &graded->shown;
    const size_t n = task->n_metric / task->n_filter;

    if (graded->choices.kind == TEMPLATE_LIST && target->kind == TEMPLATE_INT &&
        target->integer >= 0 &&
        (uint64_t)target->integer < graded->choices.list->n_item)
        target = &graded->choices.list->item[target->integer];
    if (filter_completions(grade, graded, err))
        return -1;
    for (size_t i = 0; i < task->n_metric && !task->is_code; i++) {
        const int right = match_answer(
            &task->metric[i], graded, graded->answer[i / n * graded->n_request],
            target, err);
        if (right < 0)
            return -1;
        graded->item[i].value = right;
    }
    return 0;
}

static int all_metrics(struct grade *grade, struct graded *graded,
                       struct oy_error *err)
{
    const enum task_output output = grade->current->task->output;

    if (output == TASK_MULTIPLE_CHOICE)
        return choice_metrics(grade, graded, err);
    if (output == TASK_GENERATE && grade->n_request == grade->current->n_repeat)
        return completion_metrics(grade, graded, err);
    if (grade->n_request != 1 || output == TASK_GENERATE)
        return fail(grade, err,
                    output == TASK_GENERATE ? "'repeats' requests are wanted"
                                            : "one request is wanted");
    if (output == TASK_ROLLING)
        return rolling_metrics(grade, graded, err);
    likelihood_metrics(grade, graded);
    return 0;
}

/* ---- hashes ---- */

static struct oy_text first_argument(const struct graded *graded)
{
    const struct request *request = &graded->request[0];

    return request->type == REQUEST_ROLLING ? request->continuation
                                            : request->context;
}

/* lm-eval hashes the document as json.dumps(doc, indent=2). */
static void make_hashes(struct graded *graded)
{
    const struct template_json_style style = {.indent = 2};
    const struct oy_text prompt = first_argument(graded);
    struct oy_buffer text = {0};

    template_put_json(&graded->doc, &style, &text);
    grade_sha256(text.data, text.len, graded->doc_hash);
    grade_sha256(prompt.at, prompt.len, graded->prompt_hash);
    oy_buffer_clear(&text);
    template_put_text(&graded->shown, &text);
    grade_sha256(oy_buffer_string(&text), text.len, graded->target_hash);
    oy_buffer_release(&text);
}

/* ---- the line of samples ---- */

static void put_value_text(const struct template_value *value,
                           struct oy_buffer *out)
{
    struct oy_buffer text = {0};

    template_put_text(value, &text);
    oy_json_put_string(out, text.data, text.len);
    oy_buffer_release(&text);
}

static void put_string(struct oy_text text, struct oy_buffer *out)
{
    oy_json_put_string(out, text.at, text.len);
}

static void put_generation(const struct request *r, struct oy_buffer *out)
{
    if (r->gen.kind == OY_JSON_MISSING)
        oy_buffer_append_string(out, "{}");
    else
        oy_buffer_append(out, r->gen.at, r->gen.len);
}

static void put_arguments(const struct graded *graded, struct oy_buffer *out)
{
    /* Repeats are one request of lm-eval's. */
    const int repeats = graded->request[0].type == REQUEST_GENERATE;

    for (size_t i = 0; i < (repeats ? 1 : graded->n_request); i++) {
        const struct request *r = &graded->request[i];
        oy_buffer_append_format(
            out, "%s\"gen_args_%zu\": {\"arg_0\": ", i ? ", " : "", i);
        if (r->type == REQUEST_ROLLING) {
            put_string(r->continuation, out);
        } else {
            put_string(r->context, out);
            oy_buffer_append_string(out, ", \"arg_1\": ");
            if (r->type == REQUEST_GENERATE)
                put_generation(r, out);
            else
                put_string(r->continuation, out);
        }
        oy_buffer_append_char(out, '}');
    }
}

/* Log-likelihoods as the texts that Python's str() gives. */
static void put_logprob(double logprob, struct oy_buffer *out)
{
    const struct template_value value = template_float(logprob);

    put_value_text(&value, out);
}

static void put_response(const struct request *r, struct oy_buffer *out)
{
    if (r->type == REQUEST_ROLLING) {
        put_logprob(r->answer.logprob, out);
        return;
    }
    if (r->type == REQUEST_GENERATE) {
        put_string(r->answer.completion, out);
        return;
    }
    oy_buffer_append_char(out, '[');
    put_logprob(r->answer.logprob, out);
    oy_buffer_append_format(out, ", \"%s\"]",
                            r->answer.is_greedy ? "True" : "False");
}

static void put_responses(const struct graded *graded, const char *open,
                          const char *close, struct oy_buffer *out)
{
    const int repeats = graded->request[0].type == REQUEST_GENERATE;

    for (size_t i = 0; i < graded->n_request; i++) {
        oy_buffer_append_string(out, i ? ", " : "");
        if (i == 0 || !repeats)
            oy_buffer_append_string(out, open);
        put_response(&graded->request[i], out);
        if (i == graded->n_request - 1 || !repeats)
            oy_buffer_append_string(out, close);
    }
}

/* What a filter made of the completions. */
static void put_answers(const struct grade_task *task,
                        const struct graded *graded, size_t filter,
                        struct oy_buffer *out)
{
    const int all = answer_filter_keeps_all(task->filter[filter]);
    const size_t n = graded->n_request;

    oy_buffer_append_string(out, all ? "[" : "");
    for (size_t i = 0; i < (all ? n : 1); i++) {
        oy_buffer_append_string(out, i ? ", " : "");
        put_string(graded->answer[filter * n + i], out);
    }
    oy_buffer_append_string(out, all ? "]" : "");
}

/* A metric's value of a document: [log-likelihood, weight] of rolling ones;
 * an integer where lm-eval has one (acc of log-likelihood tasks). */
static void put_item(const struct grade_task *task, size_t index,
                     const struct metric_item *item, struct oy_buffer *out)
{
    const struct grade_metric *metric = &task->metric[index];

    if (metric->weight) {
        oy_buffer_append_char(out, '[');
        oy_json_put_double(out, item->value);
        oy_buffer_append_string(out, ", ");
        oy_json_put_int(out, (int64_t)item->weight);
        oy_buffer_append_char(out, ']');
    } else if (task->task->output == TASK_LOGLIKELIHOOD &&
               metric->kind->aggregation == METRIC_MEAN) {
        oy_json_put_int(out, (int64_t)item->value);
    } else {
        oy_json_put_double(out, item->value);
    }
}

/* The metrics of a filter. */
struct metric_range {
    size_t first, end;
};

static struct metric_range metrics_of(const struct grade_task *task,
                                      size_t filter)
{
    const size_t n = task->n_metric / (task->n_filter ? task->n_filter : 1);

    return (struct metric_range){filter * n, filter * n + n};
}

static void put_items(const struct grade_task *task,
                      const struct graded *graded, size_t filter,
                      struct oy_buffer *out)
{
    const struct metric_range range = metrics_of(task, filter);

    for (size_t i = range.first; i < range.end; i++) {
        oy_buffer_append_format(out, ", \"%s\": ", task->metric[i].kind->name);
        put_item(task, i, &graded->item[i], out);
    }
}

/* For the pairing of runs: the first filter's by the metrics' names. */
static void put_all_items(const struct grade_task *task,
                          const struct graded *graded, struct oy_buffer *out)
{
    put_items(task, graded, 0, out);
    for (size_t i = metrics_of(task, 0).end; i < task->n_metric; i++) {
        char *name = oy_asprintf("%s,%s", task->metric[i].kind->name,
                                 grade_filter_name(&task->metric[i]));
        oy_buffer_append_string(out, ", ");
        oy_json_put_string(out, name, strlen(name));
        oy_buffer_append_string(out, ": ");
        put_item(task, i, &graded->item[i], out);
        oy_free(name);
    }
}

static void put_sample(const struct grade_task *task,
                       const struct graded *graded, size_t filter,
                       struct oy_buffer *out)
{
    const struct grade_metric *metric = task->metric;
    const struct metric_range range = metrics_of(task, filter);
    const char *name = grade_filter_name(&metric[range.first]);
    const struct template_json_style style = {.indent = -1};

    oy_buffer_append_format(
        out, "{\"doc_id\": %lld, \"doc\": ", (long long)graded->doc_id);
    template_put_json(&graded->doc, &style, out);
    oy_buffer_append_string(out, ", \"target\": ");
    put_value_text(&graded->shown, out);
    oy_buffer_append_string(out, ", \"arguments\": {");
    put_arguments(graded, out);
    oy_buffer_append_string(out, "}, \"resps\": [");
    put_responses(graded, "[", "]", out);
    oy_buffer_append_string(out, "], \"filtered_resps\": [");
    if (graded->answer)
        put_answers(task, graded, filter, out);
    else
        put_responses(graded, "", "", out);
    oy_buffer_append_string(out, "], \"filter\": ");
    oy_json_put_string(out, name, strlen(name));
    oy_buffer_append_string(out, ", \"metrics\": [");
    for (size_t i = range.first; i < range.end; i++)
        oy_buffer_append_format(out, "%s\"%s\"", i > range.first ? ", " : "",
                                metric[i].kind->name);
    oy_buffer_append_format(out,
                            "], \"doc_hash\": \"%s\", \"prompt_hash\": \"%s\""
                            ", \"target_hash\": \"%s\"",
                            graded->doc_hash, graded->prompt_hash,
                            graded->target_hash);
    put_items(task, graded, filter, out);
    oy_buffer_append_string(out, "}\n");
}

/* ---- all of it ---- */

static int record(struct grade_task *task, const struct graded *graded,
                  struct oy_error *err)
{
    struct oy_buffer line = {0};
    int rc = 0;

    for (size_t i = 0; i < task->n_metric; i++) {
        struct grade_metric *metric = &task->metric[i];
        OY_GROW(metric->item, metric->cap_item, task->n_document + 1);
        metric->item[task->n_document] = graded->item[i];
    }
    oy_buffer_append(&task->hashes, graded->doc_hash, 64);
    oy_buffer_append(&task->hashes, graded->prompt_hash, 64);
    oy_buffer_append(&task->hashes, graded->target_hash, 64);
    if (task->n_document)
        oy_buffer_append_string(&task->samples, ",\n        ");
    grade_put_pairing(task, graded, &task->samples);
    put_all_items(task, graded, &task->samples);
    oy_buffer_append_char(&task->samples, '}');
    task->n_document++;
    if (task->log) {
        put_sample(task, graded, 0, &line);
        for (size_t i = 1; i < task->n_filter; i++)
            put_sample(task, graded, i, &task->later[i]);
        rc = oy_output_write(task->log, line.data, line.len, err);
        oy_buffer_release(&line);
    }
    return rc;
}

int grade_deferred(struct grade *grade, struct oy_error *err)
{
    if (!grade->n_deferred)
        return 0;
    if (grade_code_run(grade, err))
        return -1;
    for (size_t i = 0; i < grade->n_deferred; i++) {
        if (record(grade->deferred_task, grade->deferred[i], err))
            return -1;
    }
    grade->n_deferred = 0;
    oy_arena_clear(&grade->pending);
    return 0;
}

/* The requests stay where they are; what lies in `pending` does, too. */
static int defer(struct grade *grade, const struct graded *graded,
                 struct oy_error *err)
{
    struct graded *kept = oy_arena_alloc(&grade->pending, sizeof *kept);

    *kept = *graded;
    OY_GROW(grade->deferred, grade->cap_deferred, grade->n_deferred + 1);
    grade->deferred[grade->n_deferred++] = kept;
    grade->deferred_task = grade->current;
    return grade->n_deferred < MOST_DEFERRED ? 0 : grade_deferred(grade, err);
}

/* The parts of the document that its requests carry. */
static int begin_graded(struct grade *grade, struct graded *graded,
                        struct oy_error *err)
{
    const size_t n = grade->n_request;
    struct request *request =
        oy_arena_array(&grade->pending, n, sizeof *request);

    memcpy(request, grade->request, n * sizeof *request);
    *graded = (struct graded){
        .doc_id = grade->doc_id, .request = request, .n_request = n};
    if (read_part(grade, &request->doc, &graded->doc, err) ||
        read_part(grade, &request->target, &graded->target, err) ||
        read_part(grade, &request->choices, &graded->choices, err) ||
        task_render_target(grade->current->task, &graded->doc, &grade->pending,
                           &graded->shown, err))
        return -1;
    graded->item = oy_arena_array(&grade->pending, grade->current->n_metric + 1,
                                  sizeof *graded->item);
    memset(graded->item, 0, grade->current->n_metric * sizeof *graded->item);
    return 0;
}

int grade_document(struct grade *grade, struct oy_error *err)
{
    struct grade_task *task = grade->current;
    struct graded graded;
    int rc;

    if (begin_graded(grade, &graded, err) || all_metrics(grade, &graded, err))
        return -1;
    make_hashes(&graded);
    rc =
        task->is_code ? defer(grade, &graded, err) : record(task, &graded, err);
    grade->current = NULL;
    grade->n_request = 0;
    if (!grade->n_deferred)
        oy_arena_clear(&grade->pending);
    return rc;
}

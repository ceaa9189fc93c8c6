/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream of answers taken in: header, documents, the end. */
#include "eval/grade.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "eval/answer_math.h"
#include "eval/grade_internal.h"
#include "eval/text_clean.h"

static int make_folder(const char *path, struct oy_error *err)
{
    char *copy = oy_strdup(path);
    int rc = 0;

    for (char *at = copy + 1; rc == 0; at++) {
        const char end = *at;
        if (end && end != '/')
            continue;
        *at = '\0';
        if (mkdir(copy, 0777) && errno != EEXIST)
            rc = oy_fail_errno(err, OY_CANTCREAT, "%s", copy);
        *at = end;
        if (!end)
            break;
    }
    oy_free(copy);
    return rc;
}

struct grade *grade_new(const struct grade_options *options,
                        struct oy_error *err)
{
    struct grade *grade = oy_calloc(1, sizeof *grade);

    grade->options = *options;
    grade->model = template_new_dict(&grade->arena);
    grade->pool = oy_pool_new((int)options->threads, err);
    if (grade->pool &&
        (!options->log_samples || !make_folder(options->log_samples, err)))
        return grade;
    grade_free(grade);
    return NULL;
}

static void release_task(struct grade_task *task)
{
    for (size_t i = 0; i < task->n_metric; i++) {
        template_free(task->metric[i].weight);
        template_free(task->metric[i].labels);
        answer_ignore_free(task->metric[i].ignore);
        oy_free(task->metric[i].item);
    }
    for (size_t i = 0; i < task->n_filter; i++) {
        answer_filter_free(task->filter[i]);
        oy_buffer_release(&task->later[i]);
    }
    template_free(task->given);
    oy_free(task->filter);
    oy_free(task->later);
    oy_free(task->metric);
    oy_buffer_release(&task->hashes);
    oy_buffer_release(&task->samples);
    oy_output_discard(task->log);
}

void grade_free(struct grade *grade)
{
    if (!grade)
        return;
    for (size_t i = 0; grade->task && i < grade->set.n_task; i++)
        release_task(&grade->task[i]);
    oy_free(grade->task);
    task_set_release(&grade->set);
    oy_pool_free(grade->pool);
    for (size_t i = 0; i < 2; i++)
        sandbox_free(grade->sandbox[i]);
    oy_free(grade->deferred);
    oy_free(grade->request);
    oy_arena_release(&grade->pending);
    oy_arena_release(&grade->arena);
    oy_free(grade);
}

/* ---- the header ---- */

/* An expression of a metric over the document; none is given: 0. */
static int read_expression(const struct template_value *config,
                           const char *name, struct template **expression,
                           struct oy_error *err)
{
    const struct template_value *source = template_get(config, name);

    if (!source || source->kind != TEMPLATE_STRING)
        return 0;
    *expression = template_compile_expression(source->text.at, source->text.len,
                                              &text_clean_options, err);
    return *expression ? 0 : -1;
}

static int is_text(const struct template_value *value, const char *text)
{
    return value->kind == TEMPLATE_STRING && value->text.len == strlen(text) &&
           !memcmp(value->text.at, text, value->text.len);
}

/* How a completion is compared with the reference, where not as a text. */
static int read_equality(const struct template_value *config,
                         struct grade_metric *metric, struct oy_error *err)
{
    const struct template_value *name = template_get(config, "equal");

    if (!name)
        return 0;
    if (is_text(name, "hendrycks_math"))
        metric->equal = answer_math_equal;
    else if (is_text(name, "agieval_math"))
        metric->equal = answer_agieval_equal;
    else
        return oy_fail(err, OY_DATA,
                       "a metric's 'equal' is neither 'hendrycks_math' nor"
                       " 'agieval_math'");
    return 0;
}

/* Number `part` of the metrics that a member of metric_list stands for. */
static int add_metric(struct grade_task *task,
                      const struct template_value *config, size_t part,
                      struct oy_arena *arena, struct oy_error *err)
{
    const struct template_value *name = template_get(config, "metric");
    struct grade_metric *metric = &task->metric[task->n_metric];
    int is_code = 0;

    if (!name || name->kind != TEMPLATE_STRING)
        return oy_fail(err, OY_DATA, "a metric without a name");
    if (task->task->output == TASK_GENERATE)
        is_code = grade_code_metric(config, part, task, metric, arena, err);
    if (is_code) {
        task->n_metric++;
        return is_code < 0 ? -1 : 0;
    }
    metric->kind =
        metric_find(oy_arena_copy(arena, name->text.at, name->text.len));
    if (!metric->kind && task->task->output == TASK_GENERATE)
        return oy_fail(err, OY_DATA,
                       "metric '%.*s' of completions is not supported",
                       (int)name->text.len, name->text.at);
    if (!metric->kind)
        return oy_fail(err, OY_DATA, "unknown metric '%.*s'",
                       (int)name->text.len, name->text.at);
    task->n_metric++;
    if (task->task->output == TASK_GENERATE) {
        if (read_equality(config, metric, err))
            return -1;
        if (strcmp(metric->kind->name, "exact_match") && !metric->equal)
            return oy_fail(err, OY_DATA,
                           "metric '%s' of completions is not supported",
                           metric->kind->name);
        metric->ignore = answer_ignore_new(config, ANSWER_ASCII, err);
        return metric->ignore ? 0 : -1;
    }
    return read_expression(config, "weight", &metric->weight, err) ||
                   read_expression(config, "labels", &metric->labels, err)
               ? -1
               : 0;
}

const char *grade_filter_name(const struct grade_metric *metric)
{
    return metric->filter ? answer_filter_name(metric->filter) : "none";
}

/* The filters of completions; a task that names none has the one that takes
 * the answer as it is. */
static int add_filters(struct grade_task *task, struct oy_error *err)
{
    const struct template_value *list =
        template_get(&task->task->config, "filter_list");
    const int given = list && list->kind == TEMPLATE_LIST && list->list->n_item;
    const size_t n = given ? list->list->n_item : 1;

    if (task->task->output != TASK_GENERATE)
        return 0;
    task->filter = oy_calloc(n, sizeof(struct answer_filter *));
    task->later = oy_calloc(n, sizeof *task->later);
    for (; task->n_filter < n; task->n_filter++) {
        struct answer_filter *filter = answer_filter_new(
            given ? &list->list->item[task->n_filter] : NULL, err);
        if (!filter)
            return -1;
        task->filter[task->n_filter] = filter;
    }
    return 0;
}

/* Those of one filter, NULL where there are none. */
static int add_filters_metrics(struct grade *grade, struct grade_task *task,
                               const struct template_value *list,
                               const struct answer_filter *filter,
                               struct oy_error *err)
{
    for (size_t i = 0; i < list->list->n_item; i++) {
        const struct template_value *config = &list->list->item[i];
        const size_t width = grade_code_width(config);
        for (size_t part = 0; part < width; part++) {
            if (add_metric(task, config, part, &grade->arena, err))
                return -1;
            struct grade_metric *metric = &task->metric[task->n_metric - 1];
            metric->filter = filter;
            if (filter && !metric->pass_k && answer_filter_keeps_all(filter))
                return oy_fail(err, OY_DATA,
                               "metric '%s' of a filter without take_first",
                               metric->kind->name);
        }
    }
    return 0;
}

static int add_metrics(struct grade *grade, struct grade_task *task,
                       struct oy_error *err)
{
    const struct template_value *list =
        template_get(&task->task->config, "metric_list");
    const size_t n_round = task->n_filter ? task->n_filter : 1;
    size_t n = 0;

    if (!list || list->kind != TEMPLATE_LIST || !list->list->n_item)
        return oy_fail(err, OY_DATA, "no metrics");
    for (size_t i = 0; i < list->list->n_item; i++)
        n += grade_code_width(&list->list->item[i]);
    if (!n)
        return oy_fail(err, OY_DATA, "no metrics");
    task->metric = oy_calloc(n * n_round, sizeof *task->metric);
    for (size_t i = 0; i < n_round; i++) {
        if (add_filters_metrics(grade, task, list,
                                task->n_filter ? task->filter[i] : NULL, err))
            return -1;
    }
    for (size_t i = 0; i < task->n_metric; i++) {
        if (task->is_code && !task->metric[i].pass_k)
            return oy_fail(err, OY_DATA, "programs have no metric '%s'",
                           task->metric[i].kind->name);
    }
    return task->is_code ? grade_code_open(grade, task, err) : 0;
}

static int open_log(const struct grade *grade, struct grade_task *task,
                    struct oy_error *err)
{
    char *path;

    if (!grade->options.log_samples)
        return 0;
    if (strchr(task->task->name, '/'))
        return oy_fail(err, OY_DATA, "a task's name with a slash");
    path = oy_asprintf("%s/samples_%s.jsonl", grade->options.log_samples,
                       task->task->name);
    task->log = oy_output_open(path, NULL, err);
    oy_free(path);
    return task->log ? 0 : -1;
}

static int begin_task(struct grade *grade, size_t index, struct oy_error *err)
{
    struct grade_task *task = &grade->task[index];
    const struct template_value *counts =
        template_get(&grade->run, "n-samples");
    const struct template_value *count;

    task->task = &grade->set.task[index];
    task->last_doc_id = -1;
    count = counts ? template_get(counts, task->task->name) : NULL;
    count = count ? template_get(count, "effective") : NULL;
    if (!count || count->kind != TEMPLATE_INT)
        return oy_fail(err, OY_DATA, "task '%s': no count of documents",
                       task->task->name);
    task->n_effective = (size_t)count->integer;
    task->n_repeat = task_repeats(task->task);
    if (add_filters(task, err) || add_metrics(grade, task, err))
        return oy_fail_at(err, "task '%s'", task->task->name);
    return open_log(grade, task, err);
}

int grade_begin(struct grade *grade, const char *run, size_t len,
                struct oy_error *err)
{
    const char *text = oy_arena_copy(&grade->arena, run, len);
    const struct template_value *tasks, *model;
    const char *why = "no tasks";

    if (grade->task)
        return oy_fail(err, OY_DATA, "a second header");
    if (template_parse_json(text, len, &grade->arena, &grade->run, &why))
        return oy_fail(err, OY_DATA, "header: %s", why);
    tasks = template_get(&grade->run, "tasks");
    if (!tasks || tasks->kind != TEMPLATE_DICT)
        return oy_fail(err, OY_DATA, "header: %s", why);
    model = template_get(&grade->run, "model");
    if (model && model->kind == TEMPLATE_DICT)
        grade->model = *model;
    for (size_t i = 0; i < tasks->dict->n_entry; i++) {
        if (task_from_config(&tasks->dict->entry[i].value, &grade->set, err))
            return oy_fail_at(err, "header");
    }
    grade->task = oy_calloc(grade->set.n_task, sizeof *grade->task);
    for (size_t i = 0; i < grade->set.n_task; i++) {
        if (begin_task(grade, i, err))
            return -1;
    }
    return 0;
}

int grade_set_model(struct grade *grade, const char *model, size_t len,
                    struct oy_error *err)
{
    const char *text = oy_arena_copy(&grade->arena, model, len);
    const char *why = "not an object";

    if (template_parse_json(text, len, &grade->arena, &grade->model, &why) ||
        grade->model.kind != TEMPLATE_DICT)
        return oy_fail(err, OY_DATA, "model: %s", why);
    return 0;
}

/* ---- requests ---- */

static struct grade_task *find_task(struct grade *grade, struct oy_text name)
{
    for (size_t i = 0; i < grade->set.n_task; i++) {
        const char *other = grade->set.task[i].name;
        if (strlen(other) == name.len && !memcmp(other, name.at, name.len))
            return &grade->task[i];
    }
    return NULL;
}

static int is_same_document(const struct grade *grade,
                            const struct request *request)
{
    const char *name = grade->current->task->name;

    return grade->doc_id == request->doc_id &&
           strlen(name) == request->task.len &&
           !memcmp(name, request->task.at, request->task.len);
}

static int start_document(struct grade *grade, const struct request *request,
                          struct oy_error *err)
{
    struct grade_task *task = find_task(grade, request->task);

    if (!task)
        return oy_fail(err, OY_DATA, "task '%.*s' is not in the header",
                       (int)request->task.len, request->task.at);
    if (request->doc_id <= task->last_doc_id)
        return oy_fail(err, OY_DATA, "task '%s': document %lld out of order",
                       task->task->name, (long long)request->doc_id);
    if (request->doc.kind != OY_JSON_OBJECT ||
        request->target.kind == OY_JSON_MISSING)
        return oy_fail(err, OY_DATA,
                       "task '%s': document %lld without 'doc' or 'target'",
                       task->task->name, (long long)request->doc_id);
    if (task != grade->deferred_task && grade_deferred(grade, err))
        return -1;
    grade->current = task;
    grade->doc_id = task->last_doc_id = request->doc_id;
    return 0;
}

int grade_add(struct grade *grade, const struct request *request,
              struct oy_error *err)
{
    if (!grade->task)
        return oy_fail(err, OY_DATA, "no header line 'oyster_run'");
    if (grade->current && !is_same_document(grade, request) &&
        grade_document(grade, err))
        return -1;
    if (!grade->current && start_document(grade, request, err))
        return -1;
    if (request->index != (int64_t)grade->n_request)
        return oy_fail(err, OY_DATA,
                       "task '%s': document %lld: request %zu is missing",
                       grade->current->task->name, (long long)grade->doc_id,
                       grade->n_request);
    if (!request->answer.given)
        return oy_fail(err, OY_DATA,
                       "task '%s': document %lld: request %zu has no answer",
                       grade->current->task->name, (long long)grade->doc_id,
                       grade->n_request);
    OY_GROW(grade->request, grade->cap_request, grade->n_request + 1);
    request_copy(request, &grade->pending, &grade->request[grade->n_request]);
    grade->n_request++;
    return 0;
}

static int finish_log(struct grade_task *task, struct oy_error *err)
{
    struct oy_output *log = task->log;
    int rc = 0;

    if (!log)
        return 0;
    for (size_t i = 1; rc == 0 && i < task->n_filter; i++) {
        if (task->later[i].len)
            rc = oy_output_write(log, task->later[i].data, task->later[i].len,
                                 err);
    }
    if (rc)
        return -1;
    task->log = NULL;
    return oy_output_commit(log, err);
}

static int finish_task(struct grade *grade, struct grade_task *task,
                       struct oy_error *err)
{
    if (task->n_document != task->n_effective)
        return oy_fail(err, OY_DATA,
                       "task '%s': %zu documents of %zu: the stream is short",
                       task->task->name, task->n_document, task->n_effective);
    for (size_t i = 0; i < task->n_metric; i++) {
        struct grade_metric *metric = &task->metric[i];
        if (!task->n_document)
            continue;
        metric->value = metric_aggregate(metric->kind->aggregation,
                                         metric->item, task->n_document);
        metric->error = metric_error(
            metric->kind->aggregation, metric->item, task->n_document,
            grade->options.bootstrap_iters, grade->pool);
    }
    return finish_log(task, err);
}

int grade_finish(struct grade *grade, struct oy_error *err)
{
    if (!grade->task)
        return oy_fail(err, OY_DATA, "no header line 'oyster_run'");
    if ((grade->current && grade_document(grade, err)) ||
        grade_deferred(grade, err))
        return -1;
    for (size_t i = 0; i < grade->set.n_task; i++) {
        if (finish_task(grade, &grade->task[i], err))
            return -1;
    }
    return 0;
}

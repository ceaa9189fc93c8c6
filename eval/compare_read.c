/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the results files that are compared. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/input.h"
#include "core/json.h"
#include "eval/compare.h"

enum { MAX_RESULTS_SIZE = 1 << 30 };

/* The main metric of a task: the first that it has. */
static const char *const main_metric[] = {
    "acc_norm",        "acc",           "exact_match",
    "pass@1",          "bits_per_byte", "byte_perplexity",
    "word_perplexity", "perplexity",    "f1",
    "pass_at_1",
};

static int is_lower_better(const char *metric)
{
    return !strcmp(metric, "bits_per_byte") || strstr(metric, "perplexity");
}

/* The value of "METRIC,FILTER" (any filter) in a task's results, or NULL. */
static int find_metric(const struct oy_json_value *entry, const char *metric,
                       double *value)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, found;
    const size_t len = strlen(metric);

    oy_json_enter(&cursor, entry);
    while (oy_json_next_member(&cursor, &key, &found) == 1) {
        if (key.len > len + 2 && !memcmp(key.at + 1, metric, len) &&
            key.at[1 + len] == ',' && found.kind == OY_JSON_NUMBER)
            return oy_json_double(&found, value);
    }
    return -1;
}

static int choose_metric(struct compare_task *task,
                         const struct oy_json_value *entry)
{
    for (size_t i = 0; i < sizeof main_metric / sizeof *main_metric; i++) {
        char name[64];
        if (find_metric(entry, main_metric[i], &task->mean))
            continue;
        task->metric = oy_strdup(main_metric[i]);
        task->lower_is_better = is_lower_better(main_metric[i]);
        snprintf(name, sizeof name, "%s_stderr", main_metric[i]);
        if (find_metric(entry, name, &task->error))
            task->error = NAN;
        return 0;
    }
    return -1;
}

/* A score is a number, or [log-likelihood, length]: bits per unit of length
 * are a ratio of sums. */
static int read_score(const struct oy_json_value *value,
                      struct compare_task *task, struct compare_sample *sample)
{
    struct oy_json_cursor cursor;
    struct oy_json_value part;
    double log_likelihood;

    sample->weight = 1;
    if (value->kind == OY_JSON_TRUE || value->kind == OY_JSON_FALSE) {
        sample->value = value->kind == OY_JSON_TRUE;
        return 0;
    }
    if (value->kind != OY_JSON_ARRAY)
        return oy_json_double(value, &sample->value);
    oy_json_enter(&cursor, value);
    if (oy_json_next_element(&cursor, &part) != 1 ||
        oy_json_double(&part, &log_likelihood) ||
        oy_json_next_element(&cursor, &part) != 1 ||
        oy_json_double(&part, &sample->weight) || !(sample->weight > 0))
        return -1;
    sample->value = -log_likelihood / M_LN2;
    task->is_ratio = 1;
    return 0;
}

/* A value as it stands; none for one that is not there. */
static struct oy_text keep(struct oy_arena *arena,
                           const struct oy_json_value *value)
{
    if (value->kind == OY_JSON_MISSING || value->kind == OY_JSON_NULL)
        return (struct oy_text){0};
    return (struct oy_text){oy_arena_copy(arena, value->at, value->len),
                            value->len};
}

static int read_sample(const struct oy_json_value *object,
                       struct compare_task *task, struct oy_arena *arena)
{
    struct compare_sample sample = {.cluster = -1};
    const struct oy_json_value id = oy_json_member(object, "doc_id");
    const struct oy_json_value hash = oy_json_member(object, "doc_hash");
    const struct oy_json_value cluster = oy_json_member(object, "cluster");
    const struct oy_json_value score = oy_json_member(object, task->metric);
    const struct oy_json_value answer = oy_json_member(object, "answer");

    if (oy_json_int64(&id, &sample.doc_id) || read_score(&score, task, &sample))
        return -1;
    if (answer.kind == OY_JSON_STRING)
        sample.answer = keep(arena, &answer);
    if (hash.kind == OY_JSON_STRING)
        sample.doc_hash = oy_hash64(hash.at, hash.len);
    if (cluster.kind == OY_JSON_NUMBER)
        oy_json_int64(&cluster, &sample.cluster);
    else if (cluster.kind == OY_JSON_STRING)
        sample.cluster = (int64_t)(oy_hash64(cluster.at, cluster.len) >> 1);
    OY_GROW(task->sample, task->cap_sample, task->n_sample + 1);
    task->sample[task->n_sample++] = sample;
    return 0;
}

static int compare_doc_id(const void *a, const void *b)
{
    const struct compare_sample *x = a, *y = b;

    return (x->doc_id > y->doc_id) - (x->doc_id < y->doc_id);
}

static int read_samples(struct compare_results *results,
                        struct compare_task *task,
                        const struct oy_json_value *list, struct oy_error *err)
{
    const char *path = results->name;
    struct oy_json_cursor cursor;
    struct oy_json_value object;
    int more;

    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &object)) == 1) {
        if (read_sample(&object, task, &results->arena))
            return oy_fail(err, OY_DATA,
                           "%s: task '%s': sample %zu has no doc_id or no '%s'",
                           path, task->name, task->n_sample, task->metric);
    }
    if (more < 0)
        return oy_fail(err, OY_DATA, "%s: %s", path, cursor.why);
    if (task->n_sample)
        qsort(task->sample, task->n_sample, sizeof *task->sample,
              compare_doc_id);
    for (size_t i = 1; i < task->n_sample; i++) {
        if (task->sample[i].doc_id == task->sample[i - 1].doc_id)
            return oy_fail(err, OY_DATA, "%s: task '%s': document %lld twice",
                           path, task->name, (long long)task->sample[i].doc_id);
    }
    return 0;
}

static int read_task(struct compare_results *results,
                     const struct oy_json_value *key,
                     const struct oy_json_value *entry,
                     const struct oy_json_value *samples, struct oy_error *err)
{
    struct oy_arena arena = {0};
    struct oy_text name;
    uint64_t n_repaired = 0;
    const char *why;

    if (oy_json_text(key, &arena, &name, &n_repaired, &why))
        return oy_fail(err, OY_DATA, "%s: %s", results->name, why);
    OY_GROW(results->task, results->cap_task, results->n_task + 1);
    struct compare_task *task = &results->task[results->n_task];
    *task = (struct compare_task){.name = oy_strndup(name.at, name.len)};
    oy_arena_release(&arena);
    if (choose_metric(task, entry)) {
        oy_free(
            task->name); /* a task without a score, such as --predict_only */
        return 0;
    }
    results->n_task++;
    if (samples->kind != OY_JSON_OBJECT)
        return 0;
    const struct oy_json_value list = oy_json_member(samples, task->name);
    if (list.kind != OY_JSON_ARRAY)
        return 0;
    return read_samples(results, task, &list, err);
}

static struct oy_text keep_member(struct oy_arena *arena,
                                  const struct oy_json_value *root,
                                  const char *table, const char *name)
{
    const struct oy_json_value object = oy_json_member(root, table);
    struct oy_json_value value = {OY_JSON_MISSING, NULL, 0};

    if (object.kind == OY_JSON_OBJECT)
        value = oy_json_member(&object, name);
    return keep(arena, &value);
}

/* What was asked of whom. */
static void read_terms(struct compare_results *results,
                       const struct oy_json_value *root,
                       const struct oy_json_value *ours)
{
    struct oy_json_value model = {OY_JSON_MISSING, NULL, 0};

    for (size_t i = 0; i < results->n_task; i++) {
        struct compare_task *task = &results->task[i];
        struct oy_arena *arena = &results->arena;
        task->version = keep_member(arena, root, "versions", task->name);
        task->shots = keep_member(arena, root, "n-shot", task->name);
        task->prompts = keep_member(arena, root, "task_hashes", task->name);
    }
    if (ours->kind == OY_JSON_OBJECT)
        model = oy_json_member(ours, "model");
    if (model.kind == OY_JSON_OBJECT)
        results->tokenizer =
            keep_member(&results->arena, &model, "identity", "tokenizer");
}

static int read_tasks(struct compare_results *results,
                      const struct oy_json_value *root, int unpaired,
                      struct oy_error *err)
{
    const struct oy_json_value table = oy_json_member(root, "results");
    const struct oy_json_value ours = oy_json_member(root, "oyster");
    struct oy_json_value samples = {OY_JSON_MISSING, NULL, 0};
    struct oy_json_cursor cursor;
    struct oy_json_value key, entry;
    int more;

    if (table.kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "%s: not a results file: no 'results'",
                       results->name);
    if (ours.kind == OY_JSON_OBJECT)
        samples = oy_json_member(&ours, "samples");
    if (samples.kind != OY_JSON_OBJECT && !unpaired)
        return oy_fail(err, OY_DATA,
                       "%s: no 'oyster.samples', so documents cannot be paired"
                       " (--unpaired compares the means)",
                       results->name);
    oy_json_enter(&cursor, &table);
    while ((more = oy_json_next_member(&cursor, &key, &entry)) == 1) {
        if (entry.kind == OY_JSON_OBJECT &&
            read_task(results, &key, &entry, &samples, err))
            return -1;
    }
    if (more < 0)
        return oy_fail(err, OY_DATA, "%s: %s", results->name, cursor.why);
    read_terms(results, root, &ours);
    return 0;
}

int compare_results_read(struct compare_results *results, const char *path,
                         int unpaired, struct oy_error *err)
{
    struct oy_json_value root;
    const char *why;
    size_t len;
    size_t where;
    int result = -1;

    *results = (struct compare_results){.name = oy_strdup(path)};
    char *text = oy_input_slurp(path, MAX_RESULTS_SIZE, &len, err);
    if (!text)
        return -1;
    if (oy_json_validate(text, len, &why, &where) ||
        oy_json_value_of(text, len, &root, &why))
        oy_fail(err, OY_DATA, "%s: %s", path, why);
    else if (root.kind != OY_JSON_OBJECT)
        oy_fail(err, OY_DATA, "%s: not a JSON object", path);
    else
        result = read_tasks(results, &root, unpaired, err);
    oy_free(text);
    return result;
}

void compare_results_release(struct compare_results *results)
{
    for (size_t i = 0; i < results->n_task; i++) {
        oy_free(results->task[i].name);
        oy_free(results->task[i].metric);
        oy_free(results->task[i].sample);
    }
    oy_arena_release(&results->arena);
    oy_free(results->task);
    oy_free(results->name);
    *results = (struct compare_results){0};
}

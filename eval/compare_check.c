/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether two runs were asked the same. */
#include <string.h>

#include "eval/compare.h"

const struct compare_task *compare_find_task(
    const struct compare_results *results, const char *name)
{
    for (size_t i = 0; i < results->n_task; i++) {
        if (!strcmp(results->task[i].name, name))
            return &results->task[i];
    }
    return NULL;
}

/* Unknown on a side: no difference. */
static int differ(const struct oy_text *a, const struct oy_text *b)
{
    return a->len && b->len &&
           (a->len != b->len || memcmp(a->at, b->at, a->len));
}

/* The first document that is not the same, as a text; 0: none. */
static int documents_differ(const struct compare_task *a,
                            const struct compare_task *b, struct oy_buffer *out)
{
    if (a->n_sample != b->n_sample) {
        oy_buffer_append_format(out, " (%zu documents against %zu)",
                                a->n_sample, b->n_sample);
        return 1;
    }
    for (size_t i = 0; i < a->n_sample; i++) {
        const struct compare_sample *x = &a->sample[i], *y = &b->sample[i];
        if (x->doc_id == y->doc_id && x->doc_hash == y->doc_hash)
            continue;
        oy_buffer_append_format(out, " (document %lld)", (long long)x->doc_id);
        return 1;
    }
    return 0;
}

static void put_terms(const struct oy_text *a, const struct oy_text *b,
                      const char *what, struct oy_buffer *out)
{
    oy_buffer_append_format(out, " (%.*s%s against %.*s)", (int)a->len, a->at,
                            what, (int)b->len, b->at);
}

/* Names what differs first; a change of it changes all behind it. */
static const char *find_difference(const struct compare_task *a,
                                   const struct compare_task *b,
                                   const struct compare_options *options,
                                   struct oy_buffer *detail)
{
    oy_buffer_clear(detail);
    if (differ(&a->version, &b->version)) {
        put_terms(&a->version, &b->version, "", detail);
        return options->allow_versions ? NULL : "version";
    }
    if (options->unpaired)
        return NULL;
    if (documents_differ(a, b, detail))
        return "data";
    if (!differ(&a->prompts, &b->prompts) || options->allow_prompts)
        return NULL;
    if (differ(&a->shots, &b->shots))
        put_terms(&a->shots, &b->shots, " shots", detail);
    return "prompts";
}

static int is_perplexity(const char *metric)
{
    return strstr(metric, "perplexity") != NULL;
}

static int check_vocabularies(const struct compare_results *base,
                              const struct compare_results *new,
                              const struct compare_task *task,
                              struct oy_error *err)
{
    if (!is_perplexity(task->metric) ||
        (base->tokenizer.len == new->tokenizer.len &&
         !differ(&base->tokenizer, &new->tokenizer)))
        return 0;
    return oy_fail(err, OY_DATA,
                   "task '%s': %s of models with different vocabularies: only"
                   " bits_per_byte can be compared",
                   task->name, task->metric);
}

int compare_check(const struct compare_results *base,
                  const struct compare_results *new,
                  const struct compare_options *options, struct oy_error *err)
{
    struct oy_buffer all = {0}, detail = {0};
    int status = 0;

    for (size_t i = 0; i < base->n_task && !status; i++) {
        const struct compare_task *a = &base->task[i];
        const struct compare_task *b = compare_find_task(new, a->name);
        if (!b)
            continue;
        status = check_vocabularies(base, new, a, err);
        const char *what = find_difference(a, b, options, &detail);
        if (what)
            oy_buffer_append_format(&all, "%s%s of task '%s'%s",
                                    all.len ? ", " : "", what, a->name,
                                    oy_buffer_string(&detail));
    }
    if (!status && all.len)
        status = oy_fail(err, OY_DATA, "%s and %s differ in %s", base->name,
                         new->name, oy_buffer_string(&all));
    oy_buffer_release(&all);
    oy_buffer_release(&detail);
    return status;
}

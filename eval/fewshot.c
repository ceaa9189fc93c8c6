/* SPDX-License-Identifier: Apache-2.0
 *
 * Few-shot examples drawn as lm-eval draws them. */
#include "eval/fewshot.h"

#include <string.h>

/* Python's == of two names of splits, either of which may be None. */
static int same_name(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

int fewshot_open(struct fewshot *fewshot, const struct task *task,
                 const char *folder, size_t k, int64_t seed,
                 struct oy_error *err)
{
    *fewshot = (struct fewshot){.task = task, .k = k};
    if (k == 0)
        return 0;
    fewshot->avoid = same_name(task->fewshot_split, task->test_split);
    python_random_init(&fewshot->random, seed);
    if (task_data_open_shots(&fewshot->pool, folder, task, err))
        return -1;
    fewshot->document =
        oy_calloc(fewshot->pool.n_row, sizeof *fewshot->document);
    fewshot->index = oy_alloc_array(k + 1, sizeof *fewshot->index);
    if (k + (size_t)fewshot->avoid <= fewshot->pool.n_row)
        return 0;
    oy_fail(err, OY_DATA, "task '%s': %zu shots from %zu documents", task->name,
            k, fewshot->pool.n_row);
    fewshot_release(fewshot);
    return -1;
}

void fewshot_release(struct fewshot *fewshot)
{
    task_data_release(&fewshot->pool);
    oy_arena_release(&fewshot->arena);
    oy_free(fewshot->document);
    oy_free(fewshot->index);
    *fewshot = (struct fewshot){0};
}

const struct template_value *fewshot_document(struct fewshot *fewshot,
                                              size_t index,
                                              struct oy_error *err)
{
    struct template_value *document = &fewshot->document[index];

    if (document->kind == TEMPLATE_UNDEFINED &&
        task_data_read(&fewshot->pool, index, fewshot->task, &fewshot->arena,
                       document, err))
        return NULL;
    return document;
}

/* Whether a row equals the document; -1 after a failure. */
static int is_equal(struct fewshot *fewshot, size_t index,
                    const struct template_value *document, struct oy_error *err)
{
    const struct template_value *row = fewshot_document(fewshot, index, err);

    return row ? template_equal(row, document) : -1;
}

/* Keeps of index[0 .. n-1] those that differ from the document; *left says
 * how many. */
static int drop_equal(struct fewshot *fewshot, size_t *index, size_t n,
                      const struct template_value *document, size_t *left,
                      struct oy_error *err)
{
    *left = 0;
    for (size_t i = 0; i < n; i++) {
        const int equal = is_equal(fewshot, index[i], document, err);
        if (equal < 0)
            return -1;
        if (!equal)
            index[(*left)++] = index[i];
    }
    return 0;
}

/* All rows, less those equal to the document when they are to be avoided. */
static int list_pool(struct fewshot *fewshot,
                     const struct template_value *document, size_t *index,
                     size_t *n, struct oy_error *err)
{
    for (size_t i = 0; i < fewshot->pool.n_row; i++)
        index[i] = i;
    *n = fewshot->pool.n_row;
    if (fewshot->avoid && drop_equal(fewshot, index, *n, document, n, err))
        return -1;
    if (*n >= fewshot->k)
        return 0;
    return oy_fail(err, OY_DATA, "task '%s': %zu shots from %zu documents",
                   fewshot->task->name, fewshot->k, *n);
}

static int draw_again(struct fewshot *fewshot,
                      const struct template_value *document,
                      struct oy_error *err)
{
    size_t *row = oy_alloc_array(fewshot->pool.n_row, sizeof *row);
    size_t n;
    const int rc = list_pool(fewshot, document, row, &n, err);

    if (rc == 0) {
        python_random_sample(&fewshot->random, n, fewshot->k, fewshot->index);
        for (size_t i = 0; i < fewshot->k; i++)
            fewshot->index[i] = row[fewshot->index[i]];
    }
    oy_free(row);
    return rc;
}

static int draw_first(struct fewshot *fewshot,
                      const struct template_value *document,
                      struct oy_error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < fewshot->pool.n_row && n < fewshot->k; i++) {
        const int equal =
            fewshot->avoid ? is_equal(fewshot, i, document, err) : 0;
        if (equal < 0)
            return -1;
        if (!equal)
            fewshot->index[n++] = i;
    }
    if (n == fewshot->k)
        return 0;
    return oy_fail(err, OY_DATA, "task '%s': %zu shots from %zu documents",
                   fewshot->task->name, fewshot->k, n);
}

int fewshot_draw(struct fewshot *fewshot, const struct template_value *document,
                 struct oy_error *err)
{
    size_t left;

    if (fewshot->k == 0)
        return 0;
    if (!strcmp(fewshot->task->sampler, "first_n"))
        return draw_first(fewshot, document, err);
    python_random_sample(&fewshot->random, fewshot->pool.n_row,
                         fewshot->k + (size_t)fewshot->avoid, fewshot->index);
    if (!fewshot->avoid)
        return 0;
    if (drop_equal(fewshot, fewshot->index, fewshot->k + 1, document, &left,
                   err))
        return -1;
    return left < fewshot->k ? draw_again(fewshot, document, err) : 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which documents stand as examples before a question: lm-eval's samplers
 * (api/samplers.py, 0.4.13).
 *
 * One generator serves a task from its first document to its last: the shots
 * of a document depend on all draws before it, so documents must be asked in
 * order. `default` draws k, or k + 1 when the task names the same split (or
 * none) for shots and test; then rows equal to the document are dropped and
 * the first k stay, and if fewer are left a second draw is made from the pool
 * without them. `first_n` takes the first k.
 */
#ifndef EVAL_FEWSHOT_H
#define EVAL_FEWSHOT_H

#include "eval/python_random.h"
#include "eval/task.h"
#include "eval/task_data.h"

struct fewshot {
    const struct task *task;
    struct task_data pool;
    struct python_random random;
    size_t k;
    int avoid; /* rows equal to the document are not shown */
    struct oy_arena arena;
    struct template_value *document; /* [pool.n_row], read when drawn */
    size_t *index;                   /* [k + 1], the last draw */
};

/* k 0 opens nothing. -1 with err: 66 no data, 65 fewer rows than shots. */
int fewshot_open(struct fewshot *fewshot, const struct task *task,
                 const char *folder, size_t k, int64_t seed,
                 struct oy_error *err);
void fewshot_release(struct fewshot *fewshot);

/* Draws for the next document; fewshot->index[0 .. k-1] are pool rows. */
int fewshot_draw(struct fewshot *fewshot, const struct template_value *document,
                 struct oy_error *err);

/* A row of the pool; borrowed until the release. NULL with err. */
const struct template_value *fewshot_document(struct fewshot *fewshot,
                                              size_t index,
                                              struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores many token sequences as one tree of shared beginnings: each token
 * whose past is the same is computed once.
 *
 * All sequences of a window are known in advance. They are sorted; nodes of
 * the tree are runs of tokens between branchings. Each node is a request of a
 * batch (model/batch.h), in an order in which a branch is finished before the
 * next one begins; the batch keeps what a node computed for those below it,
 * within the budget, and computes it again where the budget is too small for
 * that. What is computed for a sequence does not depend on the others
 * (model/engine.h).
 */
#ifndef EVAL_TREE_H
#define EVAL_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/batch.h"

/* id[0 .. n] are n + 1 tokens. The model is given id[0 .. n-1]; the last
 * n_scored of its n rows are asked for the log-probability of the token
 * behind them: score k is that of id[n - n_scored + 1 + k]. n_scored is
 * 1 .. n. Everything is borrowed. */
struct tree_sequence {
    const int32_t *id;
    size_t n;
    /* [n]: rows instead of tokens (struct batch_request), and [n + 1] what
     * tells tokens from others then (model/embed_keys.h); NULL: ids alone. */
    const float *const *embed;
    const int32_t *key;
    size_t n_scored;
    float *logprob;     /* [n_scored]: filled */
    uint8_t *greedy;    /* [n_scored]: filled; whether the token is the first
                        * largest of its row */
    int32_t *top_id;    /* [n_scored][n_top], best first; or NULL */
    float *top_logprob; /* [n_scored][n_top] */
    float *logits;      /* [n_scored][n_vocab]: filled; or NULL */
    int is_done;        /* becomes 1 once all is filled; 0 before */
};

struct tree_options {
    size_t n_top; /* at most n_vocab */
    /* Called after each pass with the rows that were computed; or NULL. A
     * sequence that is_done then stays as it is. */
    void (*progress)(void *arg, uint64_t n_row);
    void *arg;
};

/* Scores all in a batch that has no other requests. -1 with err (71): one of
 * them alone has more keys and values than the budget, and nothing was
 * computed; or there is no memory, and the batch is good for batch_free only.
 */
int tree_score(struct batch *batch, struct tree_sequence *sequence, size_t n,
               const struct tree_options *options, struct oy_error *err);

/* Tokens that tree_score computes with enough memory, past requests aside:
 * nodes of a trie over the inputs. */
uint64_t tree_count(const struct tree_sequence *sequence, size_t n);

#endif

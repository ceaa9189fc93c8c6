/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention of new tokens over the cached keys and values of their sequence.
 *
 * For a tile of queries and one group of heads: all scores, then the softmax
 * of each row over its own positions, then the weighted sum of values in
 * tiles of ATTEND_TILE positions that start at its multiples. Every sum is a
 * function of the row's position, its query and the cache alone.
 *
 * A row at position p sees the positions p - window + 1 .. p (all up to p
 * without a window). Its scores are scale q.k, then cap tanh(score / cap)
 * where there is a cap; a sink is one more score in the sum of the softmax,
 * with no value behind it.
 *
 * With a panel kernel both products are made in bf16: queries (scaled before
 * that), kept keys, weights and kept values are rounded, sums are in f32, and
 * the softmax and its sum see what is not rounded.
 */
#ifndef MODEL_CACHED_ATTENTION_H
#define MODEL_CACHED_ATTENTION_H

#include <stddef.h>

#include "model/gemm.h"
#include "model/kv.h"

enum {
    ATTEND_TILE = 256,   /* positions */
    ATTEND_QUERIES = 32, /* tokens of a task */
};

/* A thread's memory; zero-initialised is empty. */
struct attend_scratch {
    float *floats;
    size_t cap;
};

/* Queries at positions first .. first + n - 1 (n up to ATTEND_QUERIES) of one
 * sequence, whose keys and values are in the cache up to there. The widths of
 * keys and values are the pool's: queries have key_dim floats, outputs
 * value_dim. */
struct attend_job {
    const struct gemm *gemm;
    const struct panel_kernel *panel; /* NULL: products in f32, by gemm */
    const struct kv_pool *kv;
    const struct kv_sequence *sequence;
    int layer, kv_head;
    size_t first, n;
    size_t group;      /* query heads that share the key head */
    float scale;       /* mostly 1 / sqrt(key_dim) */
    size_t window;     /* positions that a row sees; 0: all */
    float soft_cap;    /* 0: none */
    const float *sink; /* [group] logits; NULL: none */
    const float *q; /* the group's first head of the first token; heads touch */
    size_t q_stride;
    float *out; /* as q, heads of value_dim */
    size_t out_stride;
};

void attend_release(struct attend_scratch *scratch);
void attend(const struct attend_job *job, struct attend_scratch *scratch);

#endif

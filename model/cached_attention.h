/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention of new tokens over the cached keys and values of their sequence.
 *
 * For a tile of queries and one group of heads: all scores, then the softmax
 * of each row over its own positions, then the weighted sum of values in
 * tiles of ATTEND_TILE positions from 0 on. Every sum is a function of the
 * row's position, its query and the cache alone.
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
 * sequence, whose keys and values are in the cache up to there. */
struct attend_job {
    const struct gemm *gemm;
    const struct kv_pool *kv;
    const struct kv_sequence *sequence;
    int layer, kv_head;
    size_t first, n;
    size_t group; /* query heads that share the key head */
    size_t head_dim;
    const float *q; /* the group's first head of the first token; heads touch */
    size_t q_stride;
    float *out; /* as q */
    size_t out_stride;
};

void attend_release(struct attend_scratch *scratch);
void attend(const struct attend_job *job, struct attend_scratch *scratch);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * DeepSeek's latent attention (arXiv 2405.04434, 2.1): keys and values of all
 * heads are made of one short vector, and all heads share one rotated key.
 *
 * A head's key is [nope, rope], as its query; its value has a width of its
 * own. Keys and values are written out for each head into the cache, over
 * which attention then runs as for any decoder. Products come from
 * model/gemm.h, rows from model/rows.h: the bits of a row depend on it alone.
 */
#ifndef MODEL_MLA_H
#define MODEL_MLA_H

#include <stddef.h>

#include "core/error.h"
#include "model/config.h"
#include "model/gemm.h"
#include "model/kv.h"
#include "model/mixer.h"

/* Borrowed, f32. Without q_rank, q_a and q_norm are NULL and q_b is q_proj. */
struct mla_weights {
    const float *q_a;     /* [q_rank][dim] */
    const float *q_norm;  /* [q_rank] */
    const float *q_b;     /* [n_head][nope + rope][q_rank or dim] */
    const float *kv_a;    /* [kv_rank + rope][dim] */
    const float *kv_norm; /* [kv_rank] */
    const float *kv_b;    /* [n_head][nope + v][kv_rank] */
};

/* A pass of one layer. */
struct mla_pass {
    const struct mla_config *config;
    const struct mla_weights *weights;
    struct gemm *gemm;
    size_t dim, n_head;
    size_t n_row;
    const float *x; /* [n_row][dim] */
    float *q;       /* [n_row][n_head][nope + rope]: yours, for the queries */
    /* Made by mla_project(), borrowed of its scratch. */
    float *latent; /* [n_row][kv_rank + rope] */
    float *normed; /* [n_row][the larger rank] */
    float *kv;     /* [n_row][n_head][nope + v] */
    float *key;    /* [worker][nope + rope] */
};

/* Where a row's key and value go, and its angles, [rope / 2] each. */
struct mla_place {
    const struct kv_pool *pool;
    const struct kv_sequence *sequence;
    int layer;
    size_t position;
    const float *cosine, *sine;
};

/* Floats of scratch memory that a pass of n_row rows takes. */
size_t mla_scratch(const struct mla_pass *pass);

/* Queries, not yet turned, and what keys and values are made of. -1 (71)
 * without memory. */
int mla_project(struct mla_pass *pass, struct mixer_scratch *scratch,
                struct oy_error *err);
/* Turns the queries of a row and keeps its keys and values. May be called
 * for different rows by the pool's threads at once. */
void mla_turn_row(const struct mla_pass *pass, size_t row,
                  const struct mla_place *place, int worker);

#endif

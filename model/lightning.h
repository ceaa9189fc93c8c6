/* SPDX-License-Identifier: Apache-2.0
 *
 * MiniMax's lightning attention (arXiv 2501.08313): linear attention whose
 * memory of each head fades at a fixed rate.
 *
 * A sequence carries a matrix for each head. Tokens are taken one by one, so
 * that a sequence gives the same bits however its tokens were cut into passes
 * and whatever else was in them. The peer sums blocks of tokens at once; the
 * two agree but for rounding.
 */
#ifndef MODEL_LIGHTNING_H
#define MODEL_LIGHTNING_H

#include <stddef.h>

#include "core/error.h"
#include "model/gemm.h"
#include "model/mixer.h"

/* Borrowed, f32. */
struct lightning_weights {
    const float *qkv;  /* [n_head][q, k, v: head_dim each][dim] */
    const float *gate; /* [n_head head_dim][dim] */
    const float *norm; /* [n_head head_dim] */
};

/* A pass of one layer. */
struct lightning_job {
    const struct lightning_weights *weights;
    struct gemm *gemm;
    size_t dim, n_head, head_dim;
    int layer, n_layer; /* which decide how fast a head forgets */
    const struct mixer_piece *piece;
    size_t n_piece, n_row;
    const float *x; /* [n_row][dim] */
    float *out;     /* [n_row][n_head head_dim], for the output projection */
};

/* Floats of a layer's state of a sequence. */
size_t lightning_state(size_t n_head, size_t head_dim);

/* What a token's memory is multiplied by at the next token: exp(-s),
 * s = 2^(-8 (head + 1) / n_head) (1 - layer / (n_layer - 1 + 1e-5) + 1e-5). */
float lightning_decay(const struct lightning_job *job, size_t head);

/* Floats of scratch memory that a pass takes. */
size_t lightning_scratch(const struct lightning_job *job);

/* -1 (71) without memory: states are unchanged then. */
int lightning_run(const struct lightning_job *job,
                  struct mixer_scratch *scratch, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Qwen3-Next's linear attention: a short convolution, then the gated delta
 * rule (Yang and others 2024, arXiv 2412.06464) over a memory of fixed size.
 *
 * A sequence carries a state: the last inputs of the convolution and a matrix
 * for each value head. Tokens are taken one by one, so that a sequence gives
 * the same bits however its tokens were cut into passes and whatever else
 * was in them. Products come from model/gemm.h, rows from model/rows.h.
 */
#ifndef MODEL_DELTA_NET_H
#define MODEL_DELTA_NET_H

#include <stddef.h>

#include "core/error.h"
#include "model/config.h"
#include "model/gemm.h"
#include "model/mixer.h"

/* Borrowed, f32. Channels are all q, all k, all v. Rows of a projection are
 * grouped by key head, r value heads to a key head. */
struct delta_weights {
    const float *qkvz;    /* [n_key_head][2 key_dim + 2 r value_dim][dim] */
    const float *ba;      /* [n_key_head][2 r][dim] */
    const float *conv;    /* [channel][kernel] */
    const float *a_log;   /* [n_value_head] */
    const float *dt_bias; /* [n_value_head] */
    const float *norm;    /* [value_dim] */
};

/* A pass of one layer. */
struct delta_job {
    const struct delta_config *config;
    const struct delta_weights *weights;
    struct gemm *gemm;
    size_t dim;
    float norm_eps;
    const struct mixer_piece *piece;
    size_t n_piece, n_row;
    const float *x; /* [n_row][dim] */
    float *out; /* [n_row][n_value_head value_dim], for the output projection */
};

/* Floats of a layer's state of a sequence. */
size_t delta_net_state(const struct delta_config *config);

/* Floats of scratch memory that a pass takes. */
size_t delta_net_scratch(const struct delta_job *job);

/* -1 (71) without memory: states are unchanged then. */
int delta_net_run(const struct delta_job *job, struct mixer_scratch *scratch,
                  struct oy_error *err);

#endif

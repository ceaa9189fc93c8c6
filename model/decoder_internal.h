/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the decoder share: its memory plan and loops over rows.
 */
#ifndef MODEL_DECODER_INTERNAL_H
#define MODEL_DECODER_INTERNAL_H

#include "model/attention.h"
#include "model/decoder.h"

enum {
    DECODER_ROW_TILE = 32, /* rows of a task between products */
    DECODER_LANES = 32,    /* fixed lanes of sums over tokens */
};

/* What a layer keeps for the way back. */
struct decoder_layer {
    float *x;       /* [max_token][dim], the stream before attention */
    float *qkv;     /* [max_token][(n_head + 2 n_kv_head) head_dim]; rotated,
                       or raw with has_qk_norm */
    float *out;     /* [max_token][n_head head_dim] */
    float *lse;     /* [max_token][n_head] */
    float *mid;     /* [max_token][dim], the stream before the FFN */
    float *gate_up; /* [max_token][2 n_hidden] */
    float *x_rstd;  /* [max_token] */
    float *mid_rstd;
};

struct decoder {
    const struct weight_layout *layout;
    struct gemm *gemm;
    struct attention *attention;
    size_t max_token, max_length;
    size_t qkv_dim, out_dim; /* (n_head + 2 n_kv_head) head_dim; n_head.. */
    size_t chunk;            /* tokens whose logits exist at once */

    float *memory;               /* everything below */
    struct decoder_layer *layer; /* [n_layer] */
    float *x_final, *rstd_final; /* [max_token][dim], [max_token] */
    float *norm;                 /* [max_token][dim], input of a product */
    float *sum;     /* [max_token][dim or out_dim], output of a product */
    float *rotated; /* [max_token][qkv_dim] with has_qk_norm */
    float *dqkv;    /* [max_token][qkv_dim] */
    float *hidden;  /* [max_token][n_hidden] */
    float *dx;      /* [max_token][dim], gradient of the stream */
    float *logits;  /* [chunk][n_vocab] */
    float *lane;    /* [DECODER_LANES][lane_size] */
    size_t lane_size;
    float *cosine, *sine; /* [max_length][head_dim / 2] */

    /* Of the batch at hand. */
    struct decoder_batch batch;
    size_t *position; /* [max_token] */
    size_t *valid;    /* [max_token] tokens that have a target */
    size_t n_valid;
    double *token_ce, *token_loss; /* [max_token] */
};

/* Calls task(arg, from, to) on row ranges that cover 0 .. n-1, in tiles of
 * DECODER_ROW_TILE. */
typedef void (*decoder_row_task)(void *arg, size_t from, size_t to);
void decoder_rows(struct decoder *decoder, size_t n, decoder_row_task task,
                  void *arg);
/* The same in DECODER_LANES ranges; `lane` is the range's own zeroed memory
 * of lane_size floats. Afterwards the lanes are added up in lane[0 .. size-1]
 * of the decoder. */
typedef void (*decoder_lane_task)(void *arg, size_t from, size_t to,
                                  float *lane);
void decoder_lanes(struct decoder *decoder, size_t n, size_t size,
                   decoder_lane_task task, void *arg);

/* Writes rotated q and k (normalised first with has_qk_norm) and v of a layer
 * to `to`, which may be the layer's own qkv. */
void decoder_rotate(struct decoder *decoder, const float *weights, int layer,
                    float *to);

#endif

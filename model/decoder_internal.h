/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the decoder share: its memory plan and loops over rows.
 */
#ifndef MODEL_DECODER_INTERNAL_H
#define MODEL_DECODER_INTERNAL_H

#include "model/attention.h"
#include "model/decoder.h"
#include "model/moe.h"

enum {
    DECODER_ROW_TILE = 32, /* rows of a task between products */
    DECODER_LANES = 32,    /* fixed lanes of sums over tokens */
};

/* What a layer with experts keeps besides. A slot is a chosen expert of a
 * token; rows of slots lie grouped by expert (model/moe.h: moe_group). */
struct decoder_experts {
    float *p;                /* [max_token][n_expert], the router's softmax */
    float *weight;           /* [max_token][n_used] */
    int32_t *chosen, *place; /* [max_token][n_used] */
    int32_t *first;          /* [n_expert + 1] */
    float *shared;           /* [max_token][2 n_shared_hidden], gate and up */
    float *open; /* [max_token], the sigmoid that weighs the shared expert */
    float *pull; /* [n_expert], what p is summed up in; then the gradient of
                    the balancing loss by any token's p */
};

/* What a layer keeps for the way back. */
struct decoder_layer {
    float *x;       /* [max_token][dim], the stream before attention */
    float *qkv;     /* [max_token][(n_head + 2 n_kv_head) head_dim]; rotated,
                       or raw with has_qk_norm */
    float *out;     /* [max_token][n_head head_dim] */
    float *lse;     /* [max_token][n_head] */
    float *mid;     /* [max_token][dim], the stream before the FFN */
    float *gate_up; /* [max_token][up_dim]; with experts [slots][2 n_hidden],
                       grouped */
    float *x_rstd;  /* [max_token] */
    float *mid_rstd;
    struct decoder_experts experts;
};

struct decoder {
    const struct weight_layout *layout;
    struct gemm *gemm;
    struct attention *attention;
    size_t max_token, max_length;
    size_t qkv_dim, out_dim; /* (n_head + 2 n_kv_head) head_dim; n_head.. */
    size_t up_dim;           /* 2 n_hidden; n_hidden without a gate */
    size_t chunk;            /* tokens whose logits exist at once */

    float *memory;               /* everything below */
    struct decoder_layer *layer; /* [n_layer] */
    float *x_final, *rstd_final; /* [max_token][dim], [max_token] */
    float *norm;                 /* [max_token][dim], input of a product */
    float *sum;     /* [max_token][dim or out_dim], output of a product */
    float *rotated; /* [max_token][qkv_dim] with has_qk_norm */
    float *dqkv;    /* [max_token][qkv_dim] */
    float *hidden;  /* [max_token][n_hidden], or of experts */
    float *dx;      /* [max_token][dim], gradient of the stream */
    float *logits;  /* [chunk][n_vocab] */
    /* With experts. */
    float *score;             /* [max_token][MOE_SCORES n_expert] */
    float *gathered, *answer; /* [slots][dim] */
    float *dhidden;           /* as hidden */
    double balance;           /* the balancing loss of the batch */

    float *lane; /* [DECODER_LANES][lane_size] */
    size_t lane_size;
    float *cosine, *sine; /* [max_length][head_dim / 2] */

    /* Of the batch at hand. */
    struct decoder_batch batch;
    size_t *position; /* [max_token] */
    size_t *valid;    /* [max_token] tokens that have a target */
    size_t n_valid;
    double *token_ce, *token_loss; /* [max_token] */
};

/* Gives out parts of one block: once without memory to learn its size. */
float *decoder_take(float *memory, size_t *at, size_t n);

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

/* Books the time since the last kernel as one that moved n floats. */
static inline void decoder_mark(const struct decoder *decoder,
                                enum profile_kernel kernel, size_t n)
{
    profile_floats(gemm_profile(decoder->gemm), kernel, n);
}

/* ---- parts in two forms ---- */

/* The norm of a row. */
struct decoder_norm {
    const struct decoder_config *config;
    size_t weight_at, bias_at;  /* in an arena */
    const float *weight, *bias; /* NULL: no bias */
};

/* `bias` SIZE_MAX: none. */
struct decoder_norm decoder_norm_at(const struct decoder *decoder,
                                    const float *weights, size_t weight,
                                    size_t bias);
/* Returns what decoder_norm_again() and the way back want to know. */
float decoder_norm_row(const struct decoder_norm *norm, float *y,
                       const float *x);
void decoder_norm_again(const struct decoder_norm *norm, float *y,
                        const float *x, float rstd);
/* dx is added to, and so is the lane: gradients of weight and bias, of
 * decoder_norm_lane() floats, which decoder_norm_take() adds to `gradient`. */
void decoder_norm_row_back(const struct decoder_norm *norm, float *dx,
                           float *lane, const float *dy, const float *x,
                           float rstd);
size_t decoder_norm_lane(const struct decoder_config *config);
void decoder_norm_take(const struct decoder_norm *norm, const float *lane,
                       float *gradient);

/* Adds a bias of n columns to all rows of the batch; the bias's gradient from
 * theirs. Nothing with SIZE_MAX. */
void decoder_add_bias(struct decoder *decoder, float *y, size_t n,
                      const float *weights, size_t bias);
void decoder_bias_back(struct decoder *decoder, const float *dy, size_t n,
                       float *gradient, size_t bias);

int decoder_is_gated(const struct decoder_config *config);
/* Columns of the product in front of the hidden layer. */
size_t decoder_up_dim(const struct decoder_config *config);
/* hidden[n_hidden] of a row of that product, and the way back: from the
 * gradient in `hidden` to that in `up`; hidden is made again. */
void decoder_hidden_row(const struct decoder_config *config, float *hidden,
                        const float *up);
void decoder_hidden_row_back(const struct decoder_config *config, float *hidden,
                             float *up);

/* ---- experts ---- */

/* Slots of a full batch, and the floats that `hidden` needs for experts; 0
 * without. */
size_t decoder_slots(const struct decoder *decoder);
size_t decoder_experts_hidden(const struct decoder *decoder);
/* Takes what a layer keeps from the plan (decoder_take). */
void decoder_plan_experts(const struct decoder *decoder,
                          struct decoder_layer *layer, float *memory,
                          size_t *at);
/* sum = the answer of layer i's experts to `norm`. */
void decoder_feed_experts(struct decoder *decoder, const float *weights, int i);
/* After all layers: the balancing loss, and the layers' `pull`. */
void decoder_weigh_balance(struct decoder *decoder);
/* From the stream's gradient dx: sum = that of `norm`, which stands ready, and
 * the gradients of layer i's experts and router, with `aux_scale` times that
 * of the balancing loss. */
void decoder_feed_experts_back(struct decoder *decoder, const float *weights,
                               float *gradient, int i, double aux_scale);

/* What tasks over the rows of a layer's experts share. */
struct decoder_expert_job {
    struct decoder *decoder;
    struct decoder_layer *layer;
    const struct moe_config *config;
    struct moe_weights w;
    float aux_scale;
};
struct decoder_expert_job decoder_expert_job(struct decoder *decoder,
                                             const float *weights, int i);
/* to[place] = from[token]: rows of tokens become rows of slots. */
void decoder_gather(struct decoder_expert_job *job, const float *from,
                    float *to);
/* The grouped rows of expert e. */
size_t decoder_expert_rows(const struct decoder_expert_job *job, size_t e,
                           size_t *first);

/* ---- positions ---- */

/* Whether q and k are turned by their positions. */
int decoder_has_rope(const struct decoder_config *config);

/* Writes rotated q and k (normalised first with has_qk_norm) and v of a layer
 * to `to`, which may be the layer's own qkv. */
void decoder_rotate(struct decoder *decoder, const float *weights, int layer,
                    float *to);

#endif

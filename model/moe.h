/* SPDX-License-Identifier: Apache-2.0
 *
 * A mixture of experts: each token goes through a few of many small MLPs.
 *
 * A router scores the experts, the best n_chosen of a token are run on it and
 * their outputs are summed with weights, in the order of the experts' numbers;
 * a shared expert may be added for all tokens. Rows are gathered by expert, so
 * that each expert is one product over its rows. Products come from
 * model/gemm.h: the bits of a row depend on that row and the weights alone.
 *
 * Weights are borrowed f32 in one layout, whatever the checkpoint had:
 * all experts of a kind touch, rows are output features, and gate_up holds
 * the rows of gate, then those of up.
 */
#ifndef MODEL_MOE_H
#define MODEL_MOE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/gemm.h"

enum moe_router {
    /* Softmax over all experts, then the best: Qwen, Mixtral, MiniMind. */
    MOE_SOFTMAX,
    /* Sigmoid of each score; a correction that only the choice sees is added,
     * and the choice is among the n_chosen_group groups whose two best sum
     * highest (DeepSeek-V3, arXiv 2412.19437, 2.1.2). */
    MOE_SIGMOID,
    /* The best raw scores, softmax over these alone: gpt_oss. */
    MOE_SOFTMAX_OF_CHOSEN,
};

enum { MOE_SCORES = 3 };

/* What a layer's experts are like. */
struct moe {
    enum moe_router router;
    size_t dim;
    size_t n_expert, n_chosen; /* n_chosen <= n_expert */
    size_t n_group; /* of MOE_SIGMOID; divides n_expert; 0, 1: none */
    size_t n_chosen_group;
    int is_normed;      /* weights are divided by their sum (+ 1e-20) */
    float scale;        /* then multiplied by this; 0 is 1 */
    size_t n_hidden;    /* width of an expert */
    size_t n_shared;    /* width of the shared expert; 0: none */
    float limit, alpha; /* limit > 0: rows_clamped_swiglu, not rows_swiglu */
};

/* NULL where a model has no such tensor. */
struct moe_weights {
    const float *router;             /* [n_expert][dim] */
    const float *router_bias;        /* [n_expert], added to the scores */
    const float *correction;         /* [n_expert], of MOE_SIGMOID */
    const float *gate_up;            /* [n_expert][2 n_hidden][dim] */
    const float *gate_up_bias;       /* [n_expert][2 n_hidden] */
    const float *down;               /* [n_expert][dim][n_hidden] */
    const float *down_bias;          /* [n_expert][dim] */
    const float *shared_gate_up;     /* [2 n_shared][dim] */
    const float *shared_down;        /* [dim][n_shared] */
    const float *shared_expert_gate; /* [dim]: a sigmoid scales the output */
};

/* Memory of a run; zero-initialised is empty. `chosen` and `weight` stay
 * readable until the next run: each row's experts, by number, and weights. */
struct moe_scratch {
    float *floats;
    size_t cap_floats;
    int32_t *ints;
    size_t cap_ints;
    int32_t *chosen; /* [n][n_chosen], ascending; in ints */
    float *weight;   /* [n][n_chosen]; in floats */
};

void moe_release(struct moe_scratch *scratch);

/* y[n][dim] = the experts' answer to x[n][dim]; y is not x. -1 (71) without
 * memory: y is not written then. */
int moe_run(const struct moe *moe, const struct moe_weights *weights,
            struct moe_scratch *scratch, struct gemm *gemm, size_t n,
            const float *x, float *y, struct oy_error *err);

/* The choice for one row alone: `score` holds n_expert products with the
 * router and has room for MOE_SCORES times as many; it is overwritten. */
void moe_route(const struct moe *moe, const struct moe_weights *weights,
               float *score, int32_t *chosen, float *weight);

#endif

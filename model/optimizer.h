/* SPDX-License-Identifier: Apache-2.0
 *
 * AdamW over one flat arena, with clipping by the global norm.
 *
 * Gradients and both moments have the weights' layout, so that a step is one
 * pass over memory in fixed tiles. Weight decay is decoupled and, unless
 * `decay_all`, touches only tensors of two or more dimensions.
 */
#ifndef MODEL_OPTIMIZER_H
#define MODEL_OPTIMIZER_H

#include <stdint.h>

#include "core/error.h"
#include "core/pool.h"
#include "model/weights.h"

struct optimizer_options {
    double beta1, beta2, eps;
    double weight_decay;
    int decay_all;
    double clip; /* of the gradients' norm; 0: none */
};

struct optimizer {
    struct optimizer_options options;
    const struct weight_layout *layout;  /* borrowed */
    struct oy_pool *pool;                /* borrowed */
    float *gradient, *moment1, *moment2; /* arenas, own */
    uint64_t n_update; /* updates done: the t of bias correction */
    struct optimizer_tile *tile;
    size_t n_tile;
};

/* Takes three zeroed arenas. 0, or -1 (71). */
int optimizer_init(struct optimizer *optimizer,
                   const struct weight_layout *layout,
                   const struct optimizer_options *options,
                   struct oy_pool *pool, struct oy_error *err);
void optimizer_release(struct optimizer *optimizer);

/* sqrt(sum of squares) of all gradients, in double, tiles in order. */
double optimizer_norm(const struct optimizer *optimizer);

/* One update with learning rate lr; `norm` is that of optimizer_norm(). The
 * gradients are scaled by min(1, clip / (norm + 1e-6)), as torch's
 * clip_grad_norm_ has it, and are zero afterwards. */
void optimizer_step(struct optimizer *optimizer, float *weights, double lr,
                    double norm);
/* Forgets the gradients instead. */
void optimizer_skip(struct optimizer *optimizer);

#endif

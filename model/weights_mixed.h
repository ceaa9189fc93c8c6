/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the tensors of experts, and of mixers other than plain attention, lie
 * in an arena, and how checkpoints store them.
 *
 * Experts of a kind touch and hold the rows of gate, then those of up
 * (model/moe.h). Files have them one by one ("mlp.experts.7.up_proj.weight"),
 * or all in one tensor of three dimensions ("mlp.experts.gate_up_proj"): both
 * are read. gpt_oss has them the other way round, gate and up in turn, or as
 * MXFP4 (*_blocks and *_scales).
 */
#ifndef MODEL_WEIGHTS_MIXED_H
#define MODEL_WEIGHTS_MIXED_H

#include "model/delta_net.h"
#include "model/lightning.h"
#include "model/mla.h"
#include "model/moe.h"
#include "model/safetensors.h"
#include "model/weights_internal.h"

/* Add a layer's tensors; layer->o is the mixer's output projection. */
void weights_add_experts(struct weight_builder *builder, int layer);
void weights_add_mla(struct weight_builder *builder, int layer);
void weights_add_delta_net(struct weight_builder *builder, int layer);
void weights_add_lightning(struct weight_builder *builder, int layer);

/* The tensors of a layer in an arena; borrowed of it. */
struct moe_weights weights_experts(const struct weight_layout *layout,
                                   const float *arena, int layer);
struct mla_weights weights_mla(const struct weight_layout *layout,
                               const float *arena, int layer);
struct delta_weights weights_delta_net(const struct weight_layout *layout,
                                       const float *arena, int layer);
struct lightning_weights weights_lightning(const struct weight_layout *layout,
                                           const float *arena, int layer);

/* ---- files ---- */

/* The tensor in which a file may have all experts of a kind. */
struct weight_fused {
    char name[112];
    uint64_t n; /* its elements */
    size_t at;  /* the first of the expert's */
};

/* Of the tensor of one expert; -1 when `tensor` is none. */
int weights_find_fused(const struct weight_layout *layout,
                       const struct weight_tensor *tensor,
                       struct weight_fused *fused);

/* Reads a tensor of form WEIGHT_EXPERTS. -1 for a type that is not known. */
int weights_read_columns(const struct weight_tensor *tensor,
                         const struct safetensor *have, float *to);
/* The same of MXFP4: blocks [part][row][n_column / 32][16] and scales
 * [part][row][n_column / 32]. */
void weights_read_mxfp4(const struct weight_tensor *tensor,
                        const uint8_t *blocks, const uint8_t *scales,
                        float *to);

/* Whether a tensor of a file is derived from others, or of a part that the
 * decoder does not have (layers of DeepSeek and Qwen3-Next that guess more
 * tokens). */
int weights_is_idle(const struct weight_layout *layout, const char *name);

#endif

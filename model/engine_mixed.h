/* SPDX-License-Identifier: Apache-2.0
 *
 * The halves of a layer that are modules of their own, on an engine's rows:
 * experts, latent attention, linear attention.
 *
 * A sequence carries one state for all its linear layers, in the order of the
 * layers (struct kv_sequence). Layers with keys and values are numbered in
 * the cache without those between.
 */
#ifndef MODEL_ENGINE_MIXED_H
#define MODEL_ENGINE_MIXED_H

#include "model/delta_net.h"
#include "model/kv.h"
#include "model/lightning.h"
#include "model/mla.h"
#include "model/moe.h"

struct engine;

/* Zero-initialised is empty. */
struct mixed {
    struct moe_scratch experts;
    struct mixer_scratch scratch;
    struct mixer_piece *piece; /* of the pass that runs */
    size_t n_piece, cap_piece;
    struct mla_pass mla; /* of the layer that runs */
};

void mixed_release(struct mixed *mixed);

/* What the cache holds for a decoder. */
struct kv_shape mixed_kv_shape(const struct decoder_config *config);
/* The number in the cache of a layer that has keys and values. */
int mixed_kv_layer(const struct decoder_config *config, int layer);
/* Floats of a row that goes into an output projection, at most. */
size_t mixed_width(const struct decoder_config *config);

/* Memory for a pass over the engine's rows, so that no layer can fail: 71. */
int mixed_reserve(struct engine *engine, struct oy_error *err);

/* Queries of latent attention to engine->qkv, its keys and values to the
 * cache. */
void mixed_run_mla(struct engine *engine);
/* Linear attention: input to branch. */
void mixed_run_linear(struct engine *engine);
/* Experts: input to branch. */
void mixed_run_experts(struct engine *engine);

#endif

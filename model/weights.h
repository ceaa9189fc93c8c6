/* SPDX-License-Identifier: Apache-2.0
 *
 * The weights of a decoder in f32: one flat arena with a table of tensors.
 *
 * Trainer and engine share this struct; gradients and AdamW's moments are
 * arenas of the same layout, so that an optimiser step is one loop over
 * `n_float`. Matrices that are used together lie together: q, k, v of a layer
 * are one [(n_head + 2 n_kv_head) head_dim][dim] matrix, gate and up one
 * [2 n_hidden][dim] matrix. Rows are output features, as in nn.Linear. Every
 * tensor starts at a multiple of 16 floats (gaps are zero and stay zero).
 */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/config.h"

/* One tensor as checkpoints name it. */
struct weight_tensor {
    char name[96]; /* "model.layers.0.self_attn.q_proj.weight" */
    size_t at;     /* offset in the arena, in floats */
    int n_dim;     /* 1 or 2: only 2 takes weight decay */
    size_t n_row;  /* 1 for vectors */
    size_t n_column;
};

/* Offsets of a layer's parts in an arena, in floats. q_norm, k_norm are
 * SIZE_MAX without has_qk_norm. */
struct layer_layout {
    size_t input_norm;     /* [dim] */
    size_t qkv;            /* [(n_head + 2 n_kv_head) head_dim][dim] */
    size_t q_norm, k_norm; /* [head_dim] */
    size_t o;              /* [dim][n_head head_dim] */
    size_t post_norm;      /* [dim] post_attention_layernorm */
    size_t gate_up;        /* [2 n_hidden][dim]: gate rows, then up rows */
    size_t down;           /* [dim][n_hidden] */
};

/* Where everything lies; the same for weights, gradients and moments. */
struct weight_layout {
    struct decoder_config config;
    size_t n_float;             /* of an arena, gaps included; multiple of 16 */
    size_t embedding;           /* [n_vocab][dim] */
    size_t final_norm;          /* [dim] */
    size_t head;                /* [n_vocab][dim]; = embedding when tied */
    struct layer_layout *layer; /* [n_layer] */
    struct weight_tensor *tensor; /* [n_tensor], arena order */
    int n_tensor;
};

int weight_layout_init(struct weight_layout *layout,
                       const struct decoder_config *config,
                       struct oy_error *err);
void weight_layout_release(struct weight_layout *layout);

/* A zeroed arena of the layout (big pages, 64-byte aligned); NULL with 71
 * when memory is refused. Free with oy_free. */
float *weights_new(const struct weight_layout *layout, struct oy_error *err);

/* Fresh weights for pretraining: N(0, 0.02), output projections (o, down)
 * N(0, 0.02 / sqrt(2 n_layer)) as GPT-2 and nanoGPT do, norms 1; tensor i
 * draws from the stream (seed, i), so threads do not matter. */
void weights_init_random(const struct weight_layout *layout, float *arena,
                         uint64_t seed);

/* Reads model.safetensors (or the shards of model.safetensors.index.json)
 * of a folder, or a model's file (model/model_file.h): floats of any kind.
 * Missing or extra tensors and other shapes
 * are failures (65) that name the tensor; a tied model may carry lm_head. */
int weights_read(const struct weight_layout *layout, float *arena,
                 const char *folder, struct oy_error *err);

/* Writes the arena as PATH (one safetensors file, F32, "format":"pt",
 * tensors by name). Also used for gradients (--dump-gradients). */
int weights_write(const struct weight_layout *layout, const float *arena,
                  const char *path, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Between engine.c, which makes a pass of pieces, and engine_layer.c, which
 * runs the layers over its rows.
 *
 * A half of a layer that is a module of its own (experts, another mixer) is
 * called by run_mixer() or run_ffn() of engine_layer.c: it reads
 * `input`[n_row][dim], normed already, and writes `branch`[n_row][dim], all of
 * it; norms behind, multipliers and the residual are the engine's. The rows of
 * a piece follow each other by position; row[i].piece->sequence has its cache
 * and state. Its weights lie at weights + layer_part(engine)->ffn_part[i] (or
 * mixer_part[i]), as its own *_add() put them there (weights_internal.h).
 */
#ifndef MODEL_ENGINE_INTERNAL_H
#define MODEL_ENGINE_INTERNAL_H

#include "model/cached_attention.h"
#include "model/engine.h"
#include "model/engine_mixed.h"
#include "model/engine_quant.h"
#include "model/gemm.h"
#include "model/matrix.h"
#include "model/weights_map.h"

/* A table of angles: of one rope of the config, for texts of one regime. */
struct angles {
    int rope;
    size_t regime;
    float *cosine, *sine; /* [n][rope dim / 2] */
    size_t n;
};

/* A token of a pass. */
struct row {
    const struct engine_piece *piece;
    size_t position;
    size_t angles[DECODER_ROPES]; /* numbers of its tables */
};

/* A task of attention: tokens of one piece, one key head. */
struct query_tile {
    size_t row; /* the first one */
    size_t n;
};

struct engine {
    const struct weight_layout *layout;
    struct weight_layout own_layout; /* when opened from a folder */
    const float *weights;
    struct weights_map own; /* when opened from a folder */
    struct oy_pool *pool;
    struct gemm *gemm;
    struct multiplier multiplier;
    enum matrix_form form;       /* of the matrices, once is_packed */
    int is_packed;               /* at the first pass */
    uint64_t n_pass;             /* so far */
    struct quantised *quantised; /* weights in 8 bits; NULL: floats */
    struct oy_hash128 hash;      /* of the weights before that */
    char kernel_name[64];
    struct kv_pool *kv;
    struct attend_scratch *attend; /* [worker] */
    struct mixed mixed_halves;

    struct angles *angles;
    size_t n_angles, cap_angles;

    /* Of the pass that runs. */
    struct row *row;
    size_t n_row, cap_row;
    struct query_tile *tile;
    size_t n_tile, cap_tile;
    int layer;
    float *floats; /* all of the below */
    size_t cap_floats;
    float *x;           /* [row][dim]: the residual stream */
    float *normed;      /* [row][dim] */
    const float *input; /* of the half that runs: normed, or x */
    float *branch;      /* [row][dim]: what a half gave */
    float *qkv;         /* [row][engine_qkv_width()] */
    float *mixed;       /* [row][mixed_width()] */
    float *gate_up;     /* [row][2 n_hidden] */
    float *inner;       /* [row][n_hidden] */
    float *logits;      /* [LOGITS_ROWS][n_vocab]; NULL until asked for */
};

enum { ROWS_OF_TASK = 8 /* of element-wise work */ };

/* A range of rows of one task. */
struct range {
    size_t from, to;
};

static inline struct range engine_range(const struct engine *engine,
                                        size_t task)
{
    const size_t from = task * ROWS_OF_TASK, to = from + ROWS_OF_TASK;

    return (struct range){from, to < engine->n_row ? to : engine->n_row};
}

static inline void engine_rows(struct engine *engine, oy_pool_task task)
{
    oy_pool_run(engine->pool, (engine->n_row + ROWS_OF_TASK - 1) / ROWS_OF_TASK,
                task, engine);
}

/* Books the time since the last kernel as one that moved n floats of every
 * row. */
static inline void engine_mark(const struct engine *engine,
                               enum profile_kernel kernel, size_t n)
{
    profile_floats(gemm_profile(engine->gemm), kernel, engine->n_row * n);
}

static inline const struct layer_layout *layer_part(const struct engine *engine)
{
    return &engine->layout->layer[engine->layer];
}

static inline const struct decoder_block *layer_block(
    const struct engine *engine)
{
    return config_block(&engine->layout->config, engine->layer);
}

static inline size_t engine_qkv_width(const struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    const int gates = c->has_output_gate ? c->n_head : 0;

    if (layer_block(engine)->mixer == MIXER_MLA)
        return (size_t)(c->n_head * c->head_dim);
    return (size_t)((c->n_head + gates + 2 * c->n_kv_head) * c->head_dim);
}

/* The matrix at an offset of the weights; one of engine_matrices(). */
static inline struct matrix engine_matrix(const struct engine *engine,
                                          size_t at, size_t n, size_t k)
{
    if (engine->quantised)
        return quantised_matrix(engine->quantised, at);
    return (struct matrix){engine->is_packed ? engine->form : MATRIX_ROWS, n, k,
                           (float *)engine->weights + at, NULL};
}

/* One row's norm by the family's kind; y may be x. */
void engine_norm(const struct engine *engine, float *y, const float *x,
                 size_t weight, size_t bias);
/* The matrices that run_attention() and run_dense() multiply by, and the head;
 * yours, free with oy_free. */
struct matrix_place *engine_matrices(struct engine *engine, size_t *n);
/* Packs them; nothing for weights that are borrowed, packed or quantised. */
void engine_pack(struct engine *engine);
/* Layer engine->layer over the rows. Behind the last layer's mixer only the
 * wanted rows are left. */
void engine_run_layer(struct engine *engine);

#endif

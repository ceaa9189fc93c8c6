/* SPDX-License-Identifier: Apache-2.0
 *
 * Experts and other mixers on the rows of a pass. */
#include "model/engine_mixed.h"

#include <string.h>

#include "core/alloc.h"
#include "model/engine_internal.h"
#include "model/weights_mixed.h"

void mixed_release(struct mixed *mixed)
{
    moe_release(&mixed->experts);
    mixer_release(&mixed->scratch);
    oy_free(mixed->piece);
    *mixed = (struct mixed){0};
}

/* ---- the cache ---- */

static int is_linear(const struct decoder_config *config, int layer)
{
    const enum mixer_kind mixer = config_block(config, layer)->mixer;

    return mixer == MIXER_DELTA_NET || mixer == MIXER_LIGHTNING;
}

static size_t state_of(const struct decoder_config *config, int layer)
{
    const enum mixer_kind mixer = config_block(config, layer)->mixer;

    if (mixer == MIXER_DELTA_NET)
        return delta_net_state(&config->delta);
    if (mixer == MIXER_LIGHTNING)
        return lightning_state((size_t)config->n_head,
                               (size_t)config->head_dim);
    return 0;
}

/* Where the state of a layer begins in that of its sequence. */
static size_t state_before(const struct decoder_config *config, int layer)
{
    size_t n = 0;

    for (int i = 0; i < layer; i++)
        n += state_of(config, i);
    return n;
}

int mixed_kv_layer(const struct decoder_config *config, int layer)
{
    int n = 0;

    for (int i = 0; i < layer; i++)
        n += !is_linear(config, i);
    return n;
}

/* A decoder of linear layers alone still counts its tokens in blocks. */
struct kv_shape mixed_kv_shape(const struct decoder_config *config)
{
    struct kv_shape shape = kv_shape_of(config);

    shape.n_layer = mixed_kv_layer(config, config->n_layer);
    if (shape.n_layer == 0)
        shape.n_layer = 1;
    if (config->mla.v_dim)
        shape.value_dim = config->mla.v_dim;
    shape.n_state = state_before(config, config->n_layer);
    return shape;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t mixed_width(const struct decoder_config *config)
{
    const size_t n_head = (size_t)config->n_head;
    const size_t head =
        larger((size_t)config->head_dim, (size_t)config->mla.v_dim);

    return larger(n_head * head, (size_t)config->delta.n_value_head *
                                     (size_t)config->delta.value_dim);
}

/* ---- a pass ---- */

/* The rows of a piece follow each other. */
static void find_pieces(struct engine *engine)
{
    struct mixed *mixed = &engine->mixed_halves;

    mixed->n_piece = 0;
    for (size_t i = 0; i < engine->n_row; i++) {
        if (i == 0 || engine->row[i].piece != engine->row[i - 1].piece) {
            OY_GROW(mixed->piece, mixed->cap_piece, mixed->n_piece + 1);
            mixed->piece[mixed->n_piece++] = (struct mixer_piece){.first = i};
        }
        mixed->piece[mixed->n_piece - 1].n++;
    }
}

/* The pieces' states of the layer that runs. */
static void find_states(struct engine *engine)
{
    struct mixed *mixed = &engine->mixed_halves;
    const size_t at = state_before(&engine->layout->config, engine->layer);

    for (size_t i = 0; i < mixed->n_piece; i++) {
        const struct row *row = &engine->row[mixed->piece[i].first];
        mixed->piece[i].state = row->piece->sequence->state + at;
    }
}

static struct delta_job delta_job(struct engine *engine,
                                  const struct delta_weights *weights)
{
    const struct decoder_config *c = &engine->layout->config;

    return (struct delta_job){.config = &c->delta,
                              .weights = weights,
                              .gemm = engine->gemm,
                              .dim = (size_t)c->dim,
                              .norm_eps = c->norm_eps,
                              .piece = engine->mixed_halves.piece,
                              .n_piece = engine->mixed_halves.n_piece,
                              .n_row = engine->n_row,
                              .x = engine->input,
                              .out = engine->mixed};
}

static struct lightning_job lightning_job(
    struct engine *engine, const struct lightning_weights *weights)
{
    const struct decoder_config *c = &engine->layout->config;

    return (struct lightning_job){.weights = weights,
                                  .gemm = engine->gemm,
                                  .dim = (size_t)c->dim,
                                  .n_head = (size_t)c->n_head,
                                  .head_dim = (size_t)c->head_dim,
                                  .layer = engine->layer,
                                  .n_layer = c->n_layer,
                                  .piece = engine->mixed_halves.piece,
                                  .n_piece = engine->mixed_halves.n_piece,
                                  .n_row = engine->n_row,
                                  .x = engine->input,
                                  .out = engine->mixed};
}

static struct mla_pass mla_pass(struct engine *engine,
                                const struct mla_weights *weights)
{
    const struct decoder_config *c = &engine->layout->config;

    return (struct mla_pass){.config = &c->mla,
                             .weights = weights,
                             .gemm = engine->gemm,
                             .dim = (size_t)c->dim,
                             .n_head = (size_t)c->n_head,
                             .n_row = engine->n_row,
                             .x = engine->input,
                             .q = engine->qkv};
}

static struct moe_job moe_job(struct engine *engine,
                              const struct moe_weights *weights)
{
    const struct decoder_config *c = &engine->layout->config;

    return (struct moe_job){.config = &c->moe,
                            .weights = weights,
                            .gemm = engine->gemm,
                            .dim = (size_t)c->dim,
                            .n_row = engine->n_row,
                            .x = engine->input,
                            .y = engine->branch};
}

static size_t scratch_of(struct engine *engine, enum mixer_kind mixer)
{
    if (mixer == MIXER_MLA) {
        const struct mla_pass pass = mla_pass(engine, NULL);
        return mla_scratch(&pass);
    }
    if (mixer == MIXER_DELTA_NET) {
        const struct delta_job job = delta_job(engine, NULL);
        return delta_net_scratch(&job);
    }
    if (mixer == MIXER_LIGHTNING) {
        const struct lightning_job job = lightning_job(engine, NULL);
        return lightning_scratch(&job);
    }
    return 0;
}

int mixed_reserve(struct engine *engine, struct oy_error *err)
{
    const struct decoder_config *c = &engine->layout->config;
    struct mixed *mixed = &engine->mixed_halves;
    const struct moe_job job = moe_job(engine, NULL);
    size_t n = 0;
    int has_experts = 0;

    for (int i = 0; i < c->n_layer; i++) {
        n = larger(n, scratch_of(engine, config_block(c, i)->mixer));
        has_experts = has_experts || config_block(c, i)->ffn == FFN_MOE;
    }
    find_pieces(engine);
    if (n && !mixer_reserve(&mixed->scratch, n, err))
        return -1;
    return has_experts ? moe_reserve(&job, &mixed->experts, err) : 0;
}

/* ---- halves ---- */

static void turn_row(struct engine *engine, size_t number, int worker)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct row *row = &engine->row[number];
    const struct angles *angles = &engine->angles[row->angles[0]];
    const size_t at = row->position * (size_t)(c->mla.rope_dim / 2);
    const struct mla_place place = {.pool = engine->kv,
                                    .sequence = row->piece->sequence,
                                    .layer = mixed_kv_layer(c, engine->layer),
                                    .position = row->position,
                                    .cosine = angles->cosine + at,
                                    .sine = angles->sine + at};

    mla_turn_row(&engine->mixed_halves.mla, number, &place, worker);
}

static void turn_rows(void *arg, size_t task, int worker)
{
    struct engine *engine = arg;
    const struct range range = engine_range(engine, task);

    for (size_t i = range.from; i < range.to; i++)
        turn_row(engine, i, worker);
}

/* mixed_reserve() has taken the memory of each pass: none can fail. */
static void must_run(int status)
{
    OY_ASSERT(status == 0);
}

void mixed_run_mla(struct engine *engine)
{
    const struct mla_weights weights =
        weights_mla(engine->layout, engine->weights, engine->layer);
    struct oy_error err = {0};

    engine->mixed_halves.mla = mla_pass(engine, &weights);
    must_run(mla_project(&engine->mixed_halves.mla,
                         &engine->mixed_halves.scratch, &err));
    engine_rows(engine, turn_rows);
    engine_mark(engine, PROFILE_ROTATION, 2 * engine_qkv_width(engine));
}

static size_t run_delta_net(struct engine *engine)
{
    const struct delta_config *c = &engine->layout->config.delta;
    const struct delta_weights weights =
        weights_delta_net(engine->layout, engine->weights, engine->layer);
    const struct delta_job job = delta_job(engine, &weights);
    struct oy_error err = {0};

    must_run(delta_net_run(&job, &engine->mixed_halves.scratch, &err));
    return (size_t)(c->n_value_head * c->value_dim);
}

static size_t run_lightning(struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct lightning_weights weights =
        weights_lightning(engine->layout, engine->weights, engine->layer);
    const struct lightning_job job = lightning_job(engine, &weights);
    struct oy_error err = {0};

    must_run(lightning_run(&job, &engine->mixed_halves.scratch, &err));
    return (size_t)(c->n_head * c->head_dim);
}

void mixed_run_linear(struct engine *engine)
{
    const size_t dim = (size_t)engine->layout->config.dim;
    size_t width;

    find_states(engine);
    width = layer_block(engine)->mixer == MIXER_DELTA_NET
                ? run_delta_net(engine)
                : run_lightning(engine);
    engine_mark(engine, PROFILE_MIXER, 0);
    gemm_nt(engine->gemm, engine->n_row, dim, width, engine->mixed, width,
            engine->weights + layer_part(engine)->o, width, engine->branch, dim,
            0);
}

void mixed_run_experts(struct engine *engine)
{
    const struct moe_weights weights =
        weights_experts(engine->layout, engine->weights, engine->layer);
    const struct moe_job job = moe_job(engine, &weights);
    struct oy_error err = {0};

    must_run(moe_run(&job, &engine->mixed_halves.experts, &err));
}

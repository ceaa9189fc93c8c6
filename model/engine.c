/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass of the decoder over pieces of many sequences. */
#include "model/engine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "model/engine_internal.h"
#include "model/rows.h"

enum {
    LOGITS_ROWS = 48, /* rows of logits that exist at once */
    MAX_ANGLES = 8,   /* tables that are kept between passes */
    /* Pages of a file make decoding a twentieth slower than big pages do;
     * behind so many passes a copy will have paid for itself. */
    OWN_PASSES = 256,
};

/* ---- life ---- */

static int choose_type(struct engine *engine, enum engine_type type,
                       struct oy_error *err)
{
    static const enum matrix_form form[] = {MATRIX_ROWS, MATRIX_BF16,
                                            MATRIX_QUANT};
    const struct multiplier *multiplier = &engine->multiplier;
    const char *name = gemm_kernel_name(engine->gemm);

    engine->form = form[type];
    if (!multiplier_takes(multiplier, engine->form))
        return oy_fail(err, OY_USAGE, "kernel '%s' has no %s", name,
                       type == ENGINE_Q8 ? "q8" : "bf16");
    if (type == ENGINE_BF16)
        name = multiplier_bf16_name(multiplier);
    snprintf(engine->kernel_name, sizeof engine->kernel_name, "%s%s", name,
             type == ENGINE_Q8 ? "-q8" : "");
    return 0;
}

/* All but the weights. */
static int start(struct engine *engine, const char *kernel,
                 enum engine_type type, uint64_t kv_bytes, struct oy_error *err)
{
    engine->gemm = gemm_new(kernel, engine->pool, err);
    if (!engine->gemm)
        return -1;
    multiplier_init(&engine->multiplier, engine->gemm);
    struct kv_shape shape = mixed_kv_shape(&engine->layout->config);
    shape.max_bytes = kv_bytes;
    engine->kv = kv_pool_new(&shape);
    engine->attend =
        oy_calloc((size_t)oy_pool_size(engine->pool), sizeof *engine->attend);
    return choose_type(engine, type, err);
}

struct engine *engine_new(const struct weight_layout *layout,
                          const float *weights, const char *kernel,
                          uint64_t kv_bytes, struct oy_pool *pool,
                          struct oy_error *err)
{
    struct engine *engine = oy_calloc(1, sizeof *engine);

    engine->layout = layout;
    engine->weights = weights;
    engine->pool = pool;
    if (!start(engine, kernel, ENGINE_F32, kv_bytes, err))
        return engine;
    engine_free(engine);
    return NULL;
}

/* Leaves the files' pages. */
static int own_weights(struct engine *engine, struct oy_error *err)
{
    if (weights_map_own(&engine->own, &engine->own_layout, engine->pool, err))
        return -1;
    engine->weights = engine->own.arena;
    return 0;
}

static int read_floats(struct engine *engine, const char *folder,
                       struct oy_error *err)
{
    if (weights_map_open(&engine->own, &engine->own_layout, folder,
                         engine->pool, err))
        return -1;
    engine->weights = engine->own.arena;
    /* Panels are made in place. */
    return engine->form == MATRIX_ROWS ? 0 : own_weights(engine, err);
}

static int read_quantised(struct engine *engine, const char *folder,
                          struct oy_error *err)
{
    size_t n;
    struct matrix_place *place = engine_matrices(engine, &n);

    engine->quantised =
        quantised_read(engine->layout, folder, place, n, engine->pool, err);
    if (!engine->quantised)
        return -1;
    engine->weights = quantised_arena(engine->quantised);
    engine->is_packed = 1;
    return 0;
}

struct engine *engine_open(const char *folder, const char *kernel,
                           enum engine_type type, uint64_t kv_bytes,
                           struct oy_pool *pool, struct oy_error *err)
{
    struct engine *engine = oy_calloc(1, sizeof *engine);
    struct decoder_config config;

    engine->layout = &engine->own_layout;
    engine->pool = pool;
    if (!config_read(&config, folder, err) &&
        !weight_layout_init(&engine->own_layout, &config, err) &&
        !start(engine, kernel, type, kv_bytes, err) &&
        !(type == ENGINE_Q8 ? read_quantised(engine, folder, err)
                            : read_floats(engine, folder, err)))
        return engine;
    engine_free(engine);
    return NULL;
}

static void drop_angles(struct engine *engine)
{
    for (size_t i = 0; i < engine->n_angles; i++) {
        oy_free(engine->angles[i].cosine);
        oy_free(engine->angles[i].sine);
    }
    engine->n_angles = 0;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (int i = 0; engine->attend && i < oy_pool_size(engine->pool); i++)
        attend_release(&engine->attend[i]);
    oy_free(engine->attend);
    kv_pool_free(engine->kv);
    multiplier_release(&engine->multiplier);
    gemm_free(engine->gemm);
    drop_angles(engine);
    mixed_release(&engine->mixed_halves);
    oy_free(engine->angles);
    oy_free(engine->row);
    oy_free(engine->tile);
    oy_free(engine->floats);
    oy_free(engine->logits);
    quantised_free(engine->quantised);
    weights_map_close(&engine->own);
    weight_layout_release(&engine->own_layout);
    oy_free(engine);
}

const struct decoder_config *engine_config(const struct engine *engine)
{
    return &engine->layout->config;
}

struct kv_pool *engine_kv(struct engine *engine)
{
    return engine->kv;
}

void engine_set_kv_type(struct engine *engine, enum kv_type type)
{
    struct kv_shape shape = *kv_pool_shape(engine->kv);

    OY_ASSERT(!kv_used_blocks(engine->kv));
    shape.type = type;
    kv_pool_free(engine->kv);
    engine->kv = kv_pool_new(&shape);
}

struct oy_pool *engine_pool(const struct engine *engine)
{
    return engine->pool;
}

void engine_set_profile(struct engine *engine, struct profile *profile)
{
    gemm_set_profile(engine->gemm, profile);
}

const char *engine_kernel_name(const struct engine *engine)
{
    return engine->kernel_name;
}

struct oy_hash128 engine_weights_hash(const struct engine *engine)
{
    if (engine->quantised)
        return quantised_hash(engine->quantised);
    if (engine->is_packed)
        return engine->hash;
    return weights_hash(engine->layout, engine->weights, engine->pool);
}

/* ---- preparing a pass ---- */

/* The angles of positions below n. */
static void fill_angles(const struct engine *engine, struct angles *angles,
                        size_t n)
{
    const struct decoder_config *config = &engine->layout->config;
    const size_t half = (size_t)config_rope_dim(config, angles->rope) / 2;

    if (n <= angles->n)
        return;
    n = n + n / 2 + 256;
    double *frequency = oy_alloc_array(half, sizeof *frequency);
    const double scale =
        config_rope_table(config, angles->rope, angles->regime, frequency);
    angles->cosine = oy_realloc_array(angles->cosine, n, half * sizeof(float));
    angles->sine = oy_realloc_array(angles->sine, n, half * sizeof(float));
    for (size_t i = angles->n * half; i < n * half; i++) {
        const double angle = (double)(i / half) * frequency[i % half];
        angles->cosine[i] = (float)(cos(angle) * scale);
        angles->sine[i] = (float)(sin(angle) * scale);
    }
    angles->n = n;
    oy_free(frequency);
}

/* The number of a table that reaches to n positions. */
static size_t find_angles(struct engine *engine, int rope, size_t regime,
                          size_t n)
{
    size_t i = 0;

    while (i < engine->n_angles && (engine->angles[i].rope != rope ||
                                    engine->angles[i].regime != regime))
        i++;
    if (i == engine->n_angles) {
        OY_GROW(engine->angles, engine->cap_angles, i + 1);
        engine->angles[engine->n_angles++] =
            (struct angles){.rope = rope, .regime = regime};
    }
    fill_angles(engine, &engine->angles[i], n);
    return i;
}

static int uses_rope(const struct decoder_config *config, int rope)
{
    for (int i = 0; i < config->n_layer; i++) {
        if (config_block(config, i)->rope == rope)
            return 1;
    }
    return 0;
}

static void choose_angles(struct engine *engine,
                          const struct engine_piece *piece, struct row *row)
{
    const struct decoder_config *config = &engine->layout->config;
    const size_t n = piece->sequence->len + piece->n;
    const size_t regime =
        config_rope_regime(config, piece->text_len > n ? piece->text_len : n);

    for (int i = 0; i < DECODER_ROPES; i++)
        row->angles[i] =
            uses_rope(config, i) ? find_angles(engine, i, regime, n) : 0;
}

static void add_rows(struct engine *engine, const struct engine_piece *piece)
{
    struct row row = {.piece = piece};

    choose_angles(engine, piece, &row);
    OY_GROW(engine->row, engine->cap_row, engine->n_row + piece->n);
    for (size_t i = 0; i < piece->n; i += ATTEND_QUERIES) {
        const size_t left = piece->n - i;
        OY_GROW(engine->tile, engine->cap_tile, engine->n_tile + 1);
        engine->tile[engine->n_tile++] = (struct query_tile){
            engine->n_row + i, left < ATTEND_QUERIES ? left : ATTEND_QUERIES};
    }
    for (size_t i = 0; i < piece->n; i++) {
        row.position = piece->sequence->len + i;
        engine->row[engine->n_row++] = row;
    }
}

static size_t round_up(size_t n)
{
    return (n + 15) / 16 * 16;
}

static int make_floats(struct engine *engine, struct oy_error *err)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t dim = round_up((size_t)c->dim);
    const size_t q = round_up(mixed_width(c));
    const size_t qkv =
        round_up((size_t)((2 * c->n_head + 2 * c->n_kv_head) * c->head_dim));
    const size_t hidden = round_up((size_t)c->n_hidden), n = engine->n_row;
    const size_t need = n * (3 * dim + q + qkv + 3 * hidden);

    if (need > engine->cap_floats) {
        oy_free(engine->floats);
        engine->cap_floats = 0;
        engine->floats = oy_try_alloc(need, sizeof *engine->floats);
        if (!engine->floats)
            return oy_fail(err, OY_SYSTEM, "no memory for %zu rows", n);
        engine->cap_floats = need;
    }
    engine->x = engine->floats;
    engine->normed = engine->x + n * dim;
    engine->branch = engine->normed + n * dim;
    engine->qkv = engine->branch + n * dim;
    engine->mixed = engine->qkv + n * qkv;
    engine->gate_up = engine->mixed + n * q;
    engine->inner = engine->gate_up + n * 2 * hidden;
    return 0;
}

static int prepare(struct engine *engine, const struct engine_piece *piece,
                   size_t n_piece, struct oy_error *err)
{
    const struct decoder_config *config = &engine->layout->config;

    engine->n_row = engine->n_tile = 0;
    if (engine->n_angles > MAX_ANGLES)
        drop_angles(engine);
    for (size_t i = 0; i < n_piece; i++) {
        const size_t len = piece[i].sequence->len + piece[i].n;
        if (config->has_positions && len > (size_t)config->max_position)
            return oy_fail(err, OY_DATA,
                           "%zu tokens are more than the model's %d positions",
                           len, config->max_position);
        if (kv_reserve(engine->kv, piece[i].sequence, piece[i].n, err))
            return -1;
        add_rows(engine, &piece[i]);
    }
    return make_floats(engine, err) || mixed_reserve(engine, err) ? -1 : 0;
}

/* ---- the pass ---- */

/* The row of a token; a tied table is packed as the head. */
static void embed_id(const struct engine *engine, size_t id, float *x)
{
    const struct weight_layout *layout = engine->layout;
    const size_t dim = (size_t)layout->config.dim;

    if (layout->embedding == layout->head) {
        const struct matrix head = engine_matrix(
            engine, layout->head, (size_t)layout->config.n_vocab, dim);
        matrix_row(&head, id, x);
    } else {
        memcpy(x, engine->weights + layout->embedding + id * dim,
               dim * sizeof *x);
    }
}

static void embed_row(const struct engine *engine, const struct row *row,
                      float *x)
{
    const struct weight_layout *layout = engine->layout;
    const struct decoder_config *c = &layout->config;
    const size_t dim = (size_t)c->dim;
    const size_t at = row->position - row->piece->sequence->len;
    const float *own = row->piece->embed ? row->piece->embed[at] : NULL;
    const int32_t id = row->piece->id[at];

    OY_ASSERT(id >= 0 && id < c->n_vocab);
    if (own)
        memcpy(x, own, dim * sizeof *x);
    else
        embed_id(engine, (size_t)id, x);
    if (c->embedding_scale > 0)
        rows_scale(x, dim, c->embedding_scale);
    if (c->has_positions)
        rows_add(x, engine->weights + layout->positions + row->position * dim,
                 dim);
}

static void embed_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct range range = engine_range(engine, task);
    const size_t dim = (size_t)engine->layout->config.dim;

    (void)worker;
    for (size_t i = range.from; i < range.to; i++)
        embed_row(engine, &engine->row[i], engine->x + i * dim);
}

static void put_wanted(const struct engine *engine, float *hidden)
{
    const size_t dim = (size_t)engine->layout->config.dim;

    for (size_t i = 0; i < engine->n_row; i++)
        engine_norm(engine, hidden + i * dim, engine->x + i * dim,
                    engine->layout->final_norm,
                    engine->layout->final_norm_bias);
}

int engine_run(struct engine *engine, const struct engine_piece *piece,
               size_t n_piece, float *hidden, struct oy_error *err)
{
    const size_t dim = (size_t)engine->layout->config.dim;
    struct oy_error full = {0}; /* then they stay where they are */

    if (++engine->n_pass == OWN_PASSES && weights_map_may_own(&engine->own))
        own_weights(engine, &full);
    engine_pack(engine);
    if (prepare(engine, piece, n_piece, err))
        return -1;
    engine_mark(engine, PROFILE_OTHER, 0);
    engine_rows(engine, embed_rows);
    engine_mark(engine, PROFILE_EMBEDDING, 2 * dim);
    for (engine->layer = 0; engine->layer < engine->layout->config.n_layer;
         engine->layer++)
        engine_run_layer(engine);
    put_wanted(engine, hidden);
    engine_mark(engine, PROFILE_NORM, 2 * dim);
    for (size_t i = 0; i < n_piece; i++)
        piece[i].sequence->len += piece[i].n;
    return 0;
}

/* ---- logits ---- */

struct logits_job {
    const struct decoder_config *config;
    float *logits;
    size_t n_vocab;
    size_t first; /* number of the first row */
    engine_logits_task task;
    void *arg;
};

static void use_logits(void *arg, size_t row, int worker)
{
    const struct logits_job *job = arg;
    float *logits = job->logits + row * job->n_vocab;

    if (job->config->logit_scale > 0)
        rows_scale(logits, job->n_vocab, job->config->logit_scale);
    if (job->config->logit_cap > 0)
        rows_soft_cap(logits, job->n_vocab, job->config->logit_cap);
    job->task(job->arg, job->first + row, logits, worker);
}

int engine_logits(struct engine *engine, const float *hidden, size_t n,
                  engine_logits_task task, void *arg, struct oy_error *err)
{
    const size_t n_vocab = (size_t)engine->layout->config.n_vocab;
    const size_t dim = (size_t)engine->layout->config.dim;

    engine_pack(engine);
    const struct matrix head =
        engine_matrix(engine, engine->layout->head, n_vocab, dim);
    if (!engine->logits)
        engine->logits =
            oy_try_alloc(LOGITS_ROWS * n_vocab, sizeof *engine->logits);
    if (!engine->logits)
        return oy_fail(err, OY_SYSTEM, "no memory for logits");
    for (size_t i = 0; i < n; i += LOGITS_ROWS) {
        const size_t rows = n - i < LOGITS_ROWS ? n - i : LOGITS_ROWS;
        struct logits_job job = {
            &engine->layout->config, engine->logits, n_vocab, i, task, arg};
        matrix_multiply(&engine->multiplier, &head, rows, hidden + i * dim, dim,
                        engine->logits, n_vocab, 0);
        oy_pool_run(engine->pool, rows, use_logits, &job);
        profile_floats(gemm_profile(engine->gemm), PROFILE_LOSS,
                       rows * n_vocab);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass of the decoder over pieces of many sequences. */
#include "model/engine.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/cached_attention.h"
#include "model/gemm.h"
#include "model/rows.h"

enum {
    ROWS_OF_TASK = 8, /* of element-wise work */
    LOGITS_ROWS = 48, /* rows of logits that exist at once */
};

/* A token of a pass. */
struct row {
    const struct engine_piece *piece;
    size_t position;
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
    float *own_weights;
    struct oy_pool *pool;
    struct gemm *gemm;
    struct kv_pool *kv;
    struct attend_scratch *attend; /* [worker] */

    float *cosine, *sine; /* [n_angle][head_dim / 2] */
    size_t n_angle;

    /* Of the pass that runs. */
    struct row *row;
    size_t n_row, cap_row;
    struct query_tile *tile;
    size_t n_tile, cap_tile;
    int layer;
    float *floats; /* all of the below */
    size_t cap_floats;
    float *x;       /* [row][dim] */
    float *normed;  /* [row][dim] */
    float *qkv;     /* [row][(n_head + 2 n_kv_head) head_dim] */
    float *mixed;   /* [row][n_head head_dim] */
    float *gate_up; /* [row][2 n_hidden] */
    float *inner;   /* [row][n_hidden] */
    float *logits;  /* [LOGITS_ROWS][n_vocab]; NULL until asked for */
};

/* ---- life ---- */

static struct engine *start(struct engine *engine, const char *kernel,
                            uint64_t kv_bytes, struct oy_error *err)
{
    engine->gemm = gemm_new(kernel, engine->pool, err);
    if (!engine->gemm) {
        engine_free(engine);
        return NULL;
    }
    struct kv_shape shape = kv_shape_of(&engine->layout->config);
    shape.max_bytes = kv_bytes;
    engine->kv = kv_pool_new(&shape);
    engine->attend =
        oy_calloc((size_t)oy_pool_size(engine->pool), sizeof *engine->attend);
    return engine;
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
    return start(engine, kernel, kv_bytes, err);
}

struct engine *engine_open(const char *folder, const char *kernel,
                           uint64_t kv_bytes, struct oy_pool *pool,
                           struct oy_error *err)
{
    struct engine *engine = oy_calloc(1, sizeof *engine);
    struct decoder_config config;

    engine->layout = &engine->own_layout;
    engine->pool = pool;
    if (config_read(&config, folder, err) ||
        weight_layout_init(&engine->own_layout, &config, err))
        goto fail;
    engine->own_weights = weights_new(&engine->own_layout, err);
    if (!engine->own_weights ||
        weights_read(&engine->own_layout, engine->own_weights, folder, err))
        goto fail;
    engine->weights = engine->own_weights;
    return start(engine, kernel, kv_bytes, err);
fail:
    engine_free(engine);
    return NULL;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (int i = 0; engine->attend && i < oy_pool_size(engine->pool); i++)
        attend_release(&engine->attend[i]);
    oy_free(engine->attend);
    kv_pool_free(engine->kv);
    gemm_free(engine->gemm);
    oy_free(engine->cosine);
    oy_free(engine->sine);
    oy_free(engine->row);
    oy_free(engine->tile);
    oy_free(engine->floats);
    oy_free(engine->logits);
    oy_free(engine->own_weights);
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

const char *engine_kernel_name(const struct engine *engine)
{
    return gemm_kernel_name(engine->gemm);
}

struct oy_hash128 engine_weights_hash(const struct engine *engine)
{
    return oy_hash128(engine->weights,
                      engine->layout->n_float * sizeof *engine->weights);
}

/* ---- preparing a pass ---- */

/* The angles of positions below n. */
static void make_angles(struct engine *engine, size_t n)
{
    const struct decoder_config *config = &engine->layout->config;
    const size_t half = (size_t)config->head_dim / 2;

    if (n <= engine->n_angle)
        return;
    n = n + n / 2 + 256;
    double *frequency = oy_alloc_array(half, sizeof *frequency);
    config_rope_frequencies(config, frequency);
    engine->cosine = oy_realloc_array(engine->cosine, n, half * sizeof(float));
    engine->sine = oy_realloc_array(engine->sine, n, half * sizeof(float));
    for (size_t i = engine->n_angle * half; i < n * half; i++) {
        const double angle = (double)(i / half) * frequency[i % half];
        engine->cosine[i] = (float)cos(angle);
        engine->sine[i] = (float)sin(angle);
    }
    engine->n_angle = n;
    oy_free(frequency);
}

static void add_rows(struct engine *engine, const struct engine_piece *piece)
{
    const size_t first = piece->sequence->len;

    OY_GROW(engine->row, engine->cap_row, engine->n_row + piece->n);
    for (size_t i = 0; i < piece->n; i += ATTEND_QUERIES) {
        const size_t left = piece->n - i;
        OY_GROW(engine->tile, engine->cap_tile, engine->n_tile + 1);
        engine->tile[engine->n_tile++] = (struct query_tile){
            engine->n_row + i, left < ATTEND_QUERIES ? left : ATTEND_QUERIES};
    }
    for (size_t i = 0; i < piece->n; i++)
        engine->row[engine->n_row++] = (struct row){piece, first + i};
    make_angles(engine, first + piece->n);
}

static size_t round_up(size_t n)
{
    return (n + 15) / 16 * 16;
}

static int make_floats(struct engine *engine, struct oy_error *err)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t dim = round_up((size_t)c->dim);
    const size_t q = round_up((size_t)(c->n_head * c->head_dim));
    const size_t qkv =
        round_up((size_t)((c->n_head + 2 * c->n_kv_head) * c->head_dim));
    const size_t hidden = round_up((size_t)c->n_hidden), n = engine->n_row;
    const size_t need = n * (2 * dim + q + qkv + 3 * hidden);

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
    engine->qkv = engine->normed + n * dim;
    engine->mixed = engine->qkv + n * qkv;
    engine->gate_up = engine->mixed + n * q;
    engine->inner = engine->gate_up + n * 2 * hidden;
    return 0;
}

static int prepare(struct engine *engine, const struct engine_piece *piece,
                   size_t n_piece, struct oy_error *err)
{
    engine->n_row = engine->n_tile = 0;
    for (size_t i = 0; i < n_piece; i++) {
        if (kv_reserve(engine->kv, piece[i].sequence, piece[i].n, err))
            return -1;
        add_rows(engine, &piece[i]);
    }
    return make_floats(engine, err);
}

/* ---- tasks over rows ---- */

/* A range of rows of one task. */
struct range {
    size_t from, to;
};

static struct range rows_of_task(const struct engine *engine, size_t task)
{
    const size_t from = task * ROWS_OF_TASK, to = from + ROWS_OF_TASK;

    return (struct range){from, to < engine->n_row ? to : engine->n_row};
}

static void run_rows(struct engine *engine, oy_pool_task task)
{
    oy_pool_run(engine->pool, (engine->n_row + ROWS_OF_TASK - 1) / ROWS_OF_TASK,
                task, engine);
}

static const struct layer_layout *layer_of(const struct engine *engine)
{
    return &engine->layout->layer[engine->layer];
}

static void norm_rows(const struct engine *engine, struct range range,
                      size_t weight)
{
    const size_t dim = (size_t)engine->layout->config.dim;

    for (size_t i = range.from; i < range.to; i++)
        rows_rms_norm(engine->normed + i * dim, engine->x + i * dim,
                      engine->weights + weight, dim,
                      engine->layout->config.norm_eps);
}

static void norm_input(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    norm_rows(engine, rows_of_task(engine, task), layer_of(engine)->input_norm);
}

static void norm_post(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    norm_rows(engine, rows_of_task(engine, task), layer_of(engine)->post_norm);
}

static void embed_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct range range = rows_of_task(engine, task);
    const size_t dim = (size_t)engine->layout->config.dim;

    (void)worker;
    for (size_t i = range.from; i < range.to; i++) {
        const struct row *row = &engine->row[i];
        const int32_t id =
            row->piece->id[row->position - row->piece->sequence->len];
        OY_ASSERT(id >= 0 && id < engine->layout->config.n_vocab);
        memcpy(engine->x + i * dim,
               engine->weights + engine->layout->embedding + (size_t)id * dim,
               dim * sizeof *engine->x);
    }
}

static void swiglu_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct range range = rows_of_task(engine, task);
    const size_t n = (size_t)engine->layout->config.n_hidden;

    (void)worker;
    for (size_t i = range.from; i < range.to; i++) {
        const float *gate = engine->gate_up + i * 2 * n;
        rows_swiglu(engine->inner + i * n, gate, gate + n, n);
    }
}

/* Norm (where there is one) and rotation of one head. */
static void turn_head(const struct engine *engine, float *head, size_t norm,
                      size_t position)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t dim = (size_t)c->head_dim, half = dim / 2;

    if (norm != SIZE_MAX)
        rows_rms_norm(head, head, engine->weights + norm, dim, c->norm_eps);
    rows_rope(head, engine->cosine + position * half,
              engine->sine + position * half, dim, 1);
}

/* Turns q and k of a row and puts k and v into the cache. */
static void turn_row(const struct engine *engine, const struct row *row,
                     float *qkv)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_of(engine);
    const size_t dim = (size_t)c->head_dim;
    float *k = qkv + (size_t)c->n_head * dim;
    float *v = k + (size_t)c->n_kv_head * dim;

    for (int head = 0; head < c->n_head; head++)
        turn_head(engine, qkv + (size_t)head * dim, part->q_norm,
                  row->position);
    for (int head = 0; head < c->n_kv_head; head++, k += dim, v += dim) {
        turn_head(engine, k, part->k_norm, row->position);
        kv_put(engine->kv, row->piece->sequence, row->position, engine->layer,
               head, k, v);
    }
}

static size_t qkv_width(const struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;

    return (size_t)((c->n_head + 2 * c->n_kv_head) * c->head_dim);
}

static void turn_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct range range = rows_of_task(engine, task);

    (void)worker;
    for (size_t i = range.from; i < range.to; i++)
        turn_row(engine, &engine->row[i], engine->qkv + i * qkv_width(engine));
}

static void attend_tile(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct decoder_config *c = &engine->layout->config;
    const size_t n_kv = (size_t)c->n_kv_head, head = task % n_kv;
    const struct query_tile *tile = &engine->tile[task / n_kv];
    const struct row *row = &engine->row[tile->row];
    const size_t group = (size_t)c->n_head / n_kv;
    const size_t dim = (size_t)c->head_dim;
    const struct attend_job job = {
        .gemm = engine->gemm,
        .kv = engine->kv,
        .sequence = row->piece->sequence,
        .layer = engine->layer,
        .kv_head = (int)head,
        .first = row->position,
        .n = tile->n,
        .group = group,
        .scale = 1 / sqrtf((float)dim),
        .q = engine->qkv + tile->row * qkv_width(engine) + head * group * dim,
        .q_stride = qkv_width(engine),
        .out = engine->mixed +
               (tile->row * (size_t)c->n_head + head * group) * dim,
        .out_stride = (size_t)c->n_head * dim};

    attend(&job, &engine->attend[worker]);
}

/* ---- the pass ---- */

static int is_wanted(const struct row *row)
{
    const struct engine_piece *piece = row->piece;
    const size_t i = row->position - piece->sequence->len;

    return piece->wanted ? piece->wanted[i] : i + 1 == piece->n;
}

/* Adds a row to the last tile if it is the next token of it. */
static void add_to_tile(struct engine *engine, size_t i)
{
    struct query_tile *tile = engine->tile + engine->n_tile - 1;

    if (engine->n_tile && tile->n < ATTEND_QUERIES &&
        engine->row[i].piece == engine->row[i - 1].piece &&
        engine->row[i].position == engine->row[i - 1].position + 1)
        tile->n++;
    else
        engine->tile[engine->n_tile++] = (struct query_tile){i, 1};
}

/* Behind the last layer's keys and values nobody looks at rows that are not
 * asked for: the others move to the front. */
static void keep_wanted(struct engine *engine)
{
    const size_t dim = (size_t)engine->layout->config.dim;
    const size_t width = qkv_width(engine), n = engine->n_row;

    OY_GROW(engine->tile, engine->cap_tile, n);
    engine->n_row = engine->n_tile = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t to = engine->n_row;
        if (!is_wanted(&engine->row[i]))
            continue;
        engine->row[to] = engine->row[i];
        memmove(engine->x + to * dim, engine->x + i * dim,
                dim * sizeof *engine->x);
        memmove(engine->qkv + to * width, engine->qkv + i * width,
                width * sizeof *engine->qkv);
        engine->n_row++;
        add_to_tile(engine, to);
    }
}

static void multiply(struct engine *engine, size_t weight, size_t n, size_t k,
                     const float *x, float *y, int accumulate)
{
    gemm_nt(engine->gemm, engine->n_row, n, k, x, k, engine->weights + weight,
            k, y, n, accumulate);
}

static void run_layer(struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_of(engine);
    const size_t dim = (size_t)c->dim, hidden = (size_t)c->n_hidden;
    const size_t q = (size_t)(c->n_head * c->head_dim);

    run_rows(engine, norm_input);
    multiply(engine, part->qkv, qkv_width(engine), dim, engine->normed,
             engine->qkv, 0);
    run_rows(engine, turn_rows);
    if (engine->layer + 1 == c->n_layer)
        keep_wanted(engine);
    oy_pool_run(engine->pool, engine->n_tile * (size_t)c->n_kv_head,
                attend_tile, engine);
    multiply(engine, part->o, dim, q, engine->mixed, engine->x, 1);
    run_rows(engine, norm_post);
    multiply(engine, part->gate_up, 2 * hidden, dim, engine->normed,
             engine->gate_up, 0);
    run_rows(engine, swiglu_rows);
    multiply(engine, part->down, dim, hidden, engine->inner, engine->x, 1);
}

static void put_wanted(const struct engine *engine, float *hidden)
{
    const size_t dim = (size_t)engine->layout->config.dim;

    for (size_t i = 0; i < engine->n_row; i++)
        rows_rms_norm(hidden + i * dim, engine->x + i * dim,
                      engine->weights + engine->layout->final_norm, dim,
                      engine->layout->config.norm_eps);
}

int engine_run(struct engine *engine, const struct engine_piece *piece,
               size_t n_piece, float *hidden, struct oy_error *err)
{
    if (prepare(engine, piece, n_piece, err))
        return -1;
    run_rows(engine, embed_rows);
    for (engine->layer = 0; engine->layer < engine->layout->config.n_layer;
         engine->layer++)
        run_layer(engine);
    put_wanted(engine, hidden);
    for (size_t i = 0; i < n_piece; i++)
        piece[i].sequence->len += piece[i].n;
    return 0;
}

/* ---- logits ---- */

struct logits_job {
    float *logits;
    size_t n_vocab;
    size_t first; /* number of the first row */
    engine_logits_task task;
    void *arg;
};

static void use_logits(void *arg, size_t row, int worker)
{
    const struct logits_job *job = arg;

    job->task(job->arg, job->first + row, job->logits + row * job->n_vocab,
              worker);
}

int engine_logits(struct engine *engine, const float *hidden, size_t n,
                  engine_logits_task task, void *arg, struct oy_error *err)
{
    const size_t n_vocab = (size_t)engine->layout->config.n_vocab;
    const size_t dim = (size_t)engine->layout->config.dim;

    if (!engine->logits)
        engine->logits =
            oy_try_alloc(LOGITS_ROWS * n_vocab, sizeof *engine->logits);
    if (!engine->logits)
        return oy_fail(err, OY_SYSTEM, "no memory for logits");
    for (size_t i = 0; i < n; i += LOGITS_ROWS) {
        const size_t rows = n - i < LOGITS_ROWS ? n - i : LOGITS_ROWS;
        struct logits_job job = {engine->logits, n_vocab, i, task, arg};
        gemm_nt(engine->gemm, rows, n_vocab, dim, hidden + i * dim, dim,
                engine->weights + engine->layout->head, dim, engine->logits,
                n_vocab, 0);
        oy_pool_run(engine->pool, rows, use_logits, &job);
    }
    return 0;
}

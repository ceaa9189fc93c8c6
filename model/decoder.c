/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder's memory plan and its forward pass.
 */
#include "model/decoder.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/decoder_internal.h"
#include "model/rows.h"

/* ---- memory ---- */

/* Logits of a chunk take at most this many floats (16 MiB): they stay in the
 * outer cache between the product, the softmax and the way back. */
enum { CHUNK_FLOATS = 4 << 20, CHUNK_MAX = 1024, CHUNK_MIN = 64 };

static size_t chunk_tokens(size_t n_vocab)
{
    size_t n = CHUNK_FLOATS / n_vocab / CHUNK_MIN * CHUNK_MIN;

    if (n > CHUNK_MAX)
        n = CHUNK_MAX;
    return n < CHUNK_MIN ? CHUNK_MIN : n;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void set_sizes(struct decoder *d, const struct weight_layout *layout,
                      size_t max_token, size_t max_length)
{
    const struct decoder_config *const c = &layout->config;
    const size_t head_dim = (size_t)c->head_dim;

    d->layout = layout;
    d->max_token = max_token;
    d->max_length = max_length;
    d->qkv_dim = ((size_t)c->n_head + 2 * (size_t)c->n_kv_head) * head_dim;
    d->out_dim = (size_t)c->n_head * head_dim;
    d->up_dim = decoder_up_dim(c);
    d->chunk = chunk_tokens((size_t)c->n_vocab);
    d->lane_size = larger(decoder_norm_lane(c), 4 * head_dim);
    if (c->has_qkv_bias)
        d->lane_size = larger(d->lane_size, d->qkv_dim);
    if (c->has_ffn_bias)
        d->lane_size = larger(d->lane_size, d->up_dim);
    if (config_has_experts(c))
        d->lane_size = larger(d->lane_size, (size_t)c->moe.n_expert);
}

float *decoder_take(float *memory, size_t *at, size_t n)
{
    float *const part = memory ? memory + *at : NULL;

    *at += (n + 15) / 16 * 16;
    return part;
}

static void plan_layer(const struct decoder *d, int i, struct decoder_layer *l,
                       float *memory, size_t *at)
{
    const struct decoder_config *const c = &d->layout->config;
    const size_t n = d->max_token;
    const int has_experts = config_block(c, i)->ffn == FFN_MOE;

    l->x = decoder_take(memory, at, n * (size_t)c->dim);
    l->qkv = decoder_take(memory, at, n * d->qkv_dim);
    l->out = decoder_take(memory, at, n * d->out_dim);
    l->lse = decoder_take(memory, at, n * (size_t)c->n_head);
    l->mid = decoder_take(memory, at, n * (size_t)c->dim);
    l->x_rstd = decoder_take(memory, at, n);
    l->mid_rstd = decoder_take(memory, at, n);
    if (has_experts)
        decoder_plan_experts(d, l, memory, at);
    else
        l->gate_up = decoder_take(memory, at, n * d->up_dim);
}

/* Returns the floats that are needed; sets pointers when there is memory. */
static size_t plan(struct decoder *d, float *memory)
{
    const struct decoder_config *const c = &d->layout->config;
    const size_t n = d->max_token, dim = (size_t)c->dim;
    const size_t angles = d->max_length * (size_t)c->head_dim / 2;
    const size_t n_slot = decoder_slots(d);
    struct decoder_layer nowhere;
    size_t at = 0;

    for (int i = 0; i < c->n_layer; i++)
        plan_layer(d, i, memory ? &d->layer[i] : &nowhere, memory, &at);
    d->x_final = decoder_take(memory, &at, n * dim);
    d->rstd_final = decoder_take(memory, &at, n);
    d->norm = decoder_take(memory, &at, n * dim);
    d->sum = decoder_take(memory, &at, n * larger(dim, d->out_dim));
    d->rotated = decoder_take(memory, &at, c->has_qk_norm ? n * d->qkv_dim : 0);
    d->dqkv = decoder_take(memory, &at, n * d->qkv_dim);
    d->hidden = decoder_take(
        memory, &at,
        larger(n * (size_t)c->n_hidden, decoder_experts_hidden(d)));
    d->dhidden = decoder_take(memory, &at, decoder_experts_hidden(d));
    d->gathered = decoder_take(memory, &at, n_slot * dim);
    d->answer = decoder_take(memory, &at, n_slot * dim);
    d->score = decoder_take(
        memory, &at, n_slot ? n * MOE_SCORES * (size_t)c->moe.n_expert : 0);
    d->dx = decoder_take(memory, &at, n * dim);
    d->logits = decoder_take(memory, &at, d->chunk * (size_t)c->n_vocab);
    d->lane = decoder_take(memory, &at, DECODER_LANES * d->lane_size);
    d->cosine = decoder_take(memory, &at, angles);
    d->sine = decoder_take(memory, &at, angles);
    return at;
}

static void fill_angles(struct decoder *d)
{
    const size_t half = (size_t)d->layout->config.head_dim / 2;

    if (!decoder_has_rope(&d->layout->config))
        return;
    double *const frequency = oy_alloc_array(half, sizeof *frequency);
    config_rope_frequencies(&d->layout->config, frequency);
    for (size_t p = 0; p < d->max_length; p++) {
        for (size_t i = 0; i < half; i++) {
            const double angle = (double)p * frequency[i];
            d->cosine[p * half + i] = (float)cos(angle);
            d->sine[p * half + i] = (float)sin(angle);
        }
    }
    oy_free(frequency);
}

static int take_memory(struct decoder *d, struct oy_error *err)
{
    const struct decoder_config *const c = &d->layout->config;
    const struct attention_shape shape = {
        (size_t)c->n_head, (size_t)c->n_kv_head, (size_t)c->head_dim};
    const size_t n_float = plan(d, NULL);

    d->memory = oy_try_alloc(n_float, sizeof *d->memory);
    d->position = oy_try_alloc(d->max_token, sizeof *d->position);
    d->valid = oy_try_alloc(d->max_token, sizeof *d->valid);
    d->token_ce = oy_try_alloc(d->max_token, sizeof *d->token_ce);
    d->token_loss = oy_try_alloc(d->max_token, sizeof *d->token_loss);
    if (!d->memory || !d->position || !d->valid || !d->token_ce ||
        !d->token_loss)
        return oy_fail(err, OY_SYSTEM,
                       "no memory for %zu tokens: %zu MiB are needed",
                       d->max_token, n_float / 4 >> 16);
    plan(d, d->memory);
    d->attention = attention_new(&shape, d->gemm, err);
    return d->attention ? 0 : -1;
}

struct decoder *decoder_new(const struct weight_layout *layout,
                            struct gemm *gemm, size_t max_token,
                            size_t max_length, struct oy_error *err)
{
    struct decoder *const d = oy_calloc(1, sizeof *d);

    d->gemm = gemm;
    set_sizes(d, layout, max_token, max_length);
    d->layer = oy_calloc((size_t)layout->config.n_layer, sizeof *d->layer);
    if (take_memory(d, err) != 0) {
        decoder_free(d);
        return NULL;
    }
    fill_angles(d);
    return d;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    attention_free(decoder->attention);
    oy_free(decoder->memory);
    oy_free(decoder->layer);
    oy_free(decoder->position);
    oy_free(decoder->valid);
    oy_free(decoder->token_ce);
    oy_free(decoder->token_loss);
    oy_free(decoder);
}

uint64_t decoder_memory(const struct weight_layout *layout, size_t max_token,
                        size_t max_length)
{
    struct decoder d = {0};

    set_sizes(&d, layout, max_token, max_length);
    return (uint64_t)plan(&d, NULL) * sizeof(float) +
           max_token * 2 * (sizeof(size_t) + sizeof(double));
}

/* ---- loops over rows ---- */

struct row_job {
    decoder_row_task task;
    decoder_lane_task lane_task;
    void *arg;
    size_t n;
    float *lane;
    size_t lane_size, lane_used;
};

static void run_row_tile(void *arg, size_t tile, int worker)
{
    const struct row_job *const job = arg;
    const size_t from = tile * DECODER_ROW_TILE;
    const size_t to = from + DECODER_ROW_TILE;

    (void)worker;
    job->task(job->arg, from, to < job->n ? to : job->n);
}

void decoder_rows(struct decoder *decoder, size_t n, decoder_row_task task,
                  void *arg)
{
    struct row_job job = {.task = task, .arg = arg, .n = n};

    oy_pool_run(gemm_pool(decoder->gemm),
                (n + DECODER_ROW_TILE - 1) / DECODER_ROW_TILE, run_row_tile,
                &job);
}

static void run_lane(void *arg, size_t tile, int worker)
{
    const struct row_job *const job = arg;
    float *const lane = job->lane + tile * job->lane_size;

    (void)worker;
    memset(lane, 0, job->lane_used * sizeof *lane);
    job->lane_task(job->arg, tile * job->n / DECODER_LANES,
                   (tile + 1) * job->n / DECODER_LANES, lane);
}

void decoder_lanes(struct decoder *decoder, size_t n, size_t size,
                   decoder_lane_task task, void *arg)
{
    struct row_job job = {.lane_task = task,
                          .arg = arg,
                          .n = n,
                          .lane = decoder->lane,
                          .lane_size = decoder->lane_size,
                          .lane_used = size};

    oy_pool_run(gemm_pool(decoder->gemm), DECODER_LANES, run_lane, &job);
    for (int half = DECODER_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++)
            rows_add(decoder->lane + (size_t)i * decoder->lane_size,
                     decoder->lane + (size_t)(i + half) * decoder->lane_size,
                     size);
    }
}

/* ---- forward ---- */

struct norm_job {
    const struct decoder *decoder;
    const float *embedding; /* the stream is the embedding ... */
    const float *positions; /* ... with that of the position, if not NULL */
    const float *stream;    /* ... or this plus `sum` */
    float *next;            /* where it goes */
    struct decoder_norm norm;
    float *rstd;
};

/* The stream takes up a product's output (or begins), and its norm becomes
 * the input of the next product: one pass over memory. */
static void add_and_norm(void *arg, size_t from, size_t to)
{
    const struct norm_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t t = from; t < to; t++) {
        float *const next = job->next + t * dim;
        if (job->embedding) {
            memcpy(next, job->embedding + (size_t)d->batch.id[t] * dim,
                   dim * sizeof *next);
            if (job->positions)
                rows_add(next, job->positions + d->position[t] * dim, dim);
        } else {
            memcpy(next, job->stream + t * dim, dim * sizeof *next);
            rows_add(next, d->sum + t * dim, dim);
        }
        job->rstd[t] = decoder_norm_row(&job->norm, d->norm + t * dim, next);
    }
}

/* x and what a half gave in, x and its norm out. */
static void run_add_and_norm(struct decoder *d, struct norm_job *job)
{
    const size_t n = d->batch.n_token;

    decoder_rows(d, n, add_and_norm, job);
    decoder_mark(d, PROFILE_NORM, 4 * n * (size_t)d->layout->config.dim);
}

struct rotate_job {
    const struct decoder *decoder;
    const float *from;
    float *to;
    const float *q_norm, *k_norm; /* NULL without has_qk_norm */
};

static void rotate_rows(void *arg, size_t from, size_t to)
{
    const struct rotate_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const struct decoder_config *const c = &d->layout->config;
    const size_t head_dim = (size_t)c->head_dim, half = head_dim / 2;
    const int n_rotated = c->n_head + c->n_kv_head;

    for (size_t t = from; t < to; t++) {
        const size_t angle = d->position[t] * half;
        float *row = job->to + t * d->qkv_dim;
        if (job->to != job->from)
            memcpy(row, job->from + t * d->qkv_dim, d->qkv_dim * sizeof *row);
        for (int h = 0; h < n_rotated; h++, row += head_dim) {
            if (job->q_norm)
                rows_rms_norm(row, row,
                              h < c->n_head ? job->q_norm : job->k_norm,
                              head_dim, c->norm_eps);
            rows_rope(row, d->cosine + angle, d->sine + angle, head_dim, 1);
        }
    }
}

void decoder_rotate(struct decoder *decoder, const float *weights, int layer,
                    float *to)
{
    const struct layer_layout *const at = &decoder->layout->layer[layer];
    const int has_norm = decoder->layout->config.has_qk_norm;
    struct rotate_job job = {.decoder = decoder,
                             .from = decoder->layer[layer].qkv,
                             .to = to,
                             .q_norm = has_norm ? weights + at->q_norm : NULL,
                             .k_norm = has_norm ? weights + at->k_norm : NULL};

    if (has_norm || decoder_has_rope(&decoder->layout->config))
        decoder_rows(decoder, decoder->batch.n_token, rotate_rows, &job);
    decoder_mark(decoder, PROFILE_ROTATION,
                 2 * decoder->batch.n_token * decoder->qkv_dim);
}

struct hidden_job {
    const struct decoder *decoder;
    const float *gate_up;
};

static void hidden_rows(void *arg, size_t from, size_t to)
{
    const struct hidden_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t n = (size_t)d->layout->config.n_hidden;

    for (size_t t = from; t < to; t++)
        decoder_hidden_row(&d->layout->config, d->hidden + t * n,
                           job->gate_up + t * d->up_dim);
}

/* Takes the batch in: positions and the tokens that have targets. */
static void take_batch(struct decoder *d, const struct decoder_batch *batch)
{
    OY_ASSERT(batch->n_token <= d->max_token);
    d->batch = *batch;
    d->n_valid = 0;
    for (size_t i = 0; i < batch->n_document; i++) {
        const size_t begin = batch->first[i], end = batch->first[i + 1];
        OY_ASSERT(end - begin <= d->max_length);
        for (size_t t = begin; t < end; t++)
            d->position[t] = t - begin;
    }
    for (size_t t = 0; t < batch->n_token; t++) {
        OY_ASSERT(batch->id[t] >= 0 &&
                  batch->id[t] < d->layout->config.n_vocab);
        if (batch->target[t] >= 0)
            d->valid[d->n_valid++] = t;
    }
}

static void attend(struct decoder *d, const float *weights, int i)
{
    const struct layer_layout *const at = &d->layout->layer[i];
    struct decoder_layer *const l = &d->layer[i];
    const struct attention_documents documents = {d->batch.n_document,
                                                  d->batch.first};
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    float *const rotated = d->layout->config.has_qk_norm ? d->rotated : l->qkv;

    gemm_nt(d->gemm, n, d->qkv_dim, dim, d->norm, dim, weights + at->qkv, dim,
            l->qkv, d->qkv_dim, 0);
    decoder_add_bias(d, l->qkv, d->qkv_dim, weights, at->qkv_bias);
    decoder_rotate(d, weights, i, rotated);
    attention_forward(d->attention, &documents, rotated, l->out, l->lse);
    gemm_nt(d->gemm, n, dim, d->out_dim, l->out, d->out_dim, weights + at->o,
            d->out_dim, d->sum, dim, 0);
    decoder_add_bias(d, d->sum, dim, weights, at->o_bias);
}

static void feed_forward(struct decoder *d, const float *weights, int i)
{
    const struct layer_layout *const at = &d->layout->layer[i];
    struct decoder_layer *const l = &d->layer[i];
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const size_t n_hidden = (size_t)d->layout->config.n_hidden;
    struct hidden_job job = {d, l->gate_up};

    gemm_nt(d->gemm, n, d->up_dim, dim, d->norm, dim, weights + at->gate_up,
            dim, l->gate_up, d->up_dim, 0);
    decoder_add_bias(d, l->gate_up, d->up_dim, weights, at->gate_up_bias);
    decoder_rows(d, n, hidden_rows, &job);
    decoder_mark(d, PROFILE_ACTIVATION, n * (d->up_dim + n_hidden));
    gemm_nt(d->gemm, n, dim, n_hidden, d->hidden, n_hidden, weights + at->down,
            n_hidden, d->sum, dim, 0);
    decoder_add_bias(d, d->sum, dim, weights, at->down_bias);
}

void decoder_forward(struct decoder *decoder, const float *weights,
                     const struct decoder_batch *batch)
{
    const struct weight_layout *const layout = decoder->layout;
    struct norm_job norm = {.decoder = decoder,
                            .embedding = weights + layout->embedding};

    if (layout->config.has_positions)
        norm.positions = weights + layout->positions;

    take_batch(decoder, batch);
    for (int i = 0; i < layout->config.n_layer; i++) {
        const struct layer_layout *const at = &layout->layer[i];
        struct decoder_layer *const l = &decoder->layer[i];
        norm.next = l->x;
        norm.norm = decoder_norm_at(decoder, weights, at->input_norm,
                                    at->input_norm_bias);
        norm.rstd = l->x_rstd;
        run_add_and_norm(decoder, &norm);
        attend(decoder, weights, i);

        norm.embedding = NULL;
        norm.stream = l->x;
        norm.next = l->mid;
        norm.norm = decoder_norm_at(decoder, weights, at->post_norm,
                                    at->post_norm_bias);
        norm.rstd = l->mid_rstd;
        run_add_and_norm(decoder, &norm);
        if (config_block(&layout->config, i)->ffn == FFN_MOE)
            decoder_feed_experts(decoder, weights, i);
        else
            feed_forward(decoder, weights, i);
        norm.stream = l->mid;
    }
    norm.next = decoder->x_final;
    norm.norm = decoder_norm_at(decoder, weights, layout->final_norm,
                                layout->final_norm_bias);
    norm.rstd = decoder->rstd_final;
    run_add_and_norm(decoder, &norm);
    decoder_weigh_balance(decoder);
}

double decoder_balance(const struct decoder *decoder)
{
    return decoder->balance;
}

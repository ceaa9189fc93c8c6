/* SPDX-License-Identifier: Apache-2.0
 *
 * Latent attention up to its queries, keys and values. */
#include "model/mla.h"

#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

enum { ROWS_OF_TASK = 8 };

/* The norms inside take the class's default, whatever rms_norm_eps says
 * (transformers, modeling_deepseek_v3.py, DeepseekV3Attention). */
static const float inner_eps = 1e-6f;

struct widths {
    size_t q_rank, kv_rank, nope, rope, value;
    size_t key;    /* nope + rope */
    size_t latent; /* kv_rank + rope */
    size_t kv;     /* of all heads: nope + value */
    size_t normed; /* the larger rank */
};

static struct widths widths_of(const struct mla_pass *pass)
{
    const struct mla_config *c = pass->config;
    struct widths w = {.q_rank = (size_t)c->q_rank,
                       .kv_rank = (size_t)c->kv_rank,
                       .nope = (size_t)c->nope_dim,
                       .rope = (size_t)c->rope_dim,
                       .value = (size_t)c->v_dim};

    w.key = w.nope + w.rope;
    w.latent = w.kv_rank + w.rope;
    w.kv = pass->n_head * (w.nope + w.value);
    w.normed = w.q_rank > w.kv_rank ? w.q_rank : w.kv_rank;
    return w;
}

/* Of a worker, and room for one rotation. */
static size_t key_floats(const struct widths *w)
{
    return w->key + w->rope;
}

size_t mla_scratch(const struct mla_pass *pass)
{
    const struct widths w = widths_of(pass);
    const size_t n_worker = (size_t)oy_pool_size(gemm_pool(pass->gemm));

    return pass->n_row * (w.latent + w.normed + w.kv) +
           n_worker * key_floats(&w);
}

/* ---- projections ---- */

/* A norm of the first n floats of each row. */
struct norm_job {
    const float *x;
    const float *weight;
    float *y; /* [n_row][n] */
    size_t stride, n, n_row;
};

static void norm_rows(void *arg, size_t task, int worker)
{
    const struct norm_job *job = arg;
    const size_t from = task * ROWS_OF_TASK, to = from + ROWS_OF_TASK;

    (void)worker;
    for (size_t i = from; i < to && i < job->n_row; i++)
        rows_rms_norm(job->y + i * job->n, job->x + i * job->stride,
                      job->weight, job->n, inner_eps);
}

static void run_norm(const struct mla_pass *pass, struct norm_job job)
{
    job.n_row = pass->n_row;
    oy_pool_run(gemm_pool(pass->gemm),
                (pass->n_row + ROWS_OF_TASK - 1) / ROWS_OF_TASK, norm_rows,
                &job);
    profile_floats(gemm_profile(pass->gemm), PROFILE_NORM,
                   2 * job.n_row * job.n);
}

/* y[n_row][n] = x[n_row][k] w^T. */
static void multiply(const struct mla_pass *pass, const float *w, size_t n,
                     size_t k, const float *x, float *y)
{
    gemm_nt(pass->gemm, pass->n_row, n, k, x, k, w, k, y, n, 0);
}

/* The short vector of the queries lies where that of the keys will. */
static void project_queries(const struct mla_pass *pass, const struct widths *w)
{
    const struct mla_weights *weights = pass->weights;
    const size_t width = pass->n_head * w->key;

    if (!w->q_rank) {
        multiply(pass, weights->q_b, width, pass->dim, pass->x, pass->q);
        return;
    }
    multiply(pass, weights->q_a, w->q_rank, pass->dim, pass->x, pass->normed);
    run_norm(pass, (struct norm_job){.x = pass->normed,
                                     .weight = weights->q_norm,
                                     .y = pass->normed,
                                     .stride = w->q_rank,
                                     .n = w->q_rank});
    multiply(pass, weights->q_b, width, w->q_rank, pass->normed, pass->q);
}

int mla_project(struct mla_pass *pass, struct mixer_scratch *scratch,
                struct oy_error *err)
{
    const struct widths w = widths_of(pass);
    const struct mla_weights *weights = pass->weights;
    float *floats = mixer_reserve(scratch, mla_scratch(pass), err);

    if (!floats)
        return -1;
    pass->latent = floats;
    pass->normed = pass->latent + pass->n_row * w.latent;
    pass->kv = pass->normed + pass->n_row * w.normed;
    pass->key = pass->kv + pass->n_row * w.kv;
    project_queries(pass, &w);
    multiply(pass, weights->kv_a, w.latent, pass->dim, pass->x, pass->latent);
    run_norm(pass, (struct norm_job){.x = pass->latent,
                                     .weight = weights->kv_norm,
                                     .y = pass->normed,
                                     .stride = w.latent,
                                     .n = w.kv_rank});
    multiply(pass, weights->kv_b, w.kv, w.kv_rank, pass->normed, pass->kv);
    return 0;
}

/* ---- rows ---- */

/* Turns pairs (2i, 2i + 1), or (i, i + rope / 2). Interleaved ones are laid
 * out as halves first and stay so, as the peer's: queries and keys agree. */
static void turn(const struct mla_config *config, const struct mla_place *place,
                 float *x, float *room)
{
    const size_t n = (size_t)config->rope_dim, half = n / 2;

    if (config->is_interleaved) {
        memcpy(room, x, n * sizeof *x);
        for (size_t i = 0; i < half; i++) {
            x[i] = room[2 * i];
            x[half + i] = room[2 * i + 1];
        }
    }
    rows_rope(x, place->cosine, place->sine, n, 1);
}

void mla_turn_row(const struct mla_pass *pass, size_t row,
                  const struct mla_place *place, int worker)
{
    const struct widths w = widths_of(pass);
    float *key = pass->key + (size_t)worker * key_floats(&w);
    float *room = key + w.key;
    const float *kv = pass->kv + row * w.kv;
    float *q = pass->q + row * pass->n_head * w.key;

    memcpy(key + w.nope, pass->latent + row * w.latent + w.kv_rank,
           w.rope * sizeof *key);
    turn(pass->config, place, key + w.nope, room);
    for (size_t head = 0; head < pass->n_head; head++) {
        turn(pass->config, place, q + head * w.key + w.nope, room);
        memcpy(key, kv, w.nope * sizeof *key);
        kv_put(place->pool, place->sequence, place->position, place->layer,
               (int)head, key, kv + w.nope);
        kv += w.nope + w.value;
    }
}

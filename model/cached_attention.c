/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention over cached blocks. */
#include "model/cached_attention.h"

#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

/* Where things lie in the scratch memory. Scores stand for the positions
 * from `begin` (a multiple of ATTEND_TILE that no row's window reaches
 * below) to `end`. */
struct layout {
    float *q;        /* [row][key_dim] */
    float *out;      /* [row][value_dim] */
    float *gathered; /* [ATTEND_TILE][the wider dim] */
    float *score;    /* [row][stride] */
    float *sum;      /* [row] */
    size_t key_dim, value_dim;
    size_t n_row, stride;
    size_t begin, end;
};

void attend_release(struct attend_scratch *scratch)
{
    oy_free(scratch->floats);
    *scratch = (struct attend_scratch){0};
}

/* The first position that a row at `position` sees. */
static size_t first_seen(const struct attend_job *job, size_t position)
{
    if (!job->window || position < job->window)
        return 0;
    return position + 1 - job->window;
}

static struct layout lay_out(const struct attend_job *job,
                             struct attend_scratch *scratch)
{
    const struct kv_shape *shape = kv_pool_shape(job->kv);
    struct layout l = {.key_dim = (size_t)shape->key_dim,
                       .value_dim = (size_t)shape->value_dim,
                       .n_row = job->n * job->group,
                       .end = job->first + job->n};
    const size_t wider = l.key_dim > l.value_dim ? l.key_dim : l.value_dim;

    l.begin = first_seen(job, job->first) / ATTEND_TILE * ATTEND_TILE;
    l.stride = (l.end - l.begin + 15) / 16 * 16;
    OY_GROW(scratch->floats, scratch->cap,
            l.n_row * (l.key_dim + l.value_dim + l.stride + 1) +
                ATTEND_TILE * wider);
    l.q = scratch->floats;
    l.out = l.q + l.n_row * l.key_dim;
    l.gathered = l.out + l.n_row * l.value_dim;
    l.score = l.gathered + ATTEND_TILE * wider;
    l.sum = l.score + l.n_row * l.stride;
    return l;
}

static size_t tile_size(const struct layout *l, size_t at)
{
    return l->end - at < ATTEND_TILE ? l->end - at : ATTEND_TILE;
}

static void make_scores(const struct attend_job *job, const struct layout *l)
{
    for (size_t at = l->begin; at < l->end; at += ATTEND_TILE) {
        const size_t n = tile_size(l, at);
        const float *key = kv_keys(job->kv, job->sequence, at, n, job->layer,
                                   job->kv_head, l->gathered);
        gemm_small_nt(job->gemm, l->n_row, n, l->key_dim, job->scale, l->q,
                      l->key_dim, key, l->key_dim, 0,
                      l->score + (at - l->begin), l->stride);
    }
}

/* Turns scores into weights; returns their sum. */
static float soften(const struct attend_job *job, float *score, size_t n,
                    const float *sink)
{
    if (job->soft_cap > 0)
        rows_soft_cap(score, n, job->soft_cap);
    const float most = rows_max(score, n);
    if (!sink)
        return rows_exp(score, n, most);
    const float shift = *sink > most ? *sink : most;
    return rows_exp(score, n, shift) + rows_exp1(*sink - shift);
}

/* Positions that a row does not see weigh nothing. */
static void make_weights(const struct attend_job *job, const struct layout *l)
{
    for (size_t i = 0; i < l->n_row; i++) {
        float *score = l->score + i * l->stride;
        const size_t position = job->first + i / job->group;
        const size_t from = first_seen(job, position) - l->begin;
        const size_t to = position + 1 - l->begin;
        l->sum[i] = soften(job, score + from, to - from,
                           job->sink ? job->sink + i % job->group : NULL);
        memset(score, 0, from * sizeof *score);
        memset(score + to, 0, (l->end - l->begin - to) * sizeof *score);
    }
}

static void sum_values(const struct attend_job *job, const struct layout *l)
{
    for (size_t at = l->begin; at < l->end; at += ATTEND_TILE) {
        const size_t n = tile_size(l, at);
        const float *value = kv_values(job->kv, job->sequence, at, n,
                                       job->layer, job->kv_head, l->gathered);
        gemm_small_nn(job->gemm, l->n_row, l->value_dim, n, 1,
                      l->score + (at - l->begin), l->stride, value,
                      l->value_dim, at > l->begin, l->out, l->value_dim);
    }
}

void attend(const struct attend_job *job, struct attend_scratch *scratch)
{
    const struct layout l = lay_out(job, scratch);
    const size_t token_floats = job->group * l.key_dim, dim = l.value_dim;

    for (size_t i = 0; i < job->n; i++)
        memcpy(l.q + i * token_floats, job->q + i * job->q_stride,
               token_floats * sizeof *l.q);
    make_scores(job, &l);
    make_weights(job, &l);
    sum_values(job, &l);
    for (size_t i = 0; i < l.n_row; i++) {
        float *out =
            job->out + i / job->group * job->out_stride + i % job->group * dim;
        memcpy(out, l.out + i * dim, dim * sizeof *out);
        rows_scale(out, dim, 1 / l.sum[i]);
    }
}

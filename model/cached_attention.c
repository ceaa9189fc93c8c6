/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention over cached blocks. */
#include "model/cached_attention.h"

#include <string.h>

#include "core/alloc.h"
#include "model/panel_internal.h"
#include "model/rows.h"

enum { LINE = 16 /* floats, or pairs of bf16, of a line of the cache */ };

/* Where things lie in the scratch memory. Scores stand for the positions
 * from `begin` (a multiple of ATTEND_TILE that no row's window reaches
 * below) to `end`. */
struct layout {
    float *q;        /* [row][q_stride]; with panels, pairs of bf16 */
    float *out;      /* [row][out_stride] */
    float *gathered; /* [ATTEND_TILE][the wider dim] */
    float *score;    /* [row][stride] */
    float *sum;      /* [row] */
    uint32_t *panel; /* of a tile's keys or values */
    size_t key_dim, value_dim;
    size_t n_row, stride, q_stride, out_stride;
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

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Rows of panels are whole; an odd number of lines spreads them over the sets
 * of a cache. */
static void set_strides(const struct attend_job *job, struct layout *l)
{
    const size_t n = l->end - l->begin;

    l->q_stride = l->key_dim;
    l->out_stride = l->value_dim;
    l->stride = round_up(n, LINE);
    if (job->panel) {
        l->q_stride = round_up((l->key_dim + 1) / 2, LINE) | LINE;
        l->out_stride = round_up(l->value_dim, PANEL_WIDTH) | LINE;
        l->stride = round_up(n, PANEL_WIDTH) | LINE;
    }
}

/* Floats of the largest panel. */
static size_t panel_size(const struct attend_job *job, const struct layout *l)
{
    const size_t of_keys = (l->key_dim + 1) / 2, of_values = ATTEND_TILE / 2;

    if (!job->panel)
        return 0;
    return PANEL_WIDTH * (of_keys > of_values ? of_keys : of_values);
}

/* The next n floats, from the start of a line. */
static float *take(float **next, size_t n)
{
    float *taken = *next;

    *next += round_up(n, LINE);
    return taken;
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
    set_strides(job, &l);
    const size_t rows = l.n_row * (l.q_stride + l.out_stride + l.stride + 1);
    const size_t n_panel = panel_size(job, &l);
    OY_GROW(scratch->floats, scratch->cap,
            rows + ATTEND_TILE * wider + n_panel + 6 * LINE);
    const size_t past = (uintptr_t)scratch->floats / sizeof(float) % LINE;
    float *next = scratch->floats + (past ? LINE - past : 0);
    l.panel = (uint32_t *)take(&next, n_panel);
    l.q = take(&next, l.n_row * l.q_stride);
    l.out = take(&next, l.n_row * l.out_stride);
    l.gathered = take(&next, ATTEND_TILE * wider);
    l.score = take(&next, l.n_row * l.stride);
    l.sum = take(&next, l.n_row);
    return l;
}

static size_t tile_size(const struct layout *l, size_t at)
{
    return l->end - at < ATTEND_TILE ? l->end - at : ATTEND_TILE;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Scores of n positions from `at` on, a panel of keys at a time. */
static void score_panels(const struct attend_job *job, const struct layout *l,
                         size_t at, size_t n, const float *key)
{
    for (size_t i = 0; i < n; i += PANEL_WIDTH) {
        const struct panel_job product = {.m = l->n_row,
                                          .k = (l->key_dim + 1) / 2,
                                          .x = l->q,
                                          .x_stride = l->q_stride,
                                          .w = l->panel,
                                          .y = l->score + (at - l->begin) + i,
                                          .y_stride = l->stride};
        panel_pack_rows(l->panel, key + i * l->key_dim, l->key_dim,
                        smaller(n - i, PANEL_WIDTH), l->key_dim);
        job->panel->bf16(&product);
    }
}

static void make_scores(const struct attend_job *job, const struct layout *l)
{
    for (size_t at = l->begin; at < l->end; at += ATTEND_TILE) {
        const size_t n = tile_size(l, at);
        const float *key = kv_keys(job->kv, job->sequence, at, n, job->layer,
                                   job->kv_head, l->gathered);
        if (job->panel)
            score_panels(job, l, at, n, key);
        else
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

/* Adds the weighted values of n positions from `at` on, a panel of their
 * elements at a time. */
static void sum_panels(const struct attend_job *job, const struct layout *l,
                       size_t at, size_t n, const float *value)
{
    for (size_t i = 0; i < l->value_dim; i += PANEL_WIDTH) {
        const struct panel_job product = {.m = l->n_row,
                                          .k = (n + 1) / 2,
                                          .x = l->score + (at - l->begin) / 2,
                                          .x_stride = l->stride,
                                          .w = l->panel,
                                          .y = l->out + i,
                                          .y_stride = l->out_stride,
                                          .accumulate = at > l->begin};
        panel_pack_columns(l->panel, value + i, l->value_dim, n,
                           smaller(l->value_dim - i, PANEL_WIDTH));
        job->panel->bf16(&product);
    }
}

/* Each row of weights becomes bf16 where it lies. */
static void round_weights(const struct layout *l)
{
    const size_t n = l->end - l->begin;

    for (size_t i = 0; i < l->n_row; i++) {
        float *weight = l->score + i * l->stride;
        weight[n] = 0; /* pairs with an odd last one */
        rows_to_bf16((uint16_t *)weight, weight, n + 1);
    }
}

static void sum_values(const struct attend_job *job, const struct layout *l)
{
    if (job->panel)
        round_weights(l);
    for (size_t at = l->begin; at < l->end; at += ATTEND_TILE) {
        const size_t n = tile_size(l, at);
        const float *value = kv_values(job->kv, job->sequence, at, n,
                                       job->layer, job->kv_head, l->gathered);
        if (job->panel)
            sum_panels(job, l, at, n, value);
        else
            gemm_small_nn(job->gemm, l->n_row, l->value_dim, n, 1,
                          l->score + (at - l->begin), l->stride, value,
                          l->value_dim, at > l->begin, l->out, l->out_stride);
    }
}

/* The queries of token i, rounded. */
static void round_queries(const struct attend_job *job, const struct layout *l,
                          size_t i)
{
    float *scaled = l->gathered; /* nothing is there so far */

    for (size_t head = 0; head < job->group; head++) {
        uint16_t *to =
            (uint16_t *)(l->q + (i * job->group + head) * l->q_stride);
        memcpy(scaled, job->q + i * job->q_stride + head * l->key_dim,
               l->key_dim * sizeof *scaled);
        rows_scale(scaled, l->key_dim, job->scale);
        rows_to_bf16(to, scaled, l->key_dim);
        if (l->key_dim % 2)
            to[l->key_dim] = 0;
    }
}

static void put_queries(const struct attend_job *job, const struct layout *l)
{
    const size_t token_floats = job->group * l->key_dim;

    for (size_t i = 0; i < job->n; i++) {
        if (job->panel)
            round_queries(job, l, i);
        else
            memcpy(l->q + i * token_floats, job->q + i * job->q_stride,
                   token_floats * sizeof *l->q);
    }
}

void attend(const struct attend_job *job, struct attend_scratch *scratch)
{
    const struct layout l = lay_out(job, scratch);
    const size_t dim = l.value_dim;

    put_queries(job, &l);
    make_scores(job, &l);
    make_weights(job, &l);
    sum_values(job, &l);
    for (size_t i = 0; i < l.n_row; i++) {
        float *out =
            job->out + i / job->group * job->out_stride + i % job->group * dim;
        memcpy(out, l.out + i * l.out_stride, dim * sizeof *out);
        rows_scale(out, dim, 1 / l.sum[i]);
    }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention over cached blocks. */
#include "model/cached_attention.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

/* Where things lie in the scratch memory. */
struct layout {
    float *q, *out;  /* [row][head_dim] */
    float *gathered; /* [ATTEND_TILE][head_dim] */
    float *score;    /* [row][stride] */
    float *sum;      /* [row] */
    size_t n_row, stride;
};

void attend_release(struct attend_scratch *scratch)
{
    oy_free(scratch->floats);
    *scratch = (struct attend_scratch){0};
}

static struct layout lay_out(const struct attend_job *job,
                             struct attend_scratch *scratch)
{
    const size_t n_key = job->first + job->n;
    struct layout l = {.n_row = job->n * job->group,
                       .stride = (n_key + 15) / 16 * 16};
    const size_t rows = l.n_row * job->head_dim;

    OY_GROW(scratch->floats, scratch->cap,
            2 * rows + ATTEND_TILE * job->head_dim + l.n_row * (l.stride + 1));
    l.q = scratch->floats;
    l.out = l.q + rows;
    l.gathered = l.out + rows;
    l.score = l.gathered + ATTEND_TILE * job->head_dim;
    l.sum = l.score + l.n_row * l.stride;
    return l;
}

typedef float *(*block_rows)(const struct kv_pool *pool, int32_t block,
                             int layer, int head);

/* The rows of positions at .. at + n - 1, in place when their blocks touch. */
static const float *tile_rows(const struct attend_job *job, block_rows rows_of,
                              size_t at, size_t n, float *gathered)
{
    const int32_t *block = job->sequence->block + at / KV_BLOCK;
    const size_t n_block = (n + KV_BLOCK - 1) / KV_BLOCK;
    const size_t block_floats = KV_BLOCK * job->head_dim;
    size_t run = 1;

    while (run < n_block && kv_is_next(block[run - 1], block[run]))
        run++;
    if (run == n_block)
        return rows_of(job->kv, block[0], job->layer, job->kv_head);
    for (size_t i = 0; i < n_block; i++)
        memcpy(gathered + i * block_floats,
               rows_of(job->kv, block[i], job->layer, job->kv_head),
               block_floats * sizeof *gathered);
    return gathered;
}

static size_t tile_size(size_t n_key, size_t at)
{
    return n_key - at < ATTEND_TILE ? n_key - at : ATTEND_TILE;
}

static void make_scores(const struct attend_job *job, const struct layout *l)
{
    const size_t n_key = job->first + job->n, dim = job->head_dim;
    const float scale = 1 / sqrtf((float)dim);

    for (size_t at = 0; at < n_key; at += ATTEND_TILE) {
        const size_t n = tile_size(n_key, at);
        const float *key = tile_rows(job, kv_key, at, n, l->gathered);
        gemm_small_nt(job->gemm, l->n_row, n, dim, scale, l->q, dim, key, dim,
                      0, l->score + at, l->stride);
    }
}

/* Each row sees the positions up to its own; the others weigh nothing. */
static void make_weights(const struct attend_job *job, const struct layout *l)
{
    const size_t n_key = job->first + job->n;

    for (size_t i = 0; i < l->n_row; i++) {
        float *score = l->score + i * l->stride;
        const size_t n = job->first + i / job->group + 1;
        l->sum[i] = rows_exp(score, n, rows_max(score, n));
        memset(score + n, 0, (n_key - n) * sizeof *score);
    }
}

static void sum_values(const struct attend_job *job, const struct layout *l)
{
    const size_t n_key = job->first + job->n, dim = job->head_dim;

    for (size_t at = 0; at < n_key; at += ATTEND_TILE) {
        const size_t n = tile_size(n_key, at);
        const float *value = tile_rows(job, kv_value, at, n, l->gathered);
        gemm_small_nn(job->gemm, l->n_row, dim, n, 1, l->score + at, l->stride,
                      value, dim, at ? 1 : 0, l->out, dim);
    }
}

void attend(const struct attend_job *job, struct attend_scratch *scratch)
{
    const struct layout l = lay_out(job, scratch);
    const size_t token_floats = job->group * job->head_dim;

    for (size_t i = 0; i < job->n; i++)
        memcpy(l.q + i * token_floats, job->q + i * job->q_stride,
               token_floats * sizeof *l.q);
    make_scores(job, &l);
    make_weights(job, &l);
    sum_values(job, &l);
    for (size_t i = 0; i < l.n_row; i++) {
        float *out = job->out + i / job->group * job->out_stride +
                     i % job->group * job->head_dim;
        memcpy(out, l.out + i * job->head_dim, job->head_dim * sizeof *out);
        rows_scale(out, job->head_dim, 1 / l.sum[i]);
    }
}

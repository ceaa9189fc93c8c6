/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention in tiles: one task is a block of queries (forward) or a whole
 * document (backward) of one group of heads.
 */
#include "model/attention.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

enum {
    TILE_ROWS = 256, /* rows of a tile: queries x heads of the group */
    TILE_QUERIES = 64,
    TILE_KEYS = 512,
};

struct attention {
    struct attention_shape shape;
    struct gemm *gemm;
    size_t n_rep;   /* query heads of a group */
    size_t n_query; /* queries of a tile */
    size_t stride;  /* floats of a row of qkv */
    /* One slice a worker: q, out, dout, dq, score, dp, row sums. */
    float *scratch;
    size_t scratch_size;
    size_t n_worker;
    size_t *tile; /* [cap_tile][2]: first query of the tile, its document */
    size_t cap_tile;
};

/* A worker's slice, in parts. R = n_query * n_rep rows, head after head. */
struct slice {
    float *q, *out, *dout, *dq; /* [R][head_dim] */
    float *score, *dp;          /* [R][TILE_KEYS] */
    float *top, *sum, *delta;   /* [R] */
};

/* What a pool task needs. */
struct job {
    struct attention *attention;
    const struct attention_documents *document;
    const float *qkv, *out_in, *dout;
    const float *lse_in;
    float *out, *lse, *dqkv;
};

/* A block of queries of one group: rows are head-major. */
struct block {
    size_t first; /* token of the first query */
    size_t n;     /* queries */
    size_t begin; /* first token of the document */
    size_t group; /* kv head */
};

static size_t rows_of(const struct attention *a)
{
    return a->n_query * a->n_rep;
}

static size_t slice_floats(const struct attention *a)
{
    const size_t r = rows_of(a);

    return r * (4 * a->shape.head_dim + 2 * TILE_KEYS + 4);
}

static struct slice slice_of(const struct attention *a, int worker)
{
    const size_t r = rows_of(a), vectors = r * a->shape.head_dim;
    float *const at = a->scratch + (size_t)worker * slice_floats(a);
    struct slice s = {.score = at, .dp = at + r * TILE_KEYS};

    s.q = s.dp + r * TILE_KEYS;
    s.out = s.q + vectors;
    s.dout = s.out + vectors;
    s.dq = s.dout + vectors;
    s.top = s.dq + vectors;
    s.sum = s.top + r;
    s.delta = s.sum + r;
    return s;
}

struct attention *attention_new(const struct attention_shape *shape,
                                struct gemm *gemm, struct oy_error *err)
{
    struct attention *const a = oy_calloc(1, sizeof *a);
    const int n_worker = gemm_pool(gemm) ? oy_pool_size(gemm_pool(gemm)) : 1;

    a->shape = *shape;
    a->gemm = gemm;
    a->n_rep = shape->n_head / shape->n_kv_head;
    a->n_query = TILE_ROWS / a->n_rep;
    if (a->n_query > TILE_QUERIES)
        a->n_query = TILE_QUERIES;
    if (a->n_query < 16)
        a->n_query = 16;
    a->stride = (shape->n_head + 2 * shape->n_kv_head) * shape->head_dim;
    a->n_worker = (size_t)n_worker;
    a->scratch_size = a->n_worker * slice_floats(a) * sizeof(float);
    a->scratch = oy_try_alloc(a->n_worker * slice_floats(a), sizeof(float));
    if (!a->scratch) {
        oy_fail(err, OY_SYSTEM, "no memory for attention tiles");
        attention_free(a);
        return NULL;
    }
    return a;
}

void attention_free(struct attention *attention)
{
    if (!attention)
        return;
    oy_free(attention->scratch);
    oy_free(attention->tile);
    oy_free(attention);
}

size_t attention_memory(const struct attention *attention)
{
    return attention->scratch_size;
}

/* Copies the heads of a group between token-major rows and a tile. */
static void gather(const struct attention *a, const struct block *b,
                   const float *rows, size_t stride, float *tile)
{
    const size_t d = a->shape.head_dim;

    for (size_t h = 0; h < a->n_rep; h++) {
        const float *from =
            rows + b->first * stride + (b->group * a->n_rep + h) * d;
        for (size_t i = 0; i < b->n; i++, from += stride, tile += d)
            memcpy(tile, from, d * sizeof *tile);
    }
}

static void scatter(const struct attention *a, const struct block *b,
                    const float *tile, size_t stride, float *rows)
{
    const size_t d = a->shape.head_dim;

    for (size_t h = 0; h < a->n_rep; h++) {
        float *to = rows + b->first * stride + (b->group * a->n_rep + h) * d;
        for (size_t i = 0; i < b->n; i++, to += stride, tile += d)
            memcpy(to, tile, d * sizeof *tile);
    }
}

/* Where a token's key and value of a group lie in qkv or dqkv. */
static size_t key_at(const struct attention *a, size_t token, size_t group)
{
    return token * a->stride + (a->shape.n_head + group) * a->shape.head_dim;
}

static size_t value_at(const struct attention *a, size_t token, size_t group)
{
    return key_at(a, token, group) + a->shape.n_kv_head * a->shape.head_dim;
}

/* How many of the n_key keys from `key` on row i of a block may see. */
static size_t visible(const struct block *b, size_t row, size_t key,
                      size_t n_key)
{
    const size_t query = b->first + row % b->n;

    if (query < key)
        return 0;
    return query - key + 1 < n_key ? query - key + 1 : n_key;
}

/* Softmax of one tile row against what was seen before: the score row
 * becomes weights, the row's output so far is scaled to the new maximum. */
static void fold_row(const struct slice *s, size_t row, size_t n_key,
                     size_t n_seen, size_t head_dim)
{
    float *const score = s->score + row * n_key;
    float top;

    memset(score + n_seen, 0, (n_key - n_seen) * sizeof *score);
    if (n_seen == 0)
        return;
    top = rows_max(score, n_seen);
    if (s->sum[row] > 0.0f) {
        if (s->top[row] > top)
            top = s->top[row];
        const float shrink = rows_exp1(s->top[row] - top);
        s->sum[row] *= shrink;
        rows_scale(s->out + row * head_dim, head_dim, shrink);
    }
    s->top[row] = top;
    s->sum[row] += rows_exp(score, n_seen, top);
}

static void forward_keys(const struct job *job, const struct block *b,
                         const struct slice *s, size_t key, size_t n_key)
{
    const struct attention *const a = job->attention;
    const size_t d = a->shape.head_dim, n_row = b->n * a->n_rep;
    const float scale = 1.0f / sqrtf((float)d);
    const int first = key == b->begin;

    gemm_small_nt(a->gemm, n_row, n_key, d, scale, s->q, d,
                  job->qkv + key_at(a, key, b->group), a->stride, 0.0f,
                  s->score, n_key);
    for (size_t i = 0; i < n_row; i++)
        fold_row(s, i, n_key, visible(b, i, key, n_key), d);
    gemm_small_nn(a->gemm, n_row, d, n_key, 1.0f, s->score, n_key,
                  job->qkv + value_at(a, key, b->group), a->stride,
                  first ? 0.0f : 1.0f, s->out, d);
}

static void forward_block(const struct job *job, const struct block *b,
                          const struct slice *s)
{
    const struct attention *const a = job->attention;
    const size_t d = a->shape.head_dim, n_row = b->n * a->n_rep;
    const size_t end = b->first + b->n;

    gather(a, b, job->qkv, a->stride, s->q);
    memset(s->sum, 0, n_row * sizeof *s->sum);
    for (size_t key = b->begin; key < end; key += TILE_KEYS)
        forward_keys(job, b, s, key,
                     end - key < TILE_KEYS ? end - key : TILE_KEYS);
    for (size_t i = 0; i < n_row; i++) {
        const size_t head = b->group * a->n_rep + i / b->n;
        rows_scale(s->out + i * d, d, 1.0f / s->sum[i]);
        job->lse[(b->first + i % b->n) * a->shape.n_head + head] =
            s->top[i] + rows_log1(s->sum[i]);
    }
    scatter(a, b, s->out, a->shape.n_head * d, job->out);
}

static void forward_task(void *arg, size_t task, int worker)
{
    const struct job *const job = arg;
    const struct attention *const a = job->attention;
    const size_t *const tile = a->tile + 2 * (task / a->shape.n_kv_head);
    const size_t *const first = job->document->first + tile[1];
    const struct slice s = slice_of(a, worker);
    struct block b = {.first = tile[0],
                      .n = a->n_query,
                      .begin = first[0],
                      .group = task % a->shape.n_kv_head};

    if (b.n > first[1] - b.first)
        b.n = first[1] - b.first;
    forward_block(job, &b, &s);
}

/* Lists the query tiles of all documents, the longest rows of work first
 * within a document: threads end together. */
static size_t list_tiles(struct attention *a,
                         const struct attention_documents *document)
{
    size_t n = 0;

    for (size_t i = 0; i < document->n; i++) {
        const size_t begin = document->first[i];
        const size_t len = document->first[i + 1] - begin;
        const size_t n_tile = (len + a->n_query - 1) / a->n_query;
        OY_GROW(a->tile, a->cap_tile, 2 * (n + n_tile));
        for (size_t j = n_tile; j-- > 0; n++) {
            a->tile[2 * n] = begin + j * a->n_query;
            a->tile[2 * n + 1] = i;
        }
    }
    return n;
}

/* So many products of all that a query sees, by each head's; q, k, v and as
 * much as q again for each of them are moved. */
static void book(const struct attention *a,
                 const struct attention_documents *document,
                 enum profile_kernel kernel, int n_product)
{
    const double heads = (double)(a->shape.n_head * a->shape.head_dim);
    double seen = 0;

    for (size_t i = 0; i < document->n; i++) {
        const double n = (double)(document->first[i + 1] - document->first[i]);
        seen += n * (n + 1) / 2;
    }
    const double rows = (double)(document->first[document->n]);
    profile_mark(
        gemm_profile(a->gemm), kernel, PEAK_F32, 2 * n_product * seen * heads,
        sizeof(float) * rows * ((double)a->stride + heads) * (n_product / 2));
}

void attention_forward(struct attention *attention,
                       const struct attention_documents *document,
                       const float *qkv, float *out, float *lse)
{
    struct job job = {.attention = attention,
                      .document = document,
                      .qkv = qkv,
                      .out = out,
                      .lse = lse};
    const size_t n_tile = list_tiles(attention, document);

    oy_pool_run(gemm_pool(attention->gemm), n_tile * attention->shape.n_kv_head,
                forward_task, &job);
    book(attention, document, PROFILE_ATTENTION, 2);
}

/* The scores of a tile become weights, dp becomes the scores' gradient. */
static void backward_rows(const struct job *job, const struct block *b,
                          const struct slice *s, size_t key, size_t n_key)
{
    const struct attention *const a = job->attention;
    const float scale = 1.0f / sqrtf((float)a->shape.head_dim);

    for (size_t i = 0; i < b->n * a->n_rep; i++) {
        float *const score = s->score + i * n_key;
        float *const dp = s->dp + i * n_key;
        const size_t n = visible(b, i, key, n_key);
        const size_t token = b->first + i % b->n;
        const size_t head = b->group * a->n_rep + i / b->n;
        rows_attention_gradient(score, dp, n,
                                job->lse_in[token * a->shape.n_head + head],
                                s->delta[i], scale);
        memset(score + n, 0, (n_key - n) * sizeof *score);
        memset(dp + n, 0, (n_key - n) * sizeof *dp);
    }
}

static void backward_keys(const struct job *job, const struct block *b,
                          const struct slice *s, size_t key, size_t n_key)
{
    const struct attention *const a = job->attention;
    const size_t d = a->shape.head_dim, n_row = b->n * a->n_rep;
    const float scale = 1.0f / sqrtf((float)d);
    const float *const k = job->qkv + key_at(a, key, b->group);
    float *const dk = job->dqkv + key_at(a, key, b->group);
    float *const dv = job->dqkv + value_at(a, key, b->group);

    gemm_small_nt(a->gemm, n_row, n_key, d, scale, s->q, d, k, a->stride, 0.0f,
                  s->score, n_key);
    gemm_small_nt(a->gemm, n_row, n_key, d, 1.0f, s->dout, d,
                  job->qkv + value_at(a, key, b->group), a->stride, 0.0f, s->dp,
                  n_key);
    backward_rows(job, b, s, key, n_key);
    gemm_small_tn(a->gemm, n_key, d, n_row, 1.0f, s->score, n_key, s->dout, d,
                  1.0f, dv, a->stride);
    gemm_small_tn(a->gemm, n_key, d, n_row, 1.0f, s->dp, n_key, s->q, d, 1.0f,
                  dk, a->stride);
    gemm_small_nn(a->gemm, n_row, d, n_key, 1.0f, s->dp, n_key, k, a->stride,
                  key == b->begin ? 0.0f : 1.0f, s->dq, d);
}

static void backward_block(const struct job *job, const struct block *b,
                           const struct slice *s)
{
    const struct attention *const a = job->attention;
    const size_t d = a->shape.head_dim, out_stride = a->shape.n_head * d;
    const size_t end = b->first + b->n;

    gather(a, b, job->qkv, a->stride, s->q);
    gather(a, b, job->out_in, out_stride, s->out);
    gather(a, b, job->dout, out_stride, s->dout);
    for (size_t i = 0; i < b->n * a->n_rep; i++)
        s->delta[i] = rows_dot(s->out + i * d, s->dout + i * d, d);
    for (size_t key = b->begin; key < end; key += TILE_KEYS)
        backward_keys(job, b, s, key,
                      end - key < TILE_KEYS ? end - key : TILE_KEYS);
    scatter(a, b, s->dq, a->stride, job->dqkv);
}

/* Gradients of keys and values are summed over all queries of the document,
 * so the document is the task: nobody else writes there. */
static void backward_task(void *arg, size_t task, int worker)
{
    const struct job *const job = arg;
    const struct attention *const a = job->attention;
    const size_t n_kv = a->shape.n_kv_head, group = task % n_kv;
    const size_t *const first = job->document->first + task / n_kv;
    const size_t width = a->shape.head_dim * sizeof(float);
    const struct slice s = slice_of(a, worker);

    for (size_t t = first[0]; t < first[1]; t++) {
        memset(job->dqkv + key_at(a, t, group), 0, width);
        memset(job->dqkv + value_at(a, t, group), 0, width);
    }
    for (size_t at = first[0]; at < first[1]; at += a->n_query) {
        struct block b = {
            .first = at, .n = a->n_query, .begin = first[0], .group = group};
        if (b.n > first[1] - at)
            b.n = first[1] - at;
        backward_block(job, &b, &s);
    }
}

void attention_backward(struct attention *attention,
                        const struct attention_documents *document,
                        const float *qkv, const float *out, const float *lse,
                        const float *dout, float *dqkv)
{
    struct job job = {.attention = attention,
                      .document = document,
                      .qkv = qkv,
                      .out_in = out,
                      .lse_in = lse,
                      .dout = dout,
                      .dqkv = dqkv};

    oy_pool_run(gemm_pool(attention->gemm),
                document->n * attention->shape.n_kv_head, backward_task, &job);
    book(attention, document, PROFILE_ATTENTION_BACK, 5);
}

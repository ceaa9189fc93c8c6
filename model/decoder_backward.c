/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder's way back, from the last layer to the embedding.
 *
 * dx is the gradient of the residual stream; each half of a layer adds its
 * own to it. Each product Y = X W^T gives dW += dY^T X and dX = dY W.
 */
#include <string.h>

#include "model/decoder_internal.h"
#include "model/rows.h"

/* A half's norm on the way back. */
struct norm_job {
    struct decoder *decoder;
    struct decoder_norm norm;
    const float *stream; /* the norm's input */
    const float *rstd;
    float *gate_up; /* of the FFN */
};

/* The gradient of the product in front of the hidden layer from that of the
 * hidden layer; hidden and the norm's output come back as inputs of the weight
 * gradients. */
static void hidden_back(void *arg, size_t from, size_t to)
{
    const struct norm_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t n = (size_t)d->layout->config.n_hidden;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t t = from; t < to; t++) {
        decoder_hidden_row_back(&d->layout->config, d->hidden + t * n,
                                job->gate_up + t * d->up_dim);
        decoder_norm_again(&job->norm, d->norm + t * dim, job->stream + t * dim,
                           job->rstd[t]);
    }
}

/* The stream's gradient takes up the half's, through its norm. */
static void norm_back(void *arg, size_t from, size_t to, float *lane)
{
    const struct norm_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t t = from; t < to; t++)
        decoder_norm_row_back(&job->norm, d->dx + t * dim, lane,
                              d->sum + t * dim, job->stream + t * dim,
                              job->rstd[t]);
}

/* Of all rows; the gradients of the norm's weights are taken up too. */
static void run_norm_back(struct norm_job *job, float *gradient)
{
    struct decoder *const d = job->decoder;
    const struct decoder_config *const c = &d->layout->config;
    const size_t n = d->batch.n_token;

    decoder_lanes(d, n, decoder_norm_lane(c), norm_back, job);
    decoder_norm_take(&job->norm, d->lane, gradient);
    decoder_mark(d, PROFILE_NORM_BACK, 4 * n * (size_t)c->dim);
}

/* The input of the half's products once more. */
static void norm_again(void *arg, size_t from, size_t to)
{
    const struct norm_job *const job = arg;
    const size_t dim = (size_t)job->decoder->layout->config.dim;

    for (size_t t = from; t < to; t++)
        decoder_norm_again(&job->norm, job->decoder->norm + t * dim,
                           job->stream + t * dim, job->rstd[t]);
}

/* sum = the gradient of the half's input, from dx. */
static void mlp_back(struct decoder *d, const float *weights, float *gradient,
                     int i, struct norm_job *job)
{
    const struct layer_layout *const at = &d->layout->layer[i];
    struct decoder_layer *const l = &d->layer[i];
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const size_t n_hidden = (size_t)d->layout->config.n_hidden;

    decoder_bias_back(d, d->dx, dim, gradient, at->down_bias);
    gemm_nn(d->gemm, n, n_hidden, dim, d->dx, dim, weights + at->down, n_hidden,
            d->hidden, n_hidden, 0);
    decoder_rows(d, n, hidden_back, job);
    decoder_mark(d, PROFILE_ACTIVATION_BACK,
                 2 * n * (d->up_dim + n_hidden + dim));
    gemm_tn(d->gemm, dim, n_hidden, n, d->dx, dim, d->hidden, n_hidden,
            gradient + at->down, n_hidden);
    decoder_bias_back(d, l->gate_up, d->up_dim, gradient, at->gate_up_bias);
    gemm_tn(d->gemm, d->up_dim, dim, n, l->gate_up, d->up_dim, d->norm, dim,
            gradient + at->gate_up, dim);
    gemm_nn(d->gemm, n, dim, d->up_dim, l->gate_up, d->up_dim,
            weights + at->gate_up, dim, d->sum, dim, 0);
}

static void feed_forward_back(struct decoder *d, const float *weights,
                              float *gradient, int i, double balance_scale)
{
    const struct layer_layout *const at = &d->layout->layer[i];
    const size_t dim = (size_t)d->layout->config.dim;
    struct decoder_layer *const l = &d->layer[i];
    struct norm_job job = {
        .decoder = d,
        .stream = l->mid,
        .rstd = l->mid_rstd,
        .norm = decoder_norm_at(d, weights, at->post_norm, at->post_norm_bias),
        .gate_up = l->gate_up};

    if (config_block(&d->layout->config, i)->ffn == FFN_MOE) {
        decoder_rows(d, d->batch.n_token, norm_again, &job);
        decoder_mark(d, PROFILE_NORM_BACK, 2 * d->batch.n_token * dim);
        decoder_feed_experts_back(d, weights, gradient, i, balance_scale);
    } else {
        mlp_back(d, weights, gradient, i, &job);
    }
    run_norm_back(&job, gradient);
}

/* The rotation and q/k norm on the way back, in dqkv in place. */
struct unrotate_job {
    struct decoder *decoder;
    const float *raw; /* qkv before the norm, with has_qk_norm */
    const float *q_norm, *k_norm;
    const struct norm_job *norm;
};

/* Gradient of one head through its norm. lane: dq_norm, dk_norm, two rows of
 * scratch. */
static void head_norm_back(const struct unrotate_job *job, float *dhead,
                           const float *raw, int is_key, float *lane)
{
    const struct decoder_config *const c = &job->decoder->layout->config;
    const size_t n = (size_t)c->head_dim;
    const float *const weight = is_key ? job->k_norm : job->q_norm;
    float *const unused = lane + 2 * n, *const dx = lane + 3 * n;
    const float rstd = rows_rms_norm(unused, raw, weight, n, c->norm_eps);

    memset(dx, 0, n * sizeof *dx);
    rows_rms_norm_backward(dx, is_key ? lane + n : lane, dhead, raw, weight, n,
                           rstd);
    memcpy(dhead, dx, n * sizeof *dx);
}

static void unrotate_rows(void *arg, size_t from, size_t to, float *lane)
{
    const struct unrotate_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const struct decoder_config *const c = &d->layout->config;
    const size_t n = (size_t)c->head_dim, dim = (size_t)c->dim;
    const int n_turned = decoder_has_rope(c) ? c->n_head + c->n_kv_head : 0;

    for (size_t t = from; t < to; t++) {
        const size_t angle = d->position[t] * n / 2;
        for (int h = 0; h < n_turned; h++) {
            const size_t at = t * d->qkv_dim + (size_t)h * n;
            rows_rope(d->dqkv + at, d->cosine + angle, d->sine + angle, n, -1);
            if (c->has_qk_norm)
                head_norm_back(job, d->dqkv + at, job->raw + at, h >= c->n_head,
                               lane);
        }
        decoder_norm_again(&job->norm->norm, d->norm + t * dim,
                           job->norm->stream + t * dim, job->norm->rstd[t]);
    }
}

static void unrotate(struct decoder *d, const float *weights, float *gradient,
                     int i, const struct norm_job *norm)
{
    const struct layer_layout *const at = &d->layout->layer[i];
    const int has_norm = d->layout->config.has_qk_norm;
    const size_t head_dim = (size_t)d->layout->config.head_dim;
    struct unrotate_job job = {.decoder = d,
                               .raw = d->layer[i].qkv,
                               .norm = norm,
                               .q_norm = has_norm ? weights + at->q_norm : NULL,
                               .k_norm =
                                   has_norm ? weights + at->k_norm : NULL};

    decoder_lanes(d, d->batch.n_token, 4 * head_dim, unrotate_rows, &job);
    decoder_mark(d, PROFILE_ROTATION_BACK,
                 2 * d->batch.n_token *
                     (d->qkv_dim + (size_t)d->layout->config.dim));
    if (!has_norm)
        return;
    rows_add(gradient + at->q_norm, d->lane, head_dim);
    rows_add(gradient + at->k_norm, d->lane + head_dim, head_dim);
}

static void attend_back(struct decoder *d, const float *weights,
                        float *gradient, int i)
{
    const struct layer_layout *const at = &d->layout->layer[i];
    struct decoder_layer *const l = &d->layer[i];
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const struct attention_documents documents = {d->batch.n_document,
                                                  d->batch.first};
    struct norm_job job = {.decoder = d,
                           .stream = l->x,
                           .rstd = l->x_rstd,
                           .norm = decoder_norm_at(d, weights, at->input_norm,
                                                   at->input_norm_bias)};
    const float *rotated = l->qkv;

    decoder_bias_back(d, d->dx, dim, gradient, at->o_bias);
    gemm_tn(d->gemm, dim, d->out_dim, n, d->dx, dim, l->out, d->out_dim,
            gradient + at->o, d->out_dim);
    gemm_nn(d->gemm, n, d->out_dim, dim, d->dx, dim, weights + at->o,
            d->out_dim, d->sum, d->out_dim, 0);
    if (d->layout->config.has_qk_norm) {
        decoder_rotate(d, weights, i, d->rotated);
        rotated = d->rotated;
    }
    attention_backward(d->attention, &documents, rotated, l->out, l->lse,
                       d->sum, d->dqkv);
    unrotate(d, weights, gradient, i, &job);
    decoder_bias_back(d, d->dqkv, d->qkv_dim, gradient, at->qkv_bias);
    gemm_tn(d->gemm, d->qkv_dim, dim, n, d->dqkv, d->qkv_dim, d->norm, dim,
            gradient + at->qkv, dim);
    gemm_nn(d->gemm, n, dim, d->qkv_dim, d->dqkv, d->qkv_dim, weights + at->qkv,
            dim, d->sum, dim, 0);
    run_norm_back(&job, gradient);
}

/* Columns of the embedding that one task adds up: tasks never meet. */
enum { EMBEDDING_COLUMNS = 64 };

struct embedding_job {
    const struct decoder *decoder;
    float *gradient;  /* [n_vocab][dim] */
    float *positions; /* [max_position][dim], or NULL */
};

static void embedding_back(void *arg, size_t tile, int worker)
{
    const struct embedding_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;
    const size_t from = tile * EMBEDDING_COLUMNS;
    const size_t n =
        dim - from < EMBEDDING_COLUMNS ? dim - from : EMBEDDING_COLUMNS;

    (void)worker;
    for (size_t t = 0; t < d->batch.n_token; t++) {
        const float *const dx = d->dx + t * dim + from;
        rows_add(job->gradient + (size_t)d->batch.id[t] * dim + from, dx, n);
        if (job->positions)
            rows_add(job->positions + d->position[t] * dim + from, dx, n);
    }
}

void decoder_backward(struct decoder *decoder, const float *weights,
                      float *gradient, double balance_scale)
{
    const struct decoder_config *const c = &decoder->layout->config;
    struct embedding_job job = {decoder, gradient + decoder->layout->embedding,
                                NULL};

    if (c->has_positions)
        job.positions = gradient + decoder->layout->positions;
    for (int i = c->n_layer; i-- > 0;) {
        feed_forward_back(decoder, weights, gradient, i, balance_scale);
        attend_back(decoder, weights, gradient, i);
    }
    oy_pool_run(gemm_pool(decoder->gemm),
                ((size_t)c->dim + EMBEDDING_COLUMNS - 1) / EMBEDDING_COLUMNS,
                embedding_back, &job);
    decoder_mark(decoder, PROFILE_EMBEDDING,
                 3 * decoder->batch.n_token * (size_t)c->dim);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the decoder that families have in two forms: the norm of a row
 * (RMSNorm, LayerNorm), the hidden layer (SwiGLU, GELU), and biases, which
 * some have and some have not. */
#include <string.h>

#include "model/decoder_internal.h"
#include "model/rows.h"

/* ---- norms ---- */

struct decoder_norm decoder_norm_at(const struct decoder *decoder,
                                    const float *weights, size_t weight,
                                    size_t bias)
{
    return (struct decoder_norm){
        .config = &decoder->layout->config,
        .weight_at = weight,
        .bias_at = bias,
        .weight = weights + weight,
        .bias = bias == SIZE_MAX ? NULL : weights + bias,
    };
}

float decoder_norm_row(const struct decoder_norm *norm, float *y,
                       const float *x)
{
    const struct decoder_config *const c = norm->config;

    if (c->norm == NORM_RMS)
        return rows_rms_norm(y, x, norm->weight, (size_t)c->dim, c->norm_eps);
    rows_layer_norm(y, x, norm->weight, norm->bias, (size_t)c->dim,
                    c->norm_eps);
    return 0;
}

void decoder_norm_again(const struct decoder_norm *norm, float *y,
                        const float *x, float rstd)
{
    if (norm->config->norm == NORM_RMS)
        rows_rms_apply(y, x, norm->weight, (size_t)norm->config->dim, rstd);
    else
        decoder_norm_row(norm, y, x);
}

void decoder_norm_row_back(const struct decoder_norm *norm, float *dx,
                           float *lane, const float *dy, const float *x,
                           float rstd)
{
    const size_t dim = (size_t)norm->config->dim;

    if (norm->config->norm == NORM_RMS)
        rows_rms_norm_backward(dx, lane, dy, x, norm->weight, dim, rstd);
    else
        rows_layer_norm_backward(dx, lane, norm->bias ? lane + dim : NULL, dy,
                                 x, norm->weight, dim, norm->config->norm_eps);
}

size_t decoder_norm_lane(const struct decoder_config *config)
{
    return (size_t)config->dim * (config->norm == NORM_LAYER ? 2 : 1);
}

void decoder_norm_take(const struct decoder_norm *norm, const float *lane,
                       float *gradient)
{
    const size_t dim = (size_t)norm->config->dim;

    rows_add(gradient + norm->weight_at, lane, dim);
    if (norm->bias)
        rows_add(gradient + norm->bias_at, lane + dim, dim);
}

/* ---- biases ---- */

struct bias_job {
    float *y;
    const float *dy;
    size_t n;
    const float *bias;
};

static void add_bias(void *arg, size_t from, size_t to)
{
    const struct bias_job *const job = arg;

    for (size_t t = from; t < to; t++)
        rows_add(job->y + t * job->n, job->bias, job->n);
}

void decoder_add_bias(struct decoder *decoder, float *y, size_t n,
                      const float *weights, size_t bias)
{
    struct bias_job job = {.y = y, .n = n};

    if (bias == SIZE_MAX)
        return;
    job.bias = weights + bias;
    decoder_rows(decoder, decoder->batch.n_token, add_bias, &job);
    decoder_mark(decoder, PROFILE_BIAS, 2 * decoder->batch.n_token * n);
}

static void sum_rows(void *arg, size_t from, size_t to, float *lane)
{
    const struct bias_job *const job = arg;

    for (size_t t = from; t < to; t++)
        rows_add(lane, job->dy + t * job->n, job->n);
}

void decoder_bias_back(struct decoder *decoder, const float *dy, size_t n,
                       float *gradient, size_t bias)
{
    struct bias_job job = {.dy = dy, .n = n};

    if (bias == SIZE_MAX)
        return;
    decoder_lanes(decoder, decoder->batch.n_token, n, sum_rows, &job);
    rows_add(gradient + bias, decoder->lane, n);
    decoder_mark(decoder, PROFILE_BIAS, decoder->batch.n_token * n);
}

/* ---- the hidden layer ---- */

int decoder_is_gated(const struct decoder_config *config)
{
    return config_block(config, 0)->ffn != FFN_PLAIN;
}

size_t decoder_up_dim(const struct decoder_config *config)
{
    return (size_t)config->n_hidden * (decoder_is_gated(config) ? 2 : 1);
}

void decoder_hidden_row(const struct decoder_config *config, float *hidden,
                        const float *up)
{
    const size_t n = (size_t)config->n_hidden;

    if (decoder_is_gated(config)) {
        rows_swiglu(hidden, up, up + n, n);
        return;
    }
    memcpy(hidden, up, n * sizeof *hidden);
    rows_gelu_tanh(hidden, n);
}

void decoder_hidden_row_back(const struct decoder_config *config, float *hidden,
                             float *up)
{
    const size_t n = (size_t)config->n_hidden;

    if (decoder_is_gated(config))
        rows_swiglu_backward(hidden, up, up + n, hidden, up, up + n, n);
    else
        rows_gelu_tanh_backward(hidden, up, hidden, up, n);
}

int decoder_has_rope(const struct decoder_config *config)
{
    return config_block(config, 0)->rope != ROPE_NONE;
}

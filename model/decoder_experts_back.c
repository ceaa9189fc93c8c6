/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder's layers with experts on the way back.
 *
 * A slot's output is w f(x), with w the router's weight and f(x) = D h. From
 * the gradient dy of the layer's output come dh = D^T dy and, without f(x)
 * itself, dw = dy . D h = dh . h; the weight is then put on h and on the
 * gradient of gate and up, and every product is that of a plain MLP. Weights
 * are shares of the router's probabilities p, and p a softmax.
 */
#include <string.h>

#include "model/decoder_internal.h"
#include "model/rows.h"

/* The gradient's place of what `weight` is in an arena of weights. */
static float *same_place(float *gradient, const float *weights,
                         const float *weight)
{
    return gradient + (weight - weights);
}

/* ---- the router ---- */

/* dp += what the chosen experts' weights say, from their gradients dw. With
 * shares w_i = p_i / sum, dp_i = sum_j w_j (dw_i - dw_j) / sum: exactly zero
 * for one expert, whose share is always 1. */
static void share_back(const struct moe_config *moe, const int32_t *chosen,
                       const float *p, const float *dw, float *dp)
{
    const size_t k = (size_t)moe->n_used;
    const float scale = moe->scale != 0 ? moe->scale : 1;
    float sum = 0;

    for (size_t i = 0; i < k; i++)
        sum += p[chosen[i]];
    sum += 1e-20f; /* as moe_route() divides */
    for (size_t i = 0; i < k; i++) {
        float slope = dw[i];
        if (moe->is_normalised) {
            slope = 0;
            for (size_t j = 0; j < k; j++)
                slope += p[chosen[j]] / sum * (dw[i] - dw[j]);
            slope /= sum;
        }
        dp[chosen[i]] += scale * slope;
    }
}

/* The gradient of token t's scores, in place of the scores, from those of its
 * slots' weights, dw. */
static void route_back(const struct decoder_expert_job *job, size_t t,
                       float *dscore, const float *dw)
{
    const struct decoder_experts *const x = &job->layer->experts;
    const size_t n = (size_t)job->config->n_expert;
    const float *const p = x->p + t * n;

    for (size_t e = 0; e < n; e++)
        dscore[e] = job->aux_scale * x->pull[e];
    share_back(job->config, x->chosen + t * (size_t)job->config->n_used, p, dw,
               dscore);
    const float mean = rows_dot(p, dscore, n);
    for (size_t e = 0; e < n; e++)
        dscore[e] = p[e] * (dscore[e] - mean);
}

/* ---- hidden layers ---- */

/* From dh: h and the gradients of gate and up, all times `weight`; returns
 * that of the weight. */
static float hidden_back(float *hidden, const float *dhidden, float *gate,
                         size_t n, float weight)
{
    rows_swiglu_backward(hidden, gate, gate + n, dhidden, gate, gate + n, n);
    const float slope = rows_dot(dhidden, hidden, n);
    rows_scale(hidden, n, weight);
    rows_scale(gate, 2 * n, weight);
    return slope;
}

static void slots_back(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const struct decoder_experts *const x = &job->layer->experts;
    const size_t n = (size_t)job->config->n_hidden;
    const size_t k = (size_t)job->config->n_used;
    const size_t n_expert = (size_t)job->config->n_expert;

    for (size_t t = from; t < to; t++) {
        float *const dscore = d->score + t * MOE_SCORES * n_expert;
        float *const dw = dscore + n_expert;
        for (size_t i = 0; i < k; i++) {
            const size_t at = (size_t)x->place[t * k + i];
            dw[i] = hidden_back(d->hidden + at * n, d->dhidden + at * n,
                                job->layer->gate_up + at * 2 * n, n,
                                x->weight[t * k + i]);
        }
        route_back(job, t, dscore, dw);
    }
}

/* ---- the chosen ones ---- */

/* dh = dy D of each expert; its rows of dy are gathered. */
static void down_back(const struct decoder_expert_job *job)
{
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;
    const size_t n_hidden = (size_t)job->config->n_hidden;

    for (size_t e = 0; e < (size_t)job->config->n_expert; e++) {
        size_t at;
        const size_t n = decoder_expert_rows(job, e, &at);
        if (n > 0)
            gemm_nn(d->gemm, n, n_hidden, dim, d->gathered + at * dim, dim,
                    job->w.down + e * dim * n_hidden, n_hidden,
                    d->dhidden + at * n_hidden, n_hidden, 0);
    }
}

/* Gradients of each expert's matrices; the rows of dy give way to those of
 * dx. */
static void experts_back(const struct decoder_expert_job *job, float *down,
                         float *gate_up)
{
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;
    const size_t n_hidden = (size_t)job->config->n_hidden;
    const size_t width = 2 * n_hidden;

    for (size_t e = 0; e < (size_t)job->config->n_expert; e++) {
        size_t at;
        const size_t n = decoder_expert_rows(job, e, &at);
        float *const rows = d->gathered + at * dim;
        const float *const dup = job->layer->gate_up + at * width;
        if (n == 0)
            continue;
        gemm_tn(d->gemm, dim, n_hidden, n, rows, dim, d->hidden + at * n_hidden,
                n_hidden, down + e * dim * n_hidden, n_hidden);
        gemm_tn(d->gemm, width, dim, n, dup, width, d->answer + at * dim, dim,
                gate_up + e * width * dim, dim);
        gemm_nn(d->gemm, n, dim, width, dup, width,
                job->w.gate_up + e * width * dim, dim, rows, dim, 0);
    }
}

/* A token's gradient takes up those of its slots. */
static void scatter_rows(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t k = (size_t)job->config->n_used;
    const size_t dim = (size_t)d->layout->config.dim;
    const int32_t *const place = job->layer->experts.place;

    for (size_t i = from * k; i < to * k; i++)
        rows_add(d->sum + i / k * dim, d->gathered + (size_t)place[i] * dim,
                 dim);
}

/* ---- the shared expert ---- */

static void shared_rows_back(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const struct decoder_experts *const x = &job->layer->experts;
    const size_t n = (size_t)job->config->n_shared_hidden;

    for (size_t t = from; t < to; t++) {
        const float open = job->w.shared_expert_gate ? x->open[t] : 1;
        const float slope = hidden_back(d->hidden + t * n, d->dhidden + t * n,
                                        x->shared + t * 2 * n, n, open);
        if (job->w.shared_expert_gate)
            x->open[t] = slope * open * (1 - open);
    }
}

/* Of the vector that gates the shared expert. */
static void gate_back(void *arg, size_t from, size_t to, float *lane)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t t = from; t < to; t++) {
        const float slope = job->layer->experts.open[t];
        rows_add_scaled(lane, d->norm + t * dim, dim, slope);
        rows_add_scaled(d->sum + t * dim, job->w.shared_expert_gate, dim,
                        slope);
    }
}

static void shared_back(struct decoder_expert_job *job, const float *weights,
                        float *gradient)
{
    struct decoder *const d = job->decoder;
    const struct moe_weights *const w = &job->w;
    float *const dup = job->layer->experts.shared;
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const size_t n_hidden = (size_t)job->config->n_shared_hidden;
    const size_t width = 2 * n_hidden;

    gemm_nn(d->gemm, n, n_hidden, dim, d->dx, dim, w->shared_down, n_hidden,
            d->dhidden, n_hidden, 0);
    decoder_rows(d, n, shared_rows_back, job);
    decoder_mark(d, PROFILE_ACTIVATION_BACK, 6 * n * n_hidden);
    gemm_tn(d->gemm, dim, n_hidden, n, d->dx, dim, d->hidden, n_hidden,
            same_place(gradient, weights, w->shared_down), n_hidden);
    gemm_tn(d->gemm, width, dim, n, dup, width, d->norm, dim,
            same_place(gradient, weights, w->shared_gate_up), dim);
    gemm_nn(d->gemm, n, dim, width, dup, width, w->shared_gate_up, dim, d->sum,
            dim, 1);
    if (!w->shared_expert_gate)
        return;
    decoder_lanes(d, n, dim, gate_back, job);
    rows_add(same_place(gradient, weights, w->shared_expert_gate), d->lane,
             dim);
    decoder_mark(d, PROFILE_EXPERTS, 3 * n * dim);
}

void decoder_feed_experts_back(struct decoder *decoder, const float *weights,
                               float *gradient, int i, double aux_scale)
{
    struct decoder *const d = decoder;
    struct decoder_expert_job job = decoder_expert_job(d, weights, i);
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const size_t n_expert = (size_t)job.config->n_expert;
    const size_t stride = MOE_SCORES * n_expert;
    const size_t n_slot = n * (size_t)job.config->n_used;

    job.aux_scale = (float)aux_scale;
    decoder_gather(&job, d->dx, d->gathered);
    down_back(&job);
    decoder_rows(d, n, slots_back, &job);
    decoder_mark(d, PROFILE_ACTIVATION_BACK,
                 6 * n_slot * (size_t)job.config->n_hidden);
    decoder_gather(&job, d->norm, d->answer);
    experts_back(&job, same_place(gradient, weights, job.w.down),
                 same_place(gradient, weights, job.w.gate_up));
    gemm_tn(d->gemm, n_expert, dim, n, d->score, stride, d->norm, dim,
            same_place(gradient, weights, job.w.router), dim);
    gemm_nn(d->gemm, n, dim, n_expert, d->score, stride, job.w.router, dim,
            d->sum, dim, 0);
    decoder_rows(d, n, scatter_rows, &job);
    decoder_mark(d, PROFILE_EXPERTS, (n_slot + 2 * n) * dim);
    if (job.config->n_shared_hidden)
        shared_back(&job, weights, gradient);
}

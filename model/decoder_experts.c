/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder's layers with experts on the way forward, and how evenly their
 * routers spread tokens.
 */
#include <string.h>

#include "model/decoder_internal.h"
#include "model/rows.h"
#include "model/weights_mixed.h"

/* ---- memory ---- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t decoder_slots(const struct decoder *decoder)
{
    const struct decoder_config *const c = &decoder->layout->config;

    return config_has_experts(c) ? decoder->max_token * (size_t)c->moe.n_used
                                 : 0;
}

size_t decoder_experts_hidden(const struct decoder *decoder)
{
    const struct moe_config *const moe = &decoder->layout->config.moe;

    if (!decoder_slots(decoder))
        return 0;
    return larger(decoder_slots(decoder) * (size_t)moe->n_hidden,
                  decoder->max_token * (size_t)moe->n_shared_hidden);
}

static int32_t *take_ints(float *memory, size_t *at, size_t n)
{
    _Static_assert(sizeof(int32_t) == sizeof(float), "one block holds both");
    return (int32_t *)(void *)decoder_take(memory, at, n);
}

void decoder_plan_experts(const struct decoder *decoder,
                          struct decoder_layer *layer, float *memory,
                          size_t *at)
{
    const struct moe_config *const moe = &decoder->layout->config.moe;
    const size_t n = decoder->max_token, n_slot = decoder_slots(decoder);
    const size_t n_expert = (size_t)moe->n_expert;
    struct decoder_experts *const x = &layer->experts;

    layer->gate_up =
        decoder_take(memory, at, n_slot * 2 * (size_t)moe->n_hidden);
    x->p = decoder_take(memory, at, n * n_expert);
    x->weight = decoder_take(memory, at, n_slot);
    x->chosen = take_ints(memory, at, n_slot);
    x->place = take_ints(memory, at, n_slot);
    x->first = take_ints(memory, at, n_expert + 1);
    x->shared = decoder_take(memory, at, n * 2 * (size_t)moe->n_shared_hidden);
    x->open = decoder_take(memory, at, moe->has_shared_gate ? n : 0);
    x->pull = decoder_take(memory, at, n_expert);
}

/* ---- what both ways share ---- */

struct decoder_expert_job decoder_expert_job(struct decoder *decoder,
                                             const float *weights, int i)
{
    return (struct decoder_expert_job){
        .decoder = decoder,
        .layer = &decoder->layer[i],
        .config = &decoder->layout->config.moe,
        .w = weights_experts(decoder->layout, weights, i)};
}

struct gather_job {
    const struct decoder_expert_job *job;
    const float *from;
    float *to;
};

static void gather_rows(void *arg, size_t from, size_t to)
{
    const struct gather_job *const gather = arg;
    const struct decoder_expert_job *const job = gather->job;
    const size_t k = (size_t)job->config->n_used;
    const size_t dim = (size_t)job->decoder->layout->config.dim;
    const int32_t *const place = job->layer->experts.place;

    for (size_t i = from * k; i < to * k; i++)
        memcpy(gather->to + (size_t)place[i] * dim, gather->from + i / k * dim,
               dim * sizeof(float));
}

void decoder_gather(struct decoder_expert_job *job, const float *from,
                    float *to)
{
    struct gather_job gather = {job, from, to};

    struct decoder *const d = job->decoder;

    decoder_rows(d, d->batch.n_token, gather_rows, &gather);
    decoder_mark(d, PROFILE_EXPERTS,
                 2 * d->batch.n_token * (size_t)job->config->n_used *
                     (size_t)d->layout->config.dim);
}

size_t decoder_expert_rows(const struct decoder_expert_job *job, size_t e,
                           size_t *first)
{
    const int32_t *const at = job->layer->experts.first + e;

    *first = (size_t)at[0];
    return (size_t)(at[1] - at[0]);
}

/* ---- the router ---- */

static void route_rows(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder_experts *const x = &job->layer->experts;
    const size_t n = (size_t)job->config->n_expert;
    const size_t k = (size_t)job->config->n_used;

    for (size_t t = from; t < to; t++) {
        float *const score = job->decoder->score + t * MOE_SCORES * n;
        moe_route(job->config, &job->w, score, x->chosen + t * k,
                  x->weight + t * k);
        memcpy(x->p + t * n, score, n * sizeof *score);
    }
}

static void sum_probabilities(void *arg, size_t from, size_t to, float *lane)
{
    const struct decoder_expert_job *const job = arg;
    const size_t n = (size_t)job->config->n_expert;

    for (size_t t = from; t < to; t++)
        rows_add(lane, job->layer->experts.p + t * n, n);
}

static void route(struct decoder_expert_job *job)
{
    struct decoder *const d = job->decoder;
    const struct decoder_experts *const x = &job->layer->experts;
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const size_t n_expert = (size_t)job->config->n_expert;

    gemm_nt(d->gemm, n, n_expert, dim, d->norm, dim, job->w.router, dim,
            d->score, MOE_SCORES * n_expert, 0);
    decoder_rows(d, n, route_rows, job);
    moe_group(x->chosen, n * (size_t)job->config->n_used, n_expert, x->place,
              x->first);
    decoder_lanes(d, n, n_expert, sum_probabilities, job);
    memcpy(x->pull, d->lane, n_expert * sizeof *x->pull);
}

/* ---- the shared expert ---- */

static void shared_rows(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const size_t n = (size_t)job->config->n_shared_hidden;

    for (size_t t = from; t < to; t++) {
        const float *const gate = job->layer->experts.shared + t * 2 * n;
        rows_swiglu(job->decoder->hidden + t * n, gate, gate + n, n);
    }
}

static void open_rows(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;
    float *const open = job->layer->experts.open;

    for (size_t t = from; t < to; t++) {
        open[t] = rows_dot(d->norm + t * dim, job->w.shared_expert_gate, dim);
        rows_sigmoid(open + t, 1);
        rows_scale(d->sum + t * dim, dim, open[t]);
    }
}

static void feed_shared(struct decoder_expert_job *job)
{
    struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim, n = d->batch.n_token;
    const size_t n_hidden = (size_t)job->config->n_shared_hidden;

    gemm_nt(d->gemm, n, 2 * n_hidden, dim, d->norm, dim, job->w.shared_gate_up,
            dim, job->layer->experts.shared, 2 * n_hidden, 0);
    decoder_rows(d, n, shared_rows, job);
    decoder_mark(d, PROFILE_ACTIVATION, 3 * n * n_hidden);
    gemm_nt(d->gemm, n, dim, n_hidden, d->hidden, n_hidden, job->w.shared_down,
            n_hidden, d->sum, dim, 0);
    if (job->w.shared_expert_gate)
        decoder_rows(d, n, open_rows, job);
    decoder_mark(d, PROFILE_EXPERTS, 3 * n * dim);
}

/* ---- the chosen ones ---- */

static void hidden_slots(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const size_t n = (size_t)job->config->n_hidden;

    for (size_t i = from; i < to; i++) {
        const float *const gate = job->layer->gate_up + i * 2 * n;
        rows_swiglu(job->decoder->hidden + i * n, gate, gate + n, n);
    }
}

static void combine_rows(void *arg, size_t from, size_t to)
{
    const struct decoder_expert_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const struct decoder_experts *const x = &job->layer->experts;
    const size_t k = (size_t)job->config->n_used;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t t = from; t < to; t++) {
        float *const sum = d->sum + t * dim;
        if (!job->config->n_shared_hidden)
            memset(sum, 0, dim * sizeof *sum);
        for (size_t i = t * k; i < (t + 1) * k; i++)
            rows_add_scaled(sum, d->answer + (size_t)x->place[i] * dim, dim,
                            x->weight[i]);
    }
}

/* Each expert's product with its own rows. */
static void feed_each(const struct decoder_expert_job *job, int is_down)
{
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;
    const size_t n_hidden = (size_t)job->config->n_hidden;
    const size_t width = 2 * n_hidden;

    for (size_t e = 0; e < (size_t)job->config->n_expert; e++) {
        size_t at;
        const size_t n = decoder_expert_rows(job, e, &at);
        if (n == 0)
            continue;
        if (is_down)
            gemm_nt(d->gemm, n, dim, n_hidden, d->hidden + at * n_hidden,
                    n_hidden, job->w.down + e * dim * n_hidden, n_hidden,
                    d->answer + at * dim, dim, 0);
        else
            gemm_nt(d->gemm, n, width, dim, d->gathered + at * dim, dim,
                    job->w.gate_up + e * width * dim, dim,
                    job->layer->gate_up + at * width, width, 0);
    }
}

void decoder_feed_experts(struct decoder *decoder, const float *weights, int i)
{
    struct decoder_expert_job job = decoder_expert_job(decoder, weights, i);
    const size_t n = decoder->batch.n_token;
    const size_t n_slot = n * (size_t)job.config->n_used;

    route(&job);
    if (job.config->n_shared_hidden)
        feed_shared(&job);
    decoder_gather(&job, decoder->norm, decoder->gathered);
    feed_each(&job, 0);
    decoder_rows(decoder, n_slot, hidden_slots, &job);
    decoder_mark(decoder, PROFILE_ACTIVATION,
                 3 * n_slot * (size_t)job.config->n_hidden);
    feed_each(&job, 1);
    decoder_rows(decoder, n, combine_rows, &job);
    decoder_mark(decoder, PROFILE_EXPERTS,
                 (n_slot + n) * (size_t)decoder->layout->config.dim);
}

/* ---- the balance ---- */

/* The next layer with experts from i on; NULL behind the last. */
static struct decoder_experts *next_experts(struct decoder *d, int *i)
{
    const struct decoder_config *const c = &d->layout->config;

    while (*i < c->n_layer && config_block(c, *i)->ffn != FFN_MOE)
        ++*i;
    return *i < c->n_layer ? &d->layer[(*i)++].experts : NULL;
}

static double slots_of(const struct decoder_experts *x, size_t e)
{
    return (double)(x->first[e + 1] - x->first[e]);
}

/* Expert e where means run over each layer: n_token tokens. */
static void weigh_layers(struct decoder *d, size_t e, double weight)
{
    const double n = (double)d->batch.n_token;
    struct decoder_experts *x;

    for (int i = 0; (x = next_experts(d, &i));) {
        const double slope = weight * slots_of(x, e) / n / n;
        d->balance += slope * (double)x->pull[e];
        x->pull[e] = (float)slope;
    }
}

/* The same where they run over all. */
static void weigh_pool(struct decoder *d, size_t e, double weight)
{
    double n = 0, slots = 0, p = 0;
    struct decoder_experts *x;

    for (int i = 0; (x = next_experts(d, &i));) {
        n += (double)d->batch.n_token;
        slots += slots_of(x, e);
        p += (double)x->pull[e];
    }
    const double slope = weight * slots / n / n;
    d->balance += slope * p;
    for (int i = 0; (x = next_experts(d, &i));)
        x->pull[e] = (float)slope;
}

void decoder_weigh_balance(struct decoder *decoder)
{
    const struct moe_config *const moe = &decoder->layout->config.moe;
    const double weight = (double)moe->aux_weight * moe->n_expert;

    decoder->balance = 0;
    if (!decoder_slots(decoder) || decoder->batch.n_token == 0)
        return;
    for (size_t e = 0; e < (size_t)moe->n_expert; e++) {
        if (moe->aux_is_per_layer)
            weigh_layers(decoder, e, weight);
        else
            weigh_pool(decoder, e, weight);
    }
}

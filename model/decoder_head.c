/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder's head: cross-entropy and its gradient in chunks of tokens.
 *
 * For each chunk the product with the head gives logits, one pass over each
 * row turns them into losses and into their own gradient, two products take
 * that back to the head and to the final norm. The whole [tokens][vocabulary]
 * matrix never exists.
 */
#include <string.h>

#include "model/decoder_internal.h"
#include "model/rows.h"

struct head_job {
    struct decoder *decoder;
    const struct decoder_loss_options *options;
    double scale;
    int want_gradient;
    size_t from; /* first of the chunk, in decoder->valid */
    struct decoder_norm norm;
};

/* Collects the chunk's rows of the final norm. */
static void gather_rows(void *arg, size_t from, size_t to)
{
    const struct head_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t i = from; i < to; i++) {
        const size_t t = d->valid[job->from + i];
        decoder_norm_again(&job->norm, d->norm + i * dim, d->x_final + t * dim,
                           d->rstd_final[t]);
    }
}

/* Losses of one row; the logits become their gradient times scale. */
static void loss_of_row(const struct head_job *job, size_t t, float *logits)
{
    const struct decoder *const d = job->decoder;
    const size_t n = (size_t)d->layout->config.n_vocab;
    const double z = job->options->z_loss, e = job->options->label_smoothing;
    const size_t target = (size_t)d->batch.target[t];
    const double lse = rows_log_sum_exp(logits, n);
    const double nll = lse - logits[target];

    d->token_ce[t] = nll;
    d->token_loss[t] = nll + z * lse * lse;
    if (e != 0.0)
        d->token_loss[t] += e * (lse - rows_sum(logits, n) / (double)n - nll);
    if (!job->want_gradient)
        return;
    rows_softmax_gradient(logits, n, (float)lse,
                          (float)(job->scale * (1.0 + 2.0 * z * lse)),
                          (float)(job->scale * e / (double)n));
    logits[target] -= (float)(job->scale * (1.0 - e));
}

static void loss_rows(void *arg, size_t from, size_t to)
{
    const struct head_job *const job = arg;
    const size_t n = (size_t)job->decoder->layout->config.n_vocab;

    for (size_t i = from; i < to; i++)
        loss_of_row(job, job->decoder->valid[job->from + i],
                    job->decoder->logits + i * n);
}

/* From the gradient of normalised rows to that of the stream. */
static void norm_back(void *arg, size_t from, size_t to, float *lane)
{
    const struct head_job *const job = arg;
    const struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;

    for (size_t i = from; i < to; i++) {
        const size_t t = d->valid[job->from + i];
        decoder_norm_row_back(&job->norm, d->dx + t * dim, lane,
                              d->sum + i * dim, d->x_final + t * dim,
                              d->rstd_final[t]);
    }
}

static void chunk_back(struct head_job *job, const float *weights,
                       float *gradient, size_t n)
{
    struct decoder *const d = job->decoder;
    const struct weight_layout *const layout = d->layout;
    const size_t dim = (size_t)layout->config.dim;
    const size_t n_vocab = (size_t)layout->config.n_vocab;

    gemm_tn(d->gemm, n_vocab, dim, n, d->logits, n_vocab, d->norm, dim,
            gradient + layout->head, dim);
    gemm_nn(d->gemm, n, dim, n_vocab, d->logits, n_vocab,
            weights + layout->head, dim, d->sum, dim, 0);
    decoder_lanes(d, n, decoder_norm_lane(&layout->config), norm_back, job);
    decoder_norm_take(&job->norm, d->lane, gradient);
    decoder_mark(d, PROFILE_NORM_BACK, 4 * n * dim);
}

static void chunk_logits(struct head_job *job, const float *weights, size_t n)
{
    struct decoder *const d = job->decoder;
    const size_t dim = (size_t)d->layout->config.dim;
    const size_t n_vocab = (size_t)d->layout->config.n_vocab;

    job->norm = decoder_norm_at(d, weights, d->layout->final_norm,
                                d->layout->final_norm_bias);
    decoder_rows(d, n, gather_rows, job);
    decoder_mark(d, PROFILE_NORM, 2 * n * dim);
    gemm_nt(d->gemm, n, n_vocab, dim, d->norm, dim, weights + d->layout->head,
            dim, d->logits, n_vocab, 0);
}

void decoder_loss(struct decoder *decoder, const float *weights,
                  float *gradient, const struct decoder_loss_options *options,
                  double scale, struct decoder_sums *sums)
{
    const size_t dim = (size_t)decoder->layout->config.dim;
    struct head_job job = {.decoder = decoder,
                           .options = options,
                           .scale = scale,
                           .want_gradient = gradient != NULL};

    *sums = (struct decoder_sums){.n_target = decoder->n_valid};
    if (gradient)
        memset(decoder->dx, 0,
               decoder->batch.n_token * dim * sizeof *decoder->dx);
    while (job.from < decoder->n_valid) {
        const size_t left = decoder->n_valid - job.from;
        const size_t n = left < decoder->chunk ? left : decoder->chunk;
        chunk_logits(&job, weights, n);
        decoder_rows(decoder, n, loss_rows, &job);
        decoder_mark(decoder, PROFILE_LOSS,
                     2 * n * (size_t)decoder->layout->config.n_vocab);
        if (gradient)
            chunk_back(&job, weights, gradient, n);
        job.from += n;
    }
    for (size_t i = 0; i < decoder->n_valid; i++) {
        sums->ce += decoder->token_ce[decoder->valid[i]];
        sums->loss += decoder->token_loss[decoder->valid[i]];
    }
}

void decoder_logits(struct decoder *decoder, const float *weights, size_t from,
                    size_t n, float *logits)
{
    const struct weight_layout *const layout = decoder->layout;
    const size_t dim = (size_t)layout->config.dim;
    const size_t n_vocab = (size_t)layout->config.n_vocab;

    const struct decoder_norm norm = decoder_norm_at(
        decoder, weights, layout->final_norm, layout->final_norm_bias);

    OY_ASSERT(from + n <= decoder->batch.n_token);
    for (size_t t = from; t < from + n; t++)
        decoder_norm_again(&norm, decoder->norm + t * dim,
                           decoder->x_final + t * dim, decoder->rstd_final[t]);
    gemm_nt(decoder->gemm, n, n_vocab, dim, decoder->norm + from * dim, dim,
            weights + layout->head, dim, logits, n_vocab, 0);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lightning attention, a task for each piece and head. */
#include "model/lightning.h"

#include <math.h>

#include "model/rows.h"

enum { ROWS_OF_TASK = 8 };

/* The class's default, whatever rms_norm_eps says (transformers,
 * modeling_minimax.py, MiniMaxLightningAttention). */
static const float norm_eps = 1e-6f;

struct pass {
    const struct lightning_job *job;
    float *qkv;   /* [row][n_head][3][head_dim] */
    float *gate;  /* [row][n_head head_dim] */
    float *decay; /* [n_head] */
};

size_t lightning_state(size_t n_head, size_t head_dim)
{
    return n_head * head_dim * head_dim;
}

/* The peer rounds each factor to float; so do we. */
float lightning_decay(const struct lightning_job *job, size_t head)
{
    const float base = (float)(1 / pow(2, 8.0 / (double)job->n_head));
    const float rate = (float)pow((double)base, (double)(head + 1));
    const double factor = 1 - job->layer / (job->n_layer - 1 + 1e-5) + 1e-5;

    return (float)exp(-(double)(rate * (float)factor));
}

static void run_head(void *arg, size_t task, int worker)
{
    const struct pass *pass = arg;
    const struct lightning_job *job = pass->job;
    const size_t dim = job->head_dim, n_head = job->n_head;
    const size_t head = task % n_head, piece = task / n_head;
    const size_t first = job->piece[piece].first;

    (void)worker;
    for (size_t row = first; row < first + job->piece[piece].n; row++) {
        const size_t at = row * n_head + head;
        float *q = pass->qkv + at * 3 * dim;
        const struct rows_memory memory = {.state = job->piece[piece].state +
                                                    head * dim * dim,
                                           .n_key = dim,
                                           .n_value = dim,
                                           .q = q,
                                           .k = q + dim,
                                           .v = q + 2 * dim,
                                           .out = job->out + at * dim,
                                           .decay = pass->decay[head]};
        rows_silu(q, 3 * dim);
        rows_decay_step(&memory);
    }
}

static void finish_rows(void *arg, size_t task, int worker)
{
    const struct pass *pass = arg;
    const struct lightning_job *job = pass->job;
    const size_t n = job->n_head * job->head_dim;
    const size_t from = task * ROWS_OF_TASK, to = from + ROWS_OF_TASK;

    (void)worker;
    for (size_t row = from; row < to && row < job->n_row; row++) {
        float *out = job->out + row * n;
        rows_rms_norm(out, out, job->weights->norm, n, norm_eps);
        rows_gate(out, pass->gate + row * n, n);
    }
}

size_t lightning_scratch(const struct lightning_job *job)
{
    return job->n_row * 4 * job->n_head * job->head_dim + job->n_head;
}

static void lay_out(struct pass *pass, float *floats)
{
    const struct lightning_job *job = pass->job;
    const size_t n = job->n_row * job->n_head * job->head_dim;

    pass->qkv = floats;
    pass->gate = pass->qkv + 3 * n;
    pass->decay = pass->gate + n;
    for (size_t head = 0; head < job->n_head; head++)
        pass->decay[head] = lightning_decay(job, head);
}

/* y[row][n] = x w^T. */
static void project(const struct pass *pass, const float *w, size_t n, float *y)
{
    const struct lightning_job *job = pass->job;

    gemm_nt(job->gemm, job->n_row, n, job->dim, job->x, job->dim, w, job->dim,
            y, n, 0);
}

int lightning_run(const struct lightning_job *job,
                  struct mixer_scratch *scratch, struct oy_error *err)
{
    const size_t width = job->n_head * job->head_dim;
    struct oy_pool *pool = gemm_pool(job->gemm);
    struct pass pass = {.job = job};
    float *floats = mixer_reserve(scratch, lightning_scratch(job), err);

    if (!floats)
        return -1;
    lay_out(&pass, floats);
    project(&pass, job->weights->qkv, 3 * width, pass.qkv);
    project(&pass, job->weights->gate, width, pass.gate);
    oy_pool_run(pool, job->n_piece * job->n_head, run_head, &pass);
    oy_pool_run(pool, (job->n_row + ROWS_OF_TASK - 1) / ROWS_OF_TASK,
                finish_rows, &pass);
    return 0;
}

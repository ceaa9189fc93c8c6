/* SPDX-License-Identifier: Apache-2.0
 *
 * The gated delta net, a task for each piece and key head. */
#include "model/delta_net.h"

#include <math.h>
#include <string.h>

#include "model/rows.h"

/* Shapes of a key head and its value heads, and where a pass's parts lie. */
struct pass {
    const struct delta_job *job;
    size_t key_dim, value_dim;
    size_t n_tail;    /* kernel - 1 */
    size_t group;     /* value heads of a key head */
    size_t n_channel; /* of a key head: q, k and its values */
    size_t n_input;   /* channels and z */
    float *input;     /* [row][n_key_head][n_input] */
    float *gates;     /* [row][n_key_head][2 group] */
    float *mixed;     /* [worker][n_channel] */
};

static struct pass describe(const struct delta_job *job)
{
    const struct delta_config *c = job->config;
    struct pass pass = {
        .job = job,
        .key_dim = (size_t)c->key_dim,
        .value_dim = (size_t)c->value_dim,
        .n_tail = (size_t)c->kernel - 1,
        .group = (size_t)(c->n_value_head / c->n_key_head),
    };

    pass.n_channel = 2 * pass.key_dim + pass.group * pass.value_dim;
    pass.n_input = pass.n_channel + pass.group * pass.value_dim;
    return pass;
}

size_t delta_net_state(const struct delta_config *config)
{
    const struct delta_job job = {.config = config};
    const struct pass pass = describe(&job);

    return (size_t)config->n_key_head * pass.n_tail * pass.n_channel +
           (size_t)config->n_value_head * pass.key_dim * pass.value_dim;
}

/* ---- the convolution ---- */

/* mixed[n] = of n channels each its kernel over the tail and the new input;
 * `stride` between the rows of the tail. */
static void convolve(const struct pass *pass, float *mixed, const float *kernel,
                     const float *tail, const float *input, size_t n)
{
    const size_t taps = pass->n_tail + 1;

    for (size_t c = 0; c < n; c++) {
        float sum = 0;
        for (size_t t = 0; t < pass->n_tail; t++)
            sum += kernel[c * taps + t] * tail[t * pass->n_channel + c];
        mixed[c] = sum + kernel[c * taps + pass->n_tail] * input[c];
    }
}

static void push_tail(const struct pass *pass, float *tail, const float *input)
{
    const size_t size = pass->n_channel * sizeof *tail;

    if (!pass->n_tail)
        return;
    memmove(tail, tail + pass->n_channel, (pass->n_tail - 1) * size);
    memcpy(tail + (pass->n_tail - 1) * pass->n_channel, input, size);
}

/* q, k and values of a key head: the checkpoint's channels are all q, all k,
 * all values; the head's are its own. */
static void mix_channels(const struct pass *pass, size_t head, float *tail,
                         const float *input, float *mixed)
{
    const size_t n_head = (size_t)pass->job->config->n_key_head;
    const size_t dk = pass->key_dim, taps = pass->n_tail + 1;
    const size_t values = pass->group * pass->value_dim;
    const float *kernel = pass->job->weights->conv;

    convolve(pass, mixed, kernel + head * dk * taps, tail, input, dk);
    convolve(pass, mixed + dk, kernel + (n_head + head) * dk * taps, tail + dk,
             input + dk, dk);
    convolve(pass, mixed + 2 * dk,
             kernel + (2 * n_head * dk + head * values) * taps, tail + 2 * dk,
             input + 2 * dk, values);
    rows_silu(mixed, pass->n_channel);
    push_tail(pass, tail, input);
}

/* ---- the memory ---- */

/* x / sqrt(sum(x^2) + 1e-6), as the peer's kernels have it, times a. */
static void normalise(float *x, size_t n, float a)
{
    rows_scale(x, n, a / sqrtf(rows_dot(x, x, n) + 1e-6f));
}

static float sigmoid(float x)
{
    rows_sigmoid(&x, 1);
    return x;
}

/* log(1 + exp(x)). What 1 + e loses of a small e is given back (Kahan). */
static float softplus(float x)
{
    if (x > 20)
        return x;
    const float e = rows_exp1(x), sum = 1 + e;
    return sum == 1 ? e : rows_log1(sum) * (e / (sum - 1));
}

static float decay_of(const struct pass *pass, size_t value_head, float a)
{
    const struct delta_weights *w = pass->job->weights;

    return rows_exp1(-rows_exp1(w->a_log[value_head]) *
                     softplus(a + w->dt_bias[value_head]));
}

/* One token of a key head: its value heads read and change their memories. */
static void step(const struct pass *pass, size_t head, float *state, size_t row,
                 float *mixed)
{
    const size_t dk = pass->key_dim, dv = pass->value_dim;
    const size_t n_head = (size_t)pass->job->config->n_key_head;
    const size_t at = row * n_head + head;
    const float *gates = pass->gates + at * 2 * pass->group;
    const float *z = pass->input + at * pass->n_input + pass->n_channel;
    float *out = pass->job->out + at * pass->group * dv;

    normalise(mixed, dk, 1 / sqrtf((float)dk));
    normalise(mixed + dk, dk, 1);
    for (size_t i = 0; i < pass->group; i++, out += dv, z += dv) {
        const size_t value_head = head * pass->group + i;
        const struct rows_memory memory = {
            .state = state + i * dk * dv,
            .n_key = dk,
            .n_value = dv,
            .q = mixed,
            .k = mixed + dk,
            .v = mixed + 2 * dk + i * dv,
            .out = out,
            .decay = decay_of(pass, value_head, gates[pass->group + i]),
            .rate = sigmoid(gates[i])};
        rows_delta_step(&memory);
        rows_rms_norm(out, out, pass->job->weights->norm, dv,
                      pass->job->norm_eps);
        rows_swiglu(out, z, out, dv);
    }
}

static void run_head(void *arg, size_t task, int worker)
{
    const struct pass *pass = arg;
    const size_t n_head = (size_t)pass->job->config->n_key_head;
    const size_t head = task % n_head, piece = task / n_head;
    const size_t first = pass->job->piece[piece].first;
    const size_t tail_floats = pass->n_tail * pass->n_channel;
    const size_t memory_floats = pass->group * pass->key_dim * pass->value_dim;
    float *tail = pass->job->piece[piece].state + head * tail_floats;
    float *memory = pass->job->piece[piece].state + n_head * tail_floats +
                    head * memory_floats;
    float *mixed = pass->mixed + (size_t)worker * pass->n_channel;

    for (size_t row = first; row < first + pass->job->piece[piece].n; row++) {
        mix_channels(pass, head, tail,
                     pass->input + (row * n_head + head) * pass->n_input,
                     mixed);
        step(pass, head, memory, row, mixed);
    }
}

/* ---- a pass ---- */

static size_t input_floats(const struct pass *pass)
{
    return pass->job->n_row * (size_t)pass->job->config->n_key_head *
           pass->n_input;
}

static size_t gate_floats(const struct pass *pass)
{
    return pass->job->n_row * (size_t)pass->job->config->n_value_head * 2;
}

size_t delta_net_scratch(const struct delta_job *job)
{
    const struct pass pass = describe(job);
    const size_t n_worker = (size_t)oy_pool_size(gemm_pool(job->gemm));

    return input_floats(&pass) + gate_floats(&pass) + n_worker * pass.n_channel;
}

/* y[row][n] = x w^T. */
static void project(const struct pass *pass, const float *w, size_t n, float *y)
{
    const struct delta_job *job = pass->job;

    gemm_nt(job->gemm, job->n_row, n, job->dim, job->x, job->dim, w, job->dim,
            y, n, 0);
}

int delta_net_run(const struct delta_job *job, struct mixer_scratch *scratch,
                  struct oy_error *err)
{
    struct pass pass = describe(job);
    const size_t n_head = (size_t)job->config->n_key_head;
    float *floats = mixer_reserve(scratch, delta_net_scratch(job), err);

    if (!floats)
        return -1;
    pass.input = floats;
    pass.gates = pass.input + input_floats(&pass);
    pass.mixed = pass.gates + gate_floats(&pass);
    project(&pass, job->weights->qkvz, n_head * pass.n_input, pass.input);
    project(&pass, job->weights->ba, n_head * 2 * pass.group, pass.gates);
    oy_pool_run(gemm_pool(job->gemm), job->n_piece * n_head, run_head, &pass);
    return 0;
}

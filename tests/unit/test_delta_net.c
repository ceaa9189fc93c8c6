/* SPDX-License-Identifier: Apache-2.0
 *
 * The gated delta net against the same recurrence in double.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/random.h"
#include "model/delta_net.h"

enum {
    DIM = 20,
    HEADS = 2, /* of keys */
    GROUP = 2, /* value heads of each */
    KEY = 8,
    VALUE = 12,
    TAPS = 4,
    TOKENS = 33,
    INPUT = 2 * KEY + 2 * GROUP * VALUE,
    CHANNELS = HEADS * (2 * KEY + GROUP * VALUE),
    OUT = HEADS * GROUP * VALUE,
    STATE = (TAPS - 1) * CHANNELS + HEADS * GROUP * KEY * VALUE,
};

static const struct delta_config config = {.n_key_head = HEADS,
                                           .n_value_head = HEADS * GROUP,
                                           .key_dim = KEY,
                                           .value_dim = VALUE,
                                           .kernel = TAPS};

struct fixture {
    float qkvz[HEADS * INPUT * DIM];
    float ba[HEADS * 2 * GROUP * DIM];
    float conv[CHANNELS * TAPS];
    float a_log[HEADS * GROUP], dt_bias[HEADS * GROUP], norm[VALUE];
    float x[TOKENS * DIM];
    struct delta_weights weights;
    struct oy_pool *pool;
    struct gemm *gemm;
    struct mixer_scratch scratch;
};

static void open_fixture(struct fixture *f)
{
    struct oy_random random = oy_random_at(5, 0);
    struct oy_error err = {0};

    memset(f, 0, sizeof *f);
    for (float *at = f->qkvz; at < f->x + TOKENS * DIM; at++)
        *at = (float)oy_random_normal(&random) * 0.5f;
    f->weights = (struct delta_weights){f->qkvz,  f->ba,      f->conv,
                                        f->a_log, f->dt_bias, f->norm};
    f->pool = oy_pool_new(2, &err);
    f->gemm = gemm_new(NULL, f->pool, &err);
    assert_non_null(f->gemm);
}

static void close_fixture(struct fixture *f)
{
    mixer_release(&f->scratch);
    gemm_free(f->gemm);
    oy_pool_free(f->pool);
}

static void run(struct fixture *f, const struct mixer_piece *piece, size_t n,
                size_t n_row, const float *x, float *out)
{
    struct oy_error err = {0};
    const struct delta_job job = {.config = &config,
                                  .weights = &f->weights,
                                  .gemm = f->gemm,
                                  .dim = DIM,
                                  .norm_eps = 1e-6f,
                                  .piece = piece,
                                  .n_piece = n,
                                  .n_row = n_row,
                                  .x = x,
                                  .out = out};

    assert_int_equal(delta_net_run(&job, &f->scratch, &err), 0);
}

/* ---- in double ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double product(const float *w, const float *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)w[i] * x[i];
    return sum;
}

/* Channel c of a head (q, k or a value) of token t after the convolution;
 * `kernel` is its row. */
static double mixed(const struct fixture *f, int t, int head, int c,
                    const float *kernel)
{
    double sum = 0;

    for (int i = 0; i < TAPS; i++) {
        const int at = t - (TAPS - 1) + i;
        if (at >= 0)
            sum += kernel[i] * product(f->qkvz + (head * INPUT + c) * DIM,
                                       f->x + at * DIM, DIM);
    }
    return sum * sigmoid(sum);
}

static void mixed_key(const struct fixture *f, int t, int head, int is_key,
                      double *out)
{
    const int from = is_key ? HEADS * KEY : 0;
    double square = 1e-6;

    for (int i = 0; i < KEY; i++) {
        out[i] = mixed(f, t, head, is_key * KEY + i,
                       f->conv + (from + head * KEY + i) * TAPS);
        square += out[i] * out[i];
    }
    for (int i = 0; i < KEY; i++)
        out[i] /= sqrt(square) * (is_key ? 1 : sqrt(KEY));
}

/* One token of value head `v` of key head `head`. */
static void expect_step(const struct fixture *f, int t, int head, int v,
                        double *state, double *out)
{
    const float *x = f->x + t * DIM;
    const float *gates = f->ba + head * 2 * GROUP * DIM;
    const int value_head = head * GROUP + v;
    const double a =
        product(gates + (GROUP + v) * DIM, x, DIM) + f->dt_bias[value_head];
    const double decay = exp(-exp(f->a_log[value_head]) * log1p(exp(a)));
    const double rate = sigmoid(product(gates + v * DIM, x, DIM));
    double q[KEY], k[KEY], square = 0;

    mixed_key(f, t, head, 0, q);
    mixed_key(f, t, head, 1, k);
    for (int j = 0; j < VALUE; j++) {
        const int c = 2 * KEY + v * VALUE + j;
        double known = 0, change;
        for (int i = 0; i < KEY; i++)
            known += (state[i * VALUE + j] *= decay) * k[i];
        change =
            mixed(f, t, head, c,
                  f->conv + (2 * HEADS * KEY + value_head * VALUE + j) * TAPS) -
            known;
        out[j] = 0;
        for (int i = 0; i < KEY; i++)
            out[j] += (state[i * VALUE + j] += rate * change * k[i]) * q[i];
        square += out[j] * out[j];
    }
    for (int j = 0; j < VALUE; j++) {
        const int c = 2 * KEY + (GROUP + v) * VALUE + j;
        const double z = product(f->qkvz + (head * INPUT + c) * DIM, x, DIM);
        out[j] *= f->norm[j] * z * sigmoid(z) / sqrt(square / VALUE + 1e-6);
    }
}

static void test_against_double(void **test)
{
    static struct fixture f;
    float state[STATE] = {0}, out[TOKENS * OUT];
    const struct mixer_piece piece = {state, 0, TOKENS};

    (void)test;
    assert_int_equal(delta_net_state(&config), STATE);
    open_fixture(&f);
    run(&f, &piece, 1, TOKENS, f.x, out);
    for (int head = 0; head < HEADS * GROUP; head++) {
        double memory[KEY * VALUE] = {0}, want[VALUE];
        for (int t = 0; t < TOKENS; t++) {
            expect_step(&f, t, head / GROUP, head % GROUP, memory, want);
            for (int j = 0; j < VALUE; j++)
                assert_true(fabs(out[t * OUT + head * VALUE + j] - want[j]) <
                            2e-5);
        }
    }
    close_fixture(&f);
}

/* Cut anywhere, beside another sequence: the same bits, and state. */
static void test_cuts(void **test)
{
    static struct fixture f;
    float whole[STATE] = {0}, out[TOKENS * OUT];
    const struct mixer_piece all = {whole, 0, TOKENS};

    (void)test;
    open_fixture(&f);
    run(&f, &all, 1, TOKENS, f.x, out);
    for (size_t cut = 1; cut < TOKENS; cut++) {
        float state[STATE] = {0}, other[STATE] = {0};
        float head[TOKENS * OUT], tail[TOKENS * OUT];
        const size_t rest = TOKENS - cut;
        const struct mixer_piece first[] = {{state, 0, cut},
                                            {other, cut, rest}};
        const struct mixer_piece second = {state, 0, rest};
        run(&f, first, 2, TOKENS, f.x, head);
        run(&f, &second, 1, rest, f.x + cut * DIM, tail);
        assert_memory_equal(head, out, cut * OUT * sizeof *out);
        assert_memory_equal(tail, out + cut * OUT, rest * OUT * sizeof *out);
        assert_memory_equal(state, whole, sizeof state);
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_double),
        cmocka_unit_test(test_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

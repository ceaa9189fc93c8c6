/* SPDX-License-Identifier: Apache-2.0
 *
 * Lightning attention against the same recurrence in double.
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
#include "model/lightning.h"

enum {
    DIM = 20,
    HEADS = 3,
    HEAD = 10,
    WIDTH = HEADS * HEAD,
    TOKENS = 29,
    STATE = HEADS * HEAD * HEAD,
    LAYER = 1,
    LAYERS = 4,
};

struct fixture {
    float qkv[3 * WIDTH * DIM], gate[WIDTH * DIM], norm[WIDTH];
    float x[TOKENS * DIM];
    struct lightning_weights weights;
    struct oy_pool *pool;
    struct gemm *gemm;
    struct mixer_scratch scratch;
};

static void open_fixture(struct fixture *f)
{
    struct oy_random random = oy_random_at(6, 0);
    struct oy_error err = {0};

    memset(f, 0, sizeof *f);
    for (float *at = f->qkv; at < f->x + TOKENS * DIM; at++)
        *at = (float)oy_random_normal(&random) * 0.5f;
    f->weights = (struct lightning_weights){f->qkv, f->gate, f->norm};
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

static struct lightning_job job_of(const struct fixture *f)
{
    return (struct lightning_job){.weights = &f->weights,
                                  .gemm = f->gemm,
                                  .dim = DIM,
                                  .n_head = HEADS,
                                  .head_dim = HEAD,
                                  .layer = LAYER,
                                  .n_layer = LAYERS};
}

static void run(struct fixture *f, const struct mixer_piece *piece, size_t n,
                size_t n_row, const float *x, float *out)
{
    struct oy_error err = {0};
    struct lightning_job job = job_of(f);

    job.piece = piece;
    job.n_piece = n;
    job.n_row = n_row;
    job.x = x;
    job.out = out;
    assert_int_equal(lightning_run(&job, &f->scratch, &err), 0);
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

/* Element c of q, k, v (part 0, 1, 2) of a head. */
static double part(const struct fixture *f, int t, int head, int kind, int c)
{
    const double x = product(f->qkv + ((head * 3 + kind) * HEAD + c) * DIM,
                             f->x + t * DIM, DIM);

    return x * sigmoid(x);
}

static double slope(int head)
{
    return pow(2, -8.0 * (head + 1) / HEADS) *
           (1 - LAYER / (LAYERS - 1 + 1e-5) + 1e-5);
}

static void expect_token(const struct fixture *f, int t, double *state,
                         double *out)
{
    double square = 0;

    memset(out, 0, WIDTH * sizeof *out);
    for (int i = 0; i < WIDTH * HEAD; i++) {
        const int head = i / (HEAD * HEAD), j = i % HEAD, k = i / HEAD % HEAD;
        state[i] = state[i] * exp(-slope(head)) +
                   part(f, t, head, 1, k) * part(f, t, head, 2, j);
        out[head * HEAD + j] += state[i] * part(f, t, head, 0, k);
    }
    for (int i = 0; i < WIDTH; i++)
        square += out[i] * out[i];
    for (int i = 0; i < WIDTH; i++)
        out[i] *= f->norm[i] / sqrt(square / WIDTH + 1e-6) *
                  sigmoid(product(f->gate + i * DIM, f->x + t * DIM, DIM));
}

static void test_against_double(void **test)
{
    static struct fixture f;
    float state[STATE] = {0}, out[TOKENS * WIDTH];
    double memory[STATE] = {0}, want[WIDTH];
    const struct mixer_piece piece = {state, 0, TOKENS};

    (void)test;
    assert_int_equal(lightning_state(HEADS, HEAD), STATE);
    open_fixture(&f);
    run(&f, &piece, 1, TOKENS, f.x, out);
    for (int t = 0; t < TOKENS; t++) {
        expect_token(&f, t, memory, want);
        for (int i = 0; i < WIDTH; i++)
            assert_true(fabs(out[t * WIDTH + i] - want[i]) < 2e-5);
    }
    close_fixture(&f);
}

/* Cut anywhere, beside another sequence: the same bits, and state. */
static void test_cuts(void **test)
{
    static struct fixture f;
    float whole[STATE] = {0}, out[TOKENS * WIDTH];
    const struct mixer_piece all = {whole, 0, TOKENS};

    (void)test;
    open_fixture(&f);
    run(&f, &all, 1, TOKENS, f.x, out);
    for (size_t cut = 1; cut < TOKENS; cut++) {
        float state[STATE] = {0}, other[STATE] = {0};
        float head[TOKENS * WIDTH], tail[TOKENS * WIDTH];
        const size_t rest = TOKENS - cut;
        const struct mixer_piece first[] = {{state, 0, cut},
                                            {other, cut, rest}};
        const struct mixer_piece second = {state, 0, rest};
        run(&f, first, 2, TOKENS, f.x, head);
        run(&f, &second, 1, rest, f.x + cut * DIM, tail);
        assert_memory_equal(head, out, cut * WIDTH * sizeof *out);
        assert_memory_equal(tail, out + cut * WIDTH,
                            rest * WIDTH * sizeof *out);
        assert_memory_equal(state, whole, sizeof state);
    }
    close_fixture(&f);
}

static void test_decay(void **test)
{
    static struct fixture f;
    const struct lightning_job job = job_of(&f);

    (void)test;
    for (int head = 0; head < HEADS; head++)
        assert_true(fabs(lightning_decay(&job, (size_t)head) -
                         exp(-slope(head))) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_double),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Latent attention's queries, keys and values against the same in double.
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
#include "model/mla.h"

enum {
    DIM = 20,
    HEADS = 3,
    Q_RANK = 14,
    KV_RANK = 9,
    NOPE = 6,
    ROPE = 4,
    VALUE = 5,
    KEY = NOPE + ROPE,
    TOKENS = 21,
};

struct fixture {
    float q_a[Q_RANK * DIM], q_norm[Q_RANK];
    float q_b[HEADS * KEY * DIM];
    float kv_a[(KV_RANK + ROPE) * DIM], kv_norm[KV_RANK];
    float kv_b[HEADS * (NOPE + VALUE) * KV_RANK];
    float x[TOKENS * DIM];
    float q[TOKENS * HEADS * KEY];
    float cosine[TOKENS * ROPE / 2], sine[TOKENS * ROPE / 2];
    struct mla_config config;
    struct mla_weights weights;
    struct oy_pool *pool;
    struct gemm *gemm;
    struct mixer_scratch scratch;
    struct kv_pool *kv;
    struct kv_sequence sequence;
};

static void open_fixture(struct fixture *f, int q_rank, int is_interleaved)
{
    const struct kv_shape shape = {
        .n_layer = 1, .n_head = HEADS, .key_dim = KEY, .value_dim = VALUE};
    struct oy_random random = oy_random_at(7, 0);
    struct oy_error err = {0};

    memset(f, 0, sizeof *f);
    for (float *at = f->q_a; at < f->x + TOKENS * DIM; at++)
        *at = (float)oy_random_normal(&random) * 0.5f;
    for (int i = 0; i < TOKENS * ROPE / 2; i++) {
        f->cosine[i] = cosf(0.3f * (float)i);
        f->sine[i] = sinf(0.3f * (float)i);
    }
    f->config = (struct mla_config){.q_rank = q_rank,
                                    .kv_rank = KV_RANK,
                                    .nope_dim = NOPE,
                                    .rope_dim = ROPE,
                                    .v_dim = VALUE,
                                    .is_interleaved = is_interleaved};
    f->weights = (struct mla_weights){f->q_a,  f->q_norm,  f->q_b,
                                      f->kv_a, f->kv_norm, f->kv_b};
    f->pool = oy_pool_new(2, &err);
    f->gemm = gemm_new(NULL, f->pool, &err);
    f->kv = kv_pool_new(&shape);
    assert_non_null(f->gemm);
    assert_int_equal(kv_reserve(f->kv, &f->sequence, TOKENS, &err), 0);
}

static void close_fixture(struct fixture *f)
{
    kv_release(f->kv, &f->sequence);
    kv_pool_free(f->kv);
    mixer_release(&f->scratch);
    gemm_free(f->gemm);
    oy_pool_free(f->pool);
}

/* Tokens first .. first + n - 1 in one pass. */
static void run(struct fixture *f, size_t first, size_t n)
{
    struct oy_error err = {0};
    struct mla_pass pass = {.config = &f->config,
                            .weights = &f->weights,
                            .gemm = f->gemm,
                            .dim = DIM,
                            .n_head = HEADS,
                            .n_row = n,
                            .x = f->x + first * DIM,
                            .q = f->q + first * HEADS * KEY};

    assert_int_equal(mla_project(&pass, &f->scratch, &err), 0);
    for (size_t i = 0; i < n; i++) {
        const struct mla_place place = {
            .pool = f->kv,
            .sequence = &f->sequence,
            .position = first + i,
            .cosine = f->cosine + (first + i) * (ROPE / 2),
            .sine = f->sine + (first + i) * (ROPE / 2)};
        mla_turn_row(&pass, i, &place, (int)(i % 2));
    }
}

/* ---- in double ---- */

static void multiply(const float *w, size_t n, size_t k, const double *x,
                     double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = 0;
        for (size_t j = 0; j < k; j++)
            y[i] += w[i * k + j] * x[j];
    }
}

static void norm(const float *weight, double *x, size_t n)
{
    double square = 0;

    for (size_t i = 0; i < n; i++)
        square += x[i] * x[i];
    for (size_t i = 0; i < n; i++)
        x[i] *= weight[i] / sqrt(square / (double)n + 1e-6);
}

/* As halves, whatever it was. */
static void turn(const struct fixture *f, size_t t, const double *x,
                 double *out)
{
    enum { HALF = ROPE / 2 };

    for (size_t i = 0; i < HALF; i++) {
        const int pair = f->config.is_interleaved;
        const double a = x[pair ? 2 * i : i],
                     b = x[pair ? 2 * i + 1 : HALF + i];
        const double c = f->cosine[t * HALF + i], s = f->sine[t * HALF + i];
        out[i] = a * c - b * s;
        out[HALF + i] = b * c + a * s;
    }
}

static void check(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(got[i] - want[i]) < 2e-5);
}

static void check_queries(const struct fixture *f, size_t t, const double *x)
{
    double low[Q_RANK], q[HEADS * KEY], turned[ROPE];
    const float *got = f->q + t * HEADS * KEY;

    if (f->config.q_rank) {
        multiply(f->q_a, Q_RANK, DIM, x, low);
        norm(f->q_norm, low, Q_RANK);
        multiply(f->q_b, HEADS * KEY, Q_RANK, low, q);
    } else {
        multiply(f->q_b, HEADS * KEY, DIM, x, q);
    }
    for (size_t head = 0; head < HEADS; head++) {
        turn(f, t, q + head * KEY + NOPE, turned);
        check(got + head * KEY, q + head * KEY, NOPE);
        check(got + head * KEY + NOPE, turned, ROPE);
    }
}

static void check_keys(const struct fixture *f, size_t t, const double *x)
{
    enum { KV = NOPE + VALUE };
    double latent[KV_RANK + ROPE], kv[HEADS * KV], turned[ROPE];
    float room[32 * KEY];

    multiply(f->kv_a, KV_RANK + ROPE, DIM, x, latent);
    turn(f, t, latent + KV_RANK, turned);
    norm(f->kv_norm, latent, KV_RANK);
    multiply(f->kv_b, HEADS * KV, KV_RANK, latent, kv);
    for (int head = 0; head < HEADS; head++) {
        const float *key =
            kv_keys(f->kv, &f->sequence, 0, t + 1, 0, head, room);
        check(key + t * KEY, kv + head * KV, NOPE);
        check(key + t * KEY + NOPE, turned, ROPE);
        const float *value =
            kv_values(f->kv, &f->sequence, 0, t + 1, 0, head, room);
        check(value + t * VALUE, kv + head * KV + NOPE, VALUE);
    }
}

static void check_all(int q_rank, int is_interleaved)
{
    static struct fixture f;

    open_fixture(&f, q_rank, is_interleaved);
    run(&f, 0, TOKENS);
    for (size_t t = 0; t < TOKENS; t++) {
        double x[DIM];
        for (size_t i = 0; i < DIM; i++)
            x[i] = f.x[t * DIM + i];
        check_queries(&f, t, x);
        check_keys(&f, t, x);
    }
    close_fixture(&f);
}

static void test_against_double(void **state)
{
    (void)state;
    check_all(Q_RANK, 1);
    check_all(Q_RANK, 0);
    check_all(0, 1);
}

/* Tokens one by one give the bits of one pass. */
static void test_cuts(void **state)
{
    static struct fixture f;
    float q[TOKENS * HEADS * KEY], key[TOKENS * KEY], value[TOKENS * VALUE];
    float room[32 * KEY];

    (void)state;
    open_fixture(&f, Q_RANK, 1);
    run(&f, 0, TOKENS);
    memcpy(q, f.q, sizeof q);
    memcpy(key, kv_keys(f.kv, &f.sequence, 0, TOKENS, 0, 1, room), sizeof key);
    memcpy(value, kv_values(f.kv, &f.sequence, 0, TOKENS, 0, 1, room),
           sizeof value);
    for (size_t t = 0; t < TOKENS; t++)
        run(&f, t, 1);
    assert_memory_equal(q, f.q, sizeof q);
    assert_memory_equal(key, kv_keys(f.kv, &f.sequence, 0, TOKENS, 0, 1, room),
                        sizeof key);
    assert_memory_equal(value,
                        kv_values(f.kv, &f.sequence, 0, TOKENS, 0, 1, room),
                        sizeof value);
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Row kernels: every form against the plain one, that against double.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/cpu.h"
#include "core/random.h"
#include "model/half.h"
#include "model/rows_internal.h"

enum { MAX_N = 3000 };

struct vectors {
    float a[MAX_N], b[MAX_N], c[MAX_N], d[MAX_N];
};

static void fill(struct vectors *v, uint64_t seed)
{
    struct oy_random random = oy_random_at(seed, 0);

    for (size_t i = 0; i < MAX_N; i++) {
        v->a[i] = (float)oy_random_normal(&random);
        v->b[i] = (float)oy_random_normal(&random);
        v->c[i] = (float)oy_random_normal(&random) * 5.0f;
        v->d[i] = (float)fabs(oy_random_normal(&random));
    }
}

/* A state of up to 50 keys and 60 values in v->a. */
static void run_memories(const struct rows_kernels *k, struct vectors *v,
                         size_t n)
{
    struct rows_memory m = {v->a, 1 + n % 50, 1 + n % 60, v->b, v->b + 50,
                            v->c, v->c + 60,  0.9f,       0.3f};

    k->delta_step(&m);
    m.out += m.n_value;
    k->decay_step(&m);
}

/* All kernels on rows of n floats, one after the other, into v and sums. */
static void run_all(const struct rows_kernels *k, struct vectors *v, size_t n,
                    double *sum)
{
    const struct rows_adamw step = {0.5f,  0.9f,  0.999f, 0.1f, 0.001f,
                                    0.99f, 1e-3f, 1.2f,   1e-8f};

    sum[0] = k->rms_norm(v->a, v->a, v->d, n, 1e-6f);
    k->rms_norm_backward(v->b, v->d, v->c, v->a, v->b, n, 0.7f);
    k->rope(v->a, v->c, v->d, n / 2, -1.0f);
    k->swiglu(v->a, v->c, v->b, n);
    k->swiglu_backward(v->a, v->b, v->c, v->a, v->b, v->c, n);
    k->clamped_swiglu(v->a, v->c, v->b, n, 2.0f, 1.702f);
    k->gate(v->b, v->a, n);
    k->silu(v->a, n);
    k->add_scaled(v->a, v->c, n, 0.37f);
    k->add(v->a, v->b, n);
    k->scale(v->a, n, 0.3f);
    sum[1] = k->sum(v->a, n);
    sum[2] = k->dot(v->a, v->b, n);
    sum[3] = k->max(v->a, n);
    sum[4] = k->exp_sum(v->a, n, k->max(v->a, n));
    k->attention_gradient(v->a, v->b, n, 1.0f, 0.2f, 0.125f);
    sum[5] = k->square_sum(v->a, n);
    k->adamw(v->a, v->b, v->d, v->c, n, &step);
    k->softmax_gradient(v->c, n, 20.0f, 0.3f, 0.01f);
    sum[6] = k->exp(v->b, n, 1.0f);
    k->rms_apply(v->c, v->b, v->d, n, 0.4f);
    k->sigmoid(v->c, n);
    run_memories(k, v, n);
}

/* Any bits at all, NaN and subnormal numbers among them. */
static void check_to_bf16(const struct rows_kernels *form)
{
    struct oy_random random = oy_random_at(5, 0);
    float x[MAX_N];
    uint16_t y[MAX_N + 1];

    for (size_t i = 0; i < MAX_N; i++)
        x[i] = float_of_bits((uint32_t)oy_random_next(&random) |
                             (i % 3 ? 0 : 0x7f800000));
    for (size_t n = 0; n < 70; n++) {
        y[n] = 77;
        form->to_bf16(y, x, n);
        assert_int_equal(y[n], 77);
    }
    form->to_bf16(y, x, MAX_N);
    for (size_t i = 0; i < MAX_N; i++)
        assert_int_equal(y[i], bfloat_of_float(x[i]));
}

static uint32_t pair_of(float low, float high)
{
    return bfloat_of_float(low) | (uint32_t)bfloat_of_float(high) << 16;
}

/* Pairs of two rows, and pairs of 16 rows turned. */
static void check_pairs(const struct rows_kernels *form)
{
    static struct vectors v;
    uint32_t pair[33], square[16][16];

    fill(&v, 3);
    for (size_t n = 0; n <= 32; n++) {
        const size_t n_row = n % 17;
        pair[n] = 77;
        form->pair_bf16(pair, v.a, v.b, n);
        assert_int_equal(pair[n], 77);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(pair[i], pair_of(v.a[i], v.b[i]));
        form->turn_bf16(square, v.a, 40, n_row, n);
        for (size_t i = 0; i < 16 * 16; i++) {
            const size_t row = i / 16, at = 2 * (i % 16);
            const float *x = v.a + row * 40 + at;
            const uint32_t want = row < n_row && at < n
                                      ? pair_of(x[0], at + 1 < n ? x[1] : 0)
                                      : 0;
            assert_int_equal(square[i % 16][row], want);
        }
    }
}

static void check_form(const struct rows_kernels *form)
{
    static struct vectors plain, other;

    check_to_bf16(form);
    check_pairs(form);
    for (size_t n = 1; n < 2100; n += n < 70 ? 1 : 331) {
        double want[7], got[7];
        fill(&plain, n);
        fill(&other, n);
        run_all(&rows_plain, &plain, n, want);
        run_all(form, &other, n, got);
        assert_memory_equal(want, got, sizeof want);
        assert_memory_equal(&plain, &other, sizeof plain);
    }
}

static void test_forms_are_equal(void **state)
{
    (void)state;
    check_to_bf16(&rows_plain);
    check_pairs(&rows_plain);
#if defined(__x86_64__)
    if (oy_cpu_level() >= OY_CPU_AVX2)
        check_form(&rows_avx2);
    if (oy_cpu_level() >= OY_CPU_AVX512)
        check_form(&rows_avx512);
#endif
}

/* Distance in units of the last place of a float. */
static double ulps(float got, double want)
{
    const double unit =
        nextafterf(fabsf((float)want), INFINITY) - fabsf((float)want);

    return fabs(got - want) / unit;
}

static void test_exp_and_log(void **state)
{
    double worst_exp = 0.0, worst_log = 0.0;

    (void)state;
    for (float x = -87.0f; x < 88.0f; x += 0.0037f)
        worst_exp = fmax(worst_exp, ulps(rows_exp1(x), exp((double)x)));
    for (float x = 1e-30f; x < 1e30f; x *= 1.0037f)
        worst_log = fmax(worst_log, ulps(rows_log1(x), log((double)x)));
    assert_true(worst_exp <= 2.0);
    assert_true(worst_log <= 2.0);
    assert_true(rows_exp1(-100.0f) == 0.0f);
    assert_true(isnan(rows_exp1(NAN)));
    assert_true(rows_log1(1.0f) == 0.0f);
    assert_true(isinf(rows_log1(0.0f)));
    assert_true(isnan(rows_log1(NAN)));
}

static void test_rms_norm(void **state)
{
    static struct vectors v;
    float y[100], again[100];
    double square = 0.0;

    (void)state;
    fill(&v, 1);
    for (int i = 0; i < 100; i++)
        square += (double)v.a[i] * v.a[i];
    const double rstd = 1.0 / sqrt(square / 100.0 + 1e-6);
    const float mine = rows_rms_norm(y, v.a, v.b, 100, 1e-6f);
    assert_true(fabs(mine - rstd) < 1e-6 * rstd);
    for (int i = 0; i < 100; i++)
        assert_true(fabs(y[i] - v.a[i] * rstd * v.b[i]) < 1e-6);
    rows_rms_apply(again, v.a, v.b, 100, mine);
    assert_memory_equal(y, again, sizeof y);
}

static void test_rms_norm_backward(void **state)
{
    static struct vectors v;
    float dx[37] = {0}, dw[37] = {0}, y[37];
    const size_t n = 37;

    (void)state;
    fill(&v, 2);
    const float rstd = rows_rms_norm(y, v.a, v.b, n, 1e-6f);
    rows_rms_norm_backward(dx, dw, v.c, v.a, v.b, n, rstd);
    for (size_t i = 0; i < n; i++) {
        double inner = 0.0;
        for (size_t j = 0; j < n; j++)
            inner += (double)v.c[j] * v.b[j] * v.a[j];
        const double want = (double)v.c[i] * v.b[i] * rstd -
                            v.a[i] * inner * pow(rstd, 3) / (double)n;
        assert_true(fabs(dx[i] - want) < 1e-5);
        assert_true(fabs(dw[i] - v.c[i] * v.a[i] * rstd) < 1e-5);
    }
}

static void test_rope_turns_back(void **state)
{
    static struct vectors v;
    float head[64], cosine[32], sine[32];

    (void)state;
    fill(&v, 3);
    memcpy(head, v.a, sizeof head);
    for (int i = 0; i < 32; i++) {
        cosine[i] = cosf(0.1f * (float)i);
        sine[i] = sinf(0.1f * (float)i);
    }
    rows_rope(head, cosine, sine, 64, 1);
    assert_true(fabsf(head[5] - (v.a[5] * cosine[5] - v.a[37] * sine[5])) <
                1e-6f);
    assert_true(fabsf(head[37] - (v.a[37] * cosine[5] + v.a[5] * sine[5])) <
                1e-6f);
    rows_rope(head, cosine, sine, 64, -1);
    for (int i = 0; i < 64; i++)
        assert_true(fabsf(head[i] - v.a[i]) < 1e-6f);
}

static double silu(double x)
{
    return x / (1.0 + exp(-x));
}

static void test_swiglu(void **state)
{
    static struct vectors v;
    float y[50], hidden[50], dgate[50], dup[50];

    (void)state;
    fill(&v, 4);
    rows_swiglu(y, v.c, v.b, 50);
    rows_swiglu_backward(hidden, dgate, dup, v.a, v.c, v.b, 50);
    assert_memory_equal(y, hidden, sizeof y);
    for (int i = 0; i < 50; i++) {
        const double g = v.c[i], step = 1e-6;
        const double slope = (silu(g + step) - silu(g - step)) / (2 * step);
        assert_true(fabs(y[i] - silu(g) * v.b[i]) < 1e-5);
        assert_true(fabs(dgate[i] - v.a[i] * v.b[i] * slope) < 1e-5);
        assert_true(fabs(dup[i] - v.a[i] * silu(g)) < 1e-5);
    }
}

static void test_gates(void **state)
{
    static struct vectors v;
    float y[50], x[50], clamped[50];

    (void)state;
    fill(&v, 7);
    rows_clamped_swiglu(clamped, v.c, v.b, 50, 2.0f, 1.702f);
    memcpy(y, v.a, sizeof y);
    rows_gate(y, v.c, 50);
    memcpy(x, v.c, sizeof x);
    rows_silu(x, 50);
    rows_add_scaled(x, v.b, 50, 0.5f);
    for (int i = 0; i < 50; i++) {
        const double g = fmin(v.c[i], 2.0);
        const double u = fmax(fmin(v.b[i], 2.0), -2.0);
        assert_true(fabs(clamped[i] - (u + 1) * silu(1.702 * g) / 1.702) <
                    1e-5);
        assert_true(fabs(y[i] - v.a[i] / (1 + exp(-v.c[i]))) < 1e-6);
        assert_true(fabs(x[i] - (silu(v.c[i]) + 0.5 * v.b[i])) < 1e-5);
    }
}

/* Both steps on a state of 5 keys and 19 values, in double beside it. */
static void check_memory(int is_delta)
{
    enum { K = 5, V = 19 };
    static struct vectors v;
    float state[K * V], out[V];
    const struct rows_memory m = {state, K,   V,    v.b, v.b + K,
                                  v.c,   out, 0.8f, 0.6f};

    fill(&v, 8);
    memcpy(state, v.a, sizeof state);
    if (is_delta)
        rows_delta_step(&m);
    else
        rows_decay_step(&m);
    for (int j = 0; j < V; j++) {
        double known = 0, want = 0;
        for (int i = 0; i < K; i++)
            known += 0.8 * v.a[i * V + j] * m.k[i];
        const double add = is_delta ? 0.6 * (m.v[j] - known) : m.v[j];
        for (int i = 0; i < K; i++) {
            const double s = 0.8 * v.a[i * V + j] + add * m.k[i];
            assert_true(fabs(state[i * V + j] - s) < 1e-5);
            want += s * m.q[i];
        }
        assert_true(fabs(out[j] - want) < 3e-5);
    }
}

static void test_memories(void **state)
{
    (void)state;
    check_memory(0);
    check_memory(1);
}

static void test_sums_of_exp(void **state)
{
    static struct vectors v;
    double sum = 0.0;

    (void)state;
    fill(&v, 5);
    for (int i = 0; i < MAX_N; i++)
        sum += exp((double)v.c[i]);
    assert_true(fabs(rows_log_sum_exp(v.c, MAX_N) - log(sum)) < 2e-6);
    rows_exp(v.c, MAX_N, (float)log(sum));
    assert_true(fabsf(rows_sum(v.c, MAX_N) - 1.0f) < 1e-5f);
}

static void test_max(void **state)
{
    float x[40];

    (void)state;
    for (size_t n = 1; n <= 40; n++) {
        for (size_t at = 0; at < n; at++) {
            for (size_t i = 0; i < n; i++)
                x[i] = i >= at ? 2.0f : -3.0f;
            assert_true(rows_max(x, n) == 2.0f);
            assert_int_equal(rows_argmax(x, n), at);
        }
    }
    x[17] = NAN;
    assert_true(isnan(rows_log_sum_exp(x, 40)));
}

/* Both forms of GELU against libm, from the tails to zero. */
static void test_gelu(void **state)
{
    (void)state;
    for (float x = -9; x < 9; x += 0.00371f) {
        const double wide = (double)x;
        const double exact = 0.5 * wide * erfc(-wide / sqrt(2));
        const double inner =
            sqrt(2 / M_PI) * (wide + 0.044715 * wide * wide * wide);
        const double by_tanh = 0.5 * wide * (1 + tanh(inner));
        float a = x, b = x;
        rows_gelu(&a, 1);
        rows_gelu_tanh(&b, 1);
        if (fabs((double)a - exact) > 1e-6 * fmax(fabs(wide), 1e-3) ||
            fabs((double)b - by_tanh) > 1e-6 * fmax(fabs(wide), 1e-3))
            fail_msg("%g: %g, want %g; %g, want %g", wide, (double)a, exact,
                     (double)b, by_tanh);
    }
}

static void test_layer_norm(void **state)
{
    enum { N = 37 };
    float x[N], weight[N], bias[N], y[N];
    double mean = 0, variance = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = 3 + sinf((float)(i * i));
        weight[i] = 1 + 0.01f * (float)i;
        bias[i] = 0.5f - 0.02f * (float)i;
        mean += (double)x[i] / N;
    }
    for (int i = 0; i < N; i++)
        variance += ((double)x[i] - mean) * ((double)x[i] - mean) / N;
    rows_layer_norm(y, x, weight, bias, N, 1e-5f);
    for (int i = 0; i < N; i++) {
        const double want =
            ((double)x[i] - mean) / sqrt(variance + 1e-5) * (double)weight[i];
        assert_true(fabs((double)y[i] - want - (double)bias[i]) < 2e-6);
    }
    rows_layer_norm(x, x, weight, NULL, N, 1e-5f);
    for (int i = 0; i < N; i++)
        assert_true(x[i] + bias[i] == y[i]);
}

static void test_square_sum(void **state)
{
    static struct vectors v;
    double sum = 0.0;

    (void)state;
    fill(&v, 6);
    for (int i = 0; i < 1003; i++)
        sum += (double)v.a[i] * v.a[i];
    assert_true(fabs(rows_square_sum(v.a, 1003) - sum) < 1e-12 * sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_are_equal),
        cmocka_unit_test(test_exp_and_log),
        cmocka_unit_test(test_rms_norm),
        cmocka_unit_test(test_rms_norm_backward),
        cmocka_unit_test(test_rope_turns_back),
        cmocka_unit_test(test_swiglu),
        cmocka_unit_test(test_gates),
        cmocka_unit_test(test_memories),
        cmocka_unit_test(test_sums_of_exp),
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_gelu),
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_square_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

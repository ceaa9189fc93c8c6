/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/gemm: right sums, and rows that do not know their batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/random.h"
#include "model/gemm.h"
#include "model/half.h"

static const char *const kernels[] = {
    "plain",
    "avx2",
    "avx512",
    "openblas",
    "plain-packed",
    "avx2-packed",
    "avx512-packed",
    "plain-packed-bf16",
    "avx2-packed-bf16",
    "avx512-packed-bf16",
    "avx512bf16-packed-bf16",
    "amx-packed-bf16",
};

enum { N_KERNEL = sizeof kernels / sizeof *kernels };

static const size_t shapes[][3] = {
    {1, 1, 1},     {1, 7, 5},       {2, 4, 16},     {3, 33, 17},
    {5, 64, 64},   {16, 96, 33},    {17, 130, 257}, {97, 65, 512},
    {7, 257, 30},  {193, 40, 300},  {13, 300, 70},  {6, 5, 4},
    {12, 31, 259}, {400, 1100, 40}, {3, 9000, 520}, {5, 40, 4500},
};

enum { N_SHAPE = sizeof shapes / sizeof *shapes };

static float *random_matrix(size_t n, uint64_t seed)
{
    float *matrix = oy_alloc_array(n, sizeof *matrix);
    struct oy_random random = oy_random_at(seed, n);

    for (size_t i = 0; i < n; i++)
        matrix[i] = (float)(oy_random_unit(&random) * 2 - 1);
    return matrix;
}

/* NULL when this machine has no such kernel. */
static struct gemm *open_kernel(const char *name, struct oy_pool *pool)
{
    struct oy_error err = {0};
    struct gemm *gemm = gemm_new(name, pool, &err);

    if (!gemm)
        print_message("SKIPPED kernel %s: %s\n", name, err.message);
    return gemm;
}

static struct oy_pool *open_pool(int n)
{
    struct oy_error err = {0};
    struct oy_pool *pool = oy_pool_new(n, &err);

    assert_non_null(pool);
    return pool;
}

static void assert_near(const float *got, const double *want, size_t n,
                        size_t depth)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(got[i] - want[i]) <= 2e-7 * (double)depth + 1e-6))
            fail_msg("element %zu: %g, want %g", i, got[i], want[i]);
    }
}

/* want[m][n] = sum a(m, k) b(k, n) + c. */
static double *multiply(const size_t *s, const float *a, size_t am, size_t ak,
                        const float *b, size_t bk, size_t bn, const float *c)
{
    double *want = oy_alloc_array(s[0] * s[1], sizeof *want);

    for (size_t i = 0; i < s[0]; i++) {
        for (size_t j = 0; j < s[1]; j++) {
            double sum = c ? c[i * s[1] + j] : 0;
            for (size_t p = 0; p < s[2]; p++)
                sum += (double)a[i * am + p * ak] * b[p * bk + j * bn];
            want[i * s[1] + j] = sum;
        }
    }
    return want;
}

/* What a product of the gemm sees of a matrix. */
static float *operand(const struct gemm *gemm, size_t n, uint64_t seed)
{
    float *matrix = random_matrix(n, seed);

    for (size_t i = 0; gemm_is_bf16(gemm) && i < n; i++)
        matrix[i] = float_of_bfloat(bfloat_of_float(matrix[i]));
    return matrix;
}

static void check_forms(struct gemm *gemm, const size_t *s)
{
    const size_t m = s[0], n = s[1], k = s[2];
    float *x = operand(gemm, m * k, 1), *w = operand(gemm, n * k, 2);
    float *y = random_matrix(m * n, 3), *start = random_matrix(m * n, 3);

    double *want = multiply(s, x, k, 1, w, 1, k, start);
    gemm_nt(gemm, m, n, k, x, k, w, k, y, n, 1);
    assert_near(y, want, m * n, k);
    oy_free(want);
    want = multiply(s, x, k, 1, w, 1, k, NULL);
    memset(y, 0xff, m * n * sizeof *y); /* NaN must not be read */
    gemm_nt(gemm, m, n, k, x, k, w, k, y, n, 0);
    assert_near(y, want, m * n, k);
    memset(y, 0xff, m * n * sizeof *y);
    gemm_small_nt(gemm, m, n, k, 1, x, k, w, k, 0, y, n);
    assert_near(y, want, m * n, k);
    oy_free(want);

    want = multiply(s, x, k, 1, w, n, 1, NULL);
    memset(y, 0xff, m * n * sizeof *y);
    gemm_nn(gemm, m, n, k, x, k, w, n, y, n, 0);
    assert_near(y, want, m * n, k);
    memset(y, 0xff, m * n * sizeof *y);
    gemm_small_nn(gemm, m, n, k, 1, x, k, w, n, 0, y, n);
    assert_near(y, want, m * n, k);
    oy_free(want);

    want = multiply(s, x, 1, m, w, n, 1, start);
    memcpy(y, start, m * n * sizeof *y);
    gemm_tn(gemm, m, n, k, x, m, w, n, y, n);
    assert_near(y, want, m * n, k);
    memcpy(y, start, m * n * sizeof *y);
    gemm_small_tn(gemm, m, n, k, 1, x, m, w, n, 1, y, n);
    assert_near(y, want, m * n, k);
    oy_free(want);
    oy_free(x);
    oy_free(w);
    oy_free(y);
    oy_free(start);
}

static void test_forms(void **state)
{
    struct oy_pool *pool = open_pool(2);

    (void)state;
    for (int i = 0; i < N_KERNEL; i++) {
        struct gemm *gemm = open_kernel(kernels[i], pool);
        for (int j = 0; gemm && j < N_SHAPE; j++)
            check_forms(gemm, shapes[j]);
        gemm_free(gemm);
    }
    oy_pool_free(pool);
}

/* Rows alone, in every smaller batch, and with other threads. */
static void check_rows(struct gemm *gemm, struct gemm *other, size_t n,
                       size_t k)
{
    enum { M = 210 };
    static const size_t counts[] = {1, 2, 3, 5, 8, 16, 17, 96, 100, 209};
    float *x = random_matrix(M * k, 4), *w = random_matrix(n * k, 5);
    float *all = oy_calloc(M * n, sizeof *all);
    float *part = oy_calloc(M * n, sizeof *part);

    gemm_nt(gemm, M, n, k, x, k, w, k, all, n, 0);
    gemm_nt(other, M, n, k, x, k, w, k, part, n, 0);
    assert_memory_equal(all, part, M * n * sizeof *all);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t m = counts[c], from = M - m;
        gemm_nt(gemm, m, n, k, x + from * k, k, w, k, part, n, 0);
        assert_memory_equal(all + from * n, part, m * n * sizeof *all);
    }
    oy_free(x);
    oy_free(w);
    oy_free(all);
    oy_free(part);
}

static void test_rows_do_not_know_their_batch(void **state)
{
    static const size_t nk[][2] = {{64, 64},   {100, 77},  {576, 512},
                                   {192, 576}, {70, 1408}, {257, 33}};
    struct oy_pool *one = open_pool(1), *three = open_pool(3);

    (void)state;
    for (int i = 0; i < N_KERNEL; i++) {
        struct gemm *gemm = open_kernel(kernels[i], one);
        struct gemm *other = gemm ? open_kernel(kernels[i], three) : NULL;
        for (size_t j = 0; other && j < sizeof nk / sizeof *nk; j++)
            check_rows(gemm, other, nk[j][0], nk[j][1]);
        gemm_free(gemm);
        gemm_free(other);
    }
    oy_pool_free(one);
    oy_pool_free(three);
}

/* The gradients' sums too are the same for any number of threads. */
static void test_threads(void **state)
{
    enum { M = 300, N = 260, K = 310 };
    struct oy_pool *one = open_pool(1), *three = open_pool(3);

    (void)state;
    for (int i = 0; i < N_KERNEL; i++) {
        struct gemm *gemm = open_kernel(kernels[i], one);
        struct gemm *other = gemm ? open_kernel(kernels[i], three) : NULL;
        float *x = random_matrix(M * K, 6), *w = random_matrix(N * M, 7);
        float *a = oy_calloc(N * K, sizeof *a), *b = oy_calloc(N * K, 4);
        if (other) {
            gemm_tn(gemm, N, K, M, w, N, x, K, a, K);
            gemm_tn(other, N, K, M, w, N, x, K, b, K);
            assert_memory_equal(a, b, N * K * sizeof *a);
            gemm_nn(gemm, N, K, M, w, M, x, K, a, K, 1);
            gemm_nn(other, N, K, M, w, M, x, K, b, K, 1);
            assert_memory_equal(a, b, N * K * sizeof *a);
        }
        gemm_free(gemm);
        gemm_free(other);
        oy_free(x);
        oy_free(w);
        oy_free(a);
        oy_free(b);
    }
    oy_pool_free(one);
    oy_pool_free(three);
}

/* Products round for themselves, operands that lie in any way. */
static void check_rounding(struct gemm *gemm)
{
    enum { M = 50, N = 45, K = 70 };
    float *x = random_matrix(M * K, 1), *w = random_matrix(N * K, 2);
    float *rounded_x = operand(gemm, M * K, 1);
    float *rounded_w = operand(gemm, N * K, 2);
    float a[M * N], b[M * N];

    gemm_nt(gemm, M, N, K, x, K, w, K, a, N, 0);
    gemm_nt(gemm, M, N, K, rounded_x, K, rounded_w, K, b, N, 0);
    assert_memory_equal(a, b, sizeof a);
    gemm_small_tn(gemm, M, N, K, 0.5F, x, M, w, N, 2, a, N);
    gemm_small_tn(gemm, M, N, K, 0.5F, rounded_x, M, rounded_w, N, 2, b, N);
    assert_memory_equal(a, b, sizeof a);
    x[7 * K + 3] = NAN;
    gemm_nt(gemm, M, N, K, x, K, w, K, a, N, 0);
    for (size_t i = 0; i < M * N; i++)
        assert_int_equal(isnan(a[i]) != 0, i / N == 7);
    oy_free(x);
    oy_free(w);
    oy_free(rounded_x);
    oy_free(rounded_w);
}

static void test_rounding(void **state)
{
    (void)state;
    for (int i = 0; i < N_KERNEL; i++) {
        struct gemm *gemm = open_kernel(kernels[i], NULL);
        if (gemm && gemm_is_bf16(gemm))
            check_rounding(gemm);
        gemm_free(gemm);
    }
}

/* Strides, alpha and beta; floats between rows stay as they are. */
static void check_strides(struct gemm *gemm)
{
    enum { M = 9, N = 11, K = 13, STRIDE = 20 };
    float *x = operand(gemm, M * STRIDE, 8), *w = operand(gemm, N * STRIDE, 9);
    float y[M * STRIDE];

    for (int i = 0; i < M * STRIDE; i++)
        y[i] = 3;
    gemm_small_nt(gemm, M, N, K, 0.5F, x, STRIDE, w, STRIDE, 2, y, STRIDE);
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < STRIDE; j++) {
            double want = 3;
            for (int p = 0; j < N && p < K; p++)
                want += 0.5 * x[i * STRIDE + p] * w[j * STRIDE + p];
            if (j < N)
                want += 3;
            assert_true(fabs(y[i * STRIDE + j] - want) < 1e-5);
        }
    }
    oy_free(x);
    oy_free(w);
}

static void test_strides(void **state)
{
    (void)state;
    for (int i = 0; i < N_KERNEL; i++) {
        struct gemm *gemm = open_kernel(kernels[i], NULL);
        if (gemm && !strstr(kernels[i], "openblas"))
            check_strides(gemm);
        gemm_free(gemm);
    }
}

static void test_names(void **state)
{
    struct oy_error err = {0};

    (void)state;
    assert_null(gemm_new("nonsense", NULL, &err));
    assert_int_equal(err.code, OY_USAGE);
    struct gemm *gemm = gemm_new(NULL, NULL, &err);
    assert_non_null(gemm);
    assert_true(strlen(gemm_kernel_name(gemm)) > 0);
    assert_null(strstr(gemm_kernel_name(gemm), "-packed"));
    assert_null(gemm_pool(gemm));
    gemm_free(gemm);
    assert_null(gemm_new("nonsense-packed", NULL, &err));
    assert_null(gemm_new("-packed", NULL, &err));
    gemm = gemm_new("packed", NULL, &err);
    assert_non_null(strstr(gemm_kernel_name(gemm), "-packed"));
    assert_false(gemm_is_bf16(gemm));
    gemm_free(gemm);
    assert_null(gemm_new("-bf16", NULL, &err));
    assert_null(gemm_new("plain-bf16", NULL, &err));
    assert_null(gemm_new("amx-packed", NULL, &err));
    gemm = gemm_new("packed-bf16", NULL, &err);
    assert_non_null(strstr(gemm_kernel_name(gemm), "-packed-bf16"));
    assert_true(gemm_is_bf16(gemm));
    gemm_free(gemm);
    gemm_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_rows_do_not_know_their_batch),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

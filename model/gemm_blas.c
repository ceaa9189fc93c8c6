/* SPDX-License-Identifier: Apache-2.0
 *
 * Products by OpenBLAS, in tiles over the pool, and the test that it must
 * pass. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "model/gemm_internal.h"

enum { BLAS_TILE_M = 256, BLAS_TILE_N = 256 };

static void call_sgemm(const struct blas_product *job)
{
    job->gemm->blas.sgemm(BLAS_ROW_MAJOR, job->transpose_a, job->transpose_b,
                          (int)job->m, (int)job->n, (int)job->k, 1, job->a,
                          (int)job->lda, job->b, (int)job->ldb, job->beta,
                          job->c, (int)job->ldc);
}

/* The last rows of a matrix whose count is no multiple of GEMM_ROW_TILE, with
 * zero rows behind. */
static void call_sgemm_padded(struct blas_product job)
{
    const size_t m = job.m;
    const float *a = job.a;
    float *c = job.c;
    const size_t ldc = job.ldc;
    float *a_pad = oy_calloc(GEMM_ROW_TILE * job.k, sizeof *a_pad);
    float *c_pad = oy_calloc(GEMM_ROW_TILE * job.n, sizeof *c_pad);

    for (size_t i = 0; i < m; i++) {
        memcpy(a_pad + i * job.k, a + i * job.lda, job.k * sizeof *a);
        memcpy(c_pad + i * job.n, c + i * ldc, job.n * sizeof *c);
    }
    job.m = GEMM_ROW_TILE;
    job.a = a_pad;
    job.lda = job.k;
    job.c = c_pad;
    job.ldc = job.n;
    call_sgemm(&job);
    for (size_t i = 0; i < m; i++)
        memcpy(c + i * ldc, c_pad + i * job.n, job.n * sizeof *c);
    oy_free(a_pad);
    oy_free(c_pad);
}

static void run_blas_tile(void *arg, size_t tile, int worker)
{
    const struct blas_product *product = arg;
    const size_t m = tile / product->n_tile_n * BLAS_TILE_M;
    const size_t n = tile % product->n_tile_n * BLAS_TILE_N;
    struct blas_product job = *product;

    (void)worker;
    job.m = gemm_smaller(job.m - m, BLAS_TILE_M);
    job.n = gemm_smaller(job.n - n, BLAS_TILE_N);
    job.a += job.transpose_a == BLAS_TRANSPOSED ? m : m * job.lda;
    job.b += job.transpose_b == BLAS_TRANSPOSED ? n * job.ldb : n;
    job.c += m * job.ldc + n;
    if (job.transpose_a == BLAS_TRANSPOSED) {
        call_sgemm(&job);
        return;
    }
    const size_t tail = job.m % GEMM_ROW_TILE;
    job.m -= tail;
    if (job.m)
        call_sgemm(&job);
    job.a += job.m * job.lda;
    job.c += job.m * job.ldc;
    job.m = tail;
    if (tail)
        call_sgemm_padded(job);
}

void gemm_run_blas(struct blas_product *product)
{
    product->n_tile_n = gemm_tiles(product->n, BLAS_TILE_N);
    oy_pool_run(product->gemm->pool,
                gemm_tiles(product->m, BLAS_TILE_M) * product->n_tile_n,
                run_blas_tile, product);
}

/* ---- the test ---- */

/* Numbers whose sums round differently in every order. */
static void fill_test(float *out, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        out[i] = (float)(int32_t)(seed >> 32) * 0x1p-31f;
    }
}

/* Whether the first 32 of 256 rows equal the same 32 rows alone, and rows in
 * a padded tail those inside. */
static int rows_are_stable(struct gemm *gemm, size_t n, size_t k)
{
    enum { M = 256, ODD = 7 };
    float *x = oy_alloc_array(M * k, sizeof *x);
    float *w = oy_alloc_array(n * k, sizeof *w);
    float *all = oy_calloc(M * n, sizeof *all);
    float *part = oy_calloc(M * n, sizeof *part);
    int stable;

    fill_test(x, M * k, 1);
    fill_test(w, n * k, 2);
    gemm_nt(gemm, M, n, k, x, k, w, k, all, n, 0);
    gemm_nt(gemm, GEMM_ROW_TILE, n, k, x, k, w, k, part, n, 0);
    stable = !memcmp(all, part, GEMM_ROW_TILE * n * sizeof *all);
    gemm_nt(gemm, ODD, n, k, x + ODD * k, k, w, k, part, n, 0);
    stable = stable && !memcmp(all + ODD * n, part, ODD * n * sizeof *all);
    oy_free(x);
    oy_free(w);
    oy_free(all);
    oy_free(part);
    return stable;
}

/* With shapes of real models: hidden sizes, their head and MLP widths. */
int gemm_open_blas(struct gemm *gemm, struct oy_error *err)
{
    static const size_t shape[][2] = {
        {64, 192}, {512, 1408}, {960, 576}, {576, 1536}, {1024, 768}};

    if (blas_open(&gemm->blas, err))
        return -1;
    snprintf(gemm->name, sizeof gemm->name, "openblas-%s", gemm->blas.core);
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        if (!rows_are_stable(gemm, shape[i][0], shape[i][1]))
            return oy_fail(err, OY_SYSTEM,
                           "kernel '%s': rows depend on the batch on this CPU",
                           gemm->name);
    }
    return 0;
}

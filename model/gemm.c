/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products in tiles over the pool, by own kernels or OpenBLAS. */
#include "model/gemm.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "model/blas.h"
#include "model/kernel_internal.h"

enum {
    /* Tiles of `dot`: the rows of x stay in the second cache, w is read once
     * a tile. */
    DOT_TILE_M = 96,
    DOT_TILE_N = 64,
    /* Tiles of `outer`: c and the packed rows stay in the second cache, packing
     * the rows is paid for by the columns. Few rows are cut finer, so that
     * threads have something to take. */
    OUTER_TILE_M = 2 * KERNEL_ROWS,
    OUTER_TILE_N = 1024,
    OUTER_LEAST_M = 48,
    OUTER_WANTED_TILES = 24,
    /* What is packed of b at once for all tiles: 16 MiB, at most so deep. */
    PACKED_FLOATS = 4 << 20,
    PACKED_DEPTH = 4096,
    PACKED_LEAST_DEPTH = 512,
    PACKED_SPARE = PACKED_FLOATS / PACKED_LEAST_DEPTH * KERNEL_LEAST,
    /* Tiles given to OpenBLAS. */
    BLAS_TILE_M = 256,
    BLAS_TILE_N = 256,
    SMALL_PACK_ROWS = KERNEL_ROWS,
};

struct gemm {
    const struct kernel_table *kernel;
    struct oy_pool *pool;
    struct blas blas; /* library NULL: own kernels */
    int is_packed;    /* all products by `outer` */
    int is_bf16;      /* with operands rounded to bf16 */
    char name[48];
    float **scratch;         /* [worker]: for OUTER_TILE_M rows */
    float *packed;           /* [PACKED_FLOATS + PACKED_SPARE] of is_packed */
    struct profile *profile; /* borrowed, or NULL */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t tiles(size_t n, size_t tile)
{
    return (n + tile - 1) / tile;
}

/* ---- one product over the pool ---- */

/* A whole product by own kernels: one of the two, to be cut into tiles. */
struct product {
    const struct gemm *gemm;
    const struct kernel_dot *dot;
    const struct kernel_outer *outer;
    size_t n_tile_n;
    size_t tile_m, n_tile_m; /* of `outer` */
    float *packed;           /* its columns */
};

static void run_dot_tile(void *arg, size_t tile, int worker)
{
    const struct product *product = arg;
    const size_t m = tile / product->n_tile_n * DOT_TILE_M;
    const size_t n = tile % product->n_tile_n * DOT_TILE_N;
    struct kernel_dot job = *product->dot;

    (void)worker;
    job.x += m * job.x_stride;
    job.w += n * job.w_stride;
    job.y += m * job.y_stride + n;
    job.m = smaller(job.m - m, DOT_TILE_M);
    job.n = smaller(job.n - n, DOT_TILE_N);
    product->gemm->kernel->dot(&job);
}

/* Tiles below each other have columns of b in common and follow each other. */
static void run_outer_tile(void *arg, size_t tile, int worker)
{
    const struct product *product = arg;
    const size_t m = tile % product->n_tile_m * product->tile_m;
    const size_t n = tile / product->n_tile_m * OUTER_TILE_N;
    struct kernel_outer job = *product->outer;

    job.a += m * job.a_row;
    job.b += n * job.b_column;
    job.panel = n / KERNEL_COLUMNS;
    job.c += m * job.c_stride + n;
    job.m = smaller(job.m - m, product->tile_m);
    job.n = smaller(job.n - n, OUTER_TILE_N);
    job.pack_rows = product->tile_m;
    job.scratch = product->gemm->scratch[worker];
    product->gemm->kernel->outer(&job);
}

static void run_pack(void *arg, size_t task, int worker)
{
    const struct product *product = arg;
    const size_t n_group = tiles(product->outer->n_panel, KERNEL_GROUP);

    (void)worker;
    product->gemm->kernel->pack(product->outer, task / n_group, task % n_group,
                                product->packed);
}

static void run_dot(struct gemm *gemm, const struct kernel_dot *dot)
{
    struct product product = {
        .gemm = gemm, .dot = dot, .n_tile_n = tiles(dot->n, DOT_TILE_N)};

    oy_pool_run(gemm->pool, tiles(dot->m, DOT_TILE_M) * product.n_tile_n,
                run_dot_tile, &product);
}

/* Rows of a tile: equal parts, in whole tiles of the set. A function of the
 * shape alone; bits do not depend on it. */
static size_t outer_tile_rows(const struct kernel_table *kernel, size_t m,
                              size_t n_tile_n)
{
    const size_t wanted =
        smaller(tiles(OUTER_WANTED_TILES, n_tile_n), tiles(m, OUTER_LEAST_M));
    const size_t least = tiles(m, OUTER_TILE_M);
    const size_t n = wanted > least ? wanted : least;

    return tiles(tiles(m, n), kernel->rows) * kernel->rows;
}

/* A part of a product whose columns fit the memory for them. */
static void run_outer_part(struct gemm *gemm, struct kernel_outer *outer)
{
    struct product product = {
        .gemm = gemm, .outer = outer, .packed = gemm->packed};
    const size_t n_tile_n = tiles(outer->n, OUTER_TILE_N);

    outer->n_panel = tiles(outer->n, KERNEL_COLUMNS);
    if (gemm->packed)
        oy_pool_run(gemm->pool,
                    tiles(outer->k, gemm->kernel->depth) *
                        tiles(outer->n_panel, KERNEL_GROUP),
                    run_pack, &product);
    outer->packed = gemm->packed;
    product.tile_m = outer_tile_rows(gemm->kernel, outer->m, n_tile_n);
    product.n_tile_m = tiles(outer->m, product.tile_m);
    oy_pool_run(gemm->pool, product.n_tile_m * n_tile_n, run_outer_tile,
                &product);
}

/* A whole product, part by part. */
static void run_outer(struct gemm *gemm, const struct kernel_outer *outer)
{
    const size_t depth = outer->k < PACKED_LEAST_DEPTH
                             ? PACKED_LEAST_DEPTH
                             : smaller(outer->k, PACKED_DEPTH);
    const size_t most_n = PACKED_FLOATS / depth / OUTER_TILE_N * OUTER_TILE_N;

    for (size_t n = 0; outer->m && n < outer->n; n += most_n) {
        for (size_t k = 0; k < outer->k; k += PACKED_DEPTH) {
            struct kernel_outer part = *outer;
            part.n = smaller(outer->n - n, most_n);
            part.k = smaller(outer->k - k, PACKED_DEPTH);
            part.a += k * outer->a_depth;
            part.b += k * outer->b_depth + n * outer->b_column;
            part.c += n;
            part.beta = k ? 1 : outer->beta;
            part.rounds = gemm->is_bf16;
            run_outer_part(gemm, &part);
        }
    }
}

/* ---- OpenBLAS ---- */

/* c = a b (+ c) in the terms of cblas, cut into tiles of c. */
struct blas_product {
    const struct gemm *gemm;
    int transpose_a, transpose_b;
    size_t m, n, k;
    const float *a, *b;
    size_t lda, ldb;
    float *c;
    size_t ldc;
    float beta;
    size_t n_tile_n;
};

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
    job.m = smaller(job.m - m, BLAS_TILE_M);
    job.n = smaller(job.n - n, BLAS_TILE_N);
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

static void run_blas(struct blas_product *product)
{
    product->n_tile_n = tiles(product->n, BLAS_TILE_N);
    oy_pool_run(product->gemm->pool,
                tiles(product->m, BLAS_TILE_M) * product->n_tile_n,
                run_blas_tile, product);
}

/* ---- the door ---- */

static enum peak_type product_type(const struct gemm *gemm)
{
    return gemm->is_bf16 ? PEAK_BF16 : PEAK_F32;
}

void gemm_nt(struct gemm *gemm, size_t m, size_t n, size_t k, const float *x,
             size_t x_stride, const float *w, size_t w_stride, float *y,
             size_t y_stride, int accumulate)
{
    const float beta = accumulate ? 1 : 0;

    if (gemm->blas.library) {
        struct blas_product product = {
            gemm, BLAS_AS_IS, BLAS_TRANSPOSED, m, n,        k,    x,
            w,    x_stride,   w_stride,        y, y_stride, beta, 0};
        run_blas(&product);
    } else if (gemm->is_packed) {
        const struct kernel_outer outer = {.m = m,
                                           .n = n,
                                           .k = k,
                                           .a = x,
                                           .b = w,
                                           .a_row = x_stride,
                                           .a_depth = 1,
                                           .b_depth = 1,
                                           .b_column = w_stride,
                                           .alpha = 1,
                                           .beta = beta,
                                           .c = y,
                                           .c_stride = y_stride};
        run_outer(gemm, &outer);
    } else {
        const struct kernel_dot dot = {m,        n, k,        x, w,   x_stride,
                                       w_stride, y, y_stride, 1, beta};
        run_dot(gemm, &dot);
    }
    profile_product(gemm->profile, PROFILE_FORWARD, product_type(gemm), m, n,
                    k);
}

void gemm_nn(struct gemm *gemm, size_t m, size_t k, size_t n, const float *dy,
             size_t dy_stride, const float *w, size_t w_stride, float *dx,
             size_t dx_stride, int accumulate)
{
    const float beta = accumulate ? 1 : 0;

    if (gemm->blas.library) {
        struct blas_product product = {
            gemm, BLAS_AS_IS, BLAS_AS_IS, m,  k,         n,    dy,
            w,    dy_stride,  w_stride,   dx, dx_stride, beta, 0};
        run_blas(&product);
    } else {
        const struct kernel_outer outer = {.m = m,
                                           .n = k,
                                           .k = n,
                                           .a = dy,
                                           .b = w,
                                           .a_row = dy_stride,
                                           .a_depth = 1,
                                           .b_depth = w_stride,
                                           .b_column = 1,
                                           .alpha = 1,
                                           .beta = beta,
                                           .c = dx,
                                           .c_stride = dx_stride};
        run_outer(gemm, &outer);
    }
    profile_product(gemm->profile, PROFILE_INPUT_GRADIENT, product_type(gemm),
                    m, k, n);
}

void gemm_tn(struct gemm *gemm, size_t n, size_t k, size_t m, const float *dy,
             size_t dy_stride, const float *x, size_t x_stride, float *dw,
             size_t dw_stride)
{
    if (gemm->blas.library) {
        struct blas_product product = {
            gemm, BLAS_TRANSPOSED, BLAS_AS_IS, n,  k,         m, dy,
            x,    dy_stride,       x_stride,   dw, dw_stride, 1, 0};
        run_blas(&product);
    } else {
        const struct kernel_outer outer = {.m = n,
                                           .n = k,
                                           .k = m,
                                           .a = dy,
                                           .b = x,
                                           .a_row = 1,
                                           .a_depth = dy_stride,
                                           .b_depth = x_stride,
                                           .b_column = 1,
                                           .alpha = 1,
                                           .beta = 1,
                                           .c = dw,
                                           .c_stride = dw_stride};
        run_outer(gemm, &outer);
    }
    profile_product(gemm->profile, PROFILE_WEIGHT_GRADIENT, product_type(gemm),
                    n, k, m);
}

/* As many rows at once as there is room for beside the columns. */
static void run_small_outer(const struct gemm *gemm, struct kernel_outer *outer)
{
    enum { ROOM = KERNEL_SCRATCH(SMALL_PACK_ROWS, KERNEL_DEPTH) };
    float scratch[ROOM] __attribute__((aligned(64)));
    const size_t rows = ROOM / KERNEL_PIECE(outer->k) - KERNEL_COLUMNS;

    outer->pack_rows = rows / KERNEL_ROWS * KERNEL_ROWS;
    outer->scratch = scratch;
    outer->rounds = gemm->is_bf16;
    gemm->kernel->outer(outer);
}

void gemm_small_nt(const struct gemm *gemm, size_t m, size_t n, size_t k,
                   float alpha, const float *x, size_t x_stride, const float *w,
                   size_t w_stride, float beta, float *y, size_t y_stride)
{
    const struct kernel_dot dot = {m,        n, k,        x,     w,   x_stride,
                                   w_stride, y, y_stride, alpha, beta};
    struct kernel_outer outer = {.m = m,
                                 .n = n,
                                 .k = k,
                                 .a = x,
                                 .b = w,
                                 .a_row = x_stride,
                                 .a_depth = 1,
                                 .b_depth = 1,
                                 .b_column = w_stride,
                                 .alpha = alpha,
                                 .beta = beta,
                                 .c = y,
                                 .c_stride = y_stride};

    if (gemm->is_packed)
        run_small_outer(gemm, &outer);
    else
        gemm->kernel->dot(&dot);
}

void gemm_small_nn(const struct gemm *gemm, size_t m, size_t n, size_t k,
                   float alpha, const float *x, size_t x_stride, const float *w,
                   size_t w_stride, float beta, float *y, size_t y_stride)
{
    struct kernel_outer outer = {.m = m,
                                 .n = n,
                                 .k = k,
                                 .a = x,
                                 .b = w,
                                 .a_row = x_stride,
                                 .a_depth = 1,
                                 .b_depth = w_stride,
                                 .b_column = 1,
                                 .alpha = alpha,
                                 .beta = beta,
                                 .c = y,
                                 .c_stride = y_stride};

    run_small_outer(gemm, &outer);
}

void gemm_small_tn(const struct gemm *gemm, size_t m, size_t n, size_t k,
                   float alpha, const float *x, size_t x_stride, const float *w,
                   size_t w_stride, float beta, float *y, size_t y_stride)
{
    struct kernel_outer outer = {.m = m,
                                 .n = n,
                                 .k = k,
                                 .a = x,
                                 .b = w,
                                 .a_row = 1,
                                 .a_depth = x_stride,
                                 .b_depth = w_stride,
                                 .b_column = 1,
                                 .alpha = alpha,
                                 .beta = beta,
                                 .c = y,
                                 .c_stride = y_stride};

    run_small_outer(gemm, &outer);
}

/* ---- life ---- */

/* In the order of the levels of core/cpu.h. */
static const struct kernel_table *const kernels[] = {
    [OY_CPU_PLAIN] = &kernel_plain,
#ifdef __x86_64__
    [OY_CPU_AVX2] = &kernel_avx2,
    [OY_CPU_AVX512] = &kernel_avx512,
    [OY_CPU_AVX512BF16] = &kernel_avx512bf16,
    [OY_CPU_AMX] = &kernel_amx,
#endif
};

/* The set of the first `len` bytes of a name, or the best one without a name,
 * that this CPU can run; NULL if there is none. Sets for bf16 have no f32. */
static const struct kernel_table *find_kernel(const char *name, size_t len,
                                              int is_bf16)
{
    const struct kernel_table *best = NULL;

    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const struct kernel_table *const one = kernels[i];
        if (i > oy_cpu_level() || (one->is_bf16 && !is_bf16))
            continue;
        if (!name ||
            (strlen(one->name) == len && !memcmp(one->name, name, len)))
            best = one;
    }
    return best;
}

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
static int open_blas(struct gemm *gemm, struct oy_error *err)
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

/* Whether the first *len bytes of a name end so; they are cut off then. */
static int cut_ending(const char *name, size_t *len, const char *ending)
{
    const size_t n = strlen(ending);

    if (*len < n || memcmp(name + *len - n, ending, n) != 0)
        return 0;
    *len -= n;
    return 1;
}

static int choose_kernel(struct gemm *gemm, const char *kernel,
                         struct oy_error *err)
{
    size_t len = kernel ? strlen(kernel) : 0;
    int is_best = !kernel;

    gemm->kernel = find_kernel(NULL, 0, 0);
    if (kernel && !strcmp(kernel, "openblas"))
        return open_blas(gemm, err);
    if (kernel) {
        gemm->is_bf16 = cut_ending(kernel, &len, "-bf16");
        is_best = len == strlen("packed") && !memcmp(kernel, "packed", len);
        gemm->is_packed = is_best || cut_ending(kernel, &len, "-packed");
    }
    if (gemm->is_bf16 && !gemm->is_packed)
        gemm->kernel = NULL;
    else
        gemm->kernel = find_kernel(is_best ? NULL : kernel, len, gemm->is_bf16);
    if (!gemm->kernel)
        return oy_fail(err, OY_USAGE,
                       "kernel '%s' is unknown or not for this CPU", kernel);
    snprintf(gemm->name, sizeof gemm->name, "%s%s%s", gemm->kernel->name,
             gemm->is_packed ? "-packed" : "", gemm->is_bf16 ? "-bf16" : "");
    return 0;
}

/* Sets that are for few rows pack columns for each tile anew. */
static int make_packed(struct gemm *gemm, struct oy_error *err)
{
    if (!gemm->is_packed)
        return 0;
    gemm->packed =
        oy_try_alloc(PACKED_FLOATS + PACKED_SPARE, sizeof *gemm->packed);
    return gemm->packed
               ? 0
               : oy_fail(err, OY_SYSTEM, "no memory for matrix panels");
}

static int make_scratch(struct gemm *gemm, struct oy_error *err)
{
    const size_t n = (size_t)oy_pool_size(gemm->pool);
    const size_t size = KERNEL_SCRATCH(OUTER_TILE_M, KERNEL_DEPTH);

    gemm->scratch = oy_calloc(n, sizeof *gemm->scratch);
    for (size_t i = 0; i < n; i++) {
        gemm->scratch[i] = oy_try_alloc(size, sizeof(float));
        if (!gemm->scratch[i])
            return oy_fail(err, OY_SYSTEM, "no memory for matrix tiles");
    }
    return 0;
}

struct gemm *gemm_new(const char *kernel, struct oy_pool *pool,
                      struct oy_error *err)
{
    struct gemm *gemm = oy_calloc(1, sizeof *gemm);

    gemm->pool = pool;
    if (make_scratch(gemm, err) || choose_kernel(gemm, kernel, err) ||
        make_packed(gemm, err)) {
        gemm_free(gemm);
        return NULL;
    }
    return gemm;
}

void gemm_free(struct gemm *gemm)
{
    if (!gemm)
        return;
    for (int i = 0; i < oy_pool_size(gemm->pool); i++)
        oy_free(gemm->scratch[i]);
    oy_free(gemm->scratch);
    oy_free(gemm->packed);
    blas_close(&gemm->blas);
    oy_free(gemm);
}

const char *gemm_kernel_name(const struct gemm *gemm)
{
    return gemm->name;
}

int gemm_is_bf16(const struct gemm *gemm)
{
    return gemm->is_bf16;
}

struct oy_pool *gemm_pool(const struct gemm *gemm)
{
    return gemm->pool;
}

void gemm_set_profile(struct gemm *gemm, struct profile *profile)
{
    gemm->profile = profile;
}

struct profile *gemm_profile(const struct gemm *gemm)
{
    return gemm->profile;
}

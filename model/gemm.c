/* SPDX-License-Identifier: Apache-2.0
 *
 * The door: chooses kernels, and sends each product their way. */
#include "model/gemm.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "model/gemm_internal.h"

enum {
    /* Tiles of `dot`: the rows of x stay in the second cache, w is read once
     * a tile. */
    DOT_TILE_M = 96,
    DOT_TILE_N = 64,
    SMALL_PACK_ROWS = KERNEL_ROWS,
};

/* ---- by `dot` over the pool ---- */

/* A whole product by `dot`, to be cut into tiles. */
struct dot_product {
    const struct kernel_table *kernel;
    const struct kernel_dot *dot;
    size_t n_tile_n;
};

static void run_dot_tile(void *arg, size_t tile, int worker)
{
    const struct dot_product *product = arg;
    const size_t m = tile / product->n_tile_n * DOT_TILE_M;
    const size_t n = tile % product->n_tile_n * DOT_TILE_N;
    struct kernel_dot job = *product->dot;

    (void)worker;
    job.x += m * job.x_stride;
    job.w += n * job.w_stride;
    job.y += m * job.y_stride + n;
    job.m = gemm_smaller(job.m - m, DOT_TILE_M);
    job.n = gemm_smaller(job.n - n, DOT_TILE_N);
    product->kernel->dot(&job);
}

static void run_dot(struct gemm *gemm, const struct kernel_dot *dot)
{
    struct dot_product product = {gemm->kernel, dot,
                                  gemm_tiles(dot->n, DOT_TILE_N)};

    oy_pool_run(gemm->pool, gemm_tiles(dot->m, DOT_TILE_M) * product.n_tile_n,
                run_dot_tile, &product);
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
        gemm_run_blas(&product);
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
        gemm_run_outer(gemm, &outer);
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
        gemm_run_blas(&product);
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
        gemm_run_outer(gemm, &outer);
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
        gemm_run_blas(&product);
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
        gemm_run_outer(gemm, &outer);
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
        return gemm_open_blas(gemm, err);
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

static int make_scratch(struct gemm *gemm, struct oy_error *err)
{
    const size_t n = (size_t)oy_pool_size(gemm->pool);
    const size_t size = KERNEL_SCRATCH(GEMM_OUTER_ROWS, KERNEL_DEPTH);

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
        gemm_make_packed(gemm, err)) {
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

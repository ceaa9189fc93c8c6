/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door to matrix products in f32.
 *
 * All matrices are row-major with a leading dimension (floats between rows).
 * Behind the door stands OpenBLAS, loaded at run time with the kernel that
 * fits this CPU's feature bits (its own detection picks a slow one on CPUs
 * newer than itself) and one thread; or plain C when it is missing, or when
 * its self-test at the start finds that rows depend on the batch. Threads
 * come from the caller's pool: work is cut into fixed tiles, M in whole
 * GEMM_ROW_TILE rows, so that a row's bits depend on that row and the weights
 * alone: not on M, its neighbours, or the number of threads.
 */
#ifndef MODEL_GEMM_H
#define MODEL_GEMM_H

#include <stddef.h>

#include "core/error.h"
#include "core/pool.h"

/* M is processed in tiles of this many rows; shorter tails are padded with
 * zero rows in scratch memory. */
enum { GEMM_ROW_TILE = 16 };

struct gemm;

/* `kernel` NULL chooses; "plain" and "openblas" force. NULL with 71 or 64 on
 * failure. The pool is borrowed. */
struct gemm *gemm_new(const char *kernel, struct oy_pool *pool,
                      struct oy_error *err);
void gemm_free(struct gemm *gemm);
/* "openblas-SkylakeX", "plain-avx512" ...: stands in manifests and
 * journals. Borrowed. */
const char *gemm_kernel_name(const struct gemm *gemm);
struct oy_pool *gemm_pool(const struct gemm *gemm);

/* y[M][N] = x[M][K] w[N][K]^T  (+ y when accumulate): a linear layer. */
void gemm_nt(struct gemm *gemm, size_t m, size_t n, size_t k, const float *x,
             size_t x_stride, const float *w, size_t w_stride, float *y,
             size_t y_stride, int accumulate);

/* dx[M][K] = dy[M][N] w[N][K]  (+ dx when accumulate): its input gradient. */
void gemm_nn(struct gemm *gemm, size_t m, size_t k, size_t n, const float *dy,
             size_t dy_stride, const float *w, size_t w_stride, float *dx,
             size_t dx_stride, int accumulate);

/* dw[N][K] += dy[M][N]^T x[M][K]: its weight gradient. The sum over M runs in
 * a fixed order whatever the threads. */
void gemm_tn(struct gemm *gemm, size_t n, size_t k, size_t m, const float *dy,
             size_t dy_stride, const float *x, size_t x_stride, float *dw,
             size_t dw_stride);

/* One small product in the calling thread without the pool (attention tiles
 * inside a pool task): y[m][n] = alpha x[m][k] w[n][k]^T + beta y, and the
 * form with w[k][n]. */
void gemm_small_nt(const struct gemm *gemm, size_t m, size_t n, size_t k,
                   float alpha, const float *x, size_t x_stride, const float *w,
                   size_t w_stride, float beta, float *y, size_t y_stride);
void gemm_small_nn(const struct gemm *gemm, size_t m, size_t n, size_t k,
                   float alpha, const float *x, size_t x_stride, const float *w,
                   size_t w_stride, float beta, float *y, size_t y_stride);
void gemm_small_tn(const struct gemm *gemm, size_t m, size_t n, size_t k,
                   float alpha, const float *x, size_t x_stride, const float *w,
                   size_t w_stride, float beta, float *y, size_t y_stride);

#endif

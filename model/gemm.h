/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door to matrix products of f32, and of f32 rounded to bf16.
 *
 * All matrices are row-major with a leading dimension (floats between rows).
 * Behind the door stand own kernels, one set for each level of core/cpu.h;
 * OpenBLAS can be asked for by name, and is then refused when its self-test
 * finds that rows depend on the batch (its AVX2 kernel does that). Threads
 * come from the caller's pool: work is cut into fixed tiles, so that a row's
 * bits depend on that row and the weights alone: not on M, its neighbours, or
 * the number of threads.
 */
#ifndef MODEL_GEMM_H
#define MODEL_GEMM_H

#include <stddef.h>

#include "core/error.h"
#include "core/pool.h"
#include "model/profile.h"

/* OpenBLAS sees M in multiples of this many rows; shorter tails are padded
 * with zero rows in scratch memory (its kernels for small matrices, which add
 * in another order, take fewer). Own kernels take any M. */
enum { GEMM_ROW_TILE = 32 };

struct gemm;

/* `kernel` NULL chooses the best own one; "plain", "avx2", "avx512" and
 * "openblas" force. These are quick with one row too. "packed" (the best own
 * one), "plain-packed", "avx2-packed" and "avx512-packed" are kernel sets for
 * hundreds of rows, such as training has: all products pack both operands,
 * which a few rows do not pay for; sums run along K in order. With "-bf16"
 * behind these, operands are rounded to bf16 and their products added in f32;
 * "packed-bf16" takes the CPU's own instructions for that, whose sets are
 * "avx512bf16-packed-bf16" and "amx-packed-bf16" (others go the way of f32).
 * NULL with 64 for a name that is unknown or that this CPU lacks, with 71 when
 * OpenBLAS is missing or fails its self-test. The pool is borrowed. One gemm
 * is not for two threads at once, but for the small products. */
struct gemm *gemm_new(const char *kernel, struct oy_pool *pool,
                      struct oy_error *err);
void gemm_free(struct gemm *gemm);
/* "avx512", "openblas-SkylakeX" ...: stands in manifests and
 * journals. Borrowed. */
const char *gemm_kernel_name(const struct gemm *gemm);
/* Whether its products round their operands. */
int gemm_is_bf16(const struct gemm *gemm);
struct oy_pool *gemm_pool(const struct gemm *gemm);
/* Where its products, and what others do between them, are booked from now on;
 * borrowed. NULL, as at first: nowhere. */
void gemm_set_profile(struct gemm *gemm, struct profile *profile);
struct profile *gemm_profile(const struct gemm *gemm);

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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Panel kernels for CPUs with AVX2: tiles of 6 x 16; a pair of bf16 is two
 * fused steps in f32. */
#ifdef __x86_64__

#pragma GCC target("avx2,fma")

#include <immintrin.h>

typedef __m256 vec;

enum { LANES = 8, TILE_ROWS = 6, TILE_VECS = 2, ROW_VECS = 8 };

static inline __attribute__((always_inline)) vec vec_zero(void)
{
    return _mm256_setzero_ps();
}

static inline __attribute__((always_inline)) vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline __attribute__((always_inline)) void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

static inline __attribute__((always_inline)) vec vec_all(const float *p)
{
    return _mm256_broadcast_ss(p);
}

static inline __attribute__((always_inline)) vec vec_step(vec x, vec w, vec sum)
{
    return _mm256_fmadd_ps(x, w, sum);
}

static inline __attribute__((always_inline)) vec vec_low(vec pair)
{
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_castps_si256(pair), 16));
}

static inline __attribute__((always_inline)) vec vec_high(vec pair)
{
    return _mm256_and_ps(pair,
                         _mm256_castsi256_ps(_mm256_set1_epi32(-0x10000)));
}

static inline __attribute__((always_inline)) vec vec_step_bf16(vec x, vec w,
                                                               vec sum)
{
    sum = _mm256_fmadd_ps(vec_low(x), vec_low(w), sum);
    return _mm256_fmadd_ps(vec_high(x), vec_high(w), sum);
}

#include "model/panel_tile_internal.h"

const struct panel_kernel panel_avx2 = {"avx2", "avx2-bf16", 0, run_f32,
                                        run_bf16};

#endif

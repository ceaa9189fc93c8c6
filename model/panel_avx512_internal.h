/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector of 16 floats that the AVX-512 panel kernels share; to be included
 * behind their choice of a target. */
#ifndef MODEL_PANEL_AVX512_INTERNAL_H
#define MODEL_PANEL_AVX512_INTERNAL_H

#include <immintrin.h>

typedef __m512 vec;

enum { LANES = 16, TILE_ROWS = 6, TILE_VECS = 4, ROW_VECS = 4 };

static inline __attribute__((always_inline)) vec vec_zero(void)
{
    return _mm512_setzero_ps();
}

static inline __attribute__((always_inline)) vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline __attribute__((always_inline)) void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

static inline __attribute__((always_inline)) vec vec_all(const float *p)
{
    return _mm512_set1_ps(*p);
}

static inline __attribute__((always_inline)) vec vec_step(vec x, vec w, vec sum)
{
    return _mm512_fmadd_ps(x, w, sum);
}

#endif

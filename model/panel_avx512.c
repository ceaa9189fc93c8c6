/* SPDX-License-Identifier: Apache-2.0
 *
 * Panel kernels for CPUs with AVX-512: tiles of 6 x 64; a pair of bf16 is two
 * fused steps in f32. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")

#include <immintrin.h>

#include "model/panel_avx512_internal.h"

static inline __attribute__((always_inline)) vec vec_low(vec pair)
{
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_castps_si512(pair), 16));
}

static inline __attribute__((always_inline)) vec vec_high(vec pair)
{
    return _mm512_and_ps(pair,
                         _mm512_castsi512_ps(_mm512_set1_epi32(-0x10000)));
}

static inline __attribute__((always_inline)) vec vec_step_bf16(vec x, vec w,
                                                               vec sum)
{
    sum = _mm512_fmadd_ps(vec_low(x), vec_low(w), sum);
    return _mm512_fmadd_ps(vec_high(x), vec_high(w), sum);
}

#include "model/panel_tile_internal.h"

const struct panel_kernel panel_avx512 = {"avx512", "avx512-bf16", 0, run_f32,
                                          run_bf16};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Panel kernels for CPUs with AVX-512 and its bf16 products: tiles of 6 x 64.
 *
 * vdpbf16ps adds two products to a sum in f32 in a way of its own (subnormal
 * numbers are zero), so the bits are not those of the other sets. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2")

#include <immintrin.h>

#include "model/panel_avx512_internal.h"

static inline __attribute__((always_inline)) vec vec_step_bf16(vec x, vec w,
                                                               vec sum)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w);
}

#include "model/panel_tile_internal.h"

const struct panel_kernel panel_avx512bf16 = {"avx512", "avx512bf16-bf16", 0,
                                              run_f32, run_bf16};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix kernels for CPUs with AVX-512: 24 accumulators of 16 floats. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")

#include <immintrin.h>

typedef __m512 vec;

enum {
    LANES = 16,
    DOT_ROWS = 6,
    TILE_ROWS = 12,
    TILE_VECS = 2,
    TILE_COLUMNS = TILE_VECS * LANES,
    DEPTH = 256 /* a panel and a block of rows fit the first cache */
};

static inline __attribute__((always_inline)) vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline __attribute__((always_inline)) vec vec_load_tail(const float *p,
                                                               size_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1U << n) - 1), p);
}

static inline __attribute__((always_inline)) void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

static inline __attribute__((always_inline)) vec vec_all(float f)
{
    return _mm512_set1_ps(f);
}

static inline __attribute__((always_inline)) vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* Within each 128 bits (0 + 2) + (1 + 3), then the halves: a tree. */
static inline __attribute__((always_inline)) __m128 vec_sum4(vec a, vec b,
                                                             vec c, vec d)
{
    const vec ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
    const vec cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
    const vec all = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab),
                                                        _mm512_castps_pd(cd))) +
                    _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab),
                                                        _mm512_castps_pd(cd)));
    const __m256 half =
        _mm512_castps512_ps256(all) + _mm512_extractf32x8_ps(all, 1);

    return _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1);
}

/* A 4 x 4 block in each 128 bits is turned. */
static inline __attribute__((always_inline)) void vec_pack4(const float *in,
                                                            size_t stride,
                                                            float *out,
                                                            size_t width)
{
    const vec a = vec_load(in), b = vec_load(in + stride);
    const vec c = vec_load(in + 2 * stride), d = vec_load(in + 3 * stride);
    const __m512d ab_low = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
    const __m512d ab_high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
    const __m512d cd_low = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
    const __m512d cd_high = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    const vec turned[4] = {
        _mm512_castpd_ps(_mm512_unpacklo_pd(ab_low, cd_low)),
        _mm512_castpd_ps(_mm512_unpackhi_pd(ab_low, cd_low)),
        _mm512_castpd_ps(_mm512_unpacklo_pd(ab_high, cd_high)),
        _mm512_castpd_ps(_mm512_unpackhi_pd(ab_high, cd_high))};

#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        _mm_storeu_ps(out + i * width, _mm512_castps512_ps128(turned[i]));
        _mm_storeu_ps(out + (i + 4) * width,
                      _mm512_extractf32x4_ps(turned[i], 1));
        _mm_storeu_ps(out + (i + 8) * width,
                      _mm512_extractf32x4_ps(turned[i], 2));
        _mm_storeu_ps(out + (i + 12) * width,
                      _mm512_extractf32x4_ps(turned[i], 3));
    }
}

#include "model/kernel_tile_internal.h"

const struct kernel_table kernel_avx512 = {"avx512",  dot,   run_outer, pack,
                                           TILE_ROWS, DEPTH, 0};

#endif

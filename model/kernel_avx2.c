/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix kernels for CPUs with AVX2 and FMA: 12 accumulators of 8 floats. */
#ifdef __x86_64__

#pragma GCC target("avx2,fma")

#include <immintrin.h>

typedef __m256 vec;

enum {
    LANES = 8,
    DOT_ROWS = 3,
    TILE_ROWS = 6,
    TILE_VECS = 2,
    TILE_COLUMNS = TILE_VECS * LANES,
    DEPTH = 256 /* a panel and a block of rows fit the first cache */
};

static inline __attribute__((always_inline)) vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline __attribute__((always_inline)) vec vec_load_tail(const float *p,
                                                               size_t n)
{
    const __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_maskload_ps(
        p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), place));
}

static inline __attribute__((always_inline)) void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

static inline __attribute__((always_inline)) vec vec_all(float f)
{
    return _mm256_set1_ps(f);
}

static inline __attribute__((always_inline)) vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* Within each 128 bits (0 + 2) + (1 + 3), then the halves: a tree. */
static inline __attribute__((always_inline)) __m128 vec_sum4(vec a, vec b,
                                                             vec c, vec d)
{
    const vec ab = _mm256_unpacklo_ps(a, b) + _mm256_unpackhi_ps(a, b);
    const vec cd = _mm256_unpacklo_ps(c, d) + _mm256_unpackhi_ps(c, d);
    const vec all = _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(ab),
                                                        _mm256_castps_pd(cd))) +
                    _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(ab),
                                                        _mm256_castps_pd(cd)));

    return _mm256_castps256_ps128(all) + _mm256_extractf128_ps(all, 1);
}

/* A 4 x 4 block in each 128 bits is turned. */
static inline __attribute__((always_inline)) void vec_pack4(const float *in,
                                                            size_t stride,
                                                            float *out,
                                                            size_t width)
{
    const vec a = vec_load(in), b = vec_load(in + stride);
    const vec c = vec_load(in + 2 * stride), d = vec_load(in + 3 * stride);
    const __m256d ab_low = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
    const __m256d ab_high = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
    const __m256d cd_low = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
    const __m256d cd_high = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
    const vec turned[4] = {
        _mm256_castpd_ps(_mm256_unpacklo_pd(ab_low, cd_low)),
        _mm256_castpd_ps(_mm256_unpackhi_pd(ab_low, cd_low)),
        _mm256_castpd_ps(_mm256_unpacklo_pd(ab_high, cd_high)),
        _mm256_castpd_ps(_mm256_unpackhi_pd(ab_high, cd_high))};

#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        _mm_storeu_ps(out + i * width, _mm256_castps256_ps128(turned[i]));
        _mm_storeu_ps(out + (i + 4) * width,
                      _mm256_extractf128_ps(turned[i], 1));
    }
}

#include "model/kernel_tile_internal.h"

const struct kernel_table kernel_avx2 = {"avx2",    dot,   run_outer, pack,
                                         TILE_ROWS, DEPTH, 0};

#endif

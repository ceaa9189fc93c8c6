/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of 16 x 16 pairs of bf16, made of floats that lie either way.
 *
 * bf16 products take two neighbours along the depth at once: a pair is one
 * element of 32 bits, the earlier one below. Rounding is to the nearest, ties
 * to even, by the instruction for it, for which subnormal numbers are zero.
 */
#include <immintrin.h>

#include "model/kernel_internal.h"

enum { SIDE = 16 }; /* pairs of a vector */

/* Floats whose pairs are wanted: row i, step p of depth at
 * from[i * row + p * depth]; row or depth is 1. What is beyond n_row and
 * n_depth counts as zero. */
struct floats {
    const float *from;
    size_t row, depth, n_row, n_depth;
};

/* Those from a row and a step on. */
static inline struct floats floats_from(const struct floats *all, size_t row,
                                        size_t depth)
{
    struct floats at = *all;

    at.from += row * at.row + depth * at.depth;
    at.n_row = row < at.n_row ? at.n_row - row : 0;
    at.n_depth -= depth;
    return at;
}

static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n >= SIDE ? 0xffff : (1U << n) - 1);
}

/* v[i] is row i, pairs along its lanes, of floats that lie so. */
static void pairs_along(const struct floats *at, __m512i v[SIDE])
{
    const size_t n = at->n_depth;
    const __mmask16 low = first_lanes(n);
    const __mmask16 high = n > SIDE ? first_lanes(n - SIDE) : 0;

    for (size_t i = 0; i < SIDE; i++) {
        const float *row = at->from + i * at->row;
        v[i] = _mm512_setzero_si512();
        if (i < at->n_row)
            v[i] = (__m512i)_mm512_cvtne2ps_pbh(
                _mm512_maskz_loadu_ps(high, row + SIDE),
                _mm512_maskz_loadu_ps(low, row));
    }
}

/* Two vectors, each's bf16 in turn. */
static inline __m512i interleaved(__m512 early, __m512 late)
{
    const __m512i place = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22,
        6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);

    return _mm512_permutexvar_epi16(place,
                                    (__m512i)_mm512_cvtne2ps_pbh(late, early));
}

/* v[q] is pair q of 16 rows, of floats whose rows are neighbours. Steps of
 * depth are far apart: the processor does not see what comes next. */
static void pairs_across(const struct floats *at, __m512i v[SIDE])
{
    const __mmask16 lanes = first_lanes(at->n_row);
    const size_t ahead = 2 * SIDE * at->depth;

    for (size_t q = 0; q < SIDE; q++) {
        const float *early = at->from + 2 * q * at->depth;
        const float *late = early + at->depth;
        const size_t n = at->n_depth > 2 * q ? at->n_depth - 2 * q : 0;
        _mm_prefetch(early + ahead, _MM_HINT_T0);
        _mm_prefetch(late + ahead, _MM_HINT_T0);
        v[q] = interleaved(_mm512_maskz_loadu_ps(n > 0 ? lanes : 0, early),
                           _mm512_maskz_loadu_ps(n > 1 ? lanes : 0, late));
    }
}

/* Rows become columns: first within fours of lanes, then fours of lanes. */
static void turn_pairs(__m512i v[SIDE])
{
    __m512i t[SIDE];

    for (int i = 0; i < SIDE; i += 2) {
        t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    for (int i = 0; i < SIDE; i += 4) {
        v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        const __m512i ab = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
        const __m512i cd = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
        const __m512i ab_odd = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
        const __m512i cd_odd = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
        t[i] = _mm512_shuffle_i32x4(ab, cd, 0x88);
        t[i + 8] = _mm512_shuffle_i32x4(ab, cd, 0xdd);
        t[i + 4] = _mm512_shuffle_i32x4(ab_odd, cd_odd, 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(ab_odd, cd_odd, 0xdd);
    }
    for (int i = 0; i < SIDE; i++)
        v[i] = t[i];
}

/* v[i]: row i, its pairs in the lanes. */
static inline void pairs_by_row(const struct floats *at, __m512i v[SIDE])
{
    if (at->depth == 1) {
        pairs_along(at, v);
    } else {
        pairs_across(at, v);
        turn_pairs(v);
    }
}

/* v[q]: pair q, its rows in the lanes. */
static inline void pairs_by_depth(const struct floats *at, __m512i v[SIDE])
{
    if (at->depth != 1) {
        pairs_across(at, v);
    } else {
        pairs_along(at, v);
        turn_pairs(v);
    }
}

/* c = alpha sum + beta c of a vector. */
static inline __m512 blended(__m512 sum, float alpha, float beta,
                             const float *c)
{
    sum = _mm512_mul_ps(sum, _mm512_set1_ps(alpha));
    if (beta == 0)
        return sum;
    return _mm512_fmadd_ps(_mm512_set1_ps(beta), _mm512_loadu_ps(c), sum);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix kernels for bf16 with vdpbf16ps: 24 accumulators of 16 floats.
 *
 *             2 vectors of 16 columns
 *            +--------+--------+
 *   12 rows  |   c    |   c    |   a step is a pair of depth: a row's pair in
 *            |        |        |   all lanes meets the columns' pairs
 *            +--------+--------+
 *
 * Packed, a pair is what a float is to the kernels for f32. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2,avx512bf16")

#include "model/kernel_pairs_internal.h"

enum { TILE_ROWS = 12, TILE_COLUMNS = 32, DEPTH = 512 };

static size_t packed_floats(size_t n)
{
    return (n + 1) / 2;
}

/* Pairs of n_row <= 16 rows to out[pair][stride], `width` of them. */
static void pack_width(const struct floats *all, size_t width, size_t stride,
                       float *out)
{
    const __mmask16 lanes = first_lanes(width);
    __m512i v[SIDE];

    for (size_t p = 0; p < all->n_depth; p += 2 * SIDE) {
        const struct floats at = floats_from(all, 0, p);
        pairs_by_depth(&at, v);
        for (size_t q = 0; q < SIDE && 2 * q < at.n_depth; q++)
            _mm512_mask_storeu_epi32(out + (p / 2 + q) * stride, lanes, v[q]);
    }
}

/* [pair][12 rows]. */
static void pack_a(const struct kernel_outer *job, size_t row, size_t n_row,
                   size_t depth, size_t n_depth, float *out)
{
    const struct floats at = {.from = job->a + row * job->a_row +
                                      depth * job->a_depth,
                              .row = job->a_row,
                              .depth = job->a_depth,
                              .n_row = n_row,
                              .n_depth = n_depth};

    pack_width(&at, TILE_ROWS, TILE_ROWS, out);
}

/* [pair][32 columns]. */
static void pack_b(const struct kernel_outer *job, size_t depth, size_t n_depth,
                   size_t column, size_t n_column, float *out)
{
    const struct floats all = {.from = job->b + column * job->b_column +
                                       depth * job->b_depth,
                               .row = job->b_column,
                               .depth = job->b_depth,
                               .n_row = n_column,
                               .n_depth = n_depth};

    for (size_t half = 0; half < KERNEL_COLUMNS; half += SIDE) {
        const struct floats at = floats_from(&all, half, 0);
        pack_width(&at, SIDE, KERNEL_COLUMNS, out + half);
    }
}

static void tile(size_t n_depth, const float *a, const float *b, float alpha,
                 float beta, float *c, size_t c_stride)
{
    __m512 acc[TILE_ROWS][2];

#pragma GCC unroll 12
    for (int i = 0; i < TILE_ROWS; i++)
        acc[i][0] = acc[i][1] = _mm512_setzero_ps();
    for (size_t p = 0; p < n_depth; p += 2) {
        const __m512bh left = (__m512bh)_mm512_loadu_ps(b);
        const __m512bh right = (__m512bh)_mm512_loadu_ps(b + SIDE);
#pragma GCC unroll 12
        for (int i = 0; i < TILE_ROWS; i++) {
            const __m512bh own = (__m512bh)_mm512_set1_ps(a[i]);
            acc[i][0] = _mm512_dpbf16_ps(acc[i][0], own, left);
            acc[i][1] = _mm512_dpbf16_ps(acc[i][1], own, right);
        }
        a += TILE_ROWS;
        b += KERNEL_COLUMNS;
    }
#pragma GCC unroll 12
    for (int i = 0; i < TILE_ROWS; i++) {
        float *to = c + (size_t)i * c_stride;
        _mm512_storeu_ps(to, blended(acc[i][0], alpha, beta, to));
        _mm512_storeu_ps(to + SIDE, blended(acc[i][1], alpha, beta, to + SIDE));
    }
}

#include "model/kernel_outer_internal.h"

const struct kernel_table kernel_avx512bf16 = {
    "avx512bf16", NULL, run_outer, pack, TILE_ROWS, DEPTH, 1};

#endif

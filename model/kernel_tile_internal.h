/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix kernels of kernel_internal.h, written once over a vector type.
 *
 * A kernel_NAME.c defines what differs and includes this file:
 *
 *   vec, LANES       the vector and its floats
 *   DOT_ROWS         rows of x in a tile of `dot` (columns: always 4)
 *   TILE_ROWS        rows of a tile of `outer`; TILE_VECS vectors wide, which
 *                    are TILE_COLUMNS floats
 *   DEPTH            of a piece of `outer`
 *   vec_load(p), vec_store(p, v), vec_all(f), vec_fma(a, b, c) = a * b + c
 *   vec_load_tail(p, n)   the first n < LANES floats, then zeros
 *   vec_sum4(a, b, c, d)  a float4 of the four sums over lanes, each summed
 *                         in the same tree
 *   vec_pack4(in, stride, out, width)  four rows of LANES floats become LANES
 *                         rows of four, `width` floats apart
 *
 * Loops over constants are unrolled whole, so that accumulators live in
 * registers.
 */
#include <string.h>

#include "model/half.h"
#include "model/kernel_internal.h"

typedef float float4 __attribute__((vector_size(16)));
typedef float loose_float4
    __attribute__((vector_size(16), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

/* ---- dot ---- */

enum {
    DOT_COPIED = 2048, /* most floats of a row of w that is copied */
    DOT_FEW_TILES = 4, /* that do not pay for a copy */
};

INLINE float4 load_float4(const float *p)
{
    return *(const loose_float4 *)p;
}

/* The sums of n_row x 4 elements; w[0..3] are four rows. */
INLINE void dot_tile(const struct kernel_dot *job, const float *x,
                     const float *const *w, int n_row, float4 *sum)
{
    vec acc[DOT_ROWS][4], other[4];
    size_t at = 0;

#pragma GCC unroll 16
    for (int i = 0; i < n_row; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            acc[i][j] = vec_all(0);
    }
    for (; at + LANES <= job->k; at += LANES) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            other[j] = vec_load(w[j] + at);
#pragma GCC unroll 16
        for (int i = 0; i < n_row; i++) {
            const vec own = vec_load(x + (size_t)i * job->x_stride + at);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++)
                acc[i][j] = vec_fma(own, other[j], acc[i][j]);
        }
    }
    if (at < job->k) {
        const size_t rest = job->k - at;
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            other[j] = vec_load_tail(w[j] + at, rest);
#pragma GCC unroll 16
        for (int i = 0; i < n_row; i++) {
            const vec own =
                vec_load_tail(x + (size_t)i * job->x_stride + at, rest);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++)
                acc[i][j] = vec_fma(own, other[j], acc[i][j]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < n_row; i++)
        sum[i] = vec_sum4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
}

INLINE void dot_put(const struct kernel_dot *job, float *y, const float4 *sum,
                    int n_row, size_t n_column)
{
#pragma GCC unroll 16
    for (int i = 0; i < n_row; i++) {
        float *to = y + (size_t)i * job->y_stride;
        float4 value = sum[i] * job->alpha;
        if (n_column == 4) {
            if (job->beta != 0)
                value += load_float4(to) * job->beta;
            *(loose_float4 *)to = value;
            continue;
        }
        for (size_t j = 0; j < n_column; j++)
            to[j] = job->beta != 0 ? value[j] + to[j] * job->beta : value[j];
    }
}

/* Asks memory for part `part` of `n_part` of the four rows of w behind these,
 * which the hardware finds too late once a tile computes more than it reads.
 * One row or two run at the speed of memory anyway. */
INLINE void dot_prefetch(const struct kernel_dot *job, size_t column,
                         size_t part, size_t n_part)
{
    const size_t from = job->k * part / n_part;
    const size_t to = job->k * (part + 1) / n_part;

    if (job->m <= 2 || column + 8 > job->n)
        return;
    for (size_t j = 4; j < 8; j++) {
        const float *row = job->w + (column + j) * job->w_stride;
        for (size_t at = from; at < to; at += 16)
            __builtin_prefetch(row + at, 0, 2);
    }
}

/* Puts four rows of w where every vector is whole within a cache line: those
 * of a file lie as they like, and are read again by every tile. One line more
 * a row keeps rows of a power of two out of each other's cache sets. */
static void dot_align(const struct kernel_dot *job, const float **w,
                      float *copy)
{
    const size_t stride = (job->k + 15) / 16 * 16 + 16;

    for (size_t j = 0; j < 4; j++) {
        memcpy(copy + j * stride, w[j], job->k * sizeof *copy);
        w[j] = copy + j * stride;
    }
}

/* All rows of x against four rows of w (fewer at the end: the last one is
 * then taken again and thrown away). */
static void dot_columns(const struct kernel_dot *job, size_t column)
{
    const size_t left = job->n - column, n_column = left < 4 ? left : 4;
    const float *w[4], *x = job->x;
    float *y = job->y + column;
    float4 sum[DOT_ROWS];
    float copy[4 * (DOT_COPIED + 16)] __attribute__((aligned(64)));
    size_t row = 0;
    const size_t n_part = job->m / DOT_ROWS + 1;

    for (size_t j = 0; j < 4; j++)
        w[j] = job->w +
               (column + (j < n_column ? j : n_column - 1)) * job->w_stride;
    if (n_part > DOT_FEW_TILES && job->k <= DOT_COPIED)
        dot_align(job, w, copy);
    for (; row + DOT_ROWS <= job->m; row += DOT_ROWS) {
        dot_prefetch(job, column, row / DOT_ROWS, n_part);
        dot_tile(job, x, w, DOT_ROWS, sum);
        dot_put(job, y, sum, DOT_ROWS, n_column);
        x += DOT_ROWS * job->x_stride;
        y += DOT_ROWS * job->y_stride;
    }
    dot_prefetch(job, column, n_part - 1, n_part);
    for (; row + 2 <= job->m; row += 2) {
        dot_tile(job, x, w, 2, sum);
        dot_put(job, y, sum, 2, n_column);
        x += 2 * job->x_stride;
        y += 2 * job->y_stride;
    }
    if (row < job->m) {
        dot_tile(job, x, w, 1, sum);
        dot_put(job, y, sum, 1, n_column);
    }
}

static void dot(const struct kernel_dot *job)
{
    for (size_t column = 0; column < job->n; column += 4)
        dot_columns(job, column);
}

/* ---- outer ---- */

/* One row along the depth from `p` on; an absent row is zeros. */
INLINE void pack_row(const float *in, size_t in_depth, int is_there, size_t p,
                     size_t n_depth, float *out, size_t width)
{
    for (; p < n_depth; p++)
        out[p * width] = is_there ? in[p * in_depth] : 0;
}

/* Four rows, all there, that run along the depth; the next four are asked for,
 * which are too short runs for the processor to see them coming. */
INLINE void pack_four(const float *in, size_t stride, size_t n_depth,
                      float *out, size_t width)
{
    size_t p = 0;

    for (; p + LANES <= n_depth; p += LANES) {
        for (size_t i = 4; i < 8; i++)
            __builtin_prefetch(in + i * stride + p);
        vec_pack4(in + p, stride, out + p * width, width);
    }
    for (size_t i = 0; i < 4; i++)
        pack_row(in + i * stride, 1, 1, p, n_depth, out + i, width);
}

/* Up to `width` rows become a pack [depth][width], absent rows zeros. */
INLINE void pack_rows(const float *in, size_t stride, size_t in_depth,
                      size_t n_row, size_t n_depth, float *out, size_t width)
{
    size_t i = 0;

    for (; in_depth == 1 && i + 4 <= width && i + 4 <= n_row; i += 4)
        pack_four(in + i * stride, stride, n_depth, out + i, width);
    for (; i < width; i++)
        pack_row(in + i * stride, in_depth, i < n_row, 0, n_depth, out + i,
                 width);
}

/* The same when the rows touch: whole runs are copied. */
INLINE void pack_runs(const float *in, size_t in_depth, size_t n_row,
                      size_t n_depth, float *out, size_t width)
{
    if (n_row >= width) {
        for (size_t p = 0; p < n_depth; p++)
            memcpy(out + p * width, in + p * in_depth, width * sizeof *out);
        return;
    }
    for (size_t p = 0; p < n_depth; p++, out += width) {
        memcpy(out, in + p * in_depth, n_row * sizeof *out);
        memset(out + n_row, 0, (width - n_row) * sizeof *out);
    }
}

/* To bf16 and back, ties to even; not-a-numbers stay such. */
static void round_floats(float *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = float_of_bfloat(bfloat_of_float(at[i]));
}

/* Packs rows of a as [depth][TILE_ROWS]. */
static void pack_a(const struct kernel_outer *job, size_t row, size_t n_row,
                   size_t depth, size_t n_depth, float *out)
{
    const float *from = job->a + row * job->a_row + depth * job->a_depth;

    if (job->a_row == 1)
        pack_runs(from, job->a_depth, n_row, n_depth, out, TILE_ROWS);
    else
        pack_rows(from, job->a_row, job->a_depth, n_row, n_depth, out,
                  TILE_ROWS);
    if (job->rounds)
        round_floats(out, TILE_ROWS * n_depth);
}

/* Packs depth x columns of b as [depth][KERNEL_COLUMNS], zeros behind. */
static void pack_b(const struct kernel_outer *job, size_t depth, size_t n_depth,
                   size_t column, size_t n_column, float *out)
{
    const float *from = job->b + depth * job->b_depth + column * job->b_column;

    if (job->b_column == 1)
        pack_runs(from, job->b_depth, n_column, n_depth, out, KERNEL_COLUMNS);
    else
        pack_rows(from, job->b_column, job->b_depth, n_column, n_depth, out,
                  KERNEL_COLUMNS);
    if (job->rounds)
        round_floats(out, KERNEL_COLUMNS * n_depth);
}

/* What becomes of a sum: c = alpha sum + beta c. */
INLINE vec outer_value(vec sum, float alpha, float beta, const float *c)
{
    if (alpha != 1)
        sum *= vec_all(alpha);
    if (beta == 0)
        return sum;
    if (beta == 1)
        return sum + vec_load(c);
    return vec_fma(vec_load(c), vec_all(beta), sum);
}

/* acc[TILE_ROWS][TILE_VECS] over one piece of depth; scaled into c. */
INLINE void outer_sum(size_t n_depth, const float *a, const float *b,
                      float alpha, float beta, float *c, size_t c_stride)
{
    vec acc[TILE_ROWS][TILE_VECS], other[TILE_VECS];

#pragma GCC unroll 16
    for (int i = 0; i < TILE_ROWS; i++) {
        __builtin_prefetch(c + (size_t)i * c_stride, 1);
        __builtin_prefetch(c + (size_t)i * c_stride + 16, 1);
#pragma GCC unroll 8
        for (int j = 0; j < TILE_VECS; j++)
            acc[i][j] = vec_all(0);
    }
#pragma GCC unroll 4
    for (size_t p = 0; p < n_depth; p++) {
#pragma GCC unroll 8
        for (int j = 0; j < TILE_VECS; j++)
            other[j] = vec_load(b + j * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < TILE_ROWS; i++) {
            const vec own = vec_all(a[i]);
#pragma GCC unroll 8
            for (int j = 0; j < TILE_VECS; j++)
                acc[i][j] = vec_fma(own, other[j], acc[i][j]);
        }
        a += TILE_ROWS;
        b += KERNEL_COLUMNS;
    }
#pragma GCC unroll 16
    for (int i = 0; i < TILE_ROWS; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < TILE_VECS; j++) {
            float *to = c + (size_t)i * c_stride + j * LANES;
            vec_store(to, outer_value(acc[i][j], alpha, beta, to));
        }
    }
}

/* The tile for each end of it: a choice for every element would spill the
 * accumulators. */
static __attribute__((noinline)) void outer_tile_set(size_t n_depth,
                                                     const float *a,
                                                     const float *b, float *c,
                                                     size_t c_stride)
{
    outer_sum(n_depth, a, b, 1, 0, c, c_stride);
}

static __attribute__((noinline)) void outer_tile_add(size_t n_depth,
                                                     const float *a,
                                                     const float *b, float *c,
                                                     size_t c_stride)
{
    outer_sum(n_depth, a, b, 1, 1, c, c_stride);
}

static void tile(size_t n_depth, const float *a, const float *b, float alpha,
                 float beta, float *c, size_t c_stride)
{
    if (alpha == 1 && beta == 0)
        outer_tile_set(n_depth, a, b, c, c_stride);
    else if (alpha == 1 && beta == 1)
        outer_tile_add(n_depth, a, b, c, c_stride);
    else
        outer_sum(n_depth, a, b, alpha, beta, c, c_stride);
}

static size_t packed_floats(size_t n)
{
    return n;
}

#include "model/kernel_outer_internal.h"

/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix kernels of kernel_internal.h, written once over a vector type.
 *
 * A kernel_NAME.c defines what differs and includes this file:
 *
 *   vec, LANES       the vector and its floats
 *   DOT_ROWS         rows of x in a tile of `dot` (columns: always 4)
 *   OUTER_ROWS       rows of a tile of `outer`; OUTER_VECS vectors wide
 *   vec_load(p), vec_store(p, v), vec_all(f), vec_fma(a, b, c) = a * b + c
 *   vec_load_tail(p, n)   the first n < LANES floats, then zeros
 *   vec_sum4(a, b, c, d)  a float4 of the four sums over lanes, each summed
 *                         in the same tree
 *
 * Loops over constants are unrolled whole, so that accumulators live in
 * registers.
 */
#include <string.h>

#include "model/kernel_internal.h"

typedef float float4 __attribute__((vector_size(16)));
typedef float loose_float4
    __attribute__((vector_size(16), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

/* ---- dot ---- */

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

/* All rows of x against four rows of w (fewer at the end: the last one is
 * then taken again and thrown away). */
static void dot_columns(const struct kernel_dot *job, size_t column)
{
    const size_t left = job->n - column, n_column = left < 4 ? left : 4;
    const float *w[4], *x = job->x;
    float *y = job->y + column;
    float4 sum[DOT_ROWS];
    size_t row = 0;
    const size_t n_part = job->m / DOT_ROWS + 1;

    for (size_t j = 0; j < 4; j++)
        w[j] = job->w +
               (column + (j < n_column ? j : n_column - 1)) * job->w_stride;
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

/* Four rows that run along the depth become four columns of the pack. */
INLINE void pack_4x4(const float *in, size_t stride, float *out)
{
    typedef int int4 __attribute__((vector_size(16)));
    const float4 a = load_float4(in), b = load_float4(in + stride);
    const float4 c = load_float4(in + 2 * stride);
    const float4 d = load_float4(in + 3 * stride);
    const float4 ab_low = __builtin_shuffle(a, b, (int4){0, 4, 1, 5});
    const float4 ab_high = __builtin_shuffle(a, b, (int4){2, 6, 3, 7});
    const float4 cd_low = __builtin_shuffle(c, d, (int4){0, 4, 1, 5});
    const float4 cd_high = __builtin_shuffle(c, d, (int4){2, 6, 3, 7});

    *(loose_float4 *)out =
        __builtin_shuffle(ab_low, cd_low, (int4){0, 1, 4, 5});
    *(loose_float4 *)(out + OUTER_ROWS) =
        __builtin_shuffle(ab_low, cd_low, (int4){2, 3, 6, 7});
    *(loose_float4 *)(out + 2 * OUTER_ROWS) =
        __builtin_shuffle(ab_high, cd_high, (int4){0, 1, 4, 5});
    *(loose_float4 *)(out + 3 * OUTER_ROWS) =
        __builtin_shuffle(ab_high, cd_high, (int4){2, 3, 6, 7});
}

/* One row of a tile from depth `p` on; an absent row is zeros. */
INLINE void pack_row(const float *in, size_t a_depth, int is_there, size_t p,
                     size_t n_depth, float *out)
{
    for (; p < n_depth; p++)
        out[p * OUTER_ROWS] = is_there ? in[p * a_depth] : 0;
}

/* Rows i .. i + 3 of a tile, all there, that run along the depth. */
INLINE void pack_four(const float *in, size_t a_row, size_t n_depth, float *out)
{
    size_t p = 0;

    for (; p + 4 <= n_depth; p += 4)
        pack_4x4(in + p, a_row, out + p * OUTER_ROWS);
    for (size_t i = 0; i < 4; i++)
        pack_row(in + i * a_row, 1, 1, p, n_depth, out + i);
}

/* Packs rows x depth of a as [row / OUTER_ROWS][depth][OUTER_ROWS], absent
 * rows as zeros. */
static void pack_a(const struct kernel_outer *job, size_t row, size_t n_row,
                   size_t depth, size_t n_depth, float *out)
{
    const float *from = job->a + row * job->a_row + depth * job->a_depth;

    for (size_t tile = 0; tile < n_row; tile += OUTER_ROWS) {
        size_t i = 0;
        for (;
             job->a_depth == 1 && i + 4 <= OUTER_ROWS && tile + i + 4 <= n_row;
             i += 4)
            pack_four(from + (tile + i) * job->a_row, job->a_row, n_depth,
                      out + i);
        for (; i < OUTER_ROWS; i++)
            pack_row(from + (tile + i) * job->a_row, job->a_depth,
                     tile + i < n_row, 0, n_depth, out + i);
        out += OUTER_ROWS * n_depth;
    }
}

/* The same when a's rows touch: whole runs are copied. */
static void pack_a_touching(const struct kernel_outer *job, size_t row,
                            size_t n_row, size_t depth, size_t n_depth,
                            float *out)
{
    const float *from = job->a + row + depth * job->a_depth;

    for (size_t tile = 0; tile < n_row; tile += OUTER_ROWS) {
        const size_t left = n_row - tile;
        const size_t n = left < OUTER_ROWS ? left : OUTER_ROWS;
        for (size_t p = 0; p < n_depth; p++, out += OUTER_ROWS) {
            const float *in = from + tile + p * job->a_depth;
            if (n == OUTER_ROWS) {
                memcpy(out, in, OUTER_ROWS * sizeof *out);
                continue;
            }
            memcpy(out, in, n * sizeof *out);
            memset(out + n, 0, (OUTER_ROWS - n) * sizeof *out);
        }
    }
}

/* Packs depth x columns of b as [depth][KERNEL_COLUMNS], zeros behind. */
static void pack_b(const struct kernel_outer *job, size_t depth, size_t n_depth,
                   size_t column, size_t n_column, float *out)
{
    const float *from = job->b + depth * job->b_depth + column;

    for (size_t p = 0; p < n_depth; p++, out += KERNEL_COLUMNS) {
        const float *in = from + p * job->b_depth;
        if (n_column == KERNEL_COLUMNS) {
            memcpy(out, in, KERNEL_COLUMNS * sizeof *out);
            continue;
        }
        memcpy(out, in, n_column * sizeof *out);
        memset(out + n_column, 0, (KERNEL_COLUMNS - n_column) * sizeof *out);
    }
}

/* acc[OUTER_ROWS][OUTER_VECS] over one piece of depth; scaled into c. */
INLINE void outer_tile(size_t n_depth, const float *a, const float *b,
                       float alpha, float beta, float *c, size_t c_stride)
{
    vec acc[OUTER_ROWS][OUTER_VECS], other[OUTER_VECS];

#pragma GCC unroll 16
    for (int i = 0; i < OUTER_ROWS; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < OUTER_VECS; j++)
            acc[i][j] = vec_all(0);
    }
    for (size_t p = 0; p < n_depth; p++) {
#pragma GCC unroll 8
        for (int j = 0; j < OUTER_VECS; j++)
            other[j] = vec_load(b + j * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < OUTER_ROWS; i++) {
            const vec own = vec_all(a[i]);
#pragma GCC unroll 8
            for (int j = 0; j < OUTER_VECS; j++)
                acc[i][j] = vec_fma(own, other[j], acc[i][j]);
        }
        a += OUTER_ROWS;
        b += KERNEL_COLUMNS;
    }
#pragma GCC unroll 16
    for (int i = 0; i < OUTER_ROWS; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < OUTER_VECS; j++) {
            float *to = c + (size_t)i * c_stride + j * LANES;
            const vec scaled = acc[i][j] * vec_all(alpha);
            vec_store(to, beta == 0
                              ? scaled
                              : vec_fma(vec_load(to), vec_all(beta), scaled));
        }
    }
}

/* A tile that sticks out goes through a copy. */
static void outer_edge(const struct kernel_outer *job, size_t n_depth,
                       const float *a, const float *b, float beta, float *c,
                       size_t n_row, size_t n_column)
{
    enum { WIDTH = OUTER_VECS * LANES };
    float copy[OUTER_ROWS * WIDTH] __attribute__((aligned(64))) = {0};

    if (beta != 0) {
        for (size_t i = 0; i < n_row; i++)
            memcpy(copy + i * WIDTH, c + i * job->c_stride,
                   n_column * sizeof *c);
    }
    outer_tile(n_depth, a, b, job->alpha, beta, copy, WIDTH);
    for (size_t i = 0; i < n_row; i++)
        memcpy(c + i * job->c_stride, copy + i * WIDTH, n_column * sizeof *c);
}

/* Packed rows times one panel. */
static void outer_panel(const struct kernel_outer *job, size_t n_depth,
                        const float *a, const float *b, float beta, float *c,
                        size_t n_row, size_t n_column)
{
    enum { WIDTH = OUTER_VECS * LANES };

    for (size_t j = 0; j < n_column; j += WIDTH) {
        for (size_t i = 0; i < n_row; i += OUTER_ROWS) {
            const size_t rows = n_row - i, columns = n_column - j;
            const float *tile = a + i * n_depth;
            float *to = c + i * job->c_stride + j;
            if (rows >= OUTER_ROWS && columns >= WIDTH)
                outer_tile(n_depth, tile, b + j, job->alpha, beta, to,
                           job->c_stride);
            else
                outer_edge(job, n_depth, tile, b + j, beta, to,
                           rows < OUTER_ROWS ? rows : OUTER_ROWS,
                           columns < WIDTH ? columns : WIDTH);
        }
    }
}

/* A block of rows against one piece of depth, all columns. */
static void outer_rows(const struct kernel_outer *job, size_t row, size_t n_row,
                       size_t depth, size_t n_depth)
{
    float *a = job->scratch + KERNEL_COLUMNS * KERNEL_DEPTH, *b = job->scratch;
    const float beta = depth ? 1 : job->beta;

    if (job->a_row == 1)
        pack_a_touching(job, row, n_row, depth, n_depth, a);
    else
        pack_a(job, row, n_row, depth, n_depth, a);
    for (size_t column = 0; column < job->n; column += KERNEL_COLUMNS) {
        const size_t left = job->n - column;
        const size_t n_column = left < KERNEL_COLUMNS ? left : KERNEL_COLUMNS;
        pack_b(job, depth, n_depth, column, n_column, b);
        outer_panel(job, n_depth, a, b, beta,
                    job->c + row * job->c_stride + column, n_row, n_column);
    }
}

static void outer(const struct kernel_outer *job)
{
    for (size_t row = 0; row < job->m; row += job->pack_rows) {
        const size_t rows = job->m - row;
        const size_t n_row = rows < job->pack_rows ? rows : job->pack_rows;
        for (size_t depth = 0; depth < job->k; depth += KERNEL_DEPTH) {
            const size_t left = job->k - depth;
            outer_rows(job, row, n_row, depth,
                       left < KERNEL_DEPTH ? left : KERNEL_DEPTH);
        }
    }
}

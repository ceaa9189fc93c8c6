/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of own matrix kernels that model/gemm.c chooses from.
 *
 * Two products cover everything. `dot` reads both operands along K as they
 * lie, in vector lanes that are added in a fixed tree: an element's bits are
 * a function of its two rows alone, whatever block it is computed in; one
 * row of x runs at the speed of memory. `outer` packs both operands and adds
 * along K in order, in pieces of KERNEL_DEPTH; it takes any strides.
 */
#ifndef MODEL_KERNEL_INTERNAL_H
#define MODEL_KERNEL_INTERNAL_H

#include <stddef.h>

enum {
    KERNEL_DEPTH = 512,   /* K of one packed piece: c is seldom passed over */
    KERNEL_COLUMNS = 32,  /* columns of B's panel */
    KERNEL_MAX_ROWS = 12, /* rows of a tile in registers, of any kernel */
};

/* y[m][n] = alpha sum over k of x[m][k] w[n][k] + beta y[m][n]. With beta 0,
 * y is not read. */
struct kernel_dot {
    size_t m, n, k;
    const float *x, *w;
    size_t x_stride, w_stride;
    float *y;
    size_t y_stride;
    float alpha, beta;
};

/* c[m][n] = alpha sum over k of a(m, k) b(k, n) + beta c[m][n], where a(m, k)
 * is a[m * a_row + k * a_depth] and b(k, n) is b[k * b_depth + n * b_column];
 * b_depth or b_column is 1. With beta 0, c is not read. */
struct kernel_outer {
    size_t m, n, k;
    const float *a, *b;
    size_t a_row, a_depth, b_depth, b_column;
    float alpha, beta;
    float *c;
    size_t c_stride;
    size_t pack_rows; /* rows of a packed at once, multiple of 12 */
    float *scratch;   /* room for pack_rows + KERNEL_COLUMNS rows of the
                         smaller of k and KERNEL_DEPTH, 64-byte aligned */
};

#define KERNEL_SCRATCH(pack_rows)                                              \
    (((size_t)(pack_rows) + KERNEL_COLUMNS) * KERNEL_DEPTH)

struct kernel_table {
    const char *name;
    void (*dot)(const struct kernel_dot *job);
    void (*outer)(const struct kernel_outer *job);
};

extern const struct kernel_table kernel_plain;
#ifdef __x86_64__
extern const struct kernel_table kernel_avx2;
extern const struct kernel_table kernel_avx512;
#endif

#endif

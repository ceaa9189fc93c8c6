/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of own matrix kernels that model/gemm.c chooses from.
 *
 * Two products cover everything. `dot` reads both operands along K as they
 * lie, in vector lanes that are added in a fixed tree: an element's bits are
 * a function of its two rows alone, whatever block it is computed in; one
 * row of x runs at the speed of memory. `outer` packs both operands and adds
 * along K in order, in pieces of the set's `depth`; it takes any strides, and
 * columns of b that were packed before, once for all its calls.
 *
 * Sets for bf16 round both operands to it (to the nearest, ties to even) when
 * they pack, multiply exactly and add in f32; they have `outer` alone. Those
 * for f32 do the same, slowly, when a job says so.
 */
#ifndef MODEL_KERNEL_INTERNAL_H
#define MODEL_KERNEL_INTERNAL_H

#include <stddef.h>

enum {
    KERNEL_DEPTH = 256,  /* floats of a packed piece, at most: two bf16 each */
    KERNEL_LEAST = 16,   /* floats that a packed piece has room for, at least */
    KERNEL_COLUMNS = 32, /* columns of B's panel */
    KERNEL_GROUP = 8,    /* panels that are packed together */
    KERNEL_ROWS = 96,    /* a multiple of every set's rows of a tile */
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
    size_t pack_rows; /* rows of a packed at once, whole tiles of the set */
    float *scratch;   /* 64-byte aligned, KERNEL_SCRATCH(pack_rows, k) */
    int rounds;       /* operands are rounded to bf16 */
    /* The columns of b, by `pack`, of n_panel panels, of which those from
     * `panel` on are meant; NULL: they are still to be packed. */
    const float *packed;
    size_t n_panel, panel;
};

/* Floats for so many packed rows and a panel of columns, a piece deep. */
#define KERNEL_SCRATCH(pack_rows, k)                                           \
    (((size_t)(pack_rows) + KERNEL_COLUMNS) * KERNEL_PIECE(k))
#define KERNEL_PIECE(k)                                                        \
    ((k) >= KERNEL_DEPTH   ? (size_t)KERNEL_DEPTH                              \
     : (k) <= KERNEL_LEAST ? (size_t)KERNEL_LEAST                              \
                           : (size_t)(k))

struct kernel_table {
    const char *name;
    void (*dot)(const struct kernel_dot *job); /* NULL: has none */
    void (*outer)(const struct kernel_outer *job);
    /* Packs a group of panels of b, of one piece of depth, for `packed`. */
    void (*pack)(const struct kernel_outer *job, size_t piece, size_t group,
                 float *packed);
    size_t rows;  /* of a tile */
    size_t depth; /* K of a piece */
    int is_bf16;
};

extern const struct kernel_table kernel_plain;
#ifdef __x86_64__
extern const struct kernel_table kernel_avx2;
extern const struct kernel_table kernel_avx512;
extern const struct kernel_table kernel_avx512bf16;
extern const struct kernel_table kernel_amx;
#endif

#endif

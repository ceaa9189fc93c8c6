/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix kernels for any machine: vectors of 4 floats as the compiler has
 * them, product and sum rounded one by one. */
#include <stddef.h>
#include <string.h>

typedef float vec __attribute__((vector_size(16)));
typedef float unaligned_vec
    __attribute__((vector_size(16), aligned(4), may_alias));

enum {
    LANES = 4,
    DOT_ROWS = 2,
    TILE_ROWS = 3,
    TILE_VECS = 4,
    TILE_COLUMNS = TILE_VECS * LANES,
    DEPTH = 256 /* a panel and a block of rows fit the first cache */
};

static inline __attribute__((always_inline)) vec vec_load(const float *p)
{
    return *(const unaligned_vec *)p;
}

static inline __attribute__((always_inline)) vec vec_load_tail(const float *p,
                                                               size_t n)
{
    vec v = {0};

    for (size_t i = 0; i < n; i++)
        v[i] = p[i];
    return v;
}

static inline __attribute__((always_inline)) void vec_store(float *p, vec v)
{
    *(unaligned_vec *)p = v;
}

static inline __attribute__((always_inline)) vec vec_all(float f)
{
    return (vec){f, f, f, f};
}

static inline __attribute__((always_inline)) vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

/* (0 + 2) + (1 + 3), the tree of the other kernels within 128 bits. */
static inline __attribute__((always_inline)) vec vec_sum4(vec a, vec b, vec c,
                                                          vec d)
{
    return (vec){(a[0] + a[2]) + (a[1] + a[3]), (b[0] + b[2]) + (b[1] + b[3]),
                 (c[0] + c[2]) + (c[1] + c[3]), (d[0] + d[2]) + (d[1] + d[3])};
}

static inline __attribute__((always_inline)) void vec_pack4(const float *in,
                                                            size_t stride,
                                                            float *out,
                                                            size_t width)
{
    for (size_t i = 0; i < 4; i++)
        vec_store(out + i * width,
                  (vec){in[i], in[stride + i], in[2 * stride + i],
                        in[3 * stride + i]});
}

#include "model/kernel_tile_internal.h"

const struct kernel_table kernel_plain = {"plain",   dot,   run_outer, pack,
                                          TILE_ROWS, DEPTH, 0};

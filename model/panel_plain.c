/* SPDX-License-Identifier: Apache-2.0
 *
 * Panel kernels for any machine: tiles of 3 x 8, product and sum rounded one
 * by one. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(16)));
typedef float loose_vec __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint32_t bits __attribute__((vector_size(16)));

enum { LANES = 4, TILE_ROWS = 3, TILE_VECS = 2, ROW_VECS = 8 };

static inline __attribute__((always_inline)) vec vec_zero(void)
{
    return (vec){0};
}

static inline __attribute__((always_inline)) vec vec_load(const float *p)
{
    return *(const loose_vec *)p;
}

static inline __attribute__((always_inline)) void vec_store(float *p, vec v)
{
    *(loose_vec *)p = v;
}

static inline __attribute__((always_inline)) vec vec_all(const float *p)
{
    uint32_t one;

    memcpy(&one, p, sizeof one);
    return (vec)(bits){one, one, one, one};
}

static inline __attribute__((always_inline)) vec vec_step(vec x, vec w, vec sum)
{
    return sum + x * w;
}

static inline __attribute__((always_inline)) vec vec_step_bf16(vec x, vec w,
                                                               vec sum)
{
    const bits high = {0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000};

    sum += (vec)((bits)x << 16) * (vec)((bits)w << 16);
    return sum + (vec)((bits)x & high) * (vec)((bits)w & high);
}

#include "model/panel_tile_internal.h"

const struct panel_kernel panel_plain = {"plain", "plain-bf16", 0, run_f32,
                                         run_bf16};

/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that multiply rows by a panel of packed weights.
 *
 * A panel holds PANEL_WIDTH rows of a weight matrix, turned: what a step
 * along K needs of all of them lies together, and the whole is read in one
 * stream. In bf16 a step takes two elements of K (an odd end is zero).
 *
 *     f32   [k][64]          bf16  [k / 2][64][2]
 *
 * Every sum runs along K in order, on its own, whatever rows are beside it:
 * the bits of an element are a function of its row and its column alone.
 */
#ifndef MODEL_PANEL_INTERNAL_H
#define MODEL_PANEL_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum { PANEL_WIDTH = 64 };

/* y[m][64] = x[m][k] w (+ y). */
struct panel_job {
    size_t m, k;     /* in steps: pairs of bf16 */
    const void *x;   /* floats, or bf16 in pairs; 4-byte elements either way */
    size_t x_stride; /* steps */
    const void *w;   /* 64-byte aligned */
    float *y;
    size_t y_stride;
    int accumulate;
};

struct panel_kernel {
    const char *name;      /* of the set in model/kernel_internal.h */
    const char *bf16_name; /* of the bits that its bf16 products have */
    void (*f32)(const struct panel_job *job);
    void (*bf16)(const struct panel_job *job);
};

extern const struct panel_kernel panel_plain;
#ifdef __x86_64__
extern const struct panel_kernel panel_avx2;
extern const struct panel_kernel panel_avx512;
extern const struct panel_kernel panel_avx512bf16;
extern const struct panel_kernel panel_amx;
#endif

#endif

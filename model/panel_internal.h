/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that multiply rows by a panel of packed weights.
 *
 * A panel holds PANEL_WIDTH rows of a weight matrix, turned, in strips: what
 * a step along K needs of PANEL_STRIP of them is a line of the cache, and a
 * strip is read in one stream. (With all 64 side by side, the 16 lines of an
 * AMX tile would share a few sets of the first cache.) In bf16 a step takes
 * two elements of K (an odd end is zero).
 *
 *     f32   [4][k][16]       bf16  [4][k / 2][16][2]
 *
 * Every sum runs along K in order, on its own, whatever rows are beside it:
 * the bits of an element are a function of its row and its column alone.
 */
#ifndef MODEL_PANEL_INTERNAL_H
#define MODEL_PANEL_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum { PANEL_WIDTH = 64, PANEL_STRIP = 16 };

/* Where step p of a column lies in a panel of k steps. */
static inline size_t panel_place(size_t k, size_t column, size_t p)
{
    return (column / PANEL_STRIP * k + p) * PANEL_STRIP + column % PANEL_STRIP;
}

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

/* Panels of bf16 in steps of pairs, 64-byte aligned: from up to 64 rows
 * `stride` apart of k floats, each a column of the panel; and from k rows that
 * lie along K, of up to 64 columns. Columns that are missing are zero. */
void panel_pack_rows(uint32_t *to, const float *row, size_t stride,
                     size_t n_row, size_t k);
void panel_pack_columns(uint32_t *to, const float *row, size_t stride, size_t k,
                        size_t n_column);

struct panel_kernel {
    const char *name;      /* of the set in model/kernel_internal.h */
    const char *bf16_name; /* of the bits of a decoder with its bf16 */
    int is_for_attention;  /* its bf16 is worth making panels of a cache */
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

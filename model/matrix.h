/* SPDX-License-Identifier: Apache-2.0
 *
 * Weight matrices in the form that products like best, and the product.
 *
 * A matrix has n rows (output features) of k elements. It begins as rows of
 * f32; matrix_pack() turns it in place into panels of f32 (the same values) or
 * of bf16 (rounded to the nearest, ties to even; half the memory, and inputs
 * are rounded too). Panels of quantised weights (model/quant_panel.h) are made
 * by others and lie elsewhere. Rows that do not fill a panel lie behind the
 * panels, as rows of f32. Whatever the form, a row of a product has bits that depend on
 * that row of x and on the matrix alone: not on m, its neighbours or the
 * threads. Sums of the forms run in different orders.
 */
#ifndef MODEL_MATRIX_H
#define MODEL_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/gemm.h"
#include "model/quant_product.h"

enum matrix_form { MATRIX_ROWS, MATRIX_F32, MATRIX_BF16, MATRIX_QUANT };

/* `data` is borrowed: [n][k] floats, 64-byte aligned, packed or not. */
struct matrix {
    enum matrix_form form;
    size_t n, k;
    float *data;
    const struct quant_panel *panel; /* [n / 64] of MATRIX_QUANT, borrowed */
};

struct panel_kernel;

/* What makes products, with memory for inputs in another form. Not for two
 * threads at once. */
struct multiplier {
    struct gemm *gemm; /* borrowed */
    const struct panel_kernel *kernel;
    uint16_t *x;
    size_t cap_x;
    const struct quant_kernel *quant_kernel;
    struct quant_scratch quant;
};

/* With the kernels of gemm's set. */
void multiplier_init(struct multiplier *multiplier, struct gemm *gemm);
void multiplier_release(struct multiplier *multiplier);
/* Whether its kernels have a form; OpenBLAS takes rows only. */
int multiplier_takes(const struct multiplier *multiplier,
                     enum matrix_form form);

/* The kernel that attention of a decoder in bf16 is made with; NULL: none is
 * worth it, and attention is made in f32. Borrowed. */
const struct panel_kernel *multiplier_attention(
    const struct multiplier *multiplier);
/* What tells the bits of a decoder in bf16 from those of others, for
 * journals; borrowed. */
const char *multiplier_bf16_name(const struct multiplier *multiplier);

/* From rows to `form` (f32 or bf16), in the calling thread; memory that this frees goes back
 * to the system in whole pages. */
void matrix_pack(struct matrix *matrix, enum matrix_form form);
/* Gives the whole pages between two places of a matrix back to the system. */
void matrix_drop(const float *from, const float *to);
/* Row `row` to out[k], as it is kept. */
void matrix_row(const struct matrix *matrix, size_t row, float *out);

/* y[m][n] = x[m][k] matrix^T (+ y). */
void matrix_multiply(struct multiplier *multiplier, const struct matrix *matrix,
                     size_t m, const float *x, size_t x_stride, float *y,
                     size_t y_stride, int accumulate);

#endif

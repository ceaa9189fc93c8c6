/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels over rows of activations: norms, rotations, SwiGLU, softmax sums.
 *
 * Each works on one row (a token) and gives the same bits whatever other rows
 * are in the batch: trainer and engine call the same functions. Vector forms
 * are chosen by core/cpu.h; sums over a row run in 16 lanes that are added in
 * a fixed tree, in the plain form too. exp and log are own polynomials of at
 * most 2 ulp; libm is not called.
 */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* y = weight * x / sqrt(mean(x^2) + eps); returns 1 / sqrt(...). y may be x. */
float rows_rms_norm(float *y, const float *x, const float *weight, size_t n,
                    float eps);
/* dx += gradient of the above; dweight[n] += its part. */
void rows_rms_norm_backward(float *dx, float *dweight, const float *dy,
                            const float *x, const float *weight, size_t n,
                            float rstd);

/* Rotates one head by the angles of its position: cosine and sine are
 * [head_dim / 2]; halves are paired (i, i + head_dim / 2), as transformers
 * does. `direction` -1 is the inverse (the gradient). */
void rows_rope(float *head, const float *cosine, const float *sine,
               size_t head_dim, int direction);

/* hidden = silu(gate) * up. */
void rows_swiglu(float *hidden, const float *gate, const float *up, size_t n);
/* From dhidden: dgate and dup (may overwrite gate and up). */
void rows_swiglu_backward(float *dgate, float *dup, const float *dhidden,
                          const float *gate, const float *up, size_t n);

/* y += x. */
void rows_add(float *y, const float *x, size_t n);

/* The largest element and log(sum(exp(x))). */
float rows_max(const float *x, size_t n);
float rows_log_sum_exp(const float *x, size_t n);
/* x[i] = exp(x[i] - shift) in place; returns the sum. */
float rows_exp(float *x, size_t n, float shift);
/* The first index of the largest element. */
size_t rows_argmax(const float *x, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of row kernels that each instruction set fills.
 *
 * rows_kernels.h holds the one text of all kernels; rows_plain.c, rows_avx2.c
 * and rows_avx512.c compile it for their instructions. rows.c chooses.
 */
#ifndef MODEL_ROWS_INTERNAL_H
#define MODEL_ROWS_INTERNAL_H

#include "model/rows.h"

struct rows_kernels {
    float (*rms_norm)(float *y, const float *x, const float *weight, size_t n,
                      float eps);
    void (*rms_apply)(float *y, const float *x, const float *weight, size_t n,
                      float rstd);
    void (*rms_norm_backward)(float *dx, float *dweight, const float *dy,
                              const float *x, const float *weight, size_t n,
                              float rstd);
    void (*rope)(float *head, const float *cosine, const float *sine,
                 size_t half, float direction);
    void (*swiglu)(float *hidden, const float *gate, const float *up, size_t n);
    void (*swiglu_backward)(float *hidden, float *dgate, float *dup,
                            const float *dhidden, const float *gate,
                            const float *up, size_t n);
    void (*clamped_swiglu)(float *hidden, const float *gate, const float *up,
                           size_t n, float limit, float alpha);
    void (*sigmoid)(float *x, size_t n);
    void (*gate)(float *y, const float *x, size_t n);
    void (*silu)(float *x, size_t n);
    void (*add_scaled)(float *y, const float *x, size_t n, float a);
    void (*delta_step)(const struct rows_memory *memory);
    void (*decay_step)(const struct rows_memory *memory);
    void (*add)(float *y, const float *x, size_t n);
    void (*scale)(float *y, size_t n, float a);
    float (*sum)(const float *x, size_t n);
    float (*dot)(const float *x, const float *y, size_t n);
    float (*max)(const float *x, size_t n);
    float (*exp)(float *x, size_t n, float shift);
    float (*exp_sum)(const float *x, size_t n, float shift);
    void (*from_bf16)(float *y, const uint16_t *x, size_t n);
    void (*to_bf16)(uint16_t *y, const float *x, size_t n);
    void (*turn_bf16)(uint32_t y[16][16], const float *x, size_t stride,
                      size_t n_row, size_t n);
    void (*pair_bf16)(uint32_t *y, const float *low, const float *high,
                      size_t n);
    void (*from_int8)(float *y, const int8_t *x, size_t n, float scale);
    void (*soft_cap)(float *x, size_t n, float cap);
    void (*gelu)(float *x, size_t n);
    void (*gelu_tanh)(float *x, size_t n);
    void (*gelu_tanh_backward)(float *hidden, float *dup, const float *dhidden,
                               const float *up, size_t n);
    void (*layer_norm_backward)(float *dx, float *dweight, const float *dy,
                                const float *x, const float *weight, size_t n,
                                float eps);
    void (*multiply)(float *y, const float *x, size_t n);
    void (*layer_norm)(float *y, const float *x, const float *weight, size_t n,
                       float eps);
    void (*softmax_gradient)(float *x, size_t n, float lse, float a, float b);
    void (*attention_gradient)(float *score, float *dp, size_t n, float lse,
                               float delta, float a);
    double (*square_sum)(const float *x, size_t n);
    void (*adamw)(float *p, float *m, float *v, const float *g, size_t n,
                  const struct rows_adamw *step);
};

extern const struct rows_kernels rows_plain;
#if defined(__x86_64__)
extern const struct rows_kernels rows_avx2;
extern const struct rows_kernels rows_avx512;
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Chooses the form of the row kernels that this processor runs.
 */
#include "model/rows.h"

#include <string.h>

#include "core/cpu.h"
#include "model/rows_internal.h"

static inline const struct rows_kernels *kernels(void)
{
#if defined(__x86_64__)
    const enum oy_cpu level = oy_cpu_level();

    if (level >= OY_CPU_AVX512)
        return &rows_avx512;
    if (level >= OY_CPU_AVX2)
        return &rows_avx2;
#endif
    return &rows_plain;
}

float rows_rms_norm(float *y, const float *x, const float *weight, size_t n,
                    float eps)
{
    return kernels()->rms_norm(y, x, weight, n, eps);
}

void rows_rms_apply(float *y, const float *x, const float *weight, size_t n,
                    float rstd)
{
    kernels()->rms_apply(y, x, weight, n, rstd);
}

void rows_rms_norm_backward(float *dx, float *dweight, const float *dy,
                            const float *x, const float *weight, size_t n,
                            float rstd)
{
    kernels()->rms_norm_backward(dx, dweight, dy, x, weight, n, rstd);
}

void rows_rope(float *head, const float *cosine, const float *sine,
               size_t head_dim, int direction)
{
    kernels()->rope(head, cosine, sine, head_dim / 2, (float)direction);
}

void rows_swiglu(float *hidden, const float *gate, const float *up, size_t n)
{
    kernels()->swiglu(hidden, gate, up, n);
}

void rows_swiglu_backward(float *hidden, float *dgate, float *dup,
                          const float *dhidden, const float *gate,
                          const float *up, size_t n)
{
    kernels()->swiglu_backward(hidden, dgate, dup, dhidden, gate, up, n);
}

void rows_clamped_swiglu(float *hidden, const float *gate, const float *up,
                         size_t n, float limit, float alpha)
{
    kernels()->clamped_swiglu(hidden, gate, up, n, limit, alpha);
}

void rows_sigmoid(float *x, size_t n)
{
    kernels()->sigmoid(x, n);
}

void rows_gate(float *y, const float *x, size_t n)
{
    kernels()->gate(y, x, n);
}

void rows_silu(float *x, size_t n)
{
    kernels()->silu(x, n);
}

void rows_add_scaled(float *y, const float *x, size_t n, float a)
{
    kernels()->add_scaled(y, x, n, a);
}

void rows_delta_step(const struct rows_memory *memory)
{
    kernels()->delta_step(memory);
}

void rows_decay_step(const struct rows_memory *memory)
{
    kernels()->decay_step(memory);
}

void rows_add(float *y, const float *x, size_t n)
{
    kernels()->add(y, x, n);
}

void rows_scale(float *y, size_t n, float a)
{
    kernels()->scale(y, n, a);
}

float rows_sum(const float *x, size_t n)
{
    return kernels()->sum(x, n);
}

float rows_dot(const float *x, const float *y, size_t n)
{
    return kernels()->dot(x, y, n);
}

float rows_max(const float *x, size_t n)
{
    return kernels()->max(x, n);
}

float rows_log_sum_exp(const float *x, size_t n)
{
    const float shift = rows_max(x, n);

    return shift + rows_log1(kernels()->exp_sum(x, n, shift));
}

float rows_exp(float *x, size_t n, float shift)
{
    return kernels()->exp(x, n, shift);
}

void rows_from_bf16(float *y, const uint16_t *x, size_t n)
{
    kernels()->from_bf16(y, x, n);
}

void rows_to_bf16(uint16_t *y, const float *x, size_t n)
{
    kernels()->to_bf16(y, x, n);
}

void rows_turn_bf16(uint32_t y[16][16], const float *x, size_t stride,
                    size_t n_row, size_t n)
{
    kernels()->turn_bf16(y, x, stride, n_row, n);
}

void rows_pair_bf16(uint32_t *y, const float *low, const float *high, size_t n)
{
    kernels()->pair_bf16(y, low, high, n);
}

void rows_from_int8(float *y, const int8_t *x, size_t n, float scale)
{
    kernels()->from_int8(y, x, n, scale);
}

void rows_soft_cap(float *x, size_t n, float cap)
{
    kernels()->soft_cap(x, n, cap);
}

void rows_gelu(float *x, size_t n)
{
    kernels()->gelu(x, n);
}

void rows_gelu_tanh(float *x, size_t n)
{
    kernels()->gelu_tanh(x, n);
}

void rows_multiply(float *y, const float *x, size_t n)
{
    kernels()->multiply(y, x, n);
}

void rows_layer_norm(float *y, const float *x, const float *weight,
                     const float *bias, size_t n, float eps)
{
    kernels()->layer_norm(y, x, weight, n, eps);
    if (bias)
        kernels()->add(y, bias, n);
}

size_t rows_argmax(const float *x, size_t n)
{
    const float best = rows_max(x, n);

    for (size_t i = 0; i < n; i++) {
        if (x[i] == best)
            return i;
    }
    return 0;
}

float rows_exp1(float x)
{
    kernels()->exp(&x, 1, 0.0f);
    return x;
}

/* log(m 2^k) = k ln 2 + log(m), m in sqrt(1/2) .. sqrt(2): the polynomial of
 * Cephes' logf (Moshier 1989). */
float rows_log1(float x)
{
    static const float c[] = {
        7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
        -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
        2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
    uint32_t bits;
    float m, y;

    if (x != x || x <= 0.0f)
        return x != x ? x : -__builtin_inff();
    memcpy(&bits, &x, sizeof bits);
    if (bits >= 0x7f800000u)
        return x;
    int k = (int)(bits >> 23) - 126;
    bits = (bits & 0x007fffffu) | 0x3f000000u;
    memcpy(&m, &bits, sizeof m);
    if (m < 0.707106781186547524f) {
        k--;
        m += m;
    }
    m -= 1.0f;
    y = c[0];
    for (size_t i = 1; i < sizeof c / sizeof *c; i++)
        y = y * m + c[i];
    y = y * m * (m * m);
    y += -2.12194440e-4f * (float)k;
    y += -0.5f * (m * m);
    return (m + y) + 0.693359375f * (float)k;
}

void rows_softmax_gradient(float *x, size_t n, float lse, float a, float b)
{
    kernels()->softmax_gradient(x, n, lse, a, b);
}

void rows_attention_gradient(float *score, float *dp, size_t n, float lse,
                             float delta, float a)
{
    kernels()->attention_gradient(score, dp, n, lse, delta, a);
}

double rows_square_sum(const float *x, size_t n)
{
    return kernels()->square_sum(x, n);
}

void rows_adamw(float *p, float *m, float *v, const float *g, size_t n,
                const struct rows_adamw *step)
{
    kernels()->adamw(p, m, v, g, n, step);
}

void rows_layer_norm_backward(float *dx, float *dweight, float *dbias,
                              const float *dy, const float *x,
                              const float *weight, size_t n, float eps)
{
    kernels()->layer_norm_backward(dx, dweight, dy, x, weight, n, eps);
    if (dbias)
        rows_add(dbias, dy, n);
}

void rows_gelu_tanh_backward(float *hidden, float *dup, const float *dhidden,
                             const float *up, size_t n)
{
    kernels()->gelu_tanh_backward(hidden, dup, dhidden, up, n);
}

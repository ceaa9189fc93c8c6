/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels over rows of activations: norms, rotations, SwiGLU, softmax sums.
 *
 * Each works on one row (a token) and gives the same bits whatever other rows
 * are in the batch: trainer and engine call the same functions. Vector forms
 * are chosen by core/cpu.h; sums over a row run in 16 lanes that are added in
 * a fixed tree, in the plain form too, and no form fuses multiplications with
 * additions: all forms give the same bits. exp and log are own polynomials of
 * at most 2 ulp; libm is not called. Rows need no alignment and may have any
 * length. Not-a-numbers come out as such, so that a broken loss is seen.
 */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* y = weight * x / sqrt(mean(x^2) + eps); returns 1 / sqrt(...). y may be x. */
float rows_rms_norm(float *y, const float *x, const float *weight, size_t n,
                    float eps);
/* The same y from a 1 / sqrt(...) that is known: bit for bit. */
void rows_rms_apply(float *y, const float *x, const float *weight, size_t n,
                    float rstd);
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
/* From dhidden: dgate and dup (may overwrite gate and up), and hidden once
 * more (may overwrite dhidden), so that nobody has to keep it. */
void rows_swiglu_backward(float *hidden, float *dgate, float *dup,
                          const float *dhidden, const float *gate,
                          const float *up, size_t n);

/* hidden = (u + 1) g sigmoid(alpha g), g = min(gate, limit) and u = up within
 * +-limit: the activation of gpt_oss. hidden may be gate or up. */
void rows_clamped_swiglu(float *hidden, const float *gate, const float *up,
                         size_t n, float limit, float alpha);
/* x = sigmoid(x); y *= sigmoid(x); x *= sigmoid(x). */
void rows_sigmoid(float *x, size_t n);
void rows_gate(float *y, const float *x, size_t n);
void rows_silu(float *x, size_t n);
/* y += a x. */
void rows_add_scaled(float *y, const float *x, size_t n, float a);

/* One token of a linear attention: a head's memory S and what changes it.
 * Columns of S are on their own; sums over keys run from 0 on. */
struct rows_memory {
    float *state; /* S[n_key][n_value] */
    size_t n_key, n_value;
    const float *q, *k; /* [n_key] */
    const float *v;     /* [n_value] */
    float *out;         /* [n_value] */
    float decay, rate;
};
/* The gated delta rule (Yang and others 2024, arXiv 2412.06464): S *= decay;
 * S += rate k (v - S^T k)^T; out = S^T q. */
void rows_delta_step(const struct rows_memory *memory);
/* S = decay S + k v^T; out = S^T q. `rate` is not looked at. */
void rows_decay_step(const struct rows_memory *memory);

/* y += x; y *= a; sum(x); sum(x y). */
void rows_add(float *y, const float *x, size_t n);
void rows_scale(float *y, size_t n, float a);
float rows_sum(const float *x, size_t n);
float rows_dot(const float *x, const float *y, size_t n);

/* The largest element (n > 0) and log(sum(exp(x))). */
float rows_max(const float *x, size_t n);
float rows_log_sum_exp(const float *x, size_t n);
/* x[i] = exp(x[i] - shift) in place; returns the sum. */
float rows_exp(float *x, size_t n, float shift);
/* The first index of the largest element. */
size_t rows_argmax(const float *x, size_t n);

/* exp(x) and log(x) of one number (x > 0, normal), of the polynomials above. */
float rows_exp1(float x);
float rows_log1(float x);

/* y[i] = x[i]: from bf16, and to it as bfloat_of_float() of model/half.h
 * rounds. */
void rows_from_bf16(float *y, const uint16_t *x, size_t n);
void rows_to_bf16(uint16_t *y, const float *x, size_t n);
/* y[p][i] = the elements 2p and 2p + 1 of row i, as bf16: 16 rows `stride`
 * apart of n (up to 32) floats; pairs that are missing are zero. */
void rows_turn_bf16(uint32_t y[16][16], const float *x, size_t stride,
                    size_t n_row, size_t n);
/* y[i] = the pair of low[i] and high[i], as bf16. */
void rows_pair_bf16(uint32_t *y, const float *low, const float *high, size_t n);
/* y[i] = scale x[i]. */
void rows_from_int8(float *y, const int8_t *x, size_t n, float scale);
/* x[i] = cap tanh(x[i] / cap) in place: the soft cap of Gemma 2. */
void rows_soft_cap(float *x, size_t n, float cap);
/* x P(X < x) of a normal X in place, exact to 1e-6 of |x|, and the form with
 * tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
void rows_gelu(float *x, size_t n);
void rows_gelu_tanh(float *x, size_t n);
/* y *= x. */
void rows_multiply(float *y, const float *x, size_t n);
/* y = weight (x - mean) / sqrt(variance + eps) + bias; bias NULL: none. y may
 * be x. */
void rows_layer_norm(float *y, const float *x, const float *weight,
                     const float *bias, size_t n, float eps);
/* The way back through it: dx, dweight and dbias are added to; dbias NULL:
 * there is none. */
void rows_layer_norm_backward(float *dx, float *dweight, float *dbias,
                              const float *dy, const float *x,
                              const float *weight, size_t n, float eps);
/* hidden = gelu_tanh(up), dup = dhidden gelu_tanh'(up); dup may be up, and
 * dhidden hidden. */
void rows_gelu_tanh_backward(float *hidden, float *dup, const float *dhidden,
                             const float *up, size_t n);

/* Gradient of cross-entropy in place, all but the target's part:
 * x[i] = a exp(x[i] - lse) - b. */
void rows_softmax_gradient(float *x, size_t n, float lse, float a, float b);
/* A row of attention's backward pass. In: scaled scores and gradients of
 * their probabilities. Out: score[i] = p = exp(score[i] - lse), and
 * dp[i] = a p (dp[i] - delta). */
void rows_attention_gradient(float *score, float *dp, size_t n, float lse,
                             float delta, float a);

/* sum(x^2) in double, in 16 lanes. */
double rows_square_sum(const float *x, size_t n);

/* One step of AdamW (Loshchilov and Hutter 2019, as torch.optim.AdamW has
 * it): g *= scale; m = beta1 m + rest1 g; v = beta2 v + rest2 g^2;
 * p = p keep - rate m / (sqrt(v) root + eps). */
struct rows_adamw {
    float scale; /* clipping */
    float beta1, beta2;
    float rest1, rest2; /* 1 - beta, rounded once: 1 - 0.999f is 5e-5 off */
    float keep;         /* 1 - lr weight_decay, or 1 */
    float rate;         /* lr / (1 - beta1^t) */
    float root;         /* 1 / sqrt(1 - beta2^t) */
    float eps;
};
void rows_adamw(float *p, float *m, float *v, const float *g, size_t n,
                const struct rows_adamw *step);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of the row kernels, in GCC vectors of 16 floats.
 *
 * Included once by each rows_*.c, which sets the target instructions and
 * names the table with ROWS_TABLE. The compiler splits the vectors into what
 * the target has; every operation is rounded on its own (-ffp-contract=off),
 * so that all targets give the same bits.
 */
#include <math.h>
#include <string.h>

#include "model/rows_internal.h"

#pragma GCC diagnostic ignored "-Wpsabi"

enum { LANES = 16 };

typedef float vec __attribute__((vector_size(64)));
typedef int32_t veci __attribute__((vector_size(64)));
typedef float vec_at __attribute__((vector_size(64), aligned(4), may_alias));
typedef double vec8d __attribute__((vector_size(64)));
typedef float vec8 __attribute__((vector_size(32)));
typedef float vec8_at __attribute__((vector_size(32), aligned(4), may_alias));

typedef uint32_t vecu __attribute__((vector_size(64)));
typedef uint16_t vech __attribute__((vector_size(32)));
typedef uint16_t vech_at
    __attribute__((vector_size(32), aligned(2), may_alias));
typedef int8_t vecb_at __attribute__((vector_size(16), aligned(1), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *x)
{
    return *(const vec_at *)x;
}

INLINE void store(float *x, vec v)
{
    *(vec_at *)x = v;
}

/* The first n floats, zeros behind. */
INLINE vec load_part(const float *x, size_t n)
{
    vec v = {0};

    memcpy(&v, x, n * sizeof *x);
    return v;
}

INLINE void store_part(float *x, vec v, size_t n)
{
    memcpy(x, &v, n * sizeof *x);
}

INLINE vec all(float a)
{
    return (vec){0} + a;
}

INLINE vec choose(veci mask, vec yes, vec no)
{
    return (vec)((mask & (veci)yes) | (~mask & (veci)no));
}

/* Lanes from n on become zero. */
INLINE vec keep_part(vec v, size_t n)
{
    const veci lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    return (vec)((lane < (int32_t)n) & (veci)v);
}

/* The fixed tree: 16 -> 8 -> 4 -> 2 -> 1, lane i with lane i + half. */
INLINE float add_lanes(vec v)
{
    float lane[LANES];

    memcpy(lane, &v, sizeof lane);
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    }
    return lane[0];
}

/* exp of each lane: 2^k times a polynomial of the rest, the coefficients and
 * the two-part ln 2 of Cephes' expf (Moshier 1989). Below -87.3 it is 0,
 * above 88.3 it stays at 2.2e38. */
INLINE vec exp_lanes(vec x)
{
    const vec low = all(-87.3f), high = all(88.3f);
    const vec magic = all(12582912.0f); /* 1.5 * 2^23 rounds to an integer */
    const vec bounded = choose(x > high, high, x);
    const vec k = (bounded * 1.44269504088896341f + magic) - magic;
    const vec r = (bounded - k * 0.693359375f) - k * -2.12194440e-4f;
    const veci exponent = __builtin_convertvector(k, veci) + 127;
    vec p = all(1.9875691500e-4f);

    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    p *= (vec)(exponent << 23);
    return (vec)(~(x < low) & (veci)p);
}

INLINE vec sigmoid_lanes(vec x)
{
    return 1.0f / (1.0f + exp_lanes(-x));
}

static void rms_apply(float *y, const float *x, const float *weight, size_t n,
                      float rstd)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(x + i) * rstd * load(weight + i));
    if (i < n)
        store_part(y + i,
                   load_part(x + i, n - i) * rstd *
                       load_part(weight + i, n - i),
                   n - i);
}

static float dot(const float *x, const float *y, size_t n)
{
    vec sum = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        sum += load(x + i) * load(y + i);
    if (i < n)
        sum += load_part(x + i, n - i) * load_part(y + i, n - i);
    return add_lanes(sum);
}

static float rms_norm(float *y, const float *x, const float *weight, size_t n,
                      float eps)
{
    const float mean = dot(x, x, n) / (float)n;
    const float rstd = 1.0f / __builtin_sqrtf(mean + eps);

    rms_apply(y, x, weight, n, rstd);
    return rstd;
}

static void rms_norm_backward(float *dx, float *dweight, const float *dy,
                              const float *x, const float *weight, size_t n,
                              float rstd)
{
    vec sum = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        sum += load(dy + i) * load(weight + i) * load(x + i);
    if (i < n)
        sum += load_part(dy + i, n - i) * load_part(weight + i, n - i) *
               load_part(x + i, n - i);

    const float back = add_lanes(sum) * rstd * rstd * rstd / (float)n;
    for (i = 0; i + LANES <= n; i += LANES) {
        const vec d = load(dy + i), at = load(x + i);
        store(dweight + i, load(dweight + i) + d * at * rstd);
        store(dx + i, load(dx + i) + (d * load(weight + i) * rstd - at * back));
    }
    if (i < n) {
        const size_t rest = n - i;
        const vec d = load_part(dy + i, rest), at = load_part(x + i, rest);
        const vec w = load_part(weight + i, rest);
        store_part(dweight + i, load_part(dweight + i, rest) + d * at * rstd,
                   rest);
        store_part(dx + i, load_part(dx + i, rest) + (d * w * rstd - at * back),
                   rest);
    }
}

static void rope(float *head, const float *cosine, const float *sine,
                 size_t half, float direction)
{
    float *const other = head + half;
    size_t i = 0;

    for (; i + LANES <= half; i += LANES) {
        const vec a = load(head + i), b = load(other + i);
        const vec c = load(cosine + i), s = load(sine + i) * direction;
        store(head + i, a * c - b * s);
        store(other + i, b * c + a * s);
    }
    if (i < half) {
        const size_t rest = half - i;
        const vec a = load_part(head + i, rest), b = load_part(other + i, rest);
        const vec c = load_part(cosine + i, rest);
        const vec s = load_part(sine + i, rest) * direction;
        store_part(head + i, a * c - b * s, rest);
        store_part(other + i, b * c + a * s, rest);
    }
}

static void swiglu(float *hidden, const float *gate, const float *up, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec g = load(gate + i);
        store(hidden + i, g * sigmoid_lanes(g) * load(up + i));
    }
    if (i < n) {
        const vec g = load_part(gate + i, n - i);
        store_part(hidden + i, g * sigmoid_lanes(g) * load_part(up + i, n - i),
                   n - i);
    }
}

/* The gradient's part of one vector: in dh, g, u; out hidden, dgate, dup. */
INLINE void swiglu_gradient(vec *dh, vec *g, vec *u)
{
    const vec sigmoid = sigmoid_lanes(*g);
    const vec silu = *g * sigmoid;
    const vec dgate = *dh * *u * (sigmoid * (1.0f + *g * (1.0f - sigmoid)));
    const vec dup = *dh * silu;

    *dh = silu * *u;
    *g = dgate;
    *u = dup;
}

static void swiglu_backward(float *hidden, float *dgate, float *dup,
                            const float *dhidden, const float *gate,
                            const float *up, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        vec dh = load(dhidden + i), g = load(gate + i), u = load(up + i);
        swiglu_gradient(&dh, &g, &u);
        store(hidden + i, dh);
        store(dgate + i, g);
        store(dup + i, u);
    }
    if (i < n) {
        const size_t rest = n - i;
        vec dh = load_part(dhidden + i, rest), g = load_part(gate + i, rest);
        vec u = load_part(up + i, rest);
        swiglu_gradient(&dh, &g, &u);
        store_part(hidden + i, dh, rest);
        store_part(dgate + i, g, rest);
        store_part(dup + i, u, rest);
    }
}

/* Gates of gpt_oss: bounded above, both sides for `up`, which counts from
 * -1. */
INLINE vec clamped_swiglu_lanes(vec g, vec u, float limit, float alpha)
{
    const vec high = all(limit), low = all(-limit);

    g = choose(g > high, high, g);
    u = choose(u > high, high, u);
    u = choose(u < low, low, u);
    return (u + 1.0f) * (g * sigmoid_lanes(g * alpha));
}

static void clamped_swiglu(float *hidden, const float *gate, const float *up,
                           size_t n, float limit, float alpha)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(hidden + i,
              clamped_swiglu_lanes(load(gate + i), load(up + i), limit, alpha));
    if (i < n)
        store_part(hidden + i,
                   clamped_swiglu_lanes(load_part(gate + i, n - i),
                                        load_part(up + i, n - i), limit, alpha),
                   n - i);
}

static void sigmoid(float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(x + i, sigmoid_lanes(load(x + i)));
    if (i < n)
        store_part(x + i, sigmoid_lanes(load_part(x + i, n - i)), n - i);
}

static void gate(float *y, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(y + i) * sigmoid_lanes(load(x + i)));
    if (i < n)
        store_part(y + i,
                   load_part(y + i, n - i) *
                       sigmoid_lanes(load_part(x + i, n - i)),
                   n - i);
}

static void silu(float *x, size_t n)
{
    gate(x, x, n);
}

static void add_scaled(float *y, const float *x, size_t n, float a)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(y + i) + load(x + i) * a);
    for (; i < n; i++)
        y[i] += x[i] * a;
}

INLINE vec load_lanes(const float *x, size_t n)
{
    return n == LANES ? load(x) : load_part(x, n);
}

INLINE void store_lanes(float *x, vec v, size_t n)
{
    if (n == LANES)
        store(x, v);
    else
        store_part(x, v, n);
}

/* Columns at .. at + n - 1 of the state: the sums run down the keys. */
INLINE void delta_columns(const struct rows_memory *m, size_t at, size_t n)
{
    vec known = {0}, out = {0};

    for (size_t i = 0; i < m->n_key; i++) {
        float *state = m->state + i * m->n_value + at;
        const vec s = load_lanes(state, n) * m->decay;
        store_lanes(state, s, n);
        known += s * m->k[i];
    }
    const vec change = (load_lanes(m->v + at, n) - known) * m->rate;
    for (size_t i = 0; i < m->n_key; i++) {
        float *state = m->state + i * m->n_value + at;
        const vec s = load_lanes(state, n) + change * m->k[i];
        store_lanes(state, s, n);
        out += s * m->q[i];
    }
    store_lanes(m->out + at, out, n);
}

static void delta_step(const struct rows_memory *m)
{
    size_t at = 0;

    for (; at + LANES <= m->n_value; at += LANES)
        delta_columns(m, at, LANES);
    if (at < m->n_value)
        delta_columns(m, at, m->n_value - at);
}

INLINE void decay_columns(const struct rows_memory *m, size_t at, size_t n)
{
    const vec v = load_lanes(m->v + at, n);
    vec out = {0};

    for (size_t i = 0; i < m->n_key; i++) {
        float *state = m->state + i * m->n_value + at;
        const vec s = load_lanes(state, n) * m->decay + v * m->k[i];
        store_lanes(state, s, n);
        out += s * m->q[i];
    }
    store_lanes(m->out + at, out, n);
}

static void decay_step(const struct rows_memory *m)
{
    size_t at = 0;

    for (; at + LANES <= m->n_value; at += LANES)
        decay_columns(m, at, LANES);
    if (at < m->n_value)
        decay_columns(m, at, m->n_value - at);
}

static void add(float *y, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(y + i) + load(x + i));
    for (; i < n; i++)
        y[i] += x[i];
}

static void scale(float *y, size_t n, float a)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(y + i) * a);
    for (; i < n; i++)
        y[i] *= a;
}

static float sum(const float *x, size_t n)
{
    vec total = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        total += load(x + i);
    if (i < n)
        total += load_part(x + i, n - i);
    return add_lanes(total);
}

/* A comparison that is false for not-a-numbers would lose them. */
INLINE vec larger(vec a, vec b)
{
    return choose((a >= b) | (a != a), a, b);
}

static float max(const float *x, size_t n)
{
    vec best = all(x[0]);
    float lane[LANES];
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        best = larger(best, load(x + i));
    memcpy(lane, &best, sizeof lane);
    for (int j = 1; j < LANES; j++)
        lane[0] = lane[0] >= lane[j] || lane[0] != lane[0] ? lane[0] : lane[j];
    for (; i < n; i++)
        lane[0] = lane[0] >= x[i] || lane[0] != lane[0] ? lane[0] : x[i];
    return lane[0];
}

/* Long rows are summed in blocks, lest a lane of 10,000 terms drifts. */
enum { SUM_BLOCK = 64 * LANES };

INLINE float exp_any(float *out, const float *x, size_t n, float shift)
{
    vec total = {0};
    size_t i = 0;

    while (i + LANES <= n) {
        const size_t left = n - i;
        const size_t end = i + (left < SUM_BLOCK ? left : SUM_BLOCK);
        vec part = {0};
        for (; i + LANES <= end; i += LANES) {
            const vec e = exp_lanes(load(x + i) - shift);
            if (out)
                store(out + i, e);
            part += e;
        }
        total += part;
    }
    if (i < n) {
        const vec e = exp_lanes(load_part(x + i, n - i) - shift);
        if (out)
            store_part(out + i, e, n - i);
        total += keep_part(e, n - i);
    }
    return add_lanes(total);
}

static float exp_store(float *x, size_t n, float shift)
{
    return exp_any(x, x, n, shift);
}

static float exp_sum(const float *x, size_t n, float shift)
{
    return exp_any(NULL, x, n, shift);
}

static void softmax_gradient(float *x, size_t n, float lse, float a, float b)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(x + i, exp_lanes(load(x + i) - lse) * a - b);
    if (i < n)
        store_part(x + i, exp_lanes(load_part(x + i, n - i) - lse) * a - b,
                   n - i);
}

static void attention_gradient(float *score, float *dp, size_t n, float lse,
                               float delta, float a)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec p = exp_lanes(load(score + i) - lse);
        store(score + i, p);
        store(dp + i, p * a * (load(dp + i) - delta));
    }
    if (i < n) {
        const size_t rest = n - i;
        const vec p = exp_lanes(load_part(score + i, rest) - lse);
        store_part(score + i, p, rest);
        store_part(dp + i, p * a * (load_part(dp + i, rest) - delta), rest);
    }
}

static double square_sum(const float *x, size_t n)
{
    vec8d low = {0}, high = {0};
    double lane[8];
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec8 a = *(const vec8_at *)(x + i);
        const vec8 b = *(const vec8_at *)(x + i + 8);
        const vec8d p = __builtin_convertvector(a, vec8d);
        const vec8d q = __builtin_convertvector(b, vec8d);
        low += p * p;
        high += q * q;
    }
    low += high;
    memcpy(lane, &low, sizeof lane);
    for (; i < n; i++)
        lane[i % 8] += (double)x[i] * x[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static inline void adamw_one(float *p, float *m, float *v, float g,
                             const struct rows_adamw *step)
{
    g *= step->scale;
    *m = *m * step->beta1 + g * step->rest1;
    *v = *v * step->beta2 + g * g * step->rest2;
    *p = *p * step->keep -
         step->rate * *m / (__builtin_sqrtf(*v) * step->root + step->eps);
}

/* Written for the compiler's own vectoriser, which knows the square root of
 * each target; every lane is on its own, so that all forms agree. */
__attribute__((optimize("O3"))) static void adamw(
    float *restrict p, float *restrict m, float *restrict v,
    const float *restrict g, size_t n, const struct rows_adamw *step)
{
    const struct rows_adamw s = *step;

    for (size_t i = 0; i < n; i++)
        adamw_one(p + i, m + i, v + i, g[i], &s);
}

static void from_bf16(float *y, const uint16_t *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const veci wide =
            __builtin_convertvector(*(const vech_at *)(x + i), veci);
        store(y + i, (vec)(wide << 16));
    }
    for (; i < n; i++) {
        const uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}

/* To the nearest, ties to even; a NaN stays one, made quiet. The bf16 is the
 * high half of a lane. */
INLINE vecu high_bf16_lanes(vec x)
{
    const vecu bits = (vecu)x;
    const vecu rounded = bits + 0x7fff + (bits >> 16 & 1);

    return (vecu)choose(x == x, (vec)rounded, (vec)(bits | 0x400000));
}

INLINE vech bf16_lanes(vec x)
{
    return __builtin_convertvector(high_bf16_lanes(x) >> 16, vech);
}

static void to_bf16(uint16_t *y, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        *(vech_at *)(y + i) = bf16_lanes(load(x + i));
    if (i < n) {
        const vech rest = bf16_lanes(load_part(x + i, n - i));
        memcpy(y + i, &rest, (n - i) * sizeof *y);
    }
}

#ifdef __AVX512F__
/* Lanes without bit s of a (at + s), with it of b (at - s). */
INLINE vecu mix_lanes(vecu a, vecu b, int32_t s, int32_t at)
{
    const veci lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const veci from_b = (lane & s) != 0;

    return __builtin_shuffle(
        a, b, (from_b & (lane + LANES - s + at)) | (~from_b & (lane + at)));
}

/* Halves of ever smaller squares change places: 8 x 8, 4 x 4, 2 x 2, 1 x 1. */
INLINE void turn_square(vecu v[LANES])
{
#pragma GCC unroll 4
    for (int s = LANES / 2; s > 0; s /= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
            if (i & s)
                continue;
            const vecu a = v[i], b = v[i + s];
            v[i] = mix_lanes(a, b, s, 0);
            v[i + s] = mix_lanes(a, b, s, s);
        }
    }
}
#else
INLINE void turn_square(vecu v[LANES])
{
    for (int i = 0; i < LANES; i++) {
        for (int j = 0; j < i; j++) {
            const uint32_t other = v[i][j];
            v[i][j] = v[j][i];
            v[j][i] = other;
        }
    }
}
#endif

static void turn_bf16(uint32_t y[LANES][LANES], const float *x, size_t stride,
                      size_t n_row, size_t n)
{
    vecu row[LANES];

    for (size_t i = 0; i < LANES; i++) {
        uint16_t own[2 * LANES] = {0};
        if (i < n_row)
            to_bf16(own, x + i * stride, n);
        memcpy(&row[i], own, sizeof row[i]);
    }
    turn_square(row);
    memcpy(y, row, sizeof row);
}

INLINE vecu pair_lanes(vec low, vec high)
{
    return high_bf16_lanes(low) >> 16 | (high_bf16_lanes(high) & 0xffff0000);
}

static void pair_bf16(uint32_t *y, const float *low, const float *high,
                      size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vecu pair = pair_lanes(load(low + i), load(high + i));
        memcpy(y + i, &pair, sizeof pair);
    }
    if (i < n) {
        const vecu pair =
            pair_lanes(load_part(low + i, n - i), load_part(high + i, n - i));
        memcpy(y + i, &pair, (n - i) * sizeof *y);
    }
}

static void from_int8(float *y, const int8_t *x, size_t n, float scale)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i,
              __builtin_convertvector(*(const vecb_at *)(x + i), vec) * scale);
    for (; i < n; i++)
        y[i] = (float)x[i] * scale;
}

/* tanh of each lane: Cephes' tanhf (Moshier 1989), a polynomial below 0.625
 * and 1 - 2 / (exp(2x) + 1) above. */
INLINE vec tanh_lanes(vec x)
{
    const vec s = x * x;
    const vec size = choose(x < 0, -x, x);
    const vec far = 1.0f - 2.0f / (exp_lanes(size * 2.0f) + 1.0f);
    vec p = all(-5.70498872745e-3f);

    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    p = p * s * x + x;
    return choose(size < 0.625f, p, choose(x < 0, -far, far));
}

static void soft_cap(float *x, size_t n, float cap)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(x + i, tanh_lanes(load(x + i) / cap) * cap);
    if (i < n)
        store_part(x + i, tanh_lanes(load_part(x + i, n - i) / cap) * cap,
                   n - i);
}

/* erfc(a) of lanes a >= 1, as Cephes' erfcf (Moshier 1989): exp(-a^2) / a
 * times a polynomial in 1 / a^2, one below 2 and one above. */
INLINE vec erfc_lanes(vec a)
{
    const vec inverse = 1.0f / a, s = inverse * inverse;
    vec p = all(2.326819970068386e-2f), r = all(-1.047766399936249e+1f);

    p = p * s - 1.387039388740657e-1f;
    p = p * s + 3.687424674597105e-1f;
    p = p * s - 5.824733027278666e-1f;
    p = p * s + 6.210004621745983e-1f;
    p = p * s - 4.944515323274145e-1f;
    p = p * s + 3.404879937665872e-1f;
    p = p * s - 2.741127028184656e-1f;
    p = p * s + 5.638259427386472e-1f;
    r = r * s + 1.297719955372516e+1f;
    r = r * s - 7.495518717768503e+0f;
    r = r * s + 2.921019019210786e+0f;
    r = r * s - 1.015265279202700e+0f;
    r = r * s + 4.218463358204948e-1f;
    r = r * s - 2.820767439740514e-1f;
    r = r * s + 5.641895067754075e-1f;
    return exp_lanes(-(a * a)) * inverse * choose(a < 2.0f, p, r);
}

/* x P(X < x) of a normal X. */
INLINE vec gelu_lanes(vec x)
{
    const vec z = x * 0.70710678118654752f, s = z * z;
    const vec size = choose(z < 0, -z, z);
    const vec tail = 0.5f * erfc_lanes(choose(size < 1.0f, all(1.0f), size));
    vec near = all(7.853861353153693e-5f);

    near = near * s - 8.010193625184903e-4f;
    near = near * s + 5.188327685732524e-3f;
    near = near * s - 2.685381193529856e-2f;
    near = near * s + 1.128358514861418e-1f;
    near = near * s - 3.761262582423300e-1f;
    near = near * s + 1.128379165726710e+0f;
    near = 0.5f + 0.5f * (z * near);
    return x * choose(size < 1.0f, near, choose(z < 0, tail, 1.0f - tail));
}

INLINE vec gelu_tanh_lanes(vec x)
{
    const vec inner = 0.79788456080286536f * (x + 0.044715f * (x * x * x));

    return 0.5f * x * (1.0f + tanh_lanes(inner));
}

static void gelu(float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(x + i, gelu_lanes(load(x + i)));
    if (i < n)
        store_part(x + i, gelu_lanes(load_part(x + i, n - i)), n - i);
}

static void gelu_tanh(float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(x + i, gelu_tanh_lanes(load(x + i)));
    if (i < n)
        store_part(x + i, gelu_tanh_lanes(load_part(x + i, n - i)), n - i);
}

static void multiply(float *y, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(y + i) * load(x + i));
    if (i < n)
        store_part(y + i, load_part(y + i, n - i) * load_part(x + i, n - i),
                   n - i);
}

/* The mean is taken off first: the variance of what is left is exact enough
 * in one pass. */
static void layer_norm(float *y, const float *x, const float *weight, size_t n,
                       float eps)
{
    const vec mean = all(sum(x, n) / (float)n);
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        store(y + i, load(x + i) - mean);
    if (i < n)
        store_part(y + i, load_part(x + i, n - i) - mean, n - i);
    rms_norm(y, y, weight, n, eps);
}

/* With u = tanh(a (x + b x^3)): the derivative is
 * (1 + u) / 2 + x (1 - u^2) a (1 + 3 b x^2) / 2. */
INLINE vec gelu_tanh_slope(vec x)
{
    const vec square = x * x;
    const vec u =
        tanh_lanes(0.79788456080286536f * (x + 0.044715f * (x * square)));

    return 0.5f * (1.0f + u) + 0.5f * x * (1.0f - u * u) *
                                   0.79788456080286536f *
                                   (1.0f + 0.134145f * square);
}

static void gelu_tanh_backward(float *hidden, float *dup, const float *dhidden,
                               const float *up, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec x = load(up + i), d = load(dhidden + i);
        store(dup + i, d * gelu_tanh_slope(x));
        store(hidden + i, gelu_tanh_lanes(x));
    }
    if (i < n) {
        const vec x = load_part(up + i, n - i);
        const vec d = load_part(dhidden + i, n - i);
        store_part(dup + i, d * gelu_tanh_slope(x), n - i);
        store_part(hidden + i, gelu_tanh_lanes(x), n - i);
    }
}

/* What a row is worth on the way back through LayerNorm: with g = dy weight
 * and c = x - mean, dx = rstd (g - mean of g - c rstd^2 mean of g c). */
struct layer_norm_row {
    vec mean, rstd, mean_g, slope;
};

INLINE struct layer_norm_row layer_norm_look(const float *dy, const float *x,
                                             const float *weight, size_t n,
                                             float eps)
{
    const vec mean = all(sum(x, n) / (float)n);
    vec square = {0}, of_g = {0}, of_gc = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec c = load(x + i) - mean, g = load(dy + i) * load(weight + i);
        square += c * c;
        of_g += g;
        of_gc += g * c;
    }
    for (; i < n; i++) {
        const float c = x[i] - mean[0], g = dy[i] * weight[i];
        square[0] += c * c;
        of_g[0] += g;
        of_gc[0] += g * c;
    }
    const float rstd =
        1.0f / __builtin_sqrtf(add_lanes(square) / (float)n + eps);
    return (struct layer_norm_row){
        mean, all(rstd), all(add_lanes(of_g) / (float)n),
        all(add_lanes(of_gc) / (float)n * rstd * rstd)};
}

INLINE void layer_norm_back_lanes(const struct layer_norm_row *row, vec dy,
                                  vec x, vec weight, vec *dx, vec *dweight)
{
    const vec c = x - row->mean;

    *dweight += dy * c * row->rstd;
    *dx += row->rstd * (dy * weight - row->mean_g - c * row->slope);
}

static void layer_norm_backward(float *dx, float *dweight, const float *dy,
                                const float *x, const float *weight, size_t n,
                                float eps)
{
    const struct layer_norm_row row = layer_norm_look(dy, x, weight, n, eps);
    size_t i = 0;

    for (; i < n; i += LANES) {
        const size_t rest = n - i < LANES ? n - i : LANES;
        vec d = load_part(dx + i, rest), w = load_part(dweight + i, rest);
        layer_norm_back_lanes(&row, load_part(dy + i, rest),
                              load_part(x + i, rest),
                              load_part(weight + i, rest), &d, &w);
        store_part(dx + i, d, rest);
        store_part(dweight + i, w, rest);
    }
}

const struct rows_kernels ROWS_TABLE = {
    .rms_norm = rms_norm,
    .rms_apply = rms_apply,
    .rms_norm_backward = rms_norm_backward,
    .rope = rope,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .clamped_swiglu = clamped_swiglu,
    .sigmoid = sigmoid,
    .gate = gate,
    .silu = silu,
    .add_scaled = add_scaled,
    .delta_step = delta_step,
    .decay_step = decay_step,
    .add = add,
    .scale = scale,
    .sum = sum,
    .dot = dot,
    .max = max,
    .exp = exp_store,
    .exp_sum = exp_sum,
    .from_bf16 = from_bf16,
    .to_bf16 = to_bf16,
    .turn_bf16 = turn_bf16,
    .pair_bf16 = pair_bf16,
    .from_int8 = from_int8,
    .soft_cap = soft_cap,
    .gelu = gelu,
    .gelu_tanh = gelu_tanh,
    .gelu_tanh_backward = gelu_tanh_backward,
    .layer_norm_backward = layer_norm_backward,
    .multiply = multiply,
    .layer_norm = layer_norm,
    .softmax_gradient = softmax_gradient,
    .attention_gradient = attention_gradient,
    .square_sum = square_sum,
    .adamw = adamw,
};

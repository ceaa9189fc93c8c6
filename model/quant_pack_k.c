/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing Q4_K, Q5_K, Q6_K: quantize_row_*_ref of ggml-quants.c.
 *
 * Scales of groups are found by trying a few: each gives whole numbers, the
 * least squares over these numbers give the scale that is judged. */
#include <math.h>

#include "model/quant_internal.h"

enum {
    ELEMENTS = 256,
    MAX_GROUP = 32,
    N_GROUP_4 = 8,  /* of Q4_K and Q5_K, 32 elements each */
    N_GROUP_6 = 16, /* of Q6_K, 16 elements each */
};

/* Below this a group is nothing: GROUP_MAX_EPS. */
static const float least_group = 1e-15F;

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* Ties to even, as nearest_int() there; a NaN becomes 0. */
static int nearest(float value)
{
    return fabsf(value) < 4194303.0F ? (int)rintf(value) : 0;
}

/* ---- a scale and a minimum: make_qkx2_quants ---- */

struct group {
    const float *x;
    float weight[MAX_GROUP];
    float sum_weight, sum_x; /* sum_x is weighted */
    float min, max;          /* min is never above 0 */
    int most;                /* largest whole number */
};

struct fit {
    float scale, min;
    int q[MAX_GROUP];
};

/* Weights are the mean magnitude plus the element's own. */
static void measure_group(struct group *group)
{
    const float *x = group->x;
    float sum = 0;

    for (int i = 0; i < MAX_GROUP; i++)
        sum += x[i] * x[i];
    const float mean = sqrtf(sum / MAX_GROUP);
    group->min = group->max = x[0];
    group->sum_weight = group->sum_x = 0;
    for (int i = 0; i < MAX_GROUP; i++) {
        group->weight[i] = mean + fabsf(x[i]);
        if (x[i] < group->min)
            group->min = x[i];
        if (x[i] > group->max)
            group->max = x[i];
        group->sum_weight += group->weight[i];
        group->sum_x += group->weight[i] * x[i];
    }
    if (group->min > 0)
        group->min = 0;
}

static void quantise_group(const struct group *group, float inverse, float min,
                           int *q)
{
    for (int i = 0; i < MAX_GROUP; i++)
        q[i] = clamp(nearest(inverse * (group->x[i] - min)), 0, group->most);
}

static float judge(const struct group *group, const struct fit *fit)
{
    float sum = 0;

    for (int i = 0; i < MAX_GROUP; i++) {
        const float off =
            fit->scale * (float)fit->q[i] + fit->min - group->x[i];
        sum += group->weight[i] * (off * off);
    }
    return sum;
}

/* Least squares for the numbers that are there; 0 when there is no answer. */
static int solve(const struct group *group, struct fit *fit)
{
    float sum = 0, sum2 = 0, sum_x = 0;

    for (int i = 0; i < MAX_GROUP; i++) {
        const float q = (float)fit->q[i], w = group->weight[i];
        sum += w * q;
        sum2 += w * q * q;
        sum_x += w * q * group->x[i];
    }
    const float d = group->sum_weight * sum2 - sum * sum;
    if (!(d > 0))
        return 0;
    fit->scale = (group->sum_weight * sum_x - group->sum_x * sum) / d;
    fit->min = (sum2 * group->sum_x - sum * sum_x) / d;
    if (fit->min > 0) {
        fit->min = 0;
        fit->scale = sum_x / sum2;
    }
    return 1;
}

/* Tries first + 0.1 i more than the largest number, i = 0 .. n_step, each
 * from the best minimum so far. The minimum comes back negated. */
static void fit_group(struct group *group, float first, int n_step,
                      struct fit *best)
{
    struct fit fit;

    measure_group(group);
    if (group->max == group->min) {
        *best = (struct fit){.min = -group->min};
        return;
    }
    const float inverse = (float)group->most / (group->max - group->min);
    best->scale = 1 / inverse;
    best->min = group->min;
    quantise_group(group, inverse, best->min, best->q);
    float least = judge(group, best);
    for (int i = 0; i <= n_step; i++) {
        const float more = first + 0.1F * (float)i + (float)group->most;
        quantise_group(group, more / (group->max - best->min), best->min,
                       fit.q);
        if (!solve(group, &fit))
            continue;
        const float error = judge(group, &fit);
        if (error < least) {
            least = error;
            *best = fit;
        }
    }
    best->min = -best->min;
}

static void put_scale_min(unsigned char *to, int j, int scale, int min)
{
    if (j < 4) {
        to[j] = (unsigned char)scale;
        to[j + 4] = (unsigned char)min;
        return;
    }
    to[j + 4] = (unsigned char)((scale & 15) | (min & 15) << 4);
    to[j - 4] |= (unsigned char)(scale >> 4 << 6);
    to[j] |= (unsigned char)(min >> 4 << 6);
}

static float largest(const struct fit *fit, int of_min)
{
    float most = 0;

    for (int i = 0; i < N_GROUP_4; i++) {
        const float value = of_min ? fit[i].min : fit[i].scale;
        if (value > most)
            most = value;
    }
    return most;
}

static int six_bits(float value, float inverse)
{
    const int n = (uint8_t)nearest(inverse * value);

    return n < 63 ? n : 63;
}

/* d, dmin and scales[12], which begin Q4_K and Q5_K. */
static void put_head(unsigned char *block, const struct fit *fit)
{
    const float scale = largest(fit, 0), min = largest(fit, 1);
    const float inverse_scale = scale > 0 ? 63 / scale : 0;
    const float inverse_min = min > 0 ? 63 / min : 0;

    for (int i = 0; i < N_GROUP_4; i++)
        put_scale_min(block + 4, i, six_bits(fit[i].scale, inverse_scale),
                      six_bits(fit[i].min, inverse_min));
    quant_put_half(block, scale / 63);
    quant_put_half(block + 2, min / 63);
}

/* The numbers again, for the scales as a reader sees them. */
static void requantise(const unsigned char *block, const float *from, int most,
                       struct fit *fit)
{
    const float d = quant_get_half(block), dmin = quant_get_half(block + 2);
    int scale, min;

    for (int i = 0; i < N_GROUP_4; i++) {
        quant_get_scale_min(block + 4, i, &scale, &min);
        const float step = d * (float)scale, low = dmin * (float)min;
        if (step == 0)
            continue;
        for (int j = 0; j < MAX_GROUP; j++)
            fit[i].q[j] =
                clamp(nearest((from[MAX_GROUP * i + j] + low) / step), 0, most);
    }
}

static void fit_block(const float *from, unsigned char *block, int most,
                      struct fit *fit)
{
    struct group group = {.most = most};

    for (int i = 0; i < N_GROUP_4; i++) {
        group.x = from + MAX_GROUP * i;
        if (most == 15)
            fit_group(&group, -1, 20, &fit[i]);
        else
            fit_group(&group, -0.5F, 15, &fit[i]);
    }
    put_head(block, fit);
    requantise(block, from, most, fit);
}

static void put_nibbles(unsigned char *to, const struct fit *fit)
{
    for (int i = 0; i < N_GROUP_4; i += 2) {
        for (int j = 0; j < MAX_GROUP; j++)
            *to++ = (unsigned char)((fit[i].q[j] & 15) | (fit[i + 1].q[j] & 15)
                                                             << 4);
    }
}

void quant_pack_q4_k(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;
    struct fit fit[N_GROUP_4];

    for (size_t i = 0; i < n_block; i++, block += 144, from += ELEMENTS) {
        fit_block(from, block, 15, fit);
        put_nibbles(block + 16, fit);
    }
}

void quant_pack_q5_k(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;
    struct fit fit[N_GROUP_4];

    for (size_t i = 0; i < n_block; i++, block += 176, from += ELEMENTS) {
        fit_block(from, block, 31, fit);
        memset(block + 16, 0, MAX_GROUP);
        for (int j = 0; j < ELEMENTS; j++)
            block[16 + j % MAX_GROUP] |=
                (unsigned char)(fit[j / MAX_GROUP].q[j % MAX_GROUP] >>
                                4 << j / MAX_GROUP);
        put_nibbles(block + 48, fit);
    }
}

/* ---- a scale alone: make_qx_quants with rmse_type 1 ---- */

/* Numbers of -32 .. 31 for 16 elements, and their sums of least squares. */
struct trial {
    int q[N_GROUP_6];
    float sum_x, sum2;
};

static void try_scale(const float *x, float inverse, struct trial *trial)
{
    trial->sum_x = trial->sum2 = 0;
    for (int i = 0; i < N_GROUP_6; i++) {
        const int q = clamp(nearest(inverse * x[i]), -32, 31);
        const float w = x[i] * x[i];
        trial->q[i] = q + 32;
        trial->sum_x += w * x[i] * (float)q;
        trial->sum2 += w * (float)q * (float)q;
    }
}

static float find_extreme(const float *x)
{
    float extreme = 0, magnitude = 0;

    for (int i = 0; i < N_GROUP_6; i++) {
        if (fabsf(x[i]) > magnitude) {
            magnitude = fabsf(x[i]);
            extreme = x[i];
        }
    }
    return extreme;
}

/* The scale of a group; q are its numbers. */
static float fit_scale(const float *x, int *q)
{
    const float extreme = find_extreme(x);
    struct trial trial = {0};

    if (fabsf(extreme) < least_group) {
        memset(q, 0, sizeof trial.q);
        return 0;
    }
    try_scale(x, -32 / extreme, &trial);
    memcpy(q, trial.q, sizeof trial.q);
    float scale = trial.sum2 != 0 ? trial.sum_x / trial.sum2 : 0;
    float best = scale * trial.sum_x;
    for (int i = -9; i <= 9; i++) {
        if (i == 0)
            continue;
        try_scale(x, -(32 + 0.1F * (float)i) / extreme, &trial);
        if (!(trial.sum2 > 0 && trial.sum_x * trial.sum_x > best * trial.sum2))
            continue;
        memcpy(q, trial.q, sizeof trial.q);
        scale = trial.sum_x / trial.sum2;
        best = scale * trial.sum_x;
    }
    return scale;
}

/* Element j of the half goes to bits of ql and qh, see quant_unpack_q6_k. */
static void put_six_bits(unsigned char *block, const int *q)
{
    memset(block, 0, 192);
    for (int j = 0; j < ELEMENTS; j++) {
        const int half = j / 128, part = j % 128 / 32, at = j % 32;
        block[half * 64 + part % 2 * 32 + at] |=
            (unsigned char)((q[j] & 15) << part / 2 * 4);
        block[128 + half * 32 + at] |= (unsigned char)(q[j] >> 4 << 2 * part);
    }
}

static void pack_block_q6_k(const float *from, unsigned char *block)
{
    float scale[N_GROUP_6];
    int q[ELEMENTS];

    for (int i = 0; i < N_GROUP_6; i++)
        scale[i] = fit_scale(from + N_GROUP_6 * i, q + N_GROUP_6 * i);
    const float largest_scale = find_extreme(scale);
    memset(block, 0, 210);
    if (fabsf(largest_scale) < least_group)
        return;
    const float inverse = -128 / largest_scale;
    const float d = quant_put_half(block + 208, 1 / inverse);
    for (int i = 0; i < N_GROUP_6; i++) {
        const int n = nearest(inverse * scale[i]);
        const int8_t part = (int8_t)(n < 127 ? n : 127);
        const float step = d * (float)part;
        block[192 + i] = (unsigned char)part;
        for (int j = N_GROUP_6 * i; step != 0 && j < N_GROUP_6 * (i + 1); j++)
            q[j] = clamp(nearest(from[j] / step), -32, 31) + 32;
    }
    put_six_bits(block, q);
}

void quant_pack_q6_k(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;

    for (size_t i = 0; i < n_block; i++, block += 210, from += ELEMENTS)
        pack_block_q6_k(from, block);
}

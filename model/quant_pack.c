/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing in blocks of 32: quantize_row_*_ref of ggml-quants.c. */
#include <math.h>

#include "model/quant_internal.h"

enum { ELEMENTS = 32 };

/* The element of the largest magnitude, with its sign. */
static float find_extreme(const float *from)
{
    float extreme = 0, magnitude = 0;

    for (int i = 0; i < ELEMENTS; i++) {
        if (magnitude < fabsf(from[i])) {
            magnitude = fabsf(from[i]);
            extreme = from[i];
        }
    }
    return extreme;
}

static void find_range(const float *from, float *min, float *max)
{
    *min = *max = from[0];
    for (int i = 1; i < ELEMENTS; i++) {
        if (from[i] < *min)
            *min = from[i];
        if (from[i] > *max)
            *max = from[i];
    }
}

static float inverse(float d)
{
    return d != 0 ? 1.0F / d : 0;
}

/* Truncates to int8 and cuts off above, as the casts there do. */
static int quantise(float value, int most)
{
    const int q = (int8_t)value;

    return q < most ? q : most;
}

static void put_nibbles(unsigned char *to, const int *q)
{
    for (int i = 0; i < ELEMENTS / 2; i++)
        to[i] = (unsigned char)((q[i] & 15) | (q[i + ELEMENTS / 2] & 15) << 4);
}

static void put_fifths(unsigned char *to, const int *q)
{
    memset(to, 0, ELEMENTS / 8);
    for (int i = 0; i < ELEMENTS; i++)
        to[i / 8] |= (unsigned char)((q[i] >> 4 & 1) << i % 8);
}

void quant_pack_q4_0(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;
    int q[ELEMENTS];

    for (size_t i = 0; i < n_block; i++, block += 18, from += ELEMENTS) {
        const float d = find_extreme(from) / -8, id = inverse(d);
        quant_put_half(block, d);
        for (int j = 0; j < ELEMENTS; j++)
            q[j] = quantise(from[j] * id + 8.5F, 15);
        put_nibbles(block + 2, q);
    }
}

void quant_pack_q4_1(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;
    float min, max;
    int q[ELEMENTS];

    for (size_t i = 0; i < n_block; i++, block += 20, from += ELEMENTS) {
        find_range(from, &min, &max);
        const float d = (max - min) / 15, id = inverse(d);
        quant_put_half(block, d);
        quant_put_half(block + 2, min);
        for (int j = 0; j < ELEMENTS; j++)
            q[j] = quantise((from[j] - min) * id + 0.5F, 15);
        put_nibbles(block + 4, q);
    }
}

void quant_pack_q5_0(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;
    int q[ELEMENTS];

    for (size_t i = 0; i < n_block; i++, block += 22, from += ELEMENTS) {
        const float d = find_extreme(from) / -16, id = inverse(d);
        quant_put_half(block, d);
        for (int j = 0; j < ELEMENTS; j++)
            q[j] = quantise(from[j] * id + 16.5F, 31);
        put_fifths(block + 2, q);
        put_nibbles(block + 6, q);
    }
}

void quant_pack_q5_1(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;
    float min, max;
    int q[ELEMENTS];

    for (size_t i = 0; i < n_block; i++, block += 24, from += ELEMENTS) {
        find_range(from, &min, &max);
        const float d = (max - min) / 31, id = inverse(d);
        quant_put_half(block, d);
        quant_put_half(block + 2, min);
        for (int j = 0; j < ELEMENTS; j++)
            q[j] = quantise((from[j] - min) * id + 0.5F, 31);
        put_fifths(block + 4, q);
        put_nibbles(block + 8, q);
    }
}

void quant_pack_q8_0(const float *from, size_t n_block, void *to)
{
    unsigned char *block = to;

    for (size_t i = 0; i < n_block; i++, block += 34, from += ELEMENTS) {
        const float d = fabsf(find_extreme(from)) / 127, id = inverse(d);
        quant_put_half(block, d);
        for (int j = 0; j < ELEMENTS; j++)
            block[2 + j] = (unsigned char)(int8_t)roundf(from[j] * id);
    }
}

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

/* Codes of 4 or 5 bits: the fifth ones in front of the nibbles. */
static void put_codes(unsigned char *to, const int *q, int n_bit)
{
    if (n_bit == 5) {
        put_fifths(to, q);
        to += ELEMENTS / 8;
    }
    put_nibbles(to, q);
}

static size_t codes_size(int n_bit)
{
    return (size_t)ELEMENTS * (size_t)n_bit / 8;
}

/* Blocks of a scale: (q - half) d. */
static void pack_scaled(const float *from, size_t n_block, unsigned char *block,
                        int n_bit)
{
    const int half = 1 << (n_bit - 1), last = 2 * half - 1;
    int q[ELEMENTS];

    for (size_t i = 0; i < n_block; i++, from += ELEMENTS) {
        const float d = find_extreme(from) / (float)-half, id = inverse(d);
        quant_put_half(block, d);
        for (int j = 0; j < ELEMENTS; j++)
            q[j] = quantise(from[j] * id + ((float)half + 0.5F), last);
        put_codes(block + 2, q, n_bit);
        block += 2 + codes_size(n_bit);
    }
}

/* Blocks of a scale and a least value: q d + min. */
static void pack_ranged(const float *from, size_t n_block, unsigned char *block,
                        int n_bit)
{
    const int last = (1 << n_bit) - 1;
    float min, max;
    int q[ELEMENTS];

    for (size_t i = 0; i < n_block; i++, from += ELEMENTS) {
        find_range(from, &min, &max);
        const float d = (max - min) / (float)last, id = inverse(d);
        quant_put_half(block, d);
        quant_put_half(block + 2, min);
        for (int j = 0; j < ELEMENTS; j++)
            q[j] = quantise((from[j] - min) * id + 0.5F, last);
        put_codes(block + 4, q, n_bit);
        block += 4 + codes_size(n_bit);
    }
}

void quant_pack_q4_0(const float *from, size_t n_block, void *to)
{
    pack_scaled(from, n_block, to, 4);
}

void quant_pack_q4_1(const float *from, size_t n_block, void *to)
{
    pack_ranged(from, n_block, to, 4);
}

void quant_pack_q5_0(const float *from, size_t n_block, void *to)
{
    pack_scaled(from, n_block, to, 5);
}

void quant_pack_q5_1(const float *from, size_t n_block, void *to)
{
    pack_ranged(from, n_block, to, 5);
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * The small floats of files: binary16, bfloat16 and the two 8-bit forms.
 *
 * Widening is exact. Narrowing rounds to nearest, ties to even, as hardware,
 * numpy and torch do; what is too large becomes infinite, a NaN stays one.
 */
#ifndef MODEL_HALF_H
#define MODEL_HALF_H

#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The exponent is moved by a product, which makes subnormal numbers right;
 * infinities and NaN are put back by hand. */
static inline float float_of_half(uint16_t half)
{
    const uint32_t magnitude = half & 0x7fff;
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t bits = bits_of_float(float_of_bits(magnitude << 13) * 0x1p112F);

    if (magnitude >= 0x7c00)
        bits = 0x7f800000 | (magnitude & 0x3ff) << 13;
    return float_of_bits(bits | sign);
}

/* Adding 2^k lets the sum's own rounding drop the bits: k is chosen so that
 * the last bit of the sum is the last bit of the half. */
static inline uint16_t half_of_float(float value)
{
    const uint32_t bits = bits_of_float(value);
    const uint32_t magnitude = bits & 0x7fffffff;
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);

    if (magnitude > 0x7f800000)
        return sign | 0x7e00;
    if (magnitude >= 0x477ff000) /* 65520 and above */
        return sign | 0x7c00;
    if (magnitude < 0x38800000) { /* below 2^-14: subnormal */
        const float sum = float_of_bits(magnitude) + 0.5F;
        return sign | (uint16_t)(bits_of_float(sum) - bits_of_float(0.5F));
    }
    const uint32_t odd = magnitude >> 13 & 1;
    return sign | (uint16_t)((magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

static inline float float_of_bfloat(uint16_t high)
{
    return float_of_bits((uint32_t)high << 16);
}

static inline uint16_t bfloat_of_float(float value)
{
    const uint32_t bits = bits_of_float(value);

    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* OCP 8-bit floats: E5M2 is the high half of a binary16; E4M3 has no
 * infinities, 0x7f and 0xff are NaN. */
static inline float float_of_e5m2(uint8_t byte)
{
    return float_of_half((uint16_t)(byte << 8));
}

static inline float float_of_e4m3(uint8_t byte)
{
    const uint32_t magnitude = byte & 0x7f;
    const uint32_t sign = (uint32_t)(byte & 0x80) << 24;
    uint32_t bits = bits_of_float(float_of_bits(magnitude << 20) * 0x1p120F);

    if (magnitude == 0x7f)
        bits = 0x7fc00000;
    return float_of_bits(bits | sign);
}

#endif

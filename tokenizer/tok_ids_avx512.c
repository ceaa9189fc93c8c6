/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight ids at once to decimal numbers: a lane of eight bytes holds seven
 * digits and a comma, and one compression takes the zeros in front away. */
#include "core/cpu.h"
#include "tokenizer/tok_ids_internal.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512                                                                 \
    __attribute__((                                                            \
        target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

enum { LANES = 8, LANE_END = 10000000 };

int tok_ids_has_avx512(void)
{
    return oy_cpu_level() >= OY_CPU_AVX512 &&
           __builtin_cpu_supports("avx512vbmi2");
}

/* The digits of numbers below 10^8 as bytes, the first one lowest. Quotients
 * are products with rounded reciprocals, exact in these ranges. */
AVX512 static inline __m512i digits_of(__m512i number)
{
    /* n / 10000 = n * ceil(2^45 / 10000) >> 45 for n < 2^32. */
    const __m512i upper = _mm512_srli_epi64(
        _mm512_mul_epu32(number, _mm512_set1_epi64(3518437209)), 45);
    const __m512i lower = _mm512_sub_epi64(
        number, _mm512_mul_epu32(upper, _mm512_set1_epi64(10000)));
    const __m512i four = _mm512_or_si512(upper, _mm512_slli_epi64(lower, 32));
    /* n / 100 = n * 5243 >> 19 for n < 10000. */
    const __m512i hundreds =
        _mm512_srli_epi16(_mm512_mulhi_epu16(four, _mm512_set1_epi16(5243)), 3);
    const __m512i rest = _mm512_sub_epi16(
        four, _mm512_mullo_epi16(hundreds, _mm512_set1_epi16(100)));
    const __m512i two = _mm512_or_si512(hundreds, _mm512_slli_epi32(rest, 16));
    /* n / 10 = n * 6554 >> 16 for n < 100. */
    const __m512i tens = _mm512_mulhi_epu16(two, _mm512_set1_epi16(6554));
    const __m512i ones =
        _mm512_sub_epi16(two, _mm512_mullo_epi16(tens, _mm512_set1_epi16(10)));

    return _mm512_or_si512(tens, _mm512_slli_epi16(ones, 8));
}

/* Writes the first n of eight numbers below 10^7; returns the byte behind. */
AVX512 static inline char *put_eight(__m512i number, unsigned n, char *out)
{
    /* The last digit and the comma count as if they were no zeros. */
    const __m512i always = _mm512_set1_epi64(0x0101LL << 48);
    const __m512i ascii = _mm512_set1_epi64(0x2c30303030303030LL);
    const __m512i digits = _mm512_srli_epi64(digits_of(number), 8);
    const __m512i some = _mm512_or_si512(digits, always);
    /* All bits from the lowest one up. */
    const __m512i from =
        _mm512_or_si512(some, _mm512_sub_epi64(_mm512_setzero_si512(), some));
    const uint64_t keep =
        _bzhi_u64(_mm512_test_epi8_mask(from, from), n * LANES);

    _mm512_storeu_si512(
        out, _mm512_maskz_compress_epi8(keep, _mm512_or_si512(digits, ascii)));
    return out + _mm_popcnt_u64(keep);
}

AVX512 size_t tok_ids_avx512(const int32_t *id, size_t n, char **out)
{
    const __m256i end = _mm256_set1_epi32(LANE_END);

    for (size_t i = 0; i < n; i += LANES) {
        const unsigned some = n - i < LANES ? (unsigned)(n - i) : LANES;
        const __m256i next =
            _mm256_maskz_loadu_epi32((__mmask8)((1U << some) - 1), id + i);
        if (_mm256_cmpge_epu32_mask(next, end))
            return i;
        *out = put_eight(_mm512_cvtepu32_epi64(next), some, *out);
    }
    return n;
}

#else

int tok_ids_has_avx512(void)
{
    return 0;
}

size_t tok_ids_avx512(const int32_t *id, size_t n, char **out)
{
    (void)id, (void)n, (void)out;
    return 0;
}

#endif

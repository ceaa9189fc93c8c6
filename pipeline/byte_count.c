/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting bytes, 16 at a time. */
#include "pipeline/byte_count.h"

size_t byte_count_range_plain(const char *at, size_t len, char first, int n,
                              int *is_ascii)
{
    unsigned char all = 0;
    size_t n_hit = 0;

    for (size_t i = 0; i < len; i++) {
        n_hit += (unsigned char)(at[i] - first) < n;
        all |= (unsigned char)at[i];
    }
    *is_ascii = all < 0x80;
    return n_hit;
}

#ifdef __SSE2__
#include <emmintrin.h>

size_t byte_count_range(const char *at, size_t len, char first, int n,
                        int *is_ascii)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i begin = _mm_set1_epi8(first);
    const __m128i most = _mm_set1_epi8((char)(n - 1));
    const __m128i number =
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i sum = zero, all = zero;

    for (size_t i = 0; i < len; i += 16) {
        const char rest = (char)(len - i < 16 ? len - i : 16);
        const __m128i inside = _mm_cmpgt_epi8(_mm_set1_epi8(rest), number);
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(at + i));
        const __m128i place = _mm_sub_epi8(bytes, begin);
        const __m128i hit = _mm_and_si128(
            inside, _mm_cmpeq_epi8(_mm_min_epu8(place, most), place));
        all = _mm_or_si128(all, _mm_and_si128(inside, bytes));
        sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_sub_epi8(zero, hit), zero));
    }
    *is_ascii = !_mm_movemask_epi8(all);
    return (size_t)_mm_cvtsi128_si64(
        _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum)));
}
#else
size_t byte_count_range(const char *at, size_t len, char first, int n,
                        int *is_ascii)
{
    return byte_count_range_plain(at, len, first, n, is_ascii);
}
#endif

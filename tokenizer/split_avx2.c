/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes of bytes and their masks with AVX2. */
#include "tokenizer/split_internal.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* The class bytes of 32 ASCII bytes: eight tables of 16, one for each upper
 * half of a byte. Bytes above 0x7f get 0. */
AVX2 static inline __m256i look_up(const __m256i table[8], __m256i v)
{
    const __m256i low = _mm256_and_si256(v, _mm256_set1_epi8(0x0f));
    const __m256i high =
        _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));
    __m256i class = _mm256_setzero_si256();

    for (int k = 0; k < 8; k++) {
        const __m256i is_here =
            _mm256_cmpeq_epi8(high, _mm256_set1_epi8((char)k));
        const __m256i here = _mm256_shuffle_epi8(table[k], low);
        class = _mm256_or_si256(class, _mm256_and_si256(is_here, here));
    }
    return class;
}

AVX2 static inline uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline uint64_t equal(__m256i low, __m256i high, char byte)
{
    const __m256i want = _mm256_set1_epi8(byte);

    return mask_of(_mm256_cmpeq_epi8(low, want), _mm256_cmpeq_epi8(high, want));
}

/* Signed: 0x80 to 0xbf are the lowest. */
AVX2 static inline uint64_t continuing(__m256i low, __m256i high)
{
    const __m256i want = _mm256_set1_epi8((char)0xc0);

    return mask_of(_mm256_cmpgt_epi8(want, low), _mm256_cmpgt_epi8(want, high));
}

AVX2 void split_classify_avx2(const struct split_classes *classes,
                              const char *text, size_t n, uint8_t *class,
                              uint64_t *rest)
{
    __m256i table[8];

    for (int k = 0; k < 8; k++)
        table[k] = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(classes->ascii + 16 * k)));
    for (size_t i = 0; i < n; i++, text += 64, class += 64) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)text);
        const __m256i high = _mm256_loadu_si256((const __m256i *)(text + 32));
        _mm256_storeu_si256((__m256i *)class, look_up(table, low));
        _mm256_storeu_si256((__m256i *)(class + 32), look_up(table, high));
        rest[i] = mask_of(low, high) & ~continuing(low, high);
    }
}

AVX2 void split_masks_avx2(const char *text, const uint8_t *class, size_t n,
                           struct split_masks *masks)
{
    for (; n; n--, text += 64, class += 64, masks++) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)text);
        const __m256i high = _mm256_loadu_si256((const __m256i *)(text + 32));
        __m256i c0 = _mm256_loadu_si256((const __m256i *)class);
        __m256i c1 = _mm256_loadu_si256((const __m256i *)(class + 32));
        /* The highest bit of a byte is what movemask takes. */
        for (int k = SPLIT_N_CLASS - 1; k >= 0; k--) {
            masks->class[k] = mask_of(c0, c1);
            c0 = _mm256_add_epi8(c0, c0);
            c1 = _mm256_add_epi8(c1, c1);
        }
        masks->foreign = mask_of(low, high);
        masks->more = continuing(low, high);
        masks->quote = equal(low, high, '\'');
        masks->slash = equal(low, high, '/');
    }
}

#endif

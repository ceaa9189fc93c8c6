/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes of bytes and their masks with AVX-512: one look-up in a table of 128
 * for 64 bytes, one test for each class. */
#include "tokenizer/split_internal.h"

#ifdef __x86_64__
#include <immintrin.h>

#include "core/cpu.h"

#define AVX512                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,"              \
                          "avx512vbmi2,bmi,popcnt")))

int split_has_avx512(void)
{
    return oy_cpu_level() >= OY_CPU_AVX512 &&
           __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2");
}

/* The bytes of characters of three bytes that begin where `lead` says; *carry
 * has those that reach into the next block. */
static inline uint64_t paint3(uint64_t lead, uint64_t *carry)
{
    const uint64_t painted = lead | lead << 1 | lead << 2 | *carry;

    *carry = lead >> 63 | lead >> 62;
    return painted;
}

/* Of the code points that are classified by their first two bytes: U+4E00 to
 * U+9F7F are all Lo and inside DeepSeek's range, so are U+B000 to U+CFFF all
 * Lo. */
AVX512 static inline uint64_t find_han(__m512i first, __m512i second)
{
    const uint64_t e4 =
        _mm512_cmpeq_epi8_mask(first, _mm512_set1_epi8((char)0xe4)) &
        _mm512_cmpge_epu8_mask(second, _mm512_set1_epi8((char)0xb8));
    const uint64_t e9 =
        _mm512_cmpeq_epi8_mask(first, _mm512_set1_epi8((char)0xe9)) &
        _mm512_cmple_epu8_mask(second, _mm512_set1_epi8((char)0xbd));
    const __m512i from_e5 =
        _mm512_sub_epi8(first, _mm512_set1_epi8((char)0xe5));

    return e4 | e9 | _mm512_cmple_epu8_mask(from_e5, _mm512_set1_epi8(3));
}

AVX512 static inline uint64_t find_hangul(__m512i first)
{
    const __m512i from_eb =
        _mm512_sub_epi8(first, _mm512_set1_epi8((char)0xeb));

    return _mm512_cmple_epu8_mask(from_eb, _mm512_set1_epi8(1));
}

AVX512 void split_classify_avx512(const struct split_classes *classes,
                                  const char *text, size_t n, uint8_t *class,
                                  uint64_t *rest)
{
    const __m512i low = _mm512_loadu_si512(classes->ascii);
    const __m512i high = _mm512_loadu_si512(classes->ascii + 64);
    uint64_t han_carry = 0, hangul_carry = 0;

    for (size_t i = 0; i < n; i++, text += 64, class += 64) {
        const __m512i v = _mm512_loadu_si512(text);
        const uint64_t foreign = _mm512_movepi8_mask(v);
        __m512i c = _mm512_permutex2var_epi8(low, v, high);
        rest[i] = 0;
        if (foreign | han_carry | hangul_carry) {
            const uint64_t lead =
                _mm512_cmpge_epu8_mask(v, _mm512_set1_epi8((char)0xc0));
            const uint64_t han = find_han(v, _mm512_loadu_si512(text + 1));
            const uint64_t hangul = find_hangul(v);
            c = _mm512_maskz_mov_epi8(~foreign, c);
            c = _mm512_mask_mov_epi8(c, paint3(han, &han_carry),
                                     _mm512_set1_epi8((char)classes->han));
            c = _mm512_mask_mov_epi8(c, paint3(hangul, &hangul_carry),
                                     _mm512_set1_epi8((char)classes->hangul));
            rest[i] = lead & ~han & ~hangul;
        }
        _mm512_storeu_si512(class, c);
    }
}

AVX512 void split_masks_avx512(const char *text, const uint8_t *class, size_t n,
                               struct split_masks *masks)
{
    for (; n; n--, text += 64, class += 64, masks++) {
        const __m512i v = _mm512_loadu_si512(text);
        const __m512i c = _mm512_loadu_si512(class);
        for (int k = 0; k < SPLIT_N_CLASS; k++)
            masks->class[k] =
                _mm512_test_epi8_mask(c, _mm512_set1_epi8((char)(1 << k)));
        masks->foreign = _mm512_movepi8_mask(v);
        masks->more = _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8((char)0xc0));
        masks->quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\''));
        masks->slash = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('/'));
    }
}

const uint8_t split_place[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
    48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

AVX512 size_t split_list_avx512(const uint64_t *mark, size_t n_byte,
                                uint32_t *begin)
{
    const __m512i places = _mm512_loadu_si512(split_place);
    uint32_t *out = begin;

    for (size_t i = 0; 64 * i < n_byte; i++) {
        const __m512i base = _mm512_set1_epi32((int)(64 * i));
        const int n = (int)_mm_popcnt_u64(mark[i]);
        uint8_t here[64];
        _mm512_storeu_si512(here, _mm512_maskz_compress_epi8(mark[i], places));
        for (int k = 0; k < n; k += 16) {
            const __m128i some = _mm_loadu_si128((const __m128i *)(here + k));
            _mm512_storeu_si512(
                out + k, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(some)));
        }
        out += n;
    }
    return (size_t)(out - begin);
}

#else

int split_has_avx512(void)
{
    return 0;
}

#endif

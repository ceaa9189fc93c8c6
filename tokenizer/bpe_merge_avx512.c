/* SPDX-License-Identifier: Apache-2.0
 *
 * The merging of words of up to 16 symbols in registers: ids, ranks and
 * results are one register each, and a merge compresses them. */
#include "core/cpu.h"
#include "tokenizer/bpe_internal.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2")))

int bpe_has_avx512(void)
{
    return oy_cpu_level() >= OY_CPU_AVX512;
}

/* A word on its way; lanes behind the last symbol have a rank of no merge. */
struct wide_word {
    __m512i id;
    __m512i rank, result; /* of a symbol and the next */
};

/* The upper and the lower halves of 16 words of bpe_find_merge(). */
AVX512 static inline void read_merges(const uint64_t *merge, size_t n,
                                      struct wide_word *word)
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18,
                                           20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    const __m512i none = _mm512_set1_epi32(-1);
    const __mmask16 some = (__mmask16)((1U << n) - 1);
    const __m512i a = _mm512_mask_loadu_epi64(none, (__mmask8)some, merge);
    const __m512i b =
        _mm512_mask_loadu_epi64(none, (__mmask8)(some >> 8), merge + 8);

    word->rank = _mm512_permutex2var_epi32(a, odd, b);
    word->result = _mm512_permutex2var_epi32(a, even, b);
}

/* What becomes of symbols `at` and `at` + 1 of id. */
AVX512 static inline void find_pair(const struct bpe *bpe, const int32_t *id,
                                    size_t at, struct wide_word *word)
{
    const uint64_t merge = bpe_find_merge(bpe, id[at], id[at + 1]);
    const __mmask16 here = (__mmask16)(1U << at);

    word->rank = _mm512_mask_set1_epi32(word->rank, here, (int)(merge >> 32));
    word->result = _mm512_mask_set1_epi32(word->result, here, (int)merge);
}

AVX512 size_t bpe_merge_avx512(const struct bpe *bpe, int32_t *id,
                               const uint64_t *merge, size_t n)
{
    const __m512i none = _mm512_set1_epi32(-1);
    struct wide_word word;
    int32_t now[16];

    word.id = _mm512_maskz_loadu_epi32((__mmask16)((1U << n) - 1), id);
    read_merges(merge, n - 1, &word);
    while (n > 1) {
        const uint32_t lowest = _mm512_reduce_min_epu32(word.rank);
        if (lowest == UINT32_MAX)
            break;
        const __mmask16 lowest_at =
            _mm512_cmpeq_epi32_mask(word.rank, _mm512_set1_epi32((int)lowest));
        const unsigned at = _tzcnt_u32(lowest_at);
        const __mmask16 here = (__mmask16)(1U << at);
        const __mmask16 next = (__mmask16)(2U << at);
        word.id = _mm512_mask_mov_epi32(word.id, here, word.result);
        word.id = _mm512_maskz_compress_epi32((__mmask16)~next, word.id);
        word.rank =
            _mm512_mask_compress_epi32(none, (__mmask16)~here, word.rank);
        word.result =
            _mm512_maskz_compress_epi32((__mmask16)~here, word.result);
        _mm512_storeu_si512(now, word.id);
        n--;
        if (at)
            find_pair(bpe, now, at - 1, &word);
        if (at + 1 < n)
            find_pair(bpe, now, at, &word);
    }
    _mm512_mask_storeu_epi32(id, (__mmask16)((1U << n) - 1), word.id);
    return n;
}

#else

int bpe_has_avx512(void)
{
    return 0;
}

#endif

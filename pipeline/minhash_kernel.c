/* SPDX-License-Identifier: Apache-2.0
 *
 * Least values of many permutations over many hashes.
 *
 * x mod 2^61-1 is (x & p) + (x >> 61), less p when that is not below p: the
 * smaller of y and y - p as unsigned numbers. The permutations of a few
 * groups stay in registers while the hashes stream by. For 32-bit hashes the
 * mask comes before the minimum, so `mask` is applied to every value. */
#include "pipeline/minhash_internal.h"

static uint64_t mask_of(const struct minhash *minhash)
{
    return minhash->hash == MINHASH_XXH32 ? UINT32_MAX : UINT64_MAX;
}

void minhash_least_plain(const struct minhash *minhash, const uint64_t *hash,
                         size_t n_hash, uint64_t *least)
{
    const uint64_t mask = mask_of(minhash);

    for (size_t i = 0; i < minhash->n_lane; i++)
        least[i] = UINT64_MAX;
    for (size_t k = 0; k < n_hash; k++) {
        for (size_t i = 0; i < minhash->n_lane; i++) {
            const uint64_t x = minhash->a[i] * hash[k] + minhash->b[i];
            const uint64_t value = x % MINHASH_PRIME & mask;
            least[i] = value < least[i] ? value : least[i];
        }
    }
}

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512dq")))
#define AVX2   __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline))

enum { AT_ONCE = 7 }; /* groups in registers; 112 permutations are 14 */

/* ---- AVX-512: eight permutations a register ---- */

AVX512 INLINE __m512i permute512(__m512i x, __m512i a, __m512i b, __m512i prime,
                                 __m512i mask)
{
    const __m512i y = _mm512_add_epi64(_mm512_mullo_epi64(x, a), b);
    const __m512i z =
        _mm512_add_epi64(_mm512_and_si512(y, prime), _mm512_srli_epi64(y, 61));

    return _mm512_and_si512(_mm512_min_epu64(z, _mm512_sub_epi64(z, prime)),
                            mask);
}

AVX512 INLINE void least512(const struct minhash *minhash, size_t first,
                            int n_group, const uint64_t *hash, size_t n_hash,
                            uint64_t *least)
{
    const __m512i prime = _mm512_set1_epi64((long long)MINHASH_PRIME);
    const __m512i mask = _mm512_set1_epi64((long long)mask_of(minhash));
    __m512i a[AT_ONCE], b[AT_ONCE], low[AT_ONCE];

#pragma GCC unroll 7
    for (int g = 0; g < n_group; g++) {
        a[g] = _mm512_loadu_si512(minhash->a + first + 8 * g);
        b[g] = _mm512_loadu_si512(minhash->b + first + 8 * g);
        low[g] = _mm512_set1_epi64(-1);
    }
    for (size_t k = 0; k < n_hash; k++) {
        const __m512i x = _mm512_set1_epi64((long long)hash[k]);
#pragma GCC unroll 7
        for (int g = 0; g < n_group; g++)
            low[g] = _mm512_min_epu64(low[g],
                                      permute512(x, a[g], b[g], prime, mask));
    }
#pragma GCC unroll 7
    for (int g = 0; g < n_group; g++)
        _mm512_storeu_si512(least + first + 8 * g, low[g]);
}

AVX512 void minhash_least_avx512(const struct minhash *minhash,
                                 const uint64_t *hash, size_t n_hash,
                                 uint64_t *least)
{
    size_t i = 0;

    /* Constant numbers of groups, so that the arrays become registers. */
    for (; i + 8 * AT_ONCE <= minhash->n_lane; i += 8 * AT_ONCE)
        least512(minhash, i, AT_ONCE, hash, n_hash, least);
    for (; i < minhash->n_lane; i += 8)
        least512(minhash, i, 1, hash, n_hash, least);
}

/* ---- AVX2: four permutations a register ---- */

/* The low 64 bits of products, from three of 32 by 32 bits. */
AVX2 INLINE __m256i multiply256(__m256i x, __m256i x_high, __m256i a)
{
    const __m256i low = _mm256_mul_epu32(x, a);
    const __m256i cross =
        _mm256_add_epi64(_mm256_mul_epu32(x_high, a),
                         _mm256_mul_epu32(x, _mm256_srli_epi64(a, 32)));

    return _mm256_add_epi64(low, _mm256_slli_epi64(cross, 32));
}

/* All values here are below 2^62: signed comparisons do. */
AVX2 INLINE __m256i min256(__m256i x, __m256i y)
{
    return _mm256_blendv_epi8(x, y, _mm256_cmpgt_epi64(x, y));
}

AVX2 INLINE __m256i permute256(__m256i product, __m256i b, __m256i prime,
                               __m256i mask)
{
    const __m256i y = _mm256_add_epi64(product, b);
    const __m256i z =
        _mm256_add_epi64(_mm256_and_si256(y, prime), _mm256_srli_epi64(y, 61));
    const __m256i less = _mm256_sub_epi64(z, prime);
    const __m256i value = _mm256_castpd_si256(
        _mm256_blendv_pd(_mm256_castsi256_pd(less), _mm256_castsi256_pd(z),
                         _mm256_castsi256_pd(less)));

    return _mm256_and_si256(value, mask);
}

AVX2 void minhash_least_avx2(const struct minhash *minhash,
                             const uint64_t *hash, size_t n_hash,
                             uint64_t *least)
{
    const __m256i prime = _mm256_set1_epi64x((long long)MINHASH_PRIME);
    const __m256i mask = _mm256_set1_epi64x((long long)mask_of(minhash));

    for (size_t i = 0; i < minhash->n_lane; i += 8) {
        const __m256i a0 = _mm256_loadu_si256((const void *)(minhash->a + i));
        const __m256i b0 = _mm256_loadu_si256((const void *)(minhash->b + i));
        const __m256i a1 =
            _mm256_loadu_si256((const void *)(minhash->a + i + 4));
        const __m256i b1 =
            _mm256_loadu_si256((const void *)(minhash->b + i + 4));
        __m256i low0 = _mm256_set1_epi64x(INT64_MAX), low1 = low0;
        for (size_t k = 0; k < n_hash; k++) {
            const __m256i x = _mm256_set1_epi64x((long long)hash[k]);
            const __m256i high = _mm256_srli_epi64(x, 32);
            const __m256i p0 = multiply256(x, high, a0);
            const __m256i p1 = multiply256(x, high, a1);
            low0 = min256(low0, permute256(p0, b0, prime, mask));
            low1 = min256(low1, permute256(p1, b1, prime, mask));
        }
        _mm256_storeu_si256((void *)(least + i), low0);
        _mm256_storeu_si256((void *)(least + i + 4), low1);
    }
}
#endif

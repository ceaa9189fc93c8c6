/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching texts for characters of a set, in plain C and for AVX2. */
#include "core/utf8_set.h"

#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/utf8.h"

enum { N_BLOCK = 0x1100, BLOCK_WORDS = 4 };

/* Whether a character of the set may begin with this byte. */
static int may_begin(const struct oy_utf8_set *set, unsigned char b)
{
    const uint8_t *row = b < 0x80 ? set->ascii : set->lead;

    return b >= 0xc0 || b < 0x80 ? row[b & 15] >> (b >> 4 & 7) & 1 : 0;
}

size_t oy_utf8_set_find_plain(const struct oy_utf8_set *set, const char *text,
                              size_t len, size_t at)
{
    while (at < len) {
        const size_t begin = at;
        const uint32_t c = oy_utf8_next(text, &at);
        if (oy_utf8_set_has(set, c))
            return begin;
    }
    return len;
}

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi")))

static inline int is_member_at(const struct oy_utf8_set *set, const char *text,
                               size_t at)
{
    return oy_utf8_set_has(set, oy_utf8_next(text, &at));
}

AVX2 static __m256i both_halves(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

/* Bits of the bytes in v that a character of the set may begin with. */
AVX2 static inline uint32_t suspects(__m256i v, __m256i ascii, __m256i lead)
{
    const __m256i ascii_row = _mm256_setr_epi8(
        1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8,
        16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i lead_row = _mm256_setr_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 32, 64, (char)128, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 16, 32, 64, (char)128);
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i low = _mm256_and_si256(v, nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble);
    const __m256i hit =
        _mm256_or_si256(_mm256_and_si256(_mm256_shuffle_epi8(ascii, low),
                                         _mm256_shuffle_epi8(ascii_row, high)),
                        _mm256_and_si256(_mm256_shuffle_epi8(lead, low),
                                         _mm256_shuffle_epi8(lead_row, high)));

    return ~(uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(hit, _mm256_setzero_si256()));
}

AVX2 static size_t find_avx2(const struct oy_utf8_set *set, const char *text,
                             size_t len, size_t at)
{
    const __m256i ascii = both_halves(set->ascii);
    const __m256i lead = both_halves(set->lead);

    for (; len - at >= 32; at += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(text + at));
        for (uint32_t bits = suspects(v, ascii, lead); bits; bits &= bits - 1) {
            const size_t begin = at + (size_t)__builtin_ctz(bits);
            if (is_member_at(set, text, begin))
                return begin;
        }
    }
    /* The last block may have ended inside a character. */
    while (at < len && ((unsigned char)text[at] & 0xc0) == 0x80)
        at++;
    return oy_utf8_set_find_plain(set, text, len, at);
}

size_t oy_utf8_set_find(const struct oy_utf8_set *set, const char *text,
                        size_t len, size_t at)
{
    if (len - at < 32 || oy_cpu_level() < OY_CPU_AVX2)
        return oy_utf8_set_find_plain(set, text, len, at);
    /* Members often come together. */
    if (may_begin(set, (unsigned char)text[at]) && is_member_at(set, text, at))
        return at;
    return find_avx2(set, text, len, at);
}
#else
size_t oy_utf8_set_find(const struct oy_utf8_set *set, const char *text,
                        size_t len, size_t at)
{
    return oy_utf8_set_find_plain(set, text, len, at);
}
#endif

/* ---- sets that are filled ---- */

struct filled {
    struct oy_utf8_set set; /* first: what the caller has */
    uint16_t index[N_BLOCK];
    uint64_t *mask;
    size_t n_mask, cap_mask; /* words */
};

static uint64_t *add_block(struct filled *filled)
{
    OY_GROW(filled->mask, filled->cap_mask, filled->n_mask + BLOCK_WORDS);
    uint64_t *block = filled->mask + filled->n_mask;
    memset(block, 0, BLOCK_WORDS * sizeof *block);
    filled->n_mask += BLOCK_WORDS;
    filled->set.mask = filled->mask;
    return block;
}

struct oy_utf8_set *oy_utf8_set_new(void)
{
    struct filled *filled = oy_calloc(1, sizeof *filled);

    filled->set.index = filled->index;
    add_block(filled); /* the empty one */
    return &filled->set;
}

void oy_utf8_set_add(struct oy_utf8_set *set, uint32_t c)
{
    struct filled *filled = (struct filled *)set;
    char bytes[4];

    oy_utf8_put(bytes, c);
    const unsigned char b = (unsigned char)bytes[0];
    uint8_t *row = c < 0x80 ? set->ascii : set->lead;
    row[b & 15] |= (uint8_t)(1 << (b >> 4 & 7));
    if (!filled->index[c >> 8]) {
        filled->index[c >> 8] = (uint16_t)(filled->n_mask / BLOCK_WORDS);
        add_block(filled);
    }
    filled->mask[BLOCK_WORDS * (size_t)filled->index[c >> 8] + (c >> 6 & 3)] |=
        1ULL << (c & 63);
}

void oy_utf8_set_free(struct oy_utf8_set *set)
{
    struct filled *filled = (struct filled *)set;

    if (!set)
        return;
    oy_free(filled->mask);
    oy_free(filled);
}

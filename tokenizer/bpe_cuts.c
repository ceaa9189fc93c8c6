/* SPDX-License-Identifier: Apache-2.0
 *
 * Borders that no token crosses: their tables and the search for them. */
#include "tokenizer/bpe_cuts.h"

#include "core/alloc.h"
#include "tokenizer/bpe_internal.h"
#include "tokenizer/split_internal.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* ---- tables ---- */

enum { N_CHARACTER = 1 << 16 };

static int continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Whether three bytes that begin like a character of three are one. */
static int is_whole(const unsigned char *s)
{
    return s[0] >> 4 == 0xe && continues(s[1]) && continues(s[2]);
}

/* The code point of a character of three bytes. */
static uint32_t decode3(const unsigned char *s)
{
    return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 |
           (s[2] & 0x3f);
}

static uint32_t pair_hash(uint32_t left, uint32_t right)
{
    return (left << 16 | right) * 0x9e3779b1U >> (32 - BPE_CUT_BITS);
}

static void set_bit(uint32_t *bits, uint32_t at)
{
    bits[at / 32] |= 1U << at % 32;
}

static int get_bit(const uint32_t *bits, uint32_t at)
{
    return bits[at / 32] >> at % 32 & 1;
}

/* Whether code point c ends with these n bytes, n < 3. */
static int ends_with(uint32_t c, const unsigned char *s, size_t n)
{
    return (c & 0x3f) == (s[n - 1] & 0x3fU) &&
           (n < 2 || (c >> 6 & 0x3f) == (s[0] & 0x3fU));
}

/* A token begins with the last n bytes of some characters and goes on with the
 * first bytes of others. */
static void close_behind(struct bpe_cuts *cuts, const unsigned char *s,
                         size_t n)
{
    for (uint32_t c = 0x800; c < N_CHARACTER; c++) {
        if (ends_with(c, s, n))
            set_bit(cuts->behind, c);
    }
}

/* The border before byte `at` of a token of n, where a character of three
 * bytes begins. */
static void note_border(struct bpe_cuts *cuts, const unsigned char *s,
                        size_t at, size_t n)
{
    const int left = at >= 3 && is_whole(s + at - 3);
    const int right = n - at >= 3 && is_whole(s + at);
    int left_part = at < 3;

    for (size_t i = 0; i < at; i++)
        left_part = left_part && continues(s[i]);
    const int right_part = n - at < 3;
    if (left && right)
        set_bit(cuts->pair, pair_hash(decode3(s + at - 3), decode3(s + at)));
    else if (left && right_part)
        set_bit(cuts->behind, decode3(s + at - 3));
    else if (left_part && right)
        set_bit(cuts->before, decode3(s + at));
    else if (left_part && right_part)
        close_behind(cuts, s, at);
}

/* A token that ignore_merges alone leads to is whole pieces, never a part:
 * the borders beside it are closed. */
static void close_around(struct bpe_cuts *cuts, const struct bpe *bpe,
                         const struct vocab_token *token, int32_t id)
{
    const unsigned char *s =
        (const unsigned char *)bpe->vocab->text + token->at;
    struct bpe_scratch scratch = {0};
    int32_t merged[BPE_SHORT];

    for (size_t at = 0; at < token->len; at += 3) {
        if (token->len - at < 3 || !is_whole(s + at))
            return;
    }
    if (token->len > BPE_SHORT ||
        bpe_merge(bpe, &scratch, s, token->len, merged) != 1 ||
        merged[0] != id) {
        set_bit(cuts->before, decode3(s));
        set_bit(cuts->behind, decode3(s + token->len - 3));
    }
    bpe_scratch_release(&scratch);
}

/* Whether characters of three bytes have tokens for all of them. */
static int knows_three(const struct bpe *bpe)
{
    for (int byte = 0x80; byte < 0xf0; byte++) {
        if ((byte < 0xc0 || byte >= 0xe0) && bpe->byte_id[byte] < 0)
            return 0;
    }
    return bpe->begins_with_bytes;
}

enum { N_PAIR = (1 << BPE_CUT_BITS) / 32, N_ONE = N_CHARACTER / 32 };

size_t bpe_cuts_size(void)
{
    return (N_PAIR + 2 * N_ONE) * sizeof(uint32_t);
}

void bpe_cuts_set(struct bpe_cuts *cuts, uint32_t *pair)
{
    *cuts = (struct bpe_cuts){.pair = pair};
    if (!pair)
        return;
    cuts->behind = pair + N_PAIR;
    cuts->before = cuts->behind + N_ONE;
}

void bpe_cuts_init(struct bpe_cuts *cuts, const struct bpe *bpe)
{
    const struct vocab *vocab = bpe->vocab;

    bpe_cuts_set(cuts, NULL);
    if (!knows_three(bpe))
        return;
    bpe_cuts_set(cuts, oy_calloc(1, bpe_cuts_size()));
    for (int32_t id = 0; id < vocab->n_id; id++) {
        const struct vocab_token *token = &vocab->token[id];
        const unsigned char *s = (const unsigned char *)vocab->text + token->at;
        if (!token->is_used || !token->is_bytes)
            continue;
        for (size_t at = 1; at < token->len; at++) {
            if (s[at] >> 4 == 0xe)
                note_border(cuts, s, at, token->len);
        }
        if (vocab->ignore_merges && token->len && s[0] >= 0xe0)
            close_around(cuts, bpe, token, id);
    }
}

void bpe_cuts_release(struct bpe_cuts *cuts)
{
    oy_free(cuts->pair);
    *cuts = (struct bpe_cuts){0};
}

/* ---- borders ---- */

static uint64_t open_borders(const struct bpe_cuts *cuts,
                             const unsigned char *text, uint64_t border)
{
    uint64_t open = 0;

    for (uint64_t bits = border; bits; bits &= bits - 1) {
        const unsigned char *s = text + __builtin_ctzll(bits);
        const uint32_t left = decode3(s - 3), right = decode3(s);
        if (!get_bit(cuts->pair, pair_hash(left, right)) &&
            !get_bit(cuts->behind, left) && !get_bit(cuts->before, right))
            open |= bits & -bits;
    }
    return open;
}

/* First bytes of characters of three bytes. */
static uint64_t find_leads(const unsigned char *text)
{
    uint64_t lead = 0;

    for (int i = 0; i < 64; i++)
        lead |= (uint64_t)(text[i] >> 4 == 0xe) << i;
    return lead;
}

static uint64_t mark_plain(const struct bpe_cuts *cuts,
                           const unsigned char *text, uint64_t valid,
                           uint64_t *carry)
{
    const uint64_t lead = find_leads(text) & valid;
    const uint64_t border = lead & (lead << 3 | *carry);

    *carry = lead >> 61;
    return border ? open_borders(cuts, text, border) : 0;
}

#ifdef __x86_64__

#define AVX512                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,"              \
                          "avx512vbmi2,bmi2,popcnt")))

/* The code points of 16 characters of three bytes. */
AVX512 static inline __m512i decode16(__m512i raw)
{
    const __m512i high =
        _mm512_slli_epi32(_mm512_and_si512(raw, _mm512_set1_epi32(0x0f)), 12);
    const __m512i middle =
        _mm512_and_si512(_mm512_srli_epi32(raw, 2), _mm512_set1_epi32(0xfc0));
    const __m512i low =
        _mm512_and_si512(_mm512_srli_epi32(raw, 16), _mm512_set1_epi32(0x3f));

    return _mm512_or_si512(_mm512_or_si512(high, middle), low);
}

AVX512 static inline __mmask16 get_bits(const uint32_t *bits, __m512i at)
{
    const __m512i word =
        _mm512_i32gather_epi32(_mm512_srli_epi32(at, 5), bits, 4);
    const __m512i bit = _mm512_sllv_epi32(
        _mm512_set1_epi32(1), _mm512_and_si512(at, _mm512_set1_epi32(31)));

    return _mm512_test_epi32_mask(word, bit);
}

/* Of up to 16 borders, `at` bytes behind text. */
AVX512 static inline __mmask16 are_open(const struct bpe_cuts *cuts,
                                        const unsigned char *text,
                                        __m128i place, unsigned n)
{
    const __mmask16 some = (__mmask16)_bzhi_u32(0xffff, n);
    const __m512i at = _mm512_cvtepu8_epi32(place);
    const __m512i none = _mm512_setzero_si512();
    const __m512i left =
        decode16(_mm512_mask_i32gather_epi32(none, some, at, text - 3, 1));
    const __m512i right =
        decode16(_mm512_mask_i32gather_epi32(none, some, at, text, 1));
    const __m512i both = _mm512_or_si512(_mm512_slli_epi32(left, 16), right);
    const __m512i hash = _mm512_srli_epi32(
        _mm512_mullo_epi32(both, _mm512_set1_epi32((int)0x9e3779b1U)),
        32 - BPE_CUT_BITS);

    return (__mmask16) ~(get_bits(cuts->pair, hash) |
                         get_bits(cuts->behind, left) |
                         get_bits(cuts->before, right));
}

AVX512 static uint64_t mark_avx512(const struct bpe_cuts *cuts,
                                   const unsigned char *text, uint64_t valid,
                                   uint64_t *carry)
{
    const __m512i upper = _mm512_and_si512(_mm512_loadu_si512(text),
                                           _mm512_set1_epi8((char)0xf0));
    const uint64_t lead =
        valid & _mm512_cmpeq_epi8_mask(upper, _mm512_set1_epi8((char)0xe0));
    const uint64_t border = lead & (lead << 3 | *carry);

    *carry = lead >> 61;
    if (!border)
        return 0;
    const __m512i place =
        _mm512_maskz_compress_epi8(border, _mm512_loadu_si512(split_place));
    const unsigned n = (unsigned)_mm_popcnt_u64(border);
    uint64_t open = are_open(cuts, text, _mm512_castsi512_si128(place), n);
    if (n > 16)
        open |= (uint64_t)are_open(cuts, text,
                                   _mm512_extracti32x4_epi32(place, 1), n - 16)
                << 16;
    return _pdep_u64(open, border);
}

#endif

typedef uint64_t (*mark_function)(const struct bpe_cuts *cuts,
                                  const unsigned char *text, uint64_t valid,
                                  uint64_t *carry);

static mark_function choose_form(void)
{
#ifdef __x86_64__
    if (split_has_avx512())
        return mark_avx512;
#endif
    return mark_plain;
}

void bpe_cuts_mark(const struct bpe_cuts *cuts, const char *text, size_t n,
                   uint64_t *mark)
{
    const mark_function mark_block = choose_form();
    uint64_t carry = 0;

    for (size_t i = 0; 64 * i < n; i++) {
        const size_t left = n - 64 * i;
        const uint64_t valid = left >= 64 ? ~0ULL : (1ULL << left) - 1;
        mark[i] |= mark_block(cuts, (const unsigned char *)text + 64 * i, valid,
                              &carry);
    }
}

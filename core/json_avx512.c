/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner loops of the JSON scanner for AVX-512: escapes are taken out of 64
 * bytes at once by compression, so that their density does not matter. */
#include "core/json_internal.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,"              \
                          "avx512vbmi2,bmi,bmi2,popcnt")))

int oy_json_has_vbmi2(void)
{
    return __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2");
}

AVX512 static const char *string_end_avx512(const char *at, const char *end,
                                            uint64_t *escapes)
{
    const __m512i want_quote = _mm512_set1_epi8('"');
    const __m512i want_backslash = _mm512_set1_epi8('\\');
    uint64_t carry = 0, seen = 0;

    for (; at < end; at += 64) {
        const __m512i v = _mm512_loadu_si512(at);
        const uint64_t backslash = _mm512_cmpeq_epi8_mask(v, want_backslash);
        uint64_t quote = _mm512_cmpeq_epi8_mask(v, want_quote);
        if (backslash | carry) {
            seen |= backslash;
            quote &= ~oy_json_escaped(backslash, &carry);
        }
        if (quote) {
            at += _tzcnt_u64(quote);
            *escapes |= seen;
            return at < end ? at : NULL;
        }
    }
    *escapes |= seen;
    return NULL;
}

AVX512 static const char *plain_end_avx512(const char *at, const char *end,
                                           uint64_t *high)
{
    uint64_t seen = 0;

    for (; at < end; at += 64) {
        const __m512i v = _mm512_loadu_si512(at);
        const uint64_t special =
            _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)) |
            _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
            _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
        seen |= _mm512_movepi8_mask(v);
        if (special) {
            at += _tzcnt_u64(special);
            break;
        }
    }
    *high |= seen;
    return at < end ? at : end;
}

/* 64 bytes of the inside of a string, taken apart. */
struct block {
    __m512i text;     /* simple escapes already stand for what they mean */
    uint64_t inside;  /* bytes before the end of the string */
    uint64_t start;   /* backslashes that begin an escape */
    uint64_t special; /* escaped bytes of no simple escape */
    uint64_t control;
    uint64_t high;
    int cut; /* the string ends in the middle of an escape */
};

AVX512 static inline void read_block(const char *at, const char *end,
                                     uint64_t *carry, struct block *b)
{
    const size_t left = (size_t)(end - at);
    const __m512i v = _mm512_loadu_si512(at);

    b->inside = left >= 64 ? ~0ULL : (1ULL << left) - 1;
    const uint64_t backslash =
        b->inside & _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
    uint64_t escaped = oy_json_escaped(backslash, carry);
    b->cut = left <= 64 && (*carry || (escaped & ~b->inside));
    escaped &= b->inside;
    b->start = backslash & ~escaped;
    b->control = b->inside & ~escaped &
                 _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
    b->high = b->inside & _mm512_movepi8_mask(v);
    /* Look-up by the low seven bits. */
    const __m512i meaning = _mm512_permutex2var_epi8(
        _mm512_loadu_si512(oy_json_simple_escape), v,
        _mm512_loadu_si512(oy_json_simple_escape + 64));
    b->special = escaped & (_mm512_testn_epi8_mask(meaning, meaning) | b->high);
    b->text = _mm512_mask_mov_epi8(v, escaped, meaning);
}

AVX512 static inline char *put_bytes(char *out, const struct block *b,
                                     uint64_t keep)
{
    keep &= b->inside & ~b->start;
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(keep, b->text));
    return out + _mm_popcnt_u64(keep);
}

static char *fail(struct oy_json_unescaped *result, const char *why)
{
    result->why = why;
    return NULL;
}

AVX512 static char *unescape_avx512(const char *at, const char *end, char *out,
                                    struct oy_json_unescaped *result)
{
    uint64_t carry = 0, high = 0;
    struct block b;

    while (at < end) {
        read_block(at, end, &carry, &b);
        high |= b.high;
        const uint64_t stop = b.special | b.control;
        if (!stop) {
            if (b.cut)
                return fail(result, "malformed escape in a string");
            out = put_bytes(out, &b, ~0ULL);
            at += 64;
            continue;
        }
        /* Up to the backslash; it may be the last byte of the block before,
         * and was left out there. */
        const int n = (int)_tzcnt_u64(stop);
        if (b.control >> n & 1)
            return fail(result, "control character in a string");
        if (n > 1)
            out = put_bytes(out, &b, ~0ULL >> (65 - n));
        at += n - 1;
        carry = 0;
        do {
            out = oy_json_put_escape(out, &at, end, result);
            if (!out)
                return NULL;
        } while (at < end && *at == '\\');
    }
    result->has_high |= high != 0;
    return out;
}

/* Bit i: the exclusive or of bits 0 to i, which is set behind an odd number of
 * quotes. */
static inline uint64_t parity_of(uint64_t bits)
{
    for (int shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

/* The bracket that brings the depth to 0, or 64; *depth is moved on. */
AVX512 static inline unsigned find_close(uint64_t open, uint64_t close,
                                         uint64_t *depth)
{
    const uint64_t n_close = (uint64_t)_mm_popcnt_u64(close);

    if (n_close < *depth) {
        *depth += (uint64_t)_mm_popcnt_u64(open) - n_close;
        return 64;
    }
    for (uint64_t both = open | close; both; both = _blsr_u64(both)) {
        *depth += both & -both & open ? 1 : (uint64_t)-1;
        if (!*depth)
            return (unsigned)_tzcnt_u64(both);
    }
    return 64;
}

/* A block at a time, strings and all: most brackets are not looked at. */
AVX512 static const char *container_end_avx512(const char *begin,
                                               const char *end)
{
    uint64_t depth = 1, carry = 0, in_string = 0;

    for (const char *at = begin; at < end; at += 64) {
        const __m512i v = _mm512_loadu_si512(at);
        const __m512i low = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
        const uint64_t backslash =
            _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
        uint64_t quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
        if (backslash | carry)
            quote &= ~oy_json_escaped(backslash, &carry);
        const uint64_t inside = parity_of(quote) ^ in_string;
        in_string = (uint64_t)((int64_t)inside >> 63);
        /* Malformed: outside of strings a backslash escapes nothing. What
         * stands behind the text may be anything. */
        const size_t left = (size_t)(end - at);
        const uint64_t is_text = left < 64 ? (1ULL << left) - 1 : ~0ULL;
        if (backslash & ~inside & is_text)
            return oy_json_avx2.container_end(begin, end);
        /* `[` and `{` differ in one bit, and so do `]` and `}`. */
        const uint64_t open =
            _mm512_cmpeq_epi8_mask(low, _mm512_set1_epi8('{')) & ~inside;
        const uint64_t close =
            _mm512_cmpeq_epi8_mask(low, _mm512_set1_epi8('}')) & ~inside;
        const unsigned hit = find_close(open, close, &depth);
        if (hit < 64)
            return at + hit < end ? at + hit + 1 : NULL;
    }
    return NULL;
}

const struct oy_json_kernel oy_json_avx512 = {
    .string_end = string_end_avx512,
    .container_end = container_end_avx512,
    .plain_end = plain_end_avx512,
    .unescape = unescape_avx512,
};
#else
static const char *string_end(const char *at, const char *end,
                              uint64_t *escapes)
{
    return oy_json_plain.string_end(at, end, escapes);
}

static const char *container_end(const char *at, const char *end)
{
    return oy_json_plain.container_end(at, end);
}

static const char *plain_end(const char *at, const char *end, uint64_t *high)
{
    return oy_json_plain.plain_end(at, end, high);
}

static char *unescape(const char *at, const char *end, char *out,
                      struct oy_json_unescaped *result)
{
    return oy_json_plain.unescape(at, end, out, result);
}

int oy_json_has_vbmi2(void)
{
    return 0;
}

const struct oy_json_kernel oy_json_avx512 = {
    .string_end = string_end,
    .container_end = container_end,
    .plain_end = plain_end,
    .unescape = unescape,
};
#endif

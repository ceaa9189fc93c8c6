/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner loops of the JSON scanner, in plain C and for AVX2. */
#include <string.h>

#include "core/cpu.h"
#include "core/json_internal.h"
#include "core/utf8.h"

/* ---- escapes, shared by both forms ---- */

enum { HEX_BAD = INT32_MIN };

/* Value of a hex digit, moved to its place in the code unit; any other byte
 * has the high bit set, so that four look-ups need one test. */
#define B4  HEX_BAD, HEX_BAD, HEX_BAD, HEX_BAD
#define B16 B4, B4, B4, B4
#define B64 B16, B16, B16, B16
#define LETTERS(s)                                                             \
    HEX_BAD, 10 << (s), 11 << (s), 12 << (s), 13 << (s), 14 << (s), 15 << (s), \
        HEX_BAD, B4, B4
#define DIGITS(s)                                                              \
    0 << (s), 1 << (s), 2 << (s), 3 << (s), 4 << (s), 5 << (s), 6 << (s),      \
        7 << (s), 8 << (s), 9 << (s), HEX_BAD, HEX_BAD, B4
#define HEX_TABLE(s)                                                           \
    {                                                                          \
        B16, B16, B16, DIGITS(s), LETTERS(s), B16, LETTERS(s), B16, B64, B64   \
    }
static const int hex_place[4][256] = {
    HEX_TABLE(12),
    HEX_TABLE(8),
    HEX_TABLE(4),
    HEX_TABLE(0),
};

const unsigned char oy_json_simple_escape[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* The code unit of four hex digits, negative when there are not four. */
static inline int hex_unit(const char *at)
{
    const unsigned char *s = (const unsigned char *)at;

    return hex_place[0][s[0]] | hex_place[1][s[1]] | hex_place[2][s[2]] |
           hex_place[3][s[3]];
}

/* Four bytes are stored whatever the length: one store, no branches. */
static inline char *put_unit(char *out, uint32_t c)
{
    uint32_t bytes;
    int n;

    if (c >= 0x800) {
        bytes = 0x8080e0 | c >> 12 | (c >> 6 & 0x3f) << 8 | (c & 0x3f) << 16;
        n = 3;
    } else if (c >= 0x80) {
        bytes = 0x80c0 | c >> 6 | (c & 0x3f) << 8;
        n = 2;
    } else {
        bytes = c;
        n = 1;
    }
    for (int i = 0; i < 4; i++)
        out[i] = (char)(bytes >> 8 * i);
    return out + n;
}

/* A unit of D800..DFFF at `*at` (behind its digits): a pair becomes one code
 * point, all else U+FFFD. */
static char *put_surrogate(char *out, uint32_t unit, const char **at,
                           const char *end, struct oy_json_unescaped *result)
{
    if (unit < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' &&
        (*at)[1] == 'u') {
        const int low = hex_unit(*at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *at += 6;
            return out + oy_utf8_put(out, 0x10000 + ((unit & 0x3ff) << 10) +
                                              ((uint32_t)low & 0x3ff));
        }
    }
    result->n_repaired++;
    return put_unit(out, 0xfffd);
}

/* Writes what the escape at `*at` stands for and moves behind it. NULL when
 * it is malformed. */
static inline __attribute__((always_inline)) char *put_escape(
    char *out, const char **at, const char *end,
    struct oy_json_unescaped *result)
{
    const char *s = *at;
    const unsigned char c =
        end - s >= 2 ? oy_json_simple_escape[(unsigned char)s[1]] : 0;

    if (c) {
        *out = (char)c;
        *at = s + 2;
        return out + 1;
    }
    const int unit = end - s >= 6 && s[1] == 'u' ? hex_unit(s + 2) : -1;
    if (unit < 0) {
        result->why = "malformed escape in a string";
        return NULL;
    }
    result->has_high |= unit >= 0x80;
    *at = s + 6;
    if ((unit & 0xf800) == 0xd800)
        return put_surrogate(out, (uint32_t)unit, at, end, result);
    return put_unit(out, (uint32_t)unit);
}

/* ---- plain C ---- */

static const char *string_end_plain(const char *at, const char *end,
                                    uint64_t *escapes)
{
    for (; at < end; at++) {
        if (*at == '"')
            return at;
        if (*at == '\\') {
            *escapes = 1;
            at++;
        }
    }
    return NULL;
}

static const char *container_end_plain(const char *at, const char *end)
{
    uint64_t depth = 1, escapes = 0;

    for (; at < end; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        if ((*at == '}' || *at == ']') && !--depth)
            return at + 1;
        if (*at == '"') {
            at = string_end_plain(at + 1, end, &escapes);
            if (!at)
                return NULL;
        }
    }
    return NULL;
}

static inline int is_special(unsigned char c)
{
    return c == '"' || c == '\\' || c < 0x20;
}

static const char *plain_end_plain(const char *at, const char *end,
                                   uint64_t *high)
{
    unsigned char seen = 0;

    for (; at < end && !is_special((unsigned char)*at); at++)
        seen |= (unsigned char)*at;
    *high |= seen & 0x80;
    return at;
}

static char *unescape_plain(const char *at, const char *end, char *out,
                            struct oy_json_unescaped *result)
{
    while (at < end) {
        const unsigned char c = (unsigned char)*at;
        if (c == '\\') {
            out = put_escape(out, &at, end, result);
            if (!out)
                return NULL;
            continue;
        }
        if (c < 0x20) {
            result->why = "control character in a string";
            return NULL;
        }
        result->has_high |= c >> 7;
        *out++ = *at++;
    }
    return out;
}

const struct oy_json_kernel oy_json_plain = {
    .string_end = string_end_plain,
    .container_end = container_end_plain,
    .plain_end = plain_end_plain,
    .unescape = unescape_plain,
};

/* ---- AVX2 ---- */

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

/* The 64 bytes at `at` that equal c, bit i for byte i. */
AVX2 static inline uint64_t equal_mask(__m256i low, __m256i high, char c)
{
    const __m256i want = _mm256_set1_epi8(c);
    const uint32_t a =
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, want));
    const uint32_t b =
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, want));

    return (uint64_t)b << 32 | a;
}

AVX2 static inline const char *string_end_inline(const char *at,
                                                 const char *end,
                                                 uint64_t *escapes)
{
    uint64_t carry = 0, seen = 0;

    for (; at < end; at += 64) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)at);
        const __m256i high = _mm256_loadu_si256((const __m256i *)(at + 32));
        const uint64_t backslash = equal_mask(low, high, '\\');
        uint64_t quote = equal_mask(low, high, '"');
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

AVX2 static const char *string_end_avx2(const char *at, const char *end,
                                        uint64_t *escapes)
{
    return string_end_inline(at, end, escapes);
}

/* Bits of quotes and brackets among 32 bytes. Or-ing 0x20 makes `[` a `{` and
 * `]` a `}`. */
AVX2 static inline uint32_t structure_mask(const char *at)
{
    const __m256i v = _mm256_loadu_si256((const __m256i *)at);
    const __m256i bracket = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
    const __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    const __m256i open = _mm256_cmpeq_epi8(bracket, _mm256_set1_epi8('{'));
    const __m256i close = _mm256_cmpeq_epi8(bracket, _mm256_set1_epi8('}'));

    return (uint32_t)_mm256_movemask_epi8(
        _mm256_or_si256(quote, _mm256_or_si256(open, close)));
}

AVX2 static const char *container_end_avx2(const char *at, const char *end)
{
    uint64_t depth = 1, escapes = 0;

    while (at < end) {
        uint32_t mask = structure_mask(at);
        const char *next = at + 32;
        for (; mask; mask = _blsr_u32(mask)) {
            const char *hit = at + _tzcnt_u32(mask);
            if (hit >= end)
                return NULL;
            if (*hit == '"') {
                next = string_end_inline(hit + 1, end, &escapes);
                if (!next)
                    return NULL;
                next++;
                break;
            }
            depth += *hit == '{' || *hit == '[' ? 1 : (uint64_t)-1;
            if (!depth)
                return hit + 1;
        }
        at = next;
    }
    return NULL;
}

/* Bytes of a vector that end a plain run: controls and c1 and c2. */
AVX2 static inline uint32_t special_mask(__m256i v, char c1, char c2)
{
    const __m256i control =
        _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
    const __m256i one = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c1));
    const __m256i two = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c2));

    return (uint32_t)_mm256_movemask_epi8(
        _mm256_or_si256(control, _mm256_or_si256(one, two)));
}

AVX2 static const char *plain_end_avx2(const char *at, const char *end,
                                       uint64_t *high)
{
    __m256i seen = _mm256_setzero_si256();
    const char *stop = end;

    for (; at < end; at += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)at);
        const uint32_t mask = special_mask(v, '"', '\\');
        seen = _mm256_or_si256(seen, v);
        if (mask) {
            stop = at + _tzcnt_u32(mask);
            break;
        }
    }
    *high |= (uint32_t)_mm256_movemask_epi8(seen);
    return stop < end ? stop : end;
}

/* Whole blocks are stored before their mask is looked at; what was stored
 * too much is overwritten by what follows. */
AVX2 static char *unescape_avx2(const char *at, const char *end, char *out,
                                struct oy_json_unescaped *result)
{
    __m256i seen = _mm256_setzero_si256();

    while (at < end) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)at);
        const uint32_t mask = special_mask(v, '\\', '\\');
        _mm256_storeu_si256((__m256i *)out, v);
        seen = _mm256_or_si256(seen, v);
        if (!mask) {
            at += 32;
            out += 32;
            continue;
        }
        const unsigned n = (unsigned)_tzcnt_u32(mask);
        at += n;
        out += n;
        if (at < end && *at != '\\') {
            result->why = "control character in a string";
            return NULL;
        }
        while (at < end && *at == '\\') {
            out = put_escape(out, &at, end, result);
            if (!out)
                return NULL;
        }
    }
    result->has_high |= _mm256_movemask_epi8(seen) != 0;
    return out - (at - end); /* of the last block only what belongs to it */
}

const struct oy_json_kernel oy_json_avx2 = {
    .string_end = string_end_avx2,
    .container_end = container_end_avx2,
    .plain_end = plain_end_avx2,
    .unescape = unescape_avx2,
};
#else
const struct oy_json_kernel oy_json_avx2 = {
    .string_end = string_end_plain,
    .container_end = container_end_plain,
    .plain_end = plain_end_plain,
    .unescape = unescape_plain,
};
#endif

char *oy_json_put_escape(char *out, const char **at, const char *end,
                         struct oy_json_unescaped *result)
{
    return put_escape(out, at, end, result);
}

const struct oy_json_kernel *oy_json_kernel(void)
{
    const enum oy_cpu level = oy_cpu_level();

    if (level >= OY_CPU_AVX512 && oy_json_has_vbmi2())
        return &oy_json_avx512;
    return level >= OY_CPU_AVX2 ? &oy_json_avx2 : &oy_json_plain;
}

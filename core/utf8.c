/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation, counting and repair of UTF-8, in plain C and for AVX2. */
#include "core/utf8.h"

#include <string.h>

#include "core/cpu.h"

/* ---- plain C ---- */

/* The length of the sequence at s[0..left) when it is valid; else minus the
 * length of its maximal subpart (1 to 3). Table 3-7 of Unicode 15. */
static int sequence(const unsigned char *s, size_t left)
{
    const unsigned char c = s[0];
    unsigned char low = 0x80, high = 0xbf;
    int len = 2;

    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return -1;
    if (c >= 0xe0) {
        len = c < 0xf0 ? 3 : 4;
        low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    }
    for (int i = 1; i < len; i++) {
        if ((size_t)i >= left || s[i] < low || s[i] > high)
            return -i;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

/* Eight ASCII bytes at a time as far as they go. */
static size_t ascii_prefix(const char *text, size_t len)
{
    size_t at = 0;

    for (; len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        if (word & 0x8080808080808080ULL)
            break;
    }
    return at;
}

size_t oy_utf8_valid_prefix(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;

    while (at < len) {
        if (s[at] < 0x80) {
            const size_t n = ascii_prefix(text + at, len - at);
            at += n ? n : 1;
            continue;
        }
        const int n = sequence(s + at, len - at);
        if (n < 0)
            break;
        at += (size_t)n;
    }
    return at;
}

int oy_utf8_valid_plain(const char *text, size_t len)
{
    return oy_utf8_valid_prefix(text, len) == len;
}

uint64_t oy_utf8_repair(const char *text, size_t len, struct oy_buffer *out)
{
    uint64_t n_repaired = 0;

    for (;;) {
        const size_t good = oy_utf8_valid_prefix(text, len);
        oy_buffer_append(out, text, good);
        text += good;
        len -= good;
        if (!len)
            return n_repaired;
        const size_t bad = (size_t)-sequence((const unsigned char *)text, len);
        oy_buffer_append(out, "\xef\xbf\xbd", 3); /* U+FFFD */
        text += bad;
        len -= bad;
        n_repaired++;
    }
}

static size_t count_plain(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

/* ---- AVX2 ---- */

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,popcnt")))

/* Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte"
 * (2021): three look-ups by nibbles of a byte and the one before it, whose
 * common bits name the faults of the pair. */
enum {
    TOO_SHORT = 1 << 0,    /* a lead or ASCII where a continuation must be */
    TOO_LONG = 1 << 1,     /* a continuation behind ASCII */
    OVERLONG_3 = 1 << 2,   /* E0 80..9F */
    TOO_LARGE = 1 << 3,    /* F4 90..BF, F5..FF 90..BF */
    SURROGATE = 1 << 4,    /* ED A0..BF */
    OVERLONG_2 = 1 << 5,   /* C0, C1 */
    TOO_LARGE_8 = 1 << 6,  /* F5..FF 80..8F */
    OVERLONG_4 = 1 << 6,   /* F0 80..8F */
    TWO_CONTINUE = 1 << 7, /* fine only as third or fourth byte */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTINUE,
    F_LOW = ANY_LOW | TOO_LARGE | TOO_LARGE_8,
    LEAD_F = TOO_SHORT | TOO_LARGE | TOO_LARGE_8 | OVERLONG_4,
    LEAD_E = TOO_SHORT | OVERLONG_3 | SURROGATE,
    SECOND = TOO_LONG | OVERLONG_2 | TWO_CONTINUE,
};

struct utf8_state {
    __m256i previous;
    __m256i error;
};

#define TABLE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* The input moved back by n bytes, filled from the previous block. */
#define BEFORE(v, previous, n)                                                 \
    _mm256_alignr_epi8(v, _mm256_permute2x128_si256(previous, v, 0x21), 16 - n)

AVX2 static inline __m256i high_nibbles(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

/* The faults that the pairs (byte before, byte) may have. */
AVX2 static inline __m256i pair_faults(__m256i v, __m256i before)
{
    const __m256i first_high = TABLE(
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
        TOO_LONG, (char)TWO_CONTINUE, (char)TWO_CONTINUE, (char)TWO_CONTINUE,
        (char)TWO_CONTINUE, TOO_SHORT | OVERLONG_2, TOO_SHORT, LEAD_E, LEAD_F);
    const __m256i first_low =
        TABLE((char)(ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4),
              (char)(ANY_LOW | OVERLONG_2), (char)ANY_LOW, (char)ANY_LOW,
              (char)(ANY_LOW | TOO_LARGE), (char)F_LOW, (char)F_LOW,
              (char)F_LOW, (char)F_LOW, (char)F_LOW, (char)F_LOW, (char)F_LOW,
              (char)F_LOW, (char)(F_LOW | SURROGATE), (char)F_LOW, (char)F_LOW);
    const __m256i second_high =
        TABLE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
              TOO_SHORT, TOO_SHORT,
              (char)(SECOND | OVERLONG_3 | TOO_LARGE_8 | OVERLONG_4),
              (char)(SECOND | OVERLONG_3 | TOO_LARGE),
              (char)(SECOND | SURROGATE | TOO_LARGE),
              (char)(SECOND | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT,
              TOO_SHORT, TOO_SHORT);
    const __m256i low_nibbles = _mm256_and_si256(before, _mm256_set1_epi8(15));

    return _mm256_and_si256(
        _mm256_and_si256(_mm256_shuffle_epi8(first_high, high_nibbles(before)),
                         _mm256_shuffle_epi8(first_low, low_nibbles)),
        _mm256_shuffle_epi8(second_high, high_nibbles(v)));
}

AVX2 static inline void check_block(struct utf8_state *state, __m256i v)
{
    const __m256i faults = pair_faults(v, BEFORE(v, state->previous, 1));
    const __m256i third = _mm256_subs_epu8(BEFORE(v, state->previous, 2),
                                           _mm256_set1_epi8(0xe0 - 0x80));
    const __m256i fourth = _mm256_subs_epu8(BEFORE(v, state->previous, 3),
                                            _mm256_set1_epi8(0xf0 - 0x80));
    /* Two continuations in a row must stand exactly where a third or fourth
   * byte is due. */
    const __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth),
                                         _mm256_set1_epi8((char)0x80));

    state->error = _mm256_or_si256(state->error, _mm256_xor_si256(faults, due));
    state->previous = v;
}

AVX2 static int valid_avx2(const char *text, size_t len)
{
    struct utf8_state state = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    char tail[32] = {0};
    size_t at = 0;

    for (; len - at >= 32; at += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(text + at));
        if (_mm256_movemask_epi8(_mm256_or_si256(v, state.previous)))
            check_block(&state, v);
        else
            state.previous = v;
    }
    /* Zeros behind the text show a sequence that is cut off. */
    if (at < len)
        memcpy(tail, text + at, len - at);
    check_block(&state, _mm256_loadu_si256((const __m256i *)tail));
    return _mm256_testz_si256(state.error, state.error);
}

AVX2 static size_t count_avx2(const char *text, size_t len)
{
    const __m256i last_continuation = _mm256_set1_epi8((char)0xbf);
    size_t at = 0, n = 0;

    for (; len - at >= 32; at += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(text + at));
        n += (size_t)__builtin_popcount((uint32_t)_mm256_movemask_epi8(
            _mm256_cmpgt_epi8(v, last_continuation)));
    }
    return n + count_plain(text + at, len - at);
}

int oy_utf8_valid(const char *text, size_t len)
{
    if (oy_cpu_level() >= OY_CPU_AVX2)
        return valid_avx2(text, len);
    return oy_utf8_valid_plain(text, len);
}

size_t oy_utf8_count(const char *text, size_t len)
{
    if (oy_cpu_level() >= OY_CPU_AVX2)
        return count_avx2(text, len);
    return count_plain(text, len);
}
#else
int oy_utf8_valid(const char *text, size_t len)
{
    return oy_utf8_valid_plain(text, len);
}

size_t oy_utf8_count(const char *text, size_t len)
{
    return count_plain(text, len);
}
#endif

int oy_utf8_is_ascii(const char *text, size_t len)
{
    uint64_t all = 0, word;
    size_t i = 0;

    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        all |= word;
    }
    for (; i < len; i++)
        all |= (unsigned char)text[i];
    return !(all & 0x8080808080808080ULL);
}

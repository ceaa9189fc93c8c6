/* SPDX-License-Identifier: Apache-2.0
 *
 * Replacing parts of a text. */
#include "tokenizer/replace.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/regex.h"
#include "core/utf8.h"

size_t replace_find(struct oy_text text, size_t at, struct oy_text part)
{
    while (text.len - at >= part.len) {
        const char *hit =
            memchr(text.at + at, part.at[0], text.len - at - part.len + 1);
        if (!hit)
            break;
        if (!memcmp(hit, part.at, part.len))
            return (size_t)(hit - text.at);
        at = (size_t)(hit - text.at) + 1;
    }
    return text.len;
}

/* Around every character. */
static void interleave(struct oy_text text, struct oy_text to,
                       struct oy_buffer *out)
{
    for (size_t at = 0; at < text.len;) {
        const size_t begin = at;
        (void)oy_utf8_next(text.at, &at);
        oy_buffer_append(out, to.at, to.len);
        oy_buffer_append(out, text.at + begin, at - begin);
    }
    if (text.len)
        oy_buffer_append(out, to.at, to.len);
}

enum { SHORT = 8, BLOCK = 16 };

#ifdef __SSE2__
#include <emmintrin.h>

static inline void copy_block(char *to, const char *from)
{
    _mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
}

/* As far as whole blocks can be read and written; moves *at. Words are short:
 * what stands between two hits is less than a block, which is copied whole. */
static char *replace_blocks(struct oy_text text, char from, uint64_t word,
                            size_t n_word, char *end, size_t *at)
{
    const __m128i wanted = _mm_set1_epi8(from);
    size_t i = 0;

    for (; text.len - i >= 2 * BLOCK; i += BLOCK) {
        const char *block = text.at + i;
        size_t begin = 0;
        uint32_t hits = (uint32_t)_mm_movemask_epi8(
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)block), wanted));
        copy_block(end, block);
        for (; hits; hits &= hits - 1) {
            const size_t hit = (size_t)__builtin_ctz(hits);
            end += hit - begin;
            memcpy(end, &word, sizeof word);
            end += n_word;
            begin = hit + 1;
            copy_block(end, block + begin);
        }
        end += BLOCK - begin;
    }
    *at = i;
    return end;
}
#else
static char *replace_blocks(struct oy_text text, char from, uint64_t word,
                            size_t n_word, char *end, size_t *at)
{
    (void)text;
    (void)from;
    (void)word;
    (void)n_word;
    *at = 0;
    return end;
}
#endif

/* One byte by at most eight: spaces by marks. */
static void replace_byte(struct oy_text text, char from, struct oy_text to,
                         struct oy_buffer *out)
{
    char *end = oy_buffer_reserve(out, text.len * (to.len | 1) + BLOCK);
    uint64_t word = 0;
    size_t at;

    memcpy(&word, to.at, to.len);
    end = replace_blocks(text, from, word, to.len, end, &at);
    for (; at < text.len; at++) {
        const int is_hit = text.at[at] == from;
        const uint64_t bytes = is_hit ? word : (unsigned char)text.at[at];
        memcpy(end, &bytes, sizeof bytes);
        end += is_hit ? to.len : 1;
    }
    out->len = (size_t)(end - out->data);
}

void replace_string(struct oy_text text, struct oy_text from, struct oy_text to,
                    struct oy_buffer *out)
{
    size_t at = 0;

    if (!from.len) {
        interleave(text, to, out);
        return;
    }
    if (from.len == 1 && to.len <= SHORT) {
        replace_byte(text, from.at[0], to, out);
        return;
    }
    while (at < text.len) {
        const size_t hit = replace_find(text, at, from);
        if (hit == text.len)
            break;
        oy_buffer_append(out, text.at + at, hit - at);
        oy_buffer_append(out, to.at, to.len);
        at = hit + from.len;
    }
    oy_buffer_append(out, text.at + at, text.len - at);
}

/* ---- expressions ---- */

struct replace_regex {
    struct oy_regex *regex;
    _Atomic(struct oy_regex_matcher *) spare;
};

struct replace_regex *replace_regex_new(struct oy_text pattern,
                                        struct oy_error *err)
{
    struct oy_regex *compiled =
        oy_regex_new(pattern.at, pattern.len, OY_REGEX_ONIGURUMA, err);

    if (!compiled)
        return NULL;
    struct replace_regex *regex = oy_calloc(1, sizeof *regex);
    regex->regex = compiled;
    atomic_init(&regex->spare, NULL);
    return regex;
}

void replace_regex_free(struct replace_regex *regex)
{
    if (!regex)
        return;
    oy_regex_free(regex->regex);
    oy_regex_matcher_free(atomic_load(&regex->spare));
    oy_free(regex);
}

void replace_regex_run(struct replace_regex *regex, struct oy_text text,
                       struct oy_text to, struct oy_buffer *out, size_t *first)
{
    struct oy_regex_matcher *matcher = atomic_exchange(&regex->spare, NULL);
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};
    size_t at = 0, n_first = SIZE_MAX;
    int found = 0;

    if (!matcher)
        matcher = oy_regex_matcher_new();
    /* HF finds nothing, not even the empty match, in an empty text. */
    while (text.len &&
           (found = oy_regex_next(regex->regex, matcher, text.at, text.len,
                                  &walk, &match, &err)) > 0) {
        if (!match.begin && n_first == SIZE_MAX)
            n_first = match.end;
        oy_buffer_append(out, text.at + at, match.begin - at);
        oy_buffer_append(out, to.at, to.len);
        at = match.end;
    }
    if (found < 0) {
        oy_log_error(&err);
        exit(err.code); /* atexit handlers remove half-made outputs */
    }
    oy_buffer_append(out, text.at + at, text.len - at);
    if (first)
        *first = n_first;
    oy_regex_matcher_free(atomic_exchange(&regex->spare, matcher));
}

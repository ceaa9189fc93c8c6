/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching for C4's phrases by a pair of letters that is rare in each. */
#include "pipeline/phrases.h"

#include <string.h>

#include "core/alloc.h"

/* POLICY_SUBSTRINGS and the rest of c4_filters.py, in lower case. */
struct phrase {
    const char *text;
    unsigned meaning;
    size_t pair; /* where its pair stands: one of `pair` below */
};

static const struct phrase phrases[] = {
    {"lorem ipsum", PHRASE_LOREM_IPSUM, 7}, /* ps */
    {"javascript", PHRASE_JAVASCRIPT, 0},   /* ja */
    {"terms of use", PHRASE_POLICY, 3},     /* ms */
    {"privacy policy", PHRASE_POLICY, 5},   /* cy */
    {"cookie policy", PHRASE_POLICY, 3},    /* ki */
    {"uses cookies", PHRASE_POLICY, 8},
    {"use of cookies", PHRASE_POLICY, 10},
    {"use cookies", PHRASE_POLICY, 7},
};

enum { N_PHRASE = sizeof phrases / sizeof *phrases, N_PAIR = 5 };

static const char pair[N_PAIR][2] = {
    {'p', 's'}, {'j', 'a'}, {'m', 's'}, {'c', 'y'}, {'k', 'i'}};

static int is_phrase(const char *text, const char *phrase)
{
    for (; *phrase; text++, phrase++) {
        if (*phrase == ' ' ? *text != ' ' : (*text | 0x20) != *phrase)
            return 0;
    }
    return 1;
}

/* The phrases whose pair stands at `at`. */
static unsigned check(const char *text, size_t len, size_t at)
{
    unsigned found = 0;

    for (int i = 0; i < N_PHRASE; i++) {
        const struct phrase *phrase = &phrases[i];
        if (at >= phrase->pair &&
            len - (at - phrase->pair) >= strlen(phrase->text) &&
            is_phrase(text + at - phrase->pair, phrase->text))
            found |= phrase->meaning;
    }
    return found;
}

static unsigned find_plain(const char *text, size_t len)
{
    unsigned found = 0;

    for (size_t at = 0; at + 1 < len; at++) {
        for (int i = 0; i < N_PAIR; i++) {
            if ((text[at] | 0x20) == pair[i][0] &&
                (text[at + 1] | 0x20) == pair[i][1])
                found |= check(text, len, at);
        }
    }
    return found;
}

#ifdef __SSE2__
#include <emmintrin.h>

/* A bit for each of 16 places where a pair stands. */
static inline unsigned pairs_at(const char *text)
{
    const __m128i small = _mm_set1_epi8(0x20);
    const __m128i first =
        _mm_or_si128(_mm_loadu_si128((const __m128i *)text), small);
    const __m128i second =
        _mm_or_si128(_mm_loadu_si128((const __m128i *)(text + 1)), small);
    __m128i hit = _mm_setzero_si128();

    for (int i = 0; i < N_PAIR; i++)
        hit = _mm_or_si128(
            hit,
            _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(pair[i][0])),
                          _mm_cmpeq_epi8(second, _mm_set1_epi8(pair[i][1]))));
    return (unsigned)_mm_movemask_epi8(hit);
}

static unsigned find_vectors(const char *text, size_t len)
{
    unsigned found = 0;

    for (size_t at = 0; at < len; at += 16) {
        for (unsigned hits = pairs_at(text + at); hits; hits &= hits - 1) {
            const size_t place = at + (size_t)__builtin_ctz(hits);
            if (place < len)
                found |= check(text, len, place);
        }
    }
    return found;
}
#else
#define find_vectors find_plain
#endif

#define KELVIN "\xe2\x84\xaa" /* U+212A */

/* With every sign of kelvin as a k. */
static unsigned find_with_kelvin(const char *text, size_t len)
{
    struct oy_buffer copy = {0};
    const char *at = text, *end = text + len, *sign;
    unsigned found;

    while ((sign = memmem(at, (size_t)(end - at), KELVIN, 3)) != NULL) {
        oy_buffer_append(&copy, at, (size_t)(sign - at));
        oy_buffer_append_char(&copy, 'k');
        at = sign + 3;
    }
    oy_buffer_append(&copy, at, (size_t)(end - at));
    found = find_plain(copy.data, copy.len);
    oy_buffer_release(&copy);
    return found;
}

unsigned phrases_find_plain(const char *text, size_t len)
{
    return memmem(text, len, KELVIN, 3) ? find_with_kelvin(text, len)
                                        : find_plain(text, len);
}

unsigned phrases_find(const char *text, size_t len)
{
    return memmem(text, len, KELVIN, 3) ? find_with_kelvin(text, len)
                                        : find_vectors(text, len);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Normal forms and rolling hashes. */
#include "pipeline/decon_words.h"

#include <string.h>

#include "core/hash.h"
#include "core/unicode.h"

/* An odd factor: multiplication by it can be undone, so that no bits of the
 * words that left the window stay behind. (The golden ratio times 2^64.) */
static const uint64_t FACTOR = 0x9e3779b97f4a7c15;

void decon_words_release(struct decon_words *words)
{
    simplify_release(&words->simplify);
    words_release(&words->split);
    oy_buffer_release(&words->joined);
    oy_buffer_release(&words->bare);
    oy_free(words->start);
    oy_free(words->origin);
    oy_free(words->hash);
    oy_free(words->word_hash);
    *words = (struct decon_words){0};
}

void decon_words_clear(struct decon_words *words)
{
    words->n = 0;
    oy_buffer_clear(&words->joined);
}

/* ---- words ---- */

static void close_word(struct decon_words *words, struct word origin)
{
    const size_t n = words->n + 1;

    oy_buffer_append_char(&words->joined, ' ');
    OY_GROW(words->start, words->cap_start, n + 1);
    OY_GROW(words->origin, words->cap_origin, n);
    words->start[0] = 0;
    words->start[n] = words->joined.len;
    words->origin[n - 1] = origin;
    words->n = n;
}

static void add_simple(struct decon_words *words, enum words_splitter splitter,
                       const char *text, size_t len)
{
    struct words *split = &words->split;

    text = simplify_text(&words->simplify, text, len, &len);
    words_split(splitter, text, len, split);
    for (size_t i = 0; i < split->n; i++) {
        oy_buffer_append(&words->joined, text + split->item[i].at,
                         split->item[i].len);
        close_word(words, split->item[i]);
    }
}

static int is_punctuation(unsigned char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static void add_plain_word(struct decon_words *words, const char *text,
                           struct word word)
{
    const char *from = text + word.at;
    char *out = oy_buffer_reserve(&words->bare, word.len);
    unsigned char wide = 0;
    size_t n = 0;

    for (size_t i = 0; i < word.len; i++) {
        const unsigned char c = (unsigned char)from[i];
        wide |= c & 0x80;
        out[n] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        n += !is_punctuation(c);
    }
    if (!n)
        return;
    if (wide)
        oy_py_lower(out, n, &words->joined);
    else
        oy_buffer_append(&words->joined, out, n);
    close_word(words, word);
}

void decon_words_add(struct decon_words *words, enum decon_form form,
                     enum words_splitter splitter, const char *text, size_t len)
{
    if (form == DECON_SIMPLE) {
        add_simple(words, splitter, text, len);
        return;
    }
    words_split(WORDS_WS, text, len, &words->split);
    for (size_t i = 0; i < words->split.n; i++)
        add_plain_word(words, text, words->split.item[i]);
}

void decon_words_add_joined(struct decon_words *words, const char *text,
                            size_t len)
{
    for (size_t at = 0; at < len;) {
        const char *space = memchr(text + at, ' ', len - at);
        const size_t end = space ? (size_t)(space - text) : len;
        oy_buffer_append(&words->joined, text + at, end - at);
        close_word(words, (struct word){(uint32_t)at, (uint32_t)(end - at)});
        at = end + 1;
    }
}

void decon_words_keep_last(struct decon_words *words, size_t n)
{
    if (words->n <= n)
        return;
    const size_t first = words->n - n, cut = words->start[first];
    memmove(words->joined.data, words->joined.data + cut,
            words->joined.len - cut);
    words->joined.len -= cut;
    for (size_t i = 0; i <= n; i++)
        words->start[i] = words->start[first + i] - cut;
    memmove(words->origin, words->origin + first, n * sizeof *words->origin);
    words->n = n;
}

/* ---- n-grams ---- */

struct oy_text decon_words_gram(const struct decon_words *words, size_t i,
                                size_t n)
{
    const size_t at = words->start[i];

    return (struct oy_text){words->joined.data + at,
                            words->start[i + n] - at - 1};
}

size_t decon_words_hash(struct decon_words *words, size_t n)
{
    uint64_t power = 1, rolling = 0;

    if (!n || words->n < n)
        return 0;
    OY_GROW(words->hash, words->cap_hash, words->n);
    OY_GROW(words->word_hash, words->cap_word_hash, words->n);
    for (size_t i = 0; i < n; i++)
        power *= FACTOR;
    for (size_t i = 0; i < words->n; i++) {
        const struct oy_text word = decon_words_gram(words, i, 1);
        words->word_hash[i] = oy_hash64(word.at, word.len);
        rolling = rolling * FACTOR + words->word_hash[i];
        if (i >= n)
            rolling -= words->word_hash[i - n] * power;
        if (i + 1 >= n)
            words->hash[i + 1 - n] = oy_mix64(rolling);
    }
    return words->n - n + 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * N-grams by sums of polynomials. */
#include "pipeline/ngrams.h"

#include <math.h>
#include <string.h>

#include "core/hash.h"
#include "core/utf8.h"

/* The base of the polynomials (2^64 divided by the golden ratio, odd) and its
 * inverse modulo 2^64. */
#define BASE         0x9e3779b97f4a7c15ULL
#define BASE_INVERSE 0xf1de83e19937733dULL

/* How many windows ahead their slots are fetched into the cache. */
enum { AHEAD = 8 };

struct ngrams_word {
    uint32_t at;
    uint32_t len;
    uint32_t n_code;
    uint32_t count;   /* in the text */
    uint64_t value;   /* sum of byte[k] * BASE^k */
    uint64_t power;   /* BASE^len */
    uint64_t inverse; /* BASE^-len */
};

/* Sums over all words before this place, as if joined by nothing. */
struct ngrams_mark {
    uint64_t value;
    uint64_t inverse;
    uint32_t n_byte;
    uint32_t n_code;
};

void ngrams_release(struct ngrams *ngrams)
{
    oy_free(ngrams->distinct);
    oy_free(ngrams->id);
    oy_free(ngrams->mark);
    oy_free(ngrams->count);
    oy_free(ngrams->hash);
    seen_release(&ngrams->seen);
    *ngrams = (struct ngrams){0};
}

/* ---- distinct words ---- */

static uint64_t load8(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Texts are padded, so that a short word is one load and a mask. */
static inline uint64_t hash_word(const char *at, size_t len)
{
    if (len > 16)
        return oy_hash64(at, len);
    if (len > 8)
        return oy_mix64(load8(at) * BASE ^ load8(at + len - 8) ^ len << 56);
    return oy_mix64((load8(at) << (64 - 8 * len)) + len);
}

static inline int same_word(const char *a, const char *b, size_t len)
{
    if (len <= 8)
        return (load8(a) ^ load8(b)) << (64 - 8 * len) == 0;
    return memcmp(a, b, len) == 0;
}

static void describe_word(struct ngrams_word *word, const char *text)
{
    uint64_t value = 0, power = 1, inverse = 1;
    uint32_t n_code = 0;

    for (uint32_t i = 0; i < word->len; i++) {
        const unsigned char c = (unsigned char)text[word->at + i];
        value += (c + 1) * power;
        power *= BASE;
        inverse *= BASE_INVERSE;
        n_code += (c & 0xc0) != 0x80;
    }
    word->value = value;
    word->power = power;
    word->inverse = inverse;
    word->n_code = n_code;
}

/* The number of a word, a new one if it was not there before. */
static uint32_t number_word(struct ngrams *ngrams, struct word word)
{
    const char *at = ngrams->text + word.at;
    const uint64_t hash = hash_word(at, word.len);
    struct seen_slot *slot = seen_first(&ngrams->seen, hash);

    for (; slot->index; slot = seen_next(&ngrams->seen, slot)) {
        const struct ngrams_word *old = &ngrams->distinct[slot->index - 1];
        if (slot->tag == seen_tag(hash) && old->len == word.len &&
            same_word(ngrams->text + old->at, at, word.len))
            return slot->index - 1;
    }
    seen_put(slot, hash, ngrams->n_distinct);
    if (ngrams->n_distinct == ngrams->cap_distinct)
        OY_GROW(ngrams->distinct, ngrams->cap_distinct, ngrams->n_distinct + 1);
    struct ngrams_word *fresh = &ngrams->distinct[ngrams->n_distinct];
    fresh->at = word.at;
    fresh->len = word.len;
    fresh->count = 0;
    describe_word(fresh, ngrams->text);
    return (uint32_t)ngrams->n_distinct++;
}

void ngrams_init(struct ngrams *ngrams, const char *text,
                 const struct words *words)
{
    struct ngrams_mark sum = {.inverse = 1};
    uint64_t power = 1;

    ngrams->text = text;
    ngrams->words = words;
    ngrams->n_distinct = 0;
    OY_GROW(ngrams->id, ngrams->cap_id, words->n);
    OY_GROW(ngrams->mark, ngrams->cap_mark, words->n + 1);
    OY_GROW(ngrams->count, ngrams->cap_count, words->n);
    OY_GROW(ngrams->hash, ngrams->cap_hash, words->n + AHEAD);
    seen_start(&ngrams->seen, words->n);
    ngrams->mark[0] = sum;
    for (size_t i = 0; i < words->n; i++) {
        ngrams->id[i] = number_word(ngrams, words->item[i]);
        struct ngrams_word *word = &ngrams->distinct[ngrams->id[i]];
        word->count++;
        sum.value += word->value * power;
        power *= word->power;
        sum.inverse *= word->inverse;
        sum.n_byte += word->len;
        sum.n_code += word->n_code;
        ngrams->mark[i + 1] = sum;
    }
}

/* ---- windows ---- */

static inline uint64_t hash_window(const struct ngrams *ngrams, size_t i,
                                   size_t n)
{
    const struct ngrams_mark *mark = &ngrams->mark[i];

    return oy_mix64((mark[n].value - mark->value) * mark->inverse);
}

/* The hashes of all windows; behind the last one AHEAD zeros. */
static void hash_windows(struct ngrams *ngrams, size_t n)
{
    const size_t n_window = ngrams->words->n - n + 1;

    seen_start(&ngrams->seen, n_window);
    for (size_t i = 0; i < n_window; i++)
        ngrams->hash[i] = hash_window(ngrams, i, n);
    memset(ngrams->hash + n_window, 0, AHEAD * sizeof *ngrams->hash);
}

static inline uint64_t take_hash(struct ngrams *ngrams, size_t i)
{
    __builtin_prefetch(seen_first(&ngrams->seen, ngrams->hash[i + AHEAD]));
    return ngrams->hash[i];
}

static inline uint32_t window_bytes(const struct ngrams *ngrams, size_t i,
                                    size_t n)
{
    return ngrams->mark[i + n].n_byte - ngrams->mark[i].n_byte;
}

static inline uint32_t window_codes(const struct ngrams *ngrams, size_t i,
                                    size_t n)
{
    return ngrams->mark[i + n].n_code - ngrams->mark[i].n_code;
}

static inline int same_words(const struct ngrams *ngrams, size_t a, size_t b,
                             size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (ngrams->id[a + k] != ngrams->id[b + k])
            return 0;
    }
    return 1;
}

/* Whether two windows of the same number of bytes, cut into words
 * differently, hold the same bytes. */
static int same_bytes(const struct ngrams *ngrams, size_t a, size_t b,
                      size_t rest)
{
    const struct word *x = &ngrams->words->item[a];
    const struct word *y = &ngrams->words->item[b];
    size_t in_x = 0, in_y = 0;

    while (rest) {
        size_t n = x->len - in_x;
        n = n < y->len - in_y ? n : y->len - in_y;
        if (memcmp(ngrams->text + x->at + in_x, ngrams->text + y->at + in_y,
                   n) != 0)
            return 0;
        rest -= n;
        in_x += n;
        in_y += n;
        if (in_x == x->len) {
            x++;
            in_x = 0;
        }
        if (in_y == y->len) {
            y++;
            in_y = 0;
        }
    }
    return 1;
}

size_t ngrams_top_bound(const struct ngrams *ngrams, size_t n)
{
    size_t best = 0;

    for (size_t i = 0; i + n <= ngrams->words->n; i++) {
        uint32_t count = UINT32_MAX;
        for (size_t k = 0; k < n; k++) {
            const uint32_t other = ngrams->distinct[ngrams->id[i + k]].count;
            count = other < count ? other : count;
        }
        const size_t bound = (window_codes(ngrams, i, n) + n - 1) * count;
        best = bound > best ? bound : best;
    }
    return best;
}

size_t ngrams_top(struct ngrams *ngrams, size_t n)
{
    const size_t n_word = ngrams->words->n;
    size_t best = 0, best_count = 0;

    if (n == 0 || n_word < n)
        return 0;
    hash_windows(ngrams, n);
    for (size_t i = 0; i + n <= n_word; i++) {
        const uint64_t hash = take_hash(ngrams, i);
        struct seen_slot *slot = seen_first(&ngrams->seen, hash);
        for (; slot->index; slot = seen_next(&ngrams->seen, slot)) {
            if (slot->tag == seen_tag(hash) &&
                same_words(ngrams, slot->index - 1, i, n))
                break;
        }
        if (!slot->index) {
            seen_put(slot, hash, i);
            ngrams->count[i] = 0;
        }
        const size_t first = slot->index - 1;
        const size_t count = ++ngrams->count[first];
        if (count > best_count || (count == best_count && first < best)) {
            best = first;
            best_count = count;
        }
    }
    return (window_codes(ngrams, best, n) + n - 1) * best_count;
}

size_t ngrams_repeated(struct ngrams *ngrams, size_t n)
{
    const size_t n_word = ngrams->words->n;
    size_t n_code = 0;

    if (n == 0 || n_word < n)
        return 0;
    hash_windows(ngrams, n);
    for (size_t i = 0; i + n <= n_word;) {
        const uint64_t hash = take_hash(ngrams, i);
        const uint32_t n_byte = window_bytes(ngrams, i, n);
        struct seen_slot *slot = seen_first(&ngrams->seen, hash);
        for (; slot->index; slot = seen_next(&ngrams->seen, slot)) {
            const size_t old = slot->index - 1;
            if (slot->tag == seen_tag(hash) &&
                window_bytes(ngrams, old, n) == n_byte &&
                (same_words(ngrams, old, i, n) ||
                 same_bytes(ngrams, old, i, n_byte)))
                break;
        }
        if (slot->index) {
            n_code += window_codes(ngrams, i, n);
            i += n;
        } else {
            seen_put(slot, hash, i);
            i++;
        }
    }
    return n_code;
}

/* ---- all places ---- */

size_t ngrams_n_code(const struct ngrams *ngrams)
{
    return ngrams->mark[ngrams->words->n].n_code;
}

double ngrams_entropy(const struct ngrams *ngrams)
{
    const double n = (double)ngrams->words->n;
    double sum = 0;

    for (size_t i = 0; i < ngrams->n_distinct; i++) {
        const double share = (double)ngrams->distinct[i].count / n;
        sum += -share * log(share);
    }
    return sum;
}

/* The place where the window's n-gram stands first. */
static size_t first_place(struct ngrams *ngrams, size_t i, size_t n)
{
    const uint64_t hash = take_hash(ngrams, i);
    struct seen_slot *slot = seen_first(&ngrams->seen, hash);

    for (; slot->index; slot = seen_next(&ngrams->seen, slot)) {
        if (slot->tag == seen_tag(hash) &&
            same_words(ngrams, slot->index - 1, i, n))
            return slot->index - 1;
    }
    seen_put(slot, hash, i);
    ngrams->count[i] = 0;
    return i;
}

/* Looks at a first place. */
static void compare_top(struct ngrams_counts *counts, size_t count,
                        size_t n_code)
{
    if (count < counts->top_count)
        return;
    if (count > counts->top_count) {
        counts->top_count = count;
        counts->top_code = counts->top_longest = n_code;
    }
    if (n_code > counts->top_longest)
        counts->top_longest = n_code;
}

void ngrams_count(struct ngrams *ngrams, size_t n, struct ngrams_counts *counts)
{
    const size_t n_word = ngrams->words->n;
    size_t covered = 0; /* words before this one are counted */

    *counts = (struct ngrams_counts){0};
    if (n == 0 || n_word < n)
        return;
    hash_windows(ngrams, n);
    counts->n_gram = n_word - n + 1;
    /* A hash that was taken makes room for the place. */
    for (size_t i = 0; i < counts->n_gram; i++) {
        ngrams->hash[i] = first_place(ngrams, i, n);
        ngrams->count[ngrams->hash[i]]++;
    }
    for (size_t i = 0; i < counts->n_gram; i++) {
        const size_t count = ngrams->count[ngrams->hash[i]];
        const size_t n_code = window_codes(ngrams, i, n);
        counts->n_code += n_code;
        if (ngrams->hash[i] == i)
            compare_top(counts, count, n_code);
        if (count == 1)
            continue;
        const size_t from = covered > i ? covered : i;
        counts->repeated_code += n_code;
        counts->covered_code += window_codes(ngrams, from, i + n - from);
        covered = i + n;
    }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of words and how often each was seen: open addressing.
 */
#include "tokenizer/word_count.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"

enum {
    INLINE_LEN = 16,
    FIRST_SLOTS = 1024,
    TOGETHER = 32, /* words whose slots are asked for before they are used */
};

/* Pieces of a text are counted in one loop without calls. */
#define INLINE static inline __attribute__((always_inline))

/* 32 bytes, two in a cache line. `key` is the word itself with zeros behind,
 * or where it lies in the pool, and its hash. */
struct word_slot {
    uint64_t key[2];
    uint64_t count; /* 0: the slot is free */
    uint64_t len;
};

struct key {
    uint64_t word[2];
    uint64_t hash;
};

/* Of the 16 bytes that a short word is read with, those that are its own. */
static uint64_t low_bytes(size_t n)
{
    return n >= 8 ? ~(uint64_t)0 : ((uint64_t)1 << (8 * n)) - 1;
}

/* The two halves of a 128-bit product, folded: every bit of the word reaches
 * every bit of the hash. Odd constants: the golden ratio's and that of
 * MurmurHash3. */
static uint64_t hash_short(const uint64_t word[2], size_t len)
{
    const __uint128_t product =
        (__uint128_t)(word[0] ^ len ^ 0x9e3779b97f4a7c15u) *
        (word[1] ^ 0xff51afd7ed558ccdu);

    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

INLINE struct key key_of(const char *word, size_t len)
{
    struct key key;

    if (len > INLINE_LEN) {
        key.hash = oy_hash64(word, len);
        key.word[0] = 0;
        key.word[1] = key.hash;
        return key;
    }
    memcpy(key.word, word, INLINE_LEN);
    key.word[0] &= low_bytes(len);
    key.word[1] &= len > 8 ? low_bytes(len - 8) : 0;
    key.hash = hash_short(key.word, len);
    return key;
}

static uint64_t hash_of_slot(const struct word_slot *slot)
{
    return slot->len > INLINE_LEN ? slot->key[1]
                                  : hash_short(slot->key, slot->len);
}

/* The slot of the word, or the free one where it belongs. */
INLINE struct word_slot *look_up(const struct word_count *words,
                                 const struct key *key, const char *word,
                                 size_t len)
{
    const size_t mask = words->n_slot - 1;

    for (size_t i = key->hash & mask;; i = (i + 1) & mask) {
        struct word_slot *const slot = &words->slot[i];

        if (!slot->count)
            return slot;
        if (slot->len != len || slot->key[1] != key->word[1])
            continue;
        if (len <= INLINE_LEN ? slot->key[0] == key->word[0]
                              : !memcmp(words->pool + slot->key[0], word, len))
            return slot;
    }
}

static void grow(struct word_count *words)
{
    struct word_slot *const old = words->slot;
    const size_t n_old = words->n_slot;

    words->n_slot = n_old ? n_old * 2 : FIRST_SLOTS;
    words->slot = oy_zeroed(words->n_slot, sizeof *words->slot);
    for (size_t i = 0; i < n_old; i++) {
        const size_t mask = words->n_slot - 1;
        size_t at = hash_of_slot(&old[i]) & mask;

        if (!old[i].count)
            continue;
        while (words->slot[at].count)
            at = (at + 1) & mask;
        words->slot[at] = old[i];
    }
    oy_free(old);
}

static uint64_t put_in_pool(struct word_count *words, const char *word,
                            size_t len)
{
    const size_t at = words->pool_len;

    OY_GROW(words->pool, words->pool_cap, at + len + OY_PADDING);
    memcpy(words->pool + at, word, len);
    words->pool_len = at + len;
    return at;
}

INLINE void add_key(struct word_count *words, struct key *key, const char *word,
                    size_t len, uint64_t count)
{
    struct word_slot *const slot = look_up(words, key, word, len);

    if (slot->count) {
        slot->count += count;
        return;
    }
    if (len > INLINE_LEN)
        key->word[0] = put_in_pool(words, word, len);
    memcpy(slot->key, key->word, sizeof slot->key);
    slot->len = len;
    slot->count = count;
    words->n_word++;
}

/* At most 5/8 full with `more` words: probes stay short. */
static void make_room(struct word_count *words, size_t more)
{
    while ((words->n_word + more) * 8 > words->n_slot * 5)
        grow(words);
}

void word_count_add(struct word_count *words, const char *word, size_t len,
                    uint64_t count)
{
    struct key key = key_of(word, len);

    make_room(words, 1);
    add_key(words, &key, word, len, count);
}

void word_count_add_pieces(struct word_count *words, const char *text,
                           size_t at, const size_t *end, size_t n)
{
    struct key key[TOGETHER];

    for (size_t first = 0; first < n; first += TOGETHER) {
        const size_t size = n - first < TOGETHER ? n - first : TOGETHER;
        size_t begin = at;

        make_room(words, size);
        for (size_t i = 0; i < size; i++) {
            key[i] = key_of(text + begin, end[first + i] - begin);
            __builtin_prefetch(&words->slot[key[i].hash & (words->n_slot - 1)]);
            begin = end[first + i];
        }
        for (size_t i = 0; i < size; i++) {
            add_key(words, &key[i], text + at, end[first + i] - at, 1);
            at = end[first + i];
        }
    }
}

uint64_t word_count_find(const struct word_count *words, const char *word,
                         size_t len)
{
    const struct key key = key_of(word, len);

    return words->n_slot ? look_up(words, &key, word, len)->count : 0;
}

/* ---- all words ---- */

struct word_entry word_count_at(const struct word_count *words, uint64_t value)
{
    const struct word_slot *const slot = &words->slot[value];

    return (struct word_entry){
        .at = slot->len > INLINE_LEN ? words->pool + slot->key[0]
                                     : (const char *)slot->key,
        .len = slot->len,
        .count = slot->count,
    };
}

int word_count_next(const struct word_count *words, size_t *at,
                    struct word_entry *word)
{
    while (*at < words->n_slot && !words->slot[*at].count)
        ++*at;
    if (*at >= words->n_slot)
        return 0;
    *word = word_count_at(words, (*at)++);
    return 1;
}

void word_count_merge(struct word_count *words, const struct word_count *from)
{
    struct word_entry word[TOGETHER];
    struct key key[TOGETHER];
    size_t at = 0, n;

    do {
        for (n = 0; n < TOGETHER && word_count_next(from, &at, &word[n]); n++)
            ;
        make_room(words, n);
        for (size_t i = 0; i < n; i++) {
            key[i] = key_of(word[i].at, word[i].len);
            __builtin_prefetch(&words->slot[key[i].hash & (words->n_slot - 1)]);
        }
        for (size_t i = 0; i < n; i++)
            add_key(words, &key[i], word[i].at, word[i].len, word[i].count);
    } while (n == TOGETHER);
}

/* ---- size ---- */

uint64_t word_count_bytes(const struct word_count *words)
{
    return words->n_slot * sizeof *words->slot + words->pool_cap;
}

int word_count_is_full(const struct word_count *words, size_t more,
                       uint64_t limit)
{
    /* Two pairs a word for sorting, when 5 of 8 slots are taken. */
    const uint64_t a_slot =
        sizeof *words->slot + 2 * sizeof(struct oy_pair) * 5 / 8;
    const int grows = (words->n_word + more) * 8 > words->n_slot * 5;
    const uint64_t n_slot = words->n_slot << grows;
    const uint64_t pool = words->pool_len + words->pool_len / 2;

    return words->n_word > 0 && n_slot * a_slot + pool > limit;
}

void word_count_clear(struct word_count *words)
{
    if (words->n_slot)
        memset(words->slot, 0, words->n_slot * sizeof *words->slot);
    words->n_word = 0;
    words->pool_len = 0;
}

/* ---- order ---- */

int word_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const size_t len = a_len < b_len ? a_len : b_len;
    const int order = len ? memcmp(a, b, len) : 0;

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

uint64_t word_prefix(const char *word, size_t len)
{
    uint64_t first;

    memcpy(&first, word, sizeof first);
    return __builtin_bswap64(first & low_bytes(len));
}

/* What a comparison needs to know. */
struct ordering {
    const struct word_count *words;
    const unsigned char *rank;
};

static int compare_ranks(const unsigned char *rank, struct word_entry a,
                         struct word_entry b)
{
    const size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++) {
        const int order =
            rank[(unsigned char)a.at[i]] - rank[(unsigned char)b.at[i]];

        if (order)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *left, const void *right, void *arg)
{
    const struct ordering *const ordering = arg;
    const struct oy_pair *const a = left, *const b = right;
    const struct word_entry x = word_count_at(ordering->words, a->value);
    const struct word_entry y = word_count_at(ordering->words, b->value);

    return ordering->rank ? compare_ranks(ordering->rank, x, y)
                          : word_compare(x.at, x.len, y.at, y.len);
}

/* Words of one prefix lie side by side; puts each such group in order. */
static void sort_groups(struct ordering *ordering, struct oy_pair *pair)
{
    const size_t n = ordering->words->n_word;

    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n; end++) {
            if (pair[end].key != pair[i].key)
                break;
        }
        if (end - i > 1)
            qsort_r(pair + i, end - i, sizeof *pair, compare_pairs, ordering);
    }
}

static uint64_t ranked_prefix(const unsigned char *rank, struct word_entry word)
{
    char first[sizeof(uint64_t)] = {0};

    if (!rank)
        return word_prefix(word.at, word.len);
    for (size_t i = 0; i < sizeof first && i < word.len; i++)
        first[i] = (char)rank[(unsigned char)word.at[i]];
    return word_prefix(first, sizeof first);
}

struct oy_pair *word_count_order(const struct word_count *words,
                                 const unsigned char *rank)
{
    struct ordering ordering = {words, rank};
    struct oy_pair *const pair = oy_alloc_array(words->n_word, sizeof *pair);
    struct oy_pair *const scratch =
        oy_alloc_array(words->n_word, sizeof *scratch);
    size_t n = 0;

    for (size_t i = 0; i < words->n_slot; i++) {
        if (!words->slot[i].count)
            continue;
        const struct word_entry word = word_count_at(words, i);

        pair[n++] = (struct oy_pair){ranked_prefix(rank, word), i};
    }
    oy_sort_pairs(pair, scratch, n);
    oy_free(scratch);
    sort_groups(&ordering, pair);
    return pair;
}

void word_count_release(struct word_count *words)
{
    oy_free(words->slot);
    oy_free(words->pool);
    *words = (struct word_count){0};
}

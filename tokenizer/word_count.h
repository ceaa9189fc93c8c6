/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of words and how often each was seen.
 *
 * Made for tens of millions of short words: a slot holds a word of up to 16
 * bytes itself, longer ones lie in a pool; collisions step to the next slot.
 * Words are any bytes, the empty word apart. Each thread counts into a table
 * of its own and the tables are added up; the sums do not depend on order.
 * Also used as a map from strings to numbers.
 */
#ifndef TOKENIZER_WORD_COUNT_H
#define TOKENIZER_WORD_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "core/sort.h"

/* A word and how often it was seen. The bytes are borrowed, with OY_PADDING
 * readable ones behind them. */
struct word_entry {
    const char *at;
    size_t len;
    uint64_t count;
};

/* Zero-initialised is empty. */
struct word_count {
    struct word_slot *slot;
    size_t n_slot; /* a power of two, or 0 */
    size_t n_word;
    char *pool; /* the long words */
    size_t pool_len, pool_cap;
};

void word_count_release(struct word_count *words);
/* Forgets the words and keeps the memory. */
void word_count_clear(struct word_count *words);
/* Whether `more` further words could make the table, with the memory for
 * sorting it, larger than `limit` bytes. */
int word_count_is_full(const struct word_count *words, size_t more,
                       uint64_t limit);
/* What it takes, in bytes. */
uint64_t word_count_bytes(const struct word_count *words);

/* Adds `count` (not 0) to the word. OY_PADDING bytes behind it must be
 * readable; the word is copied. */
void word_count_add(struct word_count *words, const char *word, size_t len,
                    uint64_t count);
/* Adds 1 to each of the `n` pieces of a text that touch, the first at text[at]
 * and number i ending at end[i]: as above, but faster than one by one. */
void word_count_add_pieces(struct word_count *words, const char *text,
                           size_t at, const size_t *end, size_t n);
/* The count of a word (readable as above), 0 when it is not there. */
uint64_t word_count_find(const struct word_count *words, const char *word,
                         size_t len);
/* Adds every word of `from`. */
void word_count_merge(struct word_count *words, const struct word_count *from);

/* Steps over all words in no particular order: 1 and the next word, or 0.
 * Begin with *at = 0. Borrowed until the table changes. */
int word_count_next(const struct word_count *words, size_t *at,
                    struct word_entry *word);

/* The words in ascending order: [n_word] pairs whose values word_count_at()
 * takes; free with oy_free. `rank` [256] says in which order bytes come; NULL:
 * in their own. */
struct oy_pair *word_count_order(const struct word_count *words,
                                 const unsigned char *rank);
/* The word that a value of word_count_order() stands for; borrowed until the
 * table changes. */
struct word_entry word_count_at(const struct word_count *words, uint64_t value);

/* Before 0, equal to 0 or behind 0: the order of bytes, the shorter first. */
int word_compare(const char *a, size_t a_len, const char *b, size_t b_len);
/* The first eight bytes as a number of the same order; 0 behind the end. */
uint64_t word_prefix(const char *word, size_t len);

#endif

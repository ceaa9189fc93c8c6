/* SPDX-License-Identifier: Apache-2.0
 *
 * The n-grams of benchmarks, to be looked for in a corpus.
 *
 * Items (an item is one text of a benchmark: a question with its answer, a
 * paragraph) are added first; decon_index_close() makes n-grams of them. A
 * hash finds an n-gram, its bytes are compared: an answer is never wrong. The
 * words of all items are held once; an n-gram needs 24 bytes and 16 in the
 * table, an item's place of one 12 more where they are asked for.
 */
#ifndef PIPELINE_DECON_INDEX_H
#define PIPELINE_DECON_INDEX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/json.h"
#include "pipeline/decon_words.h"

enum { DECON_MAX_N = 64 }; /* longest n-gram, in words */

struct decon_task {
    char *name;
    size_t n; /* words of its n-grams */
    uint64_t n_item, n_short;
};

struct decon_item {
    uint64_t at; /* its words, joined, in the store */
    uint64_t len;
    uint32_t n_word;
    uint32_t task;
    char *id; /* or NULL */
};

struct decon_entry {
    uint64_t at; /* its bytes, in the store */
    uint32_t len;
    uint32_t item;    /* where it is from */
    uint32_t posting; /* of all places it is from: the last, + 1 */
};

struct decon_posting {
    uint32_t item, word;
    uint32_t next; /* + 1; 0: none */
};

struct decon_slot {
    uint32_t tag;
    uint32_t entry; /* + 1; 0: free */
};

/* Zero-initialised is empty. Any number of threads may look when it is
 * closed. */
struct decon_index {
    int keeps_postings; /* to be set before it is closed */
    struct oy_buffer store;
    struct decon_task *task;
    size_t n_task, cap_task;
    struct decon_item *item;
    size_t n_item, cap_item;
    struct decon_entry *entry;
    size_t n_entry, cap_entry;
    struct decon_posting *posting;
    size_t n_posting, cap_posting;
    struct decon_slot *slot;
    size_t mask;
    unsigned char has_n[DECON_MAX_N + 1]; /* n that some task has */
    atomic_uint *n_doc; /* [n_entry] documents it was seen in */
};

void decon_index_release(struct decon_index *index);

/* The number of a task, made at need. */
uint32_t decon_index_task(struct decon_index *index, const char *name,
                          size_t len);
/* Adds an item of n_word words that are joined by single spaces; `id` (may be
 * NULL) is copied. */
void decon_index_add(struct decon_index *index, uint32_t task,
                     struct oy_text joined, size_t n_word, const char *id);

/* Makes the n-grams of `n` words; n 0: by tasks, the 5th percentile of the
 * lengths of its items, at least 8 and at most 13 (GPT-3 appendix C). An
 * n-gram of several tasks belongs to that whose name sorts last, as it does
 * for datatrove, which reads one file a task in that order. `whole`: each
 * item is one thing, however long. -1 (71): more than 2^32 - 2 of them. */
int decon_index_close(struct decon_index *index, size_t n, int whole,
                      struct oy_error *err);

/* The hash of a thing that is compared whole. */
uint64_t decon_index_whole_hash(const char *text, size_t len);

/* The entry with that hash and these bytes, or NULL. */
const struct decon_entry *decon_index_find(const struct decon_index *index,
                                           uint64_t hash, const char *gram,
                                           size_t len);
/* Fetches what decon_index_find() will look at. */
static inline void decon_index_prefetch(const struct decon_index *index,
                                        uint64_t hash)
{
    __builtin_prefetch(&index->slot[hash & index->mask]);
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts of pairs of symbols, and the queue that hands out the commonest.
 *
 * Both serve the training of byte-pair merges (bpe_train.c), where a count
 * only falls once its pair is queued. The queue is lazy: an entry keeps the
 * count it was queued with, and the trainer queues it again with the present
 * one when that is lower. Only entries of the highest power of two are kept
 * in a heap; the others wait unsorted in buckets, so that the millions of rare
 * pairs cost a push each and nothing more.
 */
#ifndef TOKENIZER_PAIR_QUEUE_H
#define TOKENIZER_PAIR_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/* (left, right) as one number, which also orders pairs. */
static inline uint64_t pair_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

/* ---- counts ---- */

/* Zero-initialised is empty. */
struct pair_table {
    struct pair_slot {
        uint64_t key;
        int64_t count;
    } * slot;
    size_t n_slot; /* a power of two, or 0 */
    size_t n_pair;
};

void pair_table_release(struct pair_table *table);
/* The count of a pair, or NULL; borrowed until the next pair_table_at(). */
int64_t *pair_table_find(const struct pair_table *table, uint64_t key);
/* Asks for the memory that the functions above and below will look at. */
void pair_table_prefetch(const struct pair_table *table, uint64_t key);
/* The same; a pair that is not there comes in with 0. */
int64_t *pair_table_at(struct pair_table *table, uint64_t key);

/* ---- the queue ---- */

struct pair_entry {
    uint64_t key;
    int64_t count;    /* at least 1 */
    size_t list;      /* for the trainer: where its words are listed */
    uint32_t n_words; /* and how many */
};

enum { PAIR_BUCKETS = 63 };

/* Zero-initialised is empty. */
struct pair_queue {
    /* bucket[k] holds counts from 2^k to 2^(k+1) - 1, while
     * that is below the heap's. */
    struct pair_bucket {
        struct pair_entry *entry;
        size_t n, cap;
    } bucket[PAIR_BUCKETS], heap;
    int below; /* the heap holds counts from 2^(PAIR_BUCKETS - below) on */
};

void pair_queue_release(struct pair_queue *queue);
void pair_queue_push(struct pair_queue *queue, const struct pair_entry *entry);
/* Takes the entry of the highest count out, of equal counts the one of the
 * smaller key. 0 when the queue is empty. */
int pair_queue_pop(struct pair_queue *queue, struct pair_entry *entry);

#endif

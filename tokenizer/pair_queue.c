/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts of pairs of symbols, and the queue that hands out the commonest.
 */
#include "tokenizer/pair_queue.h"

#include "core/alloc.h"
#include "core/hash.h"

enum { FIRST_SLOTS = 4096 };

/* No pair: ids are below 2^31. */
#define FREE UINT64_MAX

/* ---- counts ---- */

static struct pair_slot *look_up(const struct pair_table *table, uint64_t key)
{
    const size_t mask = table->n_slot - 1;
    size_t i = oy_mix64(key) & mask;

    while (table->slot[i].key != key && table->slot[i].key != FREE)
        i = (i + 1) & mask;
    return &table->slot[i];
}

static void grow(struct pair_table *table)
{
    const struct pair_table old = *table;

    table->n_slot = old.n_slot ? old.n_slot * 2 : FIRST_SLOTS;
    table->slot = oy_alloc_array(table->n_slot, sizeof *table->slot);
    for (size_t i = 0; i < table->n_slot; i++)
        table->slot[i].key = FREE;
    for (size_t i = 0; i < old.n_slot; i++) {
        if (old.slot[i].key != FREE)
            *look_up(table, old.slot[i].key) = old.slot[i];
    }
    oy_free(old.slot);
}

int64_t *pair_table_find(const struct pair_table *table, uint64_t key)
{
    if (!table->n_slot)
        return NULL;
    struct pair_slot *const slot = look_up(table, key);

    return slot->key == key ? &slot->count : NULL;
}

void pair_table_prefetch(const struct pair_table *table, uint64_t key)
{
    if (table->n_slot)
        __builtin_prefetch(&table->slot[oy_mix64(key) & (table->n_slot - 1)]);
}

int64_t *pair_table_at(struct pair_table *table, uint64_t key)
{
    if (table->n_pair * 4 >= table->n_slot * 3)
        grow(table);
    struct pair_slot *const slot = look_up(table, key);

    if (slot->key != key) {
        slot->key = key;
        slot->count = 0;
        table->n_pair++;
    }
    return &slot->count;
}

void pair_table_release(struct pair_table *table)
{
    oy_free(table->slot);
    *table = (struct pair_table){0};
}

/* ---- the queue ---- */

/* Whether a comes before b. */
static int is_before(const struct pair_entry *a, const struct pair_entry *b)
{
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static void sift_up(struct pair_entry *heap, size_t at)
{
    const struct pair_entry entry = heap[at];

    while (at > 0 && is_before(&entry, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = entry;
}

static void sift_down(struct pair_entry *heap, size_t n, size_t at)
{
    const struct pair_entry entry = heap[at];

    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &entry))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

static void append(struct pair_bucket *bucket, const struct pair_entry *entry)
{
    OY_GROW(bucket->entry, bucket->cap, bucket->n + 1);
    bucket->entry[bucket->n++] = *entry;
}

/* The heap is empty: makes it of the next bucket that is not. */
static int refill(struct pair_queue *queue)
{
    while (queue->below < PAIR_BUCKETS) {
        struct pair_bucket *const bucket =
            &queue->bucket[PAIR_BUCKETS - ++queue->below];

        if (!bucket->n)
            continue;
        oy_free(queue->heap.entry);
        queue->heap = *bucket;
        *bucket = (struct pair_bucket){0};
        for (size_t i = queue->heap.n / 2; i-- > 0;)
            sift_down(queue->heap.entry, queue->heap.n, i);
        return 1;
    }
    return 0;
}

void pair_queue_push(struct pair_queue *queue, const struct pair_entry *entry)
{
    const int log2 = 63 - __builtin_clzll((unsigned long long)entry->count);

    if (log2 < PAIR_BUCKETS - queue->below) {
        append(&queue->bucket[log2], entry);
        return;
    }
    append(&queue->heap, entry);
    sift_up(queue->heap.entry, queue->heap.n - 1);
}

int pair_queue_pop(struct pair_queue *queue, struct pair_entry *entry)
{
    struct pair_bucket *const heap = &queue->heap;

    if (!heap->n && !refill(queue))
        return 0;
    *entry = heap->entry[0];
    heap->entry[0] = heap->entry[--heap->n];
    if (heap->n)
        sift_down(heap->entry, heap->n, 0);
    return 1;
}

void pair_queue_release(struct pair_queue *queue)
{
    for (int i = 0; i < PAIR_BUCKETS; i++)
        oy_free(queue->bucket[i].entry);
    oy_free(queue->heap.entry);
    *queue = (struct pair_queue){0};
}

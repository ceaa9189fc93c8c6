/* SPDX-License-Identifier: Apache-2.0
 *
 * A scratch set of numbered things: which of them were there before.
 *
 * Open addressing over (tag, number) pairs, reused and cleared whole. The
 * hash finds candidates; the caller compares the things themselves, so that
 * answers are exact:
 *
 *     struct seen_slot *slot = seen_first(seen, hash);
 *     for (; slot->index; slot = seen_next(seen, slot))
 *         if (slot->tag == seen_tag(hash) && equal(slot->index - 1, i))
 *             break;
 *     if (!slot->index)
 *         seen_put(slot, hash, i);
 */
#ifndef PIPELINE_SEEN_H
#define PIPELINE_SEEN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/alloc.h"

struct seen_slot {
    uint32_t tag;
    uint32_t index; /* number + 1; 0: free */
};

/* Zero-initialised is empty. */
struct seen {
    struct seen_slot *slot;
    size_t cap;
    size_t mask;
};

/* Empties the set and makes room for n things (n below 2^31). */
static inline void seen_start(struct seen *seen, size_t n)
{
    size_t size = 16;

    while (size < n + n / 2)
        size *= 2;
    OY_GROW(seen->slot, seen->cap, size);
    memset(seen->slot, 0, size * sizeof *seen->slot);
    seen->mask = size - 1;
}

static inline void seen_release(struct seen *seen)
{
    oy_free(seen->slot);
    *seen = (struct seen){0};
}

static inline uint32_t seen_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static inline struct seen_slot *seen_first(struct seen *seen, uint64_t hash)
{
    return &seen->slot[hash & seen->mask];
}

static inline struct seen_slot *seen_next(struct seen *seen,
                                          struct seen_slot *slot)
{
    return &seen->slot[(size_t)(slot - seen->slot + 1) & seen->mask];
}

static inline void seen_put(struct seen_slot *slot, uint64_t hash, size_t i)
{
    slot->tag = seen_tag(hash);
    slot->index = (uint32_t)i + 1;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Grouping of equal hashes part by part. */
#include "pipeline/exact.h"

#include <string.h>

#include "core/alloc.h"
#include "core/table.h"

enum {
    TOP_SHIFT = 64 - SPILL_BITS, /* hashes are parted from their top bits */
    RANGE_BITS_MAX = 20,
};

static const uint64_t NOWHERE = UINT64_MAX; /* the prefix of no part */

/* The budget: half for a table, or for a range of answers; a quarter for the
 * groups of that table; an eighth for the buffers of each set of lists that is
 * written, of which there are two at most. */
static uint64_t buffer_memory(const struct exact *exact)
{
    return exact->memory / 8;
}

/* One part of the hashes. */
struct part {
    struct exact *exact;
    struct oy_table table; /* hash to index of its group */
    struct exact_group *group;
    size_t n_group, cap_group;
};

static void part_release(struct part *part)
{
    oy_table_release(&part->table);
    oy_free(part->group);
}

int exact_init(struct exact *exact, uint64_t memory, const char *tmpdir,
               struct oy_error *err)
{
    *exact = (struct exact){
        .memory = memory, .tmpdir = tmpdir, .range_prefix = NOWHERE};
    return spill_init(&exact->hash, TOP_SHIFT, tmpdir, memory / 4, err);
}

void exact_release(struct exact *exact)
{
    spill_release(&exact->hash);
    for (int i = 0; i < EXACT_LEVELS; i++)
        spill_release(&exact->level[i]);
    oy_free(exact->range);
    *exact = (struct exact){0};
}

int exact_add(struct exact *exact, uint64_t number, struct oy_hash128 hash,
              struct oy_error *err)
{
    const uint64_t word[SPILL_WORDS] = {hash.high, hash.low, number};

    OY_ASSERT(number >= exact->end && number < NOWHERE);
    exact->end = number + 1;
    return spill_add(&exact->hash, word, err);
}

/* ---- grouping ---- */

static int group_entry(struct part *part, const uint64_t *word,
                       struct oy_error *err)
{
    const struct oy_hash128 hash = {word[0], word[1]};
    uint64_t old;
    const int rc = oy_table_add(&part->table, hash, part->n_group, &old, err);

    if (rc < 0)
        return -1;
    if (rc == 0) {
        part->group[old].size++;
        return 0;
    }
    OY_GROW(part->group, part->cap_group, part->n_group + 1);
    part->group[part->n_group++] = (struct exact_group){word[2], 1};
    return 0;
}

static int answer_entry(struct part *part, const uint64_t *word,
                        struct oy_error *err)
{
    const struct oy_hash128 hash = {word[0], word[1]};
    uint64_t i;
    const int rc = oy_table_add(&part->table, hash, 0, &i, err);

    OY_ASSERT(rc == 0);
    if (part->group[i].size < 2)
        return 0;
    const uint64_t answer[SPILL_WORDS] = {word[2], part->group[i].first,
                                          part->group[i].size};
    return spill_add(&part->exact->level[0], answer, err);
}

static int each_entry(struct part *part, const struct spill *from, int list,
                      int (*visit)(struct part *, const uint64_t *,
                                   struct oy_error *),
                      struct oy_error *err)
{
    struct spill_reader reader;
    const uint64_t *word;
    int rc;

    spill_reader_init(&reader, from, list);
    while ((rc = spill_read(&reader, &word, err)) > 0) {
        rc = visit(part, word, err);
        if (rc)
            break;
    }
    spill_reader_release(&reader);
    return rc;
}

/* 1: done; 0: there are too many different hashes for the table; -1. */
static int resolve_list(struct exact *exact, const struct spill *from, int list,
                        struct oy_error *err)
{
    struct part part = {.exact = exact};
    struct oy_error full = {0};
    int rc = 0;

    oy_table_init(&part.table, 1, exact->memory / 2);
    if (each_entry(&part, from, list, group_entry, &full)) {
        /* Only the upper 64 bits of a hash are parted. */
        if (from->shift < SPILL_BITS) {
            *err = full;
            rc = -1;
        }
    } else {
        rc = each_entry(&part, from, list, answer_entry, err) ? -1 : 1;
        for (size_t i = 0; i < part.n_group; i++)
            exact->n_group += part.group[i].size > 1;
    }
    part_release(&part);
    return rc;
}

static int resolve(struct exact *exact, const struct spill *from,
                   struct oy_error *err)
{
    for (int i = 0; i < SPILL_LISTS; i++) {
        if (!from->list[i].n)
            continue;
        int rc = resolve_list(exact, from, i, err);
        if (rc == 0) {
            struct spill below = {0};
            rc = spill_part(&below, from, i, buffer_memory(exact), err);
            if (rc == 0)
                rc = resolve(exact, &below, err);
            spill_release(&below);
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* ---- answers ---- */

/* Ranges as large as fit; above them as many levels as the numbers need. */
static int open_answers(struct exact *exact, struct oy_error *err)
{
    int bits = 0, shift;

    while (bits < RANGE_BITS_MAX &&
           (sizeof *exact->range << (bits + 1)) <= exact->memory / 2)
        bits++;
    exact->range_bits = shift = bits;
    while (shift + SPILL_BITS < 64 && exact->end >> (shift + SPILL_BITS))
        shift += SPILL_BITS;
    for (int i = 1; i < EXACT_LEVELS; i++)
        exact->prefix[i] = NOWHERE;
    return spill_init(&exact->level[0], shift, exact->tmpdir,
                      buffer_memory(exact), err);
}

int exact_close(struct exact *exact, struct oy_error *err)
{
    if (spill_close(&exact->hash, err) || open_answers(exact, err) ||
        resolve(exact, &exact->hash, err))
        return -1;
    spill_release(&exact->hash);
    if (spill_close(&exact->level[0], err))
        return -1;
    exact->range =
        oy_alloc_array((size_t)1 << exact->range_bits, sizeof *exact->range);
    return 0;
}

static int list_of(const struct spill *spill, uint64_t number)
{
    return (int)(number >> spill->shift & (SPILL_LISTS - 1));
}

/* Goes down to the lists of ranges; what lies on the way is kept. */
static const struct spill *descend(struct exact *exact, uint64_t number,
                                   struct oy_error *err)
{
    const struct spill *at = &exact->level[0];

    for (int i = 1; at->shift > exact->range_bits; i++) {
        struct spill *below = &exact->level[i];
        const uint64_t prefix = number >> at->shift;

        OY_ASSERT(i < EXACT_LEVELS);
        if (exact->prefix[i] != prefix) {
            spill_release(below);
            if (spill_part(below, at, list_of(at, number), buffer_memory(exact),
                           err))
                return NULL;
            exact->prefix[i] = prefix;
        }
        at = below;
    }
    return at;
}

static int load_range(struct exact *exact, uint64_t number,
                      struct oy_error *err)
{
    const size_t n = (size_t)1 << exact->range_bits;
    const struct spill *from = descend(exact, number, err);
    struct spill_reader reader;
    const uint64_t *word;
    int rc;

    if (!from)
        return -1;
    memset(exact->range, 0, n * sizeof *exact->range);
    spill_reader_init(&reader, from, list_of(from, number));
    while ((rc = spill_read(&reader, &word, err)) > 0)
        exact->range[word[0] & (n - 1)] =
            (struct exact_group){word[1], word[2]};
    spill_reader_release(&reader);
    exact->range_prefix = number >> exact->range_bits;
    return rc;
}

int exact_find(struct exact *exact, uint64_t number,
               struct cluster_answer *answer, struct oy_error *err)
{
    const uint64_t mask = ((uint64_t)1 << exact->range_bits) - 1;

    if (exact->range_prefix != number >> exact->range_bits &&
        load_range(exact, number, err))
        return -1;
    const struct exact_group *group = &exact->range[number & mask];
    *answer = (struct cluster_answer){.size = 1};
    if (!group->size)
        return 0;
    answer->is_member = 1;
    answer->is_first = answer->is_root = group->first == number;
    answer->first = group->first;
    answer->size = group->size;
    return 0;
}

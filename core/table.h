/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of 128-bit hashes, each with a number, within a budget of memory.
 *
 * Open addressing; the hashes are taken for the things themselves: among n of
 * them the odds that any two different ones meet are n^2 / 2^129 (3e-21 for a
 * billion). The numbers may be left out. Not for two threads at once.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/hash.h"

struct oy_table {
    struct oy_hash128 *key; /* [cap]; {0, 0} is a free place */
    uint64_t *value;        /* [cap], or NULL */
    size_t cap;             /* a power of two, or 0 */
    size_t n;
    int has_values;
    uint64_t budget; /* bytes; 0: none */
};

void oy_table_init(struct oy_table *table, int has_values, uint64_t budget);
void oy_table_release(struct oy_table *table);
/* Bytes that it needs, at its worst moment, to hold n hashes: within a budget
 * of so many they are never refused. */
uint64_t oy_table_need(const struct oy_table *table, uint64_t n);

/* Looks for `key` and adds it with `value` when it is not there: 1. When it
 * is there: 0, and *old (may be NULL) is its value. -1 after a failure (71)
 * when the table would outgrow its budget or the machine; it is as before
 * then, and what is there is still found. */
int oy_table_add(struct oy_table *table, struct oy_hash128 key, uint64_t value,
                 uint64_t *old, struct oy_error *err);

/* Whether it is there; any number of threads may ask while none adds. */
int oy_table_has(const struct oy_table *table, struct oy_hash128 key);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash table of hashes. */
#include "core/table.h"

#include "core/alloc.h"

enum { FIRST_CAP = 1 << 12 };

void oy_table_init(struct oy_table *table, int has_values, uint64_t budget)
{
    *table = (struct oy_table){.has_values = has_values, .budget = budget};
}

void oy_table_release(struct oy_table *table)
{
    oy_free(table->key);
    oy_free(table->value);
    *table = (struct oy_table){0};
}

/* {0, 0} marks a free place, so the one hash in 2^128 that looks like it is
 * moved aside. */
static struct oy_hash128 stored(struct oy_hash128 key)
{
    if (!key.high && !key.low)
        key.low = 1;
    return key;
}

/* Where the key is, or where it belongs. */
static size_t find(const struct oy_table *table, struct oy_hash128 key)
{
    const size_t mask = table->cap - 1;
    size_t at = (size_t)key.low & mask;

    while ((table->key[at].low != key.low || table->key[at].high != key.high) &&
           (table->key[at].low || table->key[at].high))
        at = (at + 1) & mask;
    return at;
}

/* Three quarters full: linear probing stays short. */
static int is_crowded(uint64_t cap, uint64_t n)
{
    return n > cap - cap / 4;
}

static size_t place_size(const struct oy_table *table)
{
    return sizeof *table->key + (table->has_values ? sizeof *table->value : 0);
}

uint64_t oy_table_need(const struct oy_table *table, uint64_t n)
{
    uint64_t cap = FIRST_CAP;

    while (is_crowded(cap, n) && cap < (uint64_t)1 << 56)
        cap *= 2;
    return (cap + (cap > FIRST_CAP ? cap / 2 : 0)) * place_size(table);
}

static int refuse(const struct oy_table *table, size_t cap,
                  struct oy_error *err)
{
    return oy_fail(err, OY_SYSTEM,
                   "a table of more than %zu hashes needs %zu bytes: raise "
                   "--memory, or cut the input by --shard",
                   table->n, cap * place_size(table));
}

/* Both tables stand for a moment, and both count. */
static int grow(struct oy_table *table, struct oy_error *err)
{
    const size_t cap = table->cap ? 2 * table->cap : FIRST_CAP;
    struct oy_table old = *table;

    if (table->budget && (cap + table->cap) * place_size(table) > table->budget)
        return refuse(table, cap, err);
    table->key = oy_try_alloc(cap, sizeof *table->key);
    table->value =
        table->has_values ? oy_try_alloc(cap, sizeof *table->value) : NULL;
    if (!table->key || (table->has_values && !table->value)) {
        oy_free(table->key);
        oy_free(table->value);
        *table = old;
        return refuse(table, cap, err);
    }
    table->cap = cap;
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.key[i].low && !old.key[i].high)
            continue;
        const size_t at = find(table, old.key[i]);
        table->key[at] = old.key[i];
        if (table->value)
            table->value[at] = old.value[i];
    }
    oy_free(old.key);
    oy_free(old.value);
    return 0;
}

int oy_table_add(struct oy_table *table, struct oy_hash128 key, uint64_t value,
                 uint64_t *old, struct oy_error *err)
{
    size_t at = 0;

    key = stored(key);
    if (table->cap) {
        at = find(table, key);
        if (table->key[at].low || table->key[at].high) {
            if (old && table->value)
                *old = table->value[at];
            return 0;
        }
    }
    if (is_crowded(table->cap, table->n + 1)) {
        if (grow(table, err))
            return -1;
        at = find(table, key);
    }
    table->key[at] = key;
    if (table->value)
        table->value[at] = value;
    table->n++;
    return 1;
}

int oy_table_has(const struct oy_table *table, struct oy_hash128 key)
{
    if (!table->n)
        return 0;
    key = stored(key);
    const struct oy_hash128 there = table->key[find(table, key)];
    return there.low == key.low && there.high == key.high;
}

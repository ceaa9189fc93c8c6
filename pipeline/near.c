/* SPDX-License-Identifier: Apache-2.0
 *
 * Band keys to clusters. */
#include "pipeline/near.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/sort.h"

/* Documents that agree in a band: pair[at .. at + n). */
struct group {
    size_t at, n;
};

struct order {
    const struct near *near;
    const struct oy_pair *pair;
    int band;
};

void near_init(struct near *near, int n_band, int n_row, int keeps_signatures,
               uint64_t budget)
{
    *near = (struct near){.n_band = n_band,
                          .n_row = n_row,
                          .keeps_signatures = keeps_signatures,
                          .budget = budget};
}

static void release_keys(struct near *near)
{
    oy_free(near->key);
    oy_free(near->signature);
    near->key = near->signature = NULL;
    near->cap_key = near->cap_signature = 0;
}

void near_release(struct near *near)
{
    release_keys(near);
    cluster_release(&near->cluster);
}

/* Bytes that n documents need at the worst moment, growth included. */
static uint64_t need(const struct near *near, uint64_t n)
{
    const uint64_t bands = (uint64_t)near->n_band;
    const uint64_t signature =
        near->keeps_signatures ? bands * (uint64_t)near->n_row * 8 : 0;

    return n * (bands * 8 + signature + 20) * 3 / 2 + n * 32;
}

int near_add(struct near *near, uint64_t number, const uint64_t *key,
             const uint64_t *signature, struct oy_error *err)
{
    const size_t n = near->cluster.n, bands = (size_t)near->n_band;

    if (near->budget && need(near, n + 1) > near->budget)
        return oy_fail(err, OY_SYSTEM,
                       "more than %zu documents do not fit into --memory: "
                       "raise it, or cut the input by --shard",
                       n);
    if (cluster_add(&near->cluster, number, err))
        return -1;
    OY_GROW(near->key, near->cap_key, (n + 1) * bands);
    memcpy(near->key + n * bands, key, bands * sizeof *key);
    if (!near->keeps_signatures)
        return 0;
    const size_t rows = bands * (size_t)near->n_row;
    OY_GROW(near->signature, near->cap_signature, (n + 1) * rows);
    memcpy(near->signature + n * rows, signature, rows * sizeof *signature);
    return 0;
}

/* ---- one band ---- */

static size_t group_end(const struct oy_pair *pair, size_t n, size_t at)
{
    size_t end = at + 1;

    while (end < n && pair[end].key == pair[at].key)
        end++;
    return end;
}

/* A chain of neighbours, as datatrove writes its pairs. */
static void join_group(struct near *near, const struct oy_pair *pair, size_t n)
{
    for (size_t i = 1; i < n; i++)
        cluster_join(&near->cluster, (uint32_t)pair[i - 1].value,
                     (uint32_t)pair[i].value);
}

static const uint64_t *rows_of(const struct order *order,
                               const struct group *group)
{
    const struct near *near = order->near;
    const size_t row = (size_t)near->n_row;
    const size_t doc = (size_t)order->pair[group->at].value;

    return near->signature +
           (doc * (size_t)near->n_band + (size_t)order->band) * row;
}

/* datatrove's signature files are sorted by the tuple of rows. */
static int compare_groups(const void *a, const void *b, void *arg)
{
    const struct order *order = arg;
    const uint64_t *x = rows_of(order, a), *y = rows_of(order, b);

    for (int r = 0; r < order->near->n_row; r++) {
        if (x[r] != y[r])
            return x[r] < y[r] ? -1 : 1;
    }
    return 0;
}

static void join_in_order(struct near *near, const struct oy_pair *pair,
                          int band)
{
    const size_t n = near->cluster.n;
    struct order order = {near, pair, band};
    struct group *group = NULL;
    size_t n_group = 0, cap_group = 0, end;

    for (size_t at = 0; at < n; at = end) {
        end = group_end(pair, n, at);
        if (end - at < 2)
            continue;
        OY_GROW(group, cap_group, n_group + 1);
        group[n_group++] = (struct group){at, end - at};
    }
    if (n_group)
        qsort_r(group, n_group, sizeof *group, compare_groups, &order);
    for (size_t i = 0; i < n_group; i++)
        join_group(near, pair + group[i].at, group[i].n);
    oy_free(group);
}

static void join_band(struct near *near, struct oy_pair *pair,
                      struct oy_pair *scratch, int band)
{
    const size_t n = near->cluster.n, bands = (size_t)near->n_band;

    for (size_t i = 0; i < n; i++)
        pair[i] = (struct oy_pair){near->key[i * bands + (size_t)band], i};
    oy_sort_pairs(pair, scratch, n);
    if (near->keeps_signatures) {
        join_in_order(near, pair, band);
        return;
    }
    for (size_t at = 0; at < n;) {
        const size_t end = group_end(pair, n, at);
        join_group(near, pair + at, end - at);
        at = end;
    }
}

int near_cluster(struct near *near, struct oy_error *err)
{
    const size_t n = near->cluster.n;
    struct oy_pair *pair = oy_try_alloc(n, sizeof *pair);
    struct oy_pair *scratch = oy_try_alloc(n, sizeof *scratch);
    int rc = 0;

    if (n && (!pair || !scratch))
        rc = oy_fail(err, OY_SYSTEM, "no memory to sort %zu documents", n);
    for (int band = 0; band < near->n_band && rc == 0 && n; band++)
        join_band(near, pair, scratch, band);
    oy_free(pair);
    oy_free(scratch);
    release_keys(near);
    if (rc == 0)
        cluster_close(&near->cluster);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Union-find with sizes. */
#include "pipeline/cluster.h"

#include "core/alloc.h"

void cluster_release(struct cluster *cluster)
{
    oy_free(cluster->number);
    oy_free(cluster->parent);
    oy_free(cluster->size);
    oy_free(cluster->first);
    *cluster = (struct cluster){0};
}

int cluster_add(struct cluster *cluster, uint64_t number, struct oy_error *err)
{
    const size_t n = cluster->n;

    if (n >= UINT32_MAX - 1)
        return oy_fail(err, OY_SYSTEM,
                       "more than 4 billion documents: cut the input by "
                       "--shard");
    OY_GROW(cluster->number, cluster->cap_number, n + 1);
    OY_GROW(cluster->parent, cluster->cap_parent, n + 1);
    OY_GROW(cluster->size, cluster->cap_size, n + 1);
    cluster->number[n] = number;
    cluster->parent[n] = (uint32_t)n;
    cluster->size[n] = 1;
    cluster->n++;
    return 0;
}

/* Halves the path on the way. */
static uint32_t root_of(struct cluster *cluster, uint32_t i)
{
    uint32_t *parent = cluster->parent;

    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

void cluster_join(struct cluster *cluster, uint32_t a, uint32_t b)
{
    uint32_t stays = root_of(cluster, a), goes = root_of(cluster, b);

    if (stays == goes)
        return;
    if (cluster->size[stays] < cluster->size[goes]) {
        const uint32_t swap = stays;
        stays = goes;
        goes = swap;
    }
    cluster->parent[goes] = stays;
    cluster->size[stays] += cluster->size[goes];
}

void cluster_close(struct cluster *cluster)
{
    OY_ASSERT(!cluster->first);
    cluster->first = oy_alloc_array(cluster->n, sizeof *cluster->first);
    for (size_t i = 0; i < cluster->n; i++)
        cluster->first[i] = UINT32_MAX;
    for (size_t i = 0; i < cluster->n; i++) {
        const uint32_t root = root_of(cluster, (uint32_t)i);
        if (cluster->first[root] == UINT32_MAX)
            cluster->first[root] = (uint32_t)i;
    }
}

uint64_t cluster_count(const struct cluster *cluster)
{
    uint64_t n = 0;

    for (size_t i = 0; i < cluster->n; i++)
        n += cluster->parent[i] == i && cluster->size[i] > 1;
    return n;
}

struct cluster_answer cluster_find(struct cluster *cluster, uint64_t number)
{
    static const struct cluster_answer alone = {.size = 1};

    OY_ASSERT(cluster->first || !cluster->n);
    while (cluster->at < cluster->n && cluster->number[cluster->at] < number)
        cluster->at++;
    if (cluster->at == cluster->n || cluster->number[cluster->at] != number)
        return alone;
    const uint32_t self = (uint32_t)cluster->at;
    const uint32_t root = root_of(cluster, self);
    if (cluster->size[root] == 1)
        return alone;
    return (struct cluster_answer){
        .is_member = 1,
        .is_first = cluster->first[root] == self,
        .is_root = root == self,
        .first = cluster->number[cluster->first[root]],
        .size = cluster->size[root],
    };
}

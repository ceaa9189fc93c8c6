/* SPDX-License-Identifier: Apache-2.0
 *
 * jieba's dictionary as a tree of characters, and the weights of its model.
 */
#ifndef PIPELINE_JIEBA_INTERNAL_H
#define PIPELINE_JIEBA_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/cache.h"
#include "pipeline/jieba.h"

enum { JIEBA_N_STATE = 4, JIEBA_HAN = 0x4e00, JIEBA_N_HAN = 0x9fd6 - 0x4e00 };

/* A step of the tree, by open addressing: key 0 is free. */
struct jieba_edge {
    uint64_t key; /* node << 21 | code point */
    uint64_t node;
};

struct jieba_tree {
    struct jieba_edge *edge; /* [mask + 1] */
    uint64_t mask;
    /* [n_node]: log(frequency / sum); above 0: no word ends here. Node 0 is
     * none, node 1 the root. */
    double *weight;
    uint64_t n_node;
    uint64_t longest; /* characters of the longest word */
    uint32_t *first;  /* [65536], from the root; 0: nothing begins so */
    double unknown;   /* log(1 / sum) */
};

struct jieba {
    char *path;
    struct jieba_tree tree;
    struct oy_cache_entry cache;       /* holds the tree when it was kept */
    double (*emission)[JIEBA_N_STATE]; /* [JIEBA_N_HAN] */
};

static inline uint64_t jieba_edge_hash(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15ULL;
    return key ^ key >> 32;
}

/* The node behind a step; 0: there is none. */
static inline uint32_t jieba_next(const struct jieba *jieba, uint32_t node,
                                  uint32_t c)
{
    const struct jieba_tree *tree = &jieba->tree;
    const uint64_t key = (uint64_t)node << 21 | c;

    for (uint64_t i = jieba_edge_hash(key);; i++) {
        const struct jieba_edge *edge = &tree->edge[i & tree->mask];
        if (edge->key == key)
            return (uint32_t)edge->node;
        if (!edge->key)
            return 0;
    }
}

static inline uint32_t jieba_first(const struct jieba *jieba, uint32_t c)
{
    return c < 0x10000 ? jieba->tree.first[c] : jieba_next(jieba, 1, c);
}

/* The weight of the word that ends at this node, or NULL. */
static inline const double *jieba_word(const struct jieba *jieba, uint32_t node)
{
    const double *weight = &jieba->tree.weight[node];

    return *weight <= 0 ? weight : NULL;
}

/* Characters of the longest word. */
static inline size_t jieba_longest(const struct jieba *jieba)
{
    return jieba->tree.longest;
}

static inline double jieba_unknown_weight(const struct jieba *jieba)
{
    return jieba->tree.unknown;
}

/* The model's weights of a Han character, for each state. */
static inline const double *jieba_emission(const struct jieba *jieba,
                                           uint32_t c)
{
    return jieba->emission[c - JIEBA_HAN];
}

#endif

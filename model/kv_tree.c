/* SPDX-License-Identifier: Apache-2.0
 *
 * The radix tree of blocks and the order of their last use. */
#include "model/kv_tree.h"

#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"

enum { ROOT = 0, NONE = -1 };

/* Nodes are numbers, for the array grows. Whoever is touched is touched
 * before its parent: in the list of use a parent is newer than its children.
 * A sequence that uses a block uses those before it too, for it has the
 * tree's own (kv_tree_insert sees to that): so the oldest unused node is
 * always a leaf. */
struct node {
    int32_t id[KV_BLOCK];
    int32_t block; /* NONE: a free node, or the root */
    int32_t parent, child;
    int32_t next, previous; /* siblings */
    int32_t chain;          /* of the same hash; of the free nodes */
    int32_t newer, older;
};

struct kv_tree {
    struct kv_pool *pool;
    size_t max_blocks;
    struct node *node; /* node[ROOT]: newer is the oldest of all, older the
                        * newest: the ends of the list */
    size_t n_node, cap_node;
    int32_t free; /* a chain */
    int32_t *bucket;
    size_t n_bucket; /* a power of two */
    size_t n_used;   /* nodes that hold a block */
};

/* ---- life ---- */

struct kv_tree *kv_tree_new(struct kv_pool *pool, size_t max_blocks)
{
    struct kv_tree *tree = oy_calloc(1, sizeof *tree);

    tree->pool = pool;
    tree->max_blocks = max_blocks;
    tree->free = NONE;
    OY_GROW(tree->node, tree->cap_node, 1);
    tree->node[ROOT] = (struct node){
        .block = NONE, .parent = NONE, .child = NONE, .next = NONE};
    tree->n_node = 1;
    return tree;
}

void kv_tree_free(struct kv_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 1; i < tree->n_node; i++) {
        if (tree->node[i].block != NONE)
            kv_drop(tree->pool, tree->node[i].block);
    }
    oy_free(tree->node);
    oy_free(tree->bucket);
    oy_free(tree);
}

/* ---- looking up ---- */

static size_t bucket_of(const struct kv_tree *tree, int32_t parent,
                        const int32_t *id)
{
    const uint64_t hash = oy_hash64(id, KV_BLOCK * sizeof *id);

    return oy_mix64(hash + (uint64_t)parent) & (tree->n_bucket - 1);
}

static int32_t find_child(const struct kv_tree *tree, int32_t parent,
                          const int32_t *id)
{
    if (!tree->n_bucket)
        return NONE;
    int32_t at = tree->bucket[bucket_of(tree, parent, id)];
    while (at != NONE && (tree->node[at].parent != parent ||
                          memcmp(tree->node[at].id, id, KV_BLOCK * sizeof *id)))
        at = tree->node[at].chain;
    return at;
}

/* ---- the order of use ---- */

static void unlink_use(struct kv_tree *tree, int32_t at)
{
    const struct node *node = &tree->node[at];

    tree->node[node->newer].older = node->older;
    tree->node[node->older].newer = node->newer;
}

static void make_newest(struct kv_tree *tree, int32_t at)
{
    const int32_t newest = tree->node[ROOT].older;

    tree->node[at].older = newest;
    tree->node[at].newer = ROOT;
    tree->node[newest].newer = at;
    tree->node[ROOT].older = at;
}

static void touch_path(struct kv_tree *tree, int32_t at)
{
    for (; at != ROOT; at = tree->node[at].parent) {
        unlink_use(tree, at);
        make_newest(tree, at);
    }
}

/* ---- adding and removing ---- */

static void chain_node(struct kv_tree *tree, int32_t at)
{
    struct node *node = &tree->node[at];
    int32_t *bucket = &tree->bucket[bucket_of(tree, node->parent, node->id)];

    node->chain = *bucket;
    *bucket = at;
}

static void grow_buckets(struct kv_tree *tree)
{
    if (tree->n_used < tree->n_bucket)
        return;
    tree->n_bucket = tree->n_bucket ? 2 * tree->n_bucket : 64;
    oy_free(tree->bucket);
    tree->bucket = oy_alloc_array(tree->n_bucket, sizeof *tree->bucket);
    for (size_t i = 0; i < tree->n_bucket; i++)
        tree->bucket[i] = NONE;
    for (size_t i = 1; i < tree->n_node; i++) {
        if (tree->node[i].block != NONE)
            chain_node(tree, (int32_t)i);
    }
}

static int32_t take_node(struct kv_tree *tree)
{
    const int32_t at = tree->free;

    if (at != NONE) {
        tree->free = tree->node[at].chain;
        return at;
    }
    OY_GROW(tree->node, tree->cap_node, tree->n_node + 1);
    tree->node[tree->n_node].block = NONE;
    return (int32_t)tree->n_node++;
}

static int32_t add_node(struct kv_tree *tree, int32_t parent, const int32_t *id,
                        int32_t block)
{
    const int32_t at = take_node(tree);
    const int32_t next = tree->node[parent].child;
    struct node *node = &tree->node[at];

    grow_buckets(tree);
    *node = (struct node){.block = block,
                          .parent = parent,
                          .child = NONE,
                          .next = next,
                          .previous = NONE};
    memcpy(node->id, id, sizeof node->id);
    if (next != NONE)
        tree->node[next].previous = at;
    tree->node[parent].child = at;
    chain_node(tree, at);
    make_newest(tree, at);
    kv_hold(tree->pool, block);
    tree->n_used++;
    return at;
}

static void unchain(struct kv_tree *tree, int32_t at)
{
    const struct node *node = &tree->node[at];
    int32_t *link = &tree->bucket[bucket_of(tree, node->parent, node->id)];

    while (*link != at)
        link = &tree->node[*link].chain;
    *link = node->chain;
}

static void remove_leaf(struct kv_tree *tree, int32_t at)
{
    struct node *node = &tree->node[at];

    OY_ASSERT(node->child == NONE);
    unchain(tree, at);
    unlink_use(tree, at);
    if (node->next != NONE)
        tree->node[node->next].previous = node->previous;
    if (node->previous != NONE)
        tree->node[node->previous].next = node->next;
    else
        tree->node[node->parent].child = node->next;
    kv_drop(tree->pool, node->block);
    node->block = NONE;
    node->chain = tree->free;
    tree->free = at;
    tree->n_used--;
}

/* ---- use ---- */

static size_t common_tokens(const int32_t *a, const int32_t *b, size_t n)
{
    size_t i = 0;

    while (i < n && a[i] == b[i])
        i++;
    return i;
}

/* The child with the most of the n tokens of id; NONE when none has one. */
static int32_t find_part(const struct kv_tree *tree, int32_t parent,
                         const int32_t *id, size_t n, size_t *n_common)
{
    int32_t best = NONE;

    *n_common = 0;
    for (int32_t c = tree->node[parent].child; c != NONE;
         c = tree->node[c].next) {
        const size_t common = common_tokens(tree->node[c].id, id, n);
        if (common <= *n_common)
            continue;
        best = c;
        *n_common = common;
    }
    return best;
}

void kv_tree_find(struct kv_tree *tree, const int32_t *id, size_t n,
                  struct kv_sequence *to)
{
    struct oy_error full = {0};
    int32_t at = ROOT;
    size_t n_common;

    OY_ASSERT(!to->n_block && !to->len);
    while (n - to->len >= KV_BLOCK) {
        const int32_t child = find_child(tree, at, id + to->len);
        if (child == NONE)
            break;
        kv_push_shared(tree->pool, to, tree->node[child].block);
        at = child;
    }
    const size_t left = n - to->len;
    const int32_t part =
        find_part(tree, at, id + to->len, left < KV_BLOCK ? left : KV_BLOCK - 1,
                  &n_common);
    if (part != NONE &&
        !kv_push_copy(tree->pool, to, tree->node[part].block, n_common, &full))
        at = part;
    touch_path(tree, at);
}

/* The sequence goes on with the tree's block of the same tokens. */
static void share_block(struct kv_tree *tree, int32_t block, int32_t *own)
{
    if (*own == block)
        return;
    kv_hold(tree->pool, block);
    kv_drop(tree->pool, *own);
    *own = block;
}

void kv_tree_insert(struct kv_tree *tree, const int32_t *id,
                    struct kv_sequence *sequence)
{
    int32_t at = ROOT;

    if (kv_pool_shape(tree->pool)->n_state)
        return;
    for (size_t i = 0; i < sequence->len / KV_BLOCK; i++, id += KV_BLOCK) {
        int32_t *block = &sequence->block[i];
        const int32_t child = find_child(tree, at, id);
        if (child != NONE)
            share_block(tree, tree->node[child].block, block);
        at = child != NONE ? child : add_node(tree, at, id, *block);
    }
    touch_path(tree, at);
    if (tree->n_used > tree->max_blocks)
        kv_tree_evict(tree, tree->n_used - tree->max_blocks);
}

static int is_unused(const struct kv_tree *tree, int32_t at)
{
    return kv_users(tree->pool, tree->node[at].block) == 1;
}

size_t kv_tree_evict(struct kv_tree *tree, size_t n)
{
    int32_t at = tree->node[ROOT].newer;
    size_t n_gone = 0;

    while (n_gone < n && at != ROOT) {
        const int32_t newer = tree->node[at].newer;
        if (is_unused(tree, at)) {
            remove_leaf(tree, at);
            n_gone++;
        }
        at = newer;
    }
    return n_gone;
}

size_t kv_tree_blocks(const struct kv_tree *tree)
{
    return tree->n_used;
}

size_t kv_tree_unused(const struct kv_tree *tree)
{
    size_t n = 0;

    for (int32_t at = tree->node[ROOT].newer; at != ROOT;
         at = tree->node[at].newer)
        n += (size_t)is_unused(tree, at);
    return n;
}

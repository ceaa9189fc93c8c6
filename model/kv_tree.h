/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of token blocks: the cached beginnings of past sequences.
 *
 * Each node stands for KV_BLOCK tokens behind the tokens of its parent, and
 * holds the block of keys and values that was computed for them. A sequence
 * that begins with tokens that stand in the tree shares these blocks; where
 * the tokens part inside a block, the equal ones are copied. Blocks that no
 * sequence uses can be given back, the longest unused first and leaves before
 * their parents.
 *
 * A block's bits are a function of the tokens up to its end (model/engine.h):
 * whether a beginning was found here changes no result. With states (see
 * model/kv.h) nothing is ever found, for there is no state inside a tree.
 *
 * One thread at a time.
 */
#ifndef MODEL_KV_TREE_H
#define MODEL_KV_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "model/kv.h"

struct kv_tree;

/* At most max_blocks blocks, those aside that sequences share. The pool is
 * borrowed. */
struct kv_tree *kv_tree_new(struct kv_pool *pool, size_t max_blocks);
/* Gives all blocks back. */
void kv_tree_free(struct kv_tree *tree);

/* `to` (empty) becomes the longest beginning of id[0 .. n-1] that the tree
 * has. A copy that finds no free block is left out. */
void kv_tree_find(struct kv_tree *tree, const int32_t *id, size_t n,
                  struct kv_sequence *to);
/* Takes in the whole blocks of a sequence of the tokens id[0 .. len-1]. Where
 * the tree has a block for the same tokens, the sequence goes on with that
 * one and gives its own back. */
void kv_tree_insert(struct kv_tree *tree, const int32_t *id,
                    struct kv_sequence *sequence);
/* Gives back up to n blocks that no sequence uses; returns how many. */
size_t kv_tree_evict(struct kv_tree *tree, size_t n);
/* Blocks in the tree; those of them that kv_tree_evict could give back. */
size_t kv_tree_blocks(const struct kv_tree *tree);
size_t kv_tree_unused(const struct kv_tree *tree);

#endif

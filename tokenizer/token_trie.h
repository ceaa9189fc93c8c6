/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens of a model as a trie of bytes: which of them does a text begin
 * with?
 *
 * A double array (Aoe 1989), with the exclusive or in place of the sum as in
 * S. Yata's darts-clone: the child of a node behind a byte stands at base ^
 * byte, so that a step is one look at eight bytes. No two nodes have the same
 * base, so the byte itself says whether a child is this node's. A trie does
 * not change and is shared by threads. Tokens of the model alone are in it;
 * of equal ones (Unigram allows them) the last; the empty one is not.
 */
#ifndef TOKENIZER_TOKEN_TRIE_H
#define TOKENIZER_TOKEN_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/vocab.h"

enum { TOKEN_TRIE_ROOT = 0 };

/* The base in the upper 30 bits of `base`, two flags below; the byte that
 * leads here in the upper 8 bits of `token`, the id in the lower 24. */
struct token_trie_node {
    uint32_t base;
    uint32_t token;
};

enum { TOKEN_TRIE_USED = 1, TOKEN_TRIE_HAS_ID = 2, TOKEN_TRIE_ID_BITS = 24 };

struct token_trie {
    struct token_trie_node *node;
    size_t n;
};

/* Copies what it needs of the vocabulary. */
void token_trie_init(struct token_trie *trie, const struct vocab *vocab);
void token_trie_release(struct token_trie *trie);

/* Moves from node *at over one byte; 0 when no token goes on like this. */
static inline int token_trie_step(const struct token_trie *trie, uint32_t *at,
                                  unsigned char byte)
{
    const uint32_t child = trie->node[*at].base >> 2 ^ byte;
    const struct token_trie_node node = trie->node[child];

    *at = child;
    return (node.base & TOKEN_TRIE_USED) &&
           node.token >> TOKEN_TRIE_ID_BITS == byte;
}

/* The id of the token that ends at a node, or -1. */
static inline int32_t token_trie_id(const struct token_trie *trie, uint32_t at)
{
    const struct token_trie_node node = trie->node[at];

    return node.base & TOKEN_TRIE_HAS_ID
               ? (int32_t)(node.token & ((1U << TOKEN_TRIE_ID_BITS) - 1))
               : -1;
}

#endif

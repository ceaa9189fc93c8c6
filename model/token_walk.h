/* SPDX-License-Identifier: Apache-2.0
 *
 * All tokens of a tokenizer by the bytes they add to a text, as a trie that is
 * walked from front to back.
 *
 * tokenizer/token_trie finds the tokens that a text begins with; here every
 * token is asked for whether a text may go on with it. Nodes stand in the
 * order of a walk in depth, each with the place behind its subtree: what a
 * prefix rules out is passed over in one step, and memory is read in order.
 * Special tokens are not in it.
 */
#ifndef MODEL_TOKEN_WALK_H
#define MODEL_TOKEN_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "tokenizer/tokenizer.h"

struct token_walk_node {
    uint32_t skip;  /* the node behind the subtree */
    uint32_t token; /* tokens that end here: token[this .. the next node's) */
    uint16_t depth; /* from 1 on */
    uint8_t byte;
};

struct token_walk {
    struct token_walk_node *node; /* [n_node + 1], the last one but an end */
    size_t n_node;
    int32_t *token; /* ids in the order of their bytes */
    size_t n_token;
    size_t max_depth;
    int32_t n_id; /* of the model: 0 .. n_id - 1 */
    uint32_t *at; /* [n_id + 1]: the bytes of a token in `text` */
    struct oy_buffer text;
};

/* The ids below n_id. NULL (65) when the tokenizer's decoder does not look at
 * tokens one by one. */
struct token_walk *token_walk_new(const struct tokenizer *tokenizer,
                                  int32_t n_id, struct oy_error *err);
void token_walk_free(struct token_walk *walk);

#endif

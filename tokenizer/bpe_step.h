/* SPDX-License-Identifier: Apache-2.0
 *
 * One merge in a list of words, and what it changes in the counts of the
 * pairs around it.
 *
 * Merging (left, right) in a word takes (x, left) and (right, y) away and
 * brings (x, made) and (made, y), for its neighbours x and y. A lane adds this
 * up by neighbour and notes the words that hold each pair that came. Several
 * lanes may work on parts of one list at once; joined in the order of their
 * parts they give what one lane gives.
 */
#ifndef TOKENIZER_BPE_STEP_H
#define TOKENIZER_BPE_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/bpe_corpus.h"

struct bpe_merge {
    uint32_t left, right, made;
    size_t room; /* neighbours of this length or more make no pair with what
                    was made; 0: all do */
    const uint32_t *token_len; /* [id] */
};

enum { BPE_LEFT, BPE_RIGHT };

/* What a step learns of the pairs with one neighbour on one side. */
struct bpe_neighbour {
    int64_t lost, won; /* positions; `lost` is not 0 once it was met */
    size_t list;       /* for the trainer */
    uint32_t n_words;  /* that hold the pair that was won */
    uint32_t last;     /* of them, plus one */
};

/* A word that holds the pair won with a neighbour. */
struct bpe_posting {
    uint32_t at; /* id << 1 | side */
    uint32_t word;
};

/* Zero-initialised is empty. */
struct bpe_lane {
    struct bpe_neighbour *neighbour; /* [id << 1 | side] */
    size_t neighbour_cap;
    uint32_t *met; /* [n_met] the neighbours of this step */
    size_t n_met, met_cap;
    struct bpe_posting *posting;
    size_t n_posting, posting_cap;
};

void bpe_lane_release(struct bpe_lane *lane);
/* Makes room for ids below `n_token`; before a step. */
void bpe_lane_reserve(struct bpe_lane *lane, size_t n_token);
/* Merges in the words of a list, from the left, without overlap. */
void bpe_lane_merge(struct bpe_lane *lane, const struct bpe_merge *merge,
                    struct bpe_corpus *corpus, const uint32_t *list, size_t n);
/* Adds what `other` learnt, its postings apart, which stay where they are. */
void bpe_lane_join(struct bpe_lane *lane, const struct bpe_lane *other);
/* Forgets the step. */
void bpe_lane_clear(struct bpe_lane *lane);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The pairs of a corpus that training works on: their counts, the queue of
 * the commonest, and for each the words that hold it.
 *
 * Only pairs of at least `least` are there: most are rarer and are never
 * merged. When the queue runs dry the bar is lowered and the words are read
 * anew; so they are when all this has outgrown its room, with a bar that
 * makes it fit. Counting positions anew gives what adding up the steps gave,
 * since a pair that was merged has none left.
 */
#ifndef TOKENIZER_BPE_PAIRS_H
#define TOKENIZER_BPE_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "core/pool.h"
#include "tokenizer/bpe_corpus.h"
#include "tokenizer/pair_queue.h"

/* Zero-initialised is empty. */
struct bpe_pairs {
    struct pair_table count;
    struct pair_queue queue;
    int64_t least;  /* the bar */
    uint32_t *list; /* words of all queued pairs; each pair's ascend */
    size_t n_list, list_cap;

    uint64_t room; /* bytes, for everything; 0: without limit */
    size_t n_part; /* in how many parts pairs were found, one at a time */
    struct oy_pool *pool; /* finds pairs in two halves of the corpus at once;
                             NULL: none; borrowed */
};

void bpe_pairs_release(struct bpe_pairs *pairs);
/* Bytes that are taken. */
uint64_t bpe_pairs_size(const struct bpe_pairs *pairs);

/* What decides which pairs there are. */
struct bpe_pair_rules {
    size_t n_token;
    const uint32_t *token_len; /* [n_token] */
    size_t longest;  /* pairs are shorter than this, or of length 2; 0: any */
    size_t n_wanted; /* merges (not 0), for a guess at the first bar */
    int64_t lowest;  /* a bar is never below this */
};

/* Forgets all pairs and finds them anew, those of at least pairs->least (0: a
 * bar is guessed); what does not fit into the room raises the bar. Words move
 * in the corpus. The commonest pair is found in any case. */
void bpe_pairs_find(struct bpe_pairs *pairs, struct bpe_corpus *corpus,
                    const struct bpe_pair_rules *rules);

#endif

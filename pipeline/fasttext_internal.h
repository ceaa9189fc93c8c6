/* SPDX-License-Identifier: Apache-2.0
 *
 * A fastText model as it is kept in memory. */
#ifndef PIPELINE_FASTTEXT_INTERNAL_H
#define PIPELINE_FASTTEXT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "pipeline/fasttext.h"

enum fasttext_loss {
    FASTTEXT_HS = 1, /* hierarchical softmax */
    FASTTEXT_NS,
    FASTTEXT_SOFTMAX,
    FASTTEXT_OVA, /* one against all */
    FASTTEXT_N_LOSS,
};

/* An inner node of the tree over labels; the node above all is the last. A
 * child below n_label is a label. */
struct fasttext_node {
    int32_t left, right;
};

struct fasttext {
    int32_t dim, n_word, n_label;
    int32_t word_ngrams, minn, maxn, bucket;
    enum fasttext_loss loss;

    float *input; /* [n_row][dim], quantised ones written out */
    int64_t n_row;
    float *output; /* [n_output][dim] */
    int64_t n_output;

    /* Texts of words, then labels (without prefix), NUL-terminated. */
    char *text;
    uint32_t *text_at;  /* [n_word + n_label] */
    int32_t *word_slot; /* open addressing by hash; -1: free */
    uint32_t word_mask;
    int64_t *label_count; /* [n_label] */

    int32_t *pruned; /* [bucket]: the row of a hash behind the words; -1:
                        none. NULL: the hash itself */
    int32_t eos;     /* id of "</s>", or -1 */
    struct fasttext_node *node; /* [n_label - 1], of FASTTEXT_HS */
};

/* FNV-1a with sign-extended bytes (Dictionary::hash). */
static inline uint32_t fasttext_hash(const char *text, size_t len)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < len; i++) {
        h ^= (uint32_t)(int8_t)text[i];
        h *= 16777619U;
    }
    return h;
}

/* The id of a word, or -1. */
int32_t fasttext_find_word(const struct fasttext *model, const char *word,
                           size_t len, uint32_t hash);

#endif

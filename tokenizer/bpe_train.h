/* SPDX-License-Identifier: Apache-2.0
 *
 * Training of byte-pair merges from counted words.
 *
 * The result is that of Hugging Face's BpeTrainer (tokenizers,
 * models/bpe/trainer.rs), ids and ties included, and depends on the set of
 * words and counts alone. What decides it:
 *  - ids: special tokens in their order, then the alphabet by code point,
 *    then merges as they come;
 *  - the pair of the highest count is merged first, of equal counts the one
 *    of the smaller (left id, right id);
 *  - a pair is counted at every position (`aaa` holds `aa` twice) and merged
 *    from the left without overlap;
 *  - a merge whose text is a token already (a special token) takes its id;
 *  - counts are 64 bits wide (the peer's wrap at 2^31).
 * Where the peer's limit_alphabet cuts inside a group of equal counts its
 * choice is random; here the lower code points stay.
 *
 * Memory: a distinct word of n symbols takes 6 + 2n bytes (8 + 4n where ids go
 * beyond 65,533); the lists of words that hold a pair take 4 bytes for each
 * pair of each word, and in a limited memory less: only the commonest pairs
 * are listed then, and the words are read anew when these are merged.
 */
#ifndef TOKENIZER_BPE_TRAIN_H
#define TOKENIZER_BPE_TRAIN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/json.h"
#include "core/pool.h"
#include "tokenizer/word_store.h"

/* Zero-initialised is the peer's default, but for vocab_size. */
struct bpe_train_options {
    size_t vocab_size;       /* training stops when it is reached */
    int64_t min_frequency;   /* pairs that are rarer are not merged */
    size_t max_token_length; /* 0: any. Else tokens are shorter than this, in
                                symbols (two symbols always merge) */
    int limits_alphabet;     /* 1: to the `limit_alphabet` commonest symbols;
                                others are left out of their words */
    size_t limit_alphabet;
    int initial_bytes; /* 1: the 256 bytes are in the alphabet anyhow */
    int by_character;  /* 1: symbols are code points, and words UTF-8; 0:
                          bytes, which stand in tokens as GPT-2's letters */
    const char *const *special; /* none is empty; later duplicates are passed
                                   over; borrowed */
    size_t n_special;
    uint64_t memory;      /* to be kept within, in bytes; 0: without limit */
    struct oy_pool *pool; /* NULL: one thread; borrowed */
    atomic_uint_fast64_t *n_merged; /* told how far it is; or NULL */
};

/* Zero-initialised is empty. */
struct bpe_trained {
    char *text; /* of all tokens, one behind the other */
    size_t text_len, text_cap;
    size_t *start; /* [n_token + 1] where each begins */
    size_t n_token, start_cap;
    uint32_t (*merge)[2]; /* [n_merge], in the order of their ranks */
    size_t n_merge, merge_cap;
    size_t n_special;    /* tokens 0 .. n_special - 1 are the special ones */
    int tie_was_cut;     /* limit_alphabet cut inside a group of equal counts */
    uint64_t words_size; /* bytes that the words took as symbols */
    uint64_t lists_size; /* and at the most the lists of words by pair */
    uint64_t n_long_word; /* words of more than 1 KB, if they make up half of
                             all symbols; else 0 */
};

/* Fills `trained`, which must be empty, and empties `words` (closed), whose
 * memory is wanted for the merges. 0, or -1: 71, the words do not fit into the
 * memory, or a temporary file failed. `trained` is to be released in any case.
 */
int bpe_train(const struct bpe_train_options *options, struct word_store *words,
              struct bpe_trained *trained, struct oy_error *err);
void bpe_trained_release(struct bpe_trained *trained);
/* The text of a token; borrowed. */
struct oy_text bpe_trained_token(const struct bpe_trained *trained, size_t id);

#endif

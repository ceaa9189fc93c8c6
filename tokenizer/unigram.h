/* SPDX-License-Identifier: Apache-2.0
 *
 * Unigram, the model of T5, XLM-R and ALBERT: every token has a probability,
 * and a piece becomes those tokens whose product is highest.
 *
 * The equal of Hugging Face's models/unigram/model.rs to the last bit of its
 * sums: scores are added up in f64 from the begin of the piece on, and of
 * equal ways to a place the one found first stays (the leftmost begin of its
 * last token). A character without a token of its own may be passed over at
 * the lowest score of all minus 10; neighbours that were are one unknown
 * token, or, with byte_fallback, the tokens "<0x00>" to "<0xFF>" of their
 * bytes if all of these are there. Tables do not change and are shared by
 * threads; scratch memory belongs to one. Time is linear in the piece, but
 * for the longest token.
 */
#ifndef TOKENIZER_UNIGRAM_H
#define TOKENIZER_UNIGRAM_H

#include <stddef.h>

#include "tokenizer/bpe_encode.h"
#include "tokenizer/vocab.h"

struct unigram;

/* Zero-initialised is empty. */
struct unigram_scratch {
    struct unigram_place *place;
    size_t cap_place;
};

/* The vocabulary is borrowed. */
struct unigram *unigram_new(const struct vocab *vocab);
void unigram_free(struct unigram *unigram);
void unigram_scratch_release(struct unigram_scratch *scratch);

/* Appends the ids of a piece: valid UTF-8, shorter than 4 GiB (asserted). */
void unigram_encode(const struct unigram *unigram,
                    struct unigram_scratch *scratch, const char *piece,
                    size_t len, struct token_ids *ids);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * WordPiece, the model of BERT and its kin: a piece is the longest token that
 * it begins with, then the longest that goes on, and so forth; tokens behind
 * the first are spelled with a prefix ("##"). A piece that does not come out
 * even, or is longer than max_input_chars_per_word, is one unknown token. The
 * equal of Hugging Face's models/wordpiece/mod.rs. Tables do not change and
 * are shared by threads. Time is linear in the piece, but for the longest
 * token.
 */
#ifndef TOKENIZER_WORDPIECE_H
#define TOKENIZER_WORDPIECE_H

#include <stddef.h>

#include "tokenizer/bpe_encode.h"
#include "tokenizer/vocab.h"

struct wordpiece;

/* The vocabulary is borrowed. */
struct wordpiece *wordpiece_new(const struct vocab *vocab);
void wordpiece_free(struct wordpiece *wordpiece);

/* Appends the ids of a piece: valid UTF-8, not empty. */
void wordpiece_encode(const struct wordpiece *wordpiece, const char *piece,
                      size_t len, struct token_ids *ids);

#endif

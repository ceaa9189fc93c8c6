/* SPDX-License-Identifier: Apache-2.0
 *
 * BPE, of bytes or of characters: from text to token ids.
 *
 * The result is that of Hugging Face's BPE: inside a piece, the neighbours of
 * the lowest rank merge first, the leftmost of equals; with ignore_merges a
 * whole piece that is a token stays one. A character (or byte) without a token
 * becomes the tokens of its bytes, or the unknown token, or nothing, as the
 * vocabulary says; where it vanishes its neighbours may merge. A `struct bpe`
 * holds the tables and does not
 * change; every thread has a worker with its cache and scratch memory. The
 * ids do not depend on the cache. Time is n log n in the length of a piece.
 */
#ifndef TOKENIZER_BPE_ENCODE_H
#define TOKENIZER_BPE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/vocab.h"

struct bpe;
struct bpe_worker;

/* Zero-initialised is empty. */
struct token_ids {
    int32_t *id;
    size_t n, cap;
};

void token_ids_release(struct token_ids *ids);
void token_ids_append(struct token_ids *ids, const int32_t *id, size_t n);

/* The vocabulary is borrowed. */
struct bpe *bpe_new(const struct vocab *vocab);
void bpe_free(struct bpe *bpe);

/* The tables are borrowed. */
struct bpe_worker *bpe_worker_new(const struct bpe *bpe);
void bpe_worker_free(struct bpe_worker *worker);

/* Cuts the text into pieces and appends their ids. The text is valid UTF-8
 * without added tokens, already normalised, with OY_PADDING readable bytes
 * behind it, shorter than 4 GiB (asserted). */
void bpe_encode(struct bpe_worker *worker, const char *text, size_t len,
                struct token_ids *ids);
/* The same for one piece that was cut already; not empty. */
void bpe_encode_piece(struct bpe_worker *worker, const char *piece, size_t len,
                      struct token_ids *ids);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Large BPE tokenizers as they are after loading, kept in the user's cache
 * folder (core/cache.h): reading a tokenizer.json of 10 MB, resolving its
 * merges and filling the tables is done once for each document.
 *
 * What is kept is found by the hash of the document and holds the tokens, the
 * tables, and the document without its vocabulary and merges: the components
 * and the added tokens are read from that as always.
 */
#ifndef TOKENIZER_KEEP_H
#define TOKENIZER_KEEP_H

#include "tokenizer/bpe_encode.h"
#include "tokenizer/vocab.h"

/* Looks for what was kept of the document with vocab->hash: fills the model of
 * the vocabulary and returns 0, with *rest being what is still to be read,
 * borrowed from the vocabulary. -1: nothing is kept, and nothing changed. */
int keep_find(struct vocab *vocab, struct oy_text *rest);
/* The tables of BPE of such a vocabulary. */
struct bpe *keep_find_bpe(const struct vocab *vocab);

/* Whether a vocabulary is worth it, and of a kind that can be kept. */
int keep_wants(const struct vocab *vocab);
/* Keeps it, finished, with its tables and the rest of its document. That it
 * could not is nobody's failure. */
void keep_store(const struct vocab *vocab, const struct bpe *bpe,
                struct oy_text rest);

#endif

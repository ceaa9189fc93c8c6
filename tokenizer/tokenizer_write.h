/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a trained vocabulary as a tokenizer.json.
 *
 * The bytes are those of Hugging Face's Tokenizer.save() with pretty=True:
 * two spaces a level, serde_json's escapes, text beyond ASCII as it is.
 */
#ifndef TOKENIZER_TOKENIZER_WRITE_H
#define TOKENIZER_TOKENIZER_WRITE_H

#include "core/alloc.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/split.h"

struct tokenizer_write_options {
    enum split_kind kind; /* the pre-tokeniser */
    const char *pattern;  /* or, not NULL, that of this regular expression:
                             each match is a piece, and what lies between */
    /* [n_plain] special tokens that are not special when decoding. */
    const char *const *plain;
    size_t n_plain;
};

/* Appends the whole file. The decoder is ByteLevel, the special tokens are
 * added tokens, there is no normaliser and no post-processor. */
void tokenizer_write(const struct tokenizer_write_options *options,
                     const struct bpe_trained *trained, struct oy_buffer *out);

#endif

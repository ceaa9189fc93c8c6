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

/* Appends the whole file. The pre-tokeniser is that of `kind`; the decoder is
 * ByteLevel, the special tokens are added tokens, there is no normaliser and
 * no post-processor. */
void tokenizer_write(enum split_kind kind, const struct bpe_trained *trained,
                     struct oy_buffer *out);

/* Appends the tokenizer_config.json beside it, which tells transformers (and
 * oy-pack) what frames a text. NULL: no such token. */
void tokenizer_write_config(const char *bos, const char *eos,
                            struct oy_buffer *out);

#endif

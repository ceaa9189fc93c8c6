/* SPDX-License-Identifier: Apache-2.0
 *
 * From token ids back to text.
 *
 * What the decoder of the file says (tokenizer/decode_chain.h) is done to the
 * tokens' spellings; without a decoder they are joined with spaces, as Hugging
 * Face does. For the decoders of real files a table is made at the first call
 * (tokenizer/decode_table.h), and decoding is copying at more than 1 GB/s; the
 * others are run step by step.
 */
#ifndef TOKENIZER_DECODE_H
#define TOKENIZER_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "tokenizer/vocab.h"

/* Shared by threads. */
struct decode;

/* The vocabulary is borrowed. */
struct decode *decode_new(const struct vocab *vocab);
void decode_free(struct decode *decode);

/* Appends the text of the ids. Ids that no token has are left out, as in HF;
 * with `skip_special` special tokens too. Returns how many ids had no token. */
size_t decode_ids(struct decode *decode, const int32_t *id, size_t n,
                  int skip_special, struct oy_buffer *out);

/* Appends the bytes that a token adds to the middle of a text, which need not
 * be whole characters. -1, and nothing, for a special token, one that is not
 * there, and where the decoder does not look at tokens one by one. */
int decode_piece(struct decode *decode, int32_t id, struct oy_buffer *out);

#endif

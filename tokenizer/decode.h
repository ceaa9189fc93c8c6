/* SPDX-License-Identifier: Apache-2.0
 *
 * From token ids back to text.
 *
 * What the decoder of the file says (tokenizer/decode_chain.h) is done to the
 * tokens' spellings. Where it is ByteLevel alone, as in most files, the bytes
 * of all tokens are joined and made valid UTF-8 once, at the end: a character
 * may lie in several tokens. Without a decoder the spellings are joined with
 * spaces, as Hugging Face does.
 */
#ifndef TOKENIZER_DECODE_H
#define TOKENIZER_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "tokenizer/vocab.h"

/* Appends the text of the ids. Ids that no token has are left out, as in HF;
 * with `skip_special` special tokens too. Returns how many ids had no token. */
size_t decode_ids(const struct vocab *vocab, const int32_t *id, size_t n,
                  int skip_special, struct oy_buffer *out);

#endif

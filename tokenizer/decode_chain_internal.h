/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a decoder for words: those of BERT, of the first BPE, of CTC. */
#ifndef TOKENIZER_DECODE_CHAIN_INTERNAL_H
#define TOKENIZER_DECODE_CHAIN_INTERNAL_H

#include "tokenizer/decode_chain.h"

/* Each appends what becomes of the texts of `in`. */
void decode_wordpiece(const struct decode_step *step,
                      const struct decode_texts *in, struct decode_texts *out);
void decode_suffix(const struct decode_step *step,
                   const struct decode_texts *in, struct decode_texts *out);
void decode_ctc(const struct decode_step *step, const struct decode_texts *in,
                struct decode_texts *out);

#endif

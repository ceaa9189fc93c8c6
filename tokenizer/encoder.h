/* SPDX-License-Identifier: Apache-2.0
 *
 * From a normalised text without added tokens to ids: the pre-tokenizer and
 * the model, whichever they are.
 *
 * An encoder does not change and is shared by threads; a worker belongs to
 * one.
 */
#ifndef TOKENIZER_ENCODER_H
#define TOKENIZER_ENCODER_H

#include <stddef.h>

#include "tokenizer/bpe_encode.h"
#include "tokenizer/vocab.h"

struct encoder;
struct encoder_worker;

/* The vocabulary is borrowed. */
struct encoder *encoder_new(const struct vocab *vocab);
void encoder_free(struct encoder *encoder);

/* The encoder is borrowed. */
struct encoder_worker *encoder_worker_new(const struct encoder *encoder);
void encoder_worker_free(struct encoder_worker *worker);

/* Appends the ids of a text: valid UTF-8 with OY_PADDING readable bytes behind
 * it. is_first: nothing stands before it in the whole text. */
void encoder_run(struct encoder_worker *worker, struct oy_text text,
                 int is_first, struct token_ids *ids);

#endif

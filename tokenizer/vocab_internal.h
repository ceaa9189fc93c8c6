/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of reading a tokenizer.json that vocab.c hands to its siblings.
 */
#ifndef TOKENIZER_VOCAB_INTERNAL_H
#define TOKENIZER_VOCAB_INTERNAL_H

#include "core/json.h"
#include "tokenizer/vocab.h"

/* Normalizer, pre_tokenizer, decoder and post_processor of the document. Ids
 * must be known already. 0, or -1 naming the component. */
int vocab_read_pipeline(struct vocab *vocab, const struct oy_json_value *root,
                        struct oy_error *err);

/* bos_token, eos_token and chat_template of the folder's configuration;
 * silently nothing when there is none. 0, or -1. */
int vocab_read_config(struct vocab *vocab, const char *folder,
                      struct oy_error *err);

/* Whether a member is absent, null, or the given type. */
int vocab_is_absent(const struct oy_json_value *value);
/* The boolean, or `otherwise` when absent or null. */
int vocab_bool(const struct oy_json_value *object, const char *name,
               int otherwise);

#endif

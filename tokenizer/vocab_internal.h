/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of reading a tokenizer.json that vocab.c hands to its siblings.
 */
#ifndef TOKENIZER_VOCAB_INTERNAL_H
#define TOKENIZER_VOCAB_INTERNAL_H

#include "core/json.h"
#include "tokenizer/vocab.h"

/* Members of the document, in this order in the arrays that are handed on. */
enum {
    VOCAB_MODEL,
    VOCAB_ADDED_TOKENS,
    VOCAB_NORMALIZER,
    VOCAB_PRE_TOKENIZER,
    VOCAB_DECODER,
    VOCAB_POST_PROCESSOR,
    VOCAB_N_PART,
};

/* Normalizer, pre_tokenizer, decoder and post_processor of the document. Ids
 * must be known already. 0, or -1 naming the component. */
int vocab_read_pipeline(struct vocab *vocab,
                        const struct oy_json_value part[VOCAB_N_PART],
                        struct oy_error *err);

/* Finds n members of an object in one pass: a walk over a large document is
 * dear. Absent ones are of kind MISSING. -1 when the object is malformed. */
int vocab_find_members(const struct oy_json_value *object, int n,
                       const char *const *name, struct oy_json_value *value);

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

/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of reading a tokenizer.json that vocab.c hands to its siblings.
 */
#ifndef TOKENIZER_VOCAB_INTERNAL_H
#define TOKENIZER_VOCAB_INTERNAL_H

#include "core/json.h"
#include "tokenizer/byte_alphabet.h"
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

/* Whether the pre_tokenizer of a document has a ByteLevel step. */
int vocab_has_byte_level(const struct oy_json_value *pre_tokenizer);

/* The state of one load. */
struct vocab_loader {
    struct vocab *vocab;
    struct oy_arena arena; /* for strings with escapes */
    struct oy_error *err;
    struct byte_alphabet alphabet;
    size_t used; /* of vocab->text */
};

/* The bytes of a spelled string at `out`, which has room for all of it. */
int vocab_read_spelled(struct vocab_loader *loader,
                       const struct oy_json_value *value, char *out,
                       size_t *len, int *is_bytes);
/* Makes token[id] exist. */
int vocab_open_id(struct vocab_loader *loader, int64_t id);
/* Fills the table from bytes to id with all tokens. */
void vocab_build_table(struct vocab *vocab);
/* The id of a token of bytes (1) or of one spelled outside the byte alphabet
 * (0), or -1. */
int32_t vocab_find_spelled(const struct vocab *vocab, const char *bytes,
                           size_t len, int is_bytes);

/* The model of the document, which is `size` bytes long. */
int vocab_read_model(struct vocab_loader *loader,
                     const struct oy_json_value *model, size_t size);
/* Added tokens; the model must be there. */
int vocab_read_added(struct vocab_loader *loader,
                     const struct oy_json_value *list);
/* What the normalizer makes of added tokens. */
void vocab_normalize_added(struct vocab *vocab);

enum { VOCAB_MAX_STEPS = 8 };

/* The components of a list in file order: a Sequence is taken apart, null is
 * none. */
struct vocab_steps {
    struct oy_json_value step[VOCAB_MAX_STEPS];
    int n;
};

/* Adds the steps of a component, whose Sequence calls its members `list`. 0,
 * or -1; `depth` is 0. */
int vocab_take_apart(const struct oy_json_value *component, const char *list,
                     struct vocab_steps *steps, int depth,
                     struct oy_error *err);
int vocab_is_type(const struct oy_json_value *component, const char *name);
/* Names the component. Returns -1. */
int vocab_not_supported(const char *kind, const struct oy_json_value *component,
                        struct oy_error *err);
/* The text of a string member, in vocab->arena. -1 when it is no string. */
int vocab_text_member(struct vocab *vocab, const struct oy_json_value *object,
                      const char *name, struct oy_text *text);
/* `replacement` of a Metaspace, and when it is prepended. 0, or -1. */
enum vocab_prepend { VOCAB_NEVER, VOCAB_FIRST, VOCAB_ALWAYS };
int vocab_read_metaspace(struct vocab *vocab, const struct oy_json_value *step,
                         struct oy_text *mark, enum vocab_prepend *prepend);
/* `pattern` and `content` of a Replace of a string that is not empty. 0, or -1
 * when it is something else. */
int vocab_read_replace(struct vocab *vocab, const struct oy_json_value *step,
                       struct oy_text *from, struct oy_text *to);

/* One component each. 0, or -1 naming what is not supported. */
int vocab_read_normalizer(struct vocab *vocab,
                          const struct oy_json_value *component,
                          struct oy_error *err);
int vocab_read_decoder(struct vocab *vocab,
                       const struct oy_json_value *component,
                       struct oy_error *err);
int vocab_read_post_processor(struct vocab *vocab,
                              const struct oy_json_value *component,
                              struct oy_error *err);

/* Normalizer, pre_tokenizer, decoder and post_processor of the document. Ids
 * must be known already. 0, or -1 naming the component. */
int vocab_read_pipeline(struct vocab *vocab,
                        const struct oy_json_value part[VOCAB_N_PART],
                        struct oy_error *err);

/* Finds n members of an object in one pass: a walk over a large document is
 * dear. Absent ones are of kind MISSING. -1 when the object is malformed. */
int vocab_find_members(const struct oy_json_value *object, int n,
                       const char *const *name, struct oy_json_value *value);

/* Whether a member is absent, null, or the given type. */
int vocab_is_absent(const struct oy_json_value *value);
/* The boolean, or `otherwise` when absent or null. */
int vocab_bool(const struct oy_json_value *object, const char *name,
               int otherwise);

#endif

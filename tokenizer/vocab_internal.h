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
    VOCAB_TRUNCATION,
    VOCAB_PADDING,
    VOCAB_N_PART,
};

/* Unescaped, a token is not longer than in the file, but a repaired byte takes
 * three. */
enum { VOCAB_TEXT_GROWTH = 3 };

/* Whether the pre_tokenizer of a document has a ByteLevel step. */
int vocab_has_byte_level(const struct oy_json_value *pre_tokenizer);

/* The state of one load. */
struct vocab_loader {
    struct vocab *vocab;
    struct oy_arena arena; /* for strings with escapes */
    struct oy_buffer scratch;
    struct oy_error *err;
    struct byte_alphabet alphabet;
    int is_valid;     /* the document is UTF-8 throughout */
    const char *data; /* the document */
    size_t size;
    size_t used;     /* of vocab->text */
    size_t n_entry;  /* added tokens of the file so far */
    int32_t next_id; /* of the next added token that the model lacks */
};

/* What is malformed, and the byte where. Returns -1. */
int vocab_fail_json(struct vocab_loader *loader,
                    const struct oy_json_cursor *cursor);
/* Finds n members of an object in one pass: a walk over a large document is
 * dear. Absent ones are of kind MISSING. */
int vocab_find_parts(struct vocab_loader *loader,
                     const struct oy_json_value *object, int n,
                     const char *const *name, struct oy_json_value *value);

/* The bytes of a spelled string at `out`, which has room for all of it. */
int vocab_read_spelled(struct vocab_loader *loader,
                       const struct oy_json_value *value, char *out,
                       size_t *len, int *is_bytes);
/* The same of the inside of a string. */
int vocab_read_raw(struct vocab_loader *loader, const char *raw, size_t n_raw,
                   char *out, size_t *len, int *is_bytes);
/* Makes token[id] exist. */
int vocab_open_id(struct vocab_loader *loader, int64_t id);
/* Fills the table from bytes to id with all tokens; with is_unique two that
 * are spelled alike are a failure, else the last one is found. */
int vocab_build_table(struct vocab_loader *loader, int is_unique);
/* Bytes of that table. */
size_t vocab_table_size(const struct vocab *vocab);

/* The id of a token of bytes (1) or of one spelled outside the byte alphabet
 * (0), or -1. */
int32_t vocab_find_spelled(const struct vocab *vocab, const char *bytes,
                           size_t len, int is_bytes);
/* The same in two steps, between which the table comes nearer: many look-ups
 * at once. */
uint64_t vocab_hash(const struct vocab *vocab, const char *bytes, size_t len,
                    int is_bytes);
int32_t vocab_find_hashed(const struct vocab *vocab, uint64_t hash,
                          const char *bytes, size_t len, int is_bytes);

/* ---- models ---- */

/* Members of a model, of whatever type. */
enum {
    VOCAB_TOKENS,
    VOCAB_MERGES,
    VOCAB_TYPE,
    VOCAB_DROPOUT,
    VOCAB_UNK_TOKEN,
    VOCAB_UNK_ID,
    VOCAB_PREFIX,
    VOCAB_SUFFIX,
    VOCAB_BYTE_FALLBACK,
    VOCAB_FUSE_UNK,
    VOCAB_IGNORE_MERGES,
    VOCAB_MAX_CHARACTERS,
    VOCAB_N_MODEL_PART,
};

/* The model of the document, behind a pre_tokenizer with ByteLevel or not. */
int vocab_read_model(struct vocab_loader *loader,
                     const struct oy_json_value *model, int has_byte_level);
int vocab_read_bpe(struct vocab_loader *loader,
                   const struct oy_json_value *parts);
int vocab_read_merges(struct vocab_loader *loader,
                      const struct oy_json_value *list);
int vocab_read_unigram(struct vocab_loader *loader,
                       const struct oy_json_value *parts);

/* "model.NAME: why". Returns -1. */
int vocab_fail_part(struct vocab_loader *loader, int part, const char *why);
/* One token of the model. The failure does not say which. */
int vocab_add_token(struct vocab_loader *loader,
                    const struct oy_json_value *spelled, int64_t id);
/* An object of tokens and their ids, and the table. */
int vocab_read_tokens(struct vocab_loader *loader,
                      const struct oy_json_value *map);
/* As if none had been read. */
void vocab_forget_tokens(struct vocab_loader *loader);
/* Options; null is none. */
int vocab_read_flag(struct vocab_loader *loader,
                    const struct oy_json_value *parts, int part, int *flag);
int vocab_read_affix(struct vocab_loader *loader,
                     const struct oy_json_value *parts, int part,
                     struct oy_text *affix);
/* unk_token, which is a token; the tokens must be there. */
int vocab_read_unk_token(struct vocab_loader *loader,
                         const struct oy_json_value *parts);

/* ---- added tokens ---- */

/* Added tokens; the model must be there. */
int vocab_read_added(struct vocab_loader *loader,
                     const struct oy_json_value *list);
/* What the normalizer makes of added tokens. */
void vocab_normalize_added(struct vocab *vocab);

/* ---- components ---- */

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

/* Whether a member is absent, null, or the given type. */
int vocab_is_absent(const struct oy_json_value *value);

#endif

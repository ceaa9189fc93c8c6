/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door to tokenizers: load a file, turn text into ids and back.
 *
 *     struct tokenizer *tokenizer = tokenizer_load("ckpt", &err);
 *     struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
 *     struct token_ids ids = {0};
 *     tokenizer_encode(worker, text, len, TOKENIZER_TOKEN, &ids, NULL);
 *
 * A tokenizer does not change after it was loaded and is shared by threads;
 * a worker (a cache of some megabytes, scratch memory) belongs to one thread.
 * Ids equal Hugging Face's for the same file.
 */
#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/hash.h"
#include "tokenizer/bpe_encode.h"

struct tokenizer;
struct tokenizer_worker;

/* What the text of a special token inside the input becomes. Added tokens
 * that are not special are always recognised. */
enum tokenizer_special {
    TOKENIZER_TOKEN, /* that token, as Hugging Face does */
    TOKENIZER_TEXT,  /* ordinary text: right for a corpus */
    TOKENIZER_ERROR, /* a failure */
};

/* PATH: a tokenizer in any form, or a folder that holds one (a checkpoint),
 * see tokenizer/tokenizer_document.h. NULL after a failure (66 missing, 65
 * damaged or not supported). */
struct tokenizer *tokenizer_load(const char *path, struct oy_error *err);
void tokenizer_free(struct tokenizer *tokenizer);

/* The file that was read, borrowed. */
const char *tokenizer_path(const struct tokenizer *tokenizer);
/* Highest id + 1: the rows that an embedding needs. */
int32_t tokenizer_size(const struct tokenizer *tokenizer);
/* XXH3-128 of the tokenizer.json, uncompressed, that the file is or becomes. */
struct oy_hash128 tokenizer_hash(const struct tokenizer *tokenizer);
/* The id of a token as the file spells it, or -1. */
int32_t tokenizer_id(const struct tokenizer *tokenizer, const char *content,
                     size_t len);
/* The bytes of a token, borrowed; NULL when no token has this id. */
const char *tokenizer_bytes(const struct tokenizer *tokenizer, int32_t id,
                            size_t *len);
/* Whether --skip-special leaves it out. */
int tokenizer_is_special(const struct tokenizer *tokenizer, int32_t id);
/* bos_token and eos_token of the configuration, else of the file itself (a
 * GGUF); -1 when there is none. */
int32_t tokenizer_bos(const struct tokenizer *tokenizer);
int32_t tokenizer_eos(const struct tokenizer *tokenizer);
/* Their spellings and the chat template; NULL when there is none. Borrowed. */
const char *tokenizer_bos_text(const struct tokenizer *tokenizer);
const char *tokenizer_eos_text(const struct tokenizer *tokenizer);
const char *tokenizer_chat_template(const struct tokenizer *tokenizer);
/* What the post-processor puts before and behind a text. Borrowed. */
const int32_t *tokenizer_before(const struct tokenizer *tokenizer, size_t *n);
const int32_t *tokenizer_behind(const struct tokenizer *tokenizer, size_t *n);

/* The tokenizer is borrowed. */
struct tokenizer_worker *tokenizer_worker_new(
    const struct tokenizer *tokenizer);
void tokenizer_worker_free(struct tokenizer_worker *worker);

/* Appends the ids of a text: valid UTF-8 with OY_PADDING readable bytes
 * behind it. 0; or -1 with TOKENIZER_ERROR when a special token's text is in
 * it, then *found (may be NULL) is that token's id and nothing is appended. */
int tokenizer_encode(struct tokenizer_worker *worker, const char *text,
                     size_t len, enum tokenizer_special special,
                     struct token_ids *ids, int32_t *found);

/* Appends the text of the ids, valid UTF-8; returns how many ids had no token
 * and were left out. Thread-safe. */
size_t tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *id,
                        size_t n, int skip_special, struct oy_buffer *out);
/* Appends the bytes that a token adds to the middle of a text; -1 for one that
 * adds none of its own, see tokenizer/decode.h. Thread-safe. */
int tokenizer_piece(const struct tokenizer *tokenizer, int32_t id,
                    struct oy_buffer *out);

#endif

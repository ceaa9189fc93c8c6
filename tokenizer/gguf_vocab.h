/* SPDX-License-Identifier: Apache-2.0
 *
 * A tokenizer.json as the keys of a GGUF: what tokenizer/document_gguf.c reads
 * back, and llama.cpp reads.
 *
 * Two kinds have a form there: byte-level BPE whose way of cutting texts has a
 * name (tokenizer.ggml.pre), and SentencePiece's BPE with bytes for what is
 * unknown. Others are a failure that names what is in the way.
 */
#ifndef TOKENIZER_GGUF_VOCAB_H
#define TOKENIZER_GGUF_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* enum llama_token_type. */
enum gguf_token {
    GGUF_TOKEN_NORMAL = 1,
    GGUF_TOKEN_UNKNOWN = 2,
    GGUF_TOKEN_CONTROL = 3,
    GGUF_TOKEN_USER = 4,
    GGUF_TOKEN_UNUSED = 5,
    GGUF_TOKEN_BYTE = 6,
};

/* Texts lie in the arena or in the document. Zero-initialised is empty. */
struct gguf_vocab {
    struct oy_arena arena;
    const char *model;     /* "gpt2", "llama" */
    const char *pre;       /* NULL with "llama" */
    struct oy_text *token; /* [n_token]; those without a text are fillers */
    int32_t *type;
    float *score;
    size_t n_token;
    struct oy_text *merge; /* [n_merge] "a b" */
    size_t n_merge, cap_merge;
    int32_t bos_id, eos_id, unk_id; /* -1: none */
    int add_bos, add_eos, add_space_prefix;
};

/* From the text of a tokenizer.json, with at least `n_token` tokens; bos and
 * eos are the configuration's, or NULL. To be released in any case. */
int gguf_vocab_read(struct gguf_vocab *vocab, const struct oy_buffer *json,
                    size_t n_token, const char *bos, const char *eos,
                    struct oy_error *err);
void gguf_vocab_release(struct gguf_vocab *vocab);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * How the text of a GGUF's byte-level tokenizer is cut, by the name that it
 * gives (tokenizer.ggml.pre).
 */
#ifndef TOKENIZER_DOCUMENT_GGUF_H
#define TOKENIZER_DOCUMENT_GGUF_H

#include "core/json.h"
#include "tokenizer/document_internal.h"

struct document_pre {
    const char *names; /* between spaces */
    const char *normalizer;
    const char *regex[6]; /* of Splits, one after the other */
    int cuts_digits;      /* Digits(individual) goes first */
    int cuts_gpt2;        /* ByteLevel cuts by GPT-2's expression */
    int ignores_merges;
    int adds_bos; /* where add_bos_token is not there */
    int adds_sep; /* texts are framed as RoBERTa does it */
};

/* NULL for a name that is not known. */
const struct document_pre *document_pre_find(struct oy_text name);
/* The first name that is known for a way of cutting: regex are n expressions
 * of Splits. NULL when there is none. */
const char *document_pre_name(const char *const *regex, size_t n,
                              int cuts_digits, int cuts_gpt2,
                              int ignores_merges, int is_normalized,
                              size_t *len);
/* The pre_tokenizer of a name that is. */
void document_pre_put(const struct document_pre *pre, struct oy_buffer *out);

#endif

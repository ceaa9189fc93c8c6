/* SPDX-License-Identifier: Apache-2.0
 *
 * A tokenizer as one document: whatever form it is kept in, the text of a
 * tokenizer.json and what stands in the configuration beside it.
 *
 * tokenizer.json is the form that everything else reads and writes (vocab.h,
 * checkpoints); a reader of another form makes that document, and is done.
 */
#ifndef TOKENIZER_TOKENIZER_DOCUMENT_H
#define TOKENIZER_TOKENIZER_DOCUMENT_H

#include "core/alloc.h"
#include "core/error.h"

/* Zero-initialised is empty. Strings are the document's. */
struct tokenizer_document {
    char *path;            /* the file that was read */
    struct oy_buffer json; /* the text of a tokenizer.json, uncompressed */
    /* From the configuration; NULL where it says nothing. */
    char *bos_token, *eos_token, *chat_template;
};

/* PATH is a tokenizer.json, plain or compressed, or a folder that holds
 * tokenizer.json or tokenizer.json.zst. A file of one of these two names and
 * a folder bring their tokenizer_config.json(.zst) and chat_template.jinja
 * along. 0, or -1: 66 missing, 65 damaged or not supported. The document is to
 * be released in any case. */
int tokenizer_document_read(const char *path,
                            struct tokenizer_document *document,
                            struct oy_error *err);
void tokenizer_document_release(struct tokenizer_document *document);

/* bos_token, eos_token and chat_template of a folder's configuration;
 * silently nothing when there is none. 0, or -1. */
int tokenizer_document_read_config(struct tokenizer_document *document,
                                   const char *folder, struct oy_error *err);

#endif

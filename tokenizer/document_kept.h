/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents that were made of tokenizers of another form, kept in the user's
 * cache folder (core/cache.h): making the merges of 200,000 ranks and writing
 * 10 MB of JSON is done once for each file.
 *
 * What is kept is found by the hash of the bytes that were read and of the
 * configuration beside them. Small documents are made anew each time.
 */
#ifndef TOKENIZER_DOCUMENT_KEPT_H
#define TOKENIZER_DOCUMENT_KEPT_H

#include "core/alloc.h"
#include "core/hash.h"
#include "tokenizer/document_internal.h"
#include "tokenizer/tokenizer_document.h"

/* The key of bytes and what the configuration says. */
struct oy_hash128 document_kept_key(const struct document_source *source);

/* Looks for the document of a key: 0 fills its text and strings, -1: nothing
 * is kept, and nothing changed. */
int document_kept_find(struct oy_hash128 key,
                       struct tokenizer_document *document);
/* Keeps a document, if it is large enough to be worth it. That it could not is nobody's
 * failure. */
void document_kept_store(struct oy_hash128 key,
                         const struct tokenizer_document *document);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file is, by its name and its first bytes.
 */
#ifndef PIPELINE_INGEST_KIND_H
#define PIPELINE_INGEST_KIND_H

#include <stddef.h>

#include "pipeline/ingest.h"

/* JSONL, TEXT, HTML or WARC; INGEST_AUTO when it is no text at all (a NUL byte
 * stands among the first bytes). The name decides (.jsonl .ndjson, .txt, .html ...)
 * before the bytes do: JSONL begins with a brace and a key on one line,
 * HTML with its doctype or <html>.
 * Suffixes of compression are passed over. */
enum ingest_kind ingest_kind_of(const char *name, const unsigned char *head,
                                size_t len);

#endif

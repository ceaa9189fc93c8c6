/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of web archives as documents {"id","url","date","text"}.
 */
#ifndef PIPELINE_INGEST_WARC_H
#define PIPELINE_INGEST_WARC_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/counter.h"
#include "core/error.h"
#include "core/input.h"
#include "pipeline/page.h"

struct ingest_warc;

/* Reads `input`, borrowed, whose name ids are made from where a record has
 * none. `pages`, borrowed, makes the texts. What makes no
 * document is added to `counter`. */
struct ingest_warc *ingest_warc_new(struct oy_input *input, size_t max_record,
                                    struct page_reader *pages,
                                    struct oy_counters *counter);
void ingest_warc_free(struct ingest_warc *warc);

enum ingest_warc_result {
    INGEST_WARC_END,
    INGEST_WARC_DOCUMENT, /* a line of JSON was appended, without LF */
    INGEST_WARC_TOO_LONG, /* longer than max_record: a bad record */
};

/* The next document. *number is its record's number in the file, from 1. -1
 * after a failure. */
int ingest_warc_next(struct ingest_warc *warc, struct oy_buffer *out,
                     uint64_t *number, struct oy_error *err);

/* Appends "KEY":"TEXT" for bytes that may be invalid UTF-8, which are repaired
 * with the help of `scratch`. */
void ingest_put_member(struct oy_buffer *out, const char *key, const char *text,
                       size_t len, struct oy_buffer *scratch);

#endif

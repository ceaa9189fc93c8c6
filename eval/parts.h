/* SPDX-License-Identifier: Apache-2.0
 *
 * The streams of shards read as the one stream that they are parts of.
 *
 * Streams with a header (eval/request.h) are put together by task, document
 * and request, whatever part has them and in whatever order the parts are
 * named; the headers have to be equal. Streams without are taken in turn, a
 * document of each, which undoes --shard 1/N .. N/N.
 */
#ifndef EVAL_PARTS_H
#define EVAL_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/source.h"
#include "eval/request.h"

/* A line of the whole; borrowed until the next call. */
struct parts_line {
    struct oy_text text; /* without its LF, OY_PADDING bytes behind */
    const char *file;
    uint64_t number; /* of the line in its file, from 1 */
    /* The header, or else a request. */
    int is_header;
    struct oy_json_value run;
    struct request request;
};

struct parts;

/* Opens all files ("-" or none: standard input), which are borrowed. With
 * `is_chain` a file that begins without a header goes on with the one before
 * it, so that a stream may also come in pieces. NULL after a failure: 65 a
 * line that is no request, headers that differ; 66. */
struct parts *parts_open(const char *const *path, size_t n_path,
                         size_t max_record, int is_chain, struct oy_error *err);
/* NULL is allowed. */
void parts_close(struct parts *parts);

/* 1 and a line, 0 at the end, -1 after a failure: a bad line (65), a request
 * that two parts have, parts that do not fit each other. The header comes
 * first, once. */
int parts_next(struct parts *parts, struct parts_line *line,
               struct oy_error *err);

/* The sources, for a manifest. */
size_t parts_source_count(const struct parts *parts);
const struct oy_source *parts_source(const struct parts *parts, size_t i);

#endif

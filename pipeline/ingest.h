/* SPDX-License-Identifier: Apache-2.0
 *
 * Records out of whatever a corpus comes in: a source of lines for oy-cat.
 *
 * Files, folders (in name order), archives (their members in the order of the
 * archive, never written to disk, never opened when they are archives
 * themselves), each plain or compressed:
 *   jsonl  the lines as they stand;
 *   lines  {"id":"PATH:LINE","text":...} for every line that is not blank;
 *   text   {"id":"PATH","text":...} for the whole file;
 *   warc   {"id","url","date","text"} for every response with a text, every
 *          resource and conversion (WET) record; ids are WARC-Record-ID, or
 *          PATH:NUMBER where a record has none.
 *   html   {"id":"PATH","text":...} for the whole page, its text as
 *          pipeline/page.h reads it; so do a web archive's pages.
 * Members are called ARCHIVE/MEMBER. Bytes that are no UTF-8 become U+FFFD.
 * Empty files and answers make no record (an empty file that is said to be a
 * page, and a page without a text, give an empty text). What makes no record
 * is counted.
 */
#ifndef PIPELINE_INGEST_H
#define PIPELINE_INGEST_H

#include <stdint.h>

#include "core/counter.h"
#include "core/error.h"
#include "core/source.h"
#include "pipeline/page.h"

/* In the order of --from's choices. */
enum ingest_kind {
    INGEST_AUTO, /* by magic bytes, name and first character */
    INGEST_JSONL,
    INGEST_LINES,
    INGEST_TEXT,
    INGEST_WARC,
    INGEST_HTML,
};

struct ingest_options {
    int from;          /* enum ingest_kind; archives are opened with any */
    size_t max_record; /* longer texts and lines are bad records */
    uint64_t end;      /* no record of this number or above; UINT64_MAX: all */
    int unhashed;      /* 1: the files' hashes stay empty */
    struct page_options page;
};

/* `path` names n_path operands (none: standard input), borrowed. NULL after a
 * failure. For one pass. */
struct oy_source *ingest_open(const char *const *path, size_t n_path,
                              const struct ingest_options *options,
                              struct oy_error *err);

/* What made no record, by name ("warc_request" ...); borrowed until close. */
const struct oy_counters *ingest_counters(const struct oy_source *source);

#endif

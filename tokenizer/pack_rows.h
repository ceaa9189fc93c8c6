/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents into rows.
 *
 *  concat    documents follow each other without a gap, and whoever reads them
 *            cuts them where a row is full: no padding, but documents are torn.
 *  none      a row holds one document.
 *  best-fit  a row holds whole documents: the longest of a window of tokens
 *            come first, each into the row that it fills best (best-fit
 *            decreasing; Ding and others 2024, "Fewer Truncations Improve
 *            Language Modeling"). Rows come out in the order of their first
 *            documents, which lie in them in input order. What is written
 *            is a function of the documents and the window alone.
 *
 * A row is never padded in a file: rows have lengths. `padding_tokens` tells
 * what a trainer with rectangular batches would add.
 *
 * A document longer than a row, by `overlong`:
 *  split     into pieces, the next of which repeats the last token of the one
 *            before (which nothing could be predicted from otherwise);
 *  truncate  its end is cut off; a token that closes documents stays last;
 *  drop      it is left out.
 * A document or piece none of whose tokens behind the first is to be learnt is
 * left out too. All that is counted.
 */
#ifndef TOKENIZER_PACK_ROWS_H
#define TOKENIZER_PACK_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "core/counter.h"
#include "core/error.h"

enum pack_packing { PACK_AUTO, PACK_CONCAT, PACK_BEST_FIT, PACK_NONE };
enum pack_overlong {
    PACK_OVERLONG_AUTO,
    PACK_SPLIT,
    PACK_TRUNCATE,
    PACK_DROP,
};

/* Ids on their way out. */
struct pack_document {
    const int32_t *id;
    const uint8_t *loss; /* one byte a token; NULL: all are to be learnt */
    size_t n;
    uint64_t text_bytes;
    int is_valid; /* of an export: for validation */
};

/* Where documents go. */
struct pack_sink {
    /* Takes a document (borrowed for the call); the first of a row says so. */
    int (*add)(struct pack_sink *sink, const struct pack_document *document,
               int begins_row, struct oy_error *err);
};

struct pack_rows_options {
    enum pack_packing packing;   /* not auto */
    enum pack_overlong overlong; /* not auto */
    size_t row_len;              /* ignored by concat */
    size_t window;               /* tokens, for best-fit */
    int32_t back;                /* closes documents, -1: none */
};

struct pack_rows;

/* The sink is borrowed. */
struct pack_rows *pack_rows_new(const struct pack_rows_options *options,
                                struct pack_sink *sink);
void pack_rows_free(struct pack_rows *rows);
/* n must not be 0. -1 when the sink failed. */
int pack_rows_add(struct pack_rows *rows, const struct pack_document *document,
                  struct oy_error *err);
/* Gives the sink what is left. */
int pack_rows_finish(struct pack_rows *rows, struct oy_error *err);

/* Adds tokens, targets and what else was counted; a note tells the waste of
 * rows beside that of cutting documents as they come. */
void pack_rows_report(const struct pack_rows *rows,
                      struct oy_counters *counter);

#endif

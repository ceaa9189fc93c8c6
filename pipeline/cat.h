/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter behind oy-cat: passes records on as they are, cuts a range out
 * of them, or cuts them into shards.
 */
#ifndef PIPELINE_CAT_H
#define PIPELINE_CAT_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"

struct cat_options {
    int from;              /* enum ingest_kind */
    int html;              /* enum page_html */
    const char *charset;   /* "auto", or a label */
    const char *records;   /* "A:B", or NULL */
    int64_t split_records; /* 0: not asked */
    uint64_t split_size;   /* 0: not asked */
};

/* "A:B" is the half-open range of record numbers from 0; either may be left
 * out. -1 when it is malformed or empty backwards. */
int cat_parse_range(const char *text, uint64_t *first, uint64_t *end);

/* Runs the program over run's inputs. 0, or -1 with err. */
int cat_run(const struct cat_options *options, struct oy_run *run,
            struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter behind oy-dedup: equal and nearly equal documents, one of each
 * group kept.
 *
 * Equal documents without annotation are one pass over a table of hashes.
 * Everything else is two: the first finds the groups, the second writes. So
 * are equal documents within --memory when the table might outgrow it, as it
 * might for any pipe or compressed file; hashes go to temporary files then
 * (pipeline/exact). Near duplicates that do not fit into --memory are a
 * failure (71).
 * What is known of a document is oyster.dedup {keep, cluster, size}: the
 * number, in the input from 0, of the group's first member (null when it is
 * alone) and the number of members.
 */
#ifndef PIPELINE_DEDUP_H
#define PIPELINE_DEDUP_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"

enum dedup_keep { DEDUP_KEEP_FIRST, DEDUP_KEEP_DATATROVE };
enum dedup_normalize { DEDUP_AUTO, DEDUP_DATATROVE, DEDUP_NONE };

struct dedup_options {
    int exact, near;        /* one of them must be set */
    const char *words;      /* a splitter's name; needed for near */
    const char *dictionary; /* of jieba; NULL: the usual place */
    int64_t shingle, bands, rows;
    int hash; /* enum minhash_hash */
    int64_t hash_seed;
    int keep;      /* enum dedup_keep */
    int normalize; /* enum dedup_normalize; AUTO: datatrove's for near only */
    int annotate;  /* keep every record */
};

/* 0, or -1 with err (64: contradictory or missing choices). */
int dedup_run(const struct dedup_options *options, struct oy_run *run,
              struct oy_error *err);

#endif

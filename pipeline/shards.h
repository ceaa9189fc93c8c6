/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream of records cut into files PREFIX-00000-of-00100.jsonl.zst.
 *
 * The number of files is known only at the end: until shards_commit() all of
 * them are unnamed to the world, and then they appear one after the other. A
 * stream without records is one empty file: there is never a count of 0.
 */
#ifndef PIPELINE_SHARDS_H
#define PIPELINE_SHARDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/output.h"

struct shards_options {
    const char *prefix; /* borrowed */
    uint64_t n_record;  /* records a file; 0: no bound */
    uint64_t size;      /* uncompressed bytes a file (a record is never cut,
                         * a larger one has a file of its own); 0: no bound */
    struct oy_output_options output;
};

struct shards;

struct shards *shards_new(const struct shards_options *options);
/* Removes what was not committed. NULL is allowed. */
void shards_free(struct shards *shards);

/* Appends one record, with its LF. */
int shards_write(struct shards *shards, const char *line, size_t len,
                 struct oy_error *err);
/* Names all files. */
int shards_commit(struct shards *shards, struct oy_error *err);

/* What was written, after the commit; borrowed. */
struct shards_file {
    char *path;
    uint64_t bytes; /* uncompressed */
    uint64_t records;
    struct oy_hash128 hash; /* of the uncompressed bytes */
};
const struct shards_file *shards_files(const struct shards *shards,
                                       size_t *n_file);

#endif

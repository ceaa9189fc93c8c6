/* SPDX-License-Identifier: Apache-2.0
 *
 * Which documents are equal, within a budget of memory: hashes are gathered
 * in temporary files, parted until a part fits into a table, grouped part by
 * part, and the answers parted again by document, to be given in input order.
 *
 * Space: 24 bytes a document, and 24 a member of a group of two or more. The
 * answers are those of a table of all hashes (see core/table.h), whatever the
 * budget.
 */
#ifndef PIPELINE_EXACT_H
#define PIPELINE_EXACT_H

#include <stdint.h>

#include "core/error.h"
#include "core/hash.h"
#include "pipeline/cluster.h"
#include "pipeline/spill.h"

enum { EXACT_LEVELS = 10 }; /* parts of parts of 64-bit numbers */

struct exact_group {
    uint64_t first; /* number of its first member */
    uint64_t size;
};

/* Zero-initialised may be released. */
struct exact {
    uint64_t memory;
    const char *tmpdir;
    struct spill hash; /* {high, low, number} */
    uint64_t end;      /* the highest number and one */
    uint64_t n_group;  /* of two or more; after exact_close() */

    /* {number, first, size}: of all documents, and below that the parts in
     * which the document last asked for lies. */
    struct spill level[EXACT_LEVELS];
    uint64_t prefix[EXACT_LEVELS]; /* which part: its numbers' upper bits */
    int range_bits;
    struct exact_group *range; /* [1 << range_bits]; size 0: alone */
    uint64_t range_prefix;
};

/* `memory` is at least a MiB; `tmpdir` is borrowed. -1 after a failure (71),
 * as below. */
int exact_init(struct exact *exact, uint64_t memory, const char *tmpdir,
               struct oy_error *err);
void exact_release(struct exact *exact);

/* Adds a document, numbers ascending. */
int exact_add(struct exact *exact, uint64_t number, struct oy_hash128 hash,
              struct oy_error *err);
/* Groups what was added; nothing is added any more. */
int exact_close(struct exact *exact, struct oy_error *err);
/* What is known of document `number`, which was added; asked in ascending
 * order. The root is the first. */
int exact_find(struct exact *exact, uint64_t number,
               struct cluster_answer *answer, struct oy_error *err);

#endif

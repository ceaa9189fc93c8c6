/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine that runs every filter: lines in, judged in parallel, settled in
 * order, lines out.
 *
 * A filter is two functions. judge() sees one record, is called from many
 * threads at once and must depend on the record alone: it finds, measures,
 * rewrites, and may leave a blob or four words for settle(). settle() sees
 * the records one at a time in input order: history, sums, the decision.
 * Whatever the number of threads, the bytes written are the same.
 *
 * Each thread takes the next batch of about a MiB of whole lines, judges it,
 * waits for its turn, settles and writes it: memory is (threads + 1) batches.
 * Several filters may run over one record in one pass: all judge it in the
 * order of the list (until one drops it), then all settle it in that order
 * (until one drops it). A filter may ask for two passes; the first writes
 * nothing.
 *
 * The engine does the rest that programs share: --field, --bad, --rejects,
 * --strict, --shard, --dropped, --stats, --manifest, progress, SIGUSR1, the
 * closing table, exit codes, and names file and line in every message.
 */
#ifndef CORE_FILTER_H
#define CORE_FILTER_H

#include <stdint.h>

#include "core/counter.h"
#include "core/error.h"
#include "core/output.h"
#include "core/record.h"
#include "core/run.h"
#include "core/source.h"

/* What settle() and finish() may use. */
struct oy_filter_context {
    struct oy_output *output; /* where records go; binary writers use it too */
    struct oy_counters *counter; /* names and counts for --stats */
    int pass;                    /* 0, or 1 in the second pass */
    const struct oy_run *run;    /* the common options */
};

struct oy_filter {
    void *self; /* given to every function below */

    /* Names of fields to be found, by oy_json_query_add order behind field 0,
     * which is --field. NULL-terminated, may be NULL. Missing ones are
     * allowed; judge() looks at found[i].kind. */
    const char *const *field;
    /* 1: field 0 must be there and a string, and is unescaped into
     * record->text before judge(); a record without it is bad. 0: not. */
    int wants_text;
    /* 2: see everything twice (context->pass tells). Else 1. */
    int n_pass;
    /* 1: kept records are written by the engine; 0: this filter writes to
     * context->output itself (or nothing). */
    int writes_records;

    /* A thread's scratch memory; both may be NULL. */
    void *(*worker_new)(void *self);
    void (*worker_free)(void *self, void *worker);
    /* May be NULL. `pass` as above. Trouble with the record is told with
     * oy_record_fail(); -1 with err is for trouble that ends the run. */
    int (*judge)(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err);
    /* In input order; may be NULL. Sets record->fate and record->reason. */
    int (*settle)(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err);
    /* Once for each worker after the last record of a pass, in worker order,
     * before worker_free: to merge what is a sum and does not depend on
     * order. May be NULL. */
    int (*merge)(void *self, void *worker, int pass, struct oy_error *err);
    /* After the last record of a pass; may be NULL. */
    int (*finish)(void *self, struct oy_filter_context *context,
                  struct oy_error *err);
};

/* Runs the filters over run's inputs (or over `source` when it is not NULL,
 * which is then closed) until the end, writes stats and manifest, commits or
 * discards the outputs. Returns 0 or -1 with err; a closed standard output is
 * OY_IO with closed_pipe. */
int oy_filter_run(const struct oy_filter *filter, int n_filter,
                  struct oy_run *run, struct oy_source *source,
                  struct oy_error *err);

#endif

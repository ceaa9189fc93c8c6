/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's parts: filter.c runs passes and threads, filter_batch.c judges
 * and settles one batch, filter_report.c tells what was done.
 */
#ifndef CORE_FILTER_INTERNAL_H
#define CORE_FILTER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/filter.h"

/* Where filter i finds its fields among the values of the whole query. */
struct oy_field_map {
    int n_field; /* --field included */
    int index[OY_JSON_MAX_PATHS];
};

/* Counts of the last pass, written in turn. The progress thread reads them at
 * any time. */
struct oy_filter_counts {
    atomic_uint_fast64_t record, kept, dropped, bad, repaired, byte;
};

struct oy_engine {
    const struct oy_filter *filter;
    int n_filter;
    struct oy_run *run;
    struct oy_source *source;
    int is_own_source; /* opened by the engine */

    struct oy_json_query query; /* path 0 is --field */
    int oyster;                 /* the path "oyster" */
    struct oy_field_map *map;   /* [n_filter] */
    int wants_text;             /* any filter does */
    int writes_records;         /* all filters do */
    int settles;                /* any filter does */
    int n_pass;

    struct oy_output *output, *dropped, *rejects;
    struct oy_filter_context context;
    struct oy_counters counter, reason;
    /* Guards `reason` and `counter` while the progress reads them. */
    pthread_mutex_t count_lock;
    struct oy_filter_counts counts;
    double start;               /* oy_now() */
    atomic_uint_fast64_t taken; /* fraction of the input, in 2^-32; or -1 */
};

/* What one thread works with; reused from batch to batch. */
struct oy_slot {
    struct oy_batch batch;
    struct oy_record *record; /* [n_record] of this batch were judged */
    size_t n_record;
    size_t cap_record;
    struct oy_json_value found[OY_JSON_MAX_PATHS]; /* of one filter */
    struct oy_arena arena;
    void **worker;       /* [n_filter] */
    struct oy_error err; /* judge()'s, behind the last record */

    /* What the batch adds to the outputs. A run of unchanged lines that lie
     * side by side is kept as it is until something else comes. */
    struct oy_buffer kept, dropped, rejects;
    const char *span;
    size_t span_len;
    size_t n_gathered; /* records that are in them */
};

/* Judges the records of the slot's batch; also serialises them when nothing
 * settles. */
void oy_slot_judge(const struct oy_engine *engine, struct oy_slot *slot);
/* Settles, counts, writes, in turn. */
int oy_slot_settle(struct oy_engine *engine, struct oy_slot *slot,
                   struct oy_error *err);
void oy_slot_release(struct oy_slot *slot);

/* Lines for the terminal while it runs. */
void oy_filter_describe(void *engine, int full, struct oy_buffer *out);
/* Stats, manifest and the closing table, after all outputs are committed.
 * `file` describes the outputs. */
int oy_filter_report(struct oy_engine *engine,
                     const struct oy_manifest_file *file, int n_file,
                     struct oy_error *err);

#endif

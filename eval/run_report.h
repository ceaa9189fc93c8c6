/* SPDX-License-Identifier: Apache-2.0
 *
 * --stats and --manifest of programs that are no filters of records (oy-ask,
 * oy-grade): counts, inputs and the one output.
 */
#ifndef EVAL_RUN_REPORT_H
#define EVAL_RUN_REPORT_H

#include "core/counter.h"
#include "core/error.h"
#include "core/manifest.h"
#include "core/output.h"
#include "core/run.h"
#include "core/source.h"

struct run_report {
    struct oy_manifest_file *input;
    size_t n_input;
    size_t cap_input;
    struct oy_manifest_file output;
    struct oy_counters counter;
};

/* The files that a source has read. Their names are borrowed from it. */
void run_report_inputs(struct run_report *report,
                       const struct oy_source *source);
/* What was written; call before the commit. `kind` is what the manifest calls
 * it, `path` that of -o. */
void run_report_output(struct run_report *report,
                       const struct oy_output *output, const char *path,
                       const char *kind, uint64_t n_record);
/* Writes what the options ask for. */
int run_report_write(const struct run_report *report, const struct oy_run *run,
                     struct oy_error *err);
void run_report_release(struct run_report *report);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts and manifests of asking and grading. */
#include "eval/run_report.h"

#include <string.h>

#include "core/alloc.h"
#include "core/stats.h"

void run_report_inputs(struct run_report *report,
                       const struct oy_source *source)
{
    int n = 0;
    const struct oy_source_file *file = oy_source_files(source, &n);

    for (int i = 0; i < n; i++) {
        struct oy_manifest_file input = {
            .name = file[i].name,
            .path = strcmp(file[i].name, "stdin") ? file[i].name : NULL,
            .kind = "requests",
            .bytes = file[i].bytes,
            .records = file[i].lines,
        };
        memcpy(input.hash, file[i].hash, sizeof input.hash);
        OY_GROW(report->input, report->cap_input, report->n_input + 1);
        report->input[report->n_input++] = input;
    }
}

void run_report_output(struct run_report *report,
                       const struct oy_output *output, const char *path,
                       const char *kind, uint64_t n_record)
{
    const int is_file = path && strcmp(path, "-") != 0;

    report->output = (struct oy_manifest_file){
        .name = is_file ? path : NULL,
        .path = is_file ? path : NULL,
        .kind = kind,
        .bytes = oy_output_bytes(output),
        .records = n_record,
    };
    oy_hash128_text(oy_output_digest(output), report->output.hash);
}

static int write_manifest(const struct run_report *report,
                          const struct oy_run *run, struct oy_error *err)
{
    const size_t n = report->n_input + (size_t)run->n_resource;
    struct oy_manifest_file *input = oy_calloc(n, sizeof *input);
    const struct oy_manifest manifest = {
        .program = run->program,
        .input = input,
        .n_input = (int)n,
        .output = &report->output,
        .n_output = 1,
        .counter = &report->counter,
    };
    int rc;

    if (report->n_input)
        memcpy(input, report->input, report->n_input * sizeof *input);
    for (int i = 0; i < run->n_resource; i++)
        input[report->n_input + (size_t)i] = run->resource[i];
    rc = oy_manifest_write(run->manifest, &manifest, err);
    oy_free(input);
    return rc;
}

int run_report_write(const struct run_report *report, const struct oy_run *run,
                     struct oy_error *err)
{
    if (run->stats &&
        oy_stats_write(run->stats, run->program->name, &report->counter, err))
        return -1;
    return run->manifest ? write_manifest(report, run, err) : 0;
}

void run_report_release(struct run_report *report)
{
    oy_free(report->input);
    oy_counters_release(&report->counter);
    *report = (struct run_report){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes merged streams. */
#include "eval/merge.h"

#include "core/output.h"
#include "eval/parts.h"
#include "eval/run_report.h"

static int write_lines(struct parts *parts, struct oy_output *output,
                       uint64_t *n_line, struct oy_error *err)
{
    struct parts_line line;
    int more;

    while ((more = parts_next(parts, &line, err)) == 1) {
        if (oy_output_write(output, line.text.at, line.text.len, err) ||
            oy_output_write(output, "\n", 1, err))
            return -1;
        ++*n_line;
    }
    return more;
}

static int write_merged(struct parts *parts, const struct oy_run *run,
                        struct oy_error *err)
{
    struct oy_output *output = oy_run_open_output(run, err);
    struct run_report report = {0};
    uint64_t n_line = 0;

    if (!output)
        return -1;
    if (write_lines(parts, output, &n_line, err)) {
        oy_output_discard(output);
        return -1;
    }
    for (size_t i = 0; i < parts_source_count(parts); i++)
        run_report_inputs(&report, parts_source(parts, i));
    oy_counter_add(&report.counter, "lines", n_line);
    run_report_output(&report, output, run->output, "requests", n_line);
    int status = oy_output_commit(output, err);
    if (status == 0)
        status = run_report_write(&report, run, err);
    run_report_release(&report);
    return status;
}

int merge_run(const struct oy_run *run, struct oy_error *err)
{
    struct parts *parts =
        parts_open(run->input.item, run->input.n_item, run->max_record, 0, err);
    const int status = parts ? write_merged(parts, run, err) : -1;

    parts_close(parts);
    return status;
}

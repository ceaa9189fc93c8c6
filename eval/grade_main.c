/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-grade: answered requests graded into results. */
#include <string.h>

#include "core/output.h"
#include "core/run.h"
#include "eval/grade.h"
#include "eval/parts.h"
#include "eval/run_report.h"

static const char description[] =
    "Reads requests with their answers (oy-ask ... | oy-score ...) and writes"
    " what lm-evaluation-harness writes: results JSON with metrics, standard"
    " errors and groups (-o), samples (--log-samples), and its table.\n"
    "\n"
    "Dates and times are null unless --stamp is given: equal runs give equal"
    " files. The member 'oyster' of the results holds the score of every"
    " document, by which oy-cmp pairs them.\n"
    "\n"
    "The streams of shards (--shard of oy-ask, oy-score or oy-eval) are merged:"
    " name all of them, in any order. A file without a header goes on with the"
    " one before it.\n"
    "\n"
    "Completions that are programs (humaneval, mbpp) are run, many at once,"
    " in a sandbox: bubblewrap or namespaces of our own, a list of system"
    " calls, limits; no network, no file of yours, nothing left behind. The"
    " verdict is that of another process than the program's. Where there is"
    " no sandbox (a container that refuses user namespaces) the exit is 69,"
    " and the message says what is missing; --unsafe runs programs all the"
    " same.\n"
    "\n"
    "    oy-ask --tasks arc_easy | oy-score --model M | oy-grade -o r.json\n"
    "\n"
    "    oy-grade -o r.json part1.jsonl part2.jsonl part3.jsonl";

/* All lines of all parts into the grade. */
static int read_parts(struct parts *parts, struct grade *grade,
                      uint64_t *n_request, struct oy_error *err)
{
    struct parts_line line;
    int more;

    while ((more = parts_next(parts, &line, err)) == 1) {
        *n_request += !line.is_header;
        if (line.is_header ? grade_begin(grade, line.run.at, line.run.len, err)
                           : grade_add(grade, &line.request, err))
            return oy_fail_at(err, "%s:%llu", line.file,
                              (unsigned long long)line.number);
    }
    return more;
}

/* The table goes to standard output when the results do not. */
static int write_table(const struct oy_run *run, struct grade *grade,
                       struct oy_error *err)
{
    struct oy_buffer text = {0};
    struct oy_output *output;
    int rc;

    if (!run->output || !strcmp(run->output, "-") || run->quiet)
        return 0;
    output = oy_output_open(NULL, NULL, err);
    if (!output)
        return -1;
    grade_put_table(grade, &text);
    rc = oy_output_write(output, text.data, text.len, err);
    if (oy_output_commit(output, err))
        rc = -1;
    oy_buffer_release(&text);
    return rc;
}

static int write_results(const struct oy_run *run, struct grade *grade,
                         struct run_report *report, struct oy_error *err)
{
    struct oy_output *output = oy_run_open_output(run, err);
    struct oy_buffer text = {0};
    int rc;

    if (!output)
        return -1;
    grade_put_results(grade, &text);
    rc = oy_output_write(output, text.data, text.len, err);
    run_report_output(report, output, run->output, "results", 0);
    if (oy_output_commit(output, err))
        rc = -1;
    oy_buffer_release(&text);
    if (rc == 0)
        rc = run_report_write(report, run, err);
    return rc ? -1 : write_table(run, grade, err);
}

static int run_grade(const struct oy_run *run,
                     const struct grade_options *options, struct oy_error *err)
{
    struct parts *parts =
        parts_open(run->input.item, run->input.n_item, run->max_record, 1, err);
    struct grade *grade = parts ? grade_new(options, err) : NULL;
    struct run_report report = {0};
    uint64_t n_request = 0;
    int rc = -1;

    if (grade && read_parts(parts, grade, &n_request, err) == 0 &&
        grade_finish(grade, err) == 0) {
        for (size_t i = 0; i < parts_source_count(parts); i++)
            run_report_inputs(&report, parts_source(parts, i));
        oy_counter_add(&report.counter, "requests", n_request);
        rc = write_results(run, grade, &report, err);
    }
    grade_free(grade);
    run_report_release(&report);
    parts_close(parts);
    return rc;
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct grade_options options;
    struct oy_option option[GRADE_N_OPTION + 2] = {0};
    int confirmed = 0;
    struct oy_program program = {
        .name = "oy-grade",
        .synopsis = "[OPTION]... [FILE]...",
        .summary = "grade the answers of a model",
        .description = description,
        .option = option,
    };

    grade_options_init(&options);
    grade_options_table(&options, option);
    option[GRADE_N_OPTION] =
        (struct oy_option){"confirm-run-unsafe-code",
                           0,
                           OY_OPT_FLAG,
                           &confirmed,
                           NULL,
                           NULL,
                           OY_OPT_HIDDEN,
                           "lm-eval's; the sandbox asks for none."};
    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err) &&
        !grade_options_finish(&options, &err)) {
        options.threads = run.threads;
        run_grade(&run, &options, &err);
    }
    return oy_run_exit(&run, &err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-cmp: compares results with a base, document by document; exit 1 when a
 * score fell significantly. */
#include <stdlib.h>
#include <string.h>

#include "core/output.h"
#include "core/run.h"
#include "eval/compare.h"

enum { N_REPLICATE = 10000 };

struct settings {
    double alpha;
    struct oy_list tolerance;
    int unpaired, flips;
    struct oy_list allow;
    const char *junit, *markdown, *json;
};

static const char description[] =
    "Compares one or more new results files with a base. Per task the main"
    " metric counts (acc_norm if there, else acc, exact_match, pass@1,"
    " bits_per_byte), paired by document: exact McNemar for 0/1 scores, a"
    " paired bootstrap of 10,000 replicates otherwise; one-sided, with Holm's"
    " correction over the tasks.\n"
    "\n"
    "A task is a regression when its score fell by more than its tolerance"
    " and the corrected p is at most --alpha. Exit status 1 tells of any.\n"
    "\n"
    "Runs that were not asked the same, whose versions, data or prompts differ,"
    " are refused, and the tasks named (exit status 65). So are perplexities of"
    " different vocabularies: only bits per byte can be compared.\n"
    "\n"
    "    oy-cmp last-night.json tonight.json\n"
    "\n"
    "    oy-cmp --flips base.json new.json\n"
    "\n"
    "    oy-cmp --tolerance mmlu=0.005 --junit cmp.xml base.json new.json";

/* TASK=X, or X for all tasks. */
static int parse_tolerances(const struct oy_list *list,
                            struct compare_tolerance *tolerance, char **names,
                            struct oy_error *err)
{
    for (size_t i = 0; i < list->n_item; i++) {
        const char *text = list->item[i];
        const char *equals = strrchr(text, '=');
        const char *number = equals ? equals + 1 : text;
        char *end;
        const double drop = strtod(number, &end);
        if (end == number || *end || !(drop >= 0))
            return oy_fail(err, OY_USAGE,
                           "--tolerance %s: not TASK=X with X from 0", text);
        if (equals)
            names[i] = oy_strndup(text, (size_t)(equals - text));
        tolerance[i] = (struct compare_tolerance){names[i], drop};
    }
    return 0;
}

static int parse_allowed(const struct oy_list *list,
                         struct compare_options *options, struct oy_error *err)
{
    for (size_t i = 0; i < list->n_item; i++) {
        if (!strcmp(list->item[i], "prompts"))
            options->allow_prompts = 1;
        else if (!strcmp(list->item[i], "versions"))
            options->allow_versions = 1;
        else
            return oy_fail(err, OY_USAGE,
                           "--allow %s: neither prompts nor versions",
                           list->item[i]);
    }
    return 0;
}

static int write_report(const char *path, const struct oy_buffer *report,
                        struct oy_error *err)
{
    if (!path)
        return 0;
    return oy_output_write_file(path, report->data, report->len, err);
}

static int write_reports(const struct settings *settings,
                         const struct comparison *comparison, size_t n,
                         const struct compare_options *options,
                         struct oy_error *err)
{
    struct oy_buffer json = {0}, markdown = {0}, junit = {0};

    compare_put_json(comparison, n, options, &json);
    compare_put_junit(comparison, n, &junit);
    for (size_t i = 0; i < n; i++)
        compare_put_markdown(&comparison[i], options, &markdown);
    const int failed = write_report(settings->json, &json, err) ||
                       write_report(settings->markdown, &markdown, err) ||
                       write_report(settings->junit, &junit, err);
    oy_buffer_release(&json);
    oy_buffer_release(&markdown);
    oy_buffer_release(&junit);
    return failed ? -1 : 0;
}

static int print_tables(const struct oy_run *run,
                        const struct comparison *comparison, size_t n,
                        const struct compare_options *options,
                        struct oy_error *err)
{
    struct oy_buffer table = {0};
    struct oy_output *output = oy_run_open_output(run, err);

    if (!output)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (i)
            oy_buffer_append_char(&table, '\n');
        compare_put_table(&comparison[i], options, &table);
    }
    const int failed = oy_output_write(output, table.data, table.len, err);
    oy_buffer_release(&table);
    return oy_output_commit(output, err) || failed ? -1 : 0;
}

/* Compares every file with the first; *has_regression tells of any. */
static int compare_files(const struct oy_run *run,
                         const struct settings *settings,
                         const struct compare_options *options,
                         int *has_regression, struct oy_error *err)
{
    const size_t n = run->input.n_item;
    struct compare_results *results = oy_calloc(n, sizeof *results);
    struct comparison *comparison = oy_calloc(n, sizeof *comparison);
    int failed = 0;

    for (size_t i = 0; i < n && !failed; i++)
        failed = compare_results_read(&results[i], run->input.item[i],
                                      options->unpaired, err);
    for (size_t i = 1; i < n && !failed; i++) {
        failed = compare_run(&comparison[i - 1], &results[0], &results[i],
                             options, err);
        *has_regression |= comparison[i - 1].has_regression;
    }
    if (!failed)
        failed = write_reports(settings, comparison, n - 1, options, err) ||
                 print_tables(run, comparison, n - 1, options, err);
    for (size_t i = 0; i < n; i++) {
        comparison_release(&comparison[i]);
        compare_results_release(&results[i]);
    }
    oy_free(comparison);
    oy_free(results);
    return failed ? -1 : 0;
}

static int run_compare(const struct oy_run *run,
                       const struct settings *settings, int *has_regression,
                       struct oy_error *err)
{
    const size_t n = settings->tolerance.n_item;
    struct compare_tolerance *tolerance = oy_calloc(n, sizeof *tolerance);
    char **names = oy_calloc(n, sizeof *names);
    struct compare_options options = {.alpha = settings->alpha,
                                      .seed = (uint64_t)run->seed,
                                      .n_replicate = N_REPLICATE,
                                      .unpaired = settings->unpaired,
                                      .flips = settings->flips,
                                      .tolerance = tolerance,
                                      .n_tolerance = n};
    int result = -1;

    if (run->input.n_item < 2)
        oy_fail(err, OY_USAGE, "give a base and at least one new results file");
    else if (!parse_allowed(&settings->allow, &options, err) &&
             !parse_tolerances(&settings->tolerance, tolerance, names, err))
        result = compare_files(run, settings, &options, has_regression, err);
    for (size_t i = 0; i < n; i++)
        oy_free(names[i]);
    oy_free(names);
    oy_free(tolerance);
    return result;
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct settings settings = {.alpha = 0.05};
    int has_regression = 0;
    const struct oy_option option[] = {
        {"alpha", 0, OY_OPT_DOUBLE, &settings.alpha, "X", "0:1",
         OY_OPT_IN_MANIFEST, "Level of significance, after correction."},
        {"tolerance", 0, OY_OPT_LIST, &settings.tolerance, "TASK=X", NULL,
         OY_OPT_IN_MANIFEST,
         "A drop of TASK counts only beyond X (0 otherwise); without TASK= it"
         " holds for all tasks. May be repeated."},
        {"unpaired", 0, OY_OPT_FLAG, &settings.unpaired, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Compare means and standard errors only: for results without "
         "samples."},
        {"flips", 0, OY_OPT_FLAG, &settings.flips, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "List the documents whose score changed, with both answers."},
        {"allow", 0, OY_OPT_LIST, &settings.allow, "WHAT", NULL,
         OY_OPT_IN_MANIFEST,
         "Compare though the prompts, or the versions, of tasks differ. May be"
         " repeated."},
        {"junit", 0, OY_OPT_STRING, &settings.junit, "FILE", NULL, 0,
         "Write JUnit XML for a continuous-integration server."},
        {"markdown", 0, OY_OPT_STRING, &settings.markdown, "FILE", NULL, 0,
         "Write the tables as Markdown."},
        {"json", 0, OY_OPT_STRING, &settings.json, "FILE", NULL, 0,
         "Write every figure as JSON."},
        {0},
    };
    struct oy_program program = {
        .name = "oy-cmp",
        .synopsis = "[OPTION]... BASE.json NEW.json...",
        .summary = "compare results of evaluations, with error bars",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        run_compare(&run, &settings, &has_regression, &err);
    oy_list_release(&settings.tolerance);
    oy_list_release(&settings.allow);
    const int code = oy_run_exit(&run, &err);
    return code ? code : has_regression ? OY_NO : OY_OK;
}

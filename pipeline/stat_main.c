/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-stat: what a corpus is made of. */
#include "pipeline/corpus_stat.h"

static const char description[] =
    "Reads records and prints how many there are and how long their texts "
    "are in bytes, characters and words: sums, means, extremes, quantiles "
    "and a histogram. Quantiles are within 3 percent.\n\n"
    "With --by the records are also counted by the value of a member, the "
    "largest groups first:\n\n"
    "    oy-clean --preset gopher --annotate web.jsonl | "
    "oy-stat --by oyster.clean.reason\n\n"
    "A member named url stands for its host:\n\n"
    "    oy-stat --by url --top 10 web.jsonl\n\n"
    "With --diff two corpora are compared, such as one before and after "
    "cleaning:\n\n"
    "    oy-stat --diff raw.jsonl clean.jsonl\n\n"
    "--format html draws a page that needs no other file and no script: "
    "lengths, and where the records tell them the languages "
    "(oyster.clean.measured.languages, else language), the reasons of oy-clean "
    "(oyster.clean.reason) and the hosts of url. With --diff OTHER is before "
    "and the rest after:\n\n"
    "    oy-stat --format html --diff raw.jsonl -o report.html clean.jsonl";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct corpus_settings settings = {.top = 20};
    const struct oy_option option[] = {
        {"by", 0, OY_OPT_STRING, &settings.by, "PATH", NULL, OY_OPT_IN_MANIFEST,
         "Count by the value of this member too."},
        {"top", 0, OY_OPT_INT, &settings.top, "N", "1:", OY_OPT_IN_MANIFEST,
         "How many groups a table or page shows; JSON has all."},
        {"diff", 0, OY_OPT_STRING, &settings.diff, "OTHER", NULL, 0,
         "Compare with the records of OTHER."},
        {"format", 0, OY_OPT_CHOICE, &settings.format, NULL, "table|json|html",
         OY_OPT_IN_MANIFEST, "What to print."},
        {0},
    };
    struct oy_program program = {
        .name = "oy-stat",
        .synopsis = "[OPTION]... [FILE]...",
        .summary = "Count records, lengths and groups of a corpus.",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        corpus_stat_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

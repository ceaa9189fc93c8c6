/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-mix: samples, mixtures, shuffles and splits of records. */
#include "pipeline/mix.h"

static const char DESCRIPTION[] =
    "Takes a sample of the records, mixes sources by weights, shuffles, and "
    "splits into parts; without options all records pass. Lines are written as "
    "they were read. The outcome depends on --seed and the places of the "
    "records in the input, not on -T, --memory or compression.\n\n"
    "--fraction takes each record with that probability, in one pass. --take "
    "takes exactly so many (all, where there are fewer), evenly; the input is "
    "then read twice, a pipe from a spool in --tmpdir, as it is with "
    "--weights.\n\n"
    "--weights A=0.5,B=0.3 are shares of the records that are written. A "
    "source is a file, named by its path or its last part (with or without "
    ".jsonl and .zst and the like), or with --by a value of that member. What "
    "is missing from a sum of 1 goes to all other sources together; where "
    "there are none, or the sum is 1 or more, weights are relative and others "
    "give nothing. Without --take there are as many records as can be had "
    "without taking one twice (times --fraction). With --take a source that "
    "has too few is taken several times over (epochs) and once more in part; "
    "copies stand side by side unless shuffled.\n\n"
    "--shuffle puts records into an order of random numbers that are a "
    "function of seed and place. What does not fit into --memory (1G unless "
    "given) goes to --tmpdir.\n\n"
    "--split train=0.98,valid=0.02 -o PREFIX writes PREFIX-train.jsonl.zst and "
    "PREFIX-valid.jsonl.zst (--compress none or gzip: .jsonl, .jsonl.gz). A "
    "hash of seed and line decides: a line goes to the same part whatever "
    "records are added or taken away, and equal lines go together. Shares are "
    "relative; sizes are those of chance.\n\n"
    "    oy-mix --weights web=0.7,code=0.3 --take 1M --shuffle web.jsonl.zst "
    "code.jsonl.zst -o mixed.jsonl.zst\n\n"
    "    oy-mix --shuffle --split train=0.98,valid=0.02 -o corpus "
    "web.jsonl.zst\n";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct mix_options settings = {.take = -1, .fraction = 1};
    const struct oy_option option[] = {
        {"weights", 0, OY_OPT_STRING, &settings.weights, "A=X,B=Y", NULL,
         OY_OPT_IN_MANIFEST, "Shares of sources in what is written."},
        {"by", 0, OY_OPT_STRING, &settings.by, "PATH", NULL, OY_OPT_IN_MANIFEST,
         "The member that names a record's source, instead of its file."},
        {"take", 0, OY_OPT_INT, &settings.take, "N", "0:", OY_OPT_IN_MANIFEST,
         "Write N records."},
        {"fraction", 0, OY_OPT_DOUBLE, &settings.fraction, "F", "0:1",
         OY_OPT_IN_MANIFEST, "Write this part of what would be written."},
        {"shuffle", 0, OY_OPT_FLAG, &settings.shuffle, NULL, NULL,
         OY_OPT_IN_MANIFEST, "Put the records into random order."},
        {"split", 0, OY_OPT_STRING, &settings.split, "A=X,B=Y", NULL,
         OY_OPT_IN_MANIFEST,
         "Write files -o PREFIX-A.jsonl.zst and so on, by these shares."},
        {0}};
    struct oy_program program = {
        .name = "oy-mix",
        .synopsis = "[OPTION]... [FILE]...",
        .summary = "weighted samples, shuffles and splits of records",
        .description = DESCRIPTION,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        mix_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

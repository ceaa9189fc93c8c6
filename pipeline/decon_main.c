/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-decon: documents that share text with benchmarks are dropped. */
#include "pipeline/decon.h"

static const char DESCRIPTION[] =
    "Drops or marks documents that hold texts of benchmarks. --against names "
    "files of such texts: JSON lines with the text in --field, or in label "
    "with the prompt in query, and perhaps task and id (oy-ask --texts writes "
    "them); or plain texts, one a line. A text without a task has the name of "
    "its file.\n\n"
    "--method datatrove drops a document that has any n-gram (12 words of "
    "datatrove 0.10.1's simplified text) of a label, or across query and "
    "label (with --query also within a query), or of a text. gpt3 (appendix C "
    "of the paper; lower-case words without punctuation) takes n by task from "
    "the 5th percentile of its lengths, between 8 and 13; it cuts each n-gram "
    "out with 200 characters on both sides, joins what is left of 200 "
    "characters or more by an empty line, and drops what was cut more than 10 "
    "times or has nothing left; n-grams in more than --common documents are "
    "left alone, for which the input is read twice. dolma drops a document "
    "that has a paragraph (a line of 13 words of UAX #29 or more) of a "
    "benchmark, byte for byte. llama3 drops one whose n-grams (8 words, as "
    "gpt3's) cover --ratio of the words of some text.\n\n"
    "All answers are exact: hashes find, bytes are compared. Memory is that "
    "of the benchmarks' n-grams. Texts too short to have one are told as a "
    "warning, by task.\n\n"
    "oyster.decon is {keep, reason, task, id, ngram, word}: the benchmark's "
    "text, the n-gram that was found and at which word of the document; with "
    "llama3 also the largest ratio and the text that has it, with gpt3 the "
    "number of cuts.\n\n"
    "    oy-ask --tasks mmlu --texts > mmlu.jsonl\n\n"
    "    oy-decon --against mmlu.jsonl --dropped seen.jsonl web.jsonl.zst -o "
    "clean.jsonl.zst\n";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct decon_options settings = {.ratio = 0.8, .common = 10};
    const struct oy_option option[] = {
        {"against", 0, OY_OPT_LIST, &settings.against, "FILE", NULL, 0,
         "Texts of benchmarks; may be given many times."},
        {"method", 0, OY_OPT_CHOICE, &settings.method, NULL,
         "datatrove|gpt3|dolma|llama3", OY_OPT_IN_MANIFEST,
         "What it is to share text."},
        {"ngram", 0, OY_OPT_INT, &settings.ngram, "N", "1:64",
         OY_OPT_IN_MANIFEST,
         "Words of an n-gram, with dolma of the shortest paragraph; by default "
         "12, 8 to 13, 13 and 8."},
        {"words", 0, OY_OPT_STRING, &settings.words, WORDS_NAMES, NULL,
         OY_OPT_IN_MANIFEST,
         "What a word is, with --method datatrove; spacy by default."},
        {"dictionary", 0, OY_OPT_STRING, &settings.dictionary, "FILE", NULL, 0,
         "The dictionary of --words jieba; that of Debian's python3-jieba "
         "by default."},
        {"query", 0, OY_OPT_FLAG, &settings.query, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "With --method datatrove, n-grams within a query count, too."},
        {"ratio", 0, OY_OPT_DOUBLE, &settings.ratio, "X", "0:1",
         OY_OPT_IN_MANIFEST, "The threshold of --method llama3."},
        {"common", 0, OY_OPT_INT, &settings.common, "N", "0:1000000000",
         OY_OPT_IN_MANIFEST,
         "With --method gpt3, n-grams in more than N documents are left "
         "alone; 0: none is."},
        {"annotate", 0, OY_OPT_FLAG, &settings.annotate, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Keep every record as it is and add oyster.decon."},
        {"dropped", 0, OY_OPT_STRING, &run.dropped, "FILE", NULL, 0,
         "Write the dropped records to FILE, with oyster.decon."},
        {0}};
    struct oy_program program = {
        .name = "oy-decon",
        .synopsis = "--against FILE... [OPTION]... [FILE]...",
        .summary = "drop documents that share text with benchmarks",
        .description = DESCRIPTION,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        decon_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-dedup: one of each group of equal or nearly equal documents. */
#include "pipeline/dedup.h"
#include "pipeline/words.h"

static const char DESCRIPTION[] =
    "Keeps one document of each group of duplicates, in input order.\n\n"
    "--exact compares texts by a 128-bit hash (XXH3); the first of equal ones "
    "stays. --near finds documents that share much of their text by MinHash "
    "signatures in bands (14 bands of 8 rows find pairs of Jaccard similarity "
    "0.7, 0.8 and 0.9 with odds of 56, 92 and 99.96 %). Normalisation, "
    "shingles, hashes and permutations are datatrove's; documents of fewer "
    "words than a shingle are compared with nothing. The input is read twice: "
    "a pipe is spooled, compressed, to --tmpdir.\n\n"
    "--exact --memory SIZE keeps its hashes within SIZE and spills them to "
    "--tmpdir; the output is the same. The input is then read twice, but for "
    "plain files so small that they cannot outgrow SIZE. --near stops with 71 "
    "when its signatures do not fit into SIZE.\n\n"
    "With --annotate nothing is dropped and every record carries oyster.dedup "
    "{keep, cluster, size}: cluster is the number, in the input from 0, of the "
    "group's first member, null for a single document. Dropped documents go to "
    "--dropped with the same.\n\n"
    "    oy-dedup --exact web.jsonl.zst -o unique.jsonl.zst\n\n"
    "    oy-dedup --near --words uax29 --dropped twins.jsonl web.jsonl.zst\n";

/* Leaves the splitter in the option as the manifest names it. */
static void label_words(struct dedup_options *settings, char label[WORDS_LABEL])
{
    const enum words_splitter splitter =
        settings->words ? words_splitter_of(settings->words) : WORDS_NONE;

    if (splitter != WORDS_NONE)
        settings->words = words_label(splitter, label);
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    char label[WORDS_LABEL];
    struct dedup_options settings = {
        .shingle = 5, .bands = 14, .rows = 8, .hash_seed = 1};
    const struct oy_option option[] = {
        {"exact", 0, OY_OPT_FLAG, &settings.exact, NULL, NULL,
         OY_OPT_IN_MANIFEST, "Texts that are equal byte for byte."},
        {"near", 0, OY_OPT_FLAG, &settings.near, NULL, NULL, OY_OPT_IN_MANIFEST,
         "Texts that are nearly equal, by MinHash."},
        {"words", 0, OY_OPT_STRING, &settings.words, WORDS_NAMES, NULL,
         OY_OPT_IN_MANIFEST,
         "What a word is: ws (runs without white space), uax29 (Unicode 15 "
         "word boundaries), spacy (spaCy's English tokens), jieba (Chinese "
         "words) or icu (the ICU library's, by dictionaries for Japanese, "
         "Thai, Khmer and the like). Needed for --near."},
        {"dictionary", 0, OY_OPT_STRING, &settings.dictionary, "FILE", NULL, 0,
         "The dictionary of --words jieba, in the form of jieba's dict.txt; "
         "that of Debian's python3-jieba unless given."},
        {"shingle", 0, OY_OPT_INT, &settings.shingle, "N", "1:1000",
         OY_OPT_IN_MANIFEST, "Words in a shingle."},
        {"bands", 0, OY_OPT_INT, &settings.bands, "N", "1:1000",
         OY_OPT_IN_MANIFEST, "Bands of a signature."},
        {"rows", 0, OY_OPT_INT, &settings.rows, "N", "1:1000",
         OY_OPT_IN_MANIFEST, "Hashes in a band."},
        {"hash", 0, OY_OPT_CHOICE, &settings.hash, "HASH", "xxh64|xxh32|sha1",
         OY_OPT_IN_MANIFEST,
         "Hash of a shingle; sha1 is the first 64 bits of SHA-1."},
        {"hash-seed", 0, OY_OPT_INT, &settings.hash_seed, "N", "0:4294967295",
         OY_OPT_IN_MANIFEST, "Seed of the permutations."},
        {"keep", 0, OY_OPT_CHOICE, &settings.keep, "WHICH", "first|datatrove",
         OY_OPT_IN_MANIFEST,
         "Which of a group of near duplicates stays: the first in the input, "
         "or the one that datatrove's order of unions leaves."},
        {"normalize", 0, OY_OPT_CHOICE, &settings.normalize, "HOW",
         "auto|datatrove|none", OY_OPT_IN_MANIFEST,
         "How texts are normalised before they are compared; auto: datatrove's "
         "way with --near, not at all with --exact."},
        {"annotate", 0, OY_OPT_FLAG, &settings.annotate, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Keep every record and add oyster.dedup {keep, cluster, size}."},
        {"dropped", 0, OY_OPT_STRING, &run.dropped, "FILE", NULL, 0,
         "Write the dropped records to FILE, with oyster.dedup."},
        {0}};
    struct oy_program program = {
        .name = "oy-dedup",
        .synopsis = "(--exact | --near --words SPLITTER) [OPTION]... [FILE]...",
        .summary = "one of each group of equal or nearly equal documents",
        .description = DESCRIPTION,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err)) {
        label_words(&settings, label);
        dedup_run(&settings, &run, &err);
    }
    return oy_run_exit(&run, &err);
}

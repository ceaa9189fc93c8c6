/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-cat: documents out of files, archives and web archives. */
#include "pipeline/cat.h"

static const char DESCRIPTION[] =
    "Reads files, folders (in the order of names) and archives (tar, zip, 7z "
    "and others; nothing is extracted), plain or compressed by zstd, gzip, xz "
    "or bzip2, and writes one record a line. JSONL passes as it is. A text "
    "file becomes one record {id,text}; with --from lines every line becomes "
    "one. Of a web archive (WARC, WET, ARC) response records with a text, "
    "resource and conversion records become {id,url,date,text}, the text of "
    "an answer being its source; others are counted.\n\n"
    "Ids are WARC-Record-ID or PATH[:LINE], of an archive's member "
    "ARCHIVE/MEMBER. Bytes that are not UTF-8 become U+FFFD.\n\n"
    "    oy-cat crawl.warc.gz -o crawl.jsonl.zst\n\n"
    "    oy-cat --from lines --split-records 1000000 -o part corpus.txt\n";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct cat_options settings = {0};
    const struct oy_option option[] = {
        {"from", 0, OY_OPT_CHOICE, &settings.from, "KIND",
         "auto|jsonl|lines|text|warc", OY_OPT_IN_MANIFEST,
         "What the inputs hold. auto goes by magic bytes, name and first "
         "character; archives are opened in any case."},
        {"records", 0, OY_OPT_STRING, &settings.records, "A:B", NULL,
         OY_OPT_IN_MANIFEST,
         "Only records number A to B-1, counted from 0 over all inputs; "
         "either may be left out."},
        {"split-records", 0, OY_OPT_INT, &settings.split_records, "N",
         "0:", OY_OPT_IN_MANIFEST,
         "Write files PREFIX-00000-of-00100.jsonl.zst (-o PREFIX) of N records "
         "each."},
        {"split-size", 0, OY_OPT_SIZE, &settings.split_size, "SIZE", NULL,
         OY_OPT_IN_MANIFEST,
         "The same, of at most SIZE uncompressed bytes each; a record is never "
         "cut."},
        {0}};
    struct oy_program program = {
        .name = "oy-cat",
        .synopsis = "[OPTION]... [FILE]...",
        .summary = "documents out of files, archives and web archives",
        .description = DESCRIPTION,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        cat_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

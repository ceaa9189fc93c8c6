/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-cat: documents out of files, archives and web archives. */
#include "pipeline/cat.h"
#include "pipeline/page.h"

static const char DESCRIPTION[] =
    "Reads files, folders (in the order of names) and archives (tar, zip, 7z "
    "and others; nothing is extracted), plain or compressed by zstd, gzip, xz "
    "or bzip2, and writes one record a line. JSONL passes as it is. A text "
    "file becomes one record {id,text}; with --from lines every line becomes "
    "one. Of a web archive (WARC, WET, ARC) response records with a text, "
    "resource and conversion records become {id,url,date,text}, the text of "
    "an answer being its source; others are counted.\n\n"
    "With --html main or full, pages of HTML (files that are called or begin "
    "so, all files with --from html, answers of that type) give the text that "
    "resiliparse 0.14.5 extracts from them, with main_content or without; one "
    "without a text gives an empty one. Elements nested deeper than 512 count "
    "as closed. A page whose charset nobody knows is read as UTF-8 and "
    "counted.\n\n"
    "Ids are WARC-Record-ID or PATH[:LINE], of an archive's member "
    "ARCHIVE/MEMBER. Bytes that are not UTF-8 become U+FFFD.\n\n"
    "    oy-cat crawl.warc.gz -o crawl.jsonl.zst\n\n"
    "    oy-cat --html main crawl.warc.gz -o text.jsonl.zst\n\n"
    "    oy-cat --from lines --split-records 1000000 -o part corpus.txt\n";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct cat_options settings = {.html = PAGE_RAW, .charset = "auto"};
    const struct oy_option option[] = {
        {"from", 0, OY_OPT_CHOICE, &settings.from, "KIND",
         "auto|jsonl|lines|text|warc|html", OY_OPT_IN_MANIFEST,
         "What the inputs hold. auto goes by magic bytes, name and first "
         "character; archives are opened in any case."},
        {"html", 0, OY_OPT_CHOICE, &settings.html, "HOW", "main|full|raw|drop",
         OY_OPT_IN_MANIFEST,
         "What a page of HTML gives: its main text, its full text, its source "
         "(raw), or nothing (drop; it is counted)."},
        {"charset", 0, OY_OPT_STRING, &settings.charset, "NAME", NULL,
         OY_OPT_IN_MANIFEST,
         "The encoding of pages, of a web archive's texts, and of whole text "
         "files. auto goes by byte-order mark, HTTP header and <meta>, else "
         "it is UTF-8, as text files are; names are those of browsers and of "
         "iconv."},
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

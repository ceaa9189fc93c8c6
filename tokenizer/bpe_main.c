/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-bpe: trains a byte-pair vocabulary.
 */
#include <string.h>

#include "core/run.h"
#include "tokenizer/bpe_filter.h"

static const char description[] =
    "Counts the words of all texts and merges the commonest pairs of symbols "
    "until the vocabulary is full. The result is the tokenizer.json that "
    "Hugging Face's BpeTrainer writes for the same texts and options, byte "
    "for byte; it depends neither on the order of the records nor on the "
    "number of threads. Ids are given to the special tokens first, then to "
    "the alphabet, then to the merges.\n"
    "\n"
    "With -o DIR (a name without .json) a folder is written: tokenizer.json, "
    "and tokenizer_config.json, which tells transformers and oy-pack the "
    "tokens that frame a text.\n"
    "\n"
    "With --memory words are spilled to --tmpdir while they are counted; the "
    "distinct words themselves must fit when merges are trained (6 bytes each "
    "and 2 for each of their own, and their lists), and exit 71 says how much "
    "they need. Corpora of many machines are counted where they are (--counts) "
    "and the counts trained together.\n"
    "\n"
    "    oy-bpe --counts docs.jsonl > docs.tsv\n"
    "\n"
    "    oy-bpe --vocab-size 6400 --special '<|endoftext|>' clean.jsonl "
    "> tokenizer.json\n"
    "\n"
    "    oy-cat book.txt | oy-bpe --vocab-size 32768 --pre cl100k -o "
    "tokenizer.json";

enum { N_TRAINING = 8, N_OUTPUT = 5 };

/* What is counted and merged. */
static void set_training(struct oy_option *option,
                         struct bpe_settings *settings)
{
    const struct oy_option table[N_TRAINING] = {
        {.name = "vocab-size",
         .type = OY_OPT_INT,
         .value = &settings->vocab_size,
         .metavar = "N",
         .range = "0:2000000000",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Entries of the vocabulary, special tokens and alphabet "
                 "among them; these are there even if they are more. "
                 "Required, there is no default."},
        {.name = "pre",
         .type = OY_OPT_STRING,
         .value = &settings->pre,
         .metavar = "NAME|REGEX",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Where texts are cut into words: gpt2, cl100k, llama3 (the "
                 "same), o200k, qwen2, deepseek3, smollm, whitespace, none; or "
                 "a regular expression as in a tokenizer.json, whose matches "
                 "are words, as is what lies between them. With whitespace "
                 "symbols are characters, else bytes."},
        {.name = "special",
         .type = OY_OPT_LIST,
         .value = &settings->special,
         .metavar = "TOKEN",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "A special token; may be given many times."},
        {.name = "min-frequency",
         .type = OY_OPT_INT,
         .value = &settings->min_frequency,
         .metavar = "N",
         .range = "0:",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Pairs that are rarer are not merged."},
        {.name = "max-token-length",
         .type = OY_OPT_INT,
         .value = &settings->max_token_length,
         .metavar = "N",
         .range = "1:",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Tokens of more than two symbols are shorter than this, as "
                 "in Hugging Face's trainer. No limit by default."},
        {.name = "limit-alphabet",
         .type = OY_OPT_INT,
         .value = &settings->limit_alphabet,
         .metavar = "N",
         .range = "0:",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Only so many of the commonest symbols; words lose the "
                 "others. No limit by default."},
        {.name = "initial-alphabet",
         .type = OY_OPT_CHOICE,
         .value = &settings->initial_alphabet,
         .range = "auto|bytes|none",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Symbols that are there though no text has them: the 256 "
                 "bytes, or none. auto: bytes, but none with --pre "
                 "whitespace."},
        {.name = "unit",
         .type = OY_OPT_CHOICE,
         .value = &settings->unit,
         .range = "record|line",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "What is cut at a time: the text of a record, or every line "
                 "of it with its LF (a text ends with one LF more), as "
                 "Hugging Face reads files."},
    };

    memcpy(option, table, sizeof table);
}

/* What is written; ends the table. */
static void set_output(struct oy_option *option, struct bpe_settings *settings)
{
    const struct oy_option table[N_OUTPUT + 1] = {
        {.name = "bos",
         .type = OY_OPT_STRING,
         .value = &settings->bos,
         .metavar = "TOKEN",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "With -o DIR: the special token that begins a text (default: "
                 "the first)."},
        {.name = "eos",
         .type = OY_OPT_STRING,
         .value = &settings->eos,
         .metavar = "TOKEN",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "With -o DIR: the special token that ends a text (default: "
                 "the first)."},
        {.name = "chat-template",
         .type = OY_OPT_STRING,
         .value = &settings->chat_template,
         .metavar = "NAME|FILE",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "With -o DIR: the folder is a ready tokenizer for chats. "
                 "minimind, qwen2.5, qwen3, smollm2: the model's template, "
                 "its special tokens (--special adds more behind them) and "
                 "configuration. Or a file: a Jinja template, or a "
                 "tokenizer_config.json that has one."},
        {.name = "counts",
         .type = OY_OPT_FLAG,
         .value = &settings->counts,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Train nothing: write the words and how often each was seen, "
                 "a line `word TAB count` each, sorted. Words are spelled in "
                 "the byte alphabet (a space is `\u0120`), "
                 "with --pre whitespace in their own characters. Such lines "
                 "are taken in place of records, with the same --pre."},
        {.name = "resume",
         .type = OY_OPT_FLAG,
         .value = &settings->resume,
         .help = "Keep what was counted in the folder OUTPUT.counting, which "
                 "is removed at the end, and go on with what a killed run "
                 "left there. The same input is to be given again: it is "
                 "checked, not counted."},
    };

    memcpy(option, table, sizeof table);
}

int main(int argc, char **argv)
{
    struct bpe_settings settings = {
        .vocab_size = -1,
        .pre = "gpt2",
        .max_token_length = -1,
        .limit_alphabet = -1,
    };
    struct oy_run run;
    struct oy_error err = {0};
    struct oy_option option[N_TRAINING + N_OUTPUT + 1];
    struct oy_program program = {
        .name = "oy-bpe",
        .synopsis = "--vocab-size N [OPTION]... [FILE]...",
        .summary = "train a byte-pair vocabulary, as a tokenizer.json",
        .description = description,
        .option = option,
    };

    set_training(option, &settings);
    set_output(option + N_TRAINING, &settings);
    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        bpe_filter_run(&settings, &run, &err);
    const int code = oy_run_exit(&run, &err);

    oy_list_release(&settings.special);
    return code;
}

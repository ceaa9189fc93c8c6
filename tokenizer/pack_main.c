/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-pack: documents to a token stream for oy-train. */
#include "core/run.h"
#include "tokenizer/pack.h"

static const char description[] =
    "Every record's text becomes token ids between the bos_token and eos_token "
    "of the tokenizer's configuration (where both are one token it stands in "
    "front only). Without a configuration a special token <|endoftext|> is "
    "taken for both. Special tokens in the text of a corpus stay text. Empty "
    "texts are left out and counted. The stream carries the vocabulary's size, "
    "the tokenizer's hash, document starts, a hash of every block and a proof "
    "of its end; standard output can be read by oy-train.\n"
    "\n"
    "--shuffle writes nothing in another order: it tells the reader to take "
    "rows in an order that is a function of --seed and the epoch.\n"
    "\n"
    "    oy-cat docs.warc.gz | oy-pack -t ckpt |"
    " oy-train --init ckpt --steps 100 -o "
    "model\n"
    "\n"
    "    oy-pack -t tokenizer.json --seq-len 512 --shuffle -o docs.tok "
    "docs.jsonl.zst";

int main(int argc, char **argv)
{
    struct pack_settings settings = {0};
    struct oy_run run;
    struct oy_error err = {0};
    const struct oy_option option[] = {
        {.name = "tokenizer",
         .letter = 't',
         .type = OY_OPT_STRING,
         .value = &settings.tokenizer,
         .metavar = "TOKENIZER",
         .help = "The tokenizer.json(.zst), or a folder that holds one. "
                 "Required."},
        {.name = "method",
         .type = OY_OPT_CHOICE,
         .value = &settings.method,
         .range = "pretrain",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "What the tokens are for: pretraining on whole documents."},
        {.name = "bos",
         .type = OY_OPT_STRING,
         .value = &settings.bos,
         .metavar = "TOKEN",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "The token in front of a document, an empty one for none; by "
                 "default that of the tokenizer's configuration."},
        {.name = "eos",
         .type = OY_OPT_STRING,
         .value = &settings.eos,
         .metavar = "TOKEN",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "The token behind a document; as --bos."},
        {.name = "seq-len",
         .type = OY_OPT_INT,
         .value = &settings.seq_len,
         .metavar = "N",
         .range = "0:16777216",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Tokens of a row, as a note to the reader; 0 leaves it to "
                 "oy-train."},
        {.name = "shuffle",
         .type = OY_OPT_FLAG,
         .value = &settings.shuffle,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Rows are to be read in an order drawn from --seed anew each "
                 "epoch. Needs -o."},
        {.name = "split-tokens",
         .type = OY_OPT_INT,
         .value = &settings.split_tokens,
         .metavar = "N",
         .range = "0:",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Write shards PREFIX-00000-of-00002.tok and so on, "
                 "PREFIX being -o; a shard ends with the document that takes "
                 "it to N tokens. 0 writes one stream."},
        {0},
    };
    struct oy_program program = {
        .name = "oy-pack",
        .synopsis = "-t TOKENIZER [OPTION]... [FILE]...",
        .summary = "turn documents into a stream of tokens for training",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        pack_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-pack: documents and conversations to tokens for oy-train. */
#include "core/run.h"
#include "tokenizer/pack.h"
#include "tokenizer/pack_rows.h"

static const char description[] =
    "Turns records into what a trainer reads. Standard output can be read by "
    "oy-train; a token stream carries the vocabulary's size, the tokenizer's "
    "hash, document starts, a hash of every block and a proof of its end.\n"
    "\n"
    "--method pretrain: every record's text becomes token ids between the "
    "bos_token and eos_token of the tokenizer's configuration (where both are "
    "one token it stands in front only; in rows on both sides). Without a "
    "configuration a special token <|endoftext|> is taken for both. Special "
    "tokens in the text of a corpus stay text. Empty texts are left out and "
    "counted.\n"
    "\n"
    "--method sft: conversations {\"messages\":[...]} or "
    "{\"conversations\":[...]}, with role and content or ShareGPT's from and "
    "value, with \"tools\", or {\"instruction\",\"input\",\"output\"}, or "
    "{\"prompt\",\"completion\"}, are rendered by the chat template. Only what "
    "the assistant said is to be learnt, its end-of-turn token included "
    "(--mask).\n"
    "\n"
    "--method dpo: pairs {\"chosen\",\"rejected\"}, whole conversations or the "
    "answers to a prompt, become lines {\"chosen\":{\"ids\",\"labels\"},"
    "\"rejected\":{...}}; labels are -100 where nothing is to be learnt.\n"
    "\n"
    "--method rl: records as they are with the \"ids\" of their prompt: "
    "without the answer, if the last message is one, and with what makes the "
    "assistant speak.\n"
    "\n"
    "Rows. --packing concat: documents follow each other, and the reader cuts "
    "where a row is full. none: a document is a row. best-fit: rows hold whole "
    "documents, the longest of a --window first, each where it fits best; "
    "attention restarts at each of them. Rows are not padded in a stream; -v "
    "tells what padding would cost and what cutting would have torn. By "
    "default pretrain is concat, sft none; a conversation is never split "
    "across rows unless --packing concat or --overlong split asks for it. What "
    "has nothing to learn (cut off before the first answer) is left out and "
    "counted.\n"
    "\n"
    "--shuffle writes nothing in another order: it tells the reader to take "
    "rows in an order that is a function of --seed and the epoch, a "
    "permutation that is computed, not stored.\n"
    "\n"
    "--export: nanogpt writes the folder -o with train.bin, val.bin (16 bits "
    "an id) and, where the vocabulary is not GPT-2's, meta.pkl; llmc writes "
    "-o_train_000001.bin and on, and -o_val_000000.bin, of 32-bit ids where "
    "the vocabulary needs them; megatron writes -o.bin and -o.idx; jsonl "
    "writes rows {\"ids\",\"labels\",\"doc_ids\"}.\n"
    "\n"
    "    oy-cat docs.warc.gz | oy-pack -t ckpt |"
    " oy-train --init ckpt --steps 100 -o "
    "model\n"
    "\n"
    "    oy-pack -t tokenizer.json --seq-len 2048 --packing best-fit --shuffle "
    "-o docs.tok docs.jsonl.zst\n"
    "\n"
    "    oy-pack -t ckpt --method sft --seq-len 768 --empty-think-ratio 0.2 "
    "-o sft.tok chats.jsonl";

static const char OVERLONG_HELP[] =
    "What happens to a document longer than a row: split into pieces "
    "that share a token, cut off at its end (a prompt at its beginning, "
    "a text in front of its end token), or left out. auto: best-fit "
    "splits texts, all else truncates.";

static const char MASK_HELP[] =
    "What is to be learnt of a conversation. marks: the ids between "
    "<|im_start|>assistant and <|im_end|> with its line end (MiniMind's "
    "rule, and Qwen's). spans: what the template's {% generation %} "
    "blocks, or else the assistant's messages, put into the text. all: "
    "everything. auto: marks where the template writes them.";

static const struct pack_settings DEFAULTS = {
    .window = 16000000,
    .valid_fraction = -1.0,
    .system_ratio = 0.2, /* MiniMind, lm_dataset.py */
    .empty_think_ratio = 1.0,
    .thinking_ratio = -1.0,
};

enum { M = OY_OPT_IN_MANIFEST };

int main(int argc, char **argv)
{
    struct pack_settings settings = DEFAULTS;
    struct pack_settings *const s = &settings;
    struct oy_run run;
    struct oy_error err = {0};
    const struct oy_option option[] = {
        {"tokenizer", 't', OY_OPT_STRING, &s->tokenizer, "TOKENIZER", NULL, 0,
         "The tokenizer, in any form that oy-tok reads. Required."},
        {"method", 0, OY_OPT_CHOICE, &s->method, NULL, "pretrain|sft|dpo|rl", M,
         "What the tokens are for."},
        {"bos", 0, OY_OPT_STRING, &s->bos, "TOKEN", NULL, M,
         "The token in front of a document, an empty one for none; by "
         "default that of the tokenizer's configuration."},
        {"eos", 0, OY_OPT_STRING, &s->eos, "TOKEN", NULL, M,
         "The token behind a document; as --bos."},
        {"seq-len", 0, OY_OPT_INT, &s->seq_len, "N", "0:16777216", M,
         "The most tokens that the model sees at once: those of a row. "
         "Without rows a note to the reader, 0 leaves it to oy-train; pairs "
         "and prompts may be of any length with 0."},
        {"packing", 0, OY_OPT_CHOICE, &s->packing, NULL,
         "auto|concat|best-fit|none", M,
         "How documents become rows; by default as the method has it."},
        {"overlong", 0, OY_OPT_CHOICE, &s->overlong, NULL,
         "auto|split|truncate|drop", M, OVERLONG_HELP},
        {"window", 0, OY_OPT_INT, &s->window, "N", "1:4000000000", M,
         "Tokens that best-fit packs at a time, and keeps in memory."},
        {"shuffle", 0, OY_OPT_FLAG, &s->shuffle, NULL, NULL, M,
         "Rows are to be read in an order drawn from --seed anew each "
         "epoch. Needs -o."},
        {"split-tokens", 0, OY_OPT_INT, &s->split_tokens, "N", "0:", M,
         "Write shards PREFIX-00000-of-00002.tok and so on, PREFIX being -o; "
         "a shard ends with the document or row that takes it to N tokens. 0 "
         "writes one stream (llmc: shards of 100M)."},
        {"chat-template", 0, OY_OPT_STRING, &s->chat_template, "NAME|FILE",
         NULL, M,
         "One of the tokenizer's chat templates, or a file of Jinja; by "
         "default the tokenizer's own."},
        {"mask", 0, OY_OPT_CHOICE, &s->mask, NULL, "auto|marks|spans|all", M,
         MASK_HELP},
        {"system-prompts", 0, OY_OPT_STRING, &s->system_prompts, "FILE", NULL,
         0,
         "A share of the conversations that have neither a system message nor "
         "tools get a line of FILE as one."},
        {"system-ratio", 0, OY_OPT_DOUBLE, &s->system_ratio, "X", "0:1", M,
         "That share."},
        {"empty-think-ratio", 0, OY_OPT_DOUBLE, &s->empty_think_ratio, "X",
         "0:1", M,
         "The share of rendered conversations that keep their empty blocks of "
         "thoughts, <think> and </think> with two line ends each (MiniMind: "
         "0.2)."},
        {"thinking-ratio", 0, OY_OPT_DOUBLE, &s->thinking_ratio, "X", "-1:1", M,
         "The share of prompts whose template is told to open a block of "
         "thoughts (open_thinking, enable_thinking); -1 tells it nothing."},
        {"date", 0, OY_OPT_STRING, &s->date, "DATE", NULL, M,
         "The day that a chat template tells, YYYY-MM-DD or "
         "YYYY-MM-DDTHH:MM:SS; required where it asks for one."},
        {"export", 0, OY_OPT_CHOICE, &s->export, NULL,
         "none|nanogpt|llmc|megatron|jsonl", M,
         "Write the files of another project in place of a token stream."},
        {"valid-fraction", 0, OY_OPT_DOUBLE, &s->valid_fraction, "X", "-1:1", M,
         "The share of documents, drawn from --seed, that go to val.bin "
         "or PREFIX_val_000000.bin; -1 is 0.0005 for nanogpt, else 0."},
        {0},
    };
    struct oy_program program = {
        .name = "oy-pack",
        .synopsis = "-t TOKENIZER [OPTION]... [FILE]...",
        .summary = "turn documents and conversations into tokens for training",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        pack_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

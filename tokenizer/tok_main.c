/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok: text to token ids and back. */
#include <string.h>

#include "core/run.h"
#include "tokenizer/tok_filter.h"

static const char description[] =
    "The first operand is the command.\n"
    "\n"
    "`encode` adds a member \"ids\" to every record, the token ids of its "
    "text. `decode` turns \"ids\" back into the text; an id that is not in the "
    "vocabulary makes its record bad.\n"
    "\n"
    "`count` prints documents, bytes, tokens and bytes a token, one line a "
    "file and their sum. `compare` does so for up to 32 tokenizers side by "
    "side (-t again and again): bytes per token, tokens per word (what white "
    "space parts) and tokens per character, by file or by the value of a "
    "member (--by), as a table to paste.\n"
    "\n"
    "`info` tells what a tokenizer is: model, tokens, components, what its "
    "tokens are written in.\n"
    "\n"
    "`chat` renders {\"messages\": [...], \"tools\", \"documents\", "
    "\"add_generation_prompt\" (default false), \"chat_template_kwargs\": "
    "{further variables}} with the chat template of TOKENIZER's configuration "
    "and adds \"text\", its \"ids\" (special tokens recognised, none added) "
    "and \"assistant_mask\", 1 for each id that the assistant said. What a "
    "template sees is what transformers shows it. The mask is that of the "
    "template's {% generation %} blocks; a template without them is rendered "
    "once for every beginning of the conversation, and a turn is what it adds "
    "to the text behind the generation prompt: its end-of-turn token belongs "
    "to it. Where a template rewrites what was said so that a turn cannot be "
    "found, the mask is null, and a count and a warning say so.\n"
    "\n"
    "TOKENIZER is a file or a folder (a checkpoint): tokenizer.json, "
    "vocab.json with merges.txt, BERT's vocab.txt, a rank file of tiktoken, a "
    "SentencePiece model, tokenizer.bin of llama2.c or a GGUF, plain or "
    "compressed; what is in it tells which. A name such as org/name that is "
    "no path is looked for in the Hugging Face cache. Ids are equal to "
    "Hugging Face's. A component that is not known is an error that names "
    "it.\n"
    "\n"
    "    oy-tok encode -t ckpt docs.jsonl | oy-tok decode -t ckpt\n"
    "\n"
    "    oy-tok compare -t ckpt -t tokenizer.json web.jsonl docs.jsonl\n"
    "\n"
    "    oy-tok chat -t ckpt --date 2026-01-01 chats.jsonl";

static const char commands[] = "encode, decode, count, compare, info or chat";

/* Takes the command off the operands. */
static int take_command(struct oy_run *run, struct tok_settings *settings,
                        struct oy_error *err)
{
    struct oy_list *input = &run->input;

    if (!settings->command_name) {
        if (!input->n_item)
            return oy_fail(err, OY_USAGE, "a command must come first: %s",
                           commands);
        settings->command_name = input->item[0];
        input->n_item--;
        memmove(input->item, input->item + 1,
                input->n_item * sizeof *input->item);
    }
    if (tok_command_from_name(settings->command_name, &settings->command))
        return oy_fail(err, OY_USAGE, "unknown command '%s': %s",
                       settings->command_name, commands);
    return 0;
}

/* What texts are made into. */
static size_t text_options(struct tok_settings *settings,
                           struct oy_option *option)
{
    const struct oy_option own[] = {
        {.name = "command",
         .type = OY_OPT_STRING,
         .value = &settings->command_name,
         .metavar = "COMMAND",
         .flags = OY_OPT_IN_MANIFEST | OY_OPT_HIDDEN,
         .help = "The command, in place of the first operand."},
        {.name = "tokenizer",
         .letter = 't',
         .type = OY_OPT_LIST,
         .value = &settings->tokenizer,
         .metavar = "TOKENIZER",
         .help = "The tokenizer, in any of the forms above. Required; compare "
                 "and info take several."},
        {.name = "special-text",
         .type = OY_OPT_CHOICE,
         .value = &settings->special_text,
         .range = "token|text|error",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "What the text of a special token inside the input becomes: "
                 "that token, as Hugging Face does; ordinary text; or an "
                 "error of the record. Not for chat."},
        {.name = "add-special",
         .type = OY_OPT_FLAG,
         .value = &settings->add_special,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Encode, count, compare: the tokens that the tokenizer's "
                 "post-processor puts around a text too."},
        {.name = "skip-special",
         .type = OY_OPT_FLAG,
         .value = &settings->skip_special,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Decode: leave special tokens out."},
    };

    memcpy(option, own, sizeof own);
    return sizeof own / sizeof *own;
}

/* Tables and chats. */
static size_t chat_options(struct tok_settings *settings,
                           struct oy_option *option)
{
    const struct oy_option own[] = {
        {.name = "format",
         .type = OY_OPT_CHOICE,
         .value = &settings->format,
         .range = "markdown|table|json",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Compare: a table of Markdown, a bare one, or an object of "
                 "JSON. Info: lines, or an object of JSON."},
        {.name = "by",
         .type = OY_OPT_STRING,
         .value = &settings->by,
         .metavar = "PATH",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Compare: one row for each value of this member "
                 "(`language`, `meta.source`), in the order of their first "
                 "records; without it, one for each file."},
        {.name = "chat-template",
         .type = OY_OPT_STRING,
         .value = &settings->chat_template,
         .metavar = "NAME|FILE",
         .help =
             "Chat: one of several templates of the configuration; minimind, "
             "qwen2.5, qwen3, smollm2: the model's template; or a file of "
             "Jinja."},
        {.name = "date",
         .type = OY_OPT_STRING,
         .value = &settings->date,
         .metavar = "DATE",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Chat: what strftime_now tells the template, YYYY-MM-DD or "
                 "YYYY-MM-DDTHH:MM:SS, so that runs can be repeated. Without "
                 "it: now, local time; the manifest holds it."},
        {.name = "mask",
         .type = OY_OPT_FLAG,
         .value = &settings->mask,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Chat: add \"assistant_mask\" (the default); --no-mask "
                 "leaves it out and renders once."},
        {.name = "chat-template-hash",
         .type = OY_OPT_STRING,
         .value = &settings->template_hash_text,
         .metavar = "HASH",
         .flags = OY_OPT_IN_MANIFEST | OY_OPT_HIDDEN,
         .help = "XXH3-128 of the template, for the manifest."},
    };

    memcpy(option, own, sizeof own);
    return sizeof own / sizeof *own;
}

int main(int argc, char **argv)
{
    struct tok_settings settings = {.mask = 1};
    struct oy_run run;
    struct oy_error err = {0};
    struct oy_option option[16] = {0};
    const size_t n = text_options(&settings, option);
    struct oy_program program = {
        .name = "oy-tok",
        .synopsis = "encode|decode|count|compare|info|chat -t TOKENIZER "
                    "[OPTION]... [FILE]...",
        .summary =
            "turn texts and chats into token ids and back, count and compare",
        .description = description,
        .option = option,
    };

    chat_options(&settings, option + n);
    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err) &&
        !take_command(&run, &settings, &err))
        tok_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

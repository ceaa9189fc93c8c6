/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok: text to token ids and back. */
#include <string.h>

#include "core/run.h"
#include "tokenizer/tok_filter.h"

static const char description[] =
    "The first operand is the command. `encode` adds a member \"ids\" to every "
    "record, the token ids of its text; `decode` turns \"ids\" back into the "
    "text; `count` prints documents, bytes, tokens and bytes a token, one line "
    "a file and their sum.\n"
    "\n"
    "TOKENIZER is a tokenizer.json, plain or compressed, or a folder with one "
    "(a checkpoint). Read are byte-level BPE files as Hugging Face writes "
    "them; ids are equal to theirs. A component that is not known is an error "
    "that names it.\n"
    "\n"
    "    oy-tok encode -t ckpt docs.jsonl | oy-tok decode -t ckpt\n"
    "\n"
    "    oy-tok count -t tokenizer.json docs-*.jsonl.zst";

/* Takes the command off the operands. */
static int take_command(struct oy_run *run, struct tok_settings *settings,
                        struct oy_error *err)
{
    struct oy_list *input = &run->input;

    if (!settings->command_name) {
        if (!input->n_item)
            return oy_fail(err, OY_USAGE,
                           "a command must come first: encode, "
                           "decode or count");
        settings->command_name = input->item[0];
        input->n_item--;
        memmove(input->item, input->item + 1,
                input->n_item * sizeof *input->item);
    }
    if (tok_command_from_name(settings->command_name, &settings->command))
        return oy_fail(err, OY_USAGE,
                       "unknown command '%s': encode, decode or count",
                       settings->command_name);
    return 0;
}

int main(int argc, char **argv)
{
    struct tok_settings settings = {0};
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
        {.name = "special-text",
         .type = OY_OPT_CHOICE,
         .value = &settings.special_text,
         .range = "token|text|error",
         .flags = OY_OPT_IN_MANIFEST,
         .help = "What the text of a special token inside the input becomes: "
                 "that token, as Hugging Face does; ordinary text; or an "
                 "error of the record."},
        {.name = "add-special",
         .type = OY_OPT_FLAG,
         .value = &settings.add_special,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Encode: the tokens that the tokenizer's post-processor puts "
                 "around a text too."},
        {.name = "skip-special",
         .type = OY_OPT_FLAG,
         .value = &settings.skip_special,
         .flags = OY_OPT_IN_MANIFEST,
         .help = "Decode: leave special tokens out."},
        {.name = "command",
         .type = OY_OPT_STRING,
         .value = &settings.command_name,
         .metavar = "COMMAND",
         .flags = OY_OPT_IN_MANIFEST | OY_OPT_HIDDEN,
         .help = "The command, in place of the first operand."},
        {0},
    };
    struct oy_program program = {
        .name = "oy-tok",
        .synopsis = "encode|decode|count -t TOKENIZER [OPTION]... [FILE]...",
        .summary = "turn the text of records into token ids and back",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err) &&
        !take_command(&run, &settings, &err))
        tok_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

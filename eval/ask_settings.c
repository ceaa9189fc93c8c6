/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of asking. */
#include "eval/ask_settings.h"

#include <string.h>
#include <strings.h>

void ask_settings_init(struct ask_settings *settings)
{
    *settings = (struct ask_settings){
        .num_fewshot = -1,
        .seed = "0,1234,1234,1234",
        .fewshot_seed = 1234,
    };
}

void ask_settings_options(struct ask_settings *s, struct oy_option *option)
{
    const struct oy_option table[ASK_N_OPTION] = {
        {"tasks", 0, OY_OPT_STRING, &s->tasks, "LIST", NULL, OY_OPT_IN_MANIFEST,
         "Tasks, groups, tags, patterns or files of tasks (FILE.json), by"
         " commas."},
        {"data", 0, OY_OPT_STRING, &s->data, "DIR", NULL, 0,
         "Folder of data sets, DIR/NAME/CONFIG/SPLIT.jsonl[.zst]; without it"
         " $OYSTER_TASK_DATA or the bundled samples."},
        {"num-fewshot", 0, OY_OPT_INT, &s->num_fewshot, "N", "-1:10000",
         OY_OPT_IN_MANIFEST,
         "Examples before each question; -1: as the task says."},
        {"limit", 'L', OY_OPT_DOUBLE, &s->limit, "N", "0:", OY_OPT_IN_MANIFEST,
         "Only the first N documents of each task; below 1 a fraction; 0:"
         " all."},
        {"samples", 'E', OY_OPT_STRING, &s->samples, "JSON", NULL,
         OY_OPT_IN_MANIFEST,
         "Only these documents: {\"TASK\":[numbers]}, or a file of that."},
        {"gen-kwargs", 0, OY_OPT_STRING, &s->gen_kwargs, "A=B,...", NULL,
         OY_OPT_IN_MANIFEST,
         "How completions are made, over what the tasks say: max_gen_toks=64,"
         "temperature=0.5; or a JSON object."},
        {"seed", 0, OY_OPT_STRING, &s->seed, "A[,B,C,D]", NULL,
         OY_OPT_IN_MANIFEST,
         "lm-eval's seeds: one for all or four; the fourth draws examples."},
        {"fewshot-seed", 0, OY_OPT_INT, &s->fewshot_seed, "N",
         "0:", OY_OPT_IN_MANIFEST, "Seed of the examples; wins over --seed."},
        {"system-instruction", 0, OY_OPT_STRING, &s->system_instruction, "TEXT",
         NULL, OY_OPT_IN_MANIFEST, "Text before every prompt."},
        {"fewshot-as-multiturn", 0, OY_OPT_STRING, &s->fewshot_as_multiturn,
         "True|False", NULL, OY_OPT_IN_MANIFEST | OY_OPT_VALUE_OPTIONAL,
         "With a chat template, examples are turns of their own, which is"
         " the default; False: one message."},
        {"apply-chat-template", 0, OY_OPT_STRING, &s->chat_template, "NAME",
         NULL, OY_OPT_IN_MANIFEST | OY_OPT_VALUE_OPTIONAL,
         "Render prompts by the model's chat template."},
        {"confirm-run-unsafe-code", 0, OY_OPT_FLAG, &s->confirm_run_unsafe_code,
         NULL, NULL, 0,
         "lm-eval's: code that the model writes may be run. oy-eval wants it"
         " for tasks of programs; oy-ask runs none."},
    };

    memcpy(option, table, sizeof table);
}

static int read_truth(const char *text, int *truth)
{
    *truth = !*text || !strcasecmp(text, "true") || !strcmp(text, "1");
    return *truth || !strcasecmp(text, "false") || !strcmp(text, "0") ? 0 : -1;
}

int ask_settings_finish(const struct ask_settings *settings,
                        const struct oy_program *program,
                        const struct oy_run *run, struct ask_options *options,
                        struct oy_error *err)
{
    const char *multiturn = settings->fewshot_as_multiturn;
    const struct oy_list *operand = &run->input;

    ask_options_init(options);
    options->tasks = settings->tasks;
    options->data = settings->data;
    options->num_fewshot = settings->num_fewshot;
    options->limit = settings->limit;
    options->samples = settings->samples;
    options->gen_kwargs = settings->gen_kwargs;
    options->shard_index = run->shard_index;
    options->shard_count = run->shard_count;
    options->system_instruction = settings->system_instruction;
    if (ask_parse_seed(settings->seed, options->seed))
        return oy_fail(err, OY_USAGE, "--seed %s: neither one number nor four",
                       settings->seed);
    if (oy_options_given(program, "fewshot-seed"))
        options->seed[3] = settings->fewshot_seed;
    if (operand->n_item && multiturn && !*multiturn)
        multiturn = operand->item[0];
    else if (operand->n_item)
        return oy_fail(err, OY_USAGE, "unexpected operand '%s'",
                       operand->item[0]);
    if (multiturn && read_truth(multiturn, &options->fewshot_as_multiturn))
        return oy_fail(err, OY_USAGE, "--fewshot-as-multiturn %s", multiturn);
    return 0;
}

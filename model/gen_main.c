/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-gen: completes prompts. */
#include "model/gen.h"
#include "model/kv.h"

static const char description[] =
    "Reads records with \"prompt\" (a text) or \"ids\" (tokens) and adds "
    "\"completion\" and \"finish_reason\" (stop or length). Output has the "
    "order of the input; a completion depends on its prompt, the options, the "
    "seed and the record's number, not on the other prompts.\n"
    "\n"
    "Temperature 0 takes the best token each time. The other options filter "
    "in the order: repetition penalty, n-grams, temperature, top-k, top-p, "
    "min-p, typical-p.\n"
    "\n"
    "With --print-distribution nothing is generated: \"distribution\" is what "
    "the options leave for the next token, best first. A record with "
    "\"logits\" (null is minus infinity) and \"ids\" (what came before) needs "
    "no model.\n"
    "\n"
    "    echo 'Once upon a time' | oy-gen --model ckpt --lines";

static void init_settings(struct gen_settings *settings)
{
    *settings =
        (struct gen_settings){.n_sample = 1, .generate.max_tokens = 128};
    sampler_options_init(&settings->generate.sampler);
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct gen_settings settings;
    struct generate_options *generate = &settings.generate;
    struct sampler_options *sampler = &generate->sampler;
    int dtype = 0;
    const struct oy_option option[] = {
        {"model", 'm', OY_OPT_STRING, &settings.model, "DIR", NULL, 0,
         "Checkpoint folder: config.json, model.safetensors, tokenizer.json."},
        {"tokenizer", 't', OY_OPT_STRING, &settings.tokenizer, "PATH", NULL, 0,
         "Tokenizer; by default the model's."},
        {"dtype", 0, OY_OPT_CHOICE, &dtype, "TYPE", "f32|float32",
         OY_OPT_IN_MANIFEST, "Type of the arithmetic."},
        {"kernel", 0, OY_OPT_STRING, &settings.kernel, "NAME", NULL, 0,
         "Matrix kernel: plain, avx2, avx512 or openblas; by default the best "
         "of this CPU."},
        {"kv-memory", 0, OY_OPT_SIZE, &settings.kv_memory, "SIZE", NULL, 0,
         "Most memory for keys and values; by default no limit."},
        {"kv-dtype", 0, OY_OPT_CHOICE, &settings.kv_type, "TYPE", KV_TYPE_NAMES,
         OY_OPT_IN_MANIFEST, "How keys and values are kept; by default f32."},
        {"max-tokens", 'n', OY_OPT_INT, &generate->max_tokens, "N",
         "0:16777216", OY_OPT_IN_MANIFEST, "Most tokens of a completion."},
        {"temperature", 0, OY_OPT_DOUBLE, &sampler->temperature, "X", "0:1000",
         OY_OPT_IN_MANIFEST, "Divides the logits; 0 takes the best token."},
        {"top-k", 0, OY_OPT_INT, &sampler->top_k, "N", "0:16777216",
         OY_OPT_IN_MANIFEST, "Keep the N best tokens; 0 keeps all."},
        {"top-p", 0, OY_OPT_DOUBLE, &sampler->top_p, "X", "0:1",
         OY_OPT_IN_MANIFEST,
         "Keep the best tokens whose probabilities reach X."},
        {"min-p", 0, OY_OPT_DOUBLE, &sampler->min_p, "X", "0:1",
         OY_OPT_IN_MANIFEST,
         "Drop tokens below X times the best one's probability."},
        {"typical-p", 0, OY_OPT_DOUBLE, &sampler->typical_p, "X", "0:1",
         OY_OPT_IN_MANIFEST,
         "Keep the tokens of most typical surprise that reach X."},
        {"repetition-penalty", 0, OY_OPT_DOUBLE, &sampler->repetition_penalty,
         "X", "0.01:100", OY_OPT_IN_MANIFEST,
         "Divides positive and multiplies negative logits of tokens that were "
         "there before."},
        {"no-repeat-ngram", 0, OY_OPT_INT, &sampler->no_repeat_ngram, "N",
         "0:1000000", OY_OPT_IN_MANIFEST,
         "No run of N tokens comes twice; 0 allows it."},
        {"stop", 0, OY_OPT_LIST, &settings.stop, "TEXT", NULL,
         OY_OPT_IN_MANIFEST,
         "A text that ends a completion and is cut off. May be repeated."},
        {"n", 0, OY_OPT_INT, &settings.n_sample, "N", "1:100000",
         OY_OPT_IN_MANIFEST, "Completions of each prompt, a record each."},
        {"ignore-eos", 0, OY_OPT_FLAG, &generate->ignore_eos, NULL, NULL,
         OY_OPT_IN_MANIFEST, "Go on behind the model's end of text."},
        {"with-ids", 0, OY_OPT_FLAG, &settings.with_ids, NULL, NULL,
         OY_OPT_IN_MANIFEST, "Add \"completion_ids\"."},
        {"print-distribution", 0, OY_OPT_FLAG, &settings.print_distribution,
         NULL, NULL, OY_OPT_IN_MANIFEST,
         "Print what the options leave for the next token."},
        {"lines", 0, OY_OPT_FLAG, &settings.lines, NULL, NULL,
         OY_OPT_IN_MANIFEST, "Plain prompts in, a line each; plain text out."},
        {0}};
    struct oy_program program = {.name = "oy-gen",
                                 .synopsis = "--model DIR [OPTION]... "
                                             "[FILE]...",
                                 .summary = "complete prompts with a model",
                                 .description = description,
                                 .option = option};

    init_settings(&settings);
    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        gen_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-score: answers requests with a model. */
#include "eval/merge.h"
#include "eval/score.h"
#include "model/engine.h"
#include "model/kv.h"

static const char description[] =
    "Reads requests as oy-ask writes them and adds their answers: "
    "\"logprob\" and \"is_greedy\" to a log-likelihood, \"logprob\" to a "
    "rolling text. A request that was made by hand needs only \"context\" and "
    "\"continuation\", or \"context_ids\" and \"continuation_ids\". Its "
    "\"embeds\" are rows in the place of tokens of the context, as oy-gen's "
    "are of the prompt.\n"
    "\n"
    "Tokens that requests of a task have in common are computed once. The "
    "output has the order of the input, and its numbers depend neither on "
    "other requests nor on the number of threads.\n"
    "\n"
    "With --journal an interrupted run goes on where it was: answers that "
    "stand in the file are not computed again.\n"
    "\n"
    "--shard I/N answers every N-th document, from the I-th on; --merge puts"
    " the outputs of all shards together, as oy-grade does by itself.\n"
    "\n"
    "    oy-ask --tasks arc_easy | oy-score --model ckpt | oy-grade\n"
    "\n"
    "    oy-score --merge -o all.jsonl part1.jsonl part2.jsonl part3.jsonl";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct score_settings settings = {0};
    int merge = 0;
    const struct oy_option option[] = {
        {"model", 'm', OY_OPT_STRING, &settings.scorer.model, "DIR", NULL, 0,
         "Checkpoint folder: config.json, model.safetensors, tokenizer.json; "
         "or "
         "cmd:COMMAND, a shell's command that reads request lines and writes "
         "each again with its answer, in order."},
        {"tokenizer", 't', OY_OPT_STRING, &settings.scorer.tokenizer, "PATH",
         NULL, 0, "Tokenizer; by default the model's."},
        {"dtype", 0, OY_OPT_CHOICE, &settings.scorer.type, "TYPE",
         ENGINE_TYPE_NAMES, OY_OPT_IN_MANIFEST,
         "Type of the products with weights, by default f32; q8 rounds inputs "
         "to "
         "8 bits and takes quantised weights as they are."},
        {"kernel", 0, OY_OPT_STRING, &settings.scorer.kernel, "NAME", NULL, 0,
         "Matrix kernel: plain, avx2, avx512 or openblas; by default the best "
         "of this CPU."},
        {"max-length", 0, OY_OPT_INT, &settings.scorer.max_length, "N",
         "1:16777216", OY_OPT_IN_MANIFEST,
         "Tokens of an input; longer ones lose their beginning. By default "
         "what the model's configuration says."},
        {"kv-memory", 0, OY_OPT_SIZE, &settings.scorer.kv_memory, "SIZE", NULL,
         0, "Most memory for keys and values; by default no limit."},
        {"kv-dtype", 0, OY_OPT_CHOICE, &settings.scorer.kv_type, "TYPE",
         KV_TYPE_NAMES, OY_OPT_IN_MANIFEST,
         "How keys and values are kept; by default f32."},
        {"per-token", 0, OY_OPT_FLAG, &settings.scorer.per_token, NULL, NULL,
         OY_OPT_IN_MANIFEST, "Add \"token_logprobs\"."},
        {"top-logprobs", 0, OY_OPT_INT, &settings.scorer.top_logprobs, "K",
         "0:1000", OY_OPT_IN_MANIFEST,
         "Add \"top_logprobs\": the K best tokens of each scored position."},
        {"logits", 0, OY_OPT_STRING, &settings.logits, "FILE", NULL, 0,
         "Write the logits of every scored token of request N as tensor "
         "logits.N of a safetensors file."},
        {"journal", 0, OY_OPT_STRING, &settings.journal, "FILE", NULL, 0,
         "Keep answers in FILE and do not compute those that stand there."},
        {"profile", 0, OY_OPT_FLAG, &settings.scorer.profile, NULL, NULL, 0,
         "Print on standard error where the time went, kernel by kernel: "
         "seconds and their part, operations and bytes a second, and how much "
         "that is of the roofline, whose ceilings of arithmetic and memory are "
         "measured on the same threads first."},
        {"merge", 0, OY_OPT_FLAG, &merge, NULL, NULL, OY_OPT_IN_MANIFEST,
         "Score nothing; write the answered streams of all shards as one."},
        {"dry-run", 0, OY_OPT_FLAG, &settings.scorer.dry_run, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Score nothing; print how many requests and tokens there are."},
        {0}};
    struct oy_program program = {.name = "oy-score",
                                 .synopsis = "--model DIR [OPTION]... "
                                             "[FILE]...",
                                 .summary = "answer requests with a model",
                                 .description = description,
                                 .option = option};

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err)) {
        if (merge)
            merge_run(&run, &err);
        else
            score_run(&settings, &run, &err);
    }
    return oy_run_exit(&run, &err);
}

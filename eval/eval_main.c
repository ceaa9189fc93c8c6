/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-eval: scores a model on benchmarks. */
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/log.h"
#include "eval/ask_chat.h"
#include "eval/ask_settings.h"
#include "eval/evaluate.h"
#include "eval/task_list.h"
#include "model/engine.h"
#include "model/kv.h"

static const char description[] =
    "Asks the questions of benchmark tasks, answers them with the model and "
    "grades the answers: oy-ask, oy-score and oy-grade in one process. Prints "
    "lm-evaluation-harness's table; -o writes its results JSON.\n"
    "\n"
    "Tokens that requests of a task have in common are computed once. With "
    "--journal an interrupted run goes on where it was.\n"
    "\n"
    "--shard I/N answers every N-th document, from the I-th on, and writes the"
    " answers to -o, to be graded when all N are there: oy-grade part*.jsonl."
    "\n\n"
    "Tasks of programs (humaneval, mbpp) want --confirm_run_unsafe_code, as in"
    " lm-eval; programs are run in oy-grade's sandbox.\n"
    "\n"
    "lm-eval's spellings are understood: --model hf --model_args "
    "pretrained=DIR,dtype=float32 is --model DIR; --output_path is -o; "
    "--log_samples writes samples beside the results. --device and "
    "--batch_size change nothing here.\n"
    "\n"
    "--list shows the tasks there are (or those of --tasks): version, kind of "
    "requests, shots, whether their data are here, and the data set on the hub "
    "that they come from. Data are JSONL files, "
    "DIR/cais__mmlu/anatomy/test.jsonl for that split of cais/mmlu.\n"
    "\n"
    "    oy-eval --model ckpt --tasks arc_easy,wikitext -o results.json\n"
    "    oy-eval --list --tasks 'mmlu_*_history'";

/* Options of lm-eval that become others. */
struct spellings {
    const char *model_args;
    const char *output_path;
    const char *device, *batch_size;
    int log_samples;
};

enum { N_OWN = 14 };

static void fill_options(struct evaluate_settings *settings,
                         struct spellings *spellings, int *list,
                         struct oy_option *option)
{
    struct scorer_options *scorer = &settings->scorer;
    const struct oy_option table[N_OWN] = {
        {"model", 'm', OY_OPT_STRING, &scorer->model, "DIR", NULL, 0,
         "Checkpoint folder: config.json, model.safetensors, tokenizer.json; "
         "or cmd:COMMAND, a shell's command that reads request lines and "
         "writes each again with its answer, in order."},
        {"model_args", 'a', OY_OPT_STRING, &spellings->model_args, "LIST", NULL,
         OY_OPT_HIDDEN, "lm-eval's: pretrained=DIR,max_length=N."},
        {"tokenizer", 't', OY_OPT_STRING, &scorer->tokenizer, "PATH", NULL, 0,
         "Tokenizer; by default the model's."},
        {"dtype", 0, OY_OPT_CHOICE, &scorer->type, "TYPE", ENGINE_TYPE_NAMES,
         OY_OPT_IN_MANIFEST,
         "Type of the products with weights, by default f32; q8 rounds inputs "
         "to 8 bits and takes quantised weights as they are."},
        {"kernel", 0, OY_OPT_STRING, &scorer->kernel, "NAME", NULL, 0,
         "Matrix kernel: plain, avx2, avx512 or openblas; by default the best "
         "of this CPU."},
        {"max-length", 0, OY_OPT_INT, &scorer->max_length, "N", "1:16777216",
         OY_OPT_IN_MANIFEST,
         "Tokens of an input; longer ones lose their beginning. By default "
         "what the model's configuration says."},
        {"kv-memory", 0, OY_OPT_SIZE, &scorer->kv_memory, "SIZE", NULL, 0,
         "Most memory for keys and values; by default no limit."},
        {"kv-dtype", 0, OY_OPT_CHOICE, &scorer->kv_type, "TYPE", KV_TYPE_NAMES,
         OY_OPT_IN_MANIFEST, "How keys and values are kept; by default f32."},
        {"list", 0, OY_OPT_FLAG, list, NULL, NULL, 0,
         "Show the tasks and where their data are; evaluate nothing."},
        {"journal", 0, OY_OPT_STRING, &settings->journal, "FILE", NULL, 0,
         "Keep answers in FILE and do not compute those that stand there."},
        {"log_samples", 's', OY_OPT_FLAG, &spellings->log_samples, NULL, NULL,
         OY_OPT_HIDDEN, "lm-eval's: samples files beside the results."},
        {"output_path", 0, OY_OPT_STRING, &spellings->output_path, "FILE", NULL,
         OY_OPT_HIDDEN, "lm-eval's: the same as -o."},
        {"device", 0, OY_OPT_STRING, &spellings->device, "NAME", NULL,
         OY_OPT_HIDDEN, "lm-eval's: ignored."},
        {"batch_size", 'b', OY_OPT_STRING, &spellings->batch_size, "N", NULL,
         OY_OPT_HIDDEN, "lm-eval's: ignored."},
    };

    memcpy(option, table, sizeof table);
}

/* The folder of a path, in the arena. */
static const char *folder_of(const char *path, struct oy_arena *arena)
{
    const char *slash = strrchr(path, '/');

    return slash ? oy_arena_copy(arena, path, (size_t)(slash - path) + 1)
                 : "./";
}

static int apply_spellings(const struct spellings *spellings,
                           struct evaluate_settings *settings,
                           struct oy_run *run, struct oy_arena *arena,
                           struct oy_error *err)
{
    const char *model = settings->scorer.model;

    if (spellings->device || spellings->batch_size)
        oy_note("--device and --batch_size are ignored");
    if (spellings->output_path && !run->output)
        run->output = spellings->output_path;
    if (spellings->log_samples && !settings->grade.log_samples) {
        if (!run->output)
            return oy_fail(err, OY_USAGE, "--log_samples needs -o");
        settings->grade.log_samples = folder_of(run->output, arena);
    }
    if (model && (!strcmp(model, "hf") || !strcmp(model, "huggingface")))
        settings->scorer.model = NULL;
    return spellings->model_args
               ? evaluate_parse_model_args(spellings->model_args,
                                           &settings->scorer, arena, err)
               : 0;
}

/* Where the chat template is looked for. */
static const char *template_path(const struct scorer_options *scorer)
{
    return scorer->tokenizer ? scorer->tokenizer : scorer->model;
}

static int show_list(const struct ask_settings *ask, struct oy_error *err)
{
    struct oy_buffer out = {0};
    int rc = task_list_print(ask->tasks, ask->data, &out, err);

    if (rc == 0 &&
        (fwrite(oy_buffer_string(&out), 1, out.len, stdout) != out.len ||
         fflush(stdout) != 0))
        rc = oy_fail_errno(err, OY_IO, "standard output");
    oy_buffer_release(&out);
    return rc;
}

static int evaluate(struct ask_settings *ask, const struct oy_program *program,
                    const struct spellings *spellings,
                    struct evaluate_settings *settings, struct oy_run *run,
                    struct oy_error *err)
{
    struct oy_arena arena = {0};
    struct ask_chat chat = {0};
    int rc = ask_settings_finish(ask, program, run, &settings->ask, err);

    if (rc == 0)
        rc = apply_spellings(spellings, settings, run, &arena, err);
    if (rc == 0)
        rc = grade_options_finish(&settings->grade, err);
    if (rc == 0)
        rc = ask_chat_choose(&chat, ask->chat_template,
                             template_path(&settings->scorer), &settings->ask,
                             err);
    if (rc == 0) {
        settings->grade.threads = run->threads;
        settings->grade.refuse_code = !ask->confirm_run_unsafe_code;
        rc = evaluate_run(settings, run, err);
    }
    ask_chat_release(&chat);
    oy_arena_release(&arena);
    return rc;
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct ask_settings ask;
    int list = 0;
    struct evaluate_settings settings = {0};
    struct spellings spellings = {0};
    struct oy_option option[N_OWN + GRADE_N_OPTION + ASK_N_OPTION + 1] = {0};
    struct oy_program program = {.name = "oy-eval",
                                 .synopsis =
                                     "--model DIR --tasks LIST [OPTION]...",
                                 .summary = "score a model on benchmarks",
                                 .description = description,
                                 .option = option};

    ask_settings_init(&ask);
    grade_options_init(&settings.grade);
    fill_options(&settings, &spellings, &list, option);
    grade_options_table(&settings.grade, option + N_OWN);
    ask_settings_options(&ask, option + N_OWN + GRADE_N_OPTION);
    oy_run_init(&run, argv[0]);
    if (oy_run_parse(&run, &program, argc, argv, &err) == 0) {
        if (list)
            show_list(&ask, &err);
        else
            evaluate(&ask, &program, &spellings, &settings, &run, &err);
    }
    return oy_run_exit(&run, &err);
}

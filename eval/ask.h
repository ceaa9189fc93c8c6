/* SPDX-License-Identifier: Apache-2.0
 *
 * From the names of tasks to requests: the work of oy-ask, as one call.
 *
 * Tasks are asked one after the other, their documents in order; prompts,
 * few-shot draws and continuations are lm-eval 0.4.13's (the rules stand in
 * eval/prompt.h and eval/fewshot.h). The same options and data give the same
 * stream.
 */
#ifndef EVAL_ASK_H
#define EVAL_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "eval/request.h"

/* How a chat template is applied, when one is: the model's side is asked to
 * render messages [{"role","content"}, ...] (serialised JSON). Appends to
 * `out`. -1 with err. */
typedef int (*ask_chat_render)(void *arg, const char *messages, size_t len,
                               int add_generation_prompt, struct oy_buffer *out,
                               struct oy_error *err);

struct ask_options {
    const char *tasks;   /* names of tasks, groups or FILE.json, by commas */
    const char *data;    /* folder of data sets; NULL: see task_data.h */
    int64_t num_fewshot; /* -1: as the task says */
    double limit;        /* documents a task; below 1 a fraction; 0: all */
    /* lm-eval's --samples: a JSON object {task: [doc ids]} or the path of a
     * file that holds one; NULL: all. Contradicts `limit`. */
    const char *samples;
    /* lm-eval's --gen_kwargs, "a=b,c=d" or a JSON object: over the tasks'
     * own generation_kwargs; NULL: none. */
    const char *gen_kwargs;
    int64_t seed[4]; /* random, numpy, torch, few-shot; only the last acts */
    /* --shard: of all documents those whose number, from 0, leaves the rest
     * `shard_index`. The header and the examples are those of the whole. */
    uint64_t shard_index, shard_count;
    const char *system_instruction; /* or NULL */
    int fewshot_as_multiturn;       /* with a chat template */
    ask_chat_render chat;           /* NULL: plain text */
    void *chat_arg;
    const char *chat_template; /* its text, for its hash; or NULL */
};

/* lm-eval's defaults: everything, seeds 0,1234,1234,1234. */
void ask_options_init(struct ask_options *options);

/* Reads "A" (for all four) or "A,B,C,D" as lm-eval's --seed does. -1 when it
 * is neither. */
int ask_parse_seed(const char *text, int64_t seed[4]);

/* Who takes the stream. Both return 0, or -1 with err to end the run. All
 * they are given is borrowed until they return. */
struct ask_sink {
    /* First, once: the value of "oyster_run" as serialised JSON. */
    int (*header)(void *arg, const char *run, size_t len, struct oy_error *err);
    int (*request)(void *arg, const struct request *request,
                   struct oy_error *err);
    void *arg;
};

/* Asks everything. 0, or -1 with err: 64 contradictory options, 65 bad task
 * or data, 66 unknown task or missing data. */
int ask_run(const struct ask_options *options, const struct ask_sink *sink,
            struct oy_error *err);

/* For oy-decon: instead of requests, every document's text (its prompt
 * without shots, and its right answer) as {"id","text","task"} lines. */
int ask_texts(const struct ask_options *options,
              int (*put)(void *arg, const char *line, size_t len,
                         struct oy_error *err),
              void *arg, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that oy-ask and oy-eval share, lm-eval's spellings among them,
 * and what they come to.
 */
#ifndef EVAL_ASK_SETTINGS_H
#define EVAL_ASK_SETTINGS_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"
#include "eval/ask.h"

struct ask_settings {
    const char *tasks;
    const char *data;
    const char *samples;
    const char *gen_kwargs;
    const char *seed; /* lm-eval's list */
    const char *system_instruction;
    const char *fewshot_as_multiturn; /* NULL; "" or "True"; "False" */
    const char *chat_template;        /* --apply-chat-template[=NAME] */
    int64_t num_fewshot;
    int64_t fewshot_seed;
    double limit;
    int confirm_run_unsafe_code; /* lm-eval's; oy-ask only accepts it */
};

enum { ASK_N_OPTION = 12 };

void ask_settings_init(struct ask_settings *settings);

/* Fills option[0 .. ASK_N_OPTION-1]; the table points into `settings`. */
void ask_settings_options(struct ask_settings *settings,
                          struct oy_option *option);

/* What the options come to, with the shard and operands of `run`: lm-eval lets the value of
 * --fewshot_as_multiturn stand by itself, and so it arrives as an operand;
 * any other is a usage error. */
int ask_settings_finish(const struct ask_settings *settings,
                        const struct oy_program *program,
                        const struct oy_run *run, struct ask_options *options,
                        struct oy_error *err);

#endif

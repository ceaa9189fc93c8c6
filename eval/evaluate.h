/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-eval: asks, scores and grades in one process.
 *
 * The same calls as oy-ask | oy-score | oy-grade, without the stream between
 * them: results are equal byte for byte, and so are the keys of journals.
 */
#ifndef EVAL_EVALUATE_H
#define EVAL_EVALUATE_H

#include "core/error.h"
#include "core/run.h"
#include "eval/ask.h"
#include "eval/grade.h"
#include "eval/scorer.h"

struct evaluate_settings {
    struct ask_options ask;
    struct scorer_options scorer; /* model and what belongs to it */
    struct grade_options grade;
    const char *journal; /* or NULL */
};

/* Takes lm-eval's "pretrained=X,dtype=Y,max_length=N" apart: what it says
 * goes into `options`, whose texts then lie in `arena`. -1 with err (64):
 * something that is not understood. */
struct oy_arena;
int evaluate_parse_model_args(const char *text, struct scorer_options *options,
                              struct oy_arena *arena, struct oy_error *err);

/* Runs all, prints the table on standard output and writes the results JSON
 * to -o, if given. */
int evaluate_run(const struct evaluate_settings *settings, struct oy_run *run,
                 struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-score: a stream of requests in, the same stream with answers out.
 *
 * Requests are collected in windows (those of one task, up to a few thousand,
 * whole documents), answered together and written in the order in which they
 * came. Header lines pass and tell who answered.
 */
#ifndef EVAL_SCORE_H
#define EVAL_SCORE_H

#include "core/error.h"
#include "core/run.h"
#include "eval/scorer.h"

struct score_settings {
    struct scorer_options scorer; /* progress, keep_logits are set here */
    const char *logits;           /* --logits FILE or NULL */
    const char *journal;          /* --journal FILE or NULL */
};

int score_run(const struct score_settings *settings, struct oy_run *run,
              struct oy_error *err);

#endif

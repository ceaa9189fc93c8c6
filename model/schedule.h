/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning rates by step: pure functions of the step's number.
 *
 * t counts optimiser steps from 0; n is the whole number of steps, w the
 * warm-up, m = floor ratio times the peak lr.
 *
 *     constant   lr, after the warm-up lr (t + 1) / (w + 1)
 *     cosine     lr (t + 1) / (w + 1) while t < w, then
 *                m + (lr - m) (1 + cos(pi (t - w) / (n - w))) / 2
 *                (nanoGPT, train.py: get_lr)
 *     linear     the same warm-up, then straight to m at step n
 *     wsd        lr (t + 1) / w while t < w, then lr, then
 *                lr (n - t) / d in the last d steps
 *     minimind   lr (0.1 + 0.45 (1 + cos(pi (t + 1) / n)))
 *                (MiniMind, trainer/trainer_utils.py: get_lr)
 */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H

#include <stdint.h>

enum schedule_kind {
    SCHEDULE_COSINE,
    SCHEDULE_WSD,
    SCHEDULE_LINEAR,
    SCHEDULE_CONSTANT,
    SCHEDULE_MINIMIND,
};

struct schedule {
    enum schedule_kind kind;
    double lr;        /* peak */
    double min_ratio; /* m / lr, of cosine and linear */
    int64_t warmup;
    int64_t decay; /* wsd: steps of the decay */
    int64_t steps; /* in all; a step beyond gets the rate of the last */
};

double schedule_rate(const struct schedule *schedule, int64_t t);

#endif

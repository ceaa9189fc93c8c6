/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning rates by step.
 */
#include "model/schedule.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

/* Fraction of the way from the warm-up's end to the last step. */
static double progress(const struct schedule *s, int64_t t)
{
    if (s->steps <= s->warmup)
        return 0.0;
    return (double)(t - s->warmup) / (double)(s->steps - s->warmup);
}

static double wsd_rate(const struct schedule *s, int64_t t)
{
    if (t < s->warmup)
        return s->lr * (double)(t + 1) / (double)s->warmup;
    if (s->decay > 0 && t >= s->steps - s->decay)
        return s->lr * (double)(s->steps - t) / (double)s->decay;
    return s->lr;
}

double schedule_rate(const struct schedule *schedule, int64_t t)
{
    const struct schedule *const s = schedule;
    const double floor = s->min_ratio * s->lr;

    if (s->steps > 0 && t >= s->steps)
        t = s->steps - 1;
    if (s->kind == SCHEDULE_MINIMIND)
        return s->lr * (0.1 + 0.45 * (1.0 + cos(PI * (double)(t + 1) /
                                                (double)s->steps)));
    if (s->kind == SCHEDULE_WSD)
        return wsd_rate(s, t);
    if (t < s->warmup)
        return s->lr * (double)(t + 1) / (double)(s->warmup + 1);
    if (s->kind == SCHEDULE_COSINE)
        return floor + (s->lr - floor) * 0.5 * (1.0 + cos(PI * progress(s, t)));
    if (s->kind == SCHEDULE_LINEAR)
        return s->lr + (floor - s->lr) * progress(s, t);
    return s->lr;
}

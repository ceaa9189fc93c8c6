/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: what one document scores, how scores are put together, and the
 * standard error of that; lm-eval's (api/metrics.py, api/task.py).
 *
 * Sums run in document order with plain doubles, as Python's sum() up to 3.11
 * does. An error that does not exist is NaN ("N/A" in results).
 */
#ifndef EVAL_METRIC_H
#define EVAL_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "core/pool.h"

enum metric_aggregation {
    METRIC_MEAN,
    METRIC_PERPLEXITY,          /* exp(-mean) */
    METRIC_WEIGHTED_PERPLEXITY, /* exp(-sum / sum of weights) */
    METRIC_BITS_PER_BYTE,       /* -sum / sum of weights / ln 2 */
};

struct metric_kind {
    const char *name;
    enum metric_aggregation aggregation;
    int higher_is_better;
};

/* A metric by lm-eval's name, or NULL. */
const struct metric_kind *metric_find(const char *name);

/* numpy.argmax: the first of the greatest; the first NaN is greater than
 * anything. n > 0. */
size_t metric_argmax(const double *value, size_t n);

/* What a choice came to. */
struct metric_choice {
    double logprob;
    int is_greedy;
    size_t n_char; /* code points of the choice, without the delimiter */
    size_t n_byte;
    int is_right; /* several may be */
};

/* The choice that a metric holds for the model's answer: the likeliest, for
 * acc_norm and acc_bytes in relation to its length. */
size_t metric_choose(const char *name, const struct metric_choice *choice,
                     size_t n);

/* A multiple-choice metric of one document (acc, acc_norm, acc_bytes: whether
 * the best is right; exact_match: whether a right one is greedy). */
double metric_of_choices(const char *name, const struct metric_choice *choice,
                         size_t n);

/* The share of the choices' probability that lies on the right ones, those
 * whose `right` is not 0 (truthfulqa_mc2). Nothing is subtracted before exp():
 * very long choices may all vanish, which gives NaN, as in lm-eval
 * (lm_eval/tasks/truthfulqa/utils.py). */
double metric_of_labels(const struct metric_choice *choice,
                        const uint8_t *right, size_t n);

/* The chance that one of k answers is right, of n of which `right` are: 1 - (n
 * - right choose k) / (n choose k), in human-eval's order of arithmetic
 * (evaluation.py, estimate_pass_at_k). 1 <= k <= n. */
double metric_pass_at_k(int64_t n, int64_t right, int64_t k);

/* One document's share: a value, and a weight where the metric has one. */
struct metric_item {
    double value;
    double weight;
};

double metric_aggregate(enum metric_aggregation aggregation,
                        const struct metric_item *item, size_t n);

/* The standard error: of a mean, sample sd over sqrt(n); of a perplexity, by
 * bootstrap: `iters` replicates in chunks of 1000, chunk j drawn by Python's
 * random.Random(j), the sample sd of all (mean_stderr, bootstrap_stderr of
 * api/metrics.py); of the weighted ones, none. NaN for n < 2 or iters 0. The
 * pool (or NULL) shares the chunks and changes nothing. */
double metric_error(enum metric_aggregation aggregation,
                    const struct metric_item *item, size_t n, int64_t iters,
                    struct oy_pool *pool);

/* A group's value and error from its leaves (api/metrics.py,
 * aggregate_subtask_metrics, pooled_sample_stderr, unweighted_mean_stderr).
 * An error that is NaN makes the group's NaN. */
double metric_group_value(const double *value, const double *size, size_t n,
                          int weighted);
double metric_group_error(const double *error, const double *size, size_t n,
                          int weighted);

#endif

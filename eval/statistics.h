/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics of paired comparisons: errors, tests, corrections.
 *
 * Formulas: Miller, "Adding Error Bars to Evals" (arXiv 2411.00640) for paired
 * and clustered standard errors; McNemar's exact test; Holm 1979. All
 * functions are pure; sums run in index order, so equal inputs give equal
 * bits.
 */
#ifndef EVAL_STATISTICS_H
#define EVAL_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

double statistics_mean(const double *x, size_t n);
/* Standard error of the mean: sd with n - 1, over sqrt(n). 0 for n < 2. */
double statistics_standard_error(const double *x, size_t n);
/* Pearson's correlation; NaN when a variance is 0. */
double statistics_correlation(const double *x, const double *y, size_t n);

/* P(|Z| >= |z|) of a standard normal; NaN for NaN. */
double statistics_normal_two_sided(double z);
/* P(Z >= z). */
double statistics_normal_upper(double z);
/* P(|T| >= |t|) of Student's t with `df` degrees of freedom. */
double statistics_t_two_sided(double t, double df);
/* P(X >= k) for n fair coins; relative error about 1e-12 far into the tail. */
double statistics_fair_coin_upper(uint64_t n, uint64_t k);
/* McNemar's exact two-sided p for the two counts of discordant pairs. */
double statistics_mcnemar(uint64_t only_a, uint64_t only_b);

/* Holm's step-down correction: adjusted[i] of p[i]. NaN entries do not count
 * as tests and stay NaN. */
void statistics_holm(const double *p, double *adjusted, size_t n);

/* Percentile q (0..100) of values sorted ascending, by linear interpolation
 * as numpy.percentile does. */
double statistics_percentile(const double *sorted, size_t n, double q);

/* Standard errors of a mean whose items come in clusters: Miller's formula
 * (it can be smaller than the plain one), and the sandwich estimators CR0 and
 * CR1 = CR0 sqrt(C / (C - 1)). cluster[i] is 0 .. n_cluster-1. */
struct statistics_clustered {
    double miller;
    double cr0;
    double cr1;
};
struct statistics_clustered statistics_cluster_errors(const double *x,
                                                      const size_t *cluster,
                                                      size_t n,
                                                      size_t n_cluster);

/* Paired bootstrap of a ratio of sums. Items are documents or clusters of
 * them; a replicate draws n_item items with replacement (floor(random() * n)
 * with Python's random.Random(seed), so that others can repeat it) and takes
 *     new_sum / new_weight - base_sum / base_weight.
 * For a mean the weights are document counts. */
struct statistics_bootstrap_item {
    double base_sum, base_weight;
    double new_sum, new_weight;
};
struct statistics_bootstrap {
    double low, high; /* 95 % percentile interval */
    double sd;        /* of the replicates, n - 1 */
    double not_above; /* (1 + replicates <= 0) / (B + 1) */
    double not_below; /* (1 + replicates >= 0) / (B + 1) */
};
struct statistics_bootstrap statistics_bootstrap_run(
    const struct statistics_bootstrap_item *item, size_t n_item,
    size_t n_replicate, uint64_t seed);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors, tests and corrections of paired comparisons. */
#include "eval/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "eval/python_random.h"

double statistics_mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : NAN;
}

/* Sum of (x - mean x)(y - mean y). */
static double sum_of_products(const double *x, const double *y, size_t n)
{
    const double mean_x = statistics_mean(x, n), mean_y = statistics_mean(y, n);
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean_x) * (y[i] - mean_y);
    return sum;
}

double statistics_standard_error(const double *x, size_t n)
{
    if (n < 2)
        return 0;
    return sqrt(sum_of_products(x, x, n) / ((double)n * (double)(n - 1)));
}

double statistics_correlation(const double *x, const double *y, size_t n)
{
    const double xx = sum_of_products(x, x, n), yy = sum_of_products(y, y, n);

    if (!(xx > 0) || !(yy > 0))
        return NAN;
    return sum_of_products(x, y, n) / sqrt(xx) / sqrt(yy);
}

double statistics_normal_upper(double z)
{
    return 0.5 * erfc(z / sqrt(2.0));
}

double statistics_normal_two_sided(double z)
{
    return erfc(fabs(z) / sqrt(2.0));
}

/* Continued fraction of the incomplete beta function by Lentz's method (DLMF
 * 8.17.22); converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);

    d = 1 / (fabs(d) < tiny ? tiny : d);
    double result = d;
    for (int m = 1; m < 10000; m++) {
        for (int odd = 0; odd < 2; odd++) {
            const double step =
                odd ? -(a + m) * (a + b + m) * x /
                          ((a + 2 * m) * (a + 2 * m + 1))
                    : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + step * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + step / c;
            c = fabs(c) < tiny ? tiny : c;
            result *= c * d;
            if (odd && fabs(c * d - 1) < 1e-16)
                return result;
        }
    }
    return result;
}

/* Regularised incomplete beta I_x(a, b); `y` is 1 - x without cancellation. */
static double incomplete_beta(double a, double b, double x, double y)
{
    const double front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));

    if (x <= 0)
        return 0;
    if (y <= 0)
        return 1;
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

double statistics_t_two_sided(double t, double df)
{
    if (isnan(t))
        return NAN;
    const double sum = df + t * t;
    return incomplete_beta(df / 2, 0.5, df / sum, t * t / sum);
}

double statistics_fair_coin_upper(uint64_t n, uint64_t k)
{
    if (k == 0)
        return 1;
    if (k > n)
        return 0;
    /* The larger half is one minus the smaller: no cancellation there. */
    if (2 * k <= n)
        return 1 - statistics_fair_coin_upper(n, n - k + 1);
    const double first = lgamma((double)n + 1) - lgamma((double)k + 1) -
                         lgamma((double)(n - k) + 1) - (double)n * M_LN2;
    double term = 1, sum = 0;
    for (uint64_t i = k; i <= n && term > 0; i++) {
        sum += term;
        term *= (double)(n - i) / (double)(i + 1);
    }
    return exp(first) * sum;
}

double statistics_mcnemar(uint64_t only_a, uint64_t only_b)
{
    const uint64_t more = only_a > only_b ? only_a : only_b;
    const double p = 2 * statistics_fair_coin_upper(only_a + only_b, more);

    return p < 1 ? p : 1;
}

struct ranked {
    double p;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

void statistics_holm(const double *p, double *adjusted, size_t n)
{
    struct ranked *order = oy_alloc_array(n, sizeof *order);
    size_t n_test = 0;
    double top = 0;

    for (size_t i = 0; i < n; i++) {
        adjusted[i] = NAN;
        if (!isnan(p[i]))
            order[n_test++] = (struct ranked){p[i], i};
    }
    qsort(order, n_test, sizeof *order, compare_ranked);
    for (size_t i = 0; i < n_test; i++) {
        const double scaled = (double)(n_test - i) * order[i].p;
        top = fmax(top, fmin(1, scaled));
        adjusted[order[i].index] = top;
    }
    oy_free(order);
}

double statistics_percentile(const double *sorted, size_t n, double q)
{
    const double place = q / 100 * (double)(n - 1);
    const size_t low = (size_t)floor(place);

    if (low + 1 >= n)
        return sorted[n - 1];
    const double part = place - (double)low;
    /* numpy interpolates from the nearer end. */
    const double step = sorted[low + 1] - sorted[low];
    return part < 0.5 ? sorted[low] + step * part
                      : sorted[low + 1] - step * (1 - part);
}

struct statistics_clustered statistics_cluster_errors(const double *x,
                                                      const size_t *cluster,
                                                      size_t n,
                                                      size_t n_cluster)
{
    const double mean = statistics_mean(x, n);
    const double plain = statistics_standard_error(x, n);
    double *sum = oy_calloc(n_cluster, sizeof *sum);
    double squares = 0, own = 0;

    for (size_t i = 0; i < n; i++) {
        sum[cluster[i]] += x[i] - mean;
        own += (x[i] - mean) * (x[i] - mean);
    }
    for (size_t c = 0; c < n_cluster; c++)
        squares += sum[c] * sum[c];
    oy_free(sum);

    const double count = (double)n, clusters = (double)n_cluster;
    const double cross = (squares - own) / (count * count);
    const double cr0 = sqrt(squares) / count;
    return (struct statistics_clustered){
        .miller = sqrt(fmax(0, plain * plain + cross)),
        .cr0 = cr0,
        .cr1 = n_cluster > 1 ? cr0 * sqrt(clusters / (clusters - 1)) : cr0,
    };
}

static int compare_double(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double draw_replicate(const struct statistics_bootstrap_item *item,
                             size_t n_item, struct python_random *random)
{
    struct statistics_bootstrap_item sum = {0};

    for (size_t i = 0; i < n_item; i++) {
        const size_t at = python_random_choice(random, n_item);
        sum.base_sum += item[at].base_sum;
        sum.base_weight += item[at].base_weight;
        sum.new_sum += item[at].new_sum;
        sum.new_weight += item[at].new_weight;
    }
    /* One division where the weights agree, so that a mean of whole numbers
   * is exact. */
    if (sum.base_weight == sum.new_weight)
        return (sum.new_sum - sum.base_sum) / sum.new_weight;
    return sum.new_sum / sum.new_weight - sum.base_sum / sum.base_weight;
}

struct statistics_bootstrap statistics_bootstrap_run(
    const struct statistics_bootstrap_item *item, size_t n_item,
    size_t n_replicate, uint64_t seed)
{
    double *value = oy_alloc_array(n_replicate, sizeof *value);
    size_t n_low = 0, n_high = 0;
    struct python_random random;

    python_random_init(&random, (int64_t)seed);
    for (size_t b = 0; b < n_replicate; b++) {
        value[b] = draw_replicate(item, n_item, &random);
        n_low += value[b] <= 0;
        n_high += value[b] >= 0;
    }
    const double error = statistics_standard_error(value, n_replicate);
    qsort(value, n_replicate, sizeof *value, compare_double);
    const double trials = (double)n_replicate + 1;
    const struct statistics_bootstrap result = {
        .low = statistics_percentile(value, n_replicate, 2.5),
        .high = statistics_percentile(value, n_replicate, 97.5),
        .sd = error * sqrt((double)n_replicate),
        .not_above = ((double)n_low + 1) / trials,
        .not_below = ((double)n_high + 1) / trials,
    };
    oy_free(value);
    return result;
}

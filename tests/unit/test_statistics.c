/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics against values of scipy and numpy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "eval/statistics.h"

#define assert_near(a, b, relative)                                            \
    assert_true(fabs((a) - (b)) <= (relative)*fabs(b))

static void errors_of_a_mean(void **state)
{
    const double x[] = {1, 0, 1, 1, 0}, y[] = {1, 1, 0, 1, 0};

    (void)state;
    assert_near(statistics_mean(x, 5), 0.6, 1e-15);
    assert_near(statistics_standard_error(x, 5), 0.24494897427831783, 1e-14);
    assert_near(statistics_correlation(x, y, 5), 0.16666666666666669, 1e-14);
    assert_true(isnan(statistics_correlation(x, (double[5]){0}, 5)));
    assert_true(statistics_standard_error(x, 1) == 0);
}

static void tails_of_distributions(void **state)
{
    (void)state;
    assert_near(statistics_normal_two_sided(1.959963984540054), 0.05, 1e-12);
    /* scipy.stats.t.sf(2.0, 10) * 2 and sf(40, 539) * 2 */
    assert_near(statistics_t_two_sided(2.0, 10), 0.07338803477074037, 1e-12);
    assert_near(statistics_t_two_sided(0.0, 10), 1.0, 1e-12);
    assert_true(isnan(statistics_t_two_sided(NAN, 10)));
}

static void exact_tests(void **state)
{
    (void)state;
    assert_near(statistics_fair_coin_upper(10, 8), 56.0 / 1024, 1e-13);
    assert_near(statistics_fair_coin_upper(10, 2), 1013.0 / 1024, 1e-13);
    assert_true(statistics_fair_coin_upper(0, 0) == 1);
    assert_true(statistics_fair_coin_upper(3, 4) == 0);
    assert_near(statistics_mcnemar(79, 306), 1.2400534250724266e-32, 1e-10);
    assert_true(statistics_mcnemar(5, 5) == 1);
    assert_true(statistics_mcnemar(0, 0) == 1);
}

static void holm_steps_down(void **state)
{
    const double p[] = {0.01, NAN, 0.04, 0.03};
    double adjusted[4];

    (void)state;
    statistics_holm(p, adjusted, 4);
    assert_near(adjusted[0], 0.03, 1e-15);
    assert_true(isnan(adjusted[1]));
    assert_near(adjusted[2], 0.06, 1e-15);
    assert_near(adjusted[3], 0.06, 1e-15);
}

static void percentiles_interpolate(void **state)
{
    const double x[] = {1, 2, 4, 8};

    (void)state;
    assert_near(statistics_percentile(x, 4, 50), 3.0, 1e-15);
    assert_near(statistics_percentile(x, 4, 100), 8.0, 1e-15);
    assert_near(statistics_percentile(x, 1, 2.5), 1.0, 1e-15);
}

static void clusters_of_one_change_nothing(void **state)
{
    const double x[] = {1, 0, 1, 1, 0};
    const size_t own[] = {0, 1, 2, 3, 4}, pairs[] = {0, 0, 1, 1, 2};

    (void)state;
    const struct statistics_clustered a =
        statistics_cluster_errors(x, own, 5, 5);
    assert_near(a.miller, statistics_standard_error(x, 5), 1e-14);
    const struct statistics_clustered b =
        statistics_cluster_errors(x, pairs, 5, 3);
    assert_near(b.cr1, b.cr0 * sqrt(1.5), 1e-14);
}

static void bootstrap_is_repeatable(void **state)
{
    struct statistics_bootstrap_item item[40];

    (void)state;
    for (int i = 0; i < 40; i++)
        item[i] = (struct statistics_bootstrap_item){i % 2, 1, i % 3 == 0, 1};
    const struct statistics_bootstrap a =
        statistics_bootstrap_run(item, 40, 500, 7);
    const struct statistics_bootstrap b =
        statistics_bootstrap_run(item, 40, 500, 7);
    assert_true(a.low == b.low && a.high == b.high && a.sd == b.sd);
    assert_true(a.low < a.high && a.sd > 0);
    assert_true(a.not_above > a.not_below); /* 14 of 40 against 20 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_a_mean),
        cmocka_unit_test(tails_of_distributions),
        cmocka_unit_test(exact_tests),
        cmocka_unit_test(holm_steps_down),
        cmocka_unit_test(percentiles_interpolate),
        cmocka_unit_test(clusters_of_one_change_nothing),
        cmocka_unit_test(bootstrap_is_repeatable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning rates by step, against the formulas.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/schedule.h"

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-15))
        fail_msg("%.17g, want %.17g", got, want);
}

static void test_cosine(void **state)
{
    const struct schedule s = {SCHEDULE_COSINE, 3e-3, 0.1, 5, 0, 50};

    (void)state;
    near(schedule_rate(&s, 0), 3e-3 / 6);
    near(schedule_rate(&s, 4), 3e-3 * 5 / 6);
    near(schedule_rate(&s, 5), 3e-3);
    near(schedule_rate(&s, 49),
         3e-4 + 2.7e-3 * 0.5 * (1 + cos(M_PI * 44 / 45)));
    near(schedule_rate(&s, 1000), schedule_rate(&s, 49));
}

static void test_linear(void **state)
{
    const struct schedule s = {SCHEDULE_LINEAR, 1.0, 0.2, 2, 0, 12};

    (void)state;
    near(schedule_rate(&s, 0), 1.0 / 3);
    near(schedule_rate(&s, 2), 1.0);
    near(schedule_rate(&s, 7), 0.6);
    near(schedule_rate(&s, 11), 1.0 - 0.8 * 0.9);
}

static void test_wsd(void **state)
{
    const struct schedule s = {SCHEDULE_WSD, 1.0, 0.1, 5, 15, 50};

    (void)state;
    near(schedule_rate(&s, 0), 0.2);
    near(schedule_rate(&s, 4), 1.0);
    near(schedule_rate(&s, 34), 1.0);
    near(schedule_rate(&s, 35), 1.0);
    near(schedule_rate(&s, 36), 14.0 / 15);
    near(schedule_rate(&s, 49), 1.0 / 15);
}

static void test_constant(void **state)
{
    const struct schedule s = {SCHEDULE_CONSTANT, 2.0, 0.1, 3, 0, 10};

    (void)state;
    near(schedule_rate(&s, 0), 0.5);
    near(schedule_rate(&s, 3), 2.0);
    near(schedule_rate(&s, 9), 2.0);
}

static void test_minimind(void **state)
{
    const struct schedule s = {SCHEDULE_MINIMIND, 2e-3, 0.5, 7, 0, 50};

    (void)state;
    near(schedule_rate(&s, 0), 2e-3 * (0.1 + 0.45 * (1 + cos(M_PI * 1 / 50))));
    near(schedule_rate(&s, 49), 2e-4);
}

static void test_warmup_longer_than_run(void **state)
{
    const struct schedule s = {SCHEDULE_COSINE, 1.0, 0.1, 20, 0, 10};

    (void)state;
    near(schedule_rate(&s, 9), 10.0 / 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_wsd),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_minimind),
        cmocka_unit_test(test_warmup_longer_than_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/sampler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "model/sampler.h"

static struct sampler_options plain(void)
{
    struct sampler_options options;

    sampler_options_init(&options);
    return options;
}

/* Applies to a copy. */
static void apply(const struct sampler_options *options, const int32_t *history,
                  size_t n_history, const float *logits, size_t n,
                  struct distribution *out)
{
    float *copy = oy_alloc_array(n, sizeof *copy);

    memcpy(copy, logits, n * sizeof *copy);
    sampler_filter(options, history, n_history, copy, n, out);
    oy_free(copy);
}

static void assert_ids(const struct distribution *d, size_t n, ...)
{
    va_list args;
    double sum = 0;

    assert_int_equal(d->n, n);
    va_start(args, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(d->candidate[i].id, va_arg(args, int));
        sum += d->candidate[i].probability;
        if (i)
            assert_true(d->candidate[i].probability <=
                        d->candidate[i - 1].probability);
    }
    va_end(args);
    assert_true(fabs(sum - 1) < 1e-9);
}

static void test_softmax_and_temperature(void **state)
{
    const float z[] = {1, 3, -INFINITY, 2};
    struct sampler_options o = plain();
    struct distribution d = {0};
    const double sum = 1 + exp(-1) + exp(-2);

    (void)state;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 3, 1, 3, 0);
    assert_true(fabs(d.candidate[0].probability - 1 / sum) < 1e-7);
    assert_true(fabs(d.candidate[2].probability - exp(-2) / sum) < 1e-7);
    o.temperature = 2;
    apply(&o, NULL, 0, z, 4, &d);
    assert_true(fabs(d.candidate[0].probability / d.candidate[1].probability -
                     exp(0.5)) < 1e-6);
    o.temperature = 0;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 1, 1);
    distribution_release(&d);
    distribution_release(&d);
}

static void test_ties_stay(void **state)
{
    const float z[] = {2, 5, 5, 2, 2, 1};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    o.top_k = 1;
    apply(&o, NULL, 0, z, 6, &d);
    assert_ids(&d, 2, 1, 2);
    o.top_k = 3;
    apply(&o, NULL, 0, z, 6, &d);
    assert_ids(&d, 5, 1, 2, 0, 3, 4);
    o.top_k = 100;
    apply(&o, NULL, 0, z, 6, &d);
    assert_int_equal(d.n, 6);
    distribution_release(&d);
}

static void test_top_p_and_min_p(void **state)
{
    float z[4];
    const double p[] = {0.5, 0.3, 0.15, 0.05};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        z[i] = (float)log(p[i]);
    o.top_p = 0.79;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 2, 0, 1);
    o.top_p = 0.81;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 3, 0, 1, 2);
    o.top_p = 0; /* the best one stays */
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 1, 0);
    o.top_p = 1;
    o.min_p = 0.25;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 3, 0, 1, 2);
    distribution_release(&d);
}

/* Typical sampling may drop the best one. */
static void test_typical(void **state)
{
    float z[9];
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    z[0] = (float)log(0.28);
    for (int i = 1; i < 9; i++)
        z[i] = (float)log(0.09);
    o.typical_p = 0.2;
    apply(&o, NULL, 0, z, 9, &d);
    assert_int_equal(d.n, 8);
    assert_int_equal(d.candidate[0].id, 1);
    distribution_release(&d);
}

static void test_history(void **state)
{
    const float z[] = {1, -1, 2, 0.5F};
    const int32_t history[] = {0, 1, 1, 3, 0, 1};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    o.repetition_penalty = 2;
    apply(&o, history, 6, z, 4, &d);
    assert_ids(&d, 4, 2, 0, 3, 1);
    assert_true(d.candidate[1].logit == 0.5F);
    assert_true(d.candidate[3].logit == -2); /* once, though seen thrice */
    o = plain();
    o.no_repeat_ngram = 2; /* 1 was followed by 1 and by 3 */
    apply(&o, history, 6, z, 4, &d);
    assert_ids(&d, 2, 2, 0);
    o.no_repeat_ngram = 1;
    apply(&o, history, 6, z, 4, &d);
    assert_ids(&d, 1, 2);
    o.no_repeat_ngram = 9;
    apply(&o, history, 6, z, 4, &d);
    assert_int_equal(d.n, 4);
    distribution_release(&d);
}

static int descending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return (x < y) - (x > y);
}

/* top-k against sorting, with many equal values. */
static void test_selection(void **state)
{
    enum { N = 500 };
    struct distribution d = {0};
    float z[N], sorted[N];

    (void)state;
    for (uint64_t round = 0; round < 200; round++) {
        struct oy_random random = oy_random_at(5, round);
        const size_t n = 1 + (size_t)oy_random_below(&random, N);
        const uint64_t span = 1 + oy_random_below(&random, 40);
        struct sampler_options o = plain();
        for (size_t i = 0; i < n; i++)
            z[i] = (float)oy_random_below(&random, span);
        memcpy(sorted, z, n * sizeof *z);
        qsort(sorted, n, sizeof *sorted, descending);
        o.top_k = 1 + (int64_t)oy_random_below(&random, n);
        size_t want = (size_t)o.top_k;
        while (want < n && sorted[want] == sorted[want - 1])
            want++;
        apply(&o, NULL, 0, z, n, &d);
        assert_int_equal(d.n, want);
    }
    distribution_release(&d);
}

static void test_draws(void **state)
{
    const float z[] = {0, (float)log(3)};
    struct sampler_options o = plain();
    struct distribution d = {0};
    int n_first = 0;

    (void)state;
    assert_int_equal(sampler_draw(&d, &(struct oy_random){0}), -1);
    apply(&o, NULL, 0, z, 2, &d);
    for (uint64_t i = 0; i < 4000; i++) {
        struct oy_random a = oy_random_at(1, i), b = oy_random_at(1, i);
        const int32_t id = sampler_draw(&d, &a);
        assert_int_equal(id, sampler_draw(&d, &b));
        n_first += id == 1;
    }
    assert_true(abs(n_first - 3000) < 120);
    distribution_release(&d);
}

static void test_nothing_left(void **state)
{
    const float z[] = {-INFINITY, NAN};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    apply(&o, NULL, 0, z, 2, &d);
    assert_int_equal(d.n, 0);
    distribution_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_and_temperature),
        cmocka_unit_test(test_ties_stay),
        cmocka_unit_test(test_top_p_and_min_p),
        cmocka_unit_test(test_typical),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_nothing_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons of simulated runs: how often the verdict is wrong where nothing
 * changed, and right where something did. Seeds are fixed, bounds are those
 * that one in 10,000 sets of runs would miss. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "eval/compare.h"

enum { N_DOC = 150, N_RUN = 400, N_TASK = 4 };

/* Quantile of the normal at 1 in 20,000, on each side. */
#define REACH 3.891

/* Whether a share that was counted fits one that was promised. */
static void assert_share(double counted, double promised, double n)
{
    const double reach = REACH * sqrt(promised * (1 - promised) / n) + 0.5 / n;

    if (fabs(counted - promised) > reach)
        fail_msg("%g of %g runs, promised %g", counted, n, promised);
}

static void init_results(struct compare_results *results, size_t n_task)
{
    static char *const name[N_TASK] = {"a", "b", "c", "d"};

    *results = (struct compare_results){.name = "r", .n_task = n_task};
    results->task = oy_calloc(n_task, sizeof *results->task);
    for (size_t i = 0; i < n_task; i++) {
        struct compare_task *task = &results->task[i];
        *task = (struct compare_task){
            .name = name[i], .metric = "acc", .n_sample = N_DOC};
        task->sample = oy_calloc(N_DOC, sizeof *task->sample);
        for (size_t k = 0; k < N_DOC; k++)
            task->sample[k] = (struct compare_sample){
                .doc_id = (int64_t)k, .weight = 1, .cluster = -1};
    }
}

static void release_results(struct compare_results *results)
{
    for (size_t i = 0; i < results->n_task; i++)
        oy_free(results->task[i].sample);
    oy_free(results->task);
}

/* Scores that differ by noise of this deviation around a drop. */
static void draw_numbers(struct compare_task *base, struct compare_task *new,
                         double drop, double noise, struct oy_random *random)
{
    for (size_t k = 0; k < N_DOC; k++) {
        const double level = oy_random_normal(random);
        base->sample[k].value = level;
        new->sample[k].value = level - drop + noise *oy_random_normal(random);
    }
}

/* 0/1 scores: a share `discord` of documents changes, a share `worse` of
 * those for the worse. */
static void draw_choices(struct compare_task *base, struct compare_task *new,
                         double discord, double worse, struct oy_random *random)
{
    for (size_t k = 0; k < N_DOC; k++) {
        const double u = oy_random_unit(random);
        double value = oy_random_unit(random) < 0.7;
        base->sample[k].value = new->sample[k].value = value;
        if (u >= discord)
            continue;
        value = oy_random_unit(random) < worse;
        base->sample[k].value = value;
        new->sample[k].value = 1 - value;
    }
}

struct trial {
    size_t n_task;
    double alpha, drop, noise; /* of numbers; noise 0: choices */
    double discord, worse;
};

/* The share of runs that end in a regression. */
static double alarm_rate(const struct trial *trial, uint64_t seed)
{
    struct compare_results base, new;
    size_t n_alarm = 0;

    init_results(&base, trial->n_task);
    init_results(&new, trial->n_task);
    for (uint64_t run = 0; run < N_RUN; run++) {
        const struct compare_options options = {
            .alpha = trial->alpha, .seed = run, .n_replicate = 1000};
        struct oy_random random = oy_random_at(seed, run);
        struct comparison comparison;
        struct oy_error err = {0};
        for (size_t i = 0; i < trial->n_task; i++) {
            if (trial->noise > 0)
                draw_numbers(&base.task[i], &new.task[i], trial->drop,
                             trial->noise, &random);
            else
                draw_choices(&base.task[i], &new.task[i], trial->discord,
                             trial->worse, &random);
        }
        assert_int_equal(compare_run(&comparison, &base, &new, &options, &err),
                         0);
        n_alarm += comparison.has_regression;
        comparison_release(&comparison);
    }
    release_results(&base);
    release_results(&new);
    return (double)n_alarm / N_RUN;
}

/* Nothing changed: alpha of the runs are alarms. */
static void false_alarms_of_numbers(void **state)
{
    const struct trial trial = {.n_task = 1, .alpha = 0.05, .noise = 0.3};

    (void)state;
    assert_share(alarm_rate(&trial, 1), 0.05, N_RUN);
}

/* Over several tasks too, thanks to Holm: alarms of independent tasks at
 * alpha / 4 each. */
static void false_alarms_of_tasks(void **state)
{
    const struct trial trial = {.n_task = N_TASK, .alpha = 0.1, .noise = 0.3};

    (void)state;
    assert_share(alarm_rate(&trial, 2), 1 - pow(1 - 0.1 / N_TASK, N_TASK),
                 N_RUN);
}

/* P(X >= k) of n fair coins. */
static double coins(size_t n, size_t k)
{
    return statistics_fair_coin_upper(n, k);
}

/* McNemar's exact test is a little shy: a count cannot hit alpha exactly. How
 * shy is known, from the binomial counts of changed documents. */
static double exact_rate(double discord, double worse, double alpha)
{
    double rate = 0;

    for (size_t n = 1; n <= N_DOC; n++) {
        const double p_n =
            exp(lgamma(N_DOC + 1) - lgamma((double)n + 1) -
                lgamma((double)(N_DOC - n) + 1) + (double)n * log(discord) +
                (double)(N_DOC - n) * log(1 - discord));
        for (size_t k = 0; k <= n; k++) {
            if (coins(n, k) > alpha || 2 * k <= n)
                continue;
            rate +=
                p_n * exp(lgamma((double)n + 1) - lgamma((double)k + 1) -
                          lgamma((double)(n - k) + 1) + (double)k * log(worse) +
                          (double)(n - k) * log(1 - worse));
        }
    }
    return rate;
}

static void false_alarms_of_choices(void **state)
{
    const struct trial trial = {
        .n_task = 1, .alpha = 0.05, .discord = 0.3, .worse = 0.5};
    const double rate = exact_rate(0.3, 0.5, 0.05);

    (void)state;
    assert_true(rate > 0.025 && rate <= 0.05);
    assert_share(alarm_rate(&trial, 3), rate, N_RUN);
}

static void power_of_choices(void **state)
{
    const struct trial trial = {
        .n_task = 1, .alpha = 0.05, .discord = 0.3, .worse = 0.7};

    (void)state;
    assert_share(alarm_rate(&trial, 4), exact_rate(0.3, 0.7, 0.05), N_RUN);
}

/* A drop of the size of `mde` is found by four runs of five, at the two-sided
 * 5 % that it is made for, which is 2.5 % on one side. */
static void power_of_numbers(void **state)
{
    const double noise = 0.3;
    const double mde =
        (1.959963984540054 + 0.8416212335729143) * noise / sqrt(N_DOC);
    const struct trial trial = {
        .n_task = 1, .alpha = 0.025, .drop = mde, .noise = noise};

    (void)state;
    assert_share(alarm_rate(&trial, 5), 0.8, N_RUN);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(false_alarms_of_numbers),
        cmocka_unit_test(false_alarms_of_tasks),
        cmocka_unit_test(false_alarms_of_choices),
        cmocka_unit_test(power_of_choices),
        cmocka_unit_test(power_of_numbers),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

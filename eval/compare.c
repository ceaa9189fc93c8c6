/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs the documents of two results and judges each task. */
#include "eval/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

/* Quantiles of the standard normal: 97.5 % and 80 %. */
#define Z_975 1.959963984540054
#define Z_800 0.8416212335729143

/* What a pair of tasks is reduced to before the formulas. */
struct pairs {
    size_t n;
    double *base, *new, *diff; /* [n]; of a ratio: linearised, see below */
    size_t *cluster;           /* [n] */
    size_t n_cluster;
    int has_cluster;
};

static void pairs_release(struct pairs *pairs)
{
    oy_free(pairs->base);
    oy_free(pairs->new);
    oy_free(pairs->diff);
    oy_free(pairs->cluster);
}

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Numbers clusters in the order of their first document. */
static void number_clusters(struct pairs *pairs,
                            const struct compare_task *task)
{
    int64_t *known = oy_alloc_array(pairs->n, sizeof *known);
    size_t *number = oy_alloc_array(pairs->n, sizeof *number);
    size_t n_known = 0;

    for (size_t i = 0; i < pairs->n; i++)
        known[i] = task->sample[i].cluster;
    qsort(known, pairs->n, sizeof *known, compare_int64);
    for (size_t i = 0; i < pairs->n; i++) {
        if (!i || known[i] != known[i - 1])
            known[n_known++] = known[i];
    }
    for (size_t i = 0; i < n_known; i++)
        number[i] = SIZE_MAX;
    for (size_t i = 0; i < pairs->n; i++) {
        const int64_t *at = bsearch(&task->sample[i].cluster, known, n_known,
                                    sizeof *known, compare_int64);
        size_t *slot = &number[at - known];
        if (*slot == SIZE_MAX)
            *slot = pairs->n_cluster++;
        pairs->cluster[i] = *slot;
    }
    oy_free(known);
    oy_free(number);
}

/* Scores of one side; for a ratio R = sum v / sum w the values whose mean has
 * R's first-order error: R + (v_i - R w_i) / mean w (the delta method). */
static double *linearise(const struct compare_task *task, double *mean)
{
    double *out = oy_alloc_array(task->n_sample, sizeof *out);
    double sum = 0, weight = 0;

    for (size_t i = 0; i < task->n_sample; i++) {
        sum += task->sample[i].value;
        weight += task->sample[i].weight;
    }
    *mean = sum / weight;
    for (size_t i = 0; i < task->n_sample; i++) {
        const struct compare_sample *s = &task->sample[i];
        out[i] = task->is_ratio ? *mean + (s->value - *mean * s->weight) /
                                              (weight / (double)task->n_sample)
                                : s->value;
    }
    return out;
}

static void pairs_init(struct pairs *pairs, struct compare_row *row,
                       const struct compare_task *base,
                       const struct compare_task *new)
{
    *pairs = (struct pairs){.n = base->n_sample};
    pairs->base = linearise(base, &row->mean_base);
    pairs->new = linearise(new, &row->mean_new);
    pairs->diff = oy_alloc_array(pairs->n, sizeof *pairs->diff);
    pairs->cluster = oy_alloc_array(pairs->n, sizeof *pairs->cluster);
    for (size_t i = 0; i < pairs->n; i++) {
        pairs->diff[i] = pairs->new[i] - pairs->base[i];
        pairs->has_cluster |= base->sample[i].cluster >= 0;
    }
    if (pairs->has_cluster) {
        number_clusters(pairs, base);
    } else {
        for (size_t i = 0; i < pairs->n; i++)
            pairs->cluster[i] = i;
        pairs->n_cluster = pairs->n;
    }
}

static int is_binary(const struct compare_task *task)
{
    for (size_t i = 0; i < task->n_sample; i++) {
        const double v = task->sample[i].value;
        if (task->is_ratio || (v != 0 && v != 1))
            return 0;
    }
    return 1;
}

static void run_bootstrap(struct compare_row *row, const struct pairs *pairs,
                          const struct compare_task *base,
                          const struct compare_task *new,
                          const struct compare_options *options)
{
    struct statistics_bootstrap_item *item =
        oy_calloc(pairs->n_cluster, sizeof *item);

    for (size_t i = 0; i < pairs->n; i++) {
        struct statistics_bootstrap_item *at = &item[pairs->cluster[i]];
        at->base_sum += base->sample[i].value;
        at->base_weight += base->sample[i].weight;
        at->new_sum += new->sample[i].value;
        at->new_weight += new->sample[i].weight;
    }
    row->bootstrap = statistics_bootstrap_run(
        item, pairs->n_cluster, options->n_replicate, options->seed);
    oy_free(item);
}

/* p-values of scores that are not 0/1 come from the bootstrap. */
static void set_p_values(struct compare_row *row, const struct pairs *pairs)
{
    const double worse = row->lower_is_better ? row->bootstrap.not_above
                                              : row->bootstrap.not_below;
    const double better = row->lower_is_better ? row->bootstrap.not_below
                                               : row->bootstrap.not_above;

    for (size_t i = 0; row->is_binary && i < pairs->n; i++) {
        row->only_base += pairs->diff[i] < 0;
        row->only_new += pairs->diff[i] > 0;
    }
    if (row->is_binary) {
        row->p_mcnemar = statistics_mcnemar(row->only_base, row->only_new);
        row->p_regression = statistics_fair_coin_upper(
            row->only_base + row->only_new, row->only_base);
    } else {
        row->p_mcnemar = fmin(1, 2 * fmin(worse, better));
        row->p_regression = worse;
    }
}

static void compare_paired(struct compare_row *row,
                           const struct compare_task *base,
                           const struct compare_task *new,
                           const struct compare_options *options)
{
    struct pairs pairs;

    pairs_init(&pairs, row, base, new);
    row->is_paired = 1;
    row->is_binary = is_binary(base) && is_binary(new);
    row->n = pairs.n;
    row->diff = base->is_ratio ? row->mean_new - row->mean_base
                               : statistics_mean(pairs.diff, pairs.n);
    row->se_base = statistics_standard_error(pairs.base, pairs.n);
    row->se_new = statistics_standard_error(pairs.new, pairs.n);
    row->se_diff = statistics_standard_error(pairs.diff, pairs.n);
    row->corr = statistics_correlation(pairs.base, pairs.new, pairs.n);
    row->p_z = statistics_normal_two_sided(row->diff / row->se_diff);
    row->p_t =
        statistics_t_two_sided(row->diff / row->se_diff, (double)pairs.n - 1);
    run_bootstrap(row, &pairs, base, new, options);
    if (pairs.has_cluster) {
        row->n_cluster = pairs.n_cluster;
        row->clustered = statistics_cluster_errors(pairs.diff, pairs.cluster,
                                                   pairs.n, pairs.n_cluster);
    }
    set_p_values(row, &pairs);
    pairs_release(&pairs);
}

/* From the means and errors of the files alone. */
static void compare_means(struct compare_row *row,
                          const struct compare_task *base,
                          const struct compare_task *new)
{
    row->mean_base = base->mean;
    row->mean_new = new->mean;
    row->diff = new->mean - base->mean;
    row->se_base = base->error;
    row->se_new = new->error;
    row->se_diff = hypot(base->error, new->error);
    row->corr = row->p_z = row->p_t = NAN;
    row->bootstrap = (struct statistics_bootstrap){NAN, NAN, NAN, NAN, NAN};
    const double z = row->diff / row->se_diff;
    row->p_mcnemar = statistics_normal_two_sided(z);
    /* A drop lies in the lower tail, a rise in the upper one. */
    row->p_regression = statistics_normal_upper(row->lower_is_better ? z : -z);
}

static double find_tolerance(const struct compare_options *options,
                             const char *task)
{
    double drop = 0;

    for (size_t i = 0; i < options->n_tolerance; i++) {
        const struct compare_tolerance *t = &options->tolerance[i];
        if (!t->task || !strcmp(t->task, task))
            drop = t->drop;
    }
    return drop;
}

static void set_verdicts(struct comparison *comparison, double alpha)
{
    double *p = oy_alloc_array(2 * comparison->n_row, sizeof *p);
    double *holm = p + comparison->n_row;
    const size_t n = comparison->n_row;

    for (size_t i = 0; i < n; i++)
        p[i] = comparison->row[i].p_mcnemar;
    statistics_holm(p, holm, n);
    for (size_t i = 0; i < n; i++)
        comparison->row[i].p_mcnemar_holm = holm[i];
    for (size_t i = 0; i < n; i++)
        p[i] = comparison->row[i].p_regression;
    statistics_holm(p, holm, n);
    for (size_t i = 0; i < n; i++) {
        struct compare_row *row = &comparison->row[i];
        const double gain = row->lower_is_better ? -row->diff : row->diff;
        row->p_regression_holm = holm[i];
        if (gain < 0 && -gain > row->tolerance && holm[i] <= alpha)
            row->verdict = COMPARE_REGRESSION;
        else if (gain > 0 && row->p_mcnemar_holm <= alpha)
            row->verdict = COMPARE_IMPROVEMENT;
        comparison->has_regression |= row->verdict == COMPARE_REGRESSION;
    }
    oy_free(p);
}

static int compare_task_pair(struct compare_row *row,
                             const struct compare_task *base,
                             const struct compare_task *new,
                             const struct compare_options *options,
                             struct oy_error *err)
{
    *row =
        (struct compare_row){.task = base->name,
                             .metric = base->metric,
                             .base_task = base,
                             .new_task = new,
                             .lower_is_better = base->lower_is_better,
                             .tolerance = find_tolerance(options, base->name)};
    if (strcmp(base->metric, new->metric))
        return oy_fail(err, OY_DATA, "task '%s': '%s' against '%s'", base->name,
                       base->metric, new->metric);
    if (options->unpaired) {
        compare_means(row, base, new);
    } else {
        compare_paired(row, base, new, options);
    }
    row->se_diff_unpaired = hypot(row->se_base, row->se_new);
    row->p_z_unpaired =
        statistics_normal_two_sided(row->diff / row->se_diff_unpaired);
    row->ci_low = row->diff - Z_975 * row->se_diff;
    row->ci_high = row->diff + Z_975 * row->se_diff;
    row->mde = (Z_975 + Z_800) * row->se_diff;
    return 0;
}

int compare_run(struct comparison *comparison,
                const struct compare_results *base,
                const struct compare_results *new,
                const struct compare_options *options, struct oy_error *err)
{
    *comparison = (struct comparison){.base = base->name, .new = new->name};
    if (compare_check(base, new, options, err))
        return -1;
    comparison->row = oy_calloc(base->n_task, sizeof *comparison->row);
    for (size_t i = 0; i < base->n_task; i++) {
        const struct compare_task *a = &base->task[i];
        const struct compare_task *b = compare_find_task(new, a->name);
        if (!b) {
            oy_warn("%s has no task '%s'", new->name, a->name);
            continue;
        }
        /* Groups hold no documents: their tasks are compared one by one. */
        if (!options->unpaired && !a->n_sample && !b->n_sample)
            continue;
        if (compare_task_pair(&comparison->row[comparison->n_row], a, b,
                              options, err))
            return oy_fail_at(err, "%s", new->name);
        comparison->n_row++;
    }
    for (size_t i = 0; i < new->n_task; i++) {
        if (!compare_find_task(base, new->task[i].name))
            oy_warn("%s has no task '%s'", base->name, new->task[i].name);
    }
    if (!comparison->n_row)
        return oy_fail(err, OY_DATA, "%s and %s have no task in common",
                       base->name, new->name);
    set_verdicts(comparison, options->alpha);
    return 0;
}

void comparison_release(struct comparison *comparison)
{
    oy_free(comparison->row);
    *comparison = (struct comparison){0};
}

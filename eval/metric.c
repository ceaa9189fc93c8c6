/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics of documents, tasks and groups. */
#include "eval/metric.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "eval/python_random.h"

enum { CHUNK = 1000 }; /* replicates a generator makes, api/metrics.py */

static const struct metric_kind table[] = {
    {"acc", METRIC_MEAN, 1},
    {"acc_norm", METRIC_MEAN, 1},
    {"acc_bytes", METRIC_MEAN, 1},
    {"exact_match", METRIC_MEAN, 1},
    {"perplexity", METRIC_PERPLEXITY, 0},
    {"word_perplexity", METRIC_WEIGHTED_PERPLEXITY, 0},
    {"byte_perplexity", METRIC_WEIGHTED_PERPLEXITY, 0},
    {"bits_per_byte", METRIC_BITS_PER_BYTE, 0},
};

const struct metric_kind *metric_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!strcmp(table[i].name, name))
            return &table[i];
    }
    return NULL;
}

size_t metric_argmax(const double *value, size_t n)
{
    size_t best = 0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(value[i]))
            return i;
        if (value[i] > value[best])
            best = i;
    }
    return best;
}

static int is_a_right_one_greedy(const struct metric_choice *choice, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (choice[i].is_right && choice[i].is_greedy)
            return 1;
    }
    return 0;
}

size_t metric_choose(const char *name, const struct metric_choice *choice,
                     size_t n)
{
    double *score = oy_alloc_array(n, sizeof *score);

    for (size_t i = 0; i < n; i++) {
        score[i] = choice[i].logprob;
        /* An empty choice gives -inf, or NaN when certain, as in numpy. */
        if (!strcmp(name, "acc_norm"))
            score[i] /= (double)choice[i].n_char;
        else if (!strcmp(name, "acc_bytes"))
            score[i] /= (double)choice[i].n_byte;
    }
    const size_t best = metric_argmax(score, n);
    oy_free(score);
    return best;
}

double metric_of_choices(const char *name, const struct metric_choice *choice,
                         size_t n)
{
    if (!strcmp(name, "exact_match"))
        return is_a_right_one_greedy(choice, n);
    return choice[metric_choose(name, choice, n)].is_right != 0;
}

/* numpy.sum: up to 8 values in order, more in eight running sums, more than
 * 128 by halves (numpy/_core/src/umath/loops_utils.h.src, pairwise sum). */
static double numpy_sum(const double *x, size_t n)
{
    enum { BLOCK = 128, LANES = 8 };
    double lane[LANES], sum = 0;
    size_t i;

    if (n > BLOCK) {
        const size_t half = n / 2 - n / 2 % LANES;
        return numpy_sum(x, half) + numpy_sum(x + half, n - half);
    }
    if (n < LANES) {
        for (i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }
    memcpy(lane, x, sizeof lane);
    for (i = LANES; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++)
            lane[j] += x[i + j];
    }
    sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
          ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

double metric_pass_at_k(int64_t n, int64_t right, int64_t k)
{
    double none = 1;

    if (n - right < k)
        return 1;
    for (int64_t i = n - right + 1; i <= n; i++)
        none *= 1 - (double)k / (double)i;
    return 1 - none;
}

double metric_of_labels(const struct metric_choice *choice,
                        const uint8_t *right, size_t n)
{
    double *share = oy_alloc_array(n, sizeof *share);
    size_t n_right = 0;
    double all, sum;

    for (size_t i = 0; i < n; i++)
        share[i] = exp(choice[i].logprob);
    all = numpy_sum(share, n);
    for (size_t i = 0; i < n; i++) {
        if (right[i])
            share[n_right++] = share[i] / all;
    }
    sum = numpy_sum(share, n_right);
    oy_free(share);
    return sum;
}

/* ---- tasks ---- */

static double sum_values(const struct metric_item *item, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += item[i].value;
    return sum;
}

static double sum_weights(const struct metric_item *item, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += item[i].weight;
    return sum;
}

double metric_aggregate(enum metric_aggregation aggregation,
                        const struct metric_item *item, size_t n)
{
    const double sum = sum_values(item, n);

    switch (aggregation) {
    case METRIC_MEAN: return sum / (double)n;
    case METRIC_PERPLEXITY: return exp(-(sum / (double)n));
    case METRIC_WEIGHTED_PERPLEXITY: return exp(-(sum / sum_weights(item, n)));
    case METRIC_BITS_PER_BYTE: return -(sum / sum_weights(item, n)) / log(2);
    }
    return NAN;
}

static double sample_sd(const double *value, size_t n)
{
    double mean = 0, squares = 0;

    for (size_t i = 0; i < n; i++)
        mean += value[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (value[i] - mean) * (value[i] - mean);
    return sqrt(squares / (double)(n - 1));
}

struct bootstrap {
    const double *value;
    size_t n;
    size_t chunk; /* replicates of one generator */
    double *replicate;
};

static void draw_chunk(void *arg, size_t tile, int worker)
{
    const struct bootstrap *b = arg;
    struct python_random random;

    (void)worker;
    python_random_init(&random, (int64_t)tile);
    for (size_t r = 0; r < b->chunk; r++) {
        double sum = 0;
        for (size_t i = 0; i < b->n; i++)
            sum += b->value[python_random_choice(&random, b->n)];
        b->replicate[tile * b->chunk + r] = exp(-(sum / (double)b->n));
    }
}

static double bootstrap_error(const double *value, size_t n, int64_t iters,
                              struct oy_pool *pool)
{
    const size_t chunk = iters < CHUNK ? (size_t)iters : CHUNK;
    const size_t n_chunk = (size_t)iters / chunk;
    struct bootstrap b = {value, n, chunk, NULL};
    double error;

    b.replicate = oy_alloc_array(n_chunk * chunk, sizeof *b.replicate);
    oy_pool_run(pool, n_chunk, draw_chunk, &b);
    error = sample_sd(b.replicate, n_chunk * chunk);
    oy_free(b.replicate);
    return error;
}

double metric_error(enum metric_aggregation aggregation,
                    const struct metric_item *item, size_t n, int64_t iters,
                    struct oy_pool *pool)
{
    double *value;
    double error = NAN;

    if (n < 2 || iters <= 0)
        return NAN;
    value = oy_alloc_array(n, sizeof *value);
    for (size_t i = 0; i < n; i++)
        value[i] = item[i].value;
    if (aggregation == METRIC_MEAN)
        error = sample_sd(value, n) / sqrt((double)n);
    else if (aggregation == METRIC_PERPLEXITY)
        error = bootstrap_error(value, n, iters, pool);
    oy_free(value);
    return error;
}

/* ---- groups ---- */

double metric_group_value(const double *value, const double *size, size_t n,
                          int weighted)
{
    double sum = 0, total = 0;

    for (size_t i = 0; i < n; i++) {
        const double weight = weighted ? size[i] : 1;
        sum += value[i] * weight;
        total += weight;
    }
    return sum / total;
}

double metric_group_error(const double *error, const double *size, size_t n,
                          int weighted)
{
    double sum = 0, total = 0;

    for (size_t i = 0; i < n; i++) {
        const double square = error[i] * error[i];
        sum += weighted ? (size[i] - 1) * square * size[i] : square;
        total += size[i];
    }
    if (weighted)
        return sqrt(sum / (total - (double)n) / total);
    return sqrt(sum) / (double)n;
}

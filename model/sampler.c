/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters over logits, in the order of transformers. */
#include "model/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

void sampler_options_init(struct sampler_options *options)
{
    *options = (struct sampler_options){
        .temperature = 1, .top_p = 1, .typical_p = 1, .repetition_penalty = 1};
}

void distribution_release(struct distribution *distribution)
{
    oy_free(distribution->candidate);
    oy_free(distribution->scratch);
    *distribution = (struct distribution){0};
}

/* ---- over all logits ---- */

/* Each distinct token of the history once: `seen` remembers. */
static void penalize(float *logits, size_t n, const int32_t *history,
                     size_t n_history, float penalty, float *seen)
{
    memset(seen, 0, n * sizeof *seen);
    for (size_t i = 0; i < n_history; i++) {
        const size_t id = (size_t)history[i];
        if (history[i] < 0 || id >= n || seen[id] != 0)
            continue;
        seen[id] = 1;
        logits[id] =
            logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
    }
}

/* Bans what would complete an n-gram that is in the history already. */
static void ban_ngrams(float *logits, size_t n, const int32_t *history,
                       size_t n_history, size_t size)
{
    if (n_history + 1 < size)
        return;
    const int32_t *end = history + n_history - (size - 1);
    for (size_t i = 0; i + size <= n_history; i++) {
        const int32_t next = history[i + size - 1];
        if (memcmp(history + i, end, (size - 1) * sizeof *end) == 0 &&
            next >= 0 && (size_t)next < n)
            logits[next] = -INFINITY;
    }
}

/* ---- over candidates ---- */

static int by_logit(const void *a, const void *b)
{
    const struct candidate *one = a, *two = b;

    if (one->logit != two->logit)
        return one->logit > two->logit ? -1 : 1;
    return (one->id > two->id) - (one->id < two->id);
}

static void collect(const float *logits, size_t n, struct distribution *out)
{
    OY_GROW(out->candidate, out->cap, n);
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (logits[i] > -INFINITY)
            out->candidate[out->n++] =
                (struct candidate){(int32_t)i, logits[i], 0};
    }
}

/* Probabilities of what is left; from the same shift for any order. */
static void normalize(struct distribution *out)
{
    float best = -INFINITY;
    double sum = 0;

    for (size_t i = 0; i < out->n; i++) {
        if (out->candidate[i].logit > best)
            best = out->candidate[i].logit;
    }
    for (size_t i = 0; i < out->n; i++) {
        struct candidate *c = &out->candidate[i];
        c->probability =
            c->logit == best ? 1 : (double)rows_exp1(c->logit - best);
        sum += c->probability;
    }
    for (size_t i = 0; i < out->n; i++)
        out->candidate[i].probability /= sum;
}

static void keep_from(struct distribution *out, float lowest)
{
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++) {
        if (out->candidate[i].logit >= lowest)
            out->candidate[n++] = out->candidate[i];
    }
    out->n = n;
}

/* The k-th largest of values[n] (k from 1), by quickselect; values are
 * reordered. */
static float find_kth(float *values, size_t n, size_t k)
{
    size_t low = 0, high = n - 1, want = k - 1;

    while (low < high) {
        const float pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (values[i] > pivot)
                i++;
            while (values[j] < pivot)
                j--;
            if (i > j)
                break;
            const float swap = values[i];
            values[i++] = values[j];
            values[j] = swap;
            if (!j--)
                break;
        }
        if (want >= i)
            low = i;
        else if (j < n && want <= j)
            high = j;
        else
            break;
    }
    return values[want];
}

static void keep_top_k(struct distribution *out, size_t k)
{
    if (k >= out->n)
        return;
    OY_GROW(out->scratch, out->cap_scratch, out->n);
    for (size_t i = 0; i < out->n; i++)
        out->scratch[i] = out->candidate[i].logit;
    keep_from(out, find_kth(out->scratch, out->n, k));
}

/* Sorts the best ones to the front: all that a sum of `mass` from the top can
 * need. What is behind has probabilities so small that together they do not
 * reach 1 - mass. Returns how many are sorted. */
static size_t sort_head(struct distribution *out, double mass)
{
    const double floor = (1 - mass) / (double)out->n;
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++) {
        struct candidate *c = out->candidate;
        if (c[i].probability < floor)
            continue;
        const struct candidate swap = c[n];
        c[n++] = c[i];
        c[i] = swap;
    }
    qsort(out->candidate, n, sizeof *out->candidate, by_logit);
    return n;
}

/* transformers goes up from the least likely and removes while the sum is
 * <= 1 - p; the best one always stays. */
static void keep_top_p(struct distribution *out, double p)
{
    double rest = 0;

    normalize(out);
    size_t n = sort_head(out, p);
    for (size_t i = n; i < out->n; i++)
        rest += out->candidate[i].probability;
    while (n > 1) {
        rest += out->candidate[n - 1].probability;
        if ((float)rest > (float)(1 - p))
            break;
        n--;
    }
    out->n = n;
}

static void keep_min_p(struct distribution *out, double p)
{
    double best = 0;
    size_t n = 0;

    normalize(out);
    for (size_t i = 0; i < out->n; i++) {
        if (out->candidate[i].probability > best)
            best = out->candidate[i].probability;
    }
    for (size_t i = 0; i < out->n; i++) {
        if ((float)out->candidate[i].probability >= (float)p * (float)best)
            out->candidate[n++] = out->candidate[i];
    }
    out->n = n;
}

/* A candidate and how far its surprise is from the entropy. */
struct typical {
    double distance;
    double probability;
};

static int by_distance(const void *a, const void *b)
{
    const struct typical *one = a, *two = b;

    return (one->distance > two->distance) - (one->distance < two->distance);
}

static double entropy_of(const struct distribution *out)
{
    double entropy = 0;

    for (size_t i = 0; i < out->n; i++) {
        const double p = out->candidate[i].probability;
        if (p > 0)
            entropy -= p * log(p);
    }
    return entropy;
}

static double distance_of(const struct candidate *c, double entropy)
{
    return c->probability > 0 ? fabs(-log(c->probability) - entropy) : INFINITY;
}

/* Meister et al. 2022. Keeps up to the first whose sum reaches the mass, and
 * what is as far as it. */
static void keep_typical(struct distribution *out, double mass)
{
    struct typical *typical = oy_alloc_array(out->n, sizeof *typical);
    double sum = 0, border = INFINITY;
    size_t n = 0;

    normalize(out);
    const double entropy = entropy_of(out);
    for (size_t i = 0; i < out->n; i++)
        typical[i] = (struct typical){distance_of(&out->candidate[i], entropy),
                                      out->candidate[i].probability};
    qsort(typical, out->n, sizeof *typical, by_distance);
    for (size_t i = 0; i < out->n; i++) {
        sum += typical[i].probability;
        border = typical[i].distance;
        if ((float)sum >= (float)mass)
            break;
    }
    /* Equal logits have equal distances, but for rounding. */
    border += 1e-6 * (1 + border);
    for (size_t i = 0; i < out->n; i++) {
        if (distance_of(&out->candidate[i], entropy) <= border)
            out->candidate[n++] = out->candidate[i];
    }
    out->n = n;
    oy_free(typical);
}

static void keep_best(struct distribution *out)
{
    size_t best = 0;

    for (size_t i = 1; i < out->n; i++) {
        if (by_logit(&out->candidate[i], &out->candidate[best]) < 0)
            best = i;
    }
    if (!out->n)
        return;
    out->candidate[0] = out->candidate[best];
    out->candidate[0].probability = 1;
    out->n = 1;
}

static void filter(const struct sampler_options *options,
                   struct distribution *out)
{
    if (options->top_k > 0)
        keep_top_k(out, (size_t)options->top_k);
    if (options->top_p < 1)
        keep_top_p(out, options->top_p);
    if (options->min_p > 0)
        keep_min_p(out, options->min_p);
    if (options->typical_p < 1)
        keep_typical(out, options->typical_p);
    normalize(out);
    qsort(out->candidate, out->n, sizeof *out->candidate, by_logit);
}

void sampler_filter(const struct sampler_options *options,
                    const int32_t *history, size_t n_history, float *logits,
                    size_t n, struct distribution *out)
{
    OY_GROW(out->scratch, out->cap_scratch, n);
    if (options->repetition_penalty != 1)
        penalize(logits, n, history, n_history,
                 (float)options->repetition_penalty, out->scratch);
    if (options->no_repeat_ngram > 0)
        ban_ngrams(logits, n, history, n_history,
                   (size_t)options->no_repeat_ngram);
    if (options->temperature > 0 && options->temperature != 1) {
        for (size_t i = 0; i < n; i++)
            logits[i] /= (float)options->temperature;
    }
    collect(logits, n, out);
    if (!out->n)
        return;
    if (options->temperature == 0)
        keep_best(out);
    else
        filter(options, out);
}

int32_t sampler_draw(const struct distribution *distribution,
                     struct oy_random *random)
{
    const double draw = oy_random_unit(random);
    double sum = 0;

    if (!distribution->n)
        return -1;
    for (size_t i = 0; i + 1 < distribution->n; i++) {
        sum += distribution->candidate[i].probability;
        if (draw < sum)
            return distribution->candidate[i].id;
    }
    return distribution->candidate[distribution->n - 1].id;
}

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
    *options = (struct sampler_options){.temperature = 1,
                                        .top_h = 1,
                                        .top_p = 1,
                                        .typical_p = 1,
                                        .repetition_penalty = 1};
}

void distribution_release(struct distribution *distribution)
{
    oy_free(distribution->candidate);
    oy_free(distribution->scratch);
    *distribution = (struct distribution){0};
}

/* ---- over all logits ---- */

static void apply_mask(float *logits, size_t n, const uint64_t *allowed)
{
    for (size_t i = 0; i < n; i++) {
        if (!(allowed[i / 64] >> i % 64 & 1))
            logits[i] = -INFINITY;
    }
}

static void add_bias(const struct sampler_options *options, float *logits,
                     size_t n)
{
    for (size_t i = 0; i < options->n_bias; i++) {
        const struct sampler_bias *bias = &options->bias[i];
        if (bias->id >= 0 && (size_t)bias->id < n)
            logits[bias->id] += bias->bias;
    }
}

/* How often each token stands in ids[n_id]. */
static void count_ids(const int32_t *id, size_t n_id, float *count, size_t n)
{
    memset(count, 0, n * sizeof *count);
    for (size_t i = 0; i < n_id; i++) {
        if (id[i] >= 0 && (size_t)id[i] < n)
            count[id[i]]++;
    }
}

/* Each distinct token once. */
static void penalize(float *logits, size_t n, const struct sampler_past *past,
                     float penalty, float *count)
{
    count_ids(past->id, past->n, count, n);
    for (size_t i = 0; i < n; i++) {
        if (count[i] > 0)
            logits[i] =
                logits[i] < 0 ? logits[i] * penalty : logits[i] / penalty;
    }
}

static void penalize_output(const struct sampler_options *options,
                            float *logits, size_t n,
                            const struct sampler_past *past, float *count)
{
    count_ids(past->id + past->n_prompt, past->n - past->n_prompt, count, n);
    for (size_t i = 0; i < n; i++) {
        if (count[i] > 0)
            logits[i] -= (float)options->presence_penalty +
                         (float)options->frequency_penalty * count[i];
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

void distribution_sort(struct distribution *distribution)
{
    if (distribution->n)
        qsort(distribution->candidate, distribution->n,
              sizeof *distribution->candidate, by_logit);
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

/* Baharav et al. 2025, as transformers has it: of the 100 best, while the
 * terms of the entropy add up to no more than its part `part`. */
static void keep_top_h(struct distribution *out, double part)
{
    enum { MOST = 100 };
    double sum = 0, term[MOST], entropy = 0;
    size_t n = 1;

    keep_top_k(out, MOST);
    qsort(out->candidate, out->n, sizeof *out->candidate, by_logit);
    if (out->n > MOST)
        out->n = MOST;
    normalize(out);
    for (size_t i = 0; i < out->n; i++) {
        const double p = out->candidate[i].probability;
        term[i] = p > 0 ? -p * log(p) : 0;
        entropy += term[i];
    }
    sum = term[0];
    while (n < out->n) {
        sum += term[n];
        if ((float)sum > (float)(entropy * part))
            break;
        n++;
    }
    out->n = n;
}

/* Drops what is less likely, but never the best ones. */
static void keep_likely(struct distribution *out, double floor)
{
    float best = -INFINITY;
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++) {
        if (out->candidate[i].logit > best)
            best = out->candidate[i].logit;
    }
    for (size_t i = 0; i < out->n; i++) {
        const struct candidate *c = &out->candidate[i];
        if ((float)c->probability >= (float)floor || c->logit == best)
            out->candidate[n++] = *c;
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

/* Hewitt et al. 2022. */
static void keep_eta(struct distribution *out, double eta)
{
    normalize(out);
    const double other = sqrt(eta) * exp(-entropy_of(out));
    keep_likely(out, eta < other ? eta : other);
}

static void keep_epsilon(struct distribution *out, double epsilon)
{
    normalize(out);
    keep_likely(out, epsilon);
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
    if (options->top_h < 1)
        keep_top_h(out, options->top_h);
    if (options->top_k > 0)
        keep_top_k(out, (size_t)options->top_k);
    if (options->top_p < 1)
        keep_top_p(out, options->top_p);
    if (options->min_p > 0)
        keep_min_p(out, options->min_p);
    if (options->typical_p < 1)
        keep_typical(out, options->typical_p);
    if (options->epsilon_cutoff > 0)
        keep_epsilon(out, options->epsilon_cutoff);
    if (options->eta_cutoff > 0)
        keep_eta(out, options->eta_cutoff);
    normalize(out);
}

void sampler_process(const struct sampler_options *options,
                     const struct sampler_past *past, float *logits, size_t n,
                     float *scratch)
{
    if (past->allowed)
        apply_mask(logits, n, past->allowed);
    add_bias(options, logits, n);
    if (options->repetition_penalty != 1)
        penalize(logits, n, past, (float)options->repetition_penalty, scratch);
    if (options->presence_penalty != 0 || options->frequency_penalty != 0)
        penalize_output(options, logits, n, past, scratch);
    if (options->no_repeat_ngram > 0)
        ban_ngrams(logits, n, past->id, past->n,
                   (size_t)options->no_repeat_ngram);
}

void sampler_filter(const struct sampler_options *options,
                    const struct sampler_past *past, float *logits, size_t n,
                    struct distribution *out)
{
    OY_GROW(out->scratch, out->cap_scratch, n);
    sampler_process(options, past, logits, n, out->scratch);
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights, quotas and selection sampling. */
#include "pipeline/mix_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"

/* ---- lists of shares ---- */

void mix_shares_release(struct mix_shares *shares)
{
    for (size_t i = 0; i < shares->n; i++)
        oy_free(shares->item[i].name);
    oy_free(shares->item);
    *shares = (struct mix_shares){0};
}

size_t mix_shares_find(const struct mix_shares *shares, const char *name,
                       size_t len)
{
    size_t i = 0;

    while (i < shares->n && (strlen(shares->item[i].name) != len ||
                             memcmp(shares->item[i].name, name, len)))
        i++;
    return i;
}

/* Whether `text` is one of the list, or nothing; goes behind it. */
static void pass_suffix(const char **text, const char *const *suffix)
{
    for (; *suffix; suffix++) {
        const size_t len = strlen(*suffix);
        if (!strncmp(*text, *suffix, len)) {
            *text += len;
            return;
        }
    }
}

static int is_suffix(const char *text)
{
    static const char *const FORM[] = {".jsonl", ".json", ".ndjson", ".txt",
                                       NULL};
    static const char *const CODEC[] = {".zst", ".gz", ".xz", ".bz2", NULL};

    pass_suffix(&text, FORM);
    pass_suffix(&text, CODEC);
    return !*text;
}

size_t mix_shares_find_file(const struct mix_shares *shares, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t i = mix_shares_find(shares, path, strlen(path));

    if (i < shares->n)
        return i;
    for (i = 0; i < shares->n; i++) {
        const size_t len = strlen(shares->item[i].name);
        if (!strncmp(base, shares->item[i].name, len) && is_suffix(base + len))
            break;
    }
    return i;
}

static int read_weight(const char *text, size_t len, double *weight)
{
    char digits[64], *end;

    if (!len || len >= sizeof digits)
        return -1;
    memcpy(digits, text, len);
    digits[len] = 0;
    /* No program of the suite sets a locale: the point is a point. */
    *weight = strtod(digits, &end);
    return *end || !isfinite(*weight) || *weight < 0 ? -1 : 0;
}

static int read_share(struct mix_shares *shares, const char *option,
                      const char *text, size_t len, struct oy_error *err)
{
    const char *equals = memrchr(text, '=', len);
    const size_t name = equals ? (size_t)(equals - text) : 0;
    double weight;

    if (!name || read_weight(equals + 1, len - name - 1, &weight))
        return oy_fail(err, OY_USAGE,
                       "--%s: '%.*s' is not NAME=NUMBER with a number of 0 or "
                       "more",
                       option, (int)(len < 200 ? len : 200), text);
    if (mix_shares_find(shares, text, name) < shares->n)
        return oy_fail(err, OY_USAGE, "--%s: '%.*s' stands there twice", option,
                       (int)(name < 200 ? name : 200), text);
    OY_GROW(shares->item, shares->cap, shares->n + 1);
    shares->item[shares->n++] =
        (struct mix_share){oy_strndup(text, name), weight};
    shares->sum += weight;
    return 0;
}

int mix_shares_read(struct mix_shares *shares, const char *option,
                    const char *text, struct oy_error *err)
{
    for (;;) {
        const size_t len = strcspn(text, ",");
        if (read_share(shares, option, text, len, err))
            return -1;
        if (!text[len])
            break;
        text += len + 1;
    }
    if (!(shares->sum > 0) || !isfinite(shares->sum))
        return oy_fail(err, OY_USAGE, "--%s: the sum is %g", option,
                       shares->sum);
    return 0;
}

/* ---- the plan ---- */

void mix_plan_init(struct mix_plan *plan, const struct mix_shares *shares,
                   uint64_t seed)
{
    *plan = (struct mix_plan){.shares = shares, .seed = seed};
    plan->n_source = shares ? shares->n + 1 : 1;
    plan->source = oy_calloc(plan->n_source, sizeof *plan->source);
}

void mix_plan_release(struct mix_plan *plan)
{
    oy_free(plan->source);
    *plan = (struct mix_plan){0};
}

void mix_plan_count(struct mix_plan *plan, size_t source)
{
    plan->source[source].n++;
}

/* What share of the whole a source has, in weight. */
static double weight_of(const struct mix_plan *plan, size_t i)
{
    if (!plan->shares)
        return 1;
    if (i < plan->shares->n)
        return plan->shares->item[i].weight;
    /* 1e-9: a sum of decimals that misses 1 by its rounding is 1. */
    const double left = 1 - plan->shares->sum;
    return left > 1e-9 && plan->source[i].n ? left : 0;
}

/* The most records that need no copy. */
static uint64_t most(const struct mix_plan *plan, double sum)
{
    double least = -1;

    for (size_t i = 0; i < plan->n_source; i++) {
        const double weight = weight_of(plan, i);
        const double all = (double)plan->source[i].n * sum / weight;
        if (weight > 0 && (least < 0 || all < least))
            least = all;
    }
    /* A quotient that misses a whole number by its rounding is that. */
    return (uint64_t)(least * (1 + 1e-12));
}

/* Largest remainders: the quotas add up to `take`. */
static void share_out(struct mix_plan *plan, uint64_t take, double sum)
{
    uint64_t left = take;
    double *rest = oy_calloc(plan->n_source, sizeof *rest);

    for (size_t i = 0; i < plan->n_source; i++) {
        struct mix_source *source = &plan->source[i];
        const double exact = (double)take * (weight_of(plan, i) / sum);
        source->quota = (uint64_t)exact < left ? (uint64_t)exact : left;
        rest[i] = exact - (double)source->quota;
        left -= source->quota;
    }
    while (left) {
        size_t best = 0;
        for (size_t i = 1; i < plan->n_source; i++) {
            if (rest[i] > rest[best])
                best = i;
        }
        plan->source[best].quota++;
        rest[best] -= 1;
        left--;
    }
    oy_free(rest);
}

static int check_sources(const struct mix_plan *plan, uint64_t total,
                         struct oy_error *err)
{
    for (size_t i = 0; total && plan->shares && i < plan->shares->n; i++) {
        if (plan->source[i].n == 0 && plan->shares->item[i].weight > 0)
            return oy_fail(err, OY_DATA, "--weights: '%s' has no records",
                           plan->shares->item[i].name);
    }
    return 0;
}

int mix_plan_close(struct mix_plan *plan, int64_t take, double fraction,
                   struct oy_error *err)
{
    uint64_t total = 0;
    double sum = 0;

    for (size_t i = 0; i < plan->n_source; i++) {
        total += plan->source[i].n;
        sum += weight_of(plan, i);
    }
    if (check_sources(plan, total, err))
        return -1;
    if (!total)
        return 0;
    uint64_t n = take < 0 ? (uint64_t)((double)most(plan, sum) * fraction)
                          : (uint64_t)take;
    if (!plan->shares && n > total)
        n = total;
    share_out(plan, n, sum);
    for (size_t i = 0; i < plan->n_source; i++) {
        struct mix_source *source = &plan->source[i];
        source->more = source->n ? source->quota % source->n : 0;
    }
    return 0;
}

uint64_t mix_plan_copies(struct mix_plan *plan, size_t i, uint64_t number)
{
    struct mix_source *source = &plan->source[i];
    struct oy_random random = oy_random_at(plan->seed, number);
    const uint64_t left = source->n - source->passed++;
    const int once_more = oy_random_below(&random, left) < source->more;

    source->more -= (uint64_t)once_more;
    return source->quota / source->n + (uint64_t)once_more;
}

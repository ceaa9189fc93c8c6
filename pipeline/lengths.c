/* SPDX-License-Identifier: Apache-2.0
 *
 * Lengths counted in buckets. */
#include "pipeline/lengths.h"

#include "core/error.h"

enum { STEP_BITS = 5, EXACT_BITS = 6 };

static int bucket_of(uint64_t value)
{
    if (value < LENGTHS_EXACT)
        return (int)value;
    const int power = 63 - __builtin_clzll(value);
    const int step = (int)(value >> (power - STEP_BITS)) - LENGTHS_STEPS;

    return LENGTHS_EXACT + (power - EXACT_BITS) * LENGTHS_STEPS + step;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(int bucket)
{
    if (bucket < LENGTHS_EXACT)
        return (uint64_t)bucket;
    const int power = (bucket - LENGTHS_EXACT) / LENGTHS_STEPS + EXACT_BITS;
    const int step = (bucket - LENGTHS_EXACT) % LENGTHS_STEPS;

    return ((uint64_t)(LENGTHS_STEPS + step + 1) << (power - STEP_BITS)) - 1;
}

void lengths_add(struct lengths *lengths, uint64_t value)
{
    if (!lengths->n || value < lengths->least)
        lengths->least = value;
    if (value > lengths->most)
        lengths->most = value;
    lengths->n++;
    lengths->total += value;
    lengths->bucket[bucket_of(value)]++;
}

void lengths_merge(struct lengths *lengths, const struct lengths *more)
{
    if (!more->n)
        return;
    if (!lengths->n || more->least < lengths->least)
        lengths->least = more->least;
    if (more->most > lengths->most)
        lengths->most = more->most;
    lengths->n += more->n;
    lengths->total += more->total;
    for (int i = 0; i < LENGTHS_BUCKETS; i++)
        lengths->bucket[i] += more->bucket[i];
}

double lengths_mean(const struct lengths *lengths)
{
    return lengths->n ? (double)lengths->total / (double)lengths->n : 0.0;
}

uint64_t lengths_quantile(const struct lengths *lengths, double share)
{
    const double wanted = share * (double)lengths->n;
    uint64_t n_below = 0;

    for (int i = 0; i < LENGTHS_BUCKETS; i++) {
        n_below += lengths->bucket[i];
        if (!lengths->bucket[i] || (double)n_below < wanted)
            continue;
        const uint64_t end = bucket_end(i);
        return end < lengths->most ? end : lengths->most;
    }
    return lengths->most;
}

uint64_t lengths_of_power(const struct lengths *lengths, int power)
{
    uint64_t n = 0;

    OY_ASSERT(power >= -1 && power < 64);
    if (power < 0)
        return lengths->bucket[0];
    const uint64_t first = (uint64_t)1 << power;
    for (int i = bucket_of(first); i < LENGTHS_BUCKETS; i++) {
        if (bucket_end(i) / 2 >= first)
            break;
        n += lengths->bucket[i];
    }
    return n;
}

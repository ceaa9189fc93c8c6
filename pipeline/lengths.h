/* SPDX-License-Identifier: Apache-2.0
 *
 * How long things are: sum, extremes, quantiles and histogram of whole
 * numbers, in constant memory.
 *
 * Values are counted in buckets: exact below 64, then 32 to each power of
 * two, so that a quantile is off by 3 % at most, and never beyond the
 * extremes. All is integers and addition: the order of adding and merging
 * does not matter.
 */
#ifndef PIPELINE_LENGTHS_H
#define PIPELINE_LENGTHS_H

#include <stdint.h>

enum {
    LENGTHS_EXACT = 64, /* values below are buckets of their own */
    LENGTHS_STEPS = 32, /* buckets of a power of two */
    LENGTHS_BUCKETS = LENGTHS_EXACT + (63 - 5) * LENGTHS_STEPS,
};

/* Zero-initialised is empty. */
struct lengths {
    uint64_t n;
    uint64_t total;
    uint64_t least; /* with n > 0 */
    uint64_t most;
    uint64_t bucket[LENGTHS_BUCKETS];
};

void lengths_add(struct lengths *lengths, uint64_t value);
void lengths_merge(struct lengths *lengths, const struct lengths *more);

/* total / n, or 0 when empty. */
double lengths_mean(const struct lengths *lengths);
/* The value below or at which `share` (0 to 1) of all lie; 0 when empty. */
uint64_t lengths_quantile(const struct lengths *lengths, double share);

/* How many values have their highest bit at `power`, that is, lie in
 * 2^power .. 2^(power+1)-1; power -1 counts the zeros. */
uint64_t lengths_of_power(const struct lengths *lengths, int power);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers as a function of (seed, number): the same record draws the
 * same numbers whatever thread, batch or shard meets it.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood 2014) started at a mix of
 * seed and number. Python's generator, which evaluation needs to be equal to
 * lm-eval, is another one: eval/python_random.
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

struct oy_random {
    uint64_t state;
};

/* The stream of (seed, number). */
static inline struct oy_random oy_random_at(uint64_t seed, uint64_t number)
{
    return (struct oy_random){
        oy_mix64(seed + 0x9e3779b97f4a7c15ULL) ^
        oy_mix64(number * 0xd1342543de82ef95ULL + 0x632be59bd9b4e019ULL)};
}

/* 64 even bits. */
static inline uint64_t oy_random_next(struct oy_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* Even in [0, 1), 53 bits. */
static inline double oy_random_unit(struct oy_random *random)
{
    return (double)(oy_random_next(random) >> 11) * 0x1p-53;
}

/* Even in 0 .. n-1, without bias (Lemire 2019); n > 0. */
static inline uint64_t oy_random_below(struct oy_random *random, uint64_t n)
{
    __uint128_t product = (__uint128_t)oy_random_next(random) * n;

    if ((uint64_t)product < n) {
        const uint64_t threshold = -n % n;
        while ((uint64_t)product < threshold)
            product = (__uint128_t)oy_random_next(random) * n;
    }
    return (uint64_t)(product >> 64);
}

/* Standard normal (Box and Muller 1958; the second value is not kept, so
 * that each call takes exactly two draws). */
static inline double oy_random_normal(struct oy_random *random)
{
    const double u = 1.0 - oy_random_unit(random);
    const double v = oy_random_unit(random);

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}

/* The place of `index` in the pseudo-random permutation of 0 .. n-1 that
 * `key` names, in constant memory: a Feistel network of 4 rounds with cycle
 * walking. Used for shuffles that are never written down. */
uint64_t oy_random_permute(uint64_t key, uint64_t n, uint64_t index);

#endif

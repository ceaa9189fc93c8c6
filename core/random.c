/* SPDX-License-Identifier: Apache-2.0
 *
 * Permutations that need no memory. */
#include "core/random.h"

#include "core/error.h"

enum { ROUNDS = 4 };

/* Bits of each half of the Feistel network: together they hold 0 .. n-1. */
static int half_bits(uint64_t n)
{
    const int bits = n <= 2 ? 1 : 64 - __builtin_clzll(n - 1);

    return (bits + 1) / 2;
}

static uint64_t feistel(uint64_t key, int half, uint64_t value)
{
    const uint64_t mask = ((uint64_t)1 << half) - 1;
    uint64_t left = value >> half, right = value & mask;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        const uint64_t mixed = oy_mix64(key + oy_mix64(right + (round << 32)));
        const uint64_t next = left ^ (mixed & mask);
        left = right;
        right = next;
    }
    return left << half | right;
}

uint64_t oy_random_permute(uint64_t key, uint64_t n, uint64_t index)
{
    OY_ASSERT(index < n);
    const int half = half_bits(n);

    /* The network permutes a power of four that is less than 4 * n; walking
     * its cycle until it is inside again permutes 0 .. n-1. */
    uint64_t value = feistel(key, half, index);
    while (value >= n)
        value = feistel(key, half, value);
    return value;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * numpy's PCG64 at any place of its stream. */
#include "pipeline/numpy_random.h"

__extension__ typedef unsigned __int128 uint128_t;

enum { N_POOL = 4 };

/* ---- SeedSequence (numpy/random/bit_generator.pyx) ---- */

static uint32_t hash_word(uint32_t value, uint32_t *constant, uint32_t by)
{
    value ^= *constant;
    *constant *= by;
    value *= *constant;
    return value ^ value >> 16;
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    const uint32_t mixed = 0xca01f9ddU * a - 0x4973f715U * b;

    return mixed ^ mixed >> 16;
}

static void fill_pool(uint64_t seed, uint32_t pool[N_POOL])
{
    uint32_t constant = 0x43b0d7e5U;

    for (int i = 0; i < N_POOL; i++) {
        const uint32_t word = i < 2 ? (uint32_t)(seed >> 32 * i) : 0;
        pool[i] = hash_word(word, &constant, 0x931e8875U);
    }
    for (int from = 0; from < N_POOL; from++) {
        for (int to = 0; to < N_POOL; to++) {
            if (from == to)
                continue;
            pool[to] =
                mix(pool[to], hash_word(pool[from], &constant, 0x931e8875U));
        }
    }
}

/* generate_state(4, uint64). */
static void seed_state(uint64_t seed, uint64_t state[4])
{
    uint32_t pool[N_POOL], constant = 0x8b51f9ddU;

    fill_pool(seed, pool);
    for (int i = 0; i < 4; i++)
        state[i] = 0;
    for (int i = 0; i < 8; i++) {
        const uint64_t word =
            hash_word(pool[i % N_POOL], &constant, 0x58f38dedU);
        state[i / 2] |= word << 32 * (i % 2);
    }
}

/* ---- PCG64 ---- */

/* x -> a x + c, n times over, by squaring (Brown 1994). */
static uint128_t advance(uint128_t x, uint128_t a, uint128_t c, uint128_t n)
{
    uint128_t power = 1, sum = 0;

    for (; n; n >>= 1) {
        if (n & 1) {
            power *= a;
            sum = sum * a + c;
        }
        c *= a + 1;
        a *= a;
    }
    return power * x + sum;
}

double numpy_random_unit(uint64_t seed, uint64_t n)
{
    const uint128_t a =
        (uint128_t)0x2360ed051fc65da4ULL << 64 | 0x4385df649fccf645ULL;
    uint64_t s[4];

    seed_state(seed, s);
    const uint128_t c = ((uint128_t)s[2] << 64 | s[3]) << 1 | 1;
    /* The first state is made by a step from 0, the seed, and another step. */
    const uint128_t first = (c + ((uint128_t)s[0] << 64 | s[1])) * a + c;
    const uint128_t x = advance(first, a, c, (uint128_t)n + 1);
    const uint64_t folded = (uint64_t)(x >> 64) ^ (uint64_t)x;
    const unsigned turn = (unsigned)(x >> 122);
    const uint64_t bits = folded >> turn | folded << (-turn & 63);
    return (double)(bits >> 11) * 0x1p-53;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * MT19937 and the methods of Python's random.Random. */
#include "eval/python_random.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

enum { N = 624, M = 397 };

static void init_single(struct python_random *random, uint32_t seed)
{
    random->state[0] = seed;
    for (uint32_t i = 1; i < N; i++) {
        const uint32_t last = random->state[i - 1];
        random->state[i] = 1812433253u * (last ^ (last >> 30)) + i;
    }
    random->at = N;
}

/* init_by_array of the authors' reference code. */
void python_random_init_words(struct python_random *random,
                              const uint32_t *word, size_t n_word)
{
    uint32_t *s = random->state;
    size_t i = 1, j = 0;

    init_single(random, 19650218u);
    for (size_t k = n_word > N ? n_word : N; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + word[j] +
               (uint32_t)j;
        if (++i >= N) {
            s[0] = s[N - 1];
            i = 1;
        }
        if (++j >= n_word)
            j = 0;
    }
    for (size_t k = N - 1; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) -
               (uint32_t)i;
        if (++i >= N) {
            s[0] = s[N - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

void python_random_init(struct python_random *random, int64_t seed)
{
    const uint64_t key = seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed;
    const uint32_t word[2] = {(uint32_t)key, (uint32_t)(key >> 32)};

    python_random_init_words(random, word, word[1] ? 2 : 1);
}

static uint32_t twist(uint32_t high, uint32_t low)
{
    const uint32_t mixed = (high & 0x80000000u) | (low & 0x7fffffffu);

    return (mixed >> 1) ^ (low & 1 ? 0x9908b0dfu : 0);
}

static void refill(struct python_random *random)
{
    uint32_t *s = random->state;

    for (int i = 0; i < N - M; i++)
        s[i] = s[i + M] ^ twist(s[i], s[i + 1]);
    for (int i = N - M; i < N - 1; i++)
        s[i] = s[i + M - N] ^ twist(s[i], s[i + 1]);
    s[N - 1] = s[M - 1] ^ twist(s[N - 1], s[0]);
    random->at = 0;
}

uint32_t python_random_next(struct python_random *random)
{
    uint32_t y;

    if (random->at >= N)
        refill(random);
    y = random->state[random->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

double python_random_unit(struct python_random *random)
{
    const uint32_t a = python_random_next(random) >> 5;
    const uint32_t b = python_random_next(random) >> 6;

    return (a * 67108864.0 + b) * (1.0 / 9007199254740992.0);
}

uint64_t python_random_bits(struct python_random *random, int k)
{
    uint64_t low;

    OY_ASSERT(k >= 1 && k <= 64);
    if (k <= 32)
        return python_random_next(random) >> (32 - k);
    low = python_random_next(random);
    return low | (uint64_t)(python_random_next(random) >> (64 - k)) << 32;
}

uint64_t python_random_below(struct python_random *random, uint64_t n)
{
    const int bits = 64 - __builtin_clzll(n);
    uint64_t r = python_random_bits(random, bits);

    while (r >= n)
        r = python_random_bits(random, bits);
    return r;
}

/* Python 3.11 chooses between its two algorithms so. */
static size_t set_size(size_t k)
{
    size_t size = 21;

    if (k > 5)
        size += (size_t)pow(4, ceil(log((double)k * 3) / log(4)));
    return size;
}

static void sample_pool(struct python_random *random, size_t n, size_t k,
                        size_t *draw)
{
    size_t *pool = oy_alloc_array(n, sizeof *pool);

    for (size_t i = 0; i < n; i++)
        pool[i] = i;
    for (size_t i = 0; i < k; i++) {
        const size_t j = python_random_below(random, n - i);
        draw[i] = pool[j];
        pool[j] = pool[n - i - 1];
    }
    oy_free(pool);
}

static int is_drawn(const size_t *draw, size_t n, size_t index)
{
    for (size_t i = 0; i < n; i++) {
        if (draw[i] == index)
            return 1;
    }
    return 0;
}

void python_random_sample(struct python_random *random, size_t n, size_t k,
                          size_t *draw)
{
    OY_ASSERT(k <= n);
    if (n <= set_size(k)) {
        sample_pool(random, n, k, draw);
        return;
    }
    for (size_t i = 0; i < k; i++) {
        do
            draw[i] = python_random_below(random, n);
        while (is_drawn(draw, i, draw[i]));
    }
}

void python_random_shuffle(struct python_random *random, size_t *index,
                           size_t n)
{
    for (size_t i = n; i-- > 1;) {
        const size_t j = python_random_below(random, i + 1);
        const size_t swap = index[i];
        index[i] = index[j];
        index[j] = swap;
    }
}

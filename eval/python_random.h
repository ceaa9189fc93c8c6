/* SPDX-License-Identifier: Apache-2.0
 *
 * Python's random.Random, number for number: few-shot draws and bootstraps
 * must be lm-eval's.
 *
 * The generator is MT19937 (Matsumoto and Nishimura 1998), seeded by an
 * array of 32-bit words as CPython's Modules/_randommodule.c does; the
 * methods are those of Lib/random.py, 3.11. Equal seeds and calls give equal
 * numbers on every machine. Not for two threads at once.
 */
#ifndef EVAL_PYTHON_RANDOM_H
#define EVAL_PYTHON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct python_random {
    uint32_t state[624];
    int at;
};

/* random.Random(seed) of an integer; its sign does not matter. */
void python_random_init(struct python_random *random, int64_t seed);
/* The same for any integer: |seed| as 32-bit words, the lowest first. */
void python_random_init_words(struct python_random *random,
                              const uint32_t *word, size_t n_word);

uint32_t python_random_next(struct python_random *random);
/* random(): even in [0, 1), 53 bits. */
double python_random_unit(struct python_random *random);
/* getrandbits(k), 1 <= k <= 64. */
uint64_t python_random_bits(struct python_random *random, int k);
/* _randbelow(n): even in 0 .. n-1, n > 0. */
uint64_t python_random_below(struct python_random *random, uint64_t n);

/* sample(range(n), k): k different indexes into draw[0 .. k-1], in the order
 * drawn. k <= n. The state afterwards depends on k too: sample(n, k + 1)
 * need not begin as sample(n, k) does. */
void python_random_sample(struct python_random *random, size_t n, size_t k,
                          size_t *draw);
/* shuffle() of index[0 .. n-1]. */
void python_random_shuffle(struct python_random *random, size_t *index,
                           size_t n);
/* choices(range(n), k=1): floor(random() * n). */
static inline size_t python_random_choice(struct python_random *random,
                                          size_t n)
{
    return (size_t)(python_random_unit(random) * (double)n);
}

#endif

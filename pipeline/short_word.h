/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of 16 bytes or less as two numbers, to be compared and hashed without
 * a loop. Longer ones are cut there.
 */
#ifndef PIPELINE_SHORT_WORD_H
#define PIPELINE_SHORT_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/hash.h"

enum { SHORT_WORD = 16 };

/* The bytes, then zeros: words of different lengths may be the same when they
 * hold NUL bytes. */
struct short_word {
    uint64_t low, high;
};

static inline uint64_t short_word_bytes(const char *at, size_t len)
{
    static const uint64_t mask[9] = {0,
                                     0xff,
                                     0xffff,
                                     0xffffff,
                                     0xffffffff,
                                     0xffffffffff,
                                     0xffffffffffff,
                                     0xffffffffffffff,
                                     0xffffffffffffffff};
    uint64_t bytes;

    memcpy(&bytes, at, sizeof bytes);
    return bytes & mask[len < 8 ? len : 8];
}

/* 16 bytes at `at` must be readable. */
static inline struct short_word short_word_load(const char *at, size_t len)
{
    return (struct short_word){short_word_bytes(at, len),
                               short_word_bytes(at + 8, len < 8 ? 0 : len - 8)};
}

/* Continuation bytes (10xxxxxx) of eight. */
static inline size_t short_word_continued(uint64_t bytes)
{
    const uint64_t every = 0x0101010101010101ULL;
    const uint64_t continued = bytes & ~(bytes << 1) & every * 0x80;

    return continued ? (continued >> 7) * every >> 56 : 0;
}

/* Code points of a whole word. */
static inline size_t short_word_n_code(struct short_word word, size_t len)
{
    return len - short_word_continued(word.low) -
           short_word_continued(word.high);
}

static inline int short_word_equal(struct short_word a, struct short_word b)
{
    return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}

static inline uint64_t short_word_hash(struct short_word word, size_t len)
{
    /* 2^64 divided by the golden ratio, odd. */
    return oy_mix64((word.low ^ (uint64_t)len << 58) * 0x9e3779b97f4a7c15ULL +
                    word.high);
}

#endif

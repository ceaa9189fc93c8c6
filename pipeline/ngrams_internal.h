/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the n-grams share. */
#ifndef PIPELINE_NGRAMS_INTERNAL_H
#define PIPELINE_NGRAMS_INTERNAL_H

#include <string.h>

#include "pipeline/ngrams.h"

/* 2^64 divided by the golden ratio, odd. */
#define NGRAMS_MIX 0x9e3779b97f4a7c15ULL

/* Sums over all words before this place, as if joined by nothing. */
struct ngrams_mark {
    uint32_t n_byte;
    uint32_t n_code;
};

static inline uint64_t ngrams_load8(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t ngrams_bytes(const struct ngrams *ngrams, size_t i,
                                    size_t n)
{
    return ngrams->mark[i + n].n_byte - ngrams->mark[i].n_byte;
}

static inline uint32_t ngrams_codes(const struct ngrams *ngrams, size_t i,
                                    size_t n)
{
    return ngrams->mark[i + n].n_code - ngrams->mark[i].n_code;
}

/* A sieve lets through every hash that is there twice, and few others: small
 * counters without any comparison, that a branch could be wrong about. */
struct ngrams_sieve {
    unsigned char *counter;
    int shift;
};

/* An empty sieve for n hashes, whose upper bits decide. */
struct ngrams_sieve ngrams_sieve_start(struct ngrams *ngrams, size_t n);

static inline void ngrams_sieve_add(const struct ngrams_sieve *sieve,
                                    uint64_t hash)
{
    unsigned char *counter = &sieve->counter[hash >> sieve->shift];

    *counter = (unsigned char)(*counter << 1 | 1);
}

static inline int ngrams_sieve_passes(const struct ngrams_sieve *sieve,
                                      uint64_t hash)
{
    return sieve->counter[hash >> sieve->shift] > 1;
}

#endif

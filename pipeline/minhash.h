/* SPDX-License-Identifier: Apache-2.0
 *
 * MinHash signatures, equal to datatrove's (pipeline/dedup/minhash.py).
 *
 * A document is its set of shingles: so many words in a row, joined by
 * spaces, hashed. Each of n_band * n_row permutations maps a hash x to
 * ((a * x + b) mod 2^64) mod (2^61 - 1), and for 32-bit hashes to the low 32
 * bits of that; the least value over all shingles is that permutation's entry
 * of the signature. (The overflow before the modulo is part of the function.)
 * a and b come from numpy's RandomState(seed): Mersenne Twister, masked
 * rejection. Documents that agree in all rows of some band are candidates for
 * near duplicates, with probability 1 - (1 - s^rows)^bands for a Jaccard
 * similarity of s.
 */
#ifndef PIPELINE_MINHASH_H
#define PIPELINE_MINHASH_H

#include <stddef.h>
#include <stdint.h>

#include "pipeline/words.h"

/* In the order of --hash's choices. */
enum minhash_hash {
    MINHASH_XXH64, /* seed 0 */
    MINHASH_XXH32, /* seed 0 */
    MINHASH_SHA1,  /* the first 8 bytes of SHA-1, little-endian */
};

enum { MINHASH_LANES = 8 }; /* permutations come in groups of so many */

struct minhash {
    int n_band, n_row;
    int shingle; /* words */
    enum minhash_hash hash;
    size_t n;        /* n_band * n_row */
    size_t n_lane;   /* n, rounded up to whole groups */
    uint64_t *a, *b; /* [n_lane]; what is behind n is of no use */
};

/* Draws the permutations. */
void minhash_init(struct minhash *minhash, int n_band, int n_row, int shingle,
                  enum minhash_hash hash, uint64_t seed);
void minhash_release(struct minhash *minhash);

/* Scratch memory of one thread; zero-initialised is empty. */
struct minhash_work {
    struct words words;
    char *joined;
    size_t cap_joined;
    uint32_t *start; /* of each word in `joined` */
    size_t cap_start;
    uint64_t *hash;
    size_t cap_hash;
};

void minhash_work_release(struct minhash_work *work);

/* The hashes of the shingles of a valid UTF-8 text (shorter than 4 GiB, with
 * OY_PADDING readable bytes behind it) into work->hash; how many. 0: the text
 * has fewer words than a shingle, and so no signature. */
size_t minhash_shingles(const struct minhash *minhash,
                        struct minhash_work *work, enum words_splitter splitter,
                        const char *text, size_t len);

/* The same for words between white space in a text of simplify_text(), where
 * they mostly lie joined already. */
size_t minhash_simple_shingles(const struct minhash *minhash,
                               struct minhash_work *work, const char *text,
                               size_t len);

/* The signature of n_hash > 0 shingles: signature[0 .. n_lane), of which the
 * first n count. The best form for this processor. */
void minhash_sign(const struct minhash *minhash, const uint64_t *hash,
                  size_t n_hash, uint64_t *signature);
/* Plain C, the oracle of the others. */
void minhash_sign_plain(const struct minhash *minhash, const uint64_t *hash,
                        size_t n_hash, uint64_t *signature);

/* One key for each band: key[0 .. n_band), 64-bit hashes of its rows. Two
 * bands that differ have the same key with odds of 2^-64. */
void minhash_keys(const struct minhash *minhash, const uint64_t *signature,
                  uint64_t *key);

#endif

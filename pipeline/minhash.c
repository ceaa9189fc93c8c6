/* SPDX-License-Identifier: Apache-2.0
 *
 * Shingles, permutations, signatures. */
#include "pipeline/minhash.h"

#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/hash.h"
#include "pipeline/minhash_internal.h"

/* ---- numpy's RandomState ---- */

/* MT19937 (Matsumoto and Nishimura 1998), seeded by init_genrand. */
enum { MT_N = 624, MT_M = 397 };

struct twister {
    uint32_t state[MT_N];
    int at;
};

static void twister_init(struct twister *twister, uint32_t seed)
{
    twister->state[0] = seed;
    for (uint32_t i = 1; i < MT_N; i++) {
        const uint32_t last = twister->state[i - 1];
        twister->state[i] = 1812433253U * (last ^ last >> 30) + i;
    }
    twister->at = MT_N;
}

static void twister_refill(struct twister *twister)
{
    uint32_t *s = twister->state;

    for (int i = 0; i < MT_N; i++) {
        const uint32_t y =
            (s[i] & 0x80000000U) | (s[(i + 1) % MT_N] & 0x7fffffffU);
        s[i] = s[(i + MT_M) % MT_N] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfU : 0);
    }
    twister->at = 0;
}

static uint32_t twister_next(struct twister *twister)
{
    if (twister->at == MT_N)
        twister_refill(twister);
    uint32_t y = twister->state[twister->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680U;
    y ^= y << 15 & 0xefc60000U;
    return y ^ y >> 18;
}

/* Even in 0 .. top for a top just below 2^61: two draws under a mask, again
 * while they are above it. */
static uint64_t draw(struct twister *twister, uint64_t top)
{
    uint64_t value;

    do {
        const uint64_t high = twister_next(twister);
        value = (high << 32 | twister_next(twister)) & MINHASH_PRIME;
    } while (value > top);
    return value;
}

void minhash_init(struct minhash *minhash, int n_band, int n_row, int shingle,
                  enum minhash_hash hash, uint64_t seed)
{
    struct twister twister;
    const size_t n = (size_t)n_band * (size_t)n_row;
    const size_t n_lane =
        (n + MINHASH_LANES - 1) & ~(size_t)(MINHASH_LANES - 1);

    *minhash = (struct minhash){.n_band = n_band,
                                .n_row = n_row,
                                .shingle = shingle,
                                .hash = hash,
                                .n = n,
                                .n_lane = n_lane};
    minhash->a = oy_calloc(n_lane, sizeof *minhash->a);
    minhash->b = oy_calloc(n_lane, sizeof *minhash->b);
    twister_init(&twister, (uint32_t)seed);
    for (size_t i = 0; i < n; i++) /* randint(1, 2^61 - 1) */
        minhash->a[i] = 1 + draw(&twister, MINHASH_PRIME - 2);
    for (size_t i = 0; i < n; i++) /* randint(0, 2^61 - 1) */
        minhash->b[i] = draw(&twister, MINHASH_PRIME - 1);
}

void minhash_release(struct minhash *minhash)
{
    oy_free(minhash->a);
    oy_free(minhash->b);
    *minhash = (struct minhash){0};
}

/* ---- shingles ---- */

void minhash_work_release(struct minhash_work *work)
{
    words_release(&work->words);
    oy_free(work->joined);
    oy_free(work->start);
    oy_free(work->hash);
    *work = (struct minhash_work){0};
}

/* Writes the words with one space behind each, and notes where they begin;
 * start[n] is where the next would. Most words are shorter than the 16 bytes
 * that are copied at once; there is room for them on both sides. */
static void join_words(struct minhash_work *work, const char *text)
{
    const struct words *words = &work->words;
    uint32_t at = 0;

    for (size_t i = 0; i < words->n; i++) {
        const struct word word = words->item[i];
        const char *from = text + word.at;
        work->start[i] = at;
        memcpy(work->joined + at, from, 16);
        if (word.len > 16)
            memcpy(work->joined + at + 16, from + 16, word.len - 16);
        at += word.len;
        work->joined[at++] = ' ';
    }
    work->start[words->n] = at;
}

static size_t joined_size(const struct words *words)
{
    size_t size = 0;

    for (size_t i = 0; i < words->n; i++)
        size += words->item[i].len + 1;
    return size;
}

static uint64_t hash_shingle(enum minhash_hash kind, const char *text,
                             size_t len)
{
    unsigned char digest[20];
    uint64_t value;

    switch (kind) {
    case MINHASH_XXH64: return oy_xxh64(text, len, 0);
    case MINHASH_XXH32: return oy_xxh32(text, len, 0);
    case MINHASH_SHA1: break;
    }
    oy_sha1(text, len, digest);
    memcpy(&value, digest, sizeof value);
    return value;
}

static size_t hash_shingles(const struct minhash *minhash,
                            struct minhash_work *work, const char *joined,
                            size_t n_word)
{
    const size_t shingle = (size_t)minhash->shingle;

    if (n_word < shingle)
        return 0;
    const size_t n = n_word - shingle + 1;
    const uint32_t *start = work->start;
    OY_GROW(work->hash, work->cap_hash, n);
    for (size_t i = 0; i < n; i++)
        work->hash[i] = hash_shingle(minhash->hash, joined + start[i],
                                     start[i + shingle] - 1 - start[i]);
    return n;
}

/* Where the words of a text begin whose only white space is single spaces;
 * start[n] is where the next would. 0 when there are two spaces in a row. */
static size_t find_starts(struct minhash_work *work, const char *text,
                          size_t len)
{
    unsigned twice = 0, after = 0;
    size_t n = 1;

    OY_GROW(work->start, work->cap_start, len + 2);
    work->start[0] = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned space = text[i] == ' ';
        work->start[n] = (uint32_t)i + 1;
        n += space;
        twice |= space & after;
        after = space;
    }
    work->start[n] = (uint32_t)len + 1;
    return twice || !len ? 0 : n;
}

size_t minhash_shingles(const struct minhash *minhash,
                        struct minhash_work *work, enum words_splitter splitter,
                        const char *text, size_t len)
{
    words_split(splitter, text, len, &work->words);
    const size_t n_word = work->words.n, size = joined_size(&work->words);
    /* Offsets in `joined` are 32 bits: 4 GiB of words are enough. */
    if (size > UINT32_MAX)
        return 0;
    OY_GROW(work->joined, work->cap_joined, size + OY_PADDING);
    OY_GROW(work->start, work->cap_start, n_word + 1);
    join_words(work, text);
    return hash_shingles(minhash, work, work->joined, n_word);
}

size_t minhash_simple_shingles(const struct minhash *minhash,
                               struct minhash_work *work, const char *text,
                               size_t len)
{
    const size_t n_word = find_starts(work, text, len);

    if (!n_word)
        return minhash_shingles(minhash, work, WORDS_WS, text, len);
    return hash_shingles(minhash, work, text, n_word);
}

/* ---- signatures ---- */

void minhash_sign_plain(const struct minhash *minhash, const uint64_t *hash,
                        size_t n_hash, uint64_t *signature)
{
    minhash_least_plain(minhash, hash, n_hash, signature);
}

void minhash_sign(const struct minhash *minhash, const uint64_t *hash,
                  size_t n_hash, uint64_t *signature)
{
#ifdef __x86_64__
    const enum oy_cpu level = oy_cpu_level();

    if (level >= OY_CPU_AVX512) {
        minhash_least_avx512(minhash, hash, n_hash, signature);
        return;
    }
    if (level >= OY_CPU_AVX2) {
        minhash_least_avx2(minhash, hash, n_hash, signature);
        return;
    }
#endif
    minhash_least_plain(minhash, hash, n_hash, signature);
}

void minhash_keys(const struct minhash *minhash, const uint64_t *signature,
                  uint64_t *key)
{
    const size_t n_row = (size_t)minhash->n_row;

    for (int b = 0; b < minhash->n_band; b++)
        key[b] =
            oy_hash64(signature + (size_t)b * n_row, n_row * sizeof *signature);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes of bytes: XXH3 for our own tables, digests and sums; XXH64, XXH32
 * and SHA-1 where a peer's result must be equal. All are pure functions of
 * bytes and seed, equal on every machine.
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 128 bits; two of them are equal when both words are. */
struct oy_hash128 {
    uint64_t high;
    uint64_t low;
};

uint64_t oy_hash64(const void *data, size_t len);           /* XXH3, seed 0 */
struct oy_hash128 oy_hash128(const void *data, size_t len); /* XXH3-128 */
uint64_t oy_xxh64(const void *data, size_t len, uint64_t seed);
uint32_t oy_xxh32(const void *data, size_t len, uint32_t seed);
void oy_sha1(const void *data, size_t len, unsigned char digest[20]);
void oy_sha256(const void *data, size_t len, unsigned char digest[32]);

/* A bijection of 64-bit words that spreads every input bit (the finaliser of
 * MurmurHash3, fmix64). */
static inline uint64_t oy_mix64(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

/* XXH3-128 over a stream. */
struct oy_hasher;
struct oy_hasher *oy_hasher_new(void);
void oy_hasher_free(struct oy_hasher *hasher);
void oy_hasher_update(struct oy_hasher *hasher, const void *data, size_t len);
/* Of all bytes so far; more may follow. */
struct oy_hash128 oy_hasher_digest(const struct oy_hasher *hasher);

/* 32 lower-case hex digits, high word first, and a NUL. */
void oy_hash128_text(struct oy_hash128 hash, char text[33]);

#endif

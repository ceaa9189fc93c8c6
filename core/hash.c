/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes: xxHash through its own header, the SHA family after FIPS 180-4. */
#include "core/hash.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/alloc.h"

uint64_t oy_hash64(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}

struct oy_hash128 oy_hash128(const void *data, size_t len)
{
    const XXH128_hash_t hash = XXH3_128bits(data, len);

    return (struct oy_hash128){.high = hash.high64, .low = hash.low64};
}

uint64_t oy_xxh64(const void *data, size_t len, uint64_t seed)
{
    return XXH64(data, len, seed);
}

uint32_t oy_xxh32(const void *data, size_t len, uint32_t seed)
{
    return XXH32(data, len, seed);
}

/* xxHash wants its state at a multiple of 64 bytes: `state` points to the
 * first one in `room`. */
struct oy_hasher {
    XXH3_state_t *state;
    unsigned char room[sizeof(XXH3_state_t) + 64];
};

struct oy_hasher *oy_hasher_new(void)
{
    struct oy_hasher *hasher = oy_alloc(sizeof *hasher);
    const size_t past = (uintptr_t)hasher->room % 64;

    hasher->state = (XXH3_state_t *)(hasher->room + (64 - past) % 64);
    XXH3_128bits_reset(hasher->state);
    return hasher;
}

void oy_hasher_free(struct oy_hasher *hasher)
{
    oy_free(hasher);
}

void oy_hasher_update(struct oy_hasher *hasher, const void *data, size_t len)
{
    if (len)
        XXH3_128bits_update(hasher->state, data, len);
}

struct oy_hash128 oy_hasher_digest(const struct oy_hasher *hasher)
{
    const XXH128_hash_t hash = XXH3_128bits_digest(hasher->state);

    return (struct oy_hash128){.high = hash.high64, .low = hash.low64};
}

void oy_hash128_text(struct oy_hash128 hash, char text[33])
{
    snprintf(text, 33, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
}

/* ---- SHA-1 and SHA-256: one padding, two compressions ---- */

enum { SHA_BLOCK = 64 };

static uint32_t rotate_left(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t rotate_right(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint32_t load_big(const unsigned char *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return be32toh(word);
}

/* FIPS 180-4, 6.1.2. */
static void sha1_block(uint32_t state[8], const unsigned char *block)
{
    static const uint32_t constant[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                         0xca62c1d6};
    uint32_t w[80];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3],
             e = state[4];

    for (int t = 0; t < 16; t++)
        w[t] = load_big(block + 4 * t);
    for (int t = 16; t < 80; t++)
        w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t f = b ^ c ^ d;

        if (t < 20)
            f = d ^ (b & (c ^ d));
        else if (t >= 40 && t < 60)
            f = (b & c) | (d & (b | c));
        const uint32_t next =
            rotate_left(a, 5) + f + e + constant[t / 20] + w[t];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    const uint32_t sum[5] = {a, b, c, d, e};
    for (int i = 0; i < 5; i++)
        state[i] += sum[i];
}

/* FIPS 180-4, 4.2.2: the cube roots of the first 64 primes. */
static const uint32_t sha256_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void sha256_schedule(uint32_t w[64], const unsigned char *block)
{
    for (int t = 0; t < 16; t++)
        w[t] = load_big(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        const uint32_t x = w[t - 15], y = w[t - 2];
        const uint32_t s0 = rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
        const uint32_t s1 = rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10;

        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
}

/* FIPS 180-4, 6.2.2; s[0..7] are its a..h. */
static void sha256_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64], s[8];

    memcpy(s, state, sizeof s);
    sha256_schedule(w, block);
    for (int t = 0; t < 64; t++) {
        const uint32_t s1 = rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^
                            rotate_right(s[4], 25);
        const uint32_t choice = s[6] ^ (s[4] & (s[5] ^ s[6]));
        const uint32_t t1 = s[7] + s1 + choice + sha256_constant[t] + w[t];
        const uint32_t s0 = rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^
                            rotate_right(s[0], 22);
        const uint32_t majority = (s[0] & s[1]) | (s[2] & (s[0] | s[1]));

        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + s0 + majority;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

/* Whole blocks, then the last bytes with the 1 bit, zeros and the length. */
static void sha(void (*compress)(uint32_t *, const unsigned char *),
                uint32_t state[8], const unsigned char *data, size_t len)
{
    const uint64_t n_bit = htobe64((uint64_t)len * 8);
    const size_t rest = len % SHA_BLOCK;
    const size_t last = rest < SHA_BLOCK - 8 ? SHA_BLOCK : 2 * SHA_BLOCK;
    unsigned char tail[2 * SHA_BLOCK] = {0};

    for (size_t at = 0; at + SHA_BLOCK <= len; at += SHA_BLOCK)
        compress(state, data + at);
    if (rest)
        memcpy(tail, data + (len - rest), rest);
    tail[rest] = 0x80;
    memcpy(tail + last - 8, &n_bit, 8);
    for (size_t at = 0; at < last; at += SHA_BLOCK)
        compress(state, tail + at);
}

static void store_big(const uint32_t *state, int n, unsigned char *digest)
{
    for (int i = 0; i < n; i++) {
        const uint32_t word = htobe32(state[i]);
        memcpy(digest + 4 * i, &word, sizeof word);
    }
}

void oy_sha1(const void *data, size_t len, unsigned char digest[20])
{
    uint32_t state[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                         0xc3d2e1f0};

    sha(sha1_block, state, data, len);
    store_big(state, 5, digest);
}

void oy_sha256(const void *data, size_t len, unsigned char digest[32])
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    sha(sha256_block, state, data, len);
    store_big(state, 8, digest);
}

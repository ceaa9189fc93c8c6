/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the hashes against published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

static void hex(const unsigned char *digest, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* FIPS 180-4's examples, and a length at every border of the padding. */
static void sha1_equals_the_standard(void **state)
{
    static const struct {
        const char *text, *want;
    } test[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };
    unsigned char digest[20];
    char text[65];

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        oy_sha1(test[i].text, strlen(test[i].text), digest);
        hex(digest, 20, text);
        assert_string_equal(text, test[i].want);
    }
}

static void sha256_equals_the_standard(void **state)
{
    static const struct {
        const char *text, *want;
    } test[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    unsigned char digest[32];
    char text[65];

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        oy_sha256(test[i].text, strlen(test[i].text), digest);
        hex(digest, 32, text);
        assert_string_equal(text, test[i].want);
    }
}

/* The digests of a million times "a" (FIPS 180-4's third example). */
static void long_texts_are_hashed(void **state)
{
    char *million = malloc(1000000);
    unsigned char digest[32];
    char text[65];

    (void)state;
    memset(million, 'a', 1000000);
    oy_sha1(million, 1000000, digest);
    hex(digest, 20, text);
    assert_string_equal(text, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    oy_sha256(million, 1000000, digest);
    hex(digest, 32, text);
    assert_string_equal(
        text,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* xxHash's own test vectors for the empty text; seeds matter. */
static void xxhash_has_its_known_values(void **state)
{
    (void)state;
    assert_int_equal(oy_xxh32("", 0, 0), 0x02cc5d05);
    assert_true(oy_xxh64("", 0, 0) == 0xef46db3751d8e999ULL);
    assert_true(oy_hash64("", 0) == 0x2d06800538d394c2ULL);
    const struct oy_hash128 empty = oy_hash128("", 0);
    assert_true(empty.high == 0x99aa06d3014798d8ULL);
    assert_true(empty.low == 0x6001c324468d497fULL);
    assert_true(oy_xxh64("a", 1, 0) != oy_xxh64("a", 1, 1));
    assert_true(oy_xxh32("a", 1, 0) != oy_xxh32("a", 1, 1));
}

static void a_stream_equals_the_whole(void **state)
{
    unsigned char data[5000];
    struct oy_hasher *hasher = oy_hasher_new();
    size_t at = 0, step = 1;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * i >> 3);
    while (at < sizeof data) {
        const size_t n = step < sizeof data - at ? step : sizeof data - at;
        oy_hasher_update(hasher, data + at, n);
        at += n;
        step = step * 3 % 701;
        const struct oy_hash128 part = oy_hasher_digest(hasher);
        const struct oy_hash128 whole = oy_hash128(data, at);
        assert_true(part.high == whole.high && part.low == whole.low);
    }
    oy_hasher_free(hasher);
    oy_hasher_free(NULL);
}

static void text_has_high_word_first(void **state)
{
    char text[33];

    (void)state;
    oy_hash128_text((struct oy_hash128){.high = 0x1, .low = 0xab}, text);
    assert_string_equal(text, "000000000000000100000000000000ab");
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(sha1_equals_the_standard),
        cmocka_unit_test(sha256_equals_the_standard),
        cmocka_unit_test(long_texts_are_hashed),
        cmocka_unit_test(xxhash_has_its_known_values),
        cmocka_unit_test(a_stream_equals_the_whole),
        cmocka_unit_test(text_has_high_word_first),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

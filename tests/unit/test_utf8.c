/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8: validation, repair, counting, decoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/utf8.h"

static void assert_repaired(const char *text, size_t len, const char *want,
                            uint64_t n)
{
    struct oy_buffer out = {0};

    assert_int_equal(oy_utf8_repair(text, len, &out), n);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

#define R "\xef\xbf\xbd"

/* The examples of Unicode 15, tables 3-8 to 3-11. */
static void maximal_subparts_are_replaced(void **state)
{
    (void)state;
    assert_repaired("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9,
                    R R R R R R R R "A", 8);
    assert_repaired("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9,
                    R R R R R R R R "A", 8);
    assert_repaired("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9,
                    R R R R R "A" R R "B", 7);
    assert_repaired("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9, R R R R "A", 4);
    assert_repaired("good \xc3\xa9", 7, "good \xc3\xa9", 0);
    assert_repaired("\xe2\x82", 2, R, 1);
    assert_repaired("", 0, "", 0);
}

/* Every sequence of two bytes, at every place that matters to a block. */
static void pairs_agree_with_the_oracle(void **state)
{
    static const int place[] = {0, 29, 30, 31, 32, 40, 62, 63};
    char text[70];

    (void)state;
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 8; i++) {
        char *at = text + place[i];
        for (int pair = 0; pair < 65536; pair++) {
            at[0] = (char)(pair >> 8);
            at[1] = (char)pair;
            if (oy_utf8_valid(text, 66) != oy_utf8_valid_plain(text, 66))
                fail_msg("bytes %04x at %d", (unsigned)pair, place[i]);
        }
        at[0] = at[1] = 'a';
    }
}

/* Random choices of the bytes at the borders of the grammar. */
static void sequences_agree_with_the_oracle(void **state)
{
    static const unsigned char edge[] = {
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
        0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
        0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    };
    uint64_t seed = 1;
    char text[200];
    int n_valid = 0;

    (void)state;
    for (int round = 0; round < 300000; round++) {
        const size_t len = (size_t)round % 100;
        const size_t from = (size_t)round % 31;
        memset(text, 'x', sizeof text);
        for (size_t i = from; i < from + 5 && i < len; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            text[i] = (char)edge[(seed >> 33) % sizeof edge];
        }
        const int plain = oy_utf8_valid_plain(text, len);
        n_valid += plain;
        assert_int_equal(oy_utf8_valid(text, len), plain);
    }
    assert_true(n_valid > 1000);
}

/* All code points, written, validated, counted and read both ways. */
static void all_code_points_make_the_round_trip(void **state)
{
    struct oy_buffer out = {0};
    size_t at = 0, n = 0;

    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c < 0xe000)
            continue;
        out.len += oy_utf8_put(oy_buffer_reserve(&out, 4), c);
        n++;
    }
    assert_true(oy_utf8_valid(out.data, out.len));
    assert_true(oy_utf8_valid_plain(out.data, out.len));
    assert_int_equal(oy_utf8_count(out.data, out.len), n);
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c < 0xe000)
            continue;
        assert_int_equal(oy_utf8_next(out.data, &at), c);
        size_t back = at;
        assert_int_equal(oy_utf8_previous(out.data, &back), c);
    }
    assert_int_equal(at, out.len);
    oy_buffer_release(&out);
}

static void what_is_no_code_point_becomes_fffd(void **state)
{
    char out[4];

    (void)state;
    assert_int_equal(oy_utf8_put(out, 0xd800), 3);
    assert_memory_equal(out, R, 3);
    assert_int_equal(oy_utf8_put(out, 0x110000), 3);
    assert_memory_equal(out, R, 3);
}

static void the_first_fault_is_found(void **state)
{
    char text[100];

    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(oy_utf8_valid_prefix(text, 100), 100);
    text[99] = (char)0xc3;
    assert_int_equal(oy_utf8_valid_prefix(text, 100), 99);
    text[50] = (char)0xbf;
    assert_int_equal(oy_utf8_valid_prefix(text, 100), 50);
    assert_int_equal(oy_utf8_valid_prefix(text, 0), 0);
}

static void one_upper_bit_is_seen_anywhere(void **state)
{
    char text[40];

    (void)state;
    assert_true(oy_utf8_is_ascii("", 0));
    for (size_t len = 1; len <= sizeof text; len++) {
        memset(text, 'a', sizeof text);
        assert_true(oy_utf8_is_ascii(text, len));
        for (size_t i = 0; i < sizeof text; i++) {
            text[i] = (char)0x80;
            assert_int_equal(oy_utf8_is_ascii(text, len), i >= len);
            text[i] = 'a';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maximal_subparts_are_replaced),
        cmocka_unit_test(one_upper_bit_is_seen_anywhere),
        cmocka_unit_test(pairs_agree_with_the_oracle),
        cmocka_unit_test(sequences_agree_with_the_oracle),
        cmocka_unit_test(all_code_points_make_the_round_trip),
        cmocka_unit_test(what_is_no_code_point_becomes_fffd),
        cmocka_unit_test(the_first_fault_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

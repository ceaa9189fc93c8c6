/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of sets of characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/unicode_sets.h"
#include "core/utf8.h"

static const struct oy_utf8_set *const all_sets[] = {
    &oy_set_nfc,     &oy_set_nfd,       &oy_set_nfkc,       &oy_set_nfkd,
    &oy_set_unclean, &oy_set_combining, &oy_set_nonspacing, &oy_set_chinese,
    &oy_set_nmt,     &oy_set_upper,
};

enum { N_SET = sizeof all_sets / sizeof *all_sets };

/* Random code points of all lengths, many of them plain. */
static size_t put_text(struct oy_random *random, char *out, size_t n)
{
    static const uint32_t limit[] = {0x80,   0x80,    0x800,
                                     0x3200, 0x10000, 0x110000};
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t to = limit[oy_random_below(random, 6)];
        len += oy_utf8_put(out + len, (uint32_t)oy_random_below(random, to));
    }
    return len;
}

/* Every place where a text is looked into, at every alignment. */
static void check_all(const struct oy_utf8_set *set, const char *text,
                      size_t len)
{
    for (size_t at = 0; at <= len;) {
        const size_t want = oy_utf8_set_find_plain(set, text, len, at);
        assert_int_equal(oy_utf8_set_find(set, text, len, at), want);
        if (at == len)
            break;
        (void)oy_utf8_next(text, &at);
    }
}

static void test_vector_equals_plain(void **state)
{
    struct oy_random random = oy_random_at(7, 1);
    char text[4 * 100];

    (void)state;
    for (int i = 0; i < 300; i++) {
        const size_t n = (size_t)oy_random_below(&random, 100);
        const size_t len = put_text(&random, text, n);
        /* Where the text ends, the memory ends. */
        char *copy = oy_alloc(len);
        memcpy(copy, text, len);
        for (int j = 0; j < N_SET; j++)
            check_all(all_sets[j], copy, len);
        oy_free(copy);
    }
}

static void test_find(void **state)
{
    const char *text = "the quick brown fox jumps over the lazy dog, Sir";

    (void)state;
    assert_int_equal(oy_utf8_set_find(&oy_set_upper, text, 48, 0), 45);
    assert_int_equal(oy_utf8_set_find(&oy_set_upper, text, 48, 45), 45);
    assert_int_equal(oy_utf8_set_find(&oy_set_upper, text, 48, 46), 48);
    assert_int_equal(oy_utf8_set_find(&oy_set_upper, text, 45, 0), 45);
    assert_int_equal(oy_utf8_set_find(&oy_set_upper, text, 0, 0), 0);
}

static void test_filled(void **state)
{
    static const uint32_t member[] = {'a',    0x7f,   0x80,    0x4e00,
                                      0x4e3f, 0x4e40, 0x10ffff};
    struct oy_utf8_set *set = oy_utf8_set_new();
    char text[64];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof member / sizeof *member; i++)
        oy_utf8_set_add(set, member[i]);
    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        assert_true(oy_utf8_set_has(set, member[i]));
        assert_false(oy_utf8_set_has(set, member[i] ^ 0x100));
        memset(text, 'b', sizeof text);
        len = 40 + oy_utf8_put(text + 40, member[i]);
        assert_int_equal(oy_utf8_set_find(set, text, len, 0), 40);
    }
    oy_utf8_set_free(set);
    oy_utf8_set_free(NULL);
}

static void test_lower(void **state)
{
    static const uint32_t pair[][2] = {
        {'A', 'a'},           {'a', 'a'},       {0xdf, 0xdf},
        {0x130, 'i'},         {0x1c89, 0x1c8a}, {0xa7cb, 0x264},
        {0xa7dc, 0x19b},      {0xa7d2, 0xa7d3}, {0x10d65, 0x10d85},
        {0x16ea0, 0x16ebb},   {0x3a3, 0x3c3},   {0x1e9e, 0xdf},
        {0x10ffff, 0x10ffff},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        assert_int_equal(oy_unicode_lower17(pair[i][0]), pair[i][1]);
        assert_int_equal(oy_utf8_set_has(&oy_set_upper, pair[i][0]),
                         pair[i][0] != pair[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector_equals_plain),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_filled),
        cmocka_unit_test(test_lower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of oy-stat's sums: lengths, words, hosts, groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/corpus_stat.h"

static void empty_lengths_are_zero(void **state)
{
    static const struct lengths none;

    (void)state;
    assert_true(lengths_mean(&none) == 0.0);
    assert_int_equal(lengths_quantile(&none, 0.5), 0);
    assert_int_equal(lengths_of_power(&none, 5), 0);
}

static void small_lengths_are_exact(void **state)
{
    struct lengths lengths = {0};

    (void)state;
    for (uint64_t i = 0; i <= 60; i++)
        lengths_add(&lengths, i);
    assert_int_equal(lengths.n, 61);
    assert_int_equal(lengths.total, 60 * 61 / 2);
    assert_int_equal(lengths.least, 0);
    assert_int_equal(lengths.most, 60);
    assert_true(lengths_mean(&lengths) == 30.0);
    assert_int_equal(lengths_quantile(&lengths, 0.5), 30);
    assert_int_equal(lengths_quantile(&lengths, 1), 60);
    assert_int_equal(lengths_of_power(&lengths, -1), 1);
    assert_int_equal(lengths_of_power(&lengths, 0), 1);
    assert_int_equal(lengths_of_power(&lengths, 4), 16);
    assert_int_equal(lengths_of_power(&lengths, 5), 29);
}

static void quantiles_are_near(void **state)
{
    (void)state;
    for (uint64_t value = 64; value < UINT64_MAX / 5; value = value * 5 / 3) {
        struct lengths lengths = {0};

        lengths_add(&lengths, value);
        lengths_add(&lengths, UINT64_MAX);
        const uint64_t found = lengths_quantile(&lengths, 0.5);
        assert_true(found >= value && found - value <= value / 32);
        lengths = (struct lengths){0};
        lengths_add(&lengths, value);
        assert_true(lengths_quantile(&lengths, 0.5) == value);
    }
}

static void powers_hold_all(void **state)
{
    struct lengths lengths = {0};
    uint64_t n = 0;

    (void)state;
    for (uint64_t value = 0; value < UINT64_MAX / 2; value += value / 8 + 1)
        lengths_add(&lengths, value);
    for (int p = -1; p < 64; p++)
        n += lengths_of_power(&lengths, p);
    assert_int_equal(n, lengths.n);
    struct lengths one = {0};
    lengths_add(&one, 4096);
    lengths_add(&one, 8191);
    assert_int_equal(lengths_of_power(&one, 12), 2);
}

static void merging_is_adding(void **state)
{
    struct lengths all = {0}, half[2] = {{0}, {0}};

    (void)state;
    for (uint64_t i = 5; i < 100000; i = i * 7 / 6 + 1) {
        lengths_add(&all, i);
        lengths_add(&half[i % 2], i);
    }
    lengths_merge(&half[0], &half[1]);
    assert_memory_equal(&half[0], &all, sizeof all);
    lengths_merge(&half[0], &(const struct lengths){0});
    assert_memory_equal(&half[0], &all, sizeof all);
}

static void words_are_runs_between_spaces(void **state)
{
    static const struct {
        const char *text;
        uint64_t n;
    } test[] = {
        {"", 0},
        {" \t\n", 0},
        {"one", 1},
        {" one  two\nthree ", 3},
        {"a\xc2\xa0"
         "b\xe3\x80\x80"
         "c",
         3}, /* U+00A0, U+3000 */
        {"a\xe2\x80\x8b"
         "b",
         1}, /* U+200B is no space */
        {"a\x1c"
         "b\x1f"
         "c\x0b"
         "d",
         4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++)
        assert_int_equal(corpus_count_words(test[i].text, strlen(test[i].text)),
                         test[i].n);
}

static void hosts_are_cut_out(void **state)
{
    static const char *const test[][2] = {
        {"https://example.org/a/b?c", "example.org"},
        {"http://user:pw@host:8080/x", "host"},
        {"ftp://h", "h"},
        {"https://h?q=/", "h"},
        {"http://[::1]:80/", "[::1]:80"},
        {"no url", "no url"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        const char *host;
        size_t len;

        corpus_host_of(test[i][0], strlen(test[i][0]), &host, &len);
        assert_int_equal(len, strlen(test[i][1]));
        assert_memory_equal(host, test[i][1], len);
    }
}

static void groups_are_merged_and_sorted(void **state)
{
    struct corpus a = {0}, b = {0};
    char key[20];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        const int len = snprintf(key, sizeof key, "k%d", i % 200);
        corpus_add(i % 3 ? &a : &b, "some words", 10, key, (size_t)len);
    }
    corpus_add(&a, "x", 1, "k7", 2);
    corpus_merge(&a, &b);
    corpus_sort(&a);
    assert_int_equal(a.n_group, 200);
    assert_int_equal(a.lengths[UNIT_WORDS].total, 2001);
    assert_memory_equal(a.group[0].key, "k7", 2);
    assert_int_equal(a.group[0].record, 6);
    assert_int_equal(a.group[0].total[UNIT_BYTES], 51);
    assert_memory_equal(a.group[1].key, "k0", 2);
    assert_memory_equal(a.group[2].key, "k1", 2);
    corpus_release(&a);
    corpus_release(&b);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(empty_lengths_are_zero),
        cmocka_unit_test(small_lengths_are_exact),
        cmocka_unit_test(quantiles_are_near),
        cmocka_unit_test(powers_hold_all),
        cmocka_unit_test(merging_is_adding),
        cmocka_unit_test(words_are_runs_between_spaces),
        cmocka_unit_test(hosts_are_cut_out),
        cmocka_unit_test(groups_are_merged_and_sorted),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

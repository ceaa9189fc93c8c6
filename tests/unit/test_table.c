/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the hash table and of the radix sort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/sort.h"
#include "core/table.h"

static void hashes_are_found_again_with_their_values(void **state)
{
    struct oy_table table;
    struct oy_error err = {0};
    uint64_t old;

    (void)state;
    oy_table_init(&table, 1, 0);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 100000; i++) {
            /* Many share their low word: probing is needed. */
            const struct oy_hash128 key = {i, i % 1000 * 0x10001};
            const int rc = oy_table_add(&table, key, i * 3, &old, &err);
            assert_int_equal(rc, !round);
            if (round)
                assert_true(old == i * 3);
        }
    }
    assert_int_equal(table.n, 100000);
    oy_table_release(&table);
}

static void the_hash_of_zeros_is_a_hash(void **state)
{
    struct oy_table table;
    struct oy_error err = {0};
    const struct oy_hash128 zero = {0, 0};

    (void)state;
    oy_table_init(&table, 0, 0);
    assert_int_equal(oy_table_add(&table, zero, 0, NULL, &err), 1);
    assert_int_equal(oy_table_add(&table, zero, 0, NULL, &err), 0);
    oy_table_release(&table);
}

static void the_budget_is_kept(void **state)
{
    struct oy_table table;
    struct oy_error err = {0};
    int rc = 1;
    uint64_t i = 0;

    (void)state;
    oy_table_init(&table, 0, 1 << 20);
    while (rc == 1)
        rc = oy_table_add(&table, (struct oy_hash128){i, oy_mix64(i++)}, 0,
                          NULL, &err);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, OY_SYSTEM);
    assert_non_null(strstr(err.message, "--memory"));
    assert_true(table.cap * 16 <= 1 << 20);
    oy_table_release(&table);
}

static void what_is_needed_is_enough_and_no_more(void **state)
{
    const uint64_t n[] = {1, 3072, 3073, 6144, 6145, 100000};
    struct oy_table table;
    struct oy_error err = {0};

    (void)state;
    oy_table_init(&table, 1, 0);
    for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
        const uint64_t need = oy_table_need(&table, n[k]);
        struct oy_table tight;
        oy_table_init(&tight, 1, need);
        for (uint64_t i = 0; i < n[k]; i++)
            assert_int_equal(
                oy_table_add(&tight, (struct oy_hash128){1, i}, i, NULL, &err),
                1);
        oy_table_release(&tight);
    }
    oy_table_release(&table);
}

static void a_full_table_still_finds(void **state)
{
    struct oy_table table;
    struct oy_error err = {0};
    uint64_t old, n = 0;

    (void)state;
    oy_table_init(&table, 1, 100000);
    while (oy_table_add(&table, (struct oy_hash128){n, ~n}, n, NULL, &err) == 1)
        n++;
    assert_int_equal(table.n, n);
    for (uint64_t i = 0; i < n; i++) {
        const struct oy_hash128 key = {i, ~i};
        assert_int_equal(oy_table_add(&table, key, 0, &old, &err), 0);
        assert_true(old == i);
    }
    oy_table_release(&table);
}

static int compare(const void *a, const void *b)
{
    const struct oy_pair *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* Values ascend with the index, so a stable sort equals one by both. */
static void sorting_is_stable(void **state)
{
    static const size_t size[] = {0, 1, 2, 63, 64, 65, 1000, 50000};
    static const int shift[] = {0, 20, 40, 56, 63};
    struct oy_random random = oy_random_at(3, 4);

    (void)state;
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        for (size_t h = 0; h < sizeof shift / sizeof *shift; h++) {
            const size_t n = size[s];
            struct oy_pair *pair = calloc(n + 1, sizeof *pair);
            struct oy_pair *want = calloc(n + 1, sizeof *want);
            struct oy_pair *scratch = calloc(n + 1, sizeof *scratch);
            for (size_t i = 0; i < n; i++)
                pair[i] = (struct oy_pair){
                    oy_random_next(&random) >> shift[h] << (i % 2), i};
            memcpy(want, pair, n * sizeof *pair);
            qsort(want, n, sizeof *want, compare);
            oy_sort_pairs(pair, scratch, n);
            assert_memory_equal(pair, want, n * sizeof *pair);
            free(pair);
            free(want);
            free(scratch);
        }
    }
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(hashes_are_found_again_with_their_values),
        cmocka_unit_test(the_hash_of_zeros_is_a_hash),
        cmocka_unit_test(the_budget_is_kept),
        cmocka_unit_test(what_is_needed_is_enough_and_no_more),
        cmocka_unit_test(a_full_table_still_finds),
        cmocka_unit_test(sorting_is_stable),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

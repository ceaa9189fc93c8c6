/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of random numbers and permutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/random.h"

static void a_permutation_takes_every_place_once(void **state)
{
    static const uint64_t size[] = {1, 2, 3, 4, 5, 16, 17, 1000, 65537};

    (void)state;
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        char *seen = calloc(size[i], 1);
        for (uint64_t k = 0; k < size[i]; k++) {
            const uint64_t place = oy_random_permute(7, size[i], k);
            assert_true(place < size[i]);
            assert_false(seen[place]);
            seen[place] = 1;
        }
        free(seen);
    }
}

static void keys_give_other_permutations(void **state)
{
    int same = 0;

    (void)state;
    for (uint64_t k = 0; k < 1000; k++)
        same += oy_random_permute(1, 1000, k) == oy_random_permute(2, 1000, k);
    assert_true(same < 20);
}

/* Chi-squared over 10 x 10 cells: where the first tenths go. */
static void places_are_even(void **state)
{
    int cell[10][10] = {{0}};
    double chi = 0;

    (void)state;
    for (uint64_t k = 0; k < 100000; k++)
        cell[k / 10000][oy_random_permute(42, 100000, k) / 10000]++;
    for (int i = 0; i < 100; i++) {
        const double off = cell[i / 10][i % 10] - 1000.0;
        chi += off * off / 1000;
    }
    assert_true(chi < 140); /* 81 degrees of freedom */
}

static void numbers_depend_on_seed_and_number(void **state)
{
    struct oy_random a = oy_random_at(42, 1), b = oy_random_at(42, 1);
    struct oy_random c = oy_random_at(42, 2), d = oy_random_at(43, 1);
    double sum = 0;

    (void)state;
    const uint64_t first = oy_random_next(&a);
    assert_true(first == oy_random_next(&b));
    assert_true(first != oy_random_next(&c));
    assert_true(first != oy_random_next(&d));
    for (int i = 0; i < 100000; i++) {
        const double u = oy_random_unit(&a);
        assert_true(u >= 0 && u < 1);
        assert_true(oy_random_below(&b, 7) < 7);
        sum += oy_random_normal(&c);
    }
    assert_true(fabs(sum / 100000) < 0.02);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(a_permutation_takes_every_place_once),
        cmocka_unit_test(keys_give_other_permutations),
        cmocka_unit_test(places_are_even),
        cmocka_unit_test(numbers_depend_on_seed_and_number),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

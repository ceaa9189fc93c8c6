/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/profile and model/peak: all that was marked is in the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "model/gemm.h"
#include "model/profile.h"

static void ceilings_are_measured(void **state)
{
    struct oy_pool *const pool = oy_pool_new(2, NULL);
    struct peak one, two;

    (void)state;
    peak_measure(&one, NULL);
    peak_measure(&two, pool);
    for (int type = 0; type < PEAK_TYPES; type++) {
        /* No processor of today is slower or faster than that. */
        assert_true(one.operation[type] > 1e8 && one.operation[type] < 1e15);
        assert_true(two.operation[type] > 1e8);
    }
    assert_true(one.operation[PEAK_BF16] > 0.5 * one.operation[PEAK_F32]);
    assert_true(one.read > 1e7 && two.read > 1e7);
    oy_pool_free(pool);
}

static void without_a_profile_nothing_happens(void **state)
{
    (void)state;
    profile_mark(NULL, PROFILE_UPDATE, PEAK_F32, 1, 1);
    profile_product(NULL, PROFILE_FORWARD, PEAK_F32, 1, 1, 1);
    profile_floats(NULL, PROFILE_NORM, 1);
    profile_print(NULL);
    profile_free(NULL);
}

/* The line of a kernel in the table, or NULL. */
static const char *line_of(const char *table, const char *kernel)
{
    return strstr(table, kernel);
}

static void the_table_has_what_was_marked(void **state)
{
    struct profile *const profile = profile_new(NULL);
    char *table;

    (void)state;
    profile_mark(profile, PROFILE_UPDATE, PEAK_F32, 0, 4e6);
    profile_product(profile, PROFILE_FORWARD, PEAK_F32, 64, 64, 64);
    profile_product(profile, PROFILE_FORWARD, PEAK_F32, 64, 64, 64);
    table = profile_table(profile);
    assert_non_null(strstr(table, "ceilings: f32 "));
    assert_non_null(line_of(table, "\nupdate "));
    assert_non_null(line_of(table, "\nproduct, forward "));
    assert_non_null(line_of(table, "\nall "));
    assert_null(line_of(table, "\nattention "));
    oy_free(table);
    profile_free(profile);
}

/* Calls are in the fourth column, behind a name of 24. */
static int calls_of(const char *table, const char *kernel)
{
    const char *const line = line_of(table, kernel);
    double seconds, part;
    int n;

    assert_non_null(line);
    assert_int_equal(sscanf(line + 1 + 24, "%lf %lf %d", &seconds, &part, &n),
                     3);
    assert_true(seconds >= 0 && part >= 0 && part <= 100);
    return n;
}

static void products_book_themselves(void **state)
{
    struct gemm *const gemm = gemm_new("packed", NULL, NULL);
    struct profile *const profile = profile_new(NULL);
    float x[16 * 16] = {1}, y[16 * 16] = {0};

    (void)state;
    assert_null(gemm_profile(gemm));
    gemm_set_profile(gemm, profile);
    assert_ptr_equal(gemm_profile(gemm), profile);
    gemm_nt(gemm, 16, 16, 16, x, 16, x, 16, y, 16, 0);
    gemm_nn(gemm, 16, 16, 16, x, 16, x, 16, y, 16, 0);
    gemm_tn(gemm, 16, 16, 16, x, 16, x, 16, y, 16);
    gemm_tn(gemm, 16, 16, 16, x, 16, x, 16, y, 16);
    char *const table = profile_table(profile);
    assert_int_equal(calls_of(table, "\nproduct, forward"), 1);
    assert_int_equal(calls_of(table, "\nproduct, input gradient"), 1);
    assert_int_equal(calls_of(table, "\nproduct, weight gradient"), 2);
    assert_int_equal(calls_of(table, "\nall "), 4);
    oy_free(table);
    gemm_set_profile(gemm, NULL);
    profile_free(profile);
    gemm_free(gemm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ceilings_are_measured),
        cmocka_unit_test(without_a_profile_nothing_happens),
        cmocka_unit_test(the_table_has_what_was_marked),
        cmocka_unit_test(products_book_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

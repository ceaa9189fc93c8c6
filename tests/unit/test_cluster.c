/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of union-find and of the joining of bands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pipeline/cluster.h"
#include "pipeline/near.h"

static void the_bigger_tree_keeps_its_root(void **state)
{
    struct cluster cluster = {0};
    struct oy_error err = {0};

    (void)state;
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(cluster_add(&cluster, 10 * i, &err), 0);
    cluster_join(&cluster, 3, 1); /* equal: the first argument's stays */
    cluster_join(&cluster, 0, 1); /* smaller joins the bigger */
    cluster_join(&cluster, 6, 7);
    cluster_close(&cluster);
    assert_int_equal(cluster_count(&cluster), 2);

    const struct cluster_answer zero = cluster_find(&cluster, 0);
    assert_true(zero.is_member && zero.is_first && !zero.is_root);
    assert_int_equal(zero.size, 3);
    assert_int_equal(zero.first, 0);
    assert_false(cluster_find(&cluster, 5).is_member); /* never added */
    const struct cluster_answer three = cluster_find(&cluster, 30);
    assert_true(three.is_root && !three.is_first);
    const struct cluster_answer alone = cluster_find(&cluster, 40);
    assert_false(alone.is_member);
    assert_int_equal(alone.size, 1);
    const struct cluster_answer seven = cluster_find(&cluster, 70);
    assert_true(seven.is_member && seven.first == 60 && seven.size == 2);
    assert_false(cluster_find(&cluster, 80).is_member);
    cluster_release(&cluster);
}

/* Documents 0 and 2 agree in band 0, 2 and 3 in band 1: one group. */
static void bands_join_what_agrees(void **state)
{
    static const uint64_t key[][2] = {{1, 10}, {2, 20}, {1, 30}, {4, 30}};
    struct near near;
    struct oy_error err = {0};

    (void)state;
    near_init(&near, 2, 4, 0, 0);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(near_add(&near, i, key[i], NULL, &err), 0);
    assert_int_equal(near_cluster(&near, &err), 0);
    assert_int_equal(cluster_find(&near.cluster, 0).size, 3);
    assert_false(cluster_find(&near.cluster, 1).is_member);
    assert_int_equal(cluster_find(&near.cluster, 2).first, 0);
    assert_int_equal(cluster_find(&near.cluster, 3).first, 0);
    near_release(&near);
}

static void no_documents_are_no_groups(void **state)
{
    struct near near;
    struct oy_error err = {0};

    (void)state;
    near_init(&near, 14, 8, 1, 0);
    assert_int_equal(near_cluster(&near, &err), 0);
    assert_int_equal(cluster_count(&near.cluster), 0);
    assert_false(cluster_find(&near.cluster, 0).is_member);
    near_release(&near);
}

static void the_budget_is_kept(void **state)
{
    static const uint64_t key[14];
    struct near near;
    struct oy_error err = {0};
    uint64_t n = 0;

    (void)state;
    near_init(&near, 14, 8, 0, 1 << 20);
    while (near_add(&near, n, key, NULL, &err) == 0)
        n++;
    assert_int_equal(err.code, OY_SYSTEM);
    assert_non_null(strstr(err.message, "--memory"));
    assert_true(n > 1000 && n * (14 * 8 + 20 + 32) < 1 << 20);
    near_release(&near);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(the_bigger_tree_keeps_its_root),
        cmocka_unit_test(bands_join_what_agrees),
        cmocka_unit_test(no_documents_are_no_groups),
        cmocka_unit_test(the_budget_is_kept),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

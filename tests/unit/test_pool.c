/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the pool: every tile once, worker numbers never shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>

#include "core/pool.h"

enum { N_TILE = 257, N_ROUND = 300, MAX_WORKER = 8 };

struct work {
    atomic_int seen[N_TILE];
    atomic_int inside[MAX_WORKER]; /* how many are in with this number */
    atomic_int shared;
    int n_worker;
};

static void visit(void *arg, size_t tile, int worker)
{
    struct work *work = arg;

    if (worker < 0 || worker >= work->n_worker ||
        atomic_fetch_add(&work->inside[worker], 1) != 0)
        atomic_store(&work->shared, 1);
    atomic_fetch_add(&work->seen[tile], 1);
    atomic_fetch_sub(&work->inside[worker], 1);
}

static void check_pool(int n_thread)
{
    struct oy_error err = {0};
    struct oy_pool *pool = oy_pool_new(n_thread, &err);
    static struct work work;

    assert_non_null(pool);
    assert_int_equal(oy_pool_size(pool), n_thread);
    memset(&work, 0, sizeof work);
    work.n_worker = n_thread;
    for (int i = 0; i < N_ROUND; i++)
        oy_pool_run(pool, N_TILE, visit, &work);
    for (int i = 0; i < N_TILE; i++)
        assert_int_equal(work.seen[i], N_ROUND);
    assert_int_equal(work.shared, 0);
    oy_pool_free(pool);
}

static void every_tile_is_done_once(void **state)
{
    (void)state;
    check_pool(1);
    check_pool(2);
    check_pool(7);
}

static void note_order(void *arg, size_t tile, int worker)
{
    size_t *next = arg;

    assert_int_equal(worker, 0);
    assert_int_equal(tile, *next);
    ++*next;
}

static void no_pool_runs_in_order(void **state)
{
    size_t next = 0;

    (void)state;
    oy_pool_run(NULL, 100, note_order, &next);
    assert_int_equal(next, 100);
    assert_int_equal(oy_pool_size(NULL), 1);
}

static void nothing_to_do_is_fine(void **state)
{
    struct oy_error err = {0};
    struct oy_pool *pool = oy_pool_new(3, &err);

    (void)state;
    oy_pool_run(pool, 0, visit, NULL);
    oy_pool_free(pool);
    oy_pool_free(NULL);
}

static void zero_means_all(void **state)
{
    struct oy_error err = {0};
    struct oy_pool *pool = oy_pool_new(0, &err);

    (void)state;
    assert_int_equal(oy_pool_size(pool), oy_processor_count());
    assert_true(oy_processor_count() >= 1);
    oy_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(every_tile_is_done_once),
        cmocka_unit_test(no_pool_runs_in_order),
        cmocka_unit_test(nothing_to_do_is_fine),
        cmocka_unit_test(zero_means_all),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

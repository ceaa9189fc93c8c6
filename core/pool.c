/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads over tiles, with short spinning and a futex to sleep on. */
#include "core/pool.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/alloc.h"

enum {
    /* About 10 microseconds of pauses: the gap between two loops of a matrix
     * product, and far below a scheduler's tick. */
    SPIN_COUNT = 300,
    MAX_THREADS = 1024,
};

/* Bit of the gate: workers may come in. */
#define GATE_OPEN 0x80000000u

struct worker {
    struct oy_pool *pool;
    pthread_t thread;
    int number;
};

struct oy_pool {
    /* Written by the caller while the gate is closed and nobody is in. */
    oy_pool_task task;
    void *arg;
    size_t n;
    atomic_int stop;

    int n_thread;
    struct worker *worker; /* [n_thread]; number 0 is the caller */

    atomic_uint round __attribute__((aligned(64))); /* grows with each run */
    atomic_uint n_asleep; /* workers that wait for `round` in the kernel */
    atomic_size_t next __attribute__((aligned(64))); /* tile to be taken */
    /* How many workers are at work, and GATE_OPEN. One that wakes too late
     * finds the gate closed: a busy machine never holds up a run. */
    atomic_uint gate __attribute__((aligned(64)));
};

static void futex_wait(atomic_uint *word, unsigned seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void pause_briefly(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

static void take_tiles(struct oy_pool *pool, int number)
{
    for (;;) {
        const size_t tile =
            atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (tile >= pool->n)
            return;
        pool->task(pool->arg, tile, number);
    }
}

/* Returns the new round after `seen`. */
static unsigned await_round(struct oy_pool *pool, unsigned seen)
{
    for (int i = 0; i < SPIN_COUNT; i++) {
        const unsigned round = atomic_load(&pool->round);
        if (round != seen)
            return round;
        pause_briefly();
    }
    atomic_fetch_add(&pool->n_asleep, 1);
    while (atomic_load(&pool->round) == seen)
        futex_wait(&pool->round, seen);
    atomic_fetch_sub(&pool->n_asleep, 1);
    return atomic_load(&pool->round);
}

static int enter(struct oy_pool *pool)
{
    unsigned gate = atomic_load(&pool->gate);

    while (gate & GATE_OPEN) {
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1))
            return 1;
    }
    return 0;
}

static void leave(struct oy_pool *pool)
{
    if (atomic_fetch_sub(&pool->gate, 1) == 1)
        futex_wake(&pool->gate);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct oy_pool *pool = worker->pool;
    unsigned round = 0;

    for (;;) {
        round = await_round(pool, round);
        if (atomic_load(&pool->stop))
            return NULL;
        if (!enter(pool))
            continue;
        take_tiles(pool, worker->number);
        leave(pool);
    }
}

static void wake_workers(struct oy_pool *pool)
{
    atomic_fetch_add(&pool->round, 1);
    if (atomic_load(&pool->n_asleep))
        futex_wake(&pool->round);
}

static void await_workers(struct oy_pool *pool)
{
    atomic_fetch_and(&pool->gate, ~GATE_OPEN);
    for (int i = 0; i < SPIN_COUNT; i++) {
        if (!atomic_load(&pool->gate))
            return;
        pause_briefly();
    }
    for (;;) {
        const unsigned gate = atomic_load(&pool->gate);
        if (!gate)
            return;
        futex_wait(&pool->gate, gate);
    }
}

int oy_processor_count(void)
{
    /* The set must be as large as the kernel's, which may be above 1024. */
    for (int n = CPU_SETSIZE; n <= 1 << 20; n *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)n);
        if (!set)
            return 1;
        const size_t size = CPU_ALLOC_SIZE((size_t)n);
        const int status = sched_getaffinity(0, size, set);
        const int count = status ? 0 : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (count > 0)
            return count;
        if (errno != EINVAL)
            return 1;
    }
    return 1;
}

static int start_workers(struct oy_pool *pool, int n_thread,
                         struct oy_error *err)
{
    for (pool->n_thread = 1; pool->n_thread < n_thread; pool->n_thread++) {
        struct worker *worker = &pool->worker[pool->n_thread];

        *worker = (struct worker){.pool = pool, .number = pool->n_thread};
        const int status =
            pthread_create(&worker->thread, NULL, worker_main, worker);
        if (status)
            return oy_fail(err, OY_SYSTEM, "cannot start thread %d of %d: %s",
                           pool->n_thread, n_thread, strerror(status));
    }
    return 0;
}

struct oy_pool *oy_pool_new(int n_thread, struct oy_error *err)
{
    if (n_thread <= 0)
        n_thread = oy_processor_count();
    if (n_thread > MAX_THREADS)
        n_thread = MAX_THREADS;
    struct oy_pool *pool = oy_try_alloc(1, sizeof *pool);
    if (!pool) {
        oy_fail(err, OY_SYSTEM, "no memory for a pool of threads");
        return NULL;
    }
    pool->worker = oy_calloc((size_t)n_thread, sizeof *pool->worker);
    if (start_workers(pool, n_thread, err)) {
        oy_pool_free(pool);
        return NULL;
    }
    return pool;
}

void oy_pool_free(struct oy_pool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->stop, 1);
    wake_workers(pool);
    for (int i = 1; i < pool->n_thread; i++)
        pthread_join(pool->worker[i].thread, NULL);
    oy_free(pool->worker);
    oy_free(pool);
}

int oy_pool_size(const struct oy_pool *pool)
{
    return pool ? pool->n_thread : 1;
}

void oy_pool_run(struct oy_pool *pool, size_t n, oy_pool_task task, void *arg)
{
    if (!pool || pool->n_thread == 1 || n < 2) {
        for (size_t tile = 0; tile < n; tile++)
            task(arg, tile, 0);
        return;
    }
    pool->task = task;
    pool->arg = arg;
    pool->n = n;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->gate, GATE_OPEN);
    wake_workers(pool);
    take_tiles(pool, 0);
    await_workers(pool);
}

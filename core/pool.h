/* SPDX-License-Identifier: Apache-2.0
 *
 * A fixed set of threads that runs loops over tiles.
 *
 * Work is cut by the caller into tiles whose borders do not depend on the
 * number of threads; the threads take tiles dynamically. A result is
 * therefore a function of the tiles alone. Idle threads spin for some
 * microseconds and then sleep on a futex: a machine shared with others is
 * never held (OpenMP and BLAS barriers spin, and collapse there).
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stddef.h>

#include "core/error.h"

struct oy_pool;

/* Online processors that this process may use. */
int oy_processor_count(void);

/* `n_thread` 0 means all processors. The caller of oy_pool_run() is one of
 * the threads, so a pool of 1 starts none. NULL on failure (71). */
struct oy_pool *oy_pool_new(int n_thread, struct oy_error *err);
void oy_pool_free(struct oy_pool *pool);
int oy_pool_size(const struct oy_pool *pool);

/* Calls task(arg, tile, worker) once for each tile of 0 .. n-1 and returns
 * when all are done; worker is 0 .. size-1, never two at once with the same
 * number (scratch memory may be indexed by it). Must not be nested. A NULL
 * pool runs the tiles in order in the caller. */
typedef void (*oy_pool_task)(void *arg, size_t tile, int worker);
void oy_pool_run(struct oy_pool *pool, size_t n, oy_pool_task task, void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines put into the order of 64-bit keys, within a budget of memory.
 *
 * Lines are gathered in memory. What outgrows the budget is parted by four
 * bits of the keys into temporary files (core/spool), and each part is
 * shuffled by the bits below in its turn. Lines of equal keys stay in the
 * order in which they were added, so that the outcome depends on the keys
 * and that order alone, never on the budget. One line must fit into memory.
 * Not for two threads at once.
 */
#ifndef PIPELINE_SHUFFLE_H
#define PIPELINE_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct shuffle;

/* `memory` 0: 1 GiB; less than 1 MiB counts as that. `tmpdir` as in
 * core/spool.h; borrowed. */
struct shuffle *shuffle_new(const char *tmpdir, uint64_t memory);
/* NULL is allowed. */
void shuffle_free(struct shuffle *shuffle);

/* Copies a line. -1 after a failure (71: no temporary space). */
int shuffle_add(struct shuffle *shuffle, uint64_t key, const char *line,
                size_t len, struct oy_error *err);

/* Hands out all lines by ascending keys, once, after the last was added; a
 * put() that returns other than 0 ends it. The line is borrowed. */
int shuffle_drain(struct shuffle *shuffle,
                  int (*put)(void *arg, const char *line, size_t len,
                             struct oy_error *err),
                  void *arg, struct oy_error *err);

/* Whether temporary files are in use. */
int shuffle_has_spilled(const struct shuffle *shuffle);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * --stats of programs that are no filters of records.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/counter.h"
#include "core/error.h"

/* Writes {"program", "version", and each count by its name} to PATH as a
 * whole, or to standard error when PATH is "-". 0, or -1 with err (73, 74). */
int oy_stats_write(const char *path, const char *program,
                   const struct oy_counters *counter, struct oy_error *err);

#endif

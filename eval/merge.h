/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-score --merge: the streams of shards become the one that oy-score had
 * written alone (eval/parts.h).
 */
#ifndef EVAL_MERGE_H
#define EVAL_MERGE_H

#include "core/error.h"
#include "core/run.h"

/* From the run's inputs to its output. -1 with err. */
int merge_run(const struct oy_run *run, struct oy_error *err);

#endif

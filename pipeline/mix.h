/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter behind oy-mix: samples, mixtures, shuffles and splits.
 *
 * Which records are taken and where they go depends on the seed, the number
 * of the record in the input (its place, for --split its bytes) and the
 * options alone. A fraction needs one pass, quotas need two. A shuffle keeps
 * lines in memory up to --memory (1 GiB) and then in temporary files
 * (pipeline/shuffle). The parts of a split appear together at the end, under
 * PREFIX-NAME.jsonl.zst.
 */
#ifndef PIPELINE_MIX_H
#define PIPELINE_MIX_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"

struct mix_options {
    const char *weights; /* NAME=NUMBER,...; NULL: all records alike */
    const char *by;      /* the member that names a source; NULL: files do */
    int64_t take;        /* records; -1: not asked */
    double fraction;     /* 1: not asked */
    int shuffle;
    const char *split; /* NAME=NUMBER,...; needs run->output, a prefix */
};

/* 0, or -1 with err (64: contradictory choices; 65: a source without records).
 */
int mix_run(const struct mix_options *options, struct oy_run *run,
            struct oy_error *err);

#endif

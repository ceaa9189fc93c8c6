/* SPDX-License-Identifier: Apache-2.0
 *
 * A few dropped records of every reason, chosen by chance: those with the
 * smallest random numbers of (seed, record number), so that the choice does
 * not depend on threads. Memory: that many records a reason.
 */
#ifndef PIPELINE_SAMPLE_H
#define PIPELINE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/record.h"
#include "core/run.h"

struct sample_line; /* one record as it will be written */

/* Set n_each and seed, zero the rest. */
struct sample {
    size_t n_each;
    uint64_t seed;
    struct sample_line *line;
    size_t n_line;
    size_t cap_line;
};

/* Takes a copy of the dropped record, in its original form with the edits of
 * "oyster", if it is among the chosen of its reason so far. -1 when an
 * existing "oyster" is not an object. */
int sample_offer(struct sample *sample, const struct oy_record *record);
/* Writes the chosen in input order to a file of its own. */
int sample_write(struct sample *sample, const struct oy_run *run,
                 const char *path, struct oy_error *err);
void sample_release(struct sample *sample);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a training run was: the manifest in its checkpoint, and --stats.
 *
 * Inputs are the files that are learnt from, the tokenizer, and what gives
 * the model its shape or its first weights, each by the hash of its bytes. A
 * pipe cannot be read again: it stands there as "rows", named by the number
 * of the rows that were learnt from and their own hash. The manifest says
 * nothing of threads, times, or resumption: equal runs write equal ones.
 */
#ifndef MODEL_TRAIN_REPORT_H
#define MODEL_TRAIN_REPORT_H

#include "core/manifest.h"
#include "model/train_state.h"

struct train_report {
    const struct oy_program *program; /* borrowed */
    struct oy_manifest_file *input;
    size_t n_input, cap_input;
    int has_pipe;
};

/* An input; it is read and hashed here. The path is copied, `kind` is
 * borrowed. PATH "-" or no regular file: a pipe. -1: 66, 74. */
int train_report_add(struct train_report *report, const char *kind,
                     const char *path, struct oy_error *err);

/* Writes FOLDER/manifest.json for the checkpoint that stands in FOLDER. */
int train_report_write(const struct train_report *report, const char *folder,
                       const struct train_state *state, struct oy_error *err);

/* Writes the counts of the run to PATH ("-": standard error). */
int train_report_write_stats(const struct train_report *report,
                             const char *path, const struct train_state *state,
                             struct oy_error *err);
void train_report_release(struct train_report *report);

#endif

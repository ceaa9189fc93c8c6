/* SPDX-License-Identifier: Apache-2.0
 *
 * What the checkers of single kinds of files share.
 */
#ifndef PIPELINE_CHECK_INTERNAL_H
#define PIPELINE_CHECK_INTERNAL_H

#include <stdint.h>

#include "core/error.h"
#include "core/manifest.h"
#include "core/output.h"
#include "core/run.h"

struct check {
    const struct oy_run *run;
    struct oy_output *output;
    uint64_t n_fault;
    /* Files that were checked already: device and inode. */
    struct check_seen {
        uint64_t device, inode;
    } * seen;
    size_t n_seen, cap_seen;
    /* Files that were measured for a manifest: several may name one. */
    struct check_measured {
        struct check_seen id;
        int counts_records;
        struct oy_manifest_file file; /* no path */
        int is_told;                  /* a fault of it was printed */
    } * measured;
    size_t n_measured, cap_measured;
};

/* Writes one line. 0, or -1 when that fails. */
int check_fault(struct check *check, struct oy_error *err, const char *format,
                ...) __attribute__((format(printf, 3, 4)));
/* Turns a failure that is a fault of the file (65) into a line; any other
 * goes on to err. */
int check_failure(struct check *check, const struct oy_error *failure,
                  struct oy_error *err);
/* 1 when this file comes for the first time. */
int check_is_new(struct check *check, const char *path);

/* Each checks one file: 0, or -1 when the work itself failed. */
int check_path(struct check *check, const char *path, struct oy_error *err);
int check_manifest(struct check *check, const char *path, struct oy_error *err);
int check_safetensors(struct check *check, const char *path,
                      struct oy_error *err);

/* Reads a file to its end, or remembers it: bytes and hash, with
 * `counts_records` the number of records too. NULL when it cannot be read.
 * Borrowed until the next call. */
struct check_measured *check_measure(struct check *check, const char *path,
                                     int counts_records, struct oy_error *err);

#endif

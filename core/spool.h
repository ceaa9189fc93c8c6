/* SPDX-License-Identifier: Apache-2.0
 *
 * A temporary store for bytes that have to be read twice: written once,
 * compressed, under no name, and gone with the process.
 */
#ifndef CORE_SPOOL_H
#define CORE_SPOOL_H

#include <stddef.h>

#include "core/error.h"
#include "core/input.h"

struct oy_spool;

/* In folder `tmpdir`; NULL: $TMPDIR, else /tmp. NULL after a failure (71). */
struct oy_spool *oy_spool_new(const char *tmpdir, struct oy_error *err);
/* The folder that is meant: borrowed. */
const char *oy_spool_folder(const char *tmpdir);
/* A new file without a name in such a folder, to be written and read: its
 * descriptor, to be closed by the caller; -1 after a failure (71). */
int oy_spool_file(const char *folder, struct oy_error *err);
/* NULL is allowed. */
void oy_spool_free(struct oy_spool *spool);

/* Appends bytes; large pieces compress better. -1 after a failure (71: there
 * is no temporary space). */
int oy_spool_write(struct oy_spool *spool, const void *data, size_t len,
                   struct oy_error *err);

/* Reads it from the start, under `name` in messages. One reader at a time;
 * the spool must outlive it and not be written any more. */
struct oy_input *oy_spool_read(struct oy_spool *spool, const char *name,
                               struct oy_error *err);

#endif

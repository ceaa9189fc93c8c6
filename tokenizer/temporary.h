/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that have to wait, in a file without a name that is gone with the
 * process: what a header must count before it can be written.
 */
#ifndef TOKENIZER_TEMPORARY_H
#define TOKENIZER_TEMPORARY_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"

struct temporary {
    int file;
    uint64_t size;            /* of the file, */
    struct oy_buffer waiting; /* and what will follow; append here */
};

/* In folder `tmpdir`; NULL: $TMPDIR, else /tmp. -1 after a failure (71), as
 * all below. */
int temporary_open(struct temporary *temporary, const char *tmpdir,
                   struct oy_error *err);
/* One that was not opened, or failed to, is all right if `file` is -1. */
void temporary_close(struct temporary *temporary);

/* Writes what is waiting if that is much. */
int temporary_spill(struct temporary *temporary, struct oy_error *err);
/* Writes what is waiting. */
int temporary_flush(struct temporary *temporary, struct oy_error *err);
/* Reads n bytes from `at` on, which were flushed. */
int temporary_read(const struct temporary *temporary, uint64_t at, void *data,
                   size_t n, struct oy_error *err);
/* Makes it empty. */
int temporary_clear(struct temporary *temporary, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixty-four lists of three words each entry, in a temporary file: what does
 * not fit into memory, parted by six bits of its first word.
 *
 * A list is read in the order in which it was written. The lists share one
 * file without a name, which is gone with the process; while they are written
 * a buffer for each stands in memory. A list that is still too long is parted
 * again by lower bits: see spill_part(). Failures are those of temporary
 * space (71). Not for two threads at once.
 */
#ifndef PIPELINE_SPILL_H
#define PIPELINE_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum { SPILL_BITS = 6, SPILL_LISTS = 1 << SPILL_BITS, SPILL_WORDS = 3 };

struct spill_list {
    uint64_t first;    /* offset of its first chunk */
    uint64_t place;    /* where the next one will be written */
    uint64_t n;        /* entries */
    size_t n_buffered; /* the last ones of them */
};

/* Zero-initialised may be released. */
struct spill {
    const char *folder; /* borrowed */
    int fd;
    int is_open;
    int shift;    /* list = word[0] >> shift & 63 */
    size_t room;  /* entries of a chunk */
    uint64_t end; /* of the file, reserved places included */
    uint64_t *buffer;
    struct spill_list list[SPILL_LISTS];
};

/* In folder `tmpdir` (see core/spool.h), with about `memory` bytes of
 * buffers. */
int spill_init(struct spill *spill, int shift, const char *tmpdir,
               uint64_t memory, struct oy_error *err);
void spill_release(struct spill *spill);

int spill_add(struct spill *spill, const uint64_t word[SPILL_WORDS],
              struct oy_error *err);
/* Writes what is buffered and frees the buffers: from here on it is read. */
int spill_close(struct spill *spill, struct oy_error *err);

/* Reads one list; several may be read at once. */
struct spill_reader {
    const struct spill *spill;
    uint64_t left; /* entries that are still in the file */
    uint64_t next; /* offset of the next chunk */
    uint64_t *chunk;
    size_t n, at; /* entries in the chunk, and those that were given */
};

void spill_reader_init(struct spill_reader *reader, const struct spill *spill,
                       int list);
void spill_reader_release(struct spill_reader *reader);
/* 1 and the next entry, borrowed until the next call; 0 at the end; -1 after
 * a failure. */
int spill_read(struct spill_reader *reader, const uint64_t **word,
               struct oy_error *err);

/* Parts a list of `from` by the six bits below: makes `to`, closed. */
int spill_part(struct spill *to, const struct spill *from, int list,
               uint64_t memory, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that decodes ahead of its reader.
 *
 * Private to core/input. The thread takes compressed bytes from a function,
 * decodes them and fills a ring of eight buffers of 256 KiB. Memory is this
 * constant, small enough for a cache, whatever the ratio of compression.
 * Thread and reader wake one another for half a ring, not for each buffer:
 * where they share a processor, every wake-up is a switch. The thread may be
 * ended at any time, also while it waits for a pipe.
 */
#ifndef CORE_AHEAD_H
#define CORE_AHEAD_H

#include <stddef.h>
#include <sys/types.h>

#include "core/codec.h"
#include "core/error.h"

struct oy_ahead;

/* Compressed bytes: fewer than `size` only before the end; 0, -1 as usual.
 * Called from the thread, and may be cancelled inside read(2). */
typedef ssize_t (*oy_ahead_source)(void *arg, void *buf, size_t size,
                                   struct oy_error *err);

/* Takes over `decoder`. `name` (of the file, for messages) and `arg` must
 * outlive it. NULL after a failure (71), the decoder is then freed too. */
struct oy_ahead *oy_ahead_new(struct oy_decoder *decoder, const char *name,
                              oy_ahead_source source, void *arg,
                              struct oy_error *err);
void oy_ahead_free(struct oy_ahead *ahead);

/* Decoded bytes: fewer than `size` only before the end; -1 when bad data (65)
 * come before that many. */
ssize_t oy_ahead_read(struct oy_ahead *ahead, void *buf, size_t size,
                      struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Compressed output as independent frames, made by several threads.
 *
 * Private to core/output. The bytes given are cut behind the first LF at or
 * after 8 MiB of a frame (or at 32 MiB when there is none), which depends on
 * the bytes alone; each frame is compressed on its own and they are handed on
 * in order: the result is the same for any number of threads. A zstd stream
 * ends in a seek table, a skippable frame as contrib/seekable_format of zstd
 * describes it. A stream without any byte is one empty frame.
 */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include <stddef.h>

#include "core/error.h"
#include "core/input.h"

struct oy_frames;

/* Where finished frames go; 0 or -1 with err. */
typedef int (*oy_frames_sink)(void *arg, const void *data, size_t len,
                              struct oy_error *err);

/* `codec` is OY_CODEC_ZSTD or OY_CODEC_GZIP; up to n_thread threads, none of
 * their own for 1. NULL after a failure (71). */
struct oy_frames *oy_frames_new(enum oy_codec codec, int level, int n_thread,
                                oy_frames_sink sink, void *arg,
                                struct oy_error *err);
void oy_frames_free(struct oy_frames *frames);

int oy_frames_write(struct oy_frames *frames, const void *data, size_t len,
                    struct oy_error *err);
/* Ends the frame that is being filled and hands on everything. */
int oy_frames_flush(struct oy_frames *frames, struct oy_error *err);
/* The same, and the seek table behind it. */
int oy_frames_finish(struct oy_frames *frames, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes in: a file or standard input, decompressed on the way.
 *
 * The codec is known by the first bytes (zstd, gzip, xz, bzip2, else plain).
 * zstd: many frames, skippable frames, windows up to 2^27, checksums
 * verified. gzip, xz, bzip2: many members. A stream that ends inside a frame
 * or member, fails a checksum or has garbage behind is an error (65) that
 * names the file, never an end. A leading UTF-8 byte-order mark is dropped
 * from the first bytes. Compressed inputs are decoded by a thread of their
 * own, two buffers ahead; memory is a constant whatever the ratio. Regular
 * plain files are read with large reads.
 */
#ifndef CORE_INPUT_H
#define CORE_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/hash.h"

enum oy_codec {
    OY_CODEC_PLAIN,
    OY_CODEC_ZSTD,
    OY_CODEC_GZIP,
    OY_CODEC_XZ,
    OY_CODEC_BZIP2,
};

enum { OY_INPUT_PEEK = 4096 }; /* most that can be looked at unread */

struct oy_input;

/* Whether PATH could be opened, without opening it: 0, or -1 with the failure
 * that oy_input_open() would give (66). */
int oy_input_check(const char *path, struct oy_error *err);

/* Opens PATH, "-" being standard input. NULL after a failure (66 when it is
 * missing, may not be read or is a folder). */
struct oy_input *oy_input_open(const char *path, struct oy_error *err);
/* Reads from bytes in memory (borrowed while the input lives); for tests and
 * for members of archives. `name` is what errors call it. */
struct oy_input *oy_input_open_memory(const char *name, const void *data,
                                      size_t len, struct oy_error *err);
/* Reads from an open file, from its present place; closed at the end if it is
 * `owned`. After a failure an owned one is closed too. */
struct oy_input *oy_input_open_fd(const char *name, int fd, int owned,
                                  struct oy_error *err);
/* Reads what a function gives: fewer than `size` bytes only before the end, 0
 * at the end, -1 after a failure. `arg` must outlive the input. The function
 * may be called from another thread, never from two at once. */
typedef ssize_t (*oy_input_stream)(void *arg, void *buf, size_t size,
                                   struct oy_error *err);
struct oy_input *oy_input_open_stream(const char *name, oy_input_stream read,
                                      void *arg, struct oy_error *err);
/* NULL is allowed. Does not wait for a pipe that is still open. */
void oy_input_close(struct oy_input *input);

/* Fills as much of buf as it can: fewer than `size` bytes only before the
 * end, 0 at the end, -1 after a failure. */
ssize_t oy_input_read(struct oy_input *input, void *buf, size_t size,
                      struct oy_error *err);

/* The next bytes without taking them: `want` (up to OY_INPUT_PEEK) of them,
 * fewer only before the end. Borrowed until the next call. NULL after a
 * failure. */
const unsigned char *oy_input_peek(struct oy_input *input, size_t want,
                                   size_t *len, struct oy_error *err);

/* "stdin" for standard input; borrowed from the input. */
const char *oy_input_name(const struct oy_input *input);
enum oy_codec oy_input_codec(const struct oy_input *input);
/* Whether a byte-order mark was dropped; known after the first read. */
int oy_input_had_mark(const struct oy_input *input);
/* Hashes what is read from now on (XXH3-128), a dropped mark included: call it
 * before the first byte is taken. Then the digest and the number of bytes so
 * far, decompressed. */
void oy_input_hash(struct oy_input *input);
struct oy_hash128 oy_input_digest(const struct oy_input *input);
uint64_t oy_input_given(const struct oy_input *input);
/* Compressed bytes taken so far, and the size of a regular file or -1: for
 * the progress line. */
uint64_t oy_input_taken(const struct oy_input *input);
int64_t oy_input_size(const struct oy_input *input);

/* Reads a whole file (decompressed) of at most `max` bytes into a new block
 * with OY_PADDING bytes and a NUL behind; free with oy_free. NULL after a
 * failure (65 when it is larger). */
char *oy_input_slurp(const char *path, size_t max, size_t *len,
                     struct oy_error *err);

#endif

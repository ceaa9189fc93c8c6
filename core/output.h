/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes out: standard output, or a file that appears whole or not at all.
 *
 * A named file is written beside its place under a temporary name, and
 * oy_output_commit() makes it durable and visible (fsync, rename, fsync of
 * the folder). Until then nothing of that name exists or the old file stands.
 * A symbolic link stays one: the file that it leads to is made or replaced.
 * An output that is not committed is removed: by oy_output_discard(), at
 * exit, and on SIGINT, SIGTERM and SIGHUP (after oy_output_init_signals()),
 * which then end the process as if not caught. Devices and pipes
 * (`-o /dev/stdout`, `-o /dev/full`) are written in place; a full device is a
 * failure even when there was nothing to write. zstd output is cut
 * into independent frames of about 8 MiB of whole lines with content
 * checksums and ends in a seek table (a skippable frame as in zstd's
 * contrib/seekable_format), which every zstd reads.
 */
#ifndef CORE_OUTPUT_H
#define CORE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/input.h"

struct oy_output;

struct oy_output_options {
    int codec;    /* enum oy_codec, or -1: by the name's suffix .zst .gz */
    int level;    /* 0: the codec's default (zstd 3, gzip 6) */
    int n_thread; /* for compression; 1 or less: in the caller */
    int unhashed; /* 1: the digest stays {0, 0}, and costs no time */
};

/* PATH NULL or "-" is standard output. NULL after a failure: 73 when it
 * cannot be created. `options` NULL means defaults. */
struct oy_output *oy_output_open(const char *path,
                                 const struct oy_output_options *options,
                                 struct oy_error *err);

/* Appends bytes. -1 after a failure (74); a closed pipe sets
 * err->closed_pipe. Whole lines should be given at once, so that frames end
 * at line borders. */
int oy_output_write(struct oy_output *output, const void *data, size_t len,
                    struct oy_error *err);
/* Hands buffered bytes to the kernel: for streams that somebody waits for. */
int oy_output_flush(struct oy_output *output, struct oy_error *err);

/* Ends the stream, makes it durable and visible, closes and frees it, also
 * after a failure (then nothing is left behind). NULL is allowed. */
int oy_output_commit(struct oy_output *output, struct oy_error *err);
/* Removes and frees it. NULL is allowed. */
void oy_output_discard(struct oy_output *output);

/* For sets of files whose names are known only at the end: oy_output_finish()
 * ends the stream, makes it durable and gives its descriptor back, without
 * making it visible; oy_output_commit_as() then makes it visible under `path`
 * (of the same folder) and frees it, also after a failure. Only for outputs
 * that are regular files. */
int oy_output_finish(struct oy_output *output, struct oy_error *err);
int oy_output_commit_as(struct oy_output *output, const char *path,
                        struct oy_error *err);

/* Of the uncompressed bytes so far. */
uint64_t oy_output_bytes(const struct oy_output *output);
struct oy_hash128 oy_output_digest(const struct oy_output *output);

/* Installs the handlers for SIGINT, SIGTERM and SIGHUP, the clean-up at exit,
 * and ignores SIGPIPE and SIGXFSZ (so that a closed pipe comes back as EPIPE,
 * a limit of file size as EFBIG). Once, at the start of a main. */
void oy_output_init_signals(void);

/* Ends the process as SIGPIPE would, silently: what a main does when
 * err->closed_pipe is set and the output was standard output. */
void oy_output_die_of_pipe(void) __attribute__((noreturn));

/* Writes a whole small file at once (a config, a manifest), same promises. */
int oy_output_write_file(const char *path, const void *data, size_t len,
                         struct oy_error *err);

/* Whether a file could be created at `path`, or 73: for what is written only
 * at the end. Leaves no trace; pipes and devices are not touched. */
int oy_output_try(const char *path, struct oy_error *err);

/* ---- outputs of many files ---- */

/* Creates PATH.tmp-XXXXXX as a folder for outputs of many files, each
 * committed on its own; commit renames it to PATH. PATH must not exist, or be
 * empty, or be a folder of ours (one that holds the file `.oyster`, which
 * commit puts there): then the two are exchanged in one step and the old one
 * is removed. Anything else is a failure at once (73): nothing of a user is
 * ever removed. Both ends free the folder and take NULL; what is not
 * committed is removed as outputs are. */
struct oy_output_folder;
struct oy_output_folder *oy_output_folder_open(const char *path,
                                               struct oy_error *err);
const char *oy_output_folder_path(const struct oy_output_folder *folder);
int oy_output_folder_commit(struct oy_output_folder *folder,
                            struct oy_error *err);
void oy_output_folder_discard(struct oy_output_folder *folder);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The files inside an archive, one after another, as streams of bytes.
 *
 * tar (and pax, cpio), zip, 7z, rar, cab, iso and ar. Nothing is ever written
 * to disk: a member's path is only a name, whatever it looks like. Links,
 * folders, devices and members without data are passed over; links are never
 * followed. An archive inside an archive is a member like any other, not
 * opened. Damage and truncation are errors (65) that name the archive.
 */
#ifndef CORE_ARCHIVE_H
#define CORE_ARCHIVE_H

#include <stddef.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/input.h"

struct oy_archive;

enum { OY_ARCHIVE_PEEK = 512 }; /* bytes that recognition looks at */

/* Whether a file that begins so is an archive. */
int oy_archive_is(const unsigned char *head, size_t len);

/* Reads the archive that lies (perhaps compressed) in `input`, from whose
 * start nothing was taken yet; the input is borrowed. `path` is the input's
 * file, or NULL when it has none: formats with a directory at their end (zip,
 * 7z) are read through it where it is a plain file. NULL after a failure. */
struct oy_archive *oy_archive_open(struct oy_input *input, const char *path,
                                   struct oy_error *err);
void oy_archive_close(struct oy_archive *archive);

/* Goes to the next regular file: 1 and its name (borrowed until the next
 * call, may be invalid UTF-8), 0 at the end, -1 after a failure. */
int oy_archive_next(struct oy_archive *archive, const char **name,
                    struct oy_error *err);
/* Bytes of the member: fewer than `size` only before its end. */
ssize_t oy_archive_read(struct oy_archive *archive, void *buf, size_t size,
                        struct oy_error *err);

#endif

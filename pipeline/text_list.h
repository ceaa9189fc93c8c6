/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of strings from a user's file, one a line.
 *
 * Lines end with LF or CR LF. The file may be compressed. What cannot be meant
 * is an error that names the line: an empty one (as a string it would stand
 * everywhere), what is not UTF-8, another line end than these, a NUL.
 */
#ifndef PIPELINE_TEXT_LIST_H
#define PIPELINE_TEXT_LIST_H

#include <stddef.h>

#include "core/error.h"
#include "core/run.h"

/* What is done with a line (borrowed). */
typedef void (*text_list_add)(void *arg, const char *line, size_t len);

/* Hands every line of the file on, with `strip` without the white space around
 * it. The file becomes a resource of `run` (may be NULL), `path` being borrowed
 * then until oy_run_exit(). -1 with 66 when it is not there, 65 when it is
 * damaged, empty, or larger than 256 MiB. */
int text_list_read(const char *path, int strip, struct oy_run *run,
                   text_list_add add, void *arg, struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files the operands of a program mean: folders are walked in the order
 * of names (bytes, not locale), so that a run is the same on every machine.
 */
#ifndef PIPELINE_WALK_H
#define PIPELINE_WALK_H

#include <stddef.h>

#include "core/error.h"

/* Zero-initialised is empty. */
struct walk {
    char **path; /* [n_path], yours until walk_release */
    size_t n_path;
    size_t cap_path;
};

/* Appends `path` itself, or every regular file under it when it is a folder.
 * Links to files count as files; links to folders inside are passed over.
 * -1 after a failure (66: it is missing or may not be read). */
int walk_add(struct walk *walk, const char *path, struct oy_error *err);
void walk_release(struct walk *walk);

#endif

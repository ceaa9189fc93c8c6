/* SPDX-License-Identifier: Apache-2.0
 *
 * Half-made files and folders that must not outlive the program.
 *
 * Private to core. Whoever makes a temporary name lists it here and strikes
 * it off when it is renamed or removed. What is still listed when the process
 * ends, by exit() or by SIGINT, SIGTERM or SIGHUP, is removed. The list is the
 * one mutable state of its kind; it is lock-free, because a signal handler
 * reads it, and safe from any thread.
 */
#ifndef CORE_SCRATCH_H
#define CORE_SCRATCH_H

#include "core/error.h"

/* Makes a new empty file "PATH.tmp-XXXXXX" (returns its open descriptor) or,
 * with oy_scratch_folder, a folder (returns 0), and lists it; *name is its
 * path, to be given back below. -1 with errno when it cannot be made. */
int oy_scratch_file(const char *path, char **name);
int oy_scratch_folder(const char *path, char **name);

/* Renames it to `target`, which is replaced, and frees the name. On failure
 * (-1 with errno) it is still listed. */
int oy_scratch_rename(char *name, const char *target);
/* Removes it, a folder with all that is in it, and frees the name. NULL is
 * allowed. */
void oy_scratch_discard(char *name);
/* Frees the name and strikes it off, leaving what it names. */
void oy_scratch_forget(char *name);

/* Removes a file or a whole tree; never follows symbolic links. Uses system
 * calls only: safe in a signal handler. */
void oy_scratch_remove_tree(const char *path);

/* Removes everything that is listed. */
void oy_scratch_remove_all(void);

/* Installs the handlers and the clean-up at exit; ignores SIGPIPE and
 * SIGXFSZ. */
void oy_scratch_init_signals(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells on standard error how far a run has come.
 *
 * A thread of its own asks the program for a line five times a second when
 * --progress is on (auto: when standard error is a terminal), once a minute
 * with -v otherwise, and for the whole account whenever SIGUSR1 comes. The
 * line is wiped from the terminal at the end. oy_run_init() has blocked
 * SIGUSR1 in all threads, so that it waits for this one.
 */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdint.h>

#include "core/run.h"

struct oy_buffer;
struct oy_progress;

/* Appends a line without a newline, or, with `full`, an account of one or
 * more lines, each with a newline. Called from the thread of the progress
 * while the others work: it reads atomics, or takes a lock. */
typedef void (*oy_progress_describe)(void *arg, int full,
                                     struct oy_buffer *out);

/* Never NULL: where no thread can be had, a run goes on without. */
struct oy_progress *oy_progress_start(const struct oy_run *run,
                                      oy_progress_describe describe, void *arg);
/* `describe` is not called any more after this. NULL is allowed. */
void oy_progress_stop(struct oy_progress *progress);

/* Whether standard error is a terminal: closing tables are shown there. */
int oy_progress_on_terminal(void);

/* "1,234,567"; "12.3 MB"; "1:02:03" of seconds: appended. */
void oy_put_count(struct oy_buffer *out, uint64_t count);
void oy_put_bytes(struct oy_buffer *out, uint64_t bytes);
void oy_put_duration(struct oy_buffer *out, double seconds);

/* Seconds of a clock that never goes back; for people's eyes only. */
double oy_now(void);

#endif

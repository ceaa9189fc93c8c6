/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of plain text as records {"NAME": line}, for programs that read
 * records.
 */
#ifndef MODEL_TEXT_LINES_H
#define MODEL_TEXT_LINES_H

#include "core/error.h"
#include "core/run.h"
#include "core/source.h"

/* A source over the run's inputs; blank lines are left out. `name` is
 * borrowed. NULL after a failure. */
struct oy_source *text_lines_open(const struct oy_run *run, const char *name,
                                  struct oy_error *err);

#endif

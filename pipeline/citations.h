/* SPDX-License-Identifier: Apache-2.0
 *
 * Wikipedia's citations, which C4 takes out of its lines: [12], [], [edit],
 * [citation needed].
 */
#ifndef PIPELINE_CITATIONS_H
#define PIPELINE_CITATIONS_H

#include <stddef.h>

#include "core/alloc.h"

/* Appends the text (valid UTF-8) without them; what moves together is not
 * looked at again. Digits are Python's \d. Linear. */
void citations_remove(const char *text, size_t len, struct oy_buffer *out);

#endif

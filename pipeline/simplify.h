/* SPDX-License-Identifier: Apache-2.0
 *
 * datatrove's simplify_text (utils/text.py of 0.10.1 with its default
 * TextNormConfig): what two texts must share to be near duplicates, or to
 * overlap with a benchmark.
 *
 * In this order: lower case; numbers (digits, perhaps one separator and more
 * digits) become "0"; 129 punctuation and control characters become spaces;
 * runs of white space become one space, none at the ends; canonical
 * decomposition (Unicode 14), from which non-spacing marks are taken out;
 * white space is stripped once more.
 */
#ifndef PIPELINE_SIMPLIFY_H
#define PIPELINE_SIMPLIFY_H

#include <stddef.h>

#include "core/alloc.h"

/* Scratch memory of one thread; zero-initialised is empty. */
struct simplify {
    struct oy_buffer lower;
    struct oy_buffer plain;
    struct oy_buffer normal;
};

void simplify_release(struct simplify *simplify);

/* The simple form of a valid UTF-8 text; borrowed until the next call,
 * with OY_PADDING readable bytes behind it. */
const char *simplify_text(struct simplify *simplify, const char *text,
                          size_t len, size_t *simple_len);

#endif

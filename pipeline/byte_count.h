/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting bytes of short pieces of text, a line or a word.
 */
#ifndef PIPELINE_BYTE_COUNT_H
#define PIPELINE_BYTE_COUNT_H

#include <stddef.h>

/* How many bytes lie in a row of `n` from `first` on. *is_ascii is set to
 * whether all bytes of the piece are ASCII. 16 bytes behind it must be
 * readable. */
size_t byte_count_range(const char *at, size_t len, char first, int n,
                        int *is_ascii);
/* The oracle of the vectorised form. */
size_t byte_count_range_plain(const char *at, size_t len, char first, int n,
                              int *is_ascii);

#endif

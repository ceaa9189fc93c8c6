/* SPDX-License-Identifier: Apache-2.0
 *
 * A source that lets files of counts pass as records.
 *
 * A line that is no JSON object and holds a tab is a word and its count, in
 * either order: "word TAB count" or "count TAB word". It comes out as a record
 * whose text is the word and whose member COUNT_FIELD is the count, as a
 * string; all other lines come out as they are. Where both sides are numbers,
 * the order is that of the first line of the file (of its first batch, about a
 * MiB) that tells, and "word TAB count" if none does.
 */
#ifndef TOKENIZER_COUNT_SOURCE_H
#define TOKENIZER_COUNT_SOURCE_H

#include "core/source.h"

#define COUNT_FIELD "oyster word count"

/* Takes `lines` over. `field` is the path of a record's text (--field). */
struct oy_source *count_source_open(struct oy_source *lines, const char *field);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * A text cut at line feeds, and how much of it stands there more than once.
 */
#ifndef PIPELINE_PIECES_H
#define PIPELINE_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "pipeline/seen.h"

struct piece {
    size_t at;
    size_t len;
};

/* Zero-initialised is empty; reused from text to text. */
struct pieces {
    struct piece *item;
    size_t n;
    size_t cap;
};

/* Texts have OY_PADDING readable bytes behind them.
 *
 * Replaces *pieces by those of text[from..end), cut at every run of at least
 * `feeds` line feeds: 1 cuts at each single one (then runs give empty pieces,
 * as str.split("\n")), 2 at LF{2,} as one. At least one piece. */
void pieces_split(const char *text, size_t from, size_t end, int feeds,
                  struct pieces *pieces);
/* Replaces *pieces by what str.split("\n\n") gives; `feeds` as below. */
void pieces_pair(const struct pieces *feeds, struct pieces *pieces);
/* What re.split("\n+") gives: all but the empty pieces between two others.
 * `line` has room for all; returns how many. */
size_t pieces_squeeze(const struct pieces *feeds, struct piece *line);
/* Replaces *lines by what str.splitlines() gives: `feeds` are the pieces of
 * the text between single line feeds, the last one reaching to its end. It
 * cuts at ten other characters too (a CR before an LF belongs to it), and an
 * end at the end of the text has no empty line behind it. */
void pieces_split_lines(const char *text, const struct pieces *feeds,
                        struct pieces *lines);
void pieces_release(struct pieces *pieces);

/* Elements that were there before: the first copy does not count. */
struct repeats {
    size_t n;
    size_t n_code;
};

/* `seen` is scratch. Empty pieces count like others. */
struct repeats pieces_repeats(const char *text, const struct piece *piece,
                              size_t n, struct seen *seen);
/* All that stand there more than once, the first copies too. */
struct repeats pieces_copies(const char *text, const struct piece *piece,
                             size_t n, struct seen *seen);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts cut into words, without copying.
 *
 * What a word is decides more documents than any threshold, so the splitter
 * is always named by the user:
 *
 * - `ws`: maximal runs of what Python's str.isspace() denies, as str.split().
 * - `uax29`: the segments between word boundaries of UAX #29 (Unicode 15),
 *   stripped of white space (as str.strip()), empty ones dropped. Punctuation
 *   marks are words of their own.
 *
 * Pure functions; texts must be valid UTF-8 with OY_PADDING readable bytes
 * behind them and shorter than 4 GiB.
 */
#ifndef PIPELINE_WORDS_H
#define PIPELINE_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum words_splitter { WORDS_NONE, WORDS_WS, WORDS_UAX29 };

/* One word of a text: where it begins, how long it is. */
struct word {
    uint32_t at;
    uint32_t len; /* bytes; never 0 */
};

/* Zero-initialised is empty; reused from text to text. */
struct words {
    struct word *item;
    size_t n;
    size_t cap;
};

/* The splitter of that name; WORDS_NONE when there is none. */
enum words_splitter words_splitter_of(const char *name);
const char *words_splitter_name(enum words_splitter splitter);

/* Replaces what *words holds by the words of the text. */
void words_split(enum words_splitter splitter, const char *text, size_t len,
                 struct words *words);
void words_release(struct words *words);

/* The byte behind the segment that begins at `at` (a word boundary of UAX
 * #29, not stripped). */
size_t words_segment_end(const char *text, size_t len, size_t at);

/* text[*at .. *at + *len) without the white space around it. */
void words_strip(const char *text, size_t *at, size_t *len);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding added tokens in a text.
 *
 * The rules are those of Hugging Face's added_vocabulary.rs: leftmost-longest
 * matches that do not overlap; a match that a flag or the caller forbids is
 * dropped without a second try at its place; lstrip and rstrip widen a match
 * over white space, to the left never into the match before. A matcher does
 * not change and may be used from many threads.
 */
#ifndef TOKENIZER_ADDED_TOKENS_H
#define TOKENIZER_ADDED_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/vocab.h"

struct added_matcher;

/* Of the tokens whose `normalized` flag is the given one; their contents are
 * normalised when it is set. The vocabulary is borrowed. */
struct added_matcher *added_matcher_new(const struct vocab *vocab,
                                        int normalized);
void added_matcher_free(struct added_matcher *matcher);
/* Whether there is nothing to be found at all. */
int added_matcher_is_empty(const struct added_matcher *matcher);

/* A walk over one text (valid UTF-8, borrowed). */
struct added_scan {
    const char *text;
    size_t len;
    int plain_special; /* special tokens in the text are text */
    size_t at;         /* where the search goes on */
    size_t floor;      /* end of the match before, widened */
};

struct added_match {
    size_t begin, end; /* widened */
    const struct vocab_added *token;
};

/* The next match: 1, or 0 when there is none. The text between scan->floor
 * before the call and match->begin is free of added tokens. */
int added_scan_next(const struct added_matcher *matcher,
                    struct added_scan *scan, struct added_match *match);

#endif

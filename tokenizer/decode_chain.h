/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoders: what a tokenizer.json does to the texts of tokens before they are
 * joined.
 *
 * A chain is a list of steps, done in order, from a list of texts to a list of
 * texts; each is the equal of one of Hugging Face's (src/decoders of tokenizers
 * 0.23.3). Texts are valid UTF-8 before and after every step. A chain does not
 * change once it was filled and is shared by threads.
 */
#ifndef TOKENIZER_DECODE_CHAIN_H
#define TOKENIZER_DECODE_CHAIN_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"
#include "tokenizer/replace.h"

enum decode_kind {
    /* Texts that are all of the byte alphabet become bytes, the others stay;
     * all are joined and made valid UTF-8. */
    DECODE_BYTE_LEVEL,
    /* Every `from` in a text becomes `to`; an empty one is found before every
     * character and at the end. */
    DECODE_REPLACE,
    /* Every match of `regex` becomes `to`. */
    DECODE_REGEX,
    /* Runs of "<0x00>" to "<0xFF>" become the text of their bytes, or as many
     * U+FFFD where they are not valid UTF-8. */
    DECODE_BYTE_FALLBACK,
    /* All texts become one. */
    DECODE_FUSE,
    /* At most n_left times `from`, one character, leaves the begin of each
     * text, n_right times its end. */
    DECODE_STRIP,
    /* Every `from`, one character, becomes a space; in the first text, with
     * n_left, nothing. */
    DECODE_METASPACE,
    /* All texts but the first lose the prefix `from`, or get a space in front;
     * with cleanup, spaces before English punctuation go. */
    DECODE_WORDPIECE,
    /* Every `from` becomes a space, in the last text nothing. */
    DECODE_SUFFIX,
    /* Of equal neighbours one stays, `from` becomes nothing; with cleanup, as
     * in WORDPIECE, and `to` becomes a space. Empty texts go. */
    DECODE_CTC,
};

/* Texts are borrowed; the regex belongs to the chain. */
struct decode_step {
    enum decode_kind kind;
    struct oy_text from, to;
    size_t n_left, n_right;
    int cleanup;
    struct replace_regex *regex;
};

/* Zero-initialised there is no decoder: that is for others to interpret. */
struct decode_chain {
    struct decode_step *step;
    size_t n, cap;
    int is_given;
};

void decode_chain_release(struct decode_chain *chain);
/* One more step, otherwise zero, to be filled in. Borrowed until the next. */
struct decode_step *decode_chain_add(struct decode_chain *chain,
                                     enum decode_kind kind);

/* A list of texts, one behind the other. Zero-initialised is empty. */
struct decode_texts {
    struct oy_buffer text;
    size_t *end; /* [n], of each text */
    size_t n, cap;
};

void decode_texts_release(struct decode_texts *texts);
/* Ends a text at the end of texts->text. */
void decode_texts_close(struct decode_texts *texts);
/* One of them, borrowed. */
struct oy_text decode_texts_at(const struct decode_texts *texts, size_t i);

/* What a step DECODE_STRIP leaves of a text. */
struct oy_text decode_strip(const struct decode_step *step,
                            struct oy_text text);

/* Runs the steps from number `first` up to `end` on work[0]; returns which of
 * the two holds the result. */
int decode_chain_run(const struct decode_chain *chain, size_t first, size_t end,
                     struct decode_texts work[2]);

#endif

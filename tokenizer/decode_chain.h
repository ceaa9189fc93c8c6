/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoders: what a tokenizer.json does to the texts of tokens before they are
 * joined.
 *
 * A chain is a list of steps, done in order, from a list of texts to a list of
 * texts; each is the equal of one of Hugging Face's (src/decoders). Texts are
 * valid UTF-8 before and after every step.
 */
#ifndef TOKENIZER_DECODE_CHAIN_H
#define TOKENIZER_DECODE_CHAIN_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"

enum decode_kind {
    /* Texts that are all of the byte alphabet become bytes, the others stay;
     * all are joined and made valid UTF-8. */
    DECODE_BYTE_LEVEL,
    /* Every `from` in a text becomes `to`. */
    DECODE_REPLACE,
    /* Runs of "<0x00>" to "<0xFF>" become the text of their bytes, or as many
     * U+FFFD where they are not valid UTF-8. */
    DECODE_BYTE_FALLBACK,
    /* All texts become one. */
    DECODE_FUSE,
    /* At most n_left times `from`, one character, leaves the begin of each
     * text, n_right times its end. */
    DECODE_STRIP,
    /* Every `from` becomes a space; in the first text, with n_left, nothing. */
    DECODE_METASPACE,
};

/* Texts are borrowed. */
struct decode_step {
    enum decode_kind kind;
    struct oy_text from, to; /* `from` is not empty */
    size_t n_left, n_right;
};

enum { DECODE_MAX_STEPS = 8 };

/* Zero-initialised does nothing. */
struct decode_chain {
    struct decode_step step[DECODE_MAX_STEPS];
    int n;
};

/* A list of texts, one behind the other. Zero-initialised is empty. */
struct decode_texts {
    struct oy_buffer text;
    size_t *end; /* [n], of each text */
    size_t n, cap;
};

void decode_texts_release(struct decode_texts *texts);
/* Ends a text at the end of texts->text. */
void decode_texts_close(struct decode_texts *texts);

/* Runs the steps on work[0]; returns which of the two holds the result, whose
 * text, whole, is what was decoded. */
int decode_chain_run(const struct decode_chain *chain,
                     struct decode_texts work[2]);

#endif

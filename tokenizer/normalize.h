/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers: what a tokenizer.json does to a text before it is cut.
 *
 * A normalizer is a list of steps, done in order; each is the equal of one of
 * Hugging Face's. The four Unicode forms use OY_UNICODE_HF (core/unicode.h),
 * the old data that Hugging Face's tokenizers carry (crate
 * unicode-normalization-alignments 0.1.12), whatever its version. All
 * functions but normalizer_add() are pure.
 */
#ifndef TOKENIZER_NORMALIZE_H
#define TOKENIZER_NORMALIZE_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"

enum normalize_kind {
    NORMALIZE_NFC,
    NORMALIZE_NFD,
    NORMALIZE_NFKC,
    NORMALIZE_NFKD,
    NORMALIZE_REPLACE,         /* every `from` by `to` */
    NORMALIZE_PREPEND,         /* `to` in front */
    NORMALIZE_PREPEND_MISSING, /* the same, unless the text begins with it */
    NORMALIZE_STRIP,           /* white space at the ends asked for */
};

/* Texts are borrowed. An empty text stays empty in every step. */
struct normalize_step {
    enum normalize_kind kind;
    struct oy_text from, to; /* `from` is not empty */
    int left, right;         /* STRIP: which ends */
};

enum { NORMALIZE_MAX_STEPS = 8 };

/* Zero-initialised changes nothing. */
struct normalizer {
    struct normalize_step step[NORMALIZE_MAX_STEPS];
    int n;
};

/* One more step, otherwise zero, to be filled in; NULL when there is no room.
 * Borrowed. */
struct normalize_step *normalizer_add(struct normalizer *normalizer,
                                      enum normalize_kind kind);

/* The normalised text: the one given, or a part of it, when no step changes
 * more, else in one of the two buffers, whose contents are lost. Borrowed
 * from them. Valid UTF-8 in, valid UTF-8 out. *is_cut (may be NULL) becomes 1
 * when what the text begins with is, by HF's offsets, no longer from its
 * begin: it was stripped off, or more than one character was replaced. */
struct oy_text normalize_text(const struct normalizer *normalizer,
                              struct oy_text text, struct oy_buffer work[2],
                              int *is_cut);

/* The place of the first `part`, which is not empty, from `at` on; the text's
 * length when there is none. Made for parts that are one character. */
size_t normalize_find(struct oy_text text, size_t at, struct oy_text part);
/* Appends the text with every `from`, which is not empty, replaced by `to`. */
void normalize_replace(struct oy_text text, struct oy_text from,
                       struct oy_text to, struct oy_buffer *out);

#endif

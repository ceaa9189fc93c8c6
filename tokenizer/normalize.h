/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers: what a tokenizer.json does to a text before it is cut.
 *
 * A normalizer is a list of steps, done in order; each is the equal of one of
 * Hugging Face's (tokenizers 0.23.3, src/normalizers), or a part of one:
 * BertNormalizer is up to five steps. The four Unicode forms use
 * OY_UNICODE_HF (core/unicode.h), the others the sets of core/unicode_sets.h.
 * A step that changes nothing costs a look at the text (several GB/s) and no
 * copy. A normalizer does not change once it was filled and is shared by
 * threads.
 */
#ifndef TOKENIZER_NORMALIZE_H
#define TOKENIZER_NORMALIZE_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/replace.h"

enum normalize_kind {
    NORMALIZE_NFC,
    NORMALIZE_NFD,
    NORMALIZE_NFKC,
    NORMALIZE_NFKD,
    NORMALIZE_LOWER,       /* each character by itself, Unicode 17 */
    NORMALIZE_COMBINING,   /* StripAccents: without oy_set_combining */
    NORMALIZE_NONSPACING,  /* BertNormalizer: without oy_set_nonspacing */
    NORMALIZE_CLEAN,       /* BertNormalizer: without controls, plain spaces */
    NORMALIZE_CHINESE,     /* BertNormalizer: spaces around oy_set_chinese */
    NORMALIZE_NMT,         /* Nmt: without some controls, plain spaces */
    NORMALIZE_BYTES,       /* ByteLevel: every byte by its visible character */
    NORMALIZE_PRECOMPILED, /* by `map` */
    NORMALIZE_REPLACE,     /* every `from` by `to`; an empty `from` is found
                              before every character and at the end */
    NORMALIZE_REGEX,       /* every match of `regex` by `to` */
    NORMALIZE_PREPEND,     /* `to` in front */
    NORMALIZE_PREPEND_MISSING, /* the same, unless the text begins with it */
    NORMALIZE_STRIP,           /* white space at the ends asked for */
};

/* Texts are borrowed; regex and map belong to the normalizer. An empty text
 * stays empty in every step. */
struct normalize_step {
    enum normalize_kind kind;
    struct oy_text from, to;
    int left, right; /* STRIP: which ends */
    struct replace_regex *regex;
    struct charsmap *map;
};

/* Zero-initialised changes nothing. */
struct normalizer {
    struct normalize_step *step;
    size_t n, cap;
};

void normalizer_release(struct normalizer *normalizer);
/* One more step, otherwise zero, to be filled in. Borrowed until the next. */
struct normalize_step *normalizer_add(struct normalizer *normalizer,
                                      enum normalize_kind kind);

/* The normalised text: the one given, or a part of it, when no step changes
 * more, else in one of the two buffers, whose contents are lost. Borrowed
 * from them. Valid UTF-8 in, valid UTF-8 out. *is_cut (may be NULL) becomes 1
 * when what the text begins with is, by HF's offsets, no longer from its
 * begin: that was taken off, or more than one character was replaced. (After
 * one step that is exact; where a step makes several characters of the first
 * one and a later step replaces them as one, or takes some off, it says 1.) */
struct oy_text normalize_text(const struct normalizer *normalizer,
                              struct oy_text text, struct oy_buffer work[2],
                              int *is_cut);

#endif

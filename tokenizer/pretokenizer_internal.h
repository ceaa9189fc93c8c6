/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a chain of pre-tokenizers, between reading and running.
 */
#ifndef TOKENIZER_PRETOKENIZER_INTERNAL_H
#define TOKENIZER_PRETOKENIZER_INTERNAL_H

#include "core/regex.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/split.h"

/* What becomes of matches and of what lies between them: HF's
 * SplitDelimiterBehavior, on "a--b" with "-". */
enum pretokenizer_behavior {
    PRETOKENIZER_REMOVED,              /* a b */
    PRETOKENIZER_ISOLATED,             /* a - - b */
    PRETOKENIZER_MERGED_WITH_PREVIOUS, /* a- - b */
    PRETOKENIZER_MERGED_WITH_NEXT,     /* a - -b */
    PRETOKENIZER_CONTIGUOUS,           /* a -- b */
};

/* Classes of single characters. */
enum pretokenizer_class {
    PRETOKENIZER_DIGITS,
    PRETOKENIZER_PUNCTUATION,
    PRETOKENIZER_SPACE,
    PRETOKENIZER_CHARACTER, /* step->character */
};

/* One of HF's components is one or several of these. */
enum pretokenizer_kind {
    /* Cuts. */
    PRETOKENIZER_SPLIT,  /* by step->split, pieces that touch */
    PRETOKENIZER_REGEX,  /* by matches of step->regex */
    PRETOKENIZER_STRING, /* by step->text, which is not empty */
    PRETOKENIZER_CLASS,  /* by single characters of step->class */
    PRETOKENIZER_SCRIPTS,
    PRETOKENIZER_LENGTH, /* step->length characters a piece */
    /* Rewrites. */
    PRETOKENIZER_PREFIX, /* a space in front, where there is none */
    PRETOKENIZER_SPELL,  /* bytes become their visible spelling */
    PRETOKENIZER_MARK,   /* spaces become step->text; one in front (scheme) */
};

enum pretokenizer_scheme {
    PRETOKENIZER_NEVER,
    PRETOKENIZER_FIRST,
    PRETOKENIZER_ALWAYS,
};

struct pretokenizer_step {
    enum pretokenizer_kind kind;
    enum pretokenizer_behavior behavior;
    int invert;
    /* A ByteLevel stands before this step: HF's text is the visible spelling
     * of ours, one character for each byte. */
    int is_spelled;
    enum split_kind split;
    struct oy_regex *regex; /* of the text */
    char *text;
    size_t text_len;
    char *path; /* REGEX: where the text stands in the document */
    enum pretokenizer_class class;
    uint32_t character;
    /* CLASS: whether the ASCII character, or (spelled) the byte, is of the
     * class. REGEX: whether a match may begin with the byte. */
    unsigned char table[256];
    size_t length;
    int han, hiragana, katakana; /* SCRIPTS: their numbers */
    enum pretokenizer_scheme scheme;
};

struct pretokenizer {
    struct pretokenizer_step *step;
    size_t n, cap;
};

/* One more step, zero but for its kind; borrowed until the next one. */
struct pretokenizer_step *pretokenizer_add(struct pretokenizer *chain,
                                           enum pretokenizer_kind kind,
                                           int is_spelled);
void pretokenizer_release_step(struct pretokenizer_step *step);
/* Fills step->table. */
void pretokenizer_fill_table(struct pretokenizer_step *step);

#endif

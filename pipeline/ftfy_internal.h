/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of ftfy share: texts as lists of code points, and tables of
 * what characters are in mojibake. */
#ifndef PIPELINE_FTFY_INTERNAL_H
#define PIPELINE_FTFY_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "pipeline/ftfy.h"

/* ---- tables (ftfy_table.c) ---- */

/* Single-byte encodings that texts are mistaken for, in the order of trial.
 * The sloppy ones decode unassigned bytes as Latin-1, and 1A as U+FFFD. */
enum {
    FTFY_LATIN_1,
    FTFY_WINDOWS_1252,
    FTFY_WINDOWS_1251,
    FTFY_WINDOWS_1250,
    FTFY_WINDOWS_1253,
    FTFY_WINDOWS_1254,
    FTFY_WINDOWS_1257,
    FTFY_ISO_8859_2,
    FTFY_MACROMAN,
    FTFY_CP437,
    FTFY_N_ENCODING,
};

/* Sets of characters: the first are those of ftfy's UTF8_CLUES, then those of
 * its signs; below 0 what is a matter of properties. */
enum {
    FTFY_SPACE = -1,     /* \s */
    FTFY_WORD = -2,      /* \w */
    FTFY_ANY = -3,       /* all but a line feed */
    FTFY_NOT_LATIN = -4, /* [^A-Za-z] */
    FTFY_FIRST_OF_2 = 0,
    FTFY_FIRST_OF_3,
    FTFY_FIRST_OF_4,
    FTFY_CONTINUATION,
    FTFY_CONTINUATION_STRICT,
};

struct ftfy_kind {
    uint64_t set[2];               /* a bit for each set */
    uint8_t byte[FTFY_N_ENCODING]; /* 0 (but for U+0000): not in it */
    uint8_t is_special;            /* not ASCII, and in a sign */
};
extern const struct ftfy_kind ftfy_kinds[];
extern const uint16_t ftfy_block[][64];
extern const uint8_t ftfy_index[1024];
/* What bytes from 80 on stand for. */
extern const uint32_t ftfy_decoded[FTFY_N_ENCODING][128];

/* A sequence of sets that is a sign of mojibake (ftfy's BADNESS_RE). */
enum { FTFY_MAX_SIGN = 7 };
struct ftfy_sign {
    int8_t n;
    int8_t at_begin; /* only where the text begins */
    int8_t set[FTFY_MAX_SIGN];
};
extern const struct ftfy_sign ftfy_signs[];
extern const size_t ftfy_n_sign;

static inline const struct ftfy_kind *ftfy_kind_of(uint32_t c)
{
    return &ftfy_kinds[c < 0x10000 ? ftfy_block[ftfy_index[c >> 6]][c & 63]
                                   : 0];
}

static inline int ftfy_is(uint32_t c, int set)
{
    return ftfy_kind_of(c)->set[set / 64] >> set % 64 & 1;
}

/* ---- texts ---- */

/* Code points. Zero-initialised is empty. */
struct ftfy_text {
    uint32_t *code;
    size_t n, cap;
};

static inline void ftfy_put(struct ftfy_text *text, uint32_t c)
{
    if (text->n == text->cap)
        OY_GROW(text->code, text->cap, text->n + 1);
    text->code[text->n++] = c;
}

static inline void ftfy_text_release(struct ftfy_text *text)
{
    oy_free(text->code);
    *text = (struct ftfy_text){0};
}

/* ---- mojibake ---- */

enum { FTFY_MAX_ROUNDS = 64, FTFY_MAX_DEPTH = 8 };

/* Whether a text looks like mojibake (is_bad). */
int ftfy_is_bad(const uint32_t *code, size_t n);
/* Replaces the text by what it was before it was decoded wrongly
 * (fix_encoding). Returns whether it changed. */
int ftfy_fix_encoding(const struct ftfy_config *config, struct ftfy_text *text,
                      int depth);
/* C1 controls as Windows-1252 (fix_c1_controls). */
int ftfy_fix_c1(struct ftfy_text *text);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Where pieces begin, 64 bytes at a time.
 *
 * A window of text becomes one byte of class bits for each of its bytes (a
 * character's class stands on all its bytes), these become one mask of 64 bits
 * for each class and block, and shifts and carries over the masks mark where
 * pieces begin. What masks cannot tell (bytes of the class SPLIT_HARD) is left
 * to the matchers of split.c, which are also the oracle of the whole: both
 * give the same pieces. split_marks.c has the algebra, split_classes.c the
 * classes, split_avx512.c and split_avx2.c the loops over bytes.
 */
#ifndef TOKENIZER_SPLIT_INTERNAL_H
#define TOKENIZER_SPLIT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/split.h"

enum {
    SPLIT_BLOCK = 64,
    SPLIT_N_BLOCK = 32, /* of a window */
    SPLIT_WINDOW = SPLIT_BLOCK * SPLIT_N_BLOCK,
};

/* Places of the classes: of bits in a byte, of masks in a block. */
enum {
    SPLIT_AT_LETTER,
    SPLIT_AT_NUMBER,
    SPLIT_AT_WHITE,
    SPLIT_AT_NEWLINE,
    SPLIT_AT_BLANK,
    SPLIT_AT_UPPER,
    SPLIT_AT_BOTH,
    SPLIT_AT_HARD,
    SPLIT_N_CLASS,
    SPLIT_AT_CJK = SPLIT_AT_UPPER, /* no kind has both */
};

/* Class bits of a byte. */
enum {
    SPLIT_LETTER = 1 << SPLIT_AT_LETTER,   /* DeepSeek: marks too, no CJK */
    SPLIT_NUMBER = 1 << SPLIT_AT_NUMBER,   /* SmolLM: HF's Digits */
    SPLIT_WHITE = 1 << SPLIT_AT_WHITE,     /* line ends and blanks too */
    SPLIT_NEWLINE = 1 << SPLIT_AT_NEWLINE, /* CR, LF */
    SPLIT_BLANK = 1 << SPLIT_AT_BLANK,     /* U+0020 */
    SPLIT_UPPER = 1 << SPLIT_AT_UPPER,     /* o200k: Lu, Lt; a LETTER too */
    SPLIT_CJK = 1 << SPLIT_AT_CJK,         /* DeepSeek: second expression */
    SPLIT_BOTH = 1 << SPLIT_AT_BOTH,       /* o200k: Lm, Lo; a LETTER too */
    SPLIT_HARD = 1 << SPLIT_AT_HARD,       /* masks do not say enough */
};

/* The masks of a block. */
struct split_masks {
    uint64_t class[SPLIT_N_CLASS];
    uint64_t more;    /* bytes that continue a character */
    uint64_t foreign; /* bytes that are no ASCII */
    uint64_t quote, slash;
};

/* What tells the kinds apart when text is classified. */
struct split_classes {
    uint8_t ascii[128];
    uint8_t han;    /* of U+4E00 to U+9F7F */
    uint8_t hangul; /* of U+B000 to U+CFFF */
};

/* NULL for kinds that have no masks. */
const struct split_classes *split_classes_of(enum split_kind kind);
/* The class byte of a code point above U+007F. */
uint8_t split_class_of(enum split_kind kind, uint32_t character);

/* Class bytes of n blocks at text; rest[i] marks the first bytes of those
 * characters in block i that are left to split_class_of(). Up to 2 bytes
 * behind the last block are written too. */
void split_classify_avx512(const struct split_classes *classes,
                           const char *text, size_t n, uint8_t *class,
                           uint64_t *rest);
void split_classify_avx2(const struct split_classes *classes, const char *text,
                         size_t n, uint8_t *class, uint64_t *rest);
/* The masks of n blocks. */
void split_masks_avx512(const char *text, const uint8_t *class, size_t n,
                        struct split_masks *masks);
void split_masks_avx2(const char *text, const uint8_t *class, size_t n,
                      struct split_masks *masks);

/* Length of 's 't 're 've 'm 'll 'd at text[at], which is a quote; 0 when there
 * is none. With any_case (?i:'s) takes U+017F too. */
size_t split_contraction(const char *text, size_t len, size_t at, int any_case);

/* Whether split_marks() may be called for this kind on this machine. */
int split_has_marks(enum split_kind kind);
/* Marks the begins of pieces in a window: bit i % 64 of mark[i / 64] says that
 * one begins at text[at + i]; bit 0 is set. Returns how many bytes they decide
 * about, > 0: no mark lies behind them, and text[at + that] begins a piece or
 * ends the text. It may be more than SPLIT_WINDOW, then there is one piece. No
 * more than about `want` bytes are looked at.
 * at < len, and text[at] begins a piece. */
size_t split_marks(enum split_kind kind, const char *text, size_t len,
                   size_t at, size_t want, uint64_t mark[SPLIT_N_BLOCK]);

/* The places of the marks of n_byte <= SPLIT_WINDOW bytes; returns how many.
 * begin[SPLIT_LIST_MAX] is written to at random behind the last. */
enum { SPLIT_LIST_MAX = SPLIT_WINDOW + SPLIT_BLOCK };
size_t split_list(const uint64_t *mark, size_t n_byte, uint32_t *begin);
size_t split_list_avx512(const uint64_t *mark, size_t n_byte, uint32_t *begin);
/* 0 to 63, for compression by a mask. */
extern const uint8_t split_place[64];
/* Whether split_classify_avx512() and the like may be called. */
int split_has_avx512(void);

#endif

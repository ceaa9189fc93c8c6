/* SPDX-License-Identifier: Apache-2.0
 *
 * Borders inside pieces that no token crosses.
 *
 * Writing without spaces makes long pieces that hardly ever come again. But
 * most of its neighbours stand side by side in no token at all; no merge can
 * cross such a border, so both sides may be encoded apart, and what is left
 * between borders are words of a character or two that the cache knows. Asked
 * for are borders of two characters of three bytes each: Han, kana, Hangul,
 * Thai, the scripts of India, and their punctuation.
 */
#ifndef TOKENIZER_BPE_CUTS_H
#define TOKENIZER_BPE_CUTS_H

#include <stddef.h>
#include <stdint.h>

struct bpe;

enum { BPE_CUT_BITS = 20 };

struct bpe_cuts {
    /* Hashed: pairs of characters that are neighbours inside a token. NULL
     * when this vocabulary has no borders to ask for. */
    uint32_t *pair;
    /* By code point, two bits in 2^16 each: a token crosses the border behind
     * (before) this character with part of the other one. */
    uint32_t *behind, *before;
};

/* Reads the finished tables of bpe. */
void bpe_cuts_init(struct bpe_cuts *cuts, const struct bpe *bpe);
void bpe_cuts_release(struct bpe_cuts *cuts);
/* The tables as one block of so many bytes, which begins with `pair`; NULL:
 * there are none. */
size_t bpe_cuts_size(void);
void bpe_cuts_set(struct bpe_cuts *cuts, uint32_t *pair);

/* Adds to the marks of split_marks() the borders in text[0..n), n <=
 * SPLIT_WINDOW. */
void bpe_cuts_mark(const struct bpe_cuts *cuts, const char *text, size_t n,
                   uint64_t *mark);

#endif

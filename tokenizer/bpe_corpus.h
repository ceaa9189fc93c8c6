/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a corpus as runs of symbols that shrink in place while merges
 * are trained.
 *
 * All words lie in one array of 32-bit units, one behind the other: the
 * count, the symbols, an end mark, padding to a whole unit. Symbols are 16
 * bits wide while all ids fit, else 32. A word is known by the unit where it
 * begins, so that a step of training touches one place in memory for a word.
 */
#ifndef TOKENIZER_BPE_CORPUS_H
#define TOKENIZER_BPE_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum {
    BPE_NARROW_END = 0xffff, /* behind the last 16-bit symbol */
    BPE_NARROW_IDS = 0xfffe, /* ids below this fit; this one is padding */
};
#define BPE_WIDE_END UINT32_MAX

/* Zero-initialised is empty. */
struct bpe_corpus {
    uint32_t *unit;
    size_t n_unit, unit_cap;
    int is_wide;
    uint64_t n_word;
    size_t middle; /* a word in about the middle, or n_unit; known after
                      bpe_corpus_compact(), until words are added */
};

/* Makes room for `n_word` words of `n_symbol` symbols in all. -1 (71) when the
 * system has no such memory or there are more units than can be numbered. */
int bpe_corpus_init(struct bpe_corpus *corpus, uint64_t n_word,
                    uint64_t n_symbol, int is_wide, struct oy_error *err);
void bpe_corpus_release(struct bpe_corpus *corpus);
/* Bytes that bpe_corpus_init() asks for. */
uint64_t bpe_corpus_size(uint64_t n_word, uint64_t n_symbol, int is_wide);

/* Appends a word of `len` symbols seen `count` (1 to 2^63 - 1) times. Words
 * that were announced fit. */
void bpe_corpus_add(struct bpe_corpus *corpus, const uint32_t *symbol,
                    size_t len, uint64_t count);

/* The first and next word, SIZE_MAX behind the last. */
size_t bpe_corpus_first(const struct bpe_corpus *corpus);
size_t bpe_corpus_next(const struct bpe_corpus *corpus, size_t word);
/* Moves the words together; those of one symbol, which have no pairs any more,
 * are left out. All words have other places then. */
void bpe_corpus_compact(struct bpe_corpus *corpus);

/* A count that does not fit into the first unit stands in two behind it. No
 * first unit looks like padding. */
#define BPE_LONG_COUNT   UINT32_MAX
#define BPE_SHORT_COUNTS UINT32_C(0xfffe0000) /* counts below are short */

/* The symbols of a word (16 or 32 bits each) and its count. */
static inline void *bpe_corpus_word(const struct bpe_corpus *corpus,
                                    size_t word, int64_t *count)
{
    uint32_t *const unit = corpus->unit + word;

    if (unit[0] != BPE_LONG_COUNT) {
        *count = unit[0];
        return unit + 1;
    }
    *count = (int64_t)((uint64_t)unit[1] | (uint64_t)unit[2] << 32);
    return unit + 3;
}

static inline uint32_t bpe_symbol(const void *symbols, size_t i, int is_wide)
{
    return is_wide ? ((const uint32_t *)symbols)[i]
                   : ((const uint16_t *)symbols)[i];
}

static inline void bpe_symbol_set(void *symbols, size_t i, uint32_t id,
                                  int is_wide)
{
    if (is_wide)
        ((uint32_t *)symbols)[i] = id;
    else
        ((uint16_t *)symbols)[i] = (uint16_t)id;
}

static inline uint32_t bpe_end_mark(int is_wide)
{
    return is_wide ? BPE_WIDE_END : BPE_NARROW_END;
}

#endif

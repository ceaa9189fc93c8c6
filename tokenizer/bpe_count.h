/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts cut into words, and these counted: what one thread of oy-bpe does.
 */
#ifndef TOKENIZER_BPE_COUNT_H
#define TOKENIZER_BPE_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/regex.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/split.h"
#include "tokenizer/word_store.h"

/* Where texts are cut; shared by threads. Zero-initialised may be released. */
struct bpe_cut {
    enum split_kind kind;   /* SPLIT_UNKNOWN: by `regex` */
    struct oy_regex *regex; /* each match is a piece, and so is what lies
                               between two: HF's Split(Isolated) */
    const char *pattern;    /* the expression to be written into tokenizer.json;
                            NULL: that of the kind; borrowed */
    int by_line;            /* every line with its LF is cut by itself */
    unsigned char rank[256]; /* the order of bytes in which their letters of
                                the byte alphabet come */
};

/* `pre` is a name that split.h knows or a regular expression, known by a byte
 * that is neither letter, digit, `_` nor `-`. -1 (64). */
int bpe_cut_init(struct bpe_cut *cut, const char *pre, int by_line,
                 struct oy_error *err);
void bpe_cut_release(struct bpe_cut *cut);
/* The order of bytes in which words stand in a file of counts, for
 * word_store.h; NULL: their own. */
const unsigned char *bpe_cut_rank(const struct bpe_cut *cut);
/* Whether words are characters, not bytes. */
int bpe_cut_is_by_character(const struct bpe_cut *cut);

/* One thread's. Zero-initialised may be released. */
struct bpe_counter {
    const struct bpe_cut *cut;
    struct word_tally tally;
    struct oy_regex_matcher *matcher;
    struct oy_buffer line; /* a last line with the LF that it lacked */
    struct byte_alphabet alphabet;
};

void bpe_counter_init(struct bpe_counter *counter, const struct bpe_cut *cut,
                      struct word_store *store);
void bpe_counter_release(struct bpe_counter *counter);

/* Counts the words of a text: valid UTF-8 with OY_PADDING readable bytes
 * behind it. -1: a spill failed, or the expression was given up. */
int bpe_counter_add_text(struct bpe_counter *counter, struct oy_text text,
                         struct oy_error *err);
/* A count as it stands in a file of counts: in decimal, up to 2^63 - 1. -1
 * (65). */
int bpe_count_read(struct oy_text text, uint64_t *count, struct oy_error *err);
/* A word of a file of counts, spelled in the byte alphabet or in its own
 * characters; one that was seen 0 times is passed over. -1 (65) when it is
 * not that, or after a failed spill. */
int bpe_counter_add_word(struct bpe_counter *counter, struct oy_text word,
                         uint64_t count, struct oy_error *err);
/* Appends "word TAB count LF", which the function above understands. */
void bpe_counter_put_word(const struct bpe_cut *cut,
                          const struct word_entry *word, struct oy_buffer *out);

#endif

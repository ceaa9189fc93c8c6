/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts as decontamination compares them: normalised words with one space
 * between them, and hashes of the n-grams among them.
 */
#ifndef PIPELINE_DECON_WORDS_H
#define PIPELINE_DECON_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/json.h"
#include "pipeline/simplify.h"
#include "pipeline/words.h"

enum decon_form {
    /* datatrove's simplify_text(), cut by a splitter. */
    DECON_SIMPLE,
    /* Lower case, ASCII punctuation (Python's string.punctuation) removed,
     * cut at white space: GPT-3 appendix C, as lm-evaluation-harness. */
    DECON_PLAIN,
};

/* Scratch memory of one thread; zero-initialised is empty. */
struct decon_words {
    struct simplify simplify;
    struct words split;
    struct oy_buffer joined; /* the words with a space behind each */
    size_t *start;           /* [n + 1] where each begins; the last: the end */
    struct word *origin;     /* [n] of DECON_PLAIN: where it was cut from */
    size_t n;
    size_t cap_start, cap_origin;
    uint64_t *hash; /* of decon_words_hash() */
    uint64_t *word_hash;
    size_t cap_hash, cap_word_hash;
    struct oy_buffer bare; /* a word without its punctuation */
};

void decon_words_release(struct decon_words *words);
void decon_words_clear(struct decon_words *words);

/* Appends the words of a valid UTF-8 text with OY_PADDING readable bytes
 * behind it. */
void decon_words_add(struct decon_words *words, enum decon_form form,
                     enum words_splitter splitter, const char *text,
                     size_t len);
/* Appends words that are joined by single spaces already. */
void decon_words_add_joined(struct decon_words *words, const char *text,
                            size_t len);
/* Forgets all words but the last n. */
void decon_words_keep_last(struct decon_words *words, size_t n);

/* The n-gram at word i, its words joined by one space; borrowed. */
struct oy_text decon_words_gram(const struct decon_words *words, size_t i,
                                size_t n);
/* Hashes of all n-grams into words->hash: a rolling polynomial over the
 * hashes of the words, so that its cost does not grow with n. How many. */
size_t decon_words_hash(struct decon_words *words, size_t n);

#endif

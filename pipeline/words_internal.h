/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the word splitters share. */
#ifndef PIPELINE_WORDS_INTERNAL_H
#define PIPELINE_WORDS_INTERNAL_H

#include "core/alloc.h"
#include "pipeline/words.h"

static inline void words_push(struct words *words, size_t at, size_t len)
{
    if (words->n == words->cap)
        OY_GROW(words->item, words->cap, words->n + 1);
    words->item[words->n++] = (struct word){(uint32_t)at, (uint32_t)len};
}

/* All append. */
void words_split_ws(const char *text, size_t len, struct words *words);
/* The oracle of the vectorised form. */
void words_split_ws_plain(const char *text, size_t len, struct words *words);
size_t words_count_ws_plain(const char *text, size_t len, size_t enough);
void words_split_uax29(const char *text, size_t len, struct words *words);
void words_split_icu(struct words_icu **icu, const char *text, size_t len,
                     struct words *words);

/* ICU's iterator over one thread's texts; NULL is none yet. */
void words_icu_free(struct words_icu *icu);
int words_icu_check(struct oy_error *err);
void words_icu_label(char label[WORDS_LABEL]);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * DCLM's split_words() (baselines/mappers/core_utils.py at 361714b), with its
 * three models: fastText's tokens, uniseg's segments, str.split().
 */
#ifndef PIPELINE_DCLM_WORDS_H
#define PIPELINE_DCLM_WORDS_H

#include "pipeline/document.h"
#include "pipeline/rule.h"

enum dclm_words_model { DCLM_FASTTEXT, DCLM_UNISEG, DCLM_SPLIT };

/* Zero-initialised, ignore_whitespace set: the peer's defaults. */
struct dclm_words {
    int model;
    int ignore_punctuation; /* only what begins with a letter or a digit */
    int ignore_whitespace;
};

extern const char *const dclm_words_models[]; /* for RULE_CHOICE */

/* The rows of a table of parameters, for a member `words` of the struct. */
#define DCLM_WORDS_PARAM(type)                                                 \
    {"model", RULE_CHOICE, offsetof(type, words.model), dclm_words_models},    \
        {"ignore_punctuation", RULE_BOOL,                                      \
         offsetof(type, words.ignore_punctuation)},                            \
    {                                                                          \
        "ignore_whitespace", RULE_BOOL,                                        \
            offsetof(type, words.ignore_whitespace)                            \
    }

/* The next word behind *at, which is moved behind it; 0 at the end. A line
 * feed, which is the word "</s>" of fastText, is handed out as itself. */
int dclm_words_next(const struct dclm_words *words, struct oy_text text,
                    size_t *at, struct oy_text *word);
/* How many the document has; from its views where it can. */
size_t dclm_words_count(const struct dclm_words *words,
                        struct document *document);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Chinese words as jieba 0.42.1 cuts them (accurate mode, HMM on), which is
 * what spaCy's and datatrove's splitter for cmn_Hani is.
 *
 * A run of Han characters, letters and a few marks is cut along the path of
 * the highest product of word frequencies; what falls into single characters
 * is cut by a hidden Markov model over begin, middle, end and single. Other
 * characters are words of their own, white space is none. Source:
 * jieba/__init__.py and jieba/finalseg/__init__.py.
 *
 * The dictionary is jieba's dict.txt or one in its form, a line each: the
 * word, a space, its frequency, and what may follow. The model's numbers are
 * jieba's (MIT licence; pipeline/words/jieba_hmm.txt.zst).
 */
#ifndef PIPELINE_JIEBA_H
#define PIPELINE_JIEBA_H

#include "core/error.h"
#include "core/run.h"
#include "pipeline/words.h"

/* Does not change once it was loaded; shared by threads. */
struct jieba;

/* PATH NULL: where Debian's python3-jieba has it. NULL after a failure: 66
 * when there is no dictionary, 65 when it is damaged. */
struct jieba *jieba_load(const char *path, struct oy_error *err);
void jieba_free(struct jieba *jieba);
/* The same for a run whose splitter may be WORDS_JIEBA; the dictionary becomes
 * an input of its manifest. *jieba is NULL for other splitters. 0, or -1. */
int jieba_load_for(enum words_splitter splitter, const char *path,
                   struct oy_run *run, struct jieba **jieba,
                   struct oy_error *err);

/* Scratch of one thread; NULL is empty. */
struct jieba_work;
void jieba_work_free(struct jieba_work *work);

/* Appends the words of a text, as words_split() does. */
void jieba_split(const struct jieba *jieba, struct jieba_work **work,
                 const char *text, size_t len, struct words *words);

#endif

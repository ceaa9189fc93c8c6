/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter behind oy-decon: documents that share text with benchmarks.
 *
 * Four rules of the literature say what sharing is:
 *
 * - datatrove: any n-gram (12) of simplify_text() words; the first one found
 *   drops the document (pipeline/decont/n_grams.py of 0.10.1).
 * - gpt3: appendix C of the paper. Around n-grams (8 to 13 words, by task)
 *   200 characters are cut away on each side, pieces under 200 characters
 *   with them; what is cut into more than 10 pieces, or into none, is
 *   dropped. N-grams in more than 10 documents are no sign of anything.
 * - dolma: any paragraph (a line) of 13 or more words that is one of the
 *   benchmark's. dolma asks a Bloom filter; here answers are exact.
 * - llama3: so large a part of some item's words lies in n-grams (8) that the
 *   document has, too.
 *
 * What was found is oyster.decon {keep, task, id, ngram, word, ...}.
 */
#ifndef PIPELINE_DECON_H
#define PIPELINE_DECON_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"
#include "pipeline/decon_index.h"
#include "pipeline/jieba.h"

enum decon_method { DECON_DATATROVE, DECON_GPT3, DECON_DOLMA, DECON_LLAMA3 };

struct decon_options {
    struct oy_list against; /* files of benchmark texts; one at least */
    int method;             /* enum decon_method */
    int64_t ngram;          /* 0: the method's */
    const char *words;      /* a splitter, for datatrove; NULL: spacy */
    const char *dictionary; /* of jieba; NULL: the usual place */
    int query;              /* n-grams within a query alone, too */
    double ratio;           /* of llama3 */
    int64_t common;         /* of gpt3; 0: none is too common */
    int annotate;
};

/* 0, or -1 with err (64: contradictory choices; 65: a damaged benchmark file;
 * 66: a missing one). */
int decon_run(const struct decon_options *options, struct oy_run *run,
              struct oy_error *err);

/* How texts become what is compared. */
struct decon_rule {
    enum decon_method method;
    enum decon_form form;
    enum words_splitter splitter;
    const struct jieba *jieba;
    size_t n; /* words; 0: by task */
    int query;
};

/* Calls visit() for each paragraph of the text that dolma compares: n words of
 * UAX #29 or more, and a letter or number among them. Until it returns other
 * than 0, which is returned. */
int decon_paragraphs(struct words *words, size_t n, const char *text,
                     size_t len,
                     int (*visit)(void *arg, const char *paragraph, size_t len,
                                  size_t n_word),
                     void *arg);

/* Reads the files into the index (private to the two files): JSON lines with
 * a text, or with a label and perhaps a query, and perhaps a task and an id;
 * or plain texts, one a line. */
int decon_read(struct decon_index *index, const struct decon_rule *rule,
               const struct oy_list *against, struct oy_run *run,
               struct oy_error *err);

#endif

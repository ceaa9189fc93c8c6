/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter of oy-clean: each record goes through a chain of rules, and the
 * first that fails decides.
 */
#ifndef PIPELINE_CLEAN_H
#define PIPELINE_CLEAN_H

#include "core/filter.h"
#include "pipeline/chain.h"

struct clean_options {
    enum words_splitter words;
    const char *dictionary;     /* of WORDS_JIEBA; NULL: the usual place */
    const char *language_model; /* for rules that need one */
    int annotate;               /* keep all, say what was found */
    int all_reasons;            /* run every rule, list all that fail */
    int print_words;            /* keep all, add oyster.words, .splitter */
    int tell_dropped;           /* dropped records carry oyster.clean */
    int64_t n_sample;           /* dropped records of each reason; 0: all */
    const char *sample;         /* where those go, with n_sample */
    int dry_run;
};

/* Runs the chain over run's inputs. */
int clean_run(const struct chain *chain, const struct clean_options *options,
              struct oy_run *run, struct oy_error *err);

#endif

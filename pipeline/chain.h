/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of rules that a run of oy-clean applies, put together from presets
 * and options.
 *
 * A preset is a JSON file: {"about": TEXT, "words": SPLITTER, "rules": [RULE,
 * ...]}, a RULE being a name or {"rule": NAME, PARAMETER: VALUE, ...}; with a
 * parameter "match" the name may be left out and is match. The second instance
 * of a rule is called RULE#2, and so on.
 */
#ifndef PIPELINE_CHAIN_H
#define PIPELINE_CHAIN_H

#include "core/alloc.h"
#include "core/error.h"
#include "core/run.h"
#include "pipeline/rule.h"
#include "pipeline/words.h"

struct chain_step {
    const struct rule *rule;
    void *params;
    const char *label; /* "length", "length#2" */
    int number;        /* 1, 2 */
};

/* Zero-initialised is empty. Everything in it lives until chain_release(). */
struct chain {
    struct chain_step *step;
    size_t n_step;
    size_t cap_step;
    enum words_splitter words; /* what the first preset that does names */
    int words_differ;          /* another one names other words */
    struct oy_arena arena;
};

/* Appends the rules of a preset: a file, or a name among pipeline/presets. It
 * becomes an input of the run's manifest (the chain must then live until
 * oy_run_exit); `run` may be NULL. -1 with 66 when there is none, 65 when it is
 * damaged. */
int chain_add_preset(struct chain *chain, struct oy_run *run, const char *name,
                     struct oy_error *err);
/* Replaces the list by "R1,R2,..." ("none": no rules). A rule that was there
 * keeps the parameters that its preset gave it. 64 for an unknown one. */
int chain_set_rules(struct chain *chain, const char *list,
                    struct oy_error *err);
/* "RULE.PARAM=VALUE", the value being JSON if it parses, else a string. 64
 * when the rule is not in the list, or has no such parameter or value. */
int chain_set_param(struct chain *chain, const char *setting,
                    struct oy_error *err);
/* Whether any rule asks for words, or for a model of languages. */
int chain_needs_words(const struct chain *chain);
int chain_needs_language_model(const struct chain *chain);
/* The languages to keep ("en:0.65,de"), for every rule `language`. 64 when
 * there is none. */
int chain_keep_languages(struct chain *chain, const char *list,
                         struct oy_error *err);
/* Loads what the rules need besides the text (rule.h), once, when nothing more
 * is set. -1 with the rule's failure. */
int chain_load(struct chain *chain, struct oy_run *run, struct oy_error *err);
void chain_release(struct chain *chain);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a completion's answer is, and whether it is right: lm-eval's filters
 * (lm_eval/filters/) and its exact_match (api/metrics.py).
 *
 * A pipeline is one member of a task's filter_list: {"name", "filter":
 * [{"function", ...}]}, a chain that ends with take_first. Functions: regex
 * (regex_pattern, group_select, fallback), remove_whitespace, lowercase, map
 * (mapping_dict, default_value), take_first. Any other is refused by name.
 *
 * Expressions are Python's: `\d`, `\w` and `\s` know all of Unicode. They are
 * run by PCRE2, which spells all that lm-eval's tasks use alike.
 */
#ifndef EVAL_ANSWER_FILTER_H
#define EVAL_ANSWER_FILTER_H

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "tokenizer/template.h"

struct answer_filter;

/* From a member of filter_list; NULL is lm-eval's default, the answer as it
 * is, by the name of "none". What `config` holds is borrowed. NULL after a
 * failure (65). */
struct answer_filter *answer_filter_new(const struct template_value *config,
                                        struct oy_error *err);
void answer_filter_free(struct answer_filter *filter);
const char *answer_filter_name(const struct answer_filter *filter);

/* What the pipeline makes of a completion; borrowed from it, from the config
 * or in `arena`. -1 with err (65) when an expression takes too long, or
 * group_select is beyond the matches. */
int answer_filter_apply(const struct answer_filter *filter,
                        struct oy_text completion, struct oy_arena *arena,
                        struct oy_text *answer, struct oy_error *err);

struct answer_match;

/* exact_match by the members of a metric_list's entry: regexes_to_ignore,
 * ignore_case, ignore_punctuation, ignore_numbers. NULL after a failure
 * (65). */
struct answer_match *answer_match_new(const struct template_value *config,
                                      struct oy_error *err);
void answer_match_free(struct answer_match *match);

/* Whether the answer is the target, or one of a list of them: 1, 0; -1 with
 * err (65). */
int answer_match_test(const struct answer_match *match, struct oy_text answer,
                      const struct template_value *target,
                      struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What tasks do to the texts of their data, as filters that their templates
 * may name: lm-eval has a Python function for each, a task file of ours has
 * `{{page|wikitext_detokenize}}`. Texts are valid UTF-8; results are
 * appended.
 */
#ifndef EVAL_TEXT_CLEAN_H
#define EVAL_TEXT_CLEAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "tokenizer/template.h"

/* HellaSwag's cleaning of WikiHow's leavings (lm_eval/tasks/hellaswag):
 * stripped; " [title]" becomes ". "; what stands in brackets goes, the
 * shortest stretch within a line; two spaces become one, in one pass. */
void text_clean_wikihow(const char *text, size_t len, struct oy_buffer *out);

/* WikiText's text as people write it (lm_eval/tasks/wikitext, after
 * Megatron-LM). Quotes may pair across lines: that is how it is scored. */
void text_clean_wikitext(const char *text, size_t len, struct oy_buffer *out);

/* Pieces of a split at runs of white space: an empty one at either end
 * counts, as in len(re.split(r"\s+", text)). */
int64_t text_count_words(const char *text, size_t len);
int64_t text_count_bytes(const char *text, size_t len);

/* Every `from` becomes `to`, once from left to right, as str.replace does. */
void text_replace_all(struct oy_buffer *text, const char *from, const char *to);

/* For template_compile(): prompts with the filters wikihow_clean,
 * wikitext_detokenize, math_boxed (eval/answer_math.h); split_count, byte_count; python_literal
 * (eval/python_literal.h). */
extern const struct template_options text_clean_options;

#endif

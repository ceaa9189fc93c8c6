/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether answers in TeX are equal, as Hendrycks' MATH has it: both are brought
 * into one spelling and compared (lm_eval/tasks/hendrycks_math/utils.py, after
 * github.com/hendrycks/math). Nothing is computed: 1/2 is \frac{1}{2}, 2/4 is
 * not.
 */
#ifndef EVAL_ANSWER_MATH_H
#define EVAL_ANSWER_MATH_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"

/* What stands in the last \boxed{} (or \fbox{}) of a solution, for templates.
 * Where there is none, nothing: lm-eval fails then. */
void answer_math_boxed(const char *text, size_t len, struct oy_buffer *out);

/* Whether a completion is right: what is between its first and last dollar
 * sign, else all of it, against the reference. Texts that the rules cannot be
 * applied to (a fraction without its parts, more than one unit, a quotient that
 * is not of integers) have to be the same as they stand, as in lm-eval. */
int answer_math_equal(struct oy_text completion, struct oy_text reference);

/* The same for AGIEval's mathematics (lm_eval/tasks/agieval/utils.py), which
 * looks for an answer on both sides: in the last box, else between the dollar
 * signs of the last line that has two, else behind the last equals sign, else
 * the last number. Where neither side has one they are equal, as in lm-eval. */
int answer_agieval_equal(struct oy_text completion, struct oy_text reference);

#endif

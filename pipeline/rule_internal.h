/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules, one in a file of its name. */
#ifndef PIPELINE_RULE_INTERNAL_H
#define PIPELINE_RULE_INTERNAL_H

#include "pipeline/rule.h"

/* Parameters, reasons and order of tests are datatrove's (0.10.1). */
extern const struct rule rule_gopher_quality;
extern const struct rule rule_gopher_repetition;
extern const struct rule rule_c4_quality; /* rewrites the text */
extern const struct rule rule_c4_paragraph;
extern const struct rule rule_fineweb_quality;
extern const struct rule rule_symbol_lines; /* rewrites the text */
extern const struct rule rule_language;
extern const struct rule rule_fix_text; /* rewrites the text */
extern const struct rule rule_pii;      /* rewrites the text */

extern const struct rule rule_code; /* BigCode's */

/* Our own: the normal forms of Unicode 15; they rewrite the text. */
extern const struct rule rule_nfc;
extern const struct rule rule_nfkc;

/* Our own: code points of the text within `min` and `max`, 0 being off. */
extern const struct rule rule_length;
/* Our own: a number of the record within `min` and `max`. */
extern const struct rule rule_value;
/* Our own: a regular expression of the user's; it may rewrite the text. */
extern const struct rule rule_match;

#endif

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
extern const struct rule rule_c4_badwords;
extern const struct rule rule_fineweb_quality;
extern const struct rule rule_symbol_lines; /* rewrites the text */
extern const struct rule rule_language;
extern const struct rule rule_url;
extern const struct rule rule_fix_text; /* rewrites the text */
extern const struct rule rule_pii;      /* rewrites the text */

extern const struct rule rule_code; /* BigCode's */

/* dolma's taggers (669f534); they only measure. */
extern const struct rule rule_dolma_gopher_v1;
extern const struct rule rule_dolma_gopher_v2;
extern const struct rule rule_dolma_c4_v1;
extern const struct rule rule_dolma_c4_v2;
extern const struct rule rule_dolma_pii_regex_v1;
extern const struct rule rule_dolma_pii_regex_v2;
extern const struct rule rule_dolma_pii_regex_with_counts_v2;
extern const struct rule rule_dolma_pii_regex_with_counts_fast_v2;
extern const struct rule rule_dolma_code_redpajama_taggers_v1;

/* RedPajama-V2's signals (6d2cee9); it only measures. */
extern const struct rule rule_redpajama;

/* DCLM's filters, and its modifiers, which rewrite the text (361714b). */
extern const struct rule rule_dclm_page_length_filter;
extern const struct rule rule_dclm_word_length_filter;
extern const struct rule rule_dclm_symbol_ratio_filter;
extern const struct rule rule_dclm_bullet_count_filter;
extern const struct rule rule_dclm_ellipsis_count_filter;
extern const struct rule rule_dclm_alphabetic_word_ratio_filter;
extern const struct rule rule_dclm_alphanumeric_char_ratio_filter;
extern const struct rule rule_dclm_stop_word_filter;
extern const struct rule rule_dclm_line_length_filter;
extern const struct rule rule_dclm_repetition_filter;
extern const struct rule rule_dclm_massive_web_repetition_filters;
extern const struct rule rule_dclm_substring_filter;
extern const struct rule rule_dclm_word_counter_enricher;
extern const struct rule rule_dclm_word_removal_ratio_filter;
extern const struct rule rule_dclm_url_removal_modifier;
extern const struct rule rule_dclm_newline_removal_modifier;
extern const struct rule rule_dclm_uppercase_ratio_line_modifier;
extern const struct rule rule_dclm_numeric_ratio_line_modifier;
extern const struct rule rule_dclm_counter_line_modifier;
extern const struct rule rule_dclm_line_length_modifier;
extern const struct rule rule_dclm_word_length_modifier;
extern const struct rule rule_dclm_punctuation_line_modifier;
extern const struct rule rule_dclm_substring_line_modifier;
extern const struct rule rule_dclm_citation_removal_modifier;
extern const struct rule rule_dclm_within_page_dedup;

/* The first address of four numbers that begins at `at` or later: the
 * expression that datatrove and dolma share, without borders. */
int rule_pii_find_ip(struct oy_text text, size_t at, size_t *begin,
                     size_t *end);

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

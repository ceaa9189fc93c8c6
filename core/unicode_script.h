/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts of Unicode 16, and what is Alphabetic, Uppercase or Lowercase
 * beyond the general categories.
 *
 * For regular expressions and for Hugging Face's UnicodeScripts, both of which
 * ask rarely: a look-up is a binary search, unlike those of core/unicode.h.
 * Tables are generated into unicode_script_table.c by unicode_script_table.py
 * (beside it). All functions are pure.
 */
#ifndef CORE_UNICODE_SCRIPT_H
#define CORE_UNICODE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

/* Scripts are numbers from 0, which is Unknown, to oy_unicode_n_script - 1. */
int oy_unicode_script(uint32_t c);
/* The script of a name, long ("Han", "Old_Italic") or of ISO 15924 ("Hani"),
 * in any case and with or without `_`, `-` and spaces; -1 for others. */
int oy_unicode_find_script(const char *name, size_t len);
/* The script that holds c, and in *end the first code point behind c that may
 * have another: for loops over all of them. */
int oy_unicode_script_until(uint32_t c, uint32_t *end);

/* Whether two names are equal but for case, `_`, `-` and spaces, as names of
 * properties are compared (UAX #44, LM3). */
int oy_unicode_same_name(const char *name, size_t len, const char *other);

/* First and last code point of each run, with a 0 at the end: Alphabetic
 * without L and Nl, Uppercase without Lu, Lowercase without Ll. */
extern const uint32_t oy_unicode_other_alphabetic[];
extern const uint32_t oy_unicode_other_uppercase[];
extern const uint32_t oy_unicode_other_lowercase[];

#endif

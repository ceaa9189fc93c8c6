/* SPDX-License-Identifier: Apache-2.0
 *
 * Replacing parts of a text: what Replace does as a normalizer and as a
 * decoder.
 */
#ifndef TOKENIZER_REPLACE_H
#define TOKENIZER_REPLACE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* The place of the first `part`, which is not empty, from `at` on; the text's
 * length when there is none. Made for parts that are one character. */
size_t replace_find(struct oy_text text, size_t at, struct oy_text part);
/* Appends the text with every `from` replaced by `to`. An empty `from` is
 * found before every character and at the end, but not in an empty text. */
void replace_string(struct oy_text text, struct oy_text from, struct oy_text to,
                    struct oy_buffer *out);

/* An expression in Oniguruma's language (core/regex.h). It is shared by
 * threads, and keeps one matcher for the next who asks. */
struct replace_regex;

/* NULL after a failure (65). */
struct replace_regex *replace_regex_new(struct oy_text pattern,
                                        struct oy_error *err);
void replace_regex_free(struct replace_regex *regex);

/* Appends the text with every match replaced by `to`. *first (may be NULL)
 * becomes the length of the match at the begin of the text, SIZE_MAX without
 * one. An expression that does not come to an end with a text (core/regex.h)
 * ends the program with 65, as refused memory ends it with 71: Hugging Face's
 * panics. */
void replace_regex_run(struct replace_regex *regex, struct oy_text text,
                       struct oy_text to, struct oy_buffer *out, size_t *first);

#endif

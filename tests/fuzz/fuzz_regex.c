/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes regular expressions: what is accepted must walk over a text in order,
 * what is not must say so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/regex.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz_loop.h"

/* Long ones may take for ever, and rightly. */
enum { MAX_PATTERN = 60, MAX_TEXT = 20 };

static void walk_text(const struct oy_regex *regex, const char *text,
                      size_t len)
{
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};
    size_t at = 0;
    int found;

    while ((found = oy_regex_next(regex, matcher, text, len, &walk, &match,
                                  &err)) > 0) {
        OY_ASSERT(match.begin >= at && match.end >= match.begin);
        OY_ASSERT(match.end <= len);
        at = match.end;
    }
    OY_ASSERT(found == 0 || err.code == OY_DATA);
    oy_regex_matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t n_text = size < MAX_TEXT ? size / 2 : MAX_TEXT;
    const size_t n_rest = size - n_text;
    const size_t n_pattern = n_rest < MAX_PATTERN ? n_rest : MAX_PATTERN;
    struct oy_buffer text = {0}, pattern = {0};
    struct oy_error err = {0};

    (void)oy_utf8_repair((const char *)data, n_text, &text);
    (void)oy_utf8_repair((const char *)data + n_text, n_pattern, &pattern);
    struct oy_regex *const regex = oy_regex_new(
        oy_buffer_string(&pattern), pattern.len, OY_REGEX_ONIGURUMA, &err);
    OY_ASSERT(regex ? err.code == 0 : err.code == OY_DATA);
    if (regex)
        walk_text(regex, oy_buffer_string(&text), text.len);
    oy_regex_free(regex);
    oy_buffer_release(&text);
    oy_buffer_release(&pattern);
    return 0;
}

/* Bits of expressions, so that many are accepted. */
const char *const fuzz_piece[] = {
    "(",     ")",       "[",    "]",    "{1,2}",       "|",
    "*",     "+",       "?",    "^",    "$",           ".",
    "\\",    "-",       "&&",   ":",    "a",           "bc",
    "1",     "\\p{L}",  "\\s",  "\\w",  "(?:",         "(?i:",
    "(?=",   "(?<!",    "(?<",  "[^",   "[[:alpha:]]", "\\x{",
    "4e2d}", "\\u00e9", "}",    ",",    "\xc3\xa9",    "\xe4\xb8\xad",
    "\\b",   "(?#",     "\\p{", "Han}", NULL,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions over valid UTF-8, by PCRE2 with its JIT compiler.
 *
 * Two languages are kept apart. OY_REGEX_PCRE2 is what PCRE2's manual says:
 * for rules that users write for this suite. OY_REGEX_ONIGURUMA is what
 * Hugging Face's tokenizers mean by the expressions of a tokenizer.json:
 * Oniguruma 6.9 in its own syntax, with the classes of Unicode 16. Such an
 * expression is translated: every class (`\s`, `\p{Lu}`, `[[:alpha:]]`, case)
 * is written out as ranges of code points, because PCRE2's own tables are
 * older, and what the two engines spell alike and mean differently is
 * rewritten. What cannot be translated exactly (backreferences, calls,
 * conditions, `\G`, `\K`, `\X`, case-blind letters beyond ASCII, properties
 * other than categories and scripts) is a failure that names the place.
 *
 * An expression does not change and is shared by threads; a matcher (a stack
 * for the compiled code, the places of the last match) belongs to one thread
 * and serves any number of expressions.
 */
#ifndef CORE_REGEX_H
#define CORE_REGEX_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"

enum oy_regex_language {
    /* UTF is on; `\d`, `\w` and `\s` are ASCII unless the expression begins
     * with (*UCP). */
    OY_REGEX_PCRE2,
    OY_REGEX_ONIGURUMA,
};

struct oy_regex;
struct oy_regex_matcher;

/* NULL after a failure (65) that says at which byte what is wrong. */
struct oy_regex *oy_regex_new(const char *pattern, size_t len,
                              enum oy_regex_language language,
                              struct oy_error *err);
void oy_regex_free(struct oy_regex *regex);

/* Whether a match may begin with this byte; 0 is sure. An expression that may
 * match nothing gives 1 for all bytes. */
int oy_regex_may_begin(const struct oy_regex *regex, unsigned char byte);

struct oy_regex_matcher *oy_regex_matcher_new(void);
void oy_regex_matcher_free(struct oy_regex_matcher *matcher);

struct oy_regex_match {
    size_t begin, end;
};

/* The first match that begins at text[at] or behind it; what lies before `at`
 * is seen by look-behind and anchors. 1; 0 when there is none; -1 when the
 * search was given up: an expression that needs more than 200 million steps
 * for a match fails (65), it never cuts short. */
int oy_regex_find(const struct oy_regex *regex,
                  struct oy_regex_matcher *matcher, const char *text,
                  size_t len, size_t at, struct oy_regex_match *match,
                  struct oy_error *err);

/* How many groups the expression has, besides the whole match. */
size_t oy_regex_n_group(const struct oy_regex *regex);
/* Where group i (0 is the whole) of the matcher's last match lies: 1, or 0
 * when it took no part in it. There must be such a group of the expression,
 * and none behind the ninth is kept. */
enum { OY_REGEX_MAX_GROUP = 9 };
int oy_regex_group(const struct oy_regex_matcher *matcher, int i,
                   struct oy_regex_match *group);

/* A walk over all matches of a text, from left to right, none over another.
 * Zero-initialised is the begin. An empty match is told, unless it lies at the
 * end of the match before it (as Hugging Face's crate onig does). */
struct oy_regex_walk {
    size_t at;   /* where the next search begins */
    int started; /* a match was told; it ended at `end` */
    size_t end;
};
/* As oy_regex_find(). */
int oy_regex_next(const struct oy_regex *regex,
                  struct oy_regex_matcher *matcher, const char *text,
                  size_t len, struct oy_regex_walk *walk,
                  struct oy_regex_match *match, struct oy_error *err);

#endif

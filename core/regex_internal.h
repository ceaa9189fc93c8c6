/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of translating Oniguruma's expressions into PCRE2's.
 */
#ifndef CORE_REGEX_INTERNAL_H
#define CORE_REGEX_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/unicode.h"

/* ---- sets of code points (regex_set.c) ---- */

enum { OY_REGEX_LAST = 0x10ffff };

/* Zero-initialised is empty. Surrogates are in no text: whether a set holds
 * them does not matter. */
struct oy_regex_set {
    struct oy_regex_run {
        uint32_t first, last;
    } * run; /* sorted, none touching the next */
    size_t n, cap;
};

void oy_regex_set_release(struct oy_regex_set *set);
void oy_regex_set_clear(struct oy_regex_set *set);
void oy_regex_set_add(struct oy_regex_set *set, uint32_t first, uint32_t last);
void oy_regex_set_join(struct oy_regex_set *set,
                       const struct oy_regex_set *other);
void oy_regex_set_intersect(struct oy_regex_set *set,
                            const struct oy_regex_set *other);
void oy_regex_set_subtract(struct oy_regex_set *set,
                           const struct oy_regex_set *other);
void oy_regex_set_invert(struct oy_regex_set *set);

/* ---- named classes (regex_class.c) ---- */

enum { OY_REGEX_N_CATEGORY = OY_CO + 1, OY_REGEX_N_NAME = 37 };

/* General categories of Unicode 16 as sets, and those of PCRE2 (groups of
 * categories too) by the rows of regex_class.c's table of names. `has_pcre2`
 * is 0 when it is not known which those are. */
struct oy_regex_classes {
    struct oy_regex_set category[OY_REGEX_N_CATEGORY];
    struct oy_regex_set pcre2[OY_REGEX_N_NAME];
    int has_pcre2;
};

/* pcre2_version: the whole version of Unicode of PCRE2. */
void oy_regex_classes_init(struct oy_regex_classes *classes, int pcre2_version);
void oy_regex_classes_release(struct oy_regex_classes *classes);
/* Where a class stands: the same name may mean another thing there. */
enum oy_regex_place {
    OY_REGEX_ALONE,      /* `\w`, `\p{Word}`: U+00B2 and the like are in it */
    OY_REGEX_IN_BRACKET, /* `[\w]`, `[\p{Punct}]` */
    OY_REGEX_POSIX,      /* `[[:punct:]]`: symbols are in it */
};
/* Adds the class of a property or POSIX bracket, whose name is compared
 * without case, spaces, `_` and `-`. -1 when there is none of this name. */
int oy_regex_class_add(const struct oy_regex_classes *classes,
                       enum oy_regex_place place, const char *name, size_t len,
                       struct oy_regex_set *set);
/* Adds what an ASCII letter stands for when case does not matter: its other
 * case and, of k and s, U+212A and U+017F. */
void oy_regex_fold_add(uint32_t c, struct oy_regex_set *set);
/* Whether c has no other case and no part in one (U+00DF is "ss"). May say 0
 * for some that have none. */
int oy_regex_is_caseless(uint32_t c);
/* Appends a bracket expression of PCRE2 for the set. */
void oy_regex_class_write(const struct oy_regex_classes *classes,
                          const struct oy_regex_set *set,
                          struct oy_buffer *out);

/* ---- the translation (regex_oniguruma.c, regex_bracket.c) ---- */

struct oy_regex_reader {
    const char *start, *at, *end; /* the expression */
    const struct oy_regex_classes *classes;
    struct oy_buffer *out;
    struct oy_error *err;
    int brackets;                    /* that are open */
    int depth;                       /* of groups and brackets */
    int any_case, dot_all, extended; /* options that are on here */
    uint32_t literal; /* the letter that ends `out`, in lower case; or 0 */
};

/* Names the place. Returns -1. */
int oy_regex_refuse(struct oy_regex_reader *reader, const char *at,
                    const char *why);
/* Takes the next code point. */
uint32_t oy_regex_take(struct oy_regex_reader *reader);
int oy_regex_looking_at(const struct oy_regex_reader *reader, const char *text);
/* Takes `text` if it comes next: 1. */
int oy_regex_take_text(struct oy_regex_reader *reader, const char *text);
/* What stands behind a backslash, at reader->at: a class (1, added to `set`),
 * a character (0, in *c), neither (-1: nothing was taken), damage (-2). */
int oy_regex_take_escape(struct oy_regex_reader *reader, uint32_t *c,
                         struct oy_regex_set *set);
/* What stands behind a `[`, up to and with the `]`. 0, or -1. */
int oy_regex_take_bracket(struct oy_regex_reader *reader,
                          struct oy_regex_set *set);

/* Appends PCRE2's spelling (UTF, MULTILINE, newline LF) of an Oniguruma
 * expression, valid UTF-8. 0, or -1. */
int oy_regex_translate(const char *pattern, size_t len, int pcre2_version,
                       struct oy_buffer *out, struct oy_error *err);

#endif

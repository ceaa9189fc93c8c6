/* SPDX-License-Identifier: Apache-2.0
 *
 * Escapes and bracket expressions of Oniguruma.
 */
#include <ctype.h>
#include <string.h>

#include "core/regex_internal.h"
#include "core/utf8.h"

enum { MAX_DEPTH = 100 };

int oy_regex_refuse(struct oy_regex_reader *reader, const char *at,
                    const char *why)
{
    return oy_fail(reader->err, OY_DATA, "regular expression, byte %zu: %s",
                   (size_t)(at - reader->start), why);
}

uint32_t oy_regex_take(struct oy_regex_reader *reader)
{
    size_t size = 0;
    const uint32_t c = oy_utf8_next(reader->at, &size);

    reader->at += size;
    return c;
}

int oy_regex_looking_at(const struct oy_regex_reader *reader, const char *text)
{
    const size_t len = strlen(text);

    return (size_t)(reader->end - reader->at) >= len &&
           !memcmp(reader->at, text, len);
}

int oy_regex_take_text(struct oy_regex_reader *reader, const char *text)
{
    if (!oy_regex_looking_at(reader, text))
        return 0;
    reader->at += strlen(text);
    return 1;
}

/* ---- escapes ---- */

static int digit_of(char c, int base)
{
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 99;

    return digit < base ? digit : -1;
}

/* Between `least` and `most` digits. 0, or -1. */
static int take_number(struct oy_regex_reader *reader, int base, int least,
                       int most, uint32_t *number)
{
    int n = 0;

    *number = 0;
    while (n < most && reader->at < reader->end &&
           digit_of(*reader->at, base) >= 0) {
        *number =
            *number * (uint32_t)base + (uint32_t)digit_of(*reader->at, base);
        if (*number > OY_REGEX_LAST)
            return -1;
        reader->at++;
        n++;
    }
    return n < least ? -1 : 0;
}

static int is_character(uint32_t c)
{
    return c < 0xd800 || (c > 0xdfff && c <= OY_REGEX_LAST);
}

/* \xHH \x{H} \uHHHH \o{O} \0OO ; 0, or -2. */
static int take_code(struct oy_regex_reader *reader, char kind, uint32_t *c)
{
    const char *const at = reader->at;
    const int is_brace =
        kind != 'u' && kind != '0' && oy_regex_take_text(reader, "{");
    int bad;

    if (is_brace)
        bad = take_number(reader, kind == 'o' ? 8 : 16, 1, 11, c) ||
              !oy_regex_take_text(reader, "}");
    else if (kind == 'u')
        bad = take_number(reader, 16, 4, 4, c);
    else if (kind == 'x')
        /* More is a byte of UTF-8, not a character. */
        bad = take_number(reader, 16, 1, 2, c) || *c > 0x7f;
    else
        bad = kind == 'o' || take_number(reader, 8, 0, 2, c);
    if (bad || !is_character(*c)) {
        oy_regex_refuse(reader, at, "a number that is not supported");
        return -2;
    }
    return 0;
}

static enum oy_regex_place place_of(const struct oy_regex_reader *reader)
{
    return reader->brackets ? OY_REGEX_IN_BRACKET : OY_REGEX_ALONE;
}

static int add_inverse_of(struct oy_regex_set *part, int inverted,
                          struct oy_regex_set *set)
{
    if (inverted)
        oy_regex_set_invert(part);
    oy_regex_set_join(set, part);
    oy_regex_set_release(part);
    return 1;
}

/* \p{Name}, \p{^Name}, behind the brace; `inverted` for \P. 1, or -2. */
static int take_property(struct oy_regex_reader *reader, int inverted,
                         struct oy_regex_set *set)
{
    const char *const at = reader->at;
    struct oy_regex_set part = {0};

    inverted ^= oy_regex_take_text(reader, "^");
    const char *const close =
        memchr(reader->at, '}', (size_t)(reader->end - reader->at));
    if (!close ||
        oy_regex_class_add(reader->classes, place_of(reader), reader->at,
                           (size_t)(close - reader->at), &part)) {
        oy_regex_refuse(reader, at, "a property that is not supported");
        oy_regex_set_release(&part);
        return -2;
    }
    reader->at = close + 1;
    return add_inverse_of(&part, inverted, set);
}

/* \s \w \d \h and their inverses. 1; 0 when it is another letter. */
static int take_short_class(const struct oy_regex_reader *reader, char letter,
                            struct oy_regex_set *set)
{
    static const char *const name[] = {"space", "word", "digit", "xdigit"};
    const char *const known = "swdh";
    const char *const at = strchr(known, tolower((unsigned char)letter));
    struct oy_regex_set part = {0};

    if (!at || !letter)
        return 0;
    (void)oy_regex_class_add(reader->classes, place_of(reader),
                             name[at - known], strlen(name[at - known]), &part);
    return add_inverse_of(&part, isupper((unsigned char)letter) != 0, set);
}

int oy_regex_take_escape(struct oy_regex_reader *reader, uint32_t *c,
                         struct oy_regex_set *set)
{
    static const char letter[] = "tnrfvae", value[] = "\t\n\r\f\v\a\033";

    if (reader->at == reader->end) {
        oy_regex_refuse(reader, reader->at, "nothing behind a backslash");
        return -2;
    }
    const char first = *reader->at;
    if (first && strchr("bBAzZGKyYXRNOkgcCM123456789", first))
        return -1;
    *c = oy_regex_take(reader);
    if (take_short_class(reader, first, set))
        return 1;
    /* Without a brace it is a letter, in the version that HF carries. */
    if ((first == 'p' || first == 'P') && oy_regex_take_text(reader, "{"))
        return take_property(reader, first == 'P', set);
    if (first == 'x' || first == 'u' || first == 'o' || first == '0')
        return take_code(reader, first, c);
    if (first && strchr(letter, first))
        *c = (uint32_t)value[strchr(letter, first) - letter];
    return 0;
}

/* ---- brackets ---- */

static int take_set(struct oy_regex_reader *reader, int is_outermost,
                    struct oy_regex_set *set);

/* What lies between `[` or `&&` and `&&` or `]`, so far. */
struct bracket {
    struct oy_regex_set own;   /* since the last && */
    struct oy_regex_set whole; /* what all parts before have in common */
    int has_whole;
    int has_first; /* a character that may begin a range */
    uint32_t first;
    int has_class; /* the last member was `\\w` or the like */
};

static void end_first(struct bracket *bracket)
{
    if (bracket->has_first)
        oy_regex_set_add(&bracket->own, bracket->first, bracket->first);
    bracket->has_first = 0;
}

static void end_part(struct bracket *bracket)
{
    end_first(bracket);
    if (bracket->has_whole)
        oy_regex_set_intersect(&bracket->whole, &bracket->own);
    else
        oy_regex_set_join(&bracket->whole, &bracket->own);
    bracket->has_whole = 1;
    oy_regex_set_clear(&bracket->own);
}

/* [:name:] or [:^name:] behind its `[`. 1, 0 when it is none, or -1. */
static int take_posix(struct oy_regex_reader *reader, struct oy_regex_set *set)
{
    const char *const at = reader->at;
    struct oy_regex_set part = {0};

    if (!oy_regex_take_text(reader, ":"))
        return 0;
    const int inverted = oy_regex_take_text(reader, "^");
    const char *const name = reader->at;
    while (reader->at < reader->end && isalpha((unsigned char)*reader->at))
        reader->at++;
    const size_t len = (size_t)(reader->at - name);
    if (!len || !oy_regex_take_text(reader, ":]") ||
        oy_regex_class_add(reader->classes, OY_REGEX_POSIX, name, len, &part)) {
        oy_regex_set_release(&part);
        return oy_regex_refuse(reader, at, "a class that is not supported");
    }
    return add_inverse_of(&part, inverted, set);
}

/* A character, escaped or not, or a class: as oy_regex_take_escape(), but
 * that -1 is a failure as well. */
static int take_member(struct oy_regex_reader *reader, uint32_t *c,
                       struct oy_regex_set *set)
{
    const char *const at = reader->at;

    if (!oy_regex_take_text(reader, "\\")) {
        *c = oy_regex_take(reader);
        return 0;
    }
    if (oy_regex_take_text(reader, "b")) {
        *c = '\b';
        return 0;
    }
    const int kind = oy_regex_take_escape(reader, c, set);
    if (kind == -1)
        oy_regex_refuse(reader, at, "an escape that is not supported here");
    return kind;
}

/* A `-`: itself at the ends of a part and behind a range, else of a range.
 * What Oniguruma does not take, or takes for something strange (`[a-[b]]` is
 * `[b]` to it), is refused. */
static int take_dash(struct oy_regex_reader *reader, struct bracket *bracket)
{
    const char *const at = reader->at++;
    const int is_last =
        oy_regex_looking_at(reader, "]") || oy_regex_looking_at(reader, "&&");
    uint32_t last = 0;

    if (bracket->has_class && !is_last)
        return oy_regex_refuse(reader, at, "a range that begins with a class");
    if (is_last || !bracket->has_first) {
        end_first(bracket);
        bracket->has_first = 1;
        bracket->first = '-';
        return 0;
    }
    if (oy_regex_looking_at(reader, "[") ||
        take_member(reader, &last, &bracket->own) != 0)
        return oy_regex_refuse(reader, at,
                               "a range that ends with no character");
    if (last < bracket->first)
        return oy_regex_refuse(reader, at, "a range that runs backwards");
    oy_regex_set_add(&bracket->own, bracket->first, last);
    bracket->has_first = 0;
    return 0;
}

static int take_item(struct oy_regex_reader *reader, struct bracket *bracket)
{
    uint32_t c = 0;

    if (*reader->at != '-')
        bracket->has_class = 0;
    if (oy_regex_take_text(reader, "&&")) {
        end_part(bracket);
        return 0;
    }
    if (oy_regex_take_text(reader, "[")) {
        end_first(bracket);
        const int posix = take_posix(reader, &bracket->own);
        return posix ? posix : take_set(reader, 0, &bracket->own);
    }
    if (*reader->at == '-')
        return take_dash(reader, bracket);
    end_first(bracket);
    const int kind = take_member(reader, &c, &bracket->own);
    bracket->has_class = kind > 0;
    bracket->has_first = kind == 0;
    bracket->first = c;
    return kind;
}

/* Every member in all its cases. */
static int fold(struct oy_regex_reader *reader, const char *at,
                struct oy_regex_set *set)
{
    struct oy_regex_set cases = {0};
    int failed = 0;

    for (size_t i = 0; i < set->n && !failed; i++) {
        for (uint32_t c = set->run[i].first; c <= set->run[i].last; c++) {
            if (c < 128 && isalpha((int)c))
                oy_regex_fold_add(c, &cases);
            else if (c >= 128 && !oy_regex_is_caseless(c))
                failed = 1;
            if (failed)
                break;
        }
    }
    oy_regex_set_join(set, &cases);
    oy_regex_set_release(&cases);
    return failed ? oy_regex_refuse(reader, at,
                                    "letters beyond ASCII in any case are not "
                                    "supported")
                  : 0;
}

static int take_items(struct oy_regex_reader *reader, const char *at,
                      struct bracket *bracket)
{
    int is_first = 1;

    while (reader->at < reader->end) {
        const int is_close = *reader->at == ']';

        /* `[]a]`: the first one is a member when another one follows. */
        if (is_close && is_first &&
            !memchr(reader->at + 1, ']',
                    (size_t)(reader->end - reader->at) - 1))
            return oy_regex_refuse(reader, at, "an empty bracket");
        if (is_close && !is_first) {
            reader->at++;
            end_part(bracket);
            return 0;
        }
        if (take_item(reader, bracket) < 0)
            return -1;
        is_first = 0;
    }
    return oy_regex_refuse(reader, at, "a bracket without its end");
}

/* Adds what a bracket stands for. Case is looked at in the outermost one. */
static int take_set(struct oy_regex_reader *reader, int is_outermost,
                    struct oy_regex_set *set)
{
    const char *const at = reader->at - 1;
    struct bracket bracket = {.has_whole = 0};
    int result = -1;

    if (reader->depth >= MAX_DEPTH)
        return oy_regex_refuse(reader, at, "nested too deeply");
    reader->depth++;
    reader->brackets++;
    const int inverted = oy_regex_take_text(reader, "^");
    if (take_items(reader, at, &bracket) ||
        (is_outermost && reader->any_case && fold(reader, at, &bracket.whole)))
        goto out;
    if (inverted)
        oy_regex_set_invert(&bracket.whole);
    oy_regex_set_join(set, &bracket.whole);
    result = 0;
out:
    oy_regex_set_release(&bracket.own);
    oy_regex_set_release(&bracket.whole);
    reader->brackets--;
    reader->depth--;
    return result;
}

int oy_regex_take_bracket(struct oy_regex_reader *reader,
                          struct oy_regex_set *set)
{
    return take_set(reader, 1, set);
}

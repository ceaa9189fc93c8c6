/* SPDX-License-Identifier: Apache-2.0
 *
 * Oniguruma's expressions in PCRE2's spelling.
 *
 * Facts: doc/RE and src/regsyntax.c (OnigSyntaxOniguruma) of Oniguruma 6.9.10,
 * compared with Hugging Face's tokenizers 0.23.3. Captures are not kept:
 * without backreferences nobody sees them.
 */
#include <ctype.h>
#include <string.h>

#include "core/regex_internal.h"
#include "core/utf8.h"

enum { MAX_DEPTH = 100, MAX_REPEAT = 65535 /* PCRE2's limit */ };

static int take_alternatives(struct oy_regex_reader *reader);

static void put(struct oy_regex_reader *reader, const char *text)
{
    oy_buffer_append_string(reader->out, text);
}

static void put_set(struct oy_regex_reader *reader,
                    const struct oy_regex_set *set)
{
    oy_regex_class_write(reader->classes, set, reader->out);
}

/* ---- characters ---- */

/* Whether two letters are what one letter folds to: "ss" of U+00DF, "st" of
 * U+FB06 ... Oniguruma takes that letter for both, then. */
static int may_be_one(uint32_t a, uint32_t b)
{
    return (a == 's' && (b == 's' || b == 't')) ||
           (a == 'f' && (b == 'f' || b == 'i' || b == 'l'));
}

static int put_any_case(struct oy_regex_reader *reader, const char *at,
                        uint32_t c)
{
    struct oy_regex_set set = {0};
    const uint32_t before = reader->literal;

    if (c >= 128 && !oy_regex_is_caseless(c))
        return oy_regex_refuse(reader, at,
                               "letters beyond ASCII in any case are not "
                               "supported");
    reader->literal = c < 128 && isalpha((int)c) ? c | 0x20 : 0;
    if (may_be_one(before, reader->literal))
        return oy_regex_refuse(reader, at,
                               "these letters side by side in any case are "
                               "not supported");
    if (reader->literal)
        oy_regex_fold_add(c, &set);
    else
        oy_regex_set_add(&set, c, c);
    put_set(reader, &set);
    oy_regex_set_release(&set);
    return 0;
}

static int put_character(struct oy_regex_reader *reader, const char *at,
                         uint32_t c)
{
    char bytes[4];

    if (reader->any_case)
        return put_any_case(reader, at, c);
    if (c < 128 && !isalnum((int)c))
        oy_buffer_append_format(reader->out, "\\x{%x}", (unsigned)c);
    else
        oy_buffer_append(reader->out, bytes, oy_utf8_put(bytes, c));
    return 0;
}

/* ---- escapes that are no characters ---- */

/* \b and \B by what \w is to Oniguruma. */
static void put_word_border(struct oy_regex_reader *reader, int inverted)
{
    struct oy_buffer word = {0};
    struct oy_regex_set set = {0};

    (void)oy_regex_class_add(reader->classes, OY_REGEX_ALONE, "word", 4, &set);
    oy_regex_class_write(reader->classes, &set, &word);
    const char *const w = oy_buffer_string(&word);
    oy_buffer_append_format(reader->out,
                            inverted ? "(?:(?<=%s)(?=%s)|(?<!%s)(?!%s))"
                                     : "(?:(?<=%s)(?!%s)|(?<!%s)(?=%s))",
                            w, w, w, w);
    oy_regex_set_release(&set);
    oy_buffer_release(&word);
}

/* The places and newlines; *can_repeat says which it is. -1 for others. */
static int take_special(struct oy_regex_reader *reader, const char *at,
                        int *can_repeat)
{
    const char letter = *reader->at++;

    *can_repeat = 0;
    switch (letter) {
    case 'A': put(reader, "\\A"); return 0;
    case 'z': put(reader, "\\z"); return 0;
    case 'Z': put(reader, "\\Z"); return 0;
    case 'b': put_word_border(reader, 0); return 0;
    case 'B': put_word_border(reader, 1); return 0;
    default: break;
    }
    *can_repeat = 1;
    switch (letter) {
    case 'N': put(reader, "[^\\n]"); return 0;
    case 'O': put(reader, "(?s:.)"); return 0;
    case 'R':
        put(reader, "(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])");
        return 0;
    default:
        return oy_regex_refuse(reader, at, "an escape that is not supported");
    }
}

static int take_backslash(struct oy_regex_reader *reader, const char *at,
                          int *can_repeat)
{
    struct oy_regex_set set = {0};
    uint32_t c = 0;
    int result = -1;

    switch (oy_regex_take_escape(reader, &c, &set)) {
    case 1:
        reader->literal = 0;
        put_set(reader, &set);
        result = 0;
        break;
    case 0: result = put_character(reader, at, c); break;
    case -1:
        reader->literal = 0;
        result = take_special(reader, at, can_repeat);
        break;
    default: break;
    }
    oy_regex_set_release(&set);
    return result;
}

static int take_class(struct oy_regex_reader *reader)
{
    struct oy_regex_set set = {0};
    const int failed = oy_regex_take_bracket(reader, &set);

    if (!failed)
        put_set(reader, &set);
    oy_regex_set_release(&set);
    return failed;
}

/* ---- groups ---- */

/* `imx-imx`, up to what ends them. */
static int take_options(struct oy_regex_reader *reader)
{
    const char *const at = reader->at;
    int on = 1;

    for (; reader->at < reader->end; reader->at++) {
        switch (*reader->at) {
        case '-': on = 0; break;
        case 'i': reader->any_case = on; break;
        case 'm': reader->dot_all = on; break;
        case 'x': reader->extended = on; break;
        case ':':
        case ')': return 0;
        default:
            return oy_regex_refuse(reader, at, "a group that is not supported");
        }
    }
    return oy_regex_refuse(reader, at, "a group without its end");
}

/* The alternatives up to the `)` of a group, which is left to the caller, in
 * brackets of their own. */
static int take_inside(struct oy_regex_reader *reader, const char *open)
{
    put(reader, open);
    reader->literal = 0;
    if (take_alternatives(reader))
        return -1;
    put(reader, ")");
    reader->literal = 0;
    return 0;
}

/* (?<name> and (?'name' are groups like others. */
static int take_name(struct oy_regex_reader *reader, char quote)
{
    const char *const at = reader->at;
    const char *const end =
        memchr(at, quote, (size_t)(reader->end - reader->at));

    if (!end || end == at)
        return oy_regex_refuse(reader, at, "a name without its end");
    reader->at = end + 1;
    return take_inside(reader, "(?:");
}

/* Behind `(?`, up to the `)`. *is_lone: options without a colon, which hold up
 * to the end of the group around them; what stands there is a group. */
static int take_extension(struct oy_regex_reader *reader, int *can_repeat,
                          int *is_lone)
{
    static const char *const look[] = {"=", "!", "<=", "<!"};
    static const char *const open[] = {"(?=", "(?!", "(?<=", "(?<!"};

    for (int i = 0; i < 4; i++) {
        if (oy_regex_take_text(reader, look[i])) {
            *can_repeat = 0;
            return take_inside(reader, open[i]);
        }
    }
    if (oy_regex_take_text(reader, ">"))
        return take_inside(reader, "(?>");
    if (oy_regex_take_text(reader, "<"))
        return take_name(reader, '>');
    if (oy_regex_take_text(reader, "'"))
        return take_name(reader, '\'');
    if (take_options(reader))
        return -1;
    *is_lone = *reader->at++ == ')';
    return take_inside(reader, "(?:");
}

static int take_group(struct oy_regex_reader *reader, const char *at,
                      int *can_repeat)
{
    const struct oy_regex_reader before = *reader;
    int is_lone = 0;

    if (reader->depth >= MAX_DEPTH)
        return oy_regex_refuse(reader, at, "nested too deeply");
    if (oy_regex_looking_at(reader, "*"))
        return oy_regex_refuse(reader, at, "callouts are not supported");
    reader->depth++;
    if (oy_regex_take_text(reader, "?")
            ? take_extension(reader, can_repeat, &is_lone)
            : take_inside(reader, "(?:"))
        return -1;
    reader->depth--;
    reader->any_case = before.any_case;
    reader->dot_all = before.dot_all;
    reader->extended = before.extended;
    if (!is_lone && !oy_regex_take_text(reader, ")"))
        return oy_regex_refuse(reader, at, "a group without its end");
    return 0;
}

/* ---- repeats ---- */

struct repeat {
    int least, most; /* most -1: no limit */
    char kind;       /* 0 greedy, '?' lazy, '+' possessive */
};

static int take_decimal(struct oy_regex_reader *reader, int *number)
{
    int n = 0;

    *number = 0;
    while (reader->at < reader->end && isdigit((unsigned char)*reader->at)) {
        *number = *number * 10 + (*reader->at++ - '0');
        if (*number > MAX_REPEAT)
            return -1;
        n++;
    }
    return n;
}

/* {n} {n,} {n,m} {,m}. 1; 0 when it is none of these but text; -1. */
static int take_interval(struct oy_regex_reader *reader, struct repeat *repeat)
{
    const char *const at = reader->at;

    reader->at++;
    const int n_least = take_decimal(reader, &repeat->least);
    int n_most = n_least;
    repeat->most = repeat->least;
    if (n_least >= 0 && oy_regex_take_text(reader, ",")) {
        n_most = take_decimal(reader, &repeat->most);
        if (!n_most)
            repeat->most = -1;
    }
    if (n_least < 0 || n_most < 0)
        return oy_regex_refuse(reader, at, "too many repeats");
    if ((!n_least && !n_most) || !oy_regex_take_text(reader, "}")) {
        reader->at = at;
        return 0;
    }
    repeat->kind = 0;
    if (repeat->most >= 0 && repeat->most < repeat->least) {
        const int least = repeat->most;

        repeat->most = repeat->least;
        repeat->least = least;
        repeat->kind = '+';
    } else if (repeat->least != repeat->most &&
               oy_regex_take_text(reader, "?")) {
        /* Behind {n} it is a repeat of its own. */
        repeat->kind = '?';
    }
    return 1;
}

static int take_repeat(struct oy_regex_reader *reader, struct repeat *repeat)
{
    *repeat = (struct repeat){.most = -1};
    if (reader->at == reader->end)
        return 0;
    switch (*reader->at) {
    case '{': return take_interval(reader, repeat);
    case '*': break;
    case '+': repeat->least = 1; break;
    case '?': repeat->most = 1; break;
    default: return 0;
    }
    reader->at++;
    if (reader->at < reader->end && (*reader->at == '?' || *reader->at == '+'))
        repeat->kind = *reader->at++;
    return 1;
}

/* Puts a group around what was written from `start` on. */
static void wrap(struct oy_regex_reader *reader, size_t start)
{
    oy_buffer_append(reader->out, "(?:)", 4);
    memmove(reader->out->data + start + 3, reader->out->data + start,
            reader->out->len - start - 4);
    memcpy(reader->out->data + start, "(?:", 3);
    reader->out->data[reader->out->len - 1] = ')';
}

static void put_repeat(struct oy_regex_reader *reader,
                       const struct repeat *repeat)
{
    const char kind[2] = {repeat->kind, 0};

    oy_buffer_append_format(reader->out, "{%d,", repeat->least);
    if (repeat->most >= 0)
        oy_buffer_append_format(reader->out, "%d", repeat->most);
    put(reader, "}");
    put(reader, kind);
}

/* All repeats behind what was written from `start` on. */
static int take_repeats(struct oy_regex_reader *reader, size_t start,
                        int can_repeat)
{
    struct repeat repeat;
    int more;

    for (int i = 0; (more = take_repeat(reader, &repeat)) > 0; i++) {
        if (!can_repeat)
            return oy_regex_refuse(reader, reader->at - 1,
                                   "a repeat of something that has no width");
        if (may_be_one(reader->literal, reader->literal) &&
            repeat.least == repeat.most && repeat.least > 1)
            return oy_regex_refuse(reader, reader->at - 1,
                                   "this letter repeated in any case is not "
                                   "supported");
        reader->literal = 0;
        if (i)
            wrap(reader, start);
        put_repeat(reader, &repeat);
    }
    return more;
}

/* ---- the whole ---- */

static void skip_ignored(struct oy_regex_reader *reader)
{
    while (reader->at < reader->end) {
        const char *end = reader->at + 1;

        if (oy_regex_looking_at(reader, "(?#"))
            end = memchr(reader->at, ')', (size_t)(reader->end - reader->at));
        else if (!reader->extended)
            return;
        else if (*reader->at == '#')
            end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
        else if (!isspace((unsigned char)*reader->at))
            return;
        reader->at = end && end > reader->at + 1 ? end + 1
                     : end                       ? end
                                                 : reader->end;
    }
}

/* A character, class, group or place, without its repeats. */
static int take_atom(struct oy_regex_reader *reader, int *can_repeat)
{
    const char *const at = reader->at;
    const uint32_t c = oy_regex_take(reader);

    *can_repeat = c != '^' && c != '$';
    switch (c) {
    case '\\': return take_backslash(reader, at, can_repeat);
    case '(': return take_group(reader, at, can_repeat);
    case '*':
    case '+':
    case '?': return oy_regex_refuse(reader, at, "a repeat of nothing");
    case '[':
    case '.':
    case '^':
    case '$': break;
    default: return put_character(reader, at, c);
    }
    reader->literal = 0;
    if (c == '[')
        return take_class(reader);
    put(reader, c == '^'          ? "^"
                : c == '$'        ? "$"
                : reader->dot_all ? "(?s:.)"
                                  : "[^\\n]");
    return 0;
}

static int take_alternatives(struct oy_regex_reader *reader)
{
    int can_repeat;

    for (skip_ignored(reader); reader->at < reader->end; skip_ignored(reader)) {
        const size_t start = reader->out->len;

        if (*reader->at == ')')
            return 0;
        if (oy_regex_take_text(reader, "|")) {
            put(reader, "|");
            reader->literal = 0;
            continue;
        }
        if (take_atom(reader, &can_repeat))
            return -1;
        skip_ignored(reader);
        if (take_repeats(reader, start, can_repeat))
            return -1;
    }
    return 0;
}

int oy_regex_translate(const char *pattern, size_t len, int pcre2_version,
                       struct oy_buffer *out, struct oy_error *err)
{
    struct oy_regex_classes classes;
    struct oy_regex_reader reader = {
        .start = pattern,
        .at = pattern,
        .end = pattern + len,
        .classes = &classes,
        .out = out,
        .err = err,
    };
    int failed;

    oy_regex_classes_init(&classes, pcre2_version);
    failed = take_alternatives(&reader);
    if (!failed && reader.at < reader.end)
        failed = oy_regex_refuse(&reader, reader.at, "a `)` without its `(`");
    oy_regex_classes_release(&classes);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads GBNF into the network of a grammar. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "model/grammar.h"
#include "model/grammar_internal.h"

enum { MAX_DEPTH = 200, MAX_REPEAT = 100000, LAST_CHARACTER = 0x10ffff };

struct reader {
    struct grammar *grammar;
    const char *text;
    size_t at, len;
    uint8_t *defined; /* [rule] */
    size_t cap_defined, n_defined;
    int depth;
    struct oy_error *err;
};

static int fail(struct reader *reader, size_t at, const char *why)
{
    size_t line = 1;

    for (size_t i = 0; i < at && i < reader->len; i++)
        line += reader->text[i] == '\n';
    return oy_fail(reader->err, OY_DATA, "line %zu: %s", line, why);
}

static int peek(const struct reader *reader)
{
    return reader->at < reader->len ? (unsigned char)reader->text[reader->at]
                                    : -1;
}

static int take(struct reader *reader, const char *what)
{
    const size_t n = strlen(what);

    if (reader->len - reader->at < n ||
        memcmp(reader->text + reader->at, what, n) != 0)
        return 0;
    reader->at += n;
    return 1;
}

/* White space and comments, and ends of lines if they mean nothing here. */
static void skip_space(struct reader *reader, int with_lines)
{
    for (int c; (c = peek(reader)) >= 0; reader->at++) {
        if (c == '#') {
            const char *end = memchr(reader->text + reader->at, '\n',
                                     reader->len - reader->at);
            reader->at = end ? (size_t)(end - reader->text) : reader->len;
            c = peek(reader);
        }
        if (c < 0 || (c == '\n' ? !with_lines : !strchr(" \t\r", c)))
            return;
    }
}

static int is_name_byte(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static size_t name_length(const struct reader *reader)
{
    size_t n = 0;

    while (reader->at + n < reader->len &&
           is_name_byte((unsigned char)reader->text[reader->at + n]))
        n++;
    return n;
}

/* ---- characters ---- */

static int read_hex(struct reader *reader, int n, uint32_t *c)
{
    *c = 0;
    for (int i = 0; i < n; i++) {
        static const char digit[] = "0123456789abcdef";
        const int lower = peek(reader) | 0x20;
        const char *at =
            peek(reader) > 0 && lower ? strchr(digit, lower) : NULL;
        if (!at || !*at)
            return fail(reader, reader->at, "not a hexadecimal digit");
        *c = *c << 4 | (uint32_t)(at - digit);
        reader->at++;
    }
    if (*c > LAST_CHARACTER)
        return fail(reader, reader->at, "no such character");
    return 0;
}

static int read_escape(struct reader *reader, uint32_t *c)
{
    const int kind = peek(reader);

    if (kind < 0)
        return fail(reader, reader->at, "ends behind '\\'");
    reader->at++;
    switch (kind) {
    case 'x': return read_hex(reader, 2, c);
    case 'u': return read_hex(reader, 4, c);
    case 'U': return read_hex(reader, 8, c);
    case 'n': *c = '\n'; return 0;
    case 'r': *c = '\r'; return 0;
    case 't': *c = '\t'; return 0;
    default: break;
    }
    if (!strchr("\\\"[]-^", kind))
        return fail(reader, reader->at - 1, "unknown escape");
    *c = (uint32_t)kind;
    return 0;
}

static int read_character(struct reader *reader, uint32_t *c)
{
    if (take(reader, "\\"))
        return read_escape(reader, c);
    *c = oy_utf8_next(reader->text, &reader->at);
    return 0;
}

static int read_literal(struct reader *reader, int32_t from, int32_t to)
{
    const size_t start = reader->at++;
    struct grammar *grammar = reader->grammar;
    uint32_t c;

    while (!take(reader, "\"")) {
        if (peek(reader) < 0 || peek(reader) == '\n')
            return fail(reader, start, "a literal without its end");
        if (read_character(reader, &c))
            return -1;
        const int32_t next = grammar_add_state(grammar);
        grammar_add_characters(grammar, from, next, c, c);
        from = next;
    }
    grammar_add_free(grammar, from, to);
    return 0;
}

struct range {
    uint32_t low, high;
};

static int by_low(const void *a, const void *b)
{
    const struct range *one = a, *two = b;

    return (one->low > two->low) - (one->low < two->low);
}

/* What is in none of the ranges. */
static void add_complement(struct grammar *grammar, struct range *range,
                           size_t n, int32_t from, int32_t to)
{
    uint32_t low = 0;

    if (n)
        qsort(range, n, sizeof *range, by_low);
    for (size_t i = 0; i < n; i++) {
        if (range[i].low > low)
            grammar_add_characters(grammar, from, to, low, range[i].low - 1);
        if (range[i].high >= low)
            low = range[i].high + 1;
    }
    if (low <= LAST_CHARACTER)
        grammar_add_characters(grammar, from, to, low, LAST_CHARACTER);
}

static int read_range(struct reader *reader, struct range *range)
{
    if (read_character(reader, &range->low))
        return -1;
    range->high = range->low;
    if (peek(reader) != '-' || reader->at + 1 >= reader->len ||
        reader->text[reader->at + 1] == ']')
        return 0;
    reader->at++;
    const size_t at = reader->at;
    if (read_character(reader, &range->high))
        return -1;
    return range->high < range->low
               ? fail(reader, at, "a range that ends before it begins")
               : 0;
}

static int read_class(struct reader *reader, int32_t from, int32_t to)
{
    const size_t start = reader->at++;
    const int negated = take(reader, "^");
    struct range *range = NULL;
    size_t n = 0, cap = 0;
    int failed = 0;

    while (!failed && !take(reader, "]")) {
        if (peek(reader) < 0 || peek(reader) == '\n') {
            failed = fail(reader, start, "a class without its end");
            break;
        }
        OY_GROW(range, cap, n + 1);
        failed = read_range(reader, &range[n++]);
    }
    if (!failed && negated)
        add_complement(reader->grammar, range, n, from, to);
    for (size_t i = 0; !failed && !negated && i < n; i++)
        grammar_add_characters(reader->grammar, from, to, range[i].low,
                               range[i].high);
    oy_free(range);
    return failed;
}

/* ---- rules ---- */

static int read_alternatives(struct reader *reader, int32_t from, int32_t to,
                             int in_group);

static void mark_defined(struct reader *reader, int32_t rule)
{
    const size_t n = (size_t)rule + 1;

    OY_GROW(reader->defined, reader->cap_defined, n);
    while (reader->n_defined < n)
        reader->defined[reader->n_defined++] = 0;
    reader->defined[rule] = 1;
}

static int32_t find_or_add(struct reader *reader, const char *name, size_t len)
{
    const int32_t rule = grammar_find_rule(reader->grammar, name, len);

    return rule >= 0 ? rule : grammar_add_rule(reader->grammar, name, len);
}

static int read_name(struct reader *reader, int32_t from, int32_t to)
{
    const size_t n = name_length(reader);

    if (!n)
        return fail(reader, reader->at,
                    "neither a literal, a class, a group nor a name");
    grammar_add_call(reader->grammar, from, to,
                     find_or_add(reader, reader->text + reader->at, n));
    reader->at += n;
    return 0;
}

static int read_group(struct reader *reader, int32_t from, int32_t to)
{
    const size_t start = reader->at++;

    if (++reader->depth > MAX_DEPTH)
        return fail(reader, start, "groups within too many groups");
    skip_space(reader, 1);
    if (read_alternatives(reader, from, to, 1))
        return -1;
    reader->depth--;
    return take(reader, ")") ? 0 : fail(reader, start, "')' is missing");
}

static int read_element(struct reader *reader, int32_t from, int32_t to)
{
    switch (peek(reader)) {
    case '"': return read_literal(reader, from, to);
    case '[': return read_class(reader, from, to);
    case '(': return read_group(reader, from, to);
    case '.':
        reader->at++;
        grammar_add_characters(reader->grammar, from, to, 0, LAST_CHARACTER);
        return 0;
    default: return read_name(reader, from, to);
    }
}

static int read_count(struct reader *reader, int64_t *count)
{
    const size_t start = reader->at;

    for (*count = 0; peek(reader) >= '0' && peek(reader) <= '9'; reader->at++) {
        *count = *count * 10 + (peek(reader) - '0');
        if (*count > MAX_REPEAT)
            return fail(reader, start, "more than 100000 repetitions");
    }
    return reader->at > start;
}

/* {m}, {m,}, {m,n} or {,n}; *most is -1 for no end. */
static int read_bounds(struct reader *reader, int64_t *least, int64_t *most)
{
    const size_t start = reader->at++;

    skip_space(reader, 0);
    const int has_least = read_count(reader, least);
    skip_space(reader, 0);
    if (has_least < 0)
        return -1;
    *most = *least;
    int has_most = has_least;
    if (take(reader, ",")) {
        skip_space(reader, 0);
        has_most = read_count(reader, most);
        skip_space(reader, 0);
        if (has_most < 0)
            return -1;
        if (!has_most)
            *most = -1;
        has_most = has_most || has_least;
    }
    if (!take(reader, "}") || !has_most)
        return fail(reader, start, "malformed repetition");
    return *most >= 0 && *most < *least
               ? fail(reader, start, "a repetition with nothing in it")
               : 0;
}

/* Between the states first and last is the element; the way goes on from
 * `from`. Returns where it is then. */
static int32_t repeat(struct grammar *grammar, int32_t from, int32_t first,
                      int32_t last, const int64_t bounds[2])
{
    const int32_t rule = grammar_add_rule(grammar, NULL, 0);
    const int32_t end = grammar_add_state(grammar);

    grammar_add_free(grammar, grammar->rule[rule].start, first);
    grammar_add_free(grammar, last, grammar->rule[rule].end);
    for (int64_t i = 0; i < bounds[0]; i++) {
        const int32_t next = grammar_add_state(grammar);
        grammar_add_call(grammar, from, next, rule);
        from = next;
    }
    if (bounds[1] < 0) {
        grammar_add_free(grammar, from, end);
        grammar_add_call(grammar, end, end, rule);
    }
    for (int64_t i = bounds[0]; i < bounds[1]; i++) {
        const int32_t next = grammar_add_state(grammar);
        grammar_add_free(grammar, from, end);
        grammar_add_call(grammar, from, next, rule);
        from = next;
    }
    if (bounds[1] >= 0)
        grammar_add_free(grammar, from, end);
    return end;
}

/* A mark behind the element between `first` and `last`: 1 and the way on from
 * *at; 0 when there is none. */
static int read_suffix(struct reader *reader, int32_t *at, int32_t first,
                       int32_t last)
{
    struct grammar *grammar = reader->grammar;
    int64_t bounds[2];

    switch (peek(reader)) {
    case '*': bounds[0] = 0, bounds[1] = -1; break;
    case '+': bounds[0] = 1, bounds[1] = -1; break;
    case '?': bounds[0] = 0, bounds[1] = 1; break;
    case '{':
        if (read_bounds(reader, &bounds[0], &bounds[1]))
            return -1;
        *at = repeat(grammar, *at, first, last, bounds);
        return 1;
    default: return 0;
    }
    reader->at++;
    const int32_t end = grammar_add_state(grammar);
    grammar_add_free(grammar, *at, first);
    grammar_add_free(grammar, last, end);
    if (bounds[0] == 0)
        grammar_add_free(grammar, *at, end);
    if (bounds[1] < 0)
        grammar_add_free(grammar, end, first);
    *at = end;
    return 1;
}

/* Elements until what ends a sequence. */
static int read_sequence(struct reader *reader, int32_t from, int32_t to,
                         int in_group)
{
    struct grammar *grammar = reader->grammar;

    for (;;) {
        const int c = peek(reader);
        if (c < 0 || c == '|' || c == ')' || c == '\n')
            break;
        if (grammar->n_state > GRAMMAR_MAX_STATES)
            return fail(reader, reader->at, "a grammar that is too large");
        const int32_t first = grammar_add_state(grammar);
        const int32_t last = grammar_add_state(grammar);
        if (read_element(reader, first, last))
            return -1;
        skip_space(reader, in_group);
        const int32_t before = from;
        const int marked = read_suffix(reader, &from, first, last);
        if (marked < 0)
            return -1;
        if (!marked) {
            grammar_add_free(grammar, before, first);
            from = last;
        }
        skip_space(reader, in_group);
    }
    grammar_add_free(grammar, from, to);
    return 0;
}

static int read_alternatives(struct reader *reader, int32_t from, int32_t to,
                             int in_group)
{
    for (;;) {
        /* A state of its own: loops may lead back to where a way begins. */
        const int32_t start = grammar_add_state(reader->grammar);
        grammar_add_free(reader->grammar, from, start);
        if (read_sequence(reader, start, to, in_group))
            return -1;
        if (!take(reader, "|"))
            return 0;
        skip_space(reader, 1);
    }
}

static int read_rule(struct reader *reader)
{
    const size_t start = reader->at, n = name_length(reader);

    if (!n)
        return fail(reader, start, "the name of a rule is missing");
    const int32_t rule = find_or_add(reader, reader->text + start, n);
    reader->at += n;
    skip_space(reader, 0);
    if (!take(reader, "::="))
        return fail(reader, start, "'::=' is missing");
    if ((size_t)rule < reader->n_defined && reader->defined[rule])
        return fail(reader, start, "a rule that was there before");
    mark_defined(reader, rule);
    skip_space(reader, 1);
    const struct grammar_rule *found = &reader->grammar->rule[rule];
    if (read_alternatives(reader, found->start, found->end, 0))
        return -1;
    if (peek(reader) == ')')
        return fail(reader, reader->at, "')' without its '('");
    return 0;
}

static int read_rules(struct reader *reader)
{
    const struct grammar *grammar = reader->grammar;

    for (skip_space(reader, 1); peek(reader) >= 0; skip_space(reader, 1)) {
        if (read_rule(reader))
            return -1;
    }
    for (size_t i = 0; i < grammar->n_rule; i++) {
        if (grammar->rule[i].name &&
            (i >= reader->n_defined || !reader->defined[i]))
            return oy_fail(reader->err, OY_DATA, "no rule '%s'",
                           grammar->rule[i].name);
    }
    return 0;
}

struct grammar *grammar_read(const char *text, size_t len, struct oy_error *err)
{
    struct reader reader = {.text = text, .len = len, .err = err};

    if (!oy_utf8_valid(text, len)) {
        oy_fail(err, OY_DATA, "a grammar that is not UTF-8");
        return NULL;
    }
    reader.grammar = oy_calloc(1, sizeof *reader.grammar);
    if (read_rules(&reader) || grammar_finish(reader.grammar, err)) {
        grammar_free(reader.grammar);
        reader.grammar = NULL;
    }
    oy_free(reader.defined);
    return reader.grammar;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions as grammars of what they accept inside a JSON string.
 *
 * The two languages are alike but for what JSON escapes: quotes, backslashes
 * and controls of a class become alternatives of their own. */
#include <string.h>

#include "core/utf8.h"
#include "model/json_schema.h"

enum { LAST_CHARACTER = 0x10ffff, MAX_DEPTH = 100 };

struct range {
    uint32_t low, high;
};

/* Characters as ranges. */
struct set {
    struct range range[64];
    size_t n;
    int negated;
};

struct pattern {
    const char *text;
    size_t at, len;
    struct oy_buffer *out;
    const char *why;
    int depth;
};

static int fail(struct pattern *pattern, const char *why)
{
    pattern->why = why;
    return -1;
}

static int peek(const struct pattern *pattern)
{
    return pattern->at < pattern->len
               ? (unsigned char)pattern->text[pattern->at]
               : -1;
}

static int add(struct pattern *pattern, struct set *set, uint32_t low,
               uint32_t high)
{
    if (set->n == sizeof set->range / sizeof *set->range)
        return fail(pattern, "a class of too many parts");
    set->range[set->n++] = (struct range){low, high};
    return 0;
}

/* ---- writing ---- */

static void put_class_character(struct oy_buffer *out, uint32_t c)
{
    char bytes[4];

    if (c < 0x20 || c == '\\' || c == ']' || c == '[' || c == '^' || c == '-')
        oy_buffer_append_format(out, "\\x%02x", c);
    else
        oy_buffer_append(out, bytes, oy_utf8_put(bytes, c));
}

/* What JSON escapes, in its shortest form. */
static void put_escaped(struct oy_buffer *out, uint32_t c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, (int)c) : NULL;

    if (!at)
        oy_buffer_append_format(out, "\"\\\\u%04x\"", c);
    else if (to[at - from] == '"' || to[at - from] == '\\')
        oy_buffer_append_format(out, "\"\\\\\\%c\"", to[at - from]);
    else
        oy_buffer_append_format(out, "\"\\\\%c\"", to[at - from]);
}

static int has(const struct set *set, uint32_t c)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->range[i].low <= c && c <= set->range[i].high)
            return !set->negated;
    }
    return set->negated;
}

static int is_escaped(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* The end of a run of plain characters from `from` on that the set has all of
 * or none of, or of one that is escaped. */
static uint32_t end_of_run(const struct set *set, uint32_t from)
{
    uint32_t end = LAST_CHARACTER;

    if (is_escaped(from))
        return from;
    if (from < '"')
        end = '"' - 1;
    else if (from < '\\')
        end = '\\' - 1;
    for (size_t i = 0; i < set->n; i++) {
        const struct range *range = &set->range[i];
        if (range->low > from && range->low - 1 < end)
            end = range->low - 1;
        if (range->high >= from && range->high < end)
            end = range->high;
    }
    return end;
}

static int put_set(struct pattern *pattern, const struct set *set)
{
    struct oy_buffer plain = {0}, *out = pattern->out;
    int n_part = 0;

    oy_buffer_append_char(out, '(');
    for (uint32_t from = 0; from <= LAST_CHARACTER;) {
        const uint32_t end = end_of_run(set, from);
        if (has(set, from) && is_escaped(from)) {
            oy_buffer_append_string(out, n_part++ ? " | " : "");
            put_escaped(out, from);
        } else if (has(set, from)) {
            put_class_character(&plain, from);
            oy_buffer_append_char(&plain, '-');
            put_class_character(&plain, end);
        }
        from = end + 1;
    }
    if (plain.len) {
        oy_buffer_append_string(out, n_part++ ? " | [" : "[");
        oy_buffer_append(out, plain.data, plain.len);
        oy_buffer_append_char(out, ']');
    }
    oy_buffer_append_char(out, ')');
    oy_buffer_release(&plain);
    return n_part ? 0 : fail(pattern, "a class without a character");
}

/* ---- reading ---- */

/* \d and its like; 0 when it is none of them. */
static int add_named(struct pattern *pattern, struct set *set, int name)
{
    switch (name) {
    case 'd': return add(pattern, set, '0', '9') ? -1 : 1;
    case 'w':
        return add(pattern, set, '0', '9') || add(pattern, set, 'A', 'Z') ||
                       add(pattern, set, 'a', 'z') ||
                       add(pattern, set, '_', '_')
                   ? -1
                   : 1;
    case 's':
        return add(pattern, set, '\t', '\r') || add(pattern, set, ' ', ' ') ? -1
                                                                            : 1;
    default: return 0;
    }
}

static int read_hex(struct pattern *pattern, int n, uint32_t *c)
{
    static const char digit[] = "0123456789abcdef";

    for (*c = 0; n > 0; n--, pattern->at++) {
        const char *at =
            peek(pattern) > 0 ? strchr(digit, peek(pattern) | 0x20) : NULL;
        if (!at || !*at)
            return fail(pattern, "a malformed escape");
        *c = *c << 4 | (uint32_t)(at - digit);
    }
    return 0;
}

/* The character behind a backslash. */
static int read_escape(struct pattern *pattern, uint32_t *c)
{
    static const char name[] = "nrtfv0", value[] = "\n\r\t\f\v";
    const int kind = peek(pattern);
    const char *at = kind > 0 ? strchr(name, kind) : NULL;

    if (kind < 0)
        return fail(pattern, "a backslash at its end");
    if (kind >= 0x80) {
        *c = oy_utf8_next(pattern->text, &pattern->at);
        return 0;
    }
    pattern->at++;
    if (kind == 'x' || kind == 'u')
        return read_hex(pattern, kind == 'x' ? 2 : 4, c);
    *c = at ? (uint32_t)value[at - name] : (uint32_t)kind;
    if (!at && ((kind >= 'a' && kind <= 'z') || (kind >= 'A' && kind <= 'Z') ||
                (kind >= '1' && kind <= '9')))
        return fail(pattern, "an escape that is not supported");
    return 0;
}

/* One character of a class, or a named set: then 1. */
static int read_member(struct pattern *pattern, struct set *set, uint32_t *c)
{
    if (peek(pattern) != '\\') {
        *c = oy_utf8_next(pattern->text, &pattern->at);
        return 0;
    }
    pattern->at++;
    const int named = add_named(pattern, set, peek(pattern));
    if (named) {
        pattern->at++;
        return named;
    }
    if (peek(pattern) == 'b') {
        pattern->at++;
        *c = '\b';
        return 0;
    }
    return read_escape(pattern, c);
}

static int read_class(struct pattern *pattern)
{
    struct set set = {0};
    uint32_t low, high;

    pattern->at++;
    if (peek(pattern) == '^') {
        set.negated = 1;
        pattern->at++;
    }
    while (peek(pattern) != ']') {
        if (peek(pattern) < 0)
            return fail(pattern, "a class without its end");
        const int named = read_member(pattern, &set, &low);
        if (named < 0)
            return -1;
        if (named)
            continue;
        high = low;
        if (peek(pattern) == '-' && pattern->at + 1 < pattern->len &&
            pattern->text[pattern->at + 1] != ']') {
            pattern->at++;
            if (read_member(pattern, &set, &high) || high < low)
                return fail(pattern, "a malformed range");
        }
        if (add(pattern, &set, low, high))
            return -1;
    }
    pattern->at++;
    return put_set(pattern, &set);
}

static int read_alternatives(struct pattern *pattern);

static int read_group(struct pattern *pattern)
{
    pattern->at++;
    if (++pattern->depth > MAX_DEPTH)
        return fail(pattern, "groups within too many groups");
    if (peek(pattern) == '?') {
        if (pattern->at + 1 >= pattern->len ||
            pattern->text[pattern->at + 1] != ':')
            return fail(pattern, "a group of (? that is not supported");
        pattern->at += 2;
    }
    oy_buffer_append_char(pattern->out, '(');
    if (read_alternatives(pattern))
        return -1;
    if (peek(pattern) != ')')
        return fail(pattern, "a group without its end");
    pattern->at++;
    pattern->depth--;
    oy_buffer_append_char(pattern->out, ')');
    return 0;
}

static int read_escaped_atom(struct pattern *pattern)
{
    struct set set = {0};
    uint32_t c;

    pattern->at++;
    const int kind = peek(pattern);
    const int upper = kind == 'D' || kind == 'W' || kind == 'S';
    const int named = add_named(pattern, &set, upper ? kind | 0x20 : kind);
    set.negated = upper;
    if (named < 0)
        return -1;
    if (named)
        pattern->at++;
    else if (read_escape(pattern, &c) || add(pattern, &set, c, c))
        return -1;
    return put_set(pattern, &set);
}

static int read_atom(struct pattern *pattern)
{
    struct set set = {0};

    switch (peek(pattern)) {
    case '(': return read_group(pattern);
    case '[': return read_class(pattern);
    case '\\': return read_escaped_atom(pattern);
    case '^':
    case '$': return fail(pattern, "^ or $ inside of it");
    case '*':
    case '+':
    case '?':
    case '{':
    case '}': return fail(pattern, "a repetition of nothing");
    case '.':
        pattern->at++;
        set.negated = 1;
        add(pattern, &set, '\n', '\n');
        add(pattern, &set, '\r', '\r');
        return put_set(pattern, &set);
    default: break;
    }
    const uint32_t c = oy_utf8_next(pattern->text, &pattern->at);
    add(pattern, &set, c, c);
    return put_set(pattern, &set);
}

/* Copies a repetition: the grammar's are spelled alike. Whether it takes
 * much or little does not matter for what is accepted. */
static int read_repetition(struct pattern *pattern)
{
    const char *start = pattern->text + pattern->at;
    size_t n = 1;

    if (peek(pattern) < 0 || !strchr("*+?{", peek(pattern)))
        return 0;
    if (*start == '{') {
        n = strspn(start + 1, "0123456789,") + 2;
        if (pattern->at + n > pattern->len || start[n - 1] != '}' ||
            start[1] == ',' || n < 3)
            return fail(pattern, "a malformed repetition");
    }
    oy_buffer_append(pattern->out, start, n);
    pattern->at += n;
    if (peek(pattern) == '?')
        pattern->at++;
    else if (peek(pattern) == '+')
        return fail(pattern, "a possessive repetition");
    return 0;
}

static int is_last_anchor(const struct pattern *pattern)
{
    return peek(pattern) == '$' && pattern->at + 1 == pattern->len;
}

static int read_alternatives(struct pattern *pattern)
{
    oy_buffer_append_string(pattern->out, "\"\"");
    while (peek(pattern) >= 0 && peek(pattern) != ')' &&
           !is_last_anchor(pattern)) {
        oy_buffer_append_char(pattern->out, ' ');
        if (peek(pattern) == '|') {
            pattern->at++;
            oy_buffer_append_string(pattern->out, "| \"\"");
        } else if (read_atom(pattern) || read_repetition(pattern)) {
            return -1;
        }
    }
    return 0;
}

/* Anchors bind tighter than alternatives: ^a|b$ is none of our patterns. */
static int has_outer_alternative(const struct pattern *pattern)
{
    int depth = 0, in_class = 0;

    for (size_t i = 0; i < pattern->len; i++) {
        const char c = pattern->text[i];
        if (c == '\\')
            i++;
        else if (in_class || c == '[')
            in_class = c != ']';
        else if (c == '(' || c == ')')
            depth += c == '(' ? 1 : -1;
        else if (c == '|' && depth == 0)
            return 1;
    }
    return 0;
}

int json_pattern_write(const char *text, size_t len, struct oy_buffer *out,
                       const char **why)
{
    struct pattern pattern = {.text = text, .len = len, .out = out};
    const int begins = peek(&pattern) == '^';

    pattern.at += (size_t)begins;
    oy_buffer_append_string(out, begins ? "(" : "char* (");
    int failed = read_alternatives(&pattern);
    const int ends = !failed && is_last_anchor(&pattern);
    pattern.at += (size_t)ends;
    if (!failed && pattern.at < len)
        failed = fail(&pattern, "a ) without its (");
    if (!failed && (begins || ends) && has_outer_alternative(&pattern))
        failed = fail(&pattern, "^ or $ beside alternatives without a group");
    oy_buffer_append_string(out, ends ? ")" : ") char*");
    *why = pattern.why;
    return failed;
}

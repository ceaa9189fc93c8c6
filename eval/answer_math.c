/* SPDX-License-Identifier: Apache-2.0
 *
 * TeX in one spelling. */
#include "eval/answer_math.h"

#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "eval/answer_text.h"
#include "eval/text_clean.h"

enum { UNICODE_VERSION = 14 }; /* as Python 3.11 knows it */

static struct oy_text text_of(const struct oy_buffer *buffer)
{
    return (struct oy_text){buffer->data, buffer->len};
}

static const char *find(struct oy_text text, const char *what)
{
    return text.len ? memmem(text.at, text.len, what, strlen(what)) : NULL;
}

static size_t count(struct oy_text text, const char *what)
{
    size_t n = 0;
    const char *at;

    while ((at = find(text, what)) != NULL) {
        const size_t past = (size_t)(at - text.at) + strlen(what);
        text = (struct oy_text){text.at + past, text.len - past};
        n++;
    }
    return n;
}

/* Bytes of the character at the beginning; 0 of an empty text. */
static size_t first_size(struct oy_text text)
{
    size_t at = 0;

    if (text.len)
        oy_utf8_next(text.at, &at);
    return at < text.len ? at : text.len;
}

static int begins(struct oy_text text, char c)
{
    return text.len && text.at[0] == c;
}

static void append(struct oy_buffer *out, struct oy_text text)
{
    if (text.len)
        oy_buffer_append(out, text.at, text.len);
}

static void append_braced(struct oy_buffer *out, struct oy_text text)
{
    oy_buffer_append_char(out, '{');
    append(out, text);
    oy_buffer_append_char(out, '}');
}

static void assign(struct oy_buffer *text, struct oy_buffer *from)
{
    oy_buffer_release(text);
    *text = *from;
}

/* ---- boxes ---- */

static const char *find_last(struct oy_text text, const char *what)
{
    const char *last = NULL, *at;
    struct oy_text rest = text;

    while ((at = find(rest, what)) != NULL) {
        last = at;
        rest.at = at + 1;
        rest.len = text.len - (size_t)(rest.at - text.at);
    }
    return last;
}

/* The end of what begins with a command and goes to the brace that closes its
 * first; NULL: nothing does. */
static const char *find_close(const char *at, const char *end)
{
    int n_open = 0;

    for (; at < end; at++) {
        n_open += *at == '{';
        if (*at == '}' && --n_open == 0)
            return at;
    }
    return NULL;
}

void answer_math_boxed(const char *text, size_t len, struct oy_buffer *out)
{
    static const char spaced[] = "\\boxed ", braced[] = "\\boxed{";
    const struct oy_text whole = {text, len};
    const char *at = find_last(whole, spaced), *end = text + len;

    if (at) {
        at += strlen(spaced);
        const char *dollar = memchr(at, '$', (size_t)(end - at));
        oy_buffer_append(out, at, (size_t)((dollar ? dollar : end) - at));
        return;
    }
    at = find_last(whole, "\\boxed");
    const char *close = at ? find_close(at, end) : NULL;
    if (close && (size_t)(end - at) > strlen(braced) &&
        !memcmp(at, braced, strlen(braced))) {
        at += strlen(braced);
        oy_buffer_append(out, at, (size_t)(close - at));
    }
}

/* ---- one spelling ---- */

/* \sqrt3 -> \sqrt{3}; -1: a root of nothing. */
static int brace_roots(struct oy_buffer *text)
{
    static const char sqrt_name[] = "\\sqrt";
    struct oy_text rest = text_of(text);
    struct oy_buffer out = {0};
    const char *at;

    while ((at = find(rest, sqrt_name)) != NULL) {
        const size_t past = (size_t)(at - rest.at) + strlen(sqrt_name);
        oy_buffer_append(&out, rest.at, past);
        rest = (struct oy_text){rest.at + past, rest.len - past};
        const size_t n = first_size(rest);
        if (!n || find(rest, sqrt_name) == rest.at) {
            oy_buffer_release(&out);
            return -1;
        }
        if (!begins(rest, '{')) {
            append_braced(&out, (struct oy_text){rest.at, n});
            rest = (struct oy_text){rest.at + n, rest.len - n};
        }
    }
    append(&out, rest);
    assign(text, &out);
    return 0;
}

/* The two arguments of a fraction, up to the next one: 1 when they are there,
 * 0 when there is but one, -1 when there is none. */
static int put_fraction(struct oy_text part, struct oy_buffer *out)
{
    const size_t n = first_size(part);

    if (!n)
        return -1;
    if (begins(part, '{')) {
        append(out, part);
        return 1;
    }
    const struct oy_text second = {part.at + n, part.len - n};
    const size_t m = first_size(second);
    if (!m)
        return 0;
    append_braced(out, (struct oy_text){part.at, n});
    if (begins(second, '{')) {
        append(out, second);
        return 1;
    }
    append_braced(out, (struct oy_text){second.at, m});
    append(out, (struct oy_text){second.at + m, second.len - m});
    return 1;
}

/* \frac12 -> \frac{1}{2}; all stays as it is when one lacks its second part;
 * -1: one has none at all before that. */
static int brace_fractions(struct oy_buffer *text)
{
    static const char frac[] = "\\frac";
    struct oy_text rest = text_of(text);
    struct oy_buffer out = {0};
    const char *at = find(rest, frac);
    int status = 1;

    oy_buffer_append(&out, rest.at, at ? (size_t)(at - rest.at) : rest.len);
    while (at && status == 1) {
        const size_t past = (size_t)(at - rest.at) + strlen(frac);
        rest = (struct oy_text){rest.at + past, rest.len - past};
        at = find(rest, frac);
        oy_buffer_append_string(&out, frac);
        status = put_fraction(
            (struct oy_text){rest.at, at ? (size_t)(at - rest.at) : rest.len},
            &out);
    }
    if (status == 1)
        assign(text, &out);
    else
        oy_buffer_release(&out);
    return status < 0 ? -1 : 0;
}

/* Whether Python's int() reads it. */
static int is_integer(struct oy_text text)
{
    int after_digit = 0;
    size_t at = 0;

    text = answer_strip(text);
    if (begins(text, '-') || begins(text, '+'))
        at = 1;
    while (at < text.len) {
        const uint32_t c = oy_utf8_next(text.at, &at);
        const int is_digit = oy_unicode_category(c, UNICODE_VERSION) == OY_ND;
        if (!is_digit && !(c == '_' && after_digit))
            return 0;
        after_digit = is_digit;
    }
    return after_digit;
}

/* As Python would write the integer. */
static int is_canonical(struct oy_text text)
{
    const int is_negative = begins(text, '-');
    size_t at = (size_t)is_negative;

    if (begins((struct oy_text){text.at + at, text.len - at}, '0'))
        return text.len == 1;
    while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
        at++;
    return at == text.len;
}

/* Whose copy of the rules: in AGIEval's a quotient of other things than
 * integers is left alone, in that of hendrycks_math it ends the attempt. */
enum rules { RULES_HENDRYCKS, RULES_AGIEVAL };

/* 1/2 -> \frac{1}{2}; -1: of other things than integers. */
static int quotient_to_fraction(enum rules rules, struct oy_buffer *text)
{
    const struct oy_text whole = text_of(text);
    struct oy_buffer out = {0};

    if (count(whole, "/") != 1)
        return 0;
    const char *slash = find(whole, "/");
    const struct oy_text a = {whole.at, (size_t)(slash - whole.at)};
    const struct oy_text b = {slash + 1, whole.len - a.len - 1};
    if (!is_integer(a) || !is_integer(b))
        return rules == RULES_HENDRYCKS ? -1 : 0;
    if (!is_canonical(a) || !is_canonical(b))
        return 0;
    oy_buffer_append_string(&out, "\\frac");
    append_braced(&out, a);
    append_braced(&out, b);
    assign(text, &out);
    return 0;
}

/* "\text{ " begins a unit; -1: two of them. */
static int cut_unit(struct oy_buffer *text)
{
    static const char unit[] = "\\text{ ";
    const size_t n = count(text_of(text), unit);

    if (n == 1)
        text->len = (size_t)(find(text_of(text), unit) - text->data);
    return n > 1 ? -1 : 0;
}

/* "k = 3" -> " 3" */
static void cut_name(struct oy_buffer *text)
{
    const struct oy_text whole = text_of(text);
    const char *equal = find(whole, "=");

    if (count(whole, "=") != 1 ||
        oy_utf8_count(whole.at, (size_t)(equal - whole.at)) > 2)
        return;
    const size_t past = (size_t)(equal + 1 - whole.at);
    memmove(text->data, text->data + past, text->len - past);
    text->len -= past;
}

static void replace_pairs(struct oy_buffer *text, const char *const (*pair)[2])
{
    for (; (*pair)[0]; pair++)
        text_replace_all(text, (*pair)[0], (*pair)[1]);
}

/* strip_string(); -1 where that raises. */
static int simplify(enum rules rules, struct oy_text from,
                    struct oy_buffer *text)
{
    static const char *const before[][2] = {
        {"\n", ""},        {"\\!", ""},    {"\\\\", "\\"},  {"tfrac", "frac"},
        {"dfrac", "frac"}, {"\\left", ""}, {"\\right", ""}, {"^{\\circ}", ""},
        {"^\\circ", ""},   {"\\$", ""},    {NULL, NULL}};
    static const char *const after[][2] = {
        {"\\%", ""}, {" .", " 0."}, {"{.", "{0."}, {NULL, NULL}};

    append(text, from);
    replace_pairs(text, before);
    if (cut_unit(text))
        return -1;
    replace_pairs(text, after);
    if (!text->len)
        return 0;
    if (text->data[0] == '.') {
        struct oy_buffer out = {0};
        oy_buffer_append_char(&out, '0');
        append(&out, text_of(text));
        assign(text, &out);
    }
    cut_name(text);
    if (brace_roots(text))
        return -1;
    text_replace_all(text, " ", "");
    if (brace_fractions(text))
        return -1;
    if (text->len == 3 && !memcmp(text->data, "0.5", 3)) {
        oy_buffer_clear(text);
        oy_buffer_append_string(text, "\\frac{1}{2}");
    }
    return quotient_to_fraction(rules, text);
}

/* ---- the answer ---- */

static struct oy_text between_dollars(struct oy_text text)
{
    const char *first = text.len ? memchr(text.at, '$', text.len) : NULL;
    const char *last = text.len ? memrchr(text.at, '$', text.len) : NULL;

    if (first == last)
        return text;
    return (struct oy_text){first + 1, (size_t)(last - first) - 1};
}

static int same(struct oy_text a, struct oy_text b)
{
    return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

/* strip_string() of both compared; where it fails, they themselves. */
static int equal_spellings(enum rules rules, struct oy_text a, struct oy_text b)
{
    struct oy_buffer one = {0}, two = {0};
    const int failed = simplify(rules, a, &one) || simplify(rules, b, &two);
    const int equal = failed ? same(a, b) : same(text_of(&one), text_of(&two));

    oy_buffer_release(&one);
    oy_buffer_release(&two);
    return equal;
}

int answer_math_equal(struct oy_text completion, struct oy_text reference)
{
    return equal_spellings(RULES_HENDRYCKS, between_dollars(completion),
                           reference);
}

/* ---- AGIEval: both sides are searched for an answer ---- */

static const struct oy_text none = {NULL, 0};

static struct oy_text skip_spaces(struct oy_text text)
{
    while (begins(text, ' '))
        text = (struct oy_text){text.at + 1, text.len - 1};
    return text;
}

/* What is behind the last equals sign; all where there is none. */
static struct oy_text behind_equal(struct oy_text text)
{
    const char *equal = text.len ? memrchr(text.at, '=', text.len) : NULL;

    if (!equal)
        return text;
    return skip_spaces(
        (struct oy_text){equal + 1, text.len - (size_t)(equal + 1 - text.at)});
}

static struct oy_text boxed_answer(struct oy_text text)
{
    static const char braced[] = "\\boxed{";
    const char *at = find_last(text, "\\boxed");
    const char *close = find_close(at, text.at + text.len);

    if (!close ||
        find((struct oy_text){at, (size_t)(close - at)}, braced) != at)
        return none;
    at += strlen(braced);
    return behind_equal((struct oy_text){at, (size_t)(close - at)});
}

/* Between the first and the last dollar sign of the last line with two. */
static struct oy_text dollar_answer(struct oy_text text)
{
    struct oy_text found = none;

    while (text.len) {
        const char *end = memchr(text.at, '\n', text.len);
        const struct oy_text line = {text.at,
                                     end ? (size_t)(end - text.at) : text.len};
        const char *first = memchr(line.at, '$', line.len);
        const char *last = memrchr(line.at, '$', line.len);
        if (first != last)
            found = (struct oy_text){first + 1, (size_t)(last - first) - 1};
        const size_t past = line.len + (end != NULL);
        text = (struct oy_text){text.at + past, text.len - past};
    }
    return found.at ? behind_equal(found) : none;
}

static size_t skip_digits(struct oy_text text, size_t at)
{
    while (at < text.len) {
        size_t next = at;
        const uint32_t c = oy_utf8_next(text.at, &next);
        if (oy_unicode_category(c, UNICODE_VERSION) != OY_ND)
            break;
        at = next;
    }
    return at;
}

static int is_word_at(struct oy_text text, size_t at)
{
    if (at >= text.len)
        return 0;
    const uint32_t c = oy_utf8_next(text.at, &at);
    return c == '_' || oy_py_isalnum(c);
}

/* The end of (?:\$)?\d+(?:\.\d+)?(?![\w\d]) at this place; 0: no match. */
static size_t match_number(struct oy_text text, size_t at)
{
    const size_t first = at + (text.at[at] == '$');
    const size_t whole = skip_digits(text, first);

    if (whole == first)
        return 0;
    if (whole < text.len && text.at[whole] == '.') {
        const size_t end = skip_digits(text, whole + 1);
        return end > whole + 1 && !is_word_at(text, end) ? end : whole;
    }
    return is_word_at(text, whole) ? 0 : whole;
}

static struct oy_text plain_answer(struct oy_text text)
{
    struct oy_text found = none;

    if (find(text, "=")) {
        found = behind_equal(text);
        while (found.len && found.at[found.len - 1] == '.')
            found.len--;
        const char *line = find(found, "\\n");
        if (line)
            found.len = (size_t)(line - found.at);
        return found;
    }
    for (size_t at = 0; at < text.len;) {
        const size_t end = match_number(text, at);
        if (end)
            found = (struct oy_text){text.at + at, end - at};
        if (end)
            at = end;
        else
            oy_utf8_next(text.at, &at);
    }
    return found;
}

/* parse_math_answer(); .at NULL: Python's None. */
static struct oy_text search_answer(struct oy_text text)
{
    if (find(text, "\\boxed"))
        return boxed_answer(text);
    const struct oy_text found = dollar_answer(text);
    return found.len ? found : plain_answer(text);
}

int answer_agieval_equal(struct oy_text completion, struct oy_text reference)
{
    const struct oy_text a = search_answer(completion);
    const struct oy_text b = search_answer(reference);

    if (!a.at || !b.at)
        return a.at == b.at;
    return equal_spellings(RULES_AGIEVAL, a, b);
}

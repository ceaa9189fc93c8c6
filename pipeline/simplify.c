/* SPDX-License-Identifier: Apache-2.0
 *
 * The normaliser, with a byte table for ASCII. */
#include "pipeline/simplify.h"

#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"

enum kind { COPY, BLANK, DIGIT, WIDE };

enum { PYTHON_UNICODE = 14, REGEX_UNICODE = 16 };

/* What becomes of a byte; all that is not named is copied. */
static const unsigned char KIND[256] = {
    [0x00 ... 0x2f] = BLANK, ['0' ... '9'] = DIGIT,   [0x3a ... 0x40] = BLANK,
    [0x5b ... 0x60] = BLANK, [0x7b ... 0x7f] = BLANK, [0x80 ... 0xff] = WIDE,
};

/* The punctuation of datatrove's list above ASCII; U+0080 to U+009F too. */
static int is_wide_punctuation(uint32_t c)
{
    static const uint16_t mark[] = {
        0x00ab, 0x00b4, 0x00bb, 0x2013, 0x2014, 0x2019, 0x201c, 0x201d, 0x201e,
        0x2026, 0x2236, 0x2501, 0x25ba, 0x3001, 0x3002, 0x3008, 0x3009, 0x300a,
        0x300b, 0x300c, 0x300d, 0x3010, 0x3011, 0xff01, 0xff05, 0xff08, 0xff09,
        0xff0c, 0xff0e, 0xff11, 0xff1a, 0xff1b, 0xff1f, 0xff5e};
    size_t low = 0, high = sizeof mark / sizeof *mark;

    if (c < 0xa0)
        return 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (mark[middle] == c)
            return 1;
        if (mark[middle] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static int is_digit(uint32_t c)
{
    return oy_unicode_category(c, REGEX_UNICODE) == OY_ND;
}

static enum kind kind_of_wide(uint32_t c)
{
    /* Ideographs, most of what is wide. */
    if (c >= 0x3400 && c <= 0x9fff)
        return COPY;
    if (is_digit(c))
        return DIGIT;
    return is_wide_punctuation(c) || oy_py_isspace(c) ? BLANK : COPY;
}

/* Whether NFD surely leaves it alone and it is no mark. */
static int is_stable(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x2010 && c <= 0x205e);
}

static int is_separator(uint32_t c)
{
    return c == '.' || c == ',' || c == 0x060c || c == 0x066b ||
           (c >= 0x2396 && c <= 0x2398);
}

static size_t skip_digits(const char *text, size_t len, size_t at)
{
    while (at < len) {
        size_t next = at;
        if (!is_digit(oy_utf8_next(text, &next)))
            break;
        at = next;
    }
    return at;
}

/* \p{Nd}+([.,،٫⎖⎗⎘]\p{Nd}+)? from the first digit on. */
static size_t skip_number(const char *text, size_t len, size_t at)
{
    at = skip_digits(text, len, at);
    if (at == len)
        return at;
    size_t next = at;
    if (!is_separator(oy_utf8_next(text, &next)))
        return at;
    const size_t end = skip_digits(text, len, next);
    return end > next ? end : at;
}

/* A character that is no plain letter or mark: at `*at`, moved behind it. */
static enum kind take_special(const char *text, size_t len, size_t *at,
                              char **to, int *unstable)
{
    const size_t start = *at;
    const uint32_t c = oy_utf8_next(text, at);
    const enum kind kind = c < 0x80 ? DIGIT : kind_of_wide(c);

    if (kind == BLANK)
        return kind;
    if (kind == DIGIT) {
        *(*to)++ = '0';
        *at = skip_number(text, len, start);
        return kind;
    }
    *unstable |= !is_stable(c);
    memcpy(*to, text + start, *at - start);
    *to += *at - start;
    return kind;
}

/* Lower case of ASCII, numbers, punctuation and white space. Returns whether
 * something is left that NFD may change. Letters and marks take no branch:
 * every byte is written, and a blank behind a blank is written over. */
static int squeeze(const char *text, size_t len, struct oy_buffer *out)
{
    char *to = oy_buffer_reserve(out, len + 1);
    const char *const start = to;
    int unstable = 0;
    unsigned after_blank = 1;

    for (size_t at = 0; at < len;) {
        const unsigned char c = (unsigned char)text[at];
        unsigned blank = KIND[c];

        if (blank < DIGIT) {
            const unsigned upper = (unsigned)(c - 'A') < 26;
            *to = blank ? ' ' : (char)(c + 32 * upper);
            to += !(blank & after_blank);
            at++;
        } else {
            blank = take_special(text, len, &at, &to, &unstable) == BLANK;
            *to = ' ';
            to += blank & !after_blank;
        }
        after_blank = blank;
    }
    out->len += (size_t)(to - start);
    if (after_blank && to > start)
        out->len--;
    return unstable;
}

/* Decomposes and takes the marks out, then the white space that this may have
 * laid bare at the ends. */
static void strip_marks(struct simplify *simplify, const char *text, size_t len)
{
    struct oy_buffer *normal = &simplify->normal, *out = &simplify->lower;
    size_t at = 0;

    oy_buffer_clear(normal);
    oy_unicode_normalize(OY_NFD, PYTHON_UNICODE, text, len, normal);
    oy_buffer_clear(out);
    char *to = oy_buffer_reserve(out, normal->len);
    while (at < normal->len) {
        size_t next = at;
        const uint32_t c = oy_utf8_next(normal->data, &next);
        if (c < 0x80 || oy_unicode_category(c, PYTHON_UNICODE) != OY_MN) {
            memcpy(to, normal->data + at, next - at);
            to += next - at;
        }
        at = next;
    }
    out->len = (size_t)(to - out->data);
}

static const char *strip(const char *text, size_t *len)
{
    while (*len && *text == ' ') {
        text++;
        --*len;
    }
    while (*len && text[*len - 1] == ' ')
        --*len;
    return text;
}

const char *simplify_text(struct simplify *simplify, const char *text,
                          size_t len, size_t *simple_len)
{
    struct oy_buffer *lower = &simplify->lower, *plain = &simplify->plain;

    if (!oy_utf8_is_ascii(text, len)) {
        oy_buffer_clear(lower);
        oy_py_lower(text, len, lower);
        text = lower->data;
        len = lower->len;
    }
    oy_buffer_clear(plain);
    if (!squeeze(text, len, plain)) {
        *simple_len = plain->len;
        return plain->data;
    }
    strip_marks(simplify, plain->data, plain->len);
    *simple_len = lower->len;
    return strip(lower->data, simple_len);
}

void simplify_release(struct simplify *simplify)
{
    oy_buffer_release(&simplify->lower);
    oy_buffer_release(&simplify->plain);
    oy_buffer_release(&simplify->normal);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Word boundaries of UAX #29 (Unicode 15), rules WB1 to WB999. */
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/words_internal.h"

/* ---- classes ---- */

static int is_ignored(enum oy_word_break c)
{
    return c == OY_WB_EXTEND || c == OY_WB_FORMAT || c == OY_WB_ZWJ;
}

static int is_letter(enum oy_word_break c)
{
    return c == OY_WB_ALETTER || c == OY_WB_HEBREW;
}

static int is_mid_letter(enum oy_word_break c)
{
    return c == OY_WB_MIDLETTER || c == OY_WB_MIDNUMLET ||
           c == OY_WB_SINGLE_QUOTE;
}

static int is_mid_number(enum oy_word_break c)
{
    return c == OY_WB_MIDNUM || c == OY_WB_MIDNUMLET || c == OY_WB_SINGLE_QUOTE;
}

static int is_line_end(enum oy_word_break c)
{
    return c == OY_WB_CR || c == OY_WB_LF || c == OY_WB_NEWLINE;
}

/* ---- any text ---- */

/* A segment on its way: what stands before the next code point. */
struct segment {
    const char *text;
    size_t len;
    size_t at;
    enum oy_word_break last; /* class, with what follows it ignored (WB4) */
    enum oy_word_break real; /* class of the very last code point */
    int n_regional;          /* regional indicators in a row */
};

/* The class of the first code point at or behind `at` that is not ignored. */
static enum oy_word_break class_ahead(const struct segment *s, size_t at)
{
    while (at < s->len) {
        const enum oy_word_break c =
            oy_unicode_word_break(oy_utf8_next(s->text, &at));
        if (!is_ignored(c))
            return c;
    }
    return OY_WB_OTHER;
}

/* WB6, WB7b, WB12: a mark that is held together by what stands behind it, at
 * `next`. WB7, WB7c and WB11 follow: that one is then joined too. */
static int joins_mark(const struct segment *s, enum oy_word_break mark,
                      size_t next)
{
    if (is_letter(s->last) && is_mid_letter(mark))
        return is_letter(class_ahead(s, next));
    if (s->last == OY_WB_HEBREW && mark == OY_WB_DOUBLE_QUOTE)
        return class_ahead(s, next) == OY_WB_HEBREW;
    if (s->last == OY_WB_NUMERIC && is_mid_number(mark))
        return class_ahead(s, next) == OY_WB_NUMERIC;
    return 0;
}

/* WB5, WB8 to WB10, WB13 to WB13b. */
static int joins_plain(enum oy_word_break last, enum oy_word_break c)
{
    const int last_is_wordy = is_letter(last) || last == OY_WB_NUMERIC;

    if (is_letter(c) || c == OY_WB_NUMERIC)
        return last_is_wordy || last == OY_WB_EXTENDNUMLET;
    if (c == OY_WB_KATAKANA)
        return last == OY_WB_KATAKANA || last == OY_WB_EXTENDNUMLET;
    if (c == OY_WB_EXTENDNUMLET)
        return last_is_wordy || last == OY_WB_KATAKANA ||
               last == OY_WB_EXTENDNUMLET;
    return 0;
}

/* Whether there is no boundary before a code point of class c, marks between
 * letters or digits apart. */
static int joins(const struct segment *s, uint32_t code, enum oy_word_break c)
{
    if (s->real == OY_WB_CR)
        return c == OY_WB_LF; /* WB3 */
    if (is_line_end(s->real) || is_line_end(c))
        return 0; /* WB3a, WB3b */
    if (s->real == OY_WB_ZWJ && oy_unicode_is_pictographic(code))
        return 1; /* WB3c */
    if (s->real == OY_WB_WSEGSPACE && c == OY_WB_WSEGSPACE)
        return 1; /* WB3d */
    if (is_ignored(c))
        return 1; /* WB4 */
    if (s->last == OY_WB_HEBREW && c == OY_WB_SINGLE_QUOTE)
        return 1; /* WB7a */
    if (s->last == OY_WB_REGIONAL && c == OY_WB_REGIONAL)
        return s->n_regional % 2 == 1; /* WB15, WB16 */
    return joins_plain(s->last, c);
}

/* Moves over a code point of class c that ends at `next`. */
static void take(struct segment *s, enum oy_word_break c, size_t next)
{
    s->at = next;
    s->real = c;
    if (is_ignored(c))
        return;
    s->n_regional = c == OY_WB_REGIONAL ? s->n_regional + 1 : 0;
    s->last = c;
}

size_t words_segment_end(const char *text, size_t len, size_t at)
{
    struct segment s = {.text = text, .len = len, .at = at};
    int held = 0; /* the last one is a mark that holds what follows */
    size_t next = at;

    s.last = oy_unicode_word_break(oy_utf8_next(text, &next));
    take(&s, s.last, next);
    while (s.at < len) {
        next = s.at;
        const uint32_t code = oy_utf8_next(text, &next);
        const enum oy_word_break c = oy_unicode_word_break(code);
        const int ignored = is_ignored(c);
        const int holds = joins_mark(&s, c, next);
        if (!holds && !(held && !ignored) && !joins(&s, code, c))
            break;
        if (!ignored)
            held = holds;
        take(&s, c, next);
    }
    return s.at;
}

/* ---- ASCII, which is nearly everything ---- */

enum { OTHER, LETTER = 1, DIGIT = 2, UNDERSCORE = 4 };

#define L4  LETTER, LETTER, LETTER, LETTER
#define D4  DIGIT, DIGIT, DIGIT, DIGIT
#define O4  OTHER, OTHER, OTHER, OTHER
#define O16 O4, O4, O4, O4
static const unsigned char ascii_kind[256] = {
    O16,        O16,    O16,    D4,     D4,     DIGIT, DIGIT, OTHER, OTHER,
    O4,                                                    /* 0-9 at 0x30 */
    OTHER,      LETTER, LETTER, LETTER, L4,     L4,    L4, /* A-O */
    L4,         L4,     LETTER, LETTER, LETTER, OTHER, OTHER, OTHER, OTHER,
    UNDERSCORE, OTHER,  LETTER, LETTER, LETTER, L4,    L4,    L4, /* a-o */
    L4,         L4,     LETTER, LETTER, LETTER, OTHER, O4,
};

static inline int kind_at(const char *text, size_t at)
{
    return ascii_kind[(unsigned char)text[at]];
}

static inline int is_ascii(const char *text, size_t at)
{
    return (unsigned char)text[at] < 0x80;
}

/* Whether a mark between two kinds holds them together: WB6, WB12. */
static int ascii_holds(int before, char mark, int behind)
{
    if (before & behind & LETTER)
        return mark == '.' || mark == '\'' || mark == ':';
    if (before & behind & DIGIT)
        return mark == '.' || mark == '\'' || mark == ',' || mark == ';';
    return 0;
}

/* The end of the segment of letters, digits and underscores at `at`; 0 when
 * what is not ASCII has a say. */
static size_t ascii_word_end(const char *text, size_t len, size_t at)
{
    for (;;) {
        do
            at++;
        while (at < len && kind_at(text, at));
        if (at >= len)
            return len;
        if (!is_ascii(text, at))
            return 0;
        if (at + 1 >= len)
            return at;
        if (!is_ascii(text, at + 1))
            return 0;
        if (!ascii_holds(kind_at(text, at - 1), text[at],
                         kind_at(text, at + 1)))
            return at;
        at++;
    }
}

/* The same for anything that begins with an ASCII byte. */
static size_t ascii_end(const char *text, size_t len, size_t at)
{
    if (kind_at(text, at))
        return ascii_word_end(text, len, at);
    const char c = text[at++];
    if (c == '\n' || c == '\v' || c == '\f')
        return at;
    if (c == '\r')
        return at < len && text[at] == '\n' ? at + 1 : at;
    while (c == ' ' && at < len && text[at] == ' ')
        at++;
    return at < len && !is_ascii(text, at) ? 0 : at;
}

void words_split_uax29(const char *text, size_t len, struct words *words)
{
    size_t next;

    for (size_t at = 0; at < len; at = next) {
        next = is_ascii(text, at) ? ascii_end(text, len, at) : 0;
        if (next && kind_at(text, at)) {
            words_push(words, at, next - at);
            continue;
        }
        if (!next)
            next = words_segment_end(text, len, at);
        size_t start = at, n = next - at;
        words_strip(text, &start, &n);
        if (n)
            words_push(words, start, n);
    }
}

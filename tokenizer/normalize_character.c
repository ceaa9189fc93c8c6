/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a normalizer that look at one character at a time. */
#include <string.h>

#include "core/bytes8.h"
#include "core/unicode.h"
#include "core/unicode_sets.h"
#include "core/utf8.h"
#include "tokenizer/normalize_internal.h"

enum { CAPITAL_I_DOT = 0x130 };

const struct oy_utf8_set *normalize_set_of(enum normalize_kind kind)
{
    switch (kind) {
    case NORMALIZE_LOWER: return &oy_set_upper;
    case NORMALIZE_COMBINING: return &oy_set_combining;
    case NORMALIZE_NONSPACING: return &oy_set_nonspacing;
    case NORMALIZE_CLEAN: return &oy_set_unclean;
    case NORMALIZE_CHINESE: return &oy_set_chinese;
    case NORMALIZE_NMT: return &oy_set_nmt;
    default: return NULL;
    }
}

/* do_nmt() of HF's normalizers/unicode.rs: the set's other characters. */
static int is_nmt_space(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\f' || c == '\r' || c >= 0x1680;
}

/* do_clean_text() of HF's normalizers/bert.rs: white space but its controls. */
static int is_clean_space(uint32_t c)
{
    if (c < 0x80)
        return c == '\t' || c == '\n' || c == '\r';
    return c != 0x85 && (oy_unicode_class16(c) & OY_IS_SPACE) != 0;
}

int normalize_removes(enum normalize_kind kind, uint32_t c)
{
    switch (kind) {
    case NORMALIZE_COMBINING:
    case NORMALIZE_NONSPACING: return 1;
    case NORMALIZE_CLEAN: return !is_clean_space(c);
    case NORMALIZE_NMT: return !is_nmt_space(c);
    default: return 0;
    }
}

static char *put_lower(char *to, uint32_t c)
{
    to += oy_utf8_put(to, oy_unicode_lower17(c));
    if (c == CAPITAL_I_DOT)
        to += oy_utf8_put(to, 0x307);
    return to;
}

/* Capitals are many: no search for the next one. */
static char *lower(struct oy_text text, char *to)
{
    size_t at = 0;

    while (at < text.len) {
        while (text.len - at >= 8 && !(oy_load8(text.at + at) & OY_HIGH_BITS)) {
            const uint64_t word = oy_lower8(oy_load8(text.at + at));
            memcpy(to, &word, sizeof word);
            to += sizeof word;
            at += sizeof word;
        }
        if (at < text.len)
            to = put_lower(to, oy_utf8_next(text.at, &at));
    }
    return to;
}

/* What becomes of a character of the step's set, at text[0..len). */
static char *put_changed(enum normalize_kind kind, char *to, const char *text,
                         size_t len)
{
    size_t at = 0;

    if (kind == NORMALIZE_CHINESE) {
        *to++ = ' ';
        memcpy(to, text, len);
        to += len;
        *to++ = ' ';
    } else if (!normalize_removes(kind, oy_utf8_next(text, &at))) {
        *to++ = ' ';
    }
    return to;
}

static char *change(enum normalize_kind kind, struct oy_text text, char *to)
{
    const struct oy_utf8_set *set = normalize_set_of(kind);

    for (size_t at = 0; at < text.len;) {
        const size_t hit = oy_utf8_set_find(set, text.at, text.len, at);
        memcpy(to, text.at + at, hit - at);
        to += hit - at;
        at = hit;
        if (at == text.len)
            break;
        (void)oy_utf8_next(text.at, &at);
        to = put_changed(kind, to, text.at + hit, at - hit);
    }
    return to;
}

void normalize_characters(enum normalize_kind kind, struct oy_text text,
                          struct oy_buffer *out)
{
    /* At the worst, three bytes become five, or two three. */
    char *to = oy_buffer_reserve(out, 2 * text.len + 8);

    to = kind == NORMALIZE_LOWER ? lower(text, to) : change(kind, text, to);
    out->len = (size_t)(to - out->data);
}

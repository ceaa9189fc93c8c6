/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixing a text line by line: what ftfy does besides mojibake, and the order
 * of it all (fix_text, fix_and_explain, fixes.py). */
#include "pipeline/ftfy.h"

#include <string.h>

#include "core/cpu.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/entities.h"
#include "pipeline/ftfy_internal.h"

enum {
    MAX_LINE = 1000000, /* max_decode_length */
    MAX_ENTITY_NAME = 24,
    UNICODE_PYTHON = 14, /* of Python 3.11, on which ftfy was run */
};

/* ---- single characters ---- */

/* What may be removed, or stands for others. */
static int is_control(uint32_t c)
{
    return c < 0x9 || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f ||
           (c >= 0x206a && c < 0x2070) || c == 0xfeff ||
           (c >= 0xfff9 && c < 0xfffd);
}

static int is_wide(uint32_t c)
{
    return c == 0x3000 || (c >= 0xff01 && c < 0xfff0);
}

static int is_ligature(uint32_t c)
{
    return c == 0x132 || c == 0x133 || c == 0x149 ||
           (c >= 0x1c4 && c <= 0x1cc) || (c >= 0x1f1 && c <= 0x1f3) ||
           (c >= 0xfb00 && c <= 0xfb06);
}

/* Most ligatures are their compatibility forms; these are composed anew, or
 * keep a long s. */
static const char *ligature_of(uint32_t c)
{
    switch (c) {
    case 0x1c4: return "D\xc5\xbd";
    case 0x1c5: return "D\xc5\xbe";
    case 0x1c6: return "d\xc5\xbe";
    case 0xfb05:
        return "\xc5\xbf"
               "t";
    default: return NULL;
    }
}

static void put_utf8(struct ftfy_text *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;)
        ftfy_put(out, oy_utf8_next(text, &at));
}

/* The compatibility form (NFKC) of one character. */
static void put_compatible(struct ftfy_text *out, uint32_t c)
{
    struct oy_buffer form = {0};
    char utf8[4];
    const size_t n = oy_utf8_put(utf8, c);

    oy_unicode_normalize(OY_NFKC, UNICODE_PYTHON, utf8, n, &form);
    put_utf8(out, form.data, form.len);
    oy_buffer_release(&form);
}

static void put_ligature(struct ftfy_text *out, uint32_t c)
{
    const char *parts = ligature_of(c);

    if (parts)
        put_utf8(out, parts, strlen(parts));
    else
        put_compatible(out, c);
}

static int is_curly_single(uint32_t c)
{
    return c == 0x2bc || (c >= 0x2018 && c <= 0x201b);
}

static int is_curly_double(uint32_t c)
{
    return c >= 0x201c && c <= 0x201f;
}

/* ---- sequences ---- */

static int is_alnum(uint32_t c)
{
    return (c | 0x20) - 'a' < 26 || c - '0' < 10;
}

/* The length of &#?[0-9A-Za-z]{1,24}; at code[0], or 0. */
static size_t entity_len(const uint32_t *code, size_t n)
{
    size_t i = 1;

    if (i < n && code[i] == '#')
        i++;
    const size_t begin = i;
    while (i < n && i - begin < MAX_ENTITY_NAME && is_alnum(code[i]))
        i++;
    return i > begin && i < n && code[i] == ';' ? i + 1 : 0;
}

/* Puts what the entity of `len` characters stands for, or itself. */
static void put_entity(struct ftfy_text *out, const uint32_t *code, size_t len)
{
    uint32_t named[ENTITIES_MAX];
    int64_t number = -1;
    int n = 0;

    if (code[1] == '#')
        number = entities_number(code + 2, len - 3);
    else
        n = entities_find(code + 1, len - 2, named);
    if (number > 0)
        ftfy_put(out, (uint32_t)number);
    for (int i = 0; i < n; i++)
        ftfy_put(out, named[i]);
    for (size_t i = 0; !n && number < 0 && i < len; i++)
        ftfy_put(out, code[i]);
}

static void unescape(const struct ftfy_text *text, struct ftfy_text *out)
{
    for (size_t i = 0; i < text->n;) {
        const size_t len =
            text->code[i] == '&' ? entity_len(text->code + i, text->n - i) : 0;
        if (len)
            put_entity(out, text->code + i, len);
        else
            ftfy_put(out, text->code[i]);
        i += len ? len : 1;
    }
}

/* The length of ESC [ (digits and semicolons) letter at code[0], or 0. */
static size_t escape_len(const uint32_t *code, size_t n)
{
    size_t i = 2;

    if (n < 3 || code[0] != 0x1b || code[1] != '[')
        return 0;
    while (i < n && (code[i] == ';' || oy_py_isdecimal(code[i])))
        i++;
    return i < n && (code[i] | 0x20) - 'a' < 26 ? i + 1 : 0;
}

static void remove_escapes(const struct ftfy_text *text, struct ftfy_text *out)
{
    for (size_t i = 0; i < text->n;) {
        const size_t len = escape_len(text->code + i, text->n - i);
        if (!len)
            ftfy_put(out, text->code[i]);
        i += len ? len : 1;
    }
}

static void fix_line_breaks(const struct ftfy_text *text, struct ftfy_text *out)
{
    for (size_t i = 0; i < text->n; i++) {
        const uint32_t c = text->code[i];
        const int is_break =
            c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
        if (c == '\r' && i + 1 < text->n && text->code[i + 1] == '\n')
            continue;
        ftfy_put(out, is_break ? '\n' : c);
    }
}

static void normalize(const struct ftfy_text *text, enum oy_normal_form form,
                      struct ftfy_text *out)
{
    struct oy_buffer utf8 = {0}, normal = {0};

    for (size_t i = 0; i < text->n; i++) {
        char *at = oy_buffer_reserve(&utf8, 4);
        utf8.len += oy_utf8_put(at, text->code[i]);
    }
    oy_unicode_normalize(form, UNICODE_PYTHON, utf8.data, utf8.len, &normal);
    put_utf8(out, normal.data, normal.len);
    oy_buffer_release(&utf8);
    oy_buffer_release(&normal);
}

/* ---- one line ---- */

/* Every character by itself, as far as the settings ask. */
static void fix_characters(const struct ftfy_config *config,
                           const struct ftfy_text *text, struct ftfy_text *out)
{
    for (size_t i = 0; i < text->n; i++) {
        const uint32_t c = text->code[i];
        if (config->fix_latin_ligatures && is_ligature(c))
            put_ligature(out, c);
        else if (config->fix_character_width && is_wide(c))
            put_compatible(out, c);
        else if (config->uncurl_quotes && is_curly_single(c))
            ftfy_put(out, '\'');
        else if (config->uncurl_quotes && is_curly_double(c))
            ftfy_put(out, '"');
        else
            ftfy_put(out, c);
    }
}

static void remove_controls(const struct ftfy_text *text, struct ftfy_text *out)
{
    for (size_t i = 0; i < text->n; i++) {
        if (!is_control(text->code[i]))
            ftfy_put(out, text->code[i]);
    }
}

/* The text and the next one change places. */
static void take_next(struct ftfy_text text[2])
{
    const struct ftfy_text old = text[0];

    text[0] = text[1];
    text[1] = old;
    text[1].n = 0;
}

/* One round of all that the settings ask for; text[1] is scratch. */
static void fix_round(const struct ftfy_config *config, int unescapes,
                      struct ftfy_text text[2])
{
    text[1].n = 0;
    if (unescapes) {
        unescape(&text[0], &text[1]);
        take_next(text);
    }
    if (config->fix_encoding)
        ftfy_fix_encoding(config, &text[0], 0);
    if (config->fix_c1_controls)
        ftfy_fix_c1(&text[0]);
    if (config->fix_latin_ligatures || config->fix_character_width ||
        config->uncurl_quotes) {
        fix_characters(config, &text[0], &text[1]);
        take_next(text);
    }
    if (config->fix_line_breaks) {
        fix_line_breaks(&text[0], &text[1]);
        take_next(text);
    }
    if (config->remove_terminal_escapes) {
        remove_escapes(&text[0], &text[1]);
        take_next(text);
    }
    if (config->remove_control_chars) {
        remove_controls(&text[0], &text[1]);
        take_next(text);
    }
    if (config->normalization != FTFY_NO_FORM) {
        normalize(
            &text[0],
            (enum oy_normal_form)(config->normalization - FTFY_NFC + OY_NFC),
            &text[1]);
        take_next(text);
    }
}

/* Bytes that no setting changes by themselves: ASCII without ampersands,
 * escapes and controls. */
static int is_plain(unsigned char c)
{
    return (c >= 0x20 && c < 0x7f && c != '&') || c == '\n' || c == '\t';
}

#define EACH(byte) ((byte)*0x0101010101010101ULL)

/* Whether a word has a byte that is zero. */
static int has_zero(uint64_t word)
{
    return ((word - EACH(1)) & ~word & EACH(0x80)) != 0;
}

/* Whether eight bytes are plain text without line feeds and tabs. */
static int are_plain(uint64_t word)
{
    const uint64_t low = (word - EACH(0x20)) & ~word;

    return !((word | low) & EACH(0x80)) && !has_zero(word ^ EACH('&')) &&
           !has_zero(word ^ EACH(0x7f));
}

/* The first byte from `at` on that is not plain, or the text's end. */
static size_t skip_plain_words(struct oy_text text, size_t at)
{
    uint64_t word;

    while (at < text.len) {
        for (; at + sizeof word <= text.len; at += sizeof word) {
            memcpy(&word, text.at + at, sizeof word);
            if (!are_plain(word))
                break;
        }
        const size_t end =
            at + sizeof word < text.len ? at + sizeof word : text.len;
        for (; at < end; at++) {
            if (!is_plain((unsigned char)text.at[at]))
                return at;
        }
    }
    return text.len;
}

#ifdef __x86_64__
#include <immintrin.h>

/* 32 bytes at a time; a text is padded. */
__attribute__((target("avx2,bmi"))) static size_t skip_plain_avx2(
    struct oy_text text, size_t at)
{
    const __m256i begin = _mm256_set1_epi8(' ');
    const __m256i most = _mm256_set1_epi8('~' - ' ');

    for (; at < text.len; at += 32) {
        const __m256i v = _mm256_loadu_si256((const void *)(text.at + at));
        const __m256i place = _mm256_sub_epi8(v, begin);
        const __m256i printable =
            _mm256_cmpeq_epi8(_mm256_min_epu8(place, most), place);
        const __m256i blank =
            _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n')),
                            _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t')));
        const __m256i plain = _mm256_or_si256(
            blank, _mm256_andnot_si256(
                       _mm256_cmpeq_epi8(v, _mm256_set1_epi8('&')), printable));
        const uint32_t odd = ~(uint32_t)_mm256_movemask_epi8(plain);
        if (odd) {
            at += (size_t)__builtin_ctz(odd);
            return at < text.len ? at : text.len;
        }
    }
    return text.len;
}
#endif

static size_t skip_plain(struct oy_text text, size_t at)
{
#ifdef __x86_64__
    if (oy_cpu_level() >= OY_CPU_AVX2)
        return skip_plain_avx2(text, at);
#endif
    return skip_plain_words(text, at);
}

/* The text as code points, kept from before a round. */
struct line {
    struct ftfy_text text[2], before;
    int unescapes;
};

static int is_same(const struct ftfy_text *a, const struct ftfy_text *b)
{
    return a->n == b->n &&
           (!a->n || !memcmp(a->code, b->code, a->n * sizeof *a->code));
}

static void keep_before(struct line *line)
{
    line->before.n = 0;
    for (size_t i = 0; i < line->text[0].n; i++)
        ftfy_put(&line->before, line->text[0].code[i]);
}

/* Appends the fixed line; returns whether it changed. */
static int fix_line(const struct ftfy_config *config, struct line *line,
                    const char *text, size_t len, struct oy_buffer *out)
{
    struct ftfy_text *now = &line->text[0];
    int changed = 0;

    now->n = 0;
    put_utf8(now, text, len);
    for (int round = 0; round < FTFY_MAX_ROUNDS; round++) {
        keep_before(line);
        fix_round(config, line->unescapes, line->text);
        if (is_same(&line->before, now))
            break;
        changed = 1;
    }
    if (!changed) {
        oy_buffer_append(out, text, len);
        return 0;
    }
    for (size_t i = 0; i < now->n; i++) {
        char *at = oy_buffer_reserve(out, 4);
        out->len += oy_utf8_put(at, now->code[i]);
    }
    return 1;
}

/* The end of the line that begins at `at`, its line feed included, or of a
 * million characters of it. */
static size_t line_end(struct oy_text text, size_t at)
{
    const char *feed = memchr(text.at + at, '\n', text.len - at);
    const size_t end = feed ? (size_t)(feed + 1 - text.at) : text.len;

    if (end - at <= MAX_LINE)
        return end;
    for (size_t n = 0; n < MAX_LINE && at < end; n++)
        oy_utf8_next(text.at, &at);
    return at;
}

/* Where the line of text[at] begins, but not before `from`. */
static size_t line_begin(struct oy_text text, size_t from, size_t at)
{
    const char *feed = memrchr(text.at + from, '\n', at - from);

    return feed ? (size_t)(feed + 1 - text.at) : from;
}

/* Where ampersands begin to mean themselves: at the first tag. */
static size_t entities_end(const struct ftfy_config *config,
                           struct oy_text text)
{
    const char *tag = config->unescape_html == FTFY_HTML_AUTO
                          ? memchr(text.at, '<', text.len)
                          : NULL;

    if (config->unescape_html == FTFY_HTML_FALSE)
        return 0;
    return tag ? (size_t)(tag - text.at) : text.len;
}

int ftfy_fix(const struct ftfy_config *config, struct oy_text text,
             struct oy_buffer *out)
{
    struct line line = {.unescapes = 0};
    const size_t before = out->len;
    size_t at = 0, odd = skip_plain(text, 0);
    int changed = 0;

    if (odd == text.len)
        return 0;
    const size_t n_entity = entities_end(config, text);
    while (odd < text.len) {
        size_t begin = line_begin(text, at, odd), end;
        oy_buffer_append(out, text.at + at, begin - at);
        do {
            end = line_end(text, begin);
            line.unescapes = end <= n_entity;
            changed |=
                fix_line(config, &line, text.at + begin, end - begin, out);
            begin = end;
        } while (end <= odd);
        at = end;
        odd = skip_plain(text, at);
    }
    oy_buffer_append(out, text.at + at, text.len - at);
    ftfy_text_release(&line.text[0]);
    ftfy_text_release(&line.text[1]);
    ftfy_text_release(&line.before);
    if (!changed)
        out->len = before;
    return changed;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `redpajama`: the quality signals of RedPajama-V2 that need no list and
 * no model (app/src/core/quality_signals at 6d2cee9), for English. It only
 * measures: a signal of the document as a number or null, one of the lines as
 * {n, sum} over them. Numbers are rounded to eight decimals as the peer's.
 *
 * Two texts are counted: the one that came, in tokens of \w+ and [^\w\s]+, and
 * a normalised one (ASCII punctuation out, lower case, NFD) in words between
 * white space. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/redpajama_tables.h"
#include "pipeline/rule_internal.h"

static const struct rule_param no_param[] = {{0}};
static const char no_params = 0;

/* ---- numbers ---- */

/* Python's round(x, 8). Far from a tie the nearest whole number of 1e-8 is
 * sure; else printf knows, which rounds the exact value. */
static double round8(double x)
{
    const double scaled = x * 1e8;
    char text[64];

    if (fabs(fabs(scaled - floor(scaled)) - 0.5) > 1e-4 && fabs(x) < 1e6)
        return nearbyint(scaled) / 1e8;
    snprintf(text, sizeof text, "%.8f", x);
    return strtod(text, NULL);
}

static void measure_ratio(struct measures *out, const char *name, double a,
                          size_t n)
{
    if (n)
        measure_number(out, name, round8(a / (double)n));
    else
        measure_json(out, name, "null", 4);
}

/* Where the peer says 0 instead of nothing. */
static void measure_share(struct measures *out, const char *name, double a,
                          size_t n)
{
    measure_number(out, name, n ? round8(a / (double)n) : 0);
}

/* ---- the text as it came ---- */

static int is_word(uint32_t c)
{
    return c == '_' || oy_py_isalnum(c);
}

/* \b[^.!?]+[.!?]*: from a word's first character up to the marks. */
static size_t count_sentences(struct oy_text text)
{
    size_t n = 0;
    int is_open = 0;

    for (size_t at = 0; at < text.len;) {
        const uint32_t c = oy_utf8_next(text.at, &at);
        if (c == '.' || c == '!' || c == '?') {
            is_open = 0;
        } else if (!is_open && is_word(c)) {
            is_open = 1;
            n++;
        }
    }
    return n;
}

struct tokens {
    size_t n, n_alpha, n_upper, n_stop;
};

/* What a token's characters are. */
struct token {
    size_t at;
    int kind; /* 0: none, 1: \w, 2: neither \w nor \s */
    int has_alpha, has_upper, has_lower;
};

static void close_token(struct oy_text text, const struct token *token,
                        size_t end, struct tokens *tokens)
{
    if (!token->kind)
        return;
    tokens->n++;
    tokens->n_alpha += (size_t)token->has_alpha;
    tokens->n_upper += token->has_upper && !token->has_lower;
    tokens->n_stop +=
        (size_t)redpajama_is_stop_word(text.at + token->at, end - token->at);
}

static void count_tokens(struct oy_text text, struct tokens *tokens)
{
    struct token token = {0};

    *tokens = (struct tokens){0};
    for (size_t at = 0; at < text.len;) {
        const size_t start = at;
        const uint32_t c = oy_utf8_next(text.at, &at);
        const uint16_t bits = oy_py_bits(c);
        const int kind = bits & OY_PY_SPACE ? 0 : is_word(c) ? 1 : 2;
        if (kind != token.kind) {
            close_token(text, &token, start, tokens);
            token = (struct token){.at = start, .kind = kind};
        }
        token.has_alpha |= (c | 0x20) - 'a' < 26;
        token.has_upper |= (bits & OY_PY_UPPER) != 0;
        token.has_lower |=
            (bits & OY_PY_LOWER) != 0 || oy_unicode_category(c, 14) == OY_LT;
    }
    close_token(text, &token, text.len, tokens);
}

/* text.count(symbol) of "#", "..." and U+2026. */
static size_t count_symbols(struct oy_text text)
{
    size_t n = 0;

    for (size_t at = 0; at < text.len;) {
        const size_t rest = text.len - at;
        const char *s = text.at + at;
        const int is_three = rest >= 3 && (!memcmp(s, "...", 3) ||
                                           !memcmp(s, "\xe2\x80\xa6", 3));
        n += is_three || *s == '#';
        at += is_three ? 3 : 1;
    }
    return n;
}

static size_t count_braces(struct oy_text text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == '{' || text.at[i] == '}';
    return n;
}

static void measure_text(struct document *document, struct measures *out)
{
    const struct oy_text text = document->text;
    struct tokens t;

    count_tokens(text, &t);
    measure_number(out, "RPS_Doc_Num_Sentences", (double)count_sentences(text));
    measure_ratio(out, "RPS_Doc_Symbol_To_Word_Ratio",
                  (double)count_symbols(text), t.n);
    if (t.n)
        measure_number(out, "RPS_Doc_Frac_No_Alph_Words",
                       round8(1.0 - (double)t.n_alpha / (double)t.n));
    else
        measure_json(out, "RPS_Doc_Frac_No_Alph_Words", "null", 4);
    measure_ratio(out, "RPS_Doc_Frac_All_Caps_Words", (double)t.n_upper, t.n);
    measure_share(out, "RPS_Doc_Curly_Bracket", (double)count_braces(text),
                  document_n_code(document));
    measure_share(out, "RPS_Doc_Stop_Word_Fraction",
                  document_own_words(document)->n ? (double)t.n_stop : 0, t.n);
}

/* ---- the normalised text ---- */

static int is_ascii_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* Line feeds stay, so that the lines of both texts are the same; no step looks
 * over one. */
static struct oy_text normalize(struct document *document)
{
    const struct oy_text text = document->text;
    struct oy_buffer *draft = document_draft(document);
    struct oy_buffer *lower = document_own_text(document);
    char *to = oy_buffer_reserve(draft, text.len + 1);

    for (size_t i = 0; i < text.len; i++) {
        if (!is_ascii_punctuation(text.at[i]))
            *to++ = text.at[i];
    }
    draft->len = (size_t)(to - draft->data);
    oy_buffer_clear(lower);
    oy_buffer_reserve(lower, draft->len + 1);
    oy_py_lower(draft->data, draft->len, lower);
    if (oy_utf8_is_ascii(lower->data, lower->len))
        return (struct oy_text){lower->data, lower->len};
    oy_buffer_clear(draft);
    oy_unicode_normalize(OY_NFD, 14, lower->data, lower->len, draft);
    return (struct oy_text){draft->data, draft->len};
}

/* "lorem ipsum" where one space stands between words. */
static size_t count_lorem(struct oy_text text, const struct words *words)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < words->n; i++) {
        const struct word a = words->item[i], b = words->item[i + 1];
        n += a.len >= 5 && b.len >= 5 &&
             !memcmp(text.at + a.at + a.len - 5, "lorem", 5) &&
             !memcmp(text.at + b.at, "ipsum", 5);
    }
    return n;
}

static void measure_ngrams(struct ngrams *ngrams, struct measures *out)
{
    static const char *const top[] = {"RPS_Doc_Frac_Chars_Top_2gram",
                                      "RPS_Doc_Frac_Chars_Top_3gram",
                                      "RPS_Doc_Frac_Chars_Top_4gram"};
    static const char *const repeated[] = {
        "RPS_Doc_Frac_Chars_Dupe_5Grams", "RPS_Doc_Frac_Chars_Dupe_6Grams",
        "RPS_Doc_Frac_Chars_Dupe_7Grams", "RPS_Doc_Frac_Chars_Dupe_8Grams",
        "RPS_Doc_Frac_Chars_Dupe_9Grams", "RPS_Doc_Frac_Chars_Dupe_10Grams"};
    const size_t n_code = ngrams_n_code(ngrams);
    struct ngrams_counts c;

    for (size_t n = 2; n <= 10; n++) {
        ngrams_count(ngrams, n, &c);
        const size_t top_code = c.top_count > 1 ? c.top_count * c.top_code : 0;
        if (n <= 4)
            measure_share(out, top[n - 2], (double)top_code, n_code);
        else
            measure_share(out, repeated[n - 5], (double)c.covered_code, n_code);
    }
}

static void measure_words(struct oy_text text, struct document *document,
                          struct measures *out)
{
    struct ngrams *ngrams = document_own_ngrams(document);
    const struct words *words = document_own_words(document);
    const size_t n = words->n;

    ngrams_init(ngrams, text.at, words);
    const size_t n_code = ngrams_n_code(ngrams);
    measure_count(out, "RPS_Doc_Word_Count", n);
    measure_ratio(out, "RPS_Doc_Mean_Word_Length", (double)n_code, n);
    measure_ratio(out, "RPS_Doc_Frac_Unique_Words", (double)ngrams->n_distinct,
                  n);
    measure_ratio(out, "RPS_Doc_Unigram_Entropy", ngrams_entropy(ngrams),
                  n != 0);
    measure_share(out, "RPS_Doc_Lorem_Ipsum", (double)count_lorem(text, words),
                  n ? n_code + n - 1 : 0);
    measure_ngrams(ngrams, out);
}

/* ---- lines ---- */

struct line_sums {
    size_t n; /* an empty one at the end is none */
    size_t n_ellipsis;
    double javascript, terminal, words, uppercase, numeric, bullet;
};

static int has_end(const char *line, size_t len, const char *end)
{
    const size_t n = strlen(end);

    return len >= n && memcmp(line + len - n, end, n) == 0;
}

static int is_bullet(const char *line, size_t len)
{
    static const uint32_t bullet[] = {0x2022, 0x2023, 0x25b6, 0x25c0, 0x25e6,
                                      0x25a0, 0x25a1, 0x25aa, 0x25ab, 0x2013};
    size_t at = 0;

    if (len == 0)
        return 0;
    const uint32_t c = oy_utf8_next(line, &at);
    for (size_t i = 0; i < sizeof bullet / sizeof *bullet; i++) {
        if (c == bullet[i])
            return 1;
    }
    return 0;
}

/* `len` is with the line feed. */
static void add_raw_line(const char *line, size_t len, struct line_sums *sums)
{
    size_t start = 0, n = len, n_upper = 0, n_code = 0;

    for (size_t at = 0; at < len; n_code++)
        n_upper += (size_t)oy_py_isupper(oy_utf8_next(line, &at));
    words_strip(line, &start, &n);
    line += start;
    sums->n++;
    sums->uppercase += round8((double)n_upper / (double)n_code);
    sums->n_ellipsis +=
        has_end(line, n, "...") || has_end(line, n, "\xe2\x80\xa6");
    sums->terminal += has_end(line, n, ".") || has_end(line, n, "!") ||
                      has_end(line, n, "?") || has_end(line, n, "\xe2\x80\x9d");
    sums->bullet += is_bullet(line, n);
}

static size_t count_numeric(const char *word, size_t len)
{
    size_t n = 0;

    for (size_t at = 0; at < len;) {
        const uint32_t c = oy_utf8_next(word, &at);
        const uint16_t bits = oy_py_bits(c);
        n += bits & OY_PY_ALPHA ? (size_t)redpajama_is_numeral(c)
                                : (bits & OY_PY_ALNUM) != 0;
    }
    return n;
}

/* The words of one line of the normalised text. */
static void add_words(const char *text, const struct word *word, size_t n,
                      struct line_sums *sums)
{
    size_t n_numeric = 0, n_code = 0;

    for (size_t i = 0; i < n; i++) {
        const char *at = text + word[i].at;
        n_code += oy_utf8_count(at, word[i].len) + (i > 0);
        n_numeric += count_numeric(at, word[i].len);
        sums->javascript += word[i].len == 10 && !memcmp(at, "javascript", 10);
    }
    sums->words += (double)n;
    if (n)
        sums->numeric += round8((double)n_numeric / (double)n_code);
}

static void add_lines(struct oy_text normal, struct document *document,
                      struct line_sums *sums)
{
    const struct pieces *lines = document_lines(document);
    const struct words *words = document_own_words(document);
    size_t place = 0, next = 0; /* in the normalised text, in its words */

    for (size_t i = 0; i < lines->n; i++) {
        const struct piece line = lines->item[i];
        const size_t len = line.len + (i + 1 < lines->n);
        const char *feed = memchr(normal.at + place, '\n', normal.len - place);
        const size_t end = feed ? (size_t)(feed - normal.at) : normal.len;
        const size_t first = next;
        if (len == 0)
            return;
        while (next < words->n && words->item[next].at < end)
            next++;
        add_raw_line(document->text.at + line.at, len, sums);
        add_words(normal.at, words->item + first, next - first, sums);
        place = feed ? end + 1 : end;
    }
}

static void measure_sum(struct measures *out, const char *name, size_t n,
                        double sum)
{
    struct oy_buffer json = {0};

    oy_buffer_append_format(&json, "{\"n\":%zu,\"sum\":", n);
    oy_json_put_double(&json, sum);
    oy_buffer_append_char(&json, '}');
    measure_json(out, name, json.data, json.len);
    oy_buffer_release(&json);
}

static void measure_lines(const struct line_sums *s, struct measures *out)
{
    measure_ratio(out, "RPS_Doc_Frac_Lines_End_With_Ellipsis",
                  (double)s->n_ellipsis, s->n);
    measure_sum(out, "RPS_Lines_Javascript_Counts", s->n, s->javascript);
    /* The peer's spelling. */
    measure_sum(out, "RPS_Lines_Ending_With_Terminal_Punctution_Mark", s->n,
                s->terminal);
    measure_sum(out, "RPS_Lines_Num_Words", s->n, s->words);
    measure_sum(out, "RPS_Lines_Uppercase_Letter_Fraction", s->n, s->uppercase);
    measure_sum(out, "RPS_Lines_Numerical_Chars_Fraction", s->n, s->numeric);
    /* A document without lines has one signal that says nothing. */
    measure_sum(out, "RPS_Lines_Start_With_Bulletpoint", s->n ? s->n : 1,
                s->bullet);
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    struct line_sums sums = {0};

    (void)params;
    if (!out)
        return NULL;
    const struct oy_text normal = normalize(document);
    words_split(WORDS_WS, normal.at, normal.len, document_own_words(document));
    measure_text(document, out);
    measure_words(normal, document, out);
    add_lines(normal, document, &sums);
    measure_lines(&sums, out);
    return NULL;
}

const struct rule rule_redpajama = {
    .name = "redpajama",
    .params_size = sizeof no_params,
    .defaults = &no_params,
    .param = no_param,
    .judge = judge,
};

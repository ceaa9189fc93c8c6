/* SPDX-License-Identifier: Apache-2.0
 *
 * The affix, infix and address expressions of spaCy's English splitter
 * (3.8.18; lang/punctuation.py, lang/char_classes.py, lang/tokenizer_
 * exceptions.py) as matchers over tables of characters.
 *
 * They stand for Python's `re`: the leftmost match, then the first
 * alternative that leads to one. A suffix is searched from the left, so the
 * longest wins. */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/words_spacy_internal.h"

#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */
#define DEGREE   0xb0
#define EN_DASH  0x2013
#define EM_DASH  0x2014
#define QUOTE    0x2019

static inline int is_digit(uint32_t c)
{
    return c - '0' < 10;
}

static inline int begins(const char *text, size_t len, const char *with)
{
    const size_t n = strlen(with);

    return len >= n && memcmp(text, with, n) == 0;
}

static inline int ends(const char *text, size_t len, const char *with)
{
    const size_t n = strlen(with);

    return len >= n && memcmp(text + len - n, with, n) == 0;
}

/* Whether the character is one of a string; NUL is none. */
static inline int is_one_of(uint32_t c, const char *set)
{
    return c && c < 0x80 && strchr(set, (int)c) != NULL;
}

/* Points in a row from the front. */
static size_t count_points(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] == '.')
        n++;
    return n;
}

/* ---- affixes ---- */

size_t spacy_prefix_len(const char *text, size_t len)
{
    size_t next = 0, n;

    switch (text[0]) {
    case '+': return len < 2 || !is_digit((unsigned char)text[1]);
    case '.': n = count_points(text, len); return n < 2 ? 0 : n;
    case 'U': return begins(text, len, "US$") ? 3 : 0;
    case 'C': return begins(text, len, "C$") ? 2 : 0;
    case 'A': return begins(text, len, "A$") ? 2 : 0;
    default: break;
    }
    const uint32_t c = oy_utf8_next(text, &next);
    return spacy_class_of(c) & SPACY_PREFIX ? next : 0;
}

/* The character before text[*at], 0 at the front. */
static uint32_t step_back(const char *text, size_t *at)
{
    return *at ? oy_utf8_previous(text, at) : 0;
}

/* One point or more at the end. */
static size_t point_suffix(const char *text, size_t len)
{
    size_t at = len - 1, n = 1;

    while (at && text[at - 1] == '.')
        at--, n++;
    if (n > 1)
        return n;
    const uint32_t last = step_back(text, &at);
    const unsigned class = last ? spacy_class_of(last) : 0;
    if (class & SPACY_BEFORE_POINT)
        return 1;
    const uint32_t before = step_back(text, &at);
    if (before && class & SPACY_UPPER && spacy_class_of(before) & SPACY_UPPER)
        return 1;
    return before == DEGREE && is_one_of(last, "FfCcKk");
}

/* A sign of money behind a digit; `sign_len` bytes at the end are one. */
static size_t money_suffix(const char *text, size_t len, size_t sign_len)
{
    static const char *const sign[] = {"US$", "C$", "A$"};

    for (int i = 0; i < 3; i++) {
        const size_t n = strlen(sign[i]);
        if (ends(text, len, sign[i]) && len > n &&
            is_digit((unsigned char)text[len - n - 1]))
            return n;
    }
    if (len > sign_len && is_digit((unsigned char)text[len - sign_len - 1]))
        return sign_len;
    return 0;
}

/* A unit behind a digit. No unit holds an ASCII digit. */
static size_t unit_suffix(const char *text, size_t len)
{
    enum { LONGEST = 12 };
    size_t at = len;

    while (at && len - at <= LONGEST && !is_digit((unsigned char)text[at - 1]))
        at--;
    if (at == 0 || at == len || !is_digit((unsigned char)text[at - 1]))
        return 0;
    for (size_t i = 0; spacy_unit[i]; i++) {
        const char *unit = spacy_unit[i];
        if (unit[0] == text[at] && strlen(unit) == len - at &&
            memcmp(unit, text + at, len - at) == 0)
            return len - at;
    }
    return 0;
}

static size_t possessive_suffix(const char *text, size_t len)
{
    size_t at = len - 1;
    const uint32_t before = step_back(text, &at);

    return before == '\'' || before == QUOTE ? len - at : 0;
}

static inline size_t longer(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t spacy_suffix_len(const char *text, size_t len)
{
    size_t at = len;

    if (len == 0)
        return 0;
    const uint32_t last = oy_utf8_previous(text, &at);
    const unsigned class = spacy_class_of(last);
    size_t best = class & SPACY_SUFFIX ? len - at : 0;
    if (last == '.')
        return longer(best, point_suffix(text, len));
    if (last == 's' || last == 'S')
        best = longer(best, possessive_suffix(text, len));
    else if (last == '+' && at && is_digit((unsigned char)text[at - 1]))
        best = longer(best, 1);
    else if (class & SPACY_CURRENCY)
        best = longer(best, money_suffix(text, len, len - at));
    else if (ends(text, len, ELLIPSIS ELLIPSIS))
        best = strlen(ELLIPSIS ELLIPSIS);
    return longer(best, unit_suffix(text, len));
}

/* ---- infixes ---- */

/* ASCII characters that may be an infix, or begin one. */
static const unsigned char may_begin_infix[128] = {
    ['.'] = 1, ['+'] = 1, ['-'] = 1, ['*'] = 1, ['^'] = 1, [','] = 1,
    ['~'] = 1, [':'] = 1, ['<'] = 1, ['>'] = 1, ['='] = 1, ['/'] = 1,
};

/* The neighbours of a place: what stands before it, what behind `next`. */
struct place {
    const char *text;
    size_t len;
    size_t at, next;
    uint32_t before; /* 0 at the front */
};

/* The classes of the character at `at`; 0 behind the end. */
static unsigned class_at(const struct place *place, size_t at)
{
    if (at >= place->len)
        return 0;
    return spacy_class_of(oy_utf8_next(place->text, &at));
}

static unsigned class_before(const struct place *place)
{
    return place->at ? spacy_class_of(place->before) : 0;
}

static int is_between_words(const struct place *place, size_t next)
{
    return (is_digit(place->before) || class_before(place) & SPACY_ALPHA) &&
           class_at(place, next) & SPACY_ALPHA;
}

/* One to `most` of the dash at the place, with a word on either side. */
static size_t dash_infix(const struct place *place, size_t most)
{
    const size_t size = place->next - place->at;
    size_t end = place->next;

    for (size_t n = 1; n < most && place->len - end >= size; n++) {
        if (memcmp(place->text + end, place->text + place->at, size) != 0)
            break;
        end += size;
    }
    return is_between_words(place, end) ? end - place->at : 0;
}

static size_t point_infix(const struct place *place)
{
    const size_t n =
        count_points(place->text + place->at, place->len - place->at);

    if (n > 1)
        return n;
    return class_before(place) & SPACY_LOWER_SIDE &&
           class_at(place, place->next) & SPACY_UPPER_SIDE;
}

static size_t operator_infix(const struct place *place)
{
    const char next =
        place->next < place->len ? place->text[place->next] : '\0';

    return is_digit(place->before) &&
           (next == '-' || is_digit((unsigned char)next));
}

static size_t infix_at(const struct place *place, uint32_t c)
{
    switch (c) {
    case '.': return point_infix(place);
    case '-': return operator_infix(place) ? 1 : dash_infix(place, 3);
    case '+':
    case '*':
    case '^': return operator_infix(place);
    case ',':
        return class_before(place) & SPACY_ALPHA &&
               class_at(place, place->next) & SPACY_ALPHA;
    case ':':
    case '<':
    case '>':
    case '=':
    case '/': return (size_t)is_between_words(place, place->next);
    case '~':
    case EN_DASH: return dash_infix(place, 1);
    case EM_DASH: return dash_infix(place, 2);
    default: break;
    }
    if (c < 0x80)
        return 0;
    if (spacy_class_of(c) & SPACY_ICON || c == 0x2026)
        return place->next - place->at;
    return 0;
}

size_t spacy_find_infix(const char *text, size_t len, size_t *at)
{
    struct place place = {.text = text, .len = len};
    size_t i = *at;

    while (i < len) {
        const unsigned char byte = (unsigned char)text[i];
        if (byte < 0x80 && !may_begin_infix[byte]) {
            i++;
            continue;
        }
        size_t before = i;
        place.at = place.next = i;
        place.before = step_back(text, &before);
        const uint32_t c = oy_utf8_next(text, &place.next);
        const size_t n = infix_at(&place, c);
        if (n) {
            *at = i;
            return n;
        }
        i = place.next;
    }
    return 0;
}

/* ---- addresses ---- */

/* [\w+.-]{2,}:// at the front. */
static size_t scheme_len(const char *text, size_t len)
{
    size_t at = 0, n = 0;

    while (at < len && text[at] != ':') {
        const uint32_t c = oy_utf8_next(text, &at);
        if (!oy_py_isalnum(c) && !is_one_of(c, "_+-."))
            return 0;
        n++;
    }
    return n >= 2 && begins(text + at, len - at, "://") ? at + 3 : 0;
}

/* The label text[0..len) of a host: 1 to 64 characters. */
static int is_label(const char *text, size_t len)
{
    size_t at = 0, n = 0;
    uint32_t last = 0;

    while (at < len && n <= 64) {
        last = oy_utf8_next(text, &at);
        const int is_inner = n > 0 && (last == '-' || last == '_');
        if (!is_inner && !(spacy_class_of(last) & SPACY_DOMAIN))
            return 0;
        n++;
    }
    return n >= 1 && n <= 64 && last != '-' && last != '_';
}

/* The last label: 2 to 63 letters. */
static int is_tld(const char *text, size_t len)
{
    size_t at = 0, n = 0;

    while (at < len && n <= 63) {
        if (!(spacy_class_of(oy_utf8_next(text, &at)) & SPACY_TLD))
            return 0;
        n++;
    }
    return n >= 2 && n <= 63;
}

static int is_domain(const char *text, size_t len)
{
    size_t start = 0;

    for (;;) {
        const char *point = memchr(text + start, '.', len - start);
        if (!point)
            return start > 0 && is_tld(text + start, len - start);
        const size_t end = (size_t)(point - text);
        if (!is_label(text + start, end - start))
            return 0;
        start = end + 1;
    }
}

/* A decimal digit of any script, as `\d` is. */
struct octet {
    uint32_t c[3];
    size_t n; /* 1 to 3; 0: not an octet */
};

static struct octet read_octet(const char *text, size_t len)
{
    struct octet octet = {0};
    size_t at = 0;

    while (at < len) {
        if (octet.n == 3)
            return (struct octet){0};
        const uint32_t c = oy_utf8_next(text, &at);
        if (!oy_py_isdecimal(c))
            return (struct octet){0};
        octet.c[octet.n++] = c;
    }
    return octet;
}

static int in_range(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

static int is_first_octet(const struct octet *o)
{
    if (o->n < 3)
        return in_range(o->c[0], '1', '9');
    return o->c[0] == '1' ||
           (o->c[0] == '2' &&
            (in_range(o->c[1], '0', '1') ||
             (o->c[1] == '2' && in_range(o->c[2], '0', '3'))));
}

/* 2[0-4]\d|25[0-x] */
static int is_two_hundred(const struct octet *o, uint32_t x)
{
    return o->n == 3 && o->c[0] == '2' &&
           (in_range(o->c[1], '0', '4') ||
            (o->c[1] == '5' && in_range(o->c[2], '0', x)));
}

static int is_middle_octet(const struct octet *o)
{
    return o->n == 1 || o->n == 2 || (o->n == 3 && o->c[0] == '1') ||
           is_two_hundred(o, '5');
}

static int is_last_octet(const struct octet *o)
{
    if (o->n < 3)
        return in_range(o->c[0], '1', '9');
    return o->c[0] == '1' || is_two_hundred(o, '4');
}

static int octet_is(const struct octet *o, const char *digits)
{
    if (o->n != strlen(digits))
        return 0;
    for (size_t i = 0; i < o->n; i++) {
        if (o->c[i] != (unsigned char)digits[i])
            return 0;
    }
    return 1;
}

/* Networks that the peer takes out: 10, 127, 169.254, 192.168, 172.16/12. */
static int is_private(const struct octet o[4])
{
    if (octet_is(&o[0], "10") || octet_is(&o[0], "127") ||
        (octet_is(&o[0], "169") && octet_is(&o[1], "254")) ||
        (octet_is(&o[0], "192") && octet_is(&o[1], "168")))
        return 1;
    if (!octet_is(&o[0], "172") || o[1].n != 2)
        return 0;
    const uint32_t ten = o[1].c[0], one = o[1].c[1];
    return (ten == '1' && in_range(one, '6', '9')) || ten == '2' ||
           (ten == '3' && in_range(one, '0', '1'));
}

static int is_ipv4(const char *text, size_t len)
{
    struct octet octet[4];

    for (int i = 0; i < 4; i++) {
        const char *point = memchr(text, '.', len);
        const size_t n = point ? (size_t)(point - text) : len;
        if ((point == NULL) != (i == 3))
            return 0;
        octet[i] = read_octet(text, n);
        if (octet[i].n == 0)
            return 0;
        text += n + (i < 3);
        len -= n + (i < 3);
    }
    return is_first_octet(&octet[0]) && is_middle_octet(&octet[1]) &&
           is_middle_octet(&octet[2]) && is_last_octet(&octet[3]) &&
           !is_private(octet);
}

/* (:\d{2,5})?([/?#]\S*)?$ */
static int is_port_and_path(const char *text, size_t len)
{
    size_t at = 0, n = 0;

    if (len && text[0] == ':') {
        at = 1;
        while (at < len) {
            size_t next = at;
            if (!oy_py_isdecimal(oy_utf8_next(text, &next)))
                break;
            at = next;
            n++;
        }
        if (n < 2 || n > 5)
            return 0;
    }
    return at == len || is_one_of((unsigned char)text[at], "/?#");
}

static int is_address(const char *text, size_t len)
{
    size_t end = 0;

    /* None of these stands in a host, nor does '@': the next one ends it. */
    while (end < len && !is_one_of((unsigned char)text[end], ":/?#@"))
        end++;
    return is_port_and_path(text + end, len - end) &&
           (is_domain(text, end) || is_ipv4(text, end));
}

int spacy_is_url(const char *text, size_t len)
{
    const char *sign = text;

    if (!memchr(text, '.', len))
        return 0;
    if (is_address(text, len))
        return 1;
    const size_t scheme = scheme_len(text, len);
    if (scheme && is_address(text + scheme, len - scheme))
        return 1;
    /* Anything may stand before an '@', one character at the least. */
    while ((sign = memchr(sign, '@', len - (size_t)(sign - text))) != NULL) {
        sign++;
        if (sign - text > 1 && is_address(sign, len - (size_t)(sign - text)))
            return 1;
    }
    return 0;
}

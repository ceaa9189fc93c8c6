/* SPDX-License-Identifier: Apache-2.0
 *
 * Character references by section 13.2.5.72 of the HTML standard. */
#include "pipeline/html_reference.h"

#include <string.h>

#include "core/utf8.h"
#include "pipeline/entities.h"

enum { NAME_MAX_LEN = 31, BARE_MAX = 6 };

/* Names that need no semicolon. */
static const char bare_names[] =
    " AElig AMP Aacute Acirc Agrave Aring Atilde Auml COPY Ccedil ETH Eacute "
    "Ecirc Egrave Euml GT Iacute Icirc Igrave Iuml LT Ntilde Oacute Ocirc "
    "Ograve Oslash Otilde Ouml QUOT REG THORN Uacute Ucirc Ugrave Uuml Yacute "
    "aacute acirc acute aelig agrave amp aring atilde auml brvbar ccedil cedil "
    "cent copy curren deg divide eacute ecirc egrave eth euml frac12 frac14 "
    "frac34 gt iacute icirc iexcl igrave iquest iuml laquo lt macr micro "
    "middot nbsp not ntilde oacute ocirc ograve ordf ordm oslash otilde ouml "
    "para plusmn pound quot raquo reg sect shy sup1 sup2 sup3 szlig thorn "
    "times uacute ucirc ugrave uml uuml yacute yen yuml ";

/* The names of HTML without a small letter. The table of names also has
 * those that only ftfy knows. */
static const char capital_names[] =
    " AMP COPY DD ENG ETH GT LT QUOT REG THORN TRADE ";

static int is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static int is_listed(const char *list, const char *name, size_t len)
{
    char spaced[NAME_MAX_LEN + 3];

    spaced[0] = spaced[len + 1] = ' ';
    memcpy(spaced + 1, name, len);
    spaced[len + 2] = '\0';
    return strstr(list, spaced) != NULL;
}

static int has_small(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] >= 'a' && name[i] <= 'z')
            return 1;
    }
    return 0;
}

static void put(struct oy_buffer *out, uint32_t c)
{
    char *at = oy_buffer_reserve(out, 4);

    out->len += oy_utf8_put(at, c);
}

/* Appends what a name stands for: 1, or 0 when it is none. */
static int put_name(const char *name, size_t len, struct oy_buffer *out)
{
    uint32_t wide[NAME_MAX_LEN], code[ENTITIES_MAX];

    if (!has_small(name, len) && !is_listed(capital_names, name, len))
        return 0;
    for (size_t i = 0; i < len; i++)
        wide[i] = (unsigned char)name[i];
    const int n = entities_find(wide, len, code);
    for (int i = 0; i < n; i++)
        put(out, code[i]);
    return n > 0;
}

/* The bytes that a name at text (behind its &) takes; 0: it is none. */
static size_t read_name(const char *text, size_t len, int reading,
                        struct oy_buffer *out)
{
    size_t n = 0;

    while (n < len && n < NAME_MAX_LEN && is_alnum(text[n]))
        n++;
    if (n < len && n && text[n] == ';' && put_name(text, n, out))
        return n + 1;
    for (size_t k = n < BARE_MAX ? n : BARE_MAX; k > 1; k--) {
        if (!is_listed(bare_names, text, k))
            continue;
        const int goes_on = k < len && (text[k] == '=' || is_alnum(text[k]));
        if ((reading & HTML_READ_ATTRIBUTE) && goes_on)
            return 0;
        put_name(text, k, out);
        return k;
    }
    return 0;
}

static int digit_value(char c, int base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t repair_number(uint64_t c)
{
    if (c >= 0x80 && c < 0xa0)
        return entities_control((uint32_t)c);
    if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0xfffd;
    return (uint32_t)c;
}

/* As read_name, of "#123;" or "#x1f;"; the semicolon may be missing. */
static size_t read_number(const char *text, size_t len, struct oy_buffer *out)
{
    const int base = len > 1 && (text[1] | 0x20) == 'x' ? 16 : 10;
    const size_t start = base == 16 ? 2 : 1;
    size_t n = start;
    uint64_t c = 0;

    while (n < len && digit_value(text[n], base) >= 0) {
        c = c * (uint64_t)base + (uint64_t)digit_value(text[n], base);
        c = c > 0x110000 ? 0x110000 : c;
        n++;
    }
    if (n == start)
        return 0;
    put(out, repair_number(c));
    return n < len && text[n] == ';' ? n + 1 : n;
}

static size_t read_reference(const char *text, size_t len, int reading,
                             struct oy_buffer *out)
{
    size_t n = 0;

    if (len && text[0] == '#')
        n = read_number(text, len, out);
    else if (len)
        n = read_name(text, len, reading, out);
    if (n == 0)
        oy_buffer_append_char(out, '&');
    return n;
}

void html_reference_read(const char *text, size_t len, int reading,
                         struct oy_buffer *out)
{
    const int decodes = reading & (HTML_READ_DATA | HTML_READ_ATTRIBUTE);
    size_t i = 0;

    while (i < len) {
        const size_t plain = i;
        while (i < len && text[i] && text[i] != '\r' &&
               (text[i] != '&' || !decodes))
            i++;
        oy_buffer_append(out, text + plain, i - plain);
        if (i == len)
            break;
        const char c = text[i++];
        if (c == '&')
            i += read_reference(text + i, len - i, reading, out);
        else if (c == '\r' && (i == len || text[i] != '\n'))
            oy_buffer_append_char(out, '\n');
        else if (c == '\0' && !(reading & HTML_READ_DROP_NUL))
            put(out, 0xfffd);
    }
}

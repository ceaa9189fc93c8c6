/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings by their labels, and conversion. */
#include "pipeline/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "core/utf8.h"
#include "pipeline/charset_detect.h"
#include "pipeline/entities.h"
#include "pipeline/html_tree.h"

/* Of the Encoding Standard (encoding.spec.whatwg.org), section 4.2: iconv's
 * name and the labels, each between spaces. */
static const struct {
    const char *name;
    const char *labels;
} known[] = {
    {"IBM866", " 866 cp866 csibm866 ibm866 "},
    {"ISO-8859-2",
     " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 "
     "iso_8859-2:1987 l2 latin2 "},
    {"ISO-8859-3",
     " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 "
     "iso_8859-3:1988 l3 latin3 "},
    {"ISO-8859-4",
     " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 "
     "iso_8859-4:1988 l4 latin4 "},
    {"ISO-8859-5",
     " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 "
     "iso88595 iso_8859-5 iso_8859-5:1988 "},
    {"ISO-8859-6",
     " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 "
     "iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 "
     "iso_8859-6 iso_8859-6:1987 "},
    {"ISO-8859-7", " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 "
                   "iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 "
                   "sun_eu_greek "},
    {"ISO-8859-8",
     " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e "
     "iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual "
     "csiso88598i iso-8859-8-i logical "},
    {"ISO-8859-10",
     " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
    {"ISO-8859-13", " iso-8859-13 iso8859-13 iso885913 "},
    {"ISO-8859-14", " iso-8859-14 iso8859-14 iso885914 "},
    {"ISO-8859-15",
     " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 "},
    {"ISO-8859-16", " iso-8859-16 "},
    {"KOI8-R", " cskoi8r koi koi8 koi8-r koi8_r "},
    {"KOI8-U", " koi8-ru koi8-u "},
    {"MACINTOSH", " csmacintosh mac macintosh x-mac-roman "},
    {"CP874", " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 "},
    {"CP1250", " cp1250 windows-1250 x-cp1250 "},
    {"CP1251", " cp1251 windows-1251 x-cp1251 "},
    {"CP1252",
     " ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 "
     "iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 "
     "us-ascii windows-1252 x-cp1252 x-user-defined "},
    {"CP1253", " cp1253 windows-1253 x-cp1253 "},
    {"CP1254", " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 "
               "iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254 "},
    {"CP1255", " cp1255 windows-1255 x-cp1255 "},
    {"CP1256", " cp1256 windows-1256 x-cp1256 "},
    {"CP1257", " cp1257 windows-1257 x-cp1257 "},
    {"CP1258", " cp1258 windows-1258 x-cp1258 "},
    {"MAC-UK", " x-mac-cyrillic x-mac-ukrainian "},
    {"GB18030",
     " chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk "
     "iso-ir-58 x-gbk gb18030 "},
    {"BIG5-HKSCS", " big5 big5-hkscs cn-big5 csbig5 x-x-big5 "},
    {"EUC-JP-MS", " cseucpkdfmtjapanese euc-jp x-euc-jp "},
    {"ISO-2022-JP", " csiso2022jp iso-2022-jp "},
    {"CP932", " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j "
              "x-sjis "},
    {"UHC", " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 "
            "ks_c_5601-1989 ksc5601 ksc_5601 windows-949 "},
    {"UTF-16BE", " unicodefffe utf-16be "},
    {"UTF-16LE", " csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 "
                 "utf-16le "},
    {"UTF-8", " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 "
              "x-unicode20utf8 "},
};

static void trim(const char **text, size_t *len)
{
    while (*len && html_is_space(**text)) {
        ++*text;
        --*len;
    }
    while (*len && html_is_space((*text)[*len - 1]))
        --*len;
}

const char *charset_of_label(const char *label, size_t len)
{
    char spaced[CHARSET_MAX + 2];

    trim(&label, &len);
    if (len == 0 || len >= CHARSET_MAX - 1)
        return NULL;
    spaced[0] = spaced[len + 1] = ' ';
    spaced[len + 2] = '\0';
    for (size_t i = 0; i < len; i++) {
        const char c = label[i];
        if (c == ' ')
            return NULL;
        spaced[i + 1] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strstr(known[i].labels, spaced))
            return known[i].name;
    }
    return NULL;
}

int charset_find(const char *label, char name[CHARSET_MAX])
{
    const size_t len = strlen(label);
    const char *found = charset_of_label(label, len);

    if (!found && (len == 0 || len >= CHARSET_MAX || strchr(label, '/')))
        return 0;
    strcpy(name, found ? found : label);
    const iconv_t conversion = iconv_open("UTF-8", name);
    if (conversion == (iconv_t)-1)
        return 0;
    iconv_close(conversion);
    return 1;
}

/* ---- guessing ---- */

/* The label behind "charset" and '=' in a content type; NULL: none. */
static const char *find_parameter(const char *text, size_t len, size_t *n)
{
    const char *const end = text + len;

    for (; (size_t)(end - text) > 7; text++) {
        if (strncasecmp(text, "charset", 7) != 0)
            continue;
        const char *at = text + 7;
        while (at < end && html_is_space(*at))
            at++;
        if (at == end || *at++ != '=')
            continue;
        while (at < end && html_is_space(*at))
            at++;
        const char quote = at < end && (*at == '"' || *at == '\'') ? *at++ : 0;
        const char *const start = at;
        while (at < end &&
               (quote ? *at != quote : !html_is_space(*at) && *at != ';'))
            at++;
        *n = (size_t)(at - start);
        return start;
    }
    return NULL;
}

struct meta {
    const char *charset, *content;
    size_t charset_len, content_len;
    int is_type; /* http-equiv says content-type */
};

static int is(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static void note_attribute(struct meta *meta, const char *name, size_t name_len,
                           const char *value, size_t len)
{
    if (is(name, name_len, "charset") && !meta->charset) {
        meta->charset = value;
        meta->charset_len = len;
    } else if (is(name, name_len, "content") && !meta->content) {
        meta->content = value;
        meta->content_len = len;
    } else if (is(name, name_len, "http-equiv")) {
        meta->is_type = is(value, len, "content-type");
    }
}

/* Reads one attribute of a tag; where it ends, NULL behind the last. */
static const char *read_attribute(const char *at, const char *end,
                                  struct meta *meta)
{
    while (at < end && (html_is_space(*at) || *at == '/'))
        at++;
    if (at == end || *at == '>')
        return NULL;
    const char *const name = at;
    while (at < end && !html_is_space(*at) && *at != '=' && *at != '/' &&
           *at != '>')
        at++;
    const size_t name_len = (size_t)(at - name);
    while (at < end && html_is_space(*at))
        at++;
    if (at == end || *at != '=')
        return at;
    do
        at++;
    while (at < end && html_is_space(*at));
    const char quote = at < end && (*at == '"' || *at == '\'') ? *at++ : 0;
    const char *const value = at;
    while (at < end &&
           (quote ? *at != quote : !html_is_space(*at) && *at != '>'))
        at++;
    note_attribute(meta, name, name_len, value, (size_t)(at - value));
    return quote && at < end ? at + 1 : at;
}

/* What a <meta> says; NULL: nothing. */
static const char *read_meta(const char *at, const char *end, size_t *len)
{
    struct meta meta = {0};

    while (at && at < end)
        at = read_attribute(at, end, &meta);
    *len = meta.charset_len;
    if (meta.charset || !meta.is_type || !meta.content)
        return meta.charset;
    return find_parameter(meta.content, meta.content_len, len);
}

static const char *find_meta(const char *text, size_t len, size_t *n)
{
    enum { LOOKED_AT = 1024 }; /* HTML standard, 13.2.3.2 */
    const char *const end = text + (len < LOOKED_AT ? len : LOOKED_AT);
    const char *at = text;

    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        if (end - at > 6 && strncasecmp(at, "<meta", 5) == 0 &&
            (html_is_space(at[5]) || at[5] == '/')) {
            const char *label = read_meta(at + 5, end, n);
            if (label)
                return label;
        } else if (end - at > 4 && memcmp(at, "<!--", 4) == 0) {
            at = memmem(at + 2, (size_t)(end - at - 2), "-->", 3);
            if (!at)
                return NULL;
        }
        at++;
    }
    return NULL;
}

static int is_utf16(const char *name)
{
    return strncmp(name, "UTF-16", 6) == 0;
}

static struct charset_guess guess_by_mark(const char *text, size_t len)
{
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return (struct charset_guess){"UTF-8", 3, 0};
    if (len >= 2 && memcmp(text, "\xff\xfe", 2) == 0)
        return (struct charset_guess){"UTF-16LE", 2, 0};
    if (len >= 2 && memcmp(text, "\xfe\xff", 2) == 0)
        return (struct charset_guess){"UTF-16BE", 2, 0};
    return (struct charset_guess){NULL, 0, 0};
}

struct charset_guess charset_guess(const char *text, size_t len,
                                   const char *content_type, int is_page)
{
    struct charset_guess guess = guess_by_mark(text, len);
    size_t n = 0;

    if (guess.name)
        return guess;
    const char *label = find_parameter(content_type, strlen(content_type), &n);
    if (label)
        guess.name = charset_of_label(label, n);
    guess.unknown = label && !guess.name;
    if (!guess.name && is_page && (label = find_meta(text, len, &n)) != NULL) {
        guess.name = charset_of_label(label, n);
        guess.unknown = !guess.name;
        /* A label that could be read is not of two bytes a character. */
        if (guess.name && is_utf16(guess.name))
            guess.name = "UTF-8";
    }
    if (!guess.name)
        guess.name = charset_detect(text, len);
    return guess;
}

/* ---- conversion ---- */

static void put(struct oy_buffer *out, uint32_t c)
{
    char *at = oy_buffer_reserve(out, 4);

    out->len += oy_utf8_put(at, c);
}

/* All bytes mean something here, unlike iconv()'s table. */
static void convert_1252(const char *text, size_t len, struct oy_buffer *out)
{
    size_t i = 0;

    while (i < len) {
        const size_t plain = i;
        while (i < len && !((unsigned char)text[i] & 0x80))
            i++;
        oy_buffer_append(out, text + plain, i - plain);
        if (i == len)
            break;
        const unsigned char c = (unsigned char)text[i++];
        put(out, c < 0xa0 ? entities_control(c) : c);
    }
}

static void convert_by_library(iconv_t conversion, char *text, size_t len,
                               struct oy_buffer *out)
{
    while (len) {
        size_t room = 2 * len + 16;
        char *at = oy_buffer_reserve(out, room);
        char *const start = at;
        const size_t rc = iconv(conversion, &text, &len, &at, &room);
        out->len += (size_t)(at - start);
        if (rc != (size_t)-1 || errno == E2BIG)
            continue;
        put(out, 0xfffd);
        if (errno == EINVAL)
            return; /* the last character is cut */
        text++;
        len--;
        iconv(conversion, NULL, NULL, NULL, NULL);
    }
}

void charset_convert(const char *name, const char *text, size_t len,
                     struct oy_buffer *out)
{
    if (strcmp(name, "UTF-8") == 0) {
        oy_utf8_repair(text, len, out);
        return;
    }
    if (strcmp(name, "CP1252") == 0) {
        convert_1252(text, len, out);
        return;
    }
    const iconv_t conversion = iconv_open("UTF-8", name);
    if (conversion == (iconv_t)-1) { /* a C library without its modules */
        oy_utf8_repair(text, len, out);
        return;
    }
    convert_by_library(conversion, (char *)(uintptr_t)text, len, out);
    iconv_close(conversion);
}

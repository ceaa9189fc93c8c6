/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting a page into tokens. */
#include "pipeline/html_token.h"

#include <string.h>
#include <strings.h>

#include "core/hash.h"
#include "pipeline/html_reference.h"

static struct html_slice slice_of(const struct html_tokenizer *t,
                                  const char *from, const char *to)
{
    return (struct html_slice){(uint32_t)(from - t->tree->page),
                               (uint32_t)(to - from)};
}

/* Bytes of the page, or decoded ones when they are not what they say. */
static struct html_slice read_text(struct html_tokenizer *t, const char *from,
                                   const char *to, int reading)
{
    struct oy_buffer *decoded = &t->tree->decoded;
    const size_t at = decoded->len;

    html_reference_read(from, (size_t)(to - from), reading, decoded);
    return (struct html_slice){HTML_DECODED | (uint32_t)at,
                               (uint32_t)(decoded->len - at)};
}

static int needs_reading(const char *from, const char *to, int references)
{
    const size_t len = (size_t)(to - from);

    return (references && memchr(from, '&', len)) || memchr(from, '\r', len) ||
           memchr(from, '\0', len);
}

/* ---- texts ---- */

static int is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Whether the '<' at `at` begins anything but text. */
static int begins_markup(const char *at, const char *end)
{
    if (at + 1 == end)
        return 0;
    if (at[1] == '/')
        return at + 2 < end;
    return is_letter(at[1]) || at[1] == '!' || at[1] == '?';
}

static void read_data(struct html_tokenizer *t, struct html_token *token)
{
    /* What a text may hold besides itself. */
    static const uint8_t stops[256] = {
        ['<'] = 1, ['&'] = 2, ['\r'] = 2, ['\0'] = 2};
    const char *at = t->at;
    int found = 0;

    for (; at < t->end; at++) {
        const uint8_t stop = stops[(unsigned char)*at];
        if (!stop)
            continue;
        if (stop == 1 && begins_markup(at, t->end))
            break;
        found |= stop;
    }
    token->kind = HTML_TOKEN_TEXT;
    token->slice =
        found & 2 ? read_text(t, t->at, at, HTML_READ_DATA | HTML_READ_DROP_NUL)
                  : slice_of(t, t->at, at);
    t->at = at;
}

/* ---- attributes ---- */

static enum html_attribute_name name_of(const char *name, size_t len)
{
    static const struct {
        const char *name;
        uint8_t len;
        uint8_t kept;
    } known[] = {
#define KNOWN(text, kept) {text, sizeof text - 1, kept}
        KNOWN("class", HTML_ATTR_CLASS),
        KNOWN("id", HTML_ATTR_ID),
        KNOWN("style", HTML_ATTR_STYLE),
        KNOWN("alt", HTML_ATTR_ALT),
        KNOWN("rel", HTML_ATTR_REL),
        KNOWN("type", HTML_ATTR_TYPE),
        KNOWN("role", HTML_ATTR_ROLE),
        KNOWN("size", HTML_ATTR_FONT),
        KNOWN("face", HTML_ATTR_FONT),
        KNOWN("color", HTML_ATTR_FONT),
        KNOWN("hidden", HTML_ATTR_HIDDEN),
        KNOWN("data-ad", HTML_ATTR_DATA_AD),
        KNOWN("itemprop", HTML_ATTR_ITEMPROP),
        KNOWN("encoding", HTML_ATTR_ENCODING),
        KNOWN("aria-hidden", HTML_ATTR_ARIA_HIDDEN),
        KNOWN("data-text-ad", HTML_ATTR_DATA_AD),
        KNOWN("aria-expanded", HTML_ATTR_ARIA_EXPANDED),
        KNOWN("data-advertisement", HTML_ATTR_DATA_AD),
#undef KNOWN
    };
    const char first = (char)(name[0] | 0x20);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].len == len && known[i].name[0] == first &&
            strncasecmp(name, known[i].name, len) == 0)
            return (enum html_attribute_name)known[i].kept;
    }
    return HTML_ATTR_OTHER;
}

struct attribute {
    const char *name, *name_end;
    const char *value, *value_end;
};

static void add_attribute(struct html_tokenizer *t, struct html_token *token,
                          const struct attribute *a)
{
    struct html_tree *tree = t->tree;
    const enum html_attribute_name name =
        name_of(a->name, (size_t)(a->name_end - a->name));

    if (html_tag_has(token->tag, HTML_FORMATTING))
        token->hash += oy_hash64(a->name, (size_t)(a->value_end - a->name)) | 1;
    if (name == HTML_ATTR_OTHER)
        return;
    for (uint32_t i = 0; i < token->slice.len; i++) {
        if (tree->attribute[token->slice.at + i].name == (uint32_t)name)
            return; /* the first one counts */
    }
    OY_GROW(tree->attribute, tree->cap_attribute, tree->n_attribute + 1);
    struct html_attribute *kept = &tree->attribute[tree->n_attribute++];
    kept->name = name;
    kept->value =
        needs_reading(a->value, a->value_end, 1)
            ? read_text(t, a->value, a->value_end, HTML_READ_ATTRIBUTE)
            : slice_of(t, a->value, a->value_end);
    token->slice.len++;
}

/* The value behind '='; where it ends is returned, or NULL at the end of the
 * page. */
static const char *read_value(const char *at, const char *end,
                              struct attribute *a)
{
    while (at < end && html_is_space(*at))
        at++;
    if (at == end)
        return NULL;
    if (*at == '"' || *at == '\'') {
        const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
        a->value = at + 1;
        a->value_end = close;
        return close ? close + 1 : NULL;
    }
    a->value = at;
    while (at < end && !html_is_space(*at) && *at != '>')
        at++;
    a->value_end = at;
    return at;
}

static const char *read_attribute(const char *at, const char *end,
                                  struct attribute *a)
{
    a->name = at++; /* the first character may be '=' */
    while (at < end && !html_is_space(*at) && *at != '/' && *at != '>' &&
           *at != '=')
        at++;
    a->name_end = a->value = a->value_end = at;
    while (at < end && html_is_space(*at))
        at++;
    if (at < end && *at == '=')
        return read_value(at + 1, end, a);
    return at;
}

/* Attributes up to and with '>'. -1 when the page ends first. */
static int read_attributes(struct html_tokenizer *t, struct html_token *token)
{
    const char *at = t->at, *const end = t->end;
    struct attribute a;

    while (at) {
        const char *slash = NULL;
        while (at < end && (html_is_space(*at) || *at == '/'))
            slash = *at == '/' ? at++ : (at++, NULL);
        if (at == end)
            break;
        if (*at == '>') {
            token->self_closing = slash != NULL;
            t->at = at + 1;
            return 0;
        }
        at = read_attribute(at, end, &a);
        if (at && token->kind == HTML_TOKEN_START)
            add_attribute(t, token, &a);
    }
    return -1;
}

/* ---- tags, comments, doctype ---- */

/* Ends the page: what is half a token at its end is none. */
static void end_page(struct html_tokenizer *t, struct html_token *token)
{
    t->at = t->end;
    token->kind = HTML_TOKEN_END_OF_PAGE;
}

/* An unknown name is kept in front of the attributes. */
static void keep_name(struct html_tokenizer *t, struct html_token *token)
{
    struct html_tree *tree = t->tree;

    OY_GROW(tree->attribute, tree->cap_attribute, tree->n_attribute + 1);
    tree->attribute[tree->n_attribute++] = (struct html_attribute){
        HTML_ATTR_TAG_NAME, slice_of(t, token->at, token->at + token->len)};
    token->slice.len = 1;
}

static void read_tag(struct html_tokenizer *t, struct html_token *token,
                     const char *name)
{
    const char *at = name;

    while (at < t->end && !html_is_space(*at) && *at != '/' && *at != '>')
        at++;
    token->at = name;
    token->len = (size_t)(at - name);
    token->tag = html_tag_find(name, token->len);
    token->slice.at = (uint32_t)t->tree->n_attribute;
    if (token->tag == HTML_TAG_UNKNOWN && token->kind == HTML_TOKEN_START)
        keep_name(t, token);
    t->at = at;
    if (read_attributes(t, token))
        end_page(t, token);
}

/* Behind "<!--". */
static void read_comment(struct html_tokenizer *t, struct html_token *token,
                         const char *at)
{
    const char *const end = t->end;
    const char *const text = at;

    token->kind = HTML_TOKEN_COMMENT;
    if (at < end && *at == '>') {
        t->at = at + 1;
        return;
    }
    if (end - at > 1 && at[0] == '-' && at[1] == '>') {
        t->at = at + 2;
        return;
    }
    for (;; at++) {
        at = memchr(at, '>', (size_t)(end - at));
        if (!at)
            break;
        const ptrdiff_t n = at - text;
        if ((n >= 2 && at[-1] == '-' && at[-2] == '-') ||
            (n >= 3 && memcmp(at - 3, "--!", 3) == 0)) {
            t->at = at + 1;
            return;
        }
    }
    t->at = end;
}

/* A comment by mistake: up to the next '>'. */
static void read_bogus(struct html_tokenizer *t, struct html_token *token,
                       const char *at)
{
    const char *close = memchr(at, '>', (size_t)(t->end - at));

    token->kind = HTML_TOKEN_COMMENT;
    t->at = close ? close + 1 : t->end;
}

static void read_cdata(struct html_tokenizer *t, struct html_token *token,
                       const char *at)
{
    const char *close = memmem(at, (size_t)(t->end - at), "]]>", 3);
    const char *const end = close ? close : t->end;

    token->kind = HTML_TOKEN_TEXT;
    token->slice = needs_reading(at, end, 0) ? read_text(t, at, end, 0)
                                             : slice_of(t, at, end);
    t->at = close ? close + 3 : t->end;
}

static int begins(const char *at, const char *end, const char *what)
{
    const size_t n = strlen(what);

    return (size_t)(end - at) >= n && strncasecmp(at, what, n) == 0;
}

static void read_declaration(struct html_tokenizer *t, struct html_token *token)
{
    const char *at = t->at + 2; /* behind "<!" */

    if (begins(at, t->end, "--")) {
        read_comment(t, token, at + 2);
    } else if (begins(at, t->end, "doctype")) {
        read_bogus(t, token, at);
        token->kind = HTML_TOKEN_DOCTYPE;
        token->at = at + 7;
        token->len = (size_t)(t->at - token->at);
    } else if (t->in_foreign && t->end - at >= 7 &&
               memcmp(at, "[CDATA[", 7) == 0) {
        read_cdata(t, token, at + 7);
    } else {
        read_bogus(t, token, at);
    }
}

static void read_markup(struct html_tokenizer *t, struct html_token *token)
{
    const char *at = t->at + 1;

    if (*at == '!') {
        read_declaration(t, token);
    } else if (*at == '?') {
        read_bogus(t, token, at);
    } else if (*at != '/') {
        token->kind = HTML_TOKEN_START;
        read_tag(t, token, at);
    } else if (is_letter(at[1])) {
        token->kind = HTML_TOKEN_END;
        read_tag(t, token, at + 1);
    } else {
        read_bogus(t, token, at + 1);
    }
}

void html_token_next(struct html_tokenizer *t, struct html_token *token)
{
    *token = (struct html_token){0};
    while (t->end - t->at > 2 && memcmp(t->at, "</>", 3) == 0)
        t->at += 3; /* nothing at all */
    if (t->at == t->end)
        return;
    if (*t->at == '<' && begins_markup(t->at, t->end))
        read_markup(t, token);
    else
        read_data(t, token);
}

/* ---- raw texts ---- */

/* Whether "</name" and the end of a name stand at the '<'. */
static int is_tag(const char *at, const char *end, const char *name, size_t len)
{
    if ((size_t)(end - at) <= len || strncasecmp(at, name, len) != 0)
        return 0;
    return html_is_space(at[len]) || at[len] == '/' || at[len] == '>';
}

static int is_end_tag(const char *at, const char *end, const char *name,
                      size_t len)
{
    return end - at > 2 && at[1] == '/' && is_tag(at + 2, end, name, len);
}

static const char *find_end_tag(const char *at, const char *end,
                                const char *name, size_t len)
{
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        if (is_end_tag(at, end, name, len))
            return at;
        at++;
    }
    return end;
}

/* Scripts hide end tags between "<!--" and "-->" when "<script" stands there,
 * too (the "double escaped" states). */
static const char *find_script_end(const char *at, const char *end)
{
    enum { PLAIN, ESCAPED, TWICE } state = PLAIN;

    for (; at < end; at++) {
        if (state == PLAIN)
            at = memchr(at, '<', (size_t)(end - at));
        if (!at)
            break;
        if (*at == '-' && begins(at, end, "-->"))
            state = PLAIN;
        if (*at != '<')
            continue;
        if (is_end_tag(at, end, "script", 6)) {
            if (state != TWICE)
                return at;
            state = ESCAPED;
        } else if (state == PLAIN && begins(at, end, "<!--")) {
            state = ESCAPED;
            at++; /* its dashes may be those of "-->" */
        } else if (state == ESCAPED && is_tag(at + 1, end, "script", 6)) {
            state = TWICE;
        }
    }
    return end;
}

struct html_slice html_token_raw(struct html_tokenizer *t, enum html_raw raw,
                                 const char *name, size_t len)
{
    const char *const from = t->at;
    const char *to = t->end;
    const int references = raw == HTML_RCDATA;

    if (raw == HTML_SCRIPT)
        to = find_script_end(from, t->end);
    else if (raw != HTML_PLAINTEXT)
        to = find_end_tag(from, t->end, name, len);
    t->at = to;
    if (raw != HTML_SCRIPT && needs_reading(from, to, references))
        return read_text(t, from, to, references ? HTML_READ_DATA : 0);
    return slice_of(t, from, to);
}

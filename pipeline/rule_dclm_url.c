/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `dclm_url_removal_modifier`: takes URLs and addresses of four numbers
 * out of the text, with up to ten characters of white space before each
 * (DCLM's baselines/mappers/modifiers.py at 361714b). The peer's two regular
 * expressions by hand, in linear time.
 *
 * `tlds_filepath` is the list of top-level domains, in the letters in which
 * they are to be found. Two things of the peer are kept: URLs are looked for
 * only when the text *begins* with such a name, whatever its case (it calls
 * match() for search()), and a hyphen in the list asks for a backslash before
 * it in the text (it escapes twice). */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/borders.h"
#include "pipeline/needles.h"
#include "pipeline/rule_internal.h"
#include "pipeline/text_list.h"

enum { MAX_SPACES = 10, MAX_HOST = 256 };

struct tlds {
    struct needles exact;
    struct needles folded;
    size_t longest; /* bytes, of the folded ones */
};

struct url_removal {
    const char *tlds_filepath;
    struct tlds *tlds;
};

static const struct url_removal defaults = {.tlds_filepath = ""};

static const struct rule_param param[] = {
    RULE_PARAM(struct url_removal, RULE_TEXT, tlds_filepath),
    {0},
};

/* ---- characters ---- */

static int is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static int is_one_of(char c, const char *marks)
{
    return is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 26 ||
           (c && strchr(marks, c));
}

static int is_host(char c)
{
    return is_one_of(c, "-@:%._+~#=");
}

/* Behind the characters that may stand behind a host: all of it, and more. */
static size_t skip_tail(struct oy_text text, size_t at)
{
    while (at < text.len && is_one_of(text.at[at], "-()@:%_+.~#?&/="))
        at++;
    return at;
}

/* The start of http://, https:// or ftp:// that ends at `at` and does not
 * begin before `from`; `at` when there is none. */
static size_t scheme_start(struct oy_text text, size_t from, size_t at)
{
    static const char *const scheme[] = {"https://", "http://", "ftp://"};

    for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++) {
        const size_t len = strlen(scheme[i]);
        if (at - from >= len && !memcmp(text.at + at - len, scheme[i], len))
            return at - len;
    }
    return at;
}

/* Up to ten characters of white space before `at`, none before `from`. */
static size_t spaces_start(struct oy_text text, size_t from, size_t at)
{
    for (int i = 0; i < MAX_SPACES && at > from; i++) {
        size_t previous = at;
        if (!oy_py_isspace(oy_utf8_previous(text.at, &previous)))
            break;
        at = previous;
    }
    return at;
}

/* ---- URLs ---- */

/* Looks for the longest top-level domain that a word ends with. */
struct domain {
    struct oy_text text;
    size_t end;
};

static int take_longer(void *arg, size_t at, size_t len)
{
    struct domain *domain = arg;

    if (border_at(domain->text.at, domain->text.len, at + len))
        domain->end = at + len;
    return 0;
}

/* The end of the domain behind the point at `at`; 0 when there is none. */
static size_t domain_end(const struct tlds *tlds, struct oy_text text,
                         size_t at)
{
    struct domain domain = {.text = text};

    if (text.at[at] == '.')
        needles_find_at(&tlds->exact, text.at, text.len, at + 1, take_longer,
                        &domain);
    return domain.end;
}

/* What is to be taken out. */
struct span {
    size_t begin, end;
};

/* Finds the URL in text[begin..end), characters of hosts that no other stands
 * around. The first point of a domain decides where it begins, the last that
 * is near enough where it ends. */
static int find_host(const struct tlds *tlds, struct oy_text text,
                     struct span run, struct span *url)
{
    size_t point = run.begin + 1;

    while (point < run.end && !domain_end(tlds, text, point))
        point++;
    if (point >= run.end)
        return 0;
    url->begin = point - run.begin > MAX_HOST ? point - MAX_HOST : run.begin;
    size_t last = url->begin + MAX_HOST;
    if (last >= run.end)
        last = run.end - 1;
    while (last > point && !domain_end(tlds, text, last))
        last--;
    url->end = skip_tail(text, domain_end(tlds, text, last));
    return 1;
}

static int next_url(const struct tlds *tlds, struct oy_text text, size_t from,
                    struct span *url)
{
    struct span run = {from, from};

    for (; run.begin < text.len; run.begin = run.end + 1) {
        run.end = run.begin;
        while (run.end < text.len && is_host(text.at[run.end]))
            run.end++;
        if (!find_host(tlds, text, run, url))
            continue;
        if (url->begin == run.begin)
            url->begin = scheme_start(text, from, run.begin);
        url->begin = spaces_start(text, from, url->begin);
        return 1;
    }
    return 0;
}

/* ---- addresses ---- */

/* Behind [0-2]?[0-9]{1,2} and a point; 0 when they are not there. */
static size_t skip_octet(struct oy_text text, size_t at)
{
    size_t n = 0;

    while (n < 4 && at + n < text.len && is_digit(text.at[at + n]))
        n++;
    if (n == 0 || n > 3 || (n == 3 && text.at[at] > '2'))
        return 0;
    return at + n < text.len && text.at[at + n] == '.' ? at + n + 1 : 0;
}

static size_t address_end(struct oy_text text, size_t at)
{
    for (int i = 0; i < 3; i++) {
        at = skip_octet(text, at);
        if (!at)
            return 0;
    }
    return at < text.len && is_digit(text.at[at]) ? skip_tail(text, at) : 0;
}

static int next_address(const struct tlds *tlds, struct oy_text text,
                        size_t from, struct span *address)
{
    (void)tlds;
    for (size_t at = from; at < text.len; at++) {
        if (!is_digit(text.at[at]))
            continue;
        const size_t start = scheme_start(text, from, at);
        address->end = address_end(text, at);
        if (address->end && border_at(text.at, text.len, start))
            address->begin = start;
        else if (address->end && border_at(text.at, text.len, at))
            address->begin = at;
        else
            address->end = 0;
        if (address->end) {
            address->begin = spaces_start(text, from, address->begin);
            return 1;
        }
        while (at + 1 < text.len && is_digit(text.at[at + 1]))
            at++;
    }
    return 0;
}

/* ---- the rule ---- */

typedef int (*next_span)(const struct tlds *tlds, struct oy_text text,
                         size_t from, struct span *span);

/* Takes out all that `next` finds; returns how many. */
static size_t remove_all(const struct tlds *tlds, struct document *document,
                         next_span next)
{
    const struct oy_text text = document->text;
    struct oy_buffer *draft = NULL;
    struct span span;
    size_t from = 0, n = 0;

    for (; next(tlds, text, from, &span); from = span.end, n++) {
        if (!draft) {
            draft = document_draft(document);
            oy_buffer_reserve(draft, text.len + 1);
        }
        oy_buffer_append(draft, text.at + from, span.begin - from);
    }
    if (!n)
        return 0;
    oy_buffer_append(draft, text.at + from, text.len - from);
    document_rewrite(document, (struct oy_text){draft->data, draft->len});
    return n;
}

/* As Python compares without case: letters beyond ASCII that count as one of
 * it, then lower case. */
static void put_folded(uint32_t c, struct oy_buffer *out)
{
    char bytes[4];

    c = c == 0x130 || c == 0x131 ? 'i' : c == 0x17f ? 's' : c;
    oy_py_lower(bytes, oy_utf8_put(bytes, c), out);
}

static int accept(void *arg, size_t at, size_t len)
{
    (void)arg;
    (void)at;
    (void)len;
    return 1;
}

static int begins_with_domain(const struct tlds *tlds,
                              struct document *document)
{
    struct oy_buffer *folded = document_own_text(document);

    oy_buffer_clear(folded);
    for (size_t at = 0; at < document->text.len && folded->len < tlds->longest;)
        put_folded(oy_utf8_next(document->text.at, &at), folded);
    return needles_find_at(&tlds->folded, folded->data, folded->len, 0, accept,
                           NULL);
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct url_removal *p = params;
    size_t n = 0;

    if (!p->tlds)
        return NULL;
    if (begins_with_domain(p->tlds, document))
        n = remove_all(p->tlds, document, next_url);
    n += remove_all(p->tlds, document, next_address);
    measure_count(out, "removed_urls", n);
    return document->text.len ? NULL : "dclm_url_removal_modifier";
}

/* ---- loading ---- */

static void add_domain(void *arg, const char *name, size_t len)
{
    struct tlds *tlds = arg;
    struct oy_buffer escaped = {0}, folded = {0};

    for (size_t i = 0; i < len; i++) {
        /* What re.escape() escapes of what a name can hold. */
        if (strchr("-.#&~*+?()[]{}|^$\\", name[i]))
            oy_buffer_append_char(&escaped, '\\');
        oy_buffer_append_char(&escaped, name[i]);
    }
    for (size_t at = 0; at < escaped.len;)
        put_folded(oy_utf8_next(escaped.data, &at), &folded);
    needles_add(&tlds->exact, escaped.data, escaped.len);
    needles_add(&tlds->folded, folded.data, folded.len);
    if (folded.len > tlds->longest)
        tlds->longest = folded.len;
    oy_buffer_release(&escaped);
    oy_buffer_release(&folded);
}

static int load(void *params, struct oy_run *run, struct oy_error *err)
{
    struct url_removal *p = params;

    if (!*p->tlds_filepath)
        return oy_fail(err, OY_USAGE,
                       "'tlds_filepath' must name a list of top-level domains");
    p->tlds = oy_calloc(1, sizeof *p->tlds);
    if (text_list_read(p->tlds_filepath, 0, run, add_domain, p->tlds, err))
        return -1;
    needles_finish(&p->tlds->exact);
    needles_finish(&p->tlds->folded);
    return 0;
}

static void unload(void *params)
{
    struct url_removal *p = params;

    if (!p->tlds)
        return;
    needles_release(&p->tlds->exact);
    needles_release(&p->tlds->folded);
    oy_free(p->tlds);
    p->tlds = NULL;
}

const struct rule rule_dclm_url_removal_modifier = {
    .name = "dclm_url_removal_modifier",
    .params_size = sizeof(struct url_removal),
    .defaults = &defaults,
    .param = param,
    .load = load,
    .unload = unload,
    .judge = judge,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `pii`: puts stand-ins in the place of e-mail addresses and of public IP
 * addresses, keeps every document. datatrove's PIIFormatter
 * (formatters/pii.py): its two regular expressions, matched by hand.
 *
 * Addresses are replaced first, then IPs in the text that came of it. The
 * stand-ins of a list take turns: from record to record (`cycle` = run, as in
 * one task of datatrove) or anew in each (record). */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/rule_internal.h"

enum { CYCLE_RECORD, CYCLE_RUN };

struct pii {
    int remove_emails, remove_ips;
    int only_remove_public_ips;
    struct rule_texts email_replacement, ip_replacement; /* none: "" */
    int cycle;
};

static const char *const email_default[] = {"email@example.com",
                                            "firstname.lastname@example.org"};
/* Drawn by datatrove's authors; they answered no ping. */
static const char *const ip_default[] = {
    "22.214.171.124", "126.96.36.199",  "188.8.131.52",
    "184.108.40.206", "220.127.116.11", "18.104.22.168",
};

static const struct pii defaults = {
    .remove_emails = 1,
    .remove_ips = 1,
    .only_remove_public_ips = 1,
    .email_replacement = {email_default, 2},
    .ip_replacement = {ip_default, 6},
};

static const char *const cycle_name[] = {"record", "run", NULL};

static const struct rule_param param[] = {
    RULE_PARAM(struct pii, RULE_BOOL, remove_emails),
    RULE_PARAM(struct pii, RULE_BOOL, remove_ips),
    RULE_PARAM(struct pii, RULE_BOOL, only_remove_public_ips),
    RULE_PARAM(struct pii, RULE_TEXTS, email_replacement),
    RULE_PARAM(struct pii, RULE_TEXTS, ip_replacement),
    {"cycle", RULE_CHOICE, offsetof(struct pii, cycle), cycle_name},
    {0},
};

struct span {
    size_t at, end;
};

/* ---- characters ---- */

static int is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static int is_alnum(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || is_digit(c);
}

/* Of the local part of an address, dots apart (atext of RFC 5322). */
static int is_atom(char c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+/=?^_`{|}~-", c));
}

/* Python's \w. */
static int is_word_before(const char *text, size_t at)
{
    if (!at)
        return 0;
    do
        at--;
    while (at && (text[at] & 0xc0) == 0x80);
    const uint32_t c = oy_utf8_next(text, &at);
    return c == '_' || (oy_unicode_record_of(c)->python & OY_PY_ALNUM);
}

/* ---- numbers of four parts ---- */

/* The end of one to three digits that make a number up to 255, leading zeros
 * allowed; `at` when there are none, or more. */
static size_t octet_end(struct oy_text text, size_t at)
{
    size_t end = at;
    int value = 0;

    while (end < text.len && end < at + 3 && is_digit(text.at[end]))
        value = value * 10 + (text.at[end++] - '0');
    return value > 255 || (end < text.len && is_digit(text.at[end])) ? at : end;
}

/* The end of the last part, which takes what it can: three digits up to 255,
 * else two. */
static size_t last_octet_end(struct oy_text text, size_t at)
{
    size_t end = at;
    int value = 0;

    while (end < text.len && end < at + 3 && is_digit(text.at[end])) {
        if (value * 10 + (text.at[end] - '0') > 255)
            break;
        value = value * 10 + (text.at[end++] - '0');
    }
    return end;
}

/* Skips three numbers with a dot behind each; 0 when they are not there. */
static size_t three_octets(struct oy_text text, size_t at)
{
    for (int i = 0; i < 3; i++) {
        const size_t end = octet_end(text, at);
        if (end == at || end == text.len || text.at[end] != '.')
            return 0;
        at = end + 1;
    }
    return at;
}

struct network {
    uint32_t address, mask;
};

#define IP(a, b, c, d)                                                         \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (c) << 8 | (d))
#define NETWORK(a, b, c, d, bits)                                              \
    {                                                                          \
        IP(a, b, c, d), ~0U << (32 - (bits))                                   \
    }

/* Python 3.11's ipaddress: what is not global. */
static int is_public(uint32_t address)
{
    static const struct network is_private[] = {
        NETWORK(0, 0, 0, 0, 8),      NETWORK(10, 0, 0, 0, 8),
        NETWORK(100, 64, 0, 0, 10),  NETWORK(127, 0, 0, 0, 8),
        NETWORK(169, 254, 0, 0, 16), NETWORK(172, 16, 0, 0, 12),
        NETWORK(192, 0, 0, 0, 29),   NETWORK(192, 0, 0, 170, 31),
        NETWORK(192, 0, 2, 0, 24),   NETWORK(192, 168, 0, 0, 16),
        NETWORK(198, 18, 0, 0, 15),  NETWORK(198, 51, 100, 0, 24),
        NETWORK(203, 0, 113, 0, 24), NETWORK(240, 0, 0, 0, 4),
    };

    for (size_t i = 0; i < sizeof is_private / sizeof *is_private; i++) {
        if ((address & is_private[i].mask) == is_private[i].address)
            return 0;
    }
    return 1;
}

/* Whether the span, which matched, is an address to be replaced: Python
 * takes no leading zeros. */
static int is_replaced_ip(const struct pii *p, struct oy_text text,
                          struct span span)
{
    uint32_t address = 0, part = 0;

    for (size_t i = span.at; i < span.end; i++) {
        const int begins = i == span.at || text.at[i - 1] == '.';
        if (begins && text.at[i] == '0' && i + 1 < span.end &&
            text.at[i + 1] != '.')
            return 0;
        if (text.at[i] == '.') {
            address = address << 8 | part;
            part = 0;
        } else {
            part = part * 10 + (uint32_t)(text.at[i] - '0');
        }
    }
    return !p->only_remove_public_ips || is_public(address << 8 | part);
}

/* The first IP that begins at `at` or later. A match has a dot with a digit
 * before it and one behind; three digits or fewer before its first dot. */
static int find_ip(struct oy_text text, size_t at, struct span *span)
{
    const char *dot = text.at + at;

    while ((dot = memchr(dot, '.', text.len - (size_t)(dot - text.at)))) {
        const size_t place = (size_t)(dot++ - text.at);
        size_t begin = place;
        while (begin > at && begin + 3 > place && is_digit(text.at[begin - 1]))
            begin--;
        for (; begin < place; begin++) {
            const size_t last = three_octets(text, begin);
            const size_t end = last ? last_octet_end(text, last) : 0;
            if (end <= last)
                continue;
            *span = (struct span){begin, end};
            return 1;
        }
    }
    return 0;
}

int rule_pii_find_ip(struct oy_text text, size_t at, size_t *begin, size_t *end)
{
    struct span span;

    if (!find_ip(text, at, &span))
        return 0;
    *begin = span.at;
    *end = span.end;
    return 1;
}

/* ---- addresses ---- */

/* The end of [A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?, or `at`. */
static size_t label_end(struct oy_text text, size_t at)
{
    size_t end = at;

    for (size_t i = at; i < text.len; i++) {
        if (is_alnum(text.at[i]))
            end = i + 1;
        else if (text.at[i] != '-' || i == at)
            break;
    }
    return end;
}

/* The end of two or more labels, or 0. */
static size_t host_end(struct oy_text text, size_t at)
{
    size_t end = label_end(text, at), n = 0;

    while (end > at && end < text.len && text.at[end] == '.') {
        const size_t next = label_end(text, end + 1);
        if (next == end + 1)
            break;
        at = end + 1;
        end = next;
        n++;
    }
    return n ? end : 0;
}

/* The end of "[1.2.3.4]" or "[1.2.3.tag:]", or 0. */
static size_t literal_end(struct oy_text text, size_t at)
{
    if (at == text.len || text.at[at] != '[')
        return 0;
    const size_t last = three_octets(text, at + 1);
    if (!last)
        return 0;
    size_t end = octet_end(text, last);
    if (end > last && end < text.len && text.at[end] == ']')
        return end + 1;
    for (end = last;
         end < text.len && (is_alnum(text.at[end]) || text.at[end] == '-');)
        end++;
    return end > last && is_alnum(text.at[end - 1]) && end + 1 < text.len &&
                   text.at[end] == ':' && text.at[end + 1] == ']'
               ? end + 2
               : 0;
}

/* The first place from `floor` on where a local part that ends before `at` may
 * begin: atoms joined by single dots, \b before them. `at` when there is
 * none. */
static size_t local_begin(struct oy_text text, size_t floor, size_t at)
{
    size_t first = at;

    for (size_t i = at; i > floor; i--) {
        const char c = text.at[i - 1];
        if (c == '.' && (i == at || text.at[i] == '.'))
            break;
        if (c == '.')
            continue;
        if (!is_atom(c))
            break;
        if (is_word_before(text.at, i - 1) != (is_alnum(c) || c == '_'))
            first = i - 1;
    }
    return first;
}

static int find_email(struct oy_text text, size_t at, struct span *span)
{
    const char *mark = text.at + at;

    while ((mark = memchr(mark, '@', text.len - (size_t)(mark - text.at)))) {
        const size_t place = (size_t)(mark++ - text.at);
        const size_t host = host_end(text, place + 1);
        const size_t end = host ? host : literal_end(text, place + 1);
        const size_t begin = end ? local_begin(text, at, place) : place;
        if (begin == place)
            continue;
        *span = (struct span){begin, end};
        return 1;
    }
    return 0;
}

/* ---- the rule ---- */

/* One of the two kinds of what is replaced. */
struct target {
    int (*find)(struct oy_text text, size_t at, struct span *span);
    /* NULL: all are. */
    int (*is_replaced)(const struct pii *p, struct oy_text text,
                       struct span span);
};

static const struct target email = {find_email, NULL};
static const struct target ip = {find_ip, is_replaced_ip};

/* Returns how many were replaced; *turn goes on. */
static size_t replace(const struct pii *p, const struct target *target,
                      const struct rule_texts *by, struct document *document,
                      uint64_t *turn)
{
    const struct oy_text text = document->text;
    struct oy_buffer *draft = NULL;
    struct span span;
    size_t n = 0, copied = 0;

    for (size_t at = 0; target->find(text, at, &span); at = span.end) {
        if (target->is_replaced && !target->is_replaced(p, text, span))
            continue;
        if (!draft) {
            draft = document_draft(document);
            oy_buffer_reserve(draft, text.len + 1);
        }
        oy_buffer_append(draft, text.at + copied, span.at - copied);
        if (by->n)
            oy_buffer_append_string(draft, by->item[*turn % by->n]);
        ++*turn;
        n++;
        copied = span.end;
    }
    if (!draft)
        return 0;
    oy_buffer_append(draft, text.at + copied, text.len - copied);
    document_rewrite(document, (struct oy_text){draft->data, draft->len});
    return n;
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct pii *p = params;
    uint64_t own[2] = {0, 0};
    uint64_t *turn = p->cycle == CYCLE_RUN ? document->turn : own;
    size_t n_email = 0, n_ip = 0;

    if (p->remove_emails)
        n_email = replace(p, &email, &p->email_replacement, document, turn);
    if (p->remove_ips)
        n_ip = replace(p, &ip, &p->ip_replacement, document, turn + 1);
    measure_count(out, "emails", n_email);
    measure_count(out, "ips", n_ip);
    return NULL;
}

static int takes_turns(const void *params)
{
    const struct pii *p = params;

    return p->cycle == CYCLE_RUN;
}

const struct rule rule_pii = {
    .name = "pii",
    .params_size = sizeof(struct pii),
    .defaults = &defaults,
    .param = param,
    .judge = judge,
    .takes_turns = takes_turns,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding added tokens: a byte trie, entered only at bytes that begin one. */
#include "tokenizer/added_tokens.h"

#include <string.h>

#include "core/alloc.h"
#include "core/unicode.h"
#include "core/utf8.h"

struct node {
    int32_t child;   /* the first one, 0 = none */
    int32_t sibling; /* the next one of the same parent, 0 = none */
    int32_t token;   /* index into vocab->added, -1 = none ends here */
    unsigned char byte;
};

struct added_matcher {
    const struct vocab *vocab;
    struct node *node; /* [0] is no node */
    size_t n_node, cap_node;
    int32_t first[256]; /* the root's children, 0 = none */
    int only_first;     /* the one byte that begins all tokens, or -1 */
};

static int32_t new_node(struct added_matcher *matcher, unsigned char byte)
{
    OY_GROW(matcher->node, matcher->cap_node, matcher->n_node + 1);
    matcher->node[matcher->n_node] = (struct node){.token = -1, .byte = byte};
    return (int32_t)matcher->n_node++;
}

static int32_t find_child(const struct added_matcher *matcher, int32_t parent,
                          unsigned char byte)
{
    int32_t at = matcher->node[parent].child;

    while (at && matcher->node[at].byte != byte)
        at = matcher->node[at].sibling;
    return at;
}

static void insert(struct added_matcher *matcher, const char *content,
                   size_t len, int32_t token)
{
    const unsigned char *byte = (const unsigned char *)content;

    if (!len)
        return;
    if (!matcher->first[byte[0]])
        matcher->first[byte[0]] = new_node(matcher, byte[0]);
    int32_t at = matcher->first[byte[0]];
    for (size_t i = 1; i < len; i++) {
        int32_t child = find_child(matcher, at, byte[i]);
        if (!child) {
            child = new_node(matcher, byte[i]);
            matcher->node[child].sibling = matcher->node[at].child;
            matcher->node[at].child = child;
        }
        at = child;
    }
    matcher->node[at].token = token;
}

struct added_matcher *added_matcher_new(const struct vocab *vocab,
                                        int normalized)
{
    struct added_matcher *matcher = oy_calloc(1, sizeof *matcher);
    int n_first = 0;

    matcher->vocab = vocab;
    new_node(matcher, 0);
    for (size_t i = 0; i < vocab->n_added; i++) {
        const struct vocab_added *added = &vocab->added[i];
        if (!added->normalized != !normalized)
            continue;
        insert(matcher, added->normal.at, added->normal.len, (int32_t)i);
    }
    for (int byte = 0; byte < 256; byte++) {
        if (matcher->first[byte]) {
            matcher->only_first = byte;
            n_first++;
        }
    }
    if (n_first != 1)
        matcher->only_first = -1;
    return matcher;
}

void added_matcher_free(struct added_matcher *matcher)
{
    if (!matcher)
        return;
    oy_free(matcher->node);
    oy_free(matcher);
}

int added_matcher_is_empty(const struct added_matcher *matcher)
{
    return matcher->n_node == 1;
}

/* The next place from `at` on where a token may begin, or len. */
static size_t find_candidate(const struct added_matcher *matcher,
                             const char *text, size_t len, size_t at)
{
    if (matcher->only_first >= 0) {
        const char *hit = memchr(text + at, matcher->only_first, len - at);
        return hit ? (size_t)(hit - text) : len;
    }
    while (at < len && !matcher->first[(unsigned char)text[at]])
        at++;
    return at;
}

/* The longest token at text[at]: its index and end, or -1. */
static int32_t longest_at(const struct added_matcher *matcher, const char *text,
                          size_t len, size_t at, size_t *end)
{
    int32_t found = -1;
    int32_t node = matcher->first[(unsigned char)text[at]];

    while (node) {
        at++;
        if (matcher->node[node].token >= 0) {
            found = matcher->node[node].token;
            *end = at;
        }
        if (at == len)
            break;
        node = find_child(matcher, node, (unsigned char)text[at]);
    }
    return found;
}

/* `\w` of Rust's regex: Alphabetic, marks, decimal digits, connectors and
 * joiners (UTS #18). Alphabetic is letters, letter numbers, marks, and the
 * circled and squared letters of category So. */
static int is_word(uint32_t c)
{
    switch (oy_unicode_category(c, 16)) {
    case OY_LU:
    case OY_LL:
    case OY_LT:
    case OY_LM:
    case OY_LO:
    case OY_MN:
    case OY_MC:
    case OY_ME:
    case OY_ND:
    case OY_NL:
    case OY_PC: return 1;
    default: break;
    }
    return c == 0x200c || c == 0x200d || (c >= 0x24b6 && c <= 0x24e9) ||
           (c >= 0x1f130 && c <= 0x1f149) || (c >= 0x1f150 && c <= 0x1f169) ||
           (c >= 0x1f170 && c <= 0x1f189);
}

static int stands_alone(const struct added_scan *scan, size_t begin, size_t end)
{
    if (begin && is_word(oy_utf8_previous(scan->text, &begin)))
        return 0;
    return end == scan->len || !is_word(oy_utf8_next(scan->text, &end));
}

static int is_space(uint32_t c)
{
    return (oy_unicode_class16(c) & OY_IS_SPACE) != 0;
}

static void widen(const struct added_scan *scan, struct added_match *match)
{
    if (match->token->lstrip) {
        size_t begin = match->begin;
        size_t at = begin;
        while (begin && is_space(oy_utf8_previous(scan->text, &at)))
            begin = at;
        match->begin = begin > scan->floor ? begin : scan->floor;
    }
    if (match->token->rstrip) {
        size_t at = match->end;
        while (match->end < scan->len &&
               is_space(oy_utf8_next(scan->text, &at)))
            match->end = at;
    }
}

int added_scan_next(const struct added_matcher *matcher,
                    struct added_scan *scan, struct added_match *match)
{
    while (scan->at < scan->len) {
        const size_t begin =
            find_candidate(matcher, scan->text, scan->len, scan->at);
        size_t end;
        if (begin == scan->len)
            break;
        const int32_t index =
            longest_at(matcher, scan->text, scan->len, begin, &end);
        if (index < 0) {
            scan->at = begin + 1;
            continue;
        }
        scan->at = end;
        match->token = &matcher->vocab->added[index];
        if (scan->plain_special && match->token->special)
            continue;
        if (match->token->single_word && !stands_alone(scan, begin, end))
            continue;
        match->begin = begin;
        match->end = end;
        widen(scan, match);
        /* All of it lies in the white space that the match before took. */
        if (match->begin >= match->end)
            continue;
        scan->floor = match->end;
        return 1;
    }
    scan->at = scan->len;
    return 0;
}

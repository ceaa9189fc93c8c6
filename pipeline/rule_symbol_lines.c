/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `symbol_lines`: takes out lines of symbols alone, keeps every document.
 * datatrove's SymbolLinesFormatter (symbol_lines_remover.py). */
#include <string.h>

#include "core/utf8.h"
#include "pipeline/marks.h"
#include "pipeline/rule_internal.h"

struct symbol_lines {
    struct rule_texts symbols_to_remove; /* none: marks_is_punctuation */
    const char *replace_char;            /* for a run of lines; may be "" */
};

static const struct symbol_lines defaults = {.replace_char = ""};

static const struct rule_param param[] = {
    RULE_PARAM(struct symbol_lines, RULE_TEXTS, symbols_to_remove),
    RULE_PARAM(struct symbol_lines, RULE_TEXT, replace_char),
    {0},
};

/* A symbol of the list is one character; longer ones match none. */
static int is_symbol(const struct symbol_lines *p, const char *at, size_t len,
                     uint32_t c)
{
    const struct rule_texts *list = &p->symbols_to_remove;

    if (c == ' ')
        return 1;
    if (list->n == 0)
        return marks_is_punctuation(c);
    for (size_t i = 0; i < list->n; i++) {
        if (strlen(list->item[i]) == len && memcmp(list->item[i], at, len) == 0)
            return 1;
    }
    return 0;
}

static inline int is_letter_or_digit(unsigned char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 ||
           (unsigned char)(c - '0') < 10;
}

/* Symbols and spaces alone, and not white space alone. */
static int is_of_symbols(const struct symbol_lines *p, const char *text,
                         struct piece line)
{
    const char *at = text + line.at;
    const int is_default = p->symbols_to_remove.n == 0;

    for (size_t next = 0; next < line.len;) {
        const size_t start = next;
        const uint32_t c = oy_utf8_next(at, &next);
        if (is_default && c < 0x80 && is_letter_or_digit((unsigned char)c))
            return 0;
        if (!is_symbol(p, at + start, next - start, c))
            return 0;
    }
    words_strip(text, &line.at, &line.len);
    return line.len > 0;
}

/* Lines joined by line feeds; *n_dropped counts those that went. */
static void put_lines(const struct symbol_lines *p, struct document *document,
                      struct oy_buffer *draft, size_t *n_dropped)
{
    const struct pieces *lines = document_split_lines(document);
    const char *text = document->text.at;
    int is_within = 0, n_put = 0;

    for (size_t i = 0; i < lines->n; i++) {
        const struct piece line = lines->item[i];
        const int goes = is_of_symbols(p, text, line);
        const int is_replaced = goes && !is_within && *p->replace_char;
        *n_dropped += (size_t)goes;
        is_within = goes;
        if (goes && !is_replaced)
            continue;
        if (n_put)
            oy_buffer_append_char(draft, '\n');
        n_put = 1;
        if (goes)
            oy_buffer_append_string(draft, p->replace_char);
        else
            oy_buffer_append(draft, text + line.at, line.len);
    }
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    struct oy_buffer *draft = document_draft(document);
    size_t n_dropped = 0;

    oy_buffer_reserve(draft, document->text.len + 1);
    put_lines(params, document, draft, &n_dropped);
    measure_count(out, "symbol_lines", n_dropped);
    if (draft->len != document->text.len ||
        memcmp(draft->data, document->text.at, draft->len) != 0)
        document_rewrite(document, (struct oy_text){draft->data, draft->len});
    return NULL;
}

const struct rule rule_symbol_lines = {
    .name = "symbol_lines",
    .params_size = sizeof(struct symbol_lines),
    .defaults = &defaults,
    .param = param,
    .judge = judge,
};

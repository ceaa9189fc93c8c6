/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the parser of templates share. Every function that
 * gives a node gives NULL after a failure. */
#ifndef TOKENIZER_TEMPLATE_PARSER_INTERNAL_H
#define TOKENIZER_TEMPLATE_PARSER_INTERNAL_H

#include "tokenizer/template_internal.h"

struct parser {
    const struct token *token; /* the next one; the last is TOKEN_EOF */
    struct oy_arena *arena;
    struct oy_error *err;
    const char *ends; /* names of blocks that end the body, or NULL */
    int depth;
};

struct node *parser_node(struct parser *parser, enum node_kind kind);
void *parser_fail(struct parser *parser, const char *why);
/* Counts a level of nesting; the caller takes it off `depth` again. */
int parser_enter(struct parser *parser);
int parser_at(const struct parser *parser, enum token_kind kind,
              const char *text);
int parser_take(struct parser *parser, enum token_kind kind, const char *text);
int parser_expect(struct parser *parser, enum token_kind kind,
                  const char *text);
int parser_name(struct parser *parser, struct oy_text *name);
struct node *parser_target(struct parser *parser);

struct node *parser_expression(struct parser *parser);
/* Expressions with commas between are a tuple; `choice`: `a if b else c` is
 * allowed, as it is not in the head of a loop. */
struct node *parser_tuple(struct parser *parser, int choice);
/* `|name(...)` behind an operand, as often as they come; and the first one of
 * a filter block, which has no `|`. */
struct node *parser_filters(struct parser *parser, struct node *operand);
struct node *parser_first_filter(struct parser *parser, struct node *operand);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of a template made into a tree: statements. Expressions are in
 * template_expression.c. */
#include <string.h>

#include "tokenizer/template_parser_internal.h"

struct node *parser_node(struct parser *parser, enum node_kind kind)
{
    struct node *node = oy_arena_alloc(parser->arena, sizeof *node);

    *node = (struct node){.kind = kind, .line = parser->token->line};
    return node;
}

void *parser_fail(struct parser *parser, const char *why)
{
    oy_fail(parser->err, OY_DATA, "template line %d: %s", parser->token->line,
            why);
    return NULL;
}

int parser_enter(struct parser *parser)
{
    if (++parser->depth <= TEMPLATE_MAX_DEPTH)
        return 0;
    parser_fail(parser, "nested too deep");
    return -1;
}

int parser_at(const struct parser *parser, enum token_kind kind,
              const char *text)
{
    return parser->token->kind == kind &&
           template_equals(parser->token->text, text);
}

int parser_take(struct parser *parser, enum token_kind kind, const char *text)
{
    if (!parser_at(parser, kind, text))
        return 0;
    parser->token++;
    return 1;
}

int parser_expect(struct parser *parser, enum token_kind kind, const char *text)
{
    if (parser_take(parser, kind, text))
        return 0;
    oy_fail(parser->err, OY_DATA, "template line %d: expected '%s'",
            parser->token->line, text);
    return -1;
}

int parser_name(struct parser *parser, struct oy_text *name)
{
    if (parser->token->kind != TOKEN_NAME) {
        parser_fail(parser, "expected a name");
        return -1;
    }
    *name = parser->token++->text;
    return 0;
}

static int end_block(struct parser *parser)
{
    if (parser->token->kind != TOKEN_END_BLOCK) {
        parser_fail(parser, "expected the end of the block");
        return -1;
    }
    parser->token++;
    return 0;
}

/* ---- targets ---- */

static struct node *parse_target_item(struct parser *parser)
{
    struct node *name = parser_node(parser, NODE_NAME);
    struct node *member;

    if (parser_take(parser, TOKEN_OPERATOR, "(")) {
        name = parser_target(parser);
        return name && !parser_expect(parser, TOKEN_OPERATOR, ")") ? name
                                                                   : NULL;
    }
    if (parser_name(parser, &name->text))
        return NULL;
    if (!parser_take(parser, TOKEN_OPERATOR, "."))
        return name;
    member = parser_node(parser, NODE_MEMBER);
    member->a = name;
    return parser_name(parser, &member->text) ? NULL : member;
}

struct node *parser_target(struct parser *parser)
{
    struct node *first = NULL;

    if (parser_enter(parser))
        return NULL;
    first = parse_target_item(parser);
    if (first && parser_at(parser, TOKEN_OPERATOR, ",")) {
        struct node *tuple = parser_node(parser, NODE_TUPLE);
        struct node *last = first;
        tuple->a = first;
        while (last && parser_take(parser, TOKEN_OPERATOR, ",")) {
            if (parser->token->kind != TOKEN_NAME &&
                !parser_at(parser, TOKEN_OPERATOR, "("))
                break;
            last->next = parse_target_item(parser);
            last = last->next;
        }
        first = last ? tuple : NULL;
    }
    parser->depth--;
    return first;
}

/* ---- statements ---- */

static int parse_body(struct parser *parser, struct node **body);

/* Whether the block that begins here has one of the names in `list`
 * ("else elif endif"). */
static int at_end_name(const struct parser *parser, const char *list)
{
    const char *found = list;
    struct oy_text name;

    /* Behind TOKEN_BLOCK stands another token: the lexer saw to that. */
    if (parser->token->kind != TOKEN_BLOCK ||
        parser->token[1].kind != TOKEN_NAME)
        return 0;
    name = parser->token[1].text;
    while ((found = strstr(found, " ")) != NULL) {
        found++;
        if (!strncmp(found, name.at, name.len) &&
            (found[name.len] == ' ' || found[name.len] == '\0'))
            return 1;
    }
    return 0;
}

/* A body and the name of the block that ended it, which is consumed up to
 * and with that name. */
static int parse_until(struct parser *parser, const char *ends,
                       struct node **body, struct oy_text *end)
{
    const char *outer = parser->ends;

    parser->ends = ends;
    if (parse_body(parser, body))
        return -1;
    parser->ends = outer;
    if (!at_end_name(parser, ends)) {
        oy_fail(parser->err, OY_DATA, "template line %d: expected one of:%s",
                parser->token->line, ends);
        return -1;
    }
    *end = parser->token[1].text;
    parser->token += 2;
    return 0;
}

static struct node *parse_if(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_IF);
    struct oy_text end;

    if (parser_enter(parser))
        return NULL;
    node->a = parser_expression(parser);
    if (!node->a || end_block(parser) ||
        parse_until(parser, " elif else endif", &node->b, &end))
        return NULL;
    if (template_equals(end, "elif")) {
        node->c = parse_if(parser);
        if (!node->c)
            return NULL;
    } else if (template_equals(end, "else")) {
        if (end_block(parser) ||
            parse_until(parser, " endif", &node->c, &end) || end_block(parser))
            return NULL;
    } else if (end_block(parser)) {
        return NULL;
    }
    parser->depth--;
    return node;
}

static struct node *parse_for(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_FOR);
    struct oy_text end;

    node->a = parser_target(parser);
    if (!node->a || parser_expect(parser, TOKEN_NAME, "in"))
        return NULL;
    node->b = parser_tuple(parser, 0);
    if (!node->b)
        return NULL;
    if (parser_take(parser, TOKEN_NAME, "if")) {
        node->e = parser_expression(parser);
        if (!node->e)
            return NULL;
    }
    if (parser_take(parser, TOKEN_NAME, "recursive"))
        node->op = 'r';
    if (end_block(parser) ||
        parse_until(parser, " else endfor", &node->c, &end))
        return NULL;
    if (template_equals(end, "else") &&
        (end_block(parser) || parse_until(parser, " endfor", &node->d, &end)))
        return NULL;
    return end_block(parser) ? NULL : node;
}

/* `set x = value`, or `set x | filter` ... endset. */
static struct node *parse_set(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_SET);
    struct oy_text end;

    node->a = parser_target(parser);
    if (!node->a)
        return NULL;
    if (parser_take(parser, TOKEN_OPERATOR, "=")) {
        node->b = parser_tuple(parser, 1);
        return node->b && !end_block(parser) ? node : NULL;
    }
    node->kind = NODE_SET_BLOCK;
    node->b = parser_filters(parser, parser_node(parser, NODE_CAPTURED));
    if (!node->b || end_block(parser) ||
        parse_until(parser, " endset", &node->c, &end))
        return NULL;
    return end_block(parser) ? NULL : node;
}

/* (a, b=1): a list of ARGUMENTs with name and perhaps a default. */
static int parse_parameters(struct parser *parser, struct node **list)
{
    struct node **last = list;

    if (parser_expect(parser, TOKEN_OPERATOR, "("))
        return -1;
    while (!parser_at(parser, TOKEN_OPERATOR, ")")) {
        *last = parser_node(parser, NODE_ARGUMENT);
        if (parser_name(parser, &(*last)->text))
            return -1;
        if (parser_take(parser, TOKEN_OPERATOR, "=")) {
            (*last)->a = parser_expression(parser);
            if (!(*last)->a)
                return -1;
        }
        last = &(*last)->next;
        if (!parser_take(parser, TOKEN_OPERATOR, ","))
            break;
    }
    return parser_expect(parser, TOKEN_OPERATOR, ")");
}

static struct node *parse_macro(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_MACRO);
    struct oy_text end;

    if (parser_name(parser, &node->text) ||
        parse_parameters(parser, &node->a) || end_block(parser) ||
        parse_until(parser, " endmacro", &node->c, &end))
        return NULL;
    if (parser->token->kind == TOKEN_NAME)
        parser->token++;
    return end_block(parser) ? NULL : node;
}

static struct node *parse_call(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_CALL_BLOCK);
    struct oy_text end;

    if (parser_at(parser, TOKEN_OPERATOR, "(") &&
        parse_parameters(parser, &node->b))
        return NULL;
    node->a = parser_expression(parser);
    if (!node->a)
        return NULL;
    if (node->a->kind != NODE_CALL)
        return parser_fail(parser, "expected a call");
    if (end_block(parser) || parse_until(parser, " endcall", &node->c, &end))
        return NULL;
    return end_block(parser) ? NULL : node;
}

static struct node *parse_filter_block(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_FILTER_BLOCK);
    struct oy_text end;

    node->b = parser_first_filter(parser, parser_node(parser, NODE_CAPTURED));
    if (node->b)
        node->b = parser_filters(parser, node->b);
    if (!node->b || end_block(parser) ||
        parse_until(parser, " endfilter", &node->c, &end))
        return NULL;
    return end_block(parser) ? NULL : node;
}

static struct node *parse_with(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_WITH);
    struct node **last = &node->a;
    struct oy_text end;

    while (parser->token->kind != TOKEN_END_BLOCK) {
        *last = parser_node(parser, NODE_SET);
        (*last)->a = parser_target(parser);
        if (!(*last)->a || parser_expect(parser, TOKEN_OPERATOR, "="))
            return NULL;
        (*last)->b = parser_expression(parser);
        if (!(*last)->b)
            return NULL;
        last = &(*last)->next;
        if (!parser_take(parser, TOKEN_OPERATOR, ","))
            break;
    }
    if (end_block(parser) || parse_until(parser, " endwith", &node->c, &end))
        return NULL;
    return end_block(parser) ? NULL : node;
}

/* transformers marks what the assistant said. */
static struct node *parse_generation(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_GENERATION);
    struct oy_text end;

    if (end_block(parser) ||
        parse_until(parser, " endgeneration", &node->c, &end))
        return NULL;
    return end_block(parser) ? NULL : node;
}

static struct node *parse_break(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_BREAK);

    return end_block(parser) ? NULL : node;
}

static struct node *parse_continue(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_CONTINUE);

    return end_block(parser) ? NULL : node;
}

static struct node *parse_block(struct parser *parser)
{
    static const struct {
        const char *name;
        struct node *(*parse)(struct parser *parser);
    } statement[] = {
        {"if", parse_if},       {"for", parse_for},
        {"set", parse_set},     {"macro", parse_macro},
        {"call", parse_call},   {"filter", parse_filter_block},
        {"with", parse_with},   {"generation", parse_generation},
        {"break", parse_break}, {"continue", parse_continue},
    };
    struct node *node = NULL;

    parser->token++;
    if (parser_enter(parser))
        return NULL;
    for (size_t i = 0; i < sizeof statement / sizeof *statement; i++) {
        if (parser_take(parser, TOKEN_NAME, statement[i].name)) {
            node = statement[i].parse(parser);
            parser->depth--;
            return node;
        }
    }
    return parser_fail(parser, "unknown block");
}

static struct node *parse_statement(struct parser *parser)
{
    struct node *node;

    if (parser->token->kind == TOKEN_BLOCK)
        return parse_block(parser);
    if (parser->token->kind == TOKEN_TEXT) {
        node = parser_node(parser, NODE_TEXT);
        node->text = parser->token++->text;
        return node;
    }
    node = parser_node(parser, NODE_PRINT);
    parser->token++;
    node->a = parser_tuple(parser, 1);
    if (!node->a)
        return NULL;
    if (parser->token->kind != TOKEN_CLOSE)
        return parser_fail(parser, "expected the end of the expression");
    parser->token++;
    return node;
}

static int parse_body(struct parser *parser, struct node **body)
{
    while (parser->token->kind != TOKEN_EOF) {
        if (parser->ends && at_end_name(parser, parser->ends))
            return 0;
        *body = parse_statement(parser);
        if (!*body)
            return -1;
        body = &(*body)->next;
    }
    return 0;
}

int template_parse(const struct token_list *list, int expression,
                   struct oy_arena *arena, struct node **root,
                   struct oy_error *err)
{
    struct parser parser = {.token = list->token, .arena = arena, .err = err};

    *root = NULL;
    if (expression) {
        *root = parser_tuple(&parser, 1);
        if (*root && parser.token->kind != TOKEN_EOF)
            *root = parser_fail(&parser, "expected the end of the expression");
        return *root ? 0 : -1;
    }
    return parse_body(&parser, root);
}

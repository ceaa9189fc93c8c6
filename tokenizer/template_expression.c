/* SPDX-License-Identifier: Apache-2.0
 *
 * Expressions of templates: recursive descent, with the order of
 * jinja2/parser.py. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/template_parser_internal.h"

static struct node *parse_or(struct parser *parser);
static struct node *parse_unary(struct parser *parser, int with_filters);

static struct node *binary(struct parser *parser, enum node_kind kind, char op,
                           struct node *left, struct node *right)
{
    struct node *node = parser_node(parser, kind);

    node->op = op;
    node->a = left;
    node->b = right;
    return right ? node : NULL;
}

/* ---- literals ---- */

static struct node *parse_list(struct parser *parser, enum node_kind kind,
                               const char *close)
{
    struct node *node = parser_node(parser, kind);
    struct node **last = &node->a;

    while (!parser_at(parser, TOKEN_OPERATOR, close)) {
        *last = parser_expression(parser);
        if (!*last)
            return NULL;
        last = &(*last)->next;
        if (!parser_take(parser, TOKEN_OPERATOR, ","))
            break;
    }
    return parser_expect(parser, TOKEN_OPERATOR, close) ? NULL : node;
}

static struct node *parse_dict(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_DICT);
    struct node **last = &node->a;

    while (!parser_at(parser, TOKEN_OPERATOR, "}")) {
        struct node *pair = parser_node(parser, NODE_PAIR);
        pair->a = parser_expression(parser);
        if (!pair->a || parser_expect(parser, TOKEN_OPERATOR, ":"))
            return NULL;
        pair->b = parser_expression(parser);
        if (!pair->b)
            return NULL;
        *last = pair;
        last = &pair->next;
        if (!parser_take(parser, TOKEN_OPERATOR, ","))
            break;
    }
    return parser_expect(parser, TOKEN_OPERATOR, "}") ? NULL : node;
}

/* (a) is a, (a,) and () are tuples. */
static struct node *parse_parenthesis(struct parser *parser)
{
    struct node *node;

    if (parser_at(parser, TOKEN_OPERATOR, ")"))
        return parse_list(parser, NODE_TUPLE, ")");
    node = parser_tuple(parser, 1);
    if (!node || parser_expect(parser, TOKEN_OPERATOR, ")"))
        return NULL;
    return node;
}

static struct node *parse_number(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_CONST);
    const struct token *token = parser->token++;
    char digits[64];
    size_t n = 0;

    for (size_t i = 0; i < token->text.len && n + 1 < sizeof digits; i++) {
        if (token->text.at[i] != '_')
            digits[n++] = token->text.at[i];
    }
    digits[n] = '\0';
    errno = 0;
    if (token->kind == TOKEN_INT)
        node->value = template_int(strtoll(digits, NULL, 10));
    else if (oy_json_double(&(struct oy_json_value){OY_JSON_NUMBER, digits, n},
                            &node->value.number) == 0)
        node->value.kind = TEMPLATE_FLOAT;
    else
        errno = EINVAL;
    return errno ? parser_fail(parser, "number out of range") : node;
}

/* Texts that follow each other are one. */
static struct node *parse_string(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_CONST);
    struct oy_buffer text = {0};

    while (parser->token->kind == TOKEN_STRING) {
        oy_buffer_append(&text, parser->token->text.at,
                         parser->token->text.len);
        parser->token++;
    }
    node->value = template_string(
        oy_arena_copy(parser->arena, text.data, text.len), text.len);
    oy_buffer_release(&text);
    return node;
}

static struct node *parse_name(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_NAME);

    node->text = parser->token++->text;
    if (template_equals(node->text, "true") ||
        template_equals(node->text, "True"))
        node->value = template_bool(1);
    else if (template_equals(node->text, "false") ||
             template_equals(node->text, "False"))
        node->value = template_bool(0);
    else if (template_equals(node->text, "none") ||
             template_equals(node->text, "None"))
        node->value = template_none();
    else
        return node;
    node->kind = NODE_CONST;
    return node;
}

static struct node *parse_primary(struct parser *parser)
{
    switch (parser->token->kind) {
    case TOKEN_NAME: return parse_name(parser);
    case TOKEN_STRING: return parse_string(parser);
    case TOKEN_INT:
    case TOKEN_FLOAT: return parse_number(parser);
    default: break;
    }
    if (parser_take(parser, TOKEN_OPERATOR, "("))
        return parse_parenthesis(parser);
    if (parser_take(parser, TOKEN_OPERATOR, "["))
        return parse_list(parser, NODE_LIST, "]");
    if (parser_take(parser, TOKEN_OPERATOR, "{"))
        return parse_dict(parser);
    return parser_fail(parser, "expected a value");
}

/* ---- what follows a value ---- */

/* One argument: value, name=value, *value, **value. */
static struct node *parse_argument(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_ARGUMENT);

    if (parser_take(parser, TOKEN_OPERATOR, "*")) {
        node->op = '*';
    } else if (parser_take(parser, TOKEN_OPERATOR, "**")) {
        node->op = 'd';
    } else if (parser->token->kind == TOKEN_NAME &&
               parser->token[1].kind == TOKEN_OPERATOR &&
               template_equals(parser->token[1].text, "=")) {
        node->text = parser->token->text;
        parser->token += 2;
    }
    node->a = parser_expression(parser);
    return node->a ? node : NULL;
}

/* Behind the "(". */
static int parse_arguments(struct parser *parser, struct node **list)
{
    while (!parser_at(parser, TOKEN_OPERATOR, ")")) {
        *list = parse_argument(parser);
        if (!*list)
            return -1;
        list = &(*list)->next;
        if (!parser_take(parser, TOKEN_OPERATOR, ","))
            break;
    }
    return parser_expect(parser, TOKEN_OPERATOR, ")");
}

static int at_bound_end(const struct parser *parser)
{
    return parser_at(parser, TOKEN_OPERATOR, ":") ||
           parser_at(parser, TOKEN_OPERATOR, "]");
}

static int parse_bound(struct parser *parser, struct node **bound)
{
    if (at_bound_end(parser))
        return 0;
    *bound = parser_expression(parser);
    return *bound ? 0 : -1;
}

/* a[b] and a[b:c:d], behind the "[". */
static struct node *parse_subscript(struct parser *parser, struct node *value)
{
    struct node *node = parser_node(parser, NODE_ITEM);

    node->a = value;
    if (parse_bound(parser, &node->b))
        return NULL;
    if (parser_take(parser, TOKEN_OPERATOR, ":")) {
        node->kind = NODE_SLICE;
        if (parse_bound(parser, &node->c))
            return NULL;
        if (parser_take(parser, TOKEN_OPERATOR, ":") &&
            parse_bound(parser, &node->d))
            return NULL;
    } else if (!node->b) {
        return parser_fail(parser, "expected an index");
    }
    return parser_expect(parser, TOKEN_OPERATOR, "]") ? NULL : node;
}

/* a.name; a.0 is a[0]. */
static struct node *parse_member(struct parser *parser, struct node *value)
{
    struct node *node = parser_node(parser, NODE_MEMBER);

    node->a = value;
    if (parser->token->kind != TOKEN_INT)
        return parser_name(parser, &node->text) ? NULL : node;
    node->kind = NODE_ITEM;
    node->b = parse_number(parser);
    return node->b ? node : NULL;
}

static struct node *parse_call(struct parser *parser, struct node *value)
{
    struct node *node = parser_node(parser, NODE_CALL);

    node->a = value;
    return parse_arguments(parser, &node->b) ? NULL : node;
}

static struct node *parse_postfix(struct parser *parser, struct node *value)
{
    /* A chain of n parts is n deep in the tree, and is walked so. */
    for (int n = 0; value; n++) {
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        if (parser_take(parser, TOKEN_OPERATOR, "."))
            value = parse_member(parser, value);
        else if (parser_take(parser, TOKEN_OPERATOR, "["))
            value = parse_subscript(parser, value);
        else if (parser_take(parser, TOKEN_OPERATOR, "("))
            value = parse_call(parser, value);
        else
            break;
    }
    return value;
}

/* Names of filters and tests may have dots. */
static int parse_dotted(struct parser *parser, struct oy_text *name)
{
    struct oy_text part;

    if (parser_name(parser, name))
        return -1;
    while (parser_take(parser, TOKEN_OPERATOR, ".")) {
        if (parser_name(parser, &part))
            return -1;
        name->len = (size_t)(part.at + part.len - name->at);
    }
    return 0;
}

struct node *parser_first_filter(struct parser *parser, struct node *operand)
{
    struct node *node = parser_node(parser, NODE_FILTER);

    node->a = operand;
    if (parse_dotted(parser, &node->text))
        return NULL;
    if (parser_take(parser, TOKEN_OPERATOR, "(") &&
        parse_arguments(parser, &node->b))
        return NULL;
    return node;
}

struct node *parser_filters(struct parser *parser, struct node *operand)
{
    for (int n = 0; operand && parser_take(parser, TOKEN_OPERATOR, "|"); n++) {
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        operand = parser_first_filter(parser, operand);
    }
    return operand;
}

/* A test's argument without parentheses: `is divisibleby 3`. */
static int at_bare_argument(const struct parser *parser)
{
    switch (parser->token->kind) {
    case TOKEN_NAME:
        return !parser_at(parser, TOKEN_NAME, "else") &&
               !parser_at(parser, TOKEN_NAME, "or") &&
               !parser_at(parser, TOKEN_NAME, "and") &&
               !parser_at(parser, TOKEN_NAME, "if") &&
               !parser_at(parser, TOKEN_NAME, "is") &&
               !parser_at(parser, TOKEN_NAME, "in") &&
               !parser_at(parser, TOKEN_NAME, "not") &&
               !parser_at(parser, TOKEN_NAME, "recursive");
    case TOKEN_STRING:
    case TOKEN_INT:
    case TOKEN_FLOAT: return 1;
    default:
        return parser_at(parser, TOKEN_OPERATOR, "[") ||
               parser_at(parser, TOKEN_OPERATOR, "{");
    }
}

static struct node *parse_test(struct parser *parser, struct node *value)
{
    struct node *node = parser_node(parser, NODE_TEST);
    const int negated = parser_take(parser, TOKEN_NAME, "not");

    node->a = value;
    if (parser->token->kind == TOKEN_NAME) {
        if (parse_dotted(parser, &node->text))
            return NULL;
    } else {
        return parser_fail(parser, "expected the name of a test");
    }
    if (parser_take(parser, TOKEN_OPERATOR, "(")) {
        if (parse_arguments(parser, &node->b))
            return NULL;
    } else if (at_bare_argument(parser)) {
        node->b = parser_node(parser, NODE_ARGUMENT);
        node->b->a = parse_primary(parser);
        node->b->a = parse_postfix(parser, node->b->a);
        if (!node->b->a)
            return NULL;
    }
    if (!negated)
        return node;

    struct node *negation = parser_node(parser, NODE_NOT);
    negation->a = node;
    return negation;
}

static struct node *parse_filters_and_tests(struct parser *parser,
                                            struct node *value)
{
    for (int n = 0; value; n++) {
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        if (parser_at(parser, TOKEN_OPERATOR, "|"))
            value = parser_filters(parser, value);
        else if (parser_take(parser, TOKEN_NAME, "is"))
            value = parse_test(parser, value);
        else if (parser_take(parser, TOKEN_OPERATOR, "("))
            value = parse_call(parser, value);
        else
            break;
    }
    return value;
}

/* ---- operators, strongest first ---- */

static struct node *parse_power(struct parser *parser, struct node *left)
{
    struct node *right;

    if (!left || !parser_take(parser, TOKEN_OPERATOR, "**"))
        return left;
    right = parse_unary(parser, 0);
    return binary(parser, NODE_BINARY, 'p', left, right);
}

static struct node *parse_sign(struct parser *parser, enum node_kind kind)
{
    struct node *node = parser_node(parser, kind);

    node->a = parse_unary(parser, 0);
    return node->a ? node : NULL;
}

static struct node *parse_unary(struct parser *parser, int with_filters)
{
    struct node *node;

    if (parser_enter(parser))
        return NULL;
    if (parser_take(parser, TOKEN_OPERATOR, "-"))
        node = parse_sign(parser, NODE_NEGATIVE);
    else if (parser_take(parser, TOKEN_OPERATOR, "+"))
        node = parse_sign(parser, NODE_POSITIVE);
    else
        node = parse_primary(parser);
    if (node)
        node = parse_postfix(parser, node);
    if (node && with_filters)
        node = parse_filters_and_tests(parser, node);
    parser->depth--;
    return node;
}

/* Left-associative operators of one level, and the level above them. */
struct level {
    const char *op[4];
    char code[4];
};

static struct node *parse_level(struct parser *parser, int level)
{
    static const struct level table[] = {
        {{"+", "-"}, "+-"},
        {{"~"}, "~"},
        {{"*", "/", "//", "%"}, {'*', '/', 'f', '%'}},
    };
    struct node *left;

    if (level == 3)
        return parse_power(parser, parse_unary(parser, 1));
    left = parse_level(parser, level + 1);
    for (int n = 0; left; n++) {
        int i = 0;
        while (i < 4 && table[level].op[i] &&
               !parser_take(parser, TOKEN_OPERATOR, table[level].op[i]))
            i++;
        if (i == 4 || !table[level].op[i])
            break;
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        left = binary(parser, NODE_BINARY, table[level].code[i], left,
                      parse_level(parser, level + 1));
    }
    return left;
}

/* The code of a comparison operator that stands here (and is taken), or 0. */
static char take_comparison(struct parser *parser)
{
    static const struct {
        const char *op;
        char code;
    } table[] = {{"==", '='}, {"!=", '!'}, {"<", '<'},
                 {">", '>'},  {"<=", 'l'}, {">=", 'g'}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (parser_take(parser, TOKEN_OPERATOR, table[i].op))
            return table[i].code;
    }
    if (parser_take(parser, TOKEN_NAME, "in"))
        return 'i';
    if (parser_at(parser, TOKEN_NAME, "not") &&
        parser->token[1].kind == TOKEN_NAME &&
        template_equals(parser->token[1].text, "in")) {
        parser->token += 2;
        return 'n';
    }
    return 0;
}

static struct node *parse_compare(struct parser *parser)
{
    struct node *left = parse_level(parser, 0);
    struct node *node = NULL;
    struct node **last = NULL;
    char code;

    while (left && (code = take_comparison(parser)) != 0) {
        if (!node) {
            node = parser_node(parser, NODE_COMPARE);
            node->a = left;
            last = &node->b;
        }
        *last = parser_node(parser, NODE_COMPARED);
        (*last)->op = code;
        (*last)->a = parse_level(parser, 0);
        if (!(*last)->a)
            return NULL;
        last = &(*last)->next;
    }
    return node ? node : left;
}

static struct node *parse_not(struct parser *parser)
{
    struct node *node;

    if (!parser_take(parser, TOKEN_NAME, "not"))
        return parse_compare(parser);
    if (parser_enter(parser))
        return NULL;
    node = parser_node(parser, NODE_NOT);
    node->a = parse_not(parser);
    parser->depth--;
    return node->a ? node : NULL;
}

static struct node *parse_and(struct parser *parser)
{
    struct node *left = parse_not(parser);

    for (int n = 0; left && parser_take(parser, TOKEN_NAME, "and"); n++) {
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        left = binary(parser, NODE_AND, 0, left, parse_not(parser));
    }
    return left;
}

static struct node *parse_or(struct parser *parser)
{
    struct node *left = parse_and(parser);

    for (int n = 0; left && parser_take(parser, TOKEN_NAME, "or"); n++) {
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        left = binary(parser, NODE_OR, 0, left, parse_and(parser));
    }
    return left;
}

static struct node *parse_choice(struct parser *parser, struct node *value)
{
    struct node *node = parser_node(parser, NODE_CHOICE);

    node->a = value;
    node->b = parse_or(parser);
    if (!node->b)
        return NULL;
    if (parser_take(parser, TOKEN_NAME, "else")) {
        node->c = parser_expression(parser);
        if (!node->c)
            return NULL;
    }
    return node;
}

struct node *parser_expression(struct parser *parser)
{
    struct node *node;

    if (parser_enter(parser))
        return NULL;
    node = parse_or(parser);
    for (int n = 0; node && parser_take(parser, TOKEN_NAME, "if"); n++) {
        if (n > TEMPLATE_MAX_DEPTH)
            return parser_fail(parser, "nested too deep");
        node = parse_choice(parser, node);
    }
    parser->depth--;
    return node;
}

static int at_tuple_end(const struct parser *parser)
{
    return parser->token->kind == TOKEN_CLOSE ||
           parser->token->kind == TOKEN_END_BLOCK ||
           parser->token->kind == TOKEN_EOF ||
           parser_at(parser, TOKEN_OPERATOR, ")") ||
           parser_at(parser, TOKEN_NAME, "if");
}

struct node *parser_tuple(struct parser *parser, int choice)
{
    struct node *first = choice ? parser_expression(parser) : parse_or(parser);
    struct node *last = first;
    struct node *tuple;

    if (!first || !parser_at(parser, TOKEN_OPERATOR, ","))
        return first;
    tuple = parser_node(parser, NODE_TUPLE);
    tuple->a = first;
    while (parser_take(parser, TOKEN_OPERATOR, ",") && !at_tuple_end(parser)) {
        last->next = choice ? parser_expression(parser) : parse_or(parser);
        last = last->next;
        if (!last)
            return NULL;
    }
    return tuple;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Expressions of templates, evaluated. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/template_eval_internal.h"

/* ---- operators ---- */

static int bad_operands(struct state *state, const struct node *node,
                        const struct template_value *a,
                        const struct template_value *b)
{
    return template_fail(state, "unsupported operands of '%s': '%s' and '%s'",
                         node->op == 'f'   ? "//"
                         : node->op == 'p' ? "**"
                                           : (const char[]){node->op, 0},
                         template_kind_name(a), template_kind_name(b));
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    const int64_t quotient = a / b;

    return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static int integer_power(int64_t base, int64_t exponent, int64_t *result)
{
    *result = 1;
    for (int64_t i = 0; i < exponent; i++) {
        if (__builtin_mul_overflow(*result, base, result))
            return -1;
        if (*result == 0 || (*result == 1 && base == 1))
            break;
        if (base == -1 && i == 1 && exponent > 2)
            return *result = exponent % 2 ? -1 : 1, 0;
    }
    return 0;
}

static int integer_binary(struct state *state, const struct node *node,
                          int64_t a, int64_t b, struct template_value *value)
{
    int64_t result = 0;
    int overflow = 0;

    if (strchr("/f%", node->op) && b == 0)
        return template_fail(state, "division by zero");
    switch (node->op) {
    case '+': overflow = __builtin_add_overflow(a, b, &result); break;
    case '-': overflow = __builtin_sub_overflow(a, b, &result); break;
    case '*': overflow = __builtin_mul_overflow(a, b, &result); break;
    case '/': *value = template_float((double)a / (double)b); return 0;
    case 'f':
    case '%':
        if (a == INT64_MIN && b == -1)
            return template_fail(state, "integer beyond 64 bits");
        result = floor_divide(a, b);
        if (node->op == '%')
            result = a - result * b;
        break;
    default:
        if (b < 0) {
            *value = template_float(pow((double)a, (double)b));
            return 0;
        }
        overflow = integer_power(a, b, &result);
    }
    if (overflow)
        return template_fail(state, "integer beyond 64 bits");
    *value = template_int(result);
    return 0;
}

static int float_binary(struct state *state, const struct node *node, double a,
                        double b, struct template_value *value)
{
    double result;

    if (strchr("/f%", node->op) && b == 0)
        return template_fail(state, "division by zero");
    switch (node->op) {
    case '+': result = a + b; break;
    case '-': result = a - b; break;
    case '*': result = a * b; break;
    case '/': result = a / b; break;
    case 'f': result = floor(a / b); break;
    case '%':
        result = fmod(a, b);
        if (result != 0 && (result < 0) != (b < 0))
            result += b;
        break;
    default: result = pow(a, b);
    }
    *value = template_float(result);
    return 0;
}

static int repeat_text(struct state *state, struct oy_text text, int64_t n,
                       struct template_value *value)
{
    struct oy_buffer out = {0};

    if (n > 0 && text.len > (size_t)TEMPLATE_MAX_OUTPUT / (size_t)n)
        return template_fail(state, "more than %d bytes", TEMPLATE_MAX_OUTPUT);
    for (int64_t i = 0; i < n && text.len; i++)
        oy_buffer_append(&out, text.at, text.len);
    return template_take(state, &out, value);
}

static int repeat_list(struct state *state, const struct template_list *list,
                       int64_t n, struct template_value *value)
{
    *value = template_new_list(state->arena);
    for (int64_t i = 0; i < n && list->n_item; i++) {
        if (template_step(state, LIST_COST * list->n_item))
            return -1;
        for (size_t j = 0; j < list->n_item; j++)
            template_push(value, state->arena, list->item[j]);
    }
    return 0;
}

static int add_lists(struct state *state, const struct template_value *a,
                     const struct template_value *b,
                     struct template_value *value)
{
    if (template_step(state, LIST_COST * b->list->n_item) ||
        repeat_list(state, a->list, 1, value))
        return -1;
    value->kind = a->kind;
    for (size_t i = 0; i < b->list->n_item; i++)
        template_push(value, state->arena, b->list->item[i]);
    return 0;
}

static void append_plain(struct oy_text text, struct oy_buffer *out)
{
    oy_buffer_append(out, text.at, text.len);
}

static int concatenate(struct state *state, const struct template_value *a,
                       const struct template_value *b,
                       struct template_value *value)
{
    struct oy_buffer text = {0};

    if (template_charge(state, a) || template_charge(state, b))
        return -1;
    template_put_text(a, &text);
    template_put_text(b, &text);
    return template_take(state, &text, value);
}

/* Two texts; where one is markup, the other is escaped (markupsafe). */
static int add_texts(struct state *state, const struct template_value *a,
                     const struct template_value *b,
                     struct template_value *value)
{
    const int is_markup = a->is_markup || b->is_markup;
    struct oy_buffer text = {0};

    if (!is_markup)
        return concatenate(state, a, b, value);
    (a->is_markup ? append_plain : template_put_escaped)(a->text, &text);
    (b->is_markup ? append_plain : template_put_escaped)(b->text, &text);
    if (template_take(state, &text, value))
        return -1;
    value->is_markup = 1;
    return 0;
}

/* text % value, text % (value, ...). */
static int format_text(struct state *state, const struct template_value *format,
                       const struct template_value *given,
                       struct template_value *value)
{
    struct arguments arguments;
    const int is_tuple = given->kind == TEMPLATE_TUPLE;
    const size_t n = is_tuple ? given->list->n_item : 1;

    if (n > TEMPLATE_MAX_ARGUMENTS)
        return template_fail(state, "more than %d arguments",
                             TEMPLATE_MAX_ARGUMENTS);
    arguments.n = arguments.n_positional = (int)n;
    for (size_t i = 0; i < n; i++)
        arguments.value[i] = is_tuple ? given->list->item[i] : *given;
    return template_format(state, format->text, &arguments, value);
}

static int is_list(const struct template_value *value)
{
    return value->kind == TEMPLATE_LIST || value->kind == TEMPLATE_TUPLE;
}

/* + and * of texts and lists; 1 when it was none of them. */
static int sequence_binary(struct state *state, char op,
                           const struct template_value *a,
                           const struct template_value *b,
                           struct template_value *value)
{
    if (op == '~')
        return concatenate(state, a, b, value);
    if (op == '+' && a->kind == TEMPLATE_STRING && b->kind == TEMPLATE_STRING)
        return add_texts(state, a, b, value);
    if (op == '%' && a->kind == TEMPLATE_STRING)
        return format_text(state, a, b, value);
    if (op == '+' && is_list(a) && a->kind == b->kind)
        return add_lists(state, a, b, value);
    if (op == '*' && a->kind == TEMPLATE_INT) {
        const struct template_value *swap = a;
        a = b;
        b = swap;
    }
    if (op == '*' && a->kind == TEMPLATE_STRING && b->kind == TEMPLATE_INT)
        return repeat_text(state, a->text, b->integer, value);
    if (op == '*' && is_list(a) && b->kind == TEMPLATE_INT)
        return repeat_list(state, a->list, b->integer, value);
    return 1;
}

static int eval_binary(struct state *state, const struct node *node,
                       struct template_value *value)
{
    struct template_value a, b;
    int rc;

    if (eval(state, node->a, &a) || eval(state, node->b, &b) ||
        template_defined(state, &a) || template_defined(state, &b))
        return -1;
    rc = sequence_binary(state, node->op, &a, &b, value);
    if (rc <= 0)
        return rc;
    if (!template_is_number(&a) || !template_is_number(&b))
        return bad_operands(state, node, &a, &b);
    if (a.kind != TEMPLATE_FLOAT && b.kind != TEMPLATE_FLOAT)
        return integer_binary(state, node, a.integer, b.integer, value);
    return float_binary(state, node, template_number(&a), template_number(&b),
                        value);
}

static int contains(struct state *state, const struct template_value *item,
                    const struct template_value *container, int *truth)
{
    struct template_value list;

    if (container->kind == TEMPLATE_STRING) {
        if (item->kind != TEMPLATE_STRING)
            return template_fail(state, "'in' wants a text on the left");
        if (template_charge(state, container))
            return -1;
        *truth = template_search(container->text, item->text, 0) != SIZE_MAX;
        return 0;
    }
    if (container->kind == TEMPLATE_DICT) {
        *truth = template_find(container, item) != NULL;
        return 0;
    }
    if (template_iterate(state, container, &list) ||
        template_step(state, list.list->n_item))
        return -1;
    *truth = 0;
    for (size_t i = 0; i < list.list->n_item && !*truth; i++) {
        if (template_charge_equal(state, &list.list->item[i], item))
            return -1;
        *truth = template_equal(&list.list->item[i], item);
    }
    return 0;
}

static int compare_pair(struct state *state, char op,
                        const struct template_value *a,
                        const struct template_value *b, int *truth)
{
    int order = 0;

    if (template_defined(state, a) || template_defined(state, b) ||
        template_charge_equal(state, a, b))
        return -1;
    if (op == '=' || op == '!') {
        *truth = template_equal(a, b) == (op == '=');
        return 0;
    }
    if (op == 'i' || op == 'n') {
        if (contains(state, a, b, truth))
            return -1;
        *truth ^= op == 'n';
        return 0;
    }
    if (template_compare(a, b, &order))
        return template_fail(state, "'%s' and '%s' cannot be compared",
                             template_kind_name(a), template_kind_name(b));
    *truth = op == '<'   ? order < 0
             : op == '>' ? order > 0
             : op == 'l' ? order <= 0
                         : order >= 0;
    return 0;
}

static int eval_compare(struct state *state, const struct node *node,
                        struct template_value *value)
{
    struct template_value left, right;
    int truth = 1;

    if (eval(state, node->a, &left))
        return -1;
    for (const struct node *n = node->b; n && truth; n = n->next) {
        if (eval(state, n->a, &right) ||
            compare_pair(state, n->op, &left, &right, &truth))
            return -1;
        left = right;
    }
    *value = template_bool(truth);
    return 0;
}

/* `and` and `or` give one of their operands, as Python's do. */
static int eval_logic(struct state *state, const struct node *node,
                      struct template_value *value)
{
    if (eval(state, node->a, value) || template_defined(state, value))
        return -1;
    if (template_truth(value) == (node->kind == NODE_OR))
        return 0;
    return eval(state, node->b, value);
}

static int eval_sign(struct state *state, const struct node *node,
                     struct template_value *value)
{
    if (eval(state, node->a, value) || template_defined(state, value))
        return -1;
    if (!template_is_number(value) ||
        (value->kind != TEMPLATE_FLOAT && value->integer == INT64_MIN))
        return template_fail(state, "a sign wants a number");
    if (value->kind == TEMPLATE_BOOL)
        value->kind = TEMPLATE_INT;
    if (node->kind == NODE_POSITIVE)
        return 0;
    if (value->kind == TEMPLATE_FLOAT)
        value->number = -value->number;
    else
        value->integer = -value->integer;
    return 0;
}

static int eval_choice(struct state *state, const struct node *node,
                       struct template_value *value)
{
    struct template_value truth;

    if (eval(state, node->b, &truth) || template_defined(state, &truth))
        return -1;
    if (template_truth(&truth))
        return eval(state, node->a, value);
    if (node->c)
        return eval(state, node->c, value);
    /* Jinja forgives this one in strict mode too: it has no name. */
    *value = (struct template_value){.kind = TEMPLATE_UNDEFINED};
    return 0;
}

static int eval_list(struct state *state, const struct node *node,
                     struct template_value *value)
{
    struct template_value item;

    *value = template_new_list(state->arena);
    if (node->kind == NODE_TUPLE)
        value->kind = TEMPLATE_TUPLE;
    for (const struct node *n = node->a; n; n = n->next) {
        if (eval(state, n, &item))
            return -1;
        template_push(value, state->arena, item);
    }
    return 0;
}

static int eval_dict(struct state *state, const struct node *node,
                     struct template_value *value)
{
    struct template_value key, item;

    *value = template_new_dict(state->arena);
    for (const struct node *n = node->a; n; n = n->next) {
        if (eval(state, n->a, &key) || eval(state, n->b, &item))
            return -1;
        template_put(value, state->arena, key, item);
    }
    return 0;
}

static int eval_access(struct state *state, const struct node *node,
                       struct template_value *value)
{
    struct template_value object, index;

    if (node->kind == NODE_SLICE)
        return eval_slice(state, node, value);
    if (eval(state, node->a, &object))
        return -1;
    if (node->kind == NODE_MEMBER)
        return eval_member(state, &object, node->text, value);
    if (eval(state, node->b, &index))
        return -1;
    return eval_item(state, &object, &index, value);
}

static int eval_node(struct state *state, const struct node *node,
                     struct template_value *value)
{
    switch (node->kind) {
    case NODE_CONST: *value = node->value; return 0;
    case NODE_CAPTURED: *value = state->captured; return 0;
    case NODE_NAME: return eval_name(state, node->text, value);
    case NODE_LIST:
    case NODE_TUPLE: return eval_list(state, node, value);
    case NODE_DICT: return eval_dict(state, node, value);
    case NODE_MEMBER:
    case NODE_ITEM:
    case NODE_SLICE: return eval_access(state, node, value);
    case NODE_CALL: return eval_call(state, node, value);
    case NODE_FILTER: return eval_filter(state, node, value);
    case NODE_TEST: return eval_test(state, node, value);
    case NODE_NOT:
        if (eval(state, node->a, value) || template_defined(state, value))
            return -1;
        *value = template_bool(!template_truth(value));
        return 0;
    case NODE_NEGATIVE:
    case NODE_POSITIVE: return eval_sign(state, node, value);
    case NODE_AND:
    case NODE_OR: return eval_logic(state, node, value);
    case NODE_BINARY: return eval_binary(state, node, value);
    case NODE_COMPARE: return eval_compare(state, node, value);
    case NODE_CHOICE: return eval_choice(state, node, value);
    default: OY_ASSERT(!"an expression");
    }
    return -1;
}

int eval(struct state *state, const struct node *node,
         struct template_value *value)
{
    if (template_step(state, 1) || eval_enter(state) ||
        eval_node(state, node, value))
        return -1;
    if (template_depth(value) > TEMPLATE_MAX_DEPTH * 3)
        return template_fail(state, "nested too deep");
    state->depth--;
    return 0;
}

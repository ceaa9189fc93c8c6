/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests of templates: `value is NAME`. */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/template_internal.h"

typedef int (*test_function)(const struct template_value *value,
                             const struct template_value *argument);

static int is_defined(const struct template_value *v,
                      const struct template_value *a)
{
    (void)a;
    return v->kind != TEMPLATE_UNDEFINED;
}

static int is_undefined(const struct template_value *v,
                        const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_UNDEFINED;
}

static int is_none(const struct template_value *v,
                   const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_NONE;
}

static int is_boolean(const struct template_value *v,
                      const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_BOOL;
}

static int is_true(const struct template_value *v,
                   const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_BOOL && v->integer;
}

static int is_false(const struct template_value *v,
                    const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_BOOL && !v->integer;
}

static int is_string(const struct template_value *v,
                     const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_STRING;
}

static int is_number(const struct template_value *v,
                     const struct template_value *a)
{
    (void)a;
    return template_is_number(v) || v->kind == TEMPLATE_BIG_INT;
}

static int is_integer(const struct template_value *v,
                      const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_INT || v->kind == TEMPLATE_BIG_INT;
}

static int is_float(const struct template_value *v,
                    const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_FLOAT;
}

static int is_mapping(const struct template_value *v,
                      const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_DICT;
}

/* Jinja asks for len() and [] only: texts and dictionaries count too. */
static int is_sequence(const struct template_value *v,
                       const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_STRING || v->kind == TEMPLATE_LIST ||
           v->kind == TEMPLATE_TUPLE || v->kind == TEMPLATE_DICT;
}

static int is_iterable(const struct template_value *v,
                       const struct template_value *a)
{
    return is_sequence(v, a) || v->kind == TEMPLATE_GENERATOR ||
           v->kind == TEMPLATE_UNDEFINED;
}

static int is_callable(const struct template_value *v,
                       const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_CALLABLE;
}

static int is_odd(const struct template_value *v,
                  const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_INT && v->integer % 2 != 0;
}

static int is_even(const struct template_value *v,
                   const struct template_value *a)
{
    (void)a;
    return v->kind == TEMPLATE_INT && v->integer % 2 == 0;
}

/* Every cased character is so, and there is one. */
static int is_cased(const struct template_value *v, int (*right)(uint32_t),
                    int (*wrong)(uint32_t))
{
    int seen = 0;

    if (v->kind != TEMPLATE_STRING)
        return 0;
    for (size_t at = 0; at < v->text.len;) {
        const uint32_t c = oy_utf8_next(v->text.at, &at);
        if (wrong(c) || oy_unicode_category(c, 14) == OY_LT)
            return 0;
        seen |= right(c);
    }
    return seen;
}

static int is_lower(const struct template_value *v,
                    const struct template_value *a)
{
    (void)a;
    return is_cased(v, oy_py_islower, oy_py_isupper);
}

static int is_upper(const struct template_value *v,
                    const struct template_value *a)
{
    (void)a;
    return is_cased(v, oy_py_isupper, oy_py_islower);
}

static int is_equal(const struct template_value *v,
                    const struct template_value *a)
{
    return template_equal(v, a);
}

static int is_unequal(const struct template_value *v,
                      const struct template_value *a)
{
    return !template_equal(v, a);
}

static int is_same(const struct template_value *v,
                   const struct template_value *a)
{
    return v->kind == a->kind && template_equal(v, a);
}

static int is_divisible(const struct template_value *v,
                        const struct template_value *a)
{
    return v->kind == TEMPLATE_INT && a->kind == TEMPLATE_INT && a->integer &&
           (a->integer == -1 || v->integer % a->integer == 0);
}

/* -2: not comparable, so that every test of order says no. */
static int order(const struct template_value *v, const struct template_value *a)
{
    int result;

    return template_compare(v, a, &result) ? -2 : result;
}

static int is_less(const struct template_value *v,
                   const struct template_value *a)
{
    return order(v, a) == -1;
}

static int is_more(const struct template_value *v,
                   const struct template_value *a)
{
    return order(v, a) == 1;
}

static int is_at_most(const struct template_value *v,
                      const struct template_value *a)
{
    return order(v, a) == -1 || order(v, a) == 0;
}

static int is_at_least(const struct template_value *v,
                       const struct template_value *a)
{
    return order(v, a) >= 0;
}

static int is_in(const struct template_value *v, const struct template_value *a)
{
    if (a->kind == TEMPLATE_STRING && v->kind == TEMPLATE_STRING)
        return template_search(a->text, v->text, 0) != SIZE_MAX;
    if (a->kind == TEMPLATE_DICT)
        return template_find(a, v) != NULL;
    if (a->kind != TEMPLATE_LIST && a->kind != TEMPLATE_TUPLE)
        return 0;
    for (size_t i = 0; i < a->list->n_item; i++) {
        if (template_equal(&a->list->item[i], v))
            return 1;
    }
    return 0;
}

static const struct {
    const char *name;
    test_function function;
    int n_argument;
} table[] = {
    {"defined", is_defined, 0},
    {"undefined", is_undefined, 0},
    {"none", is_none, 0},
    {"boolean", is_boolean, 0},
    {"true", is_true, 0},
    {"false", is_false, 0},
    {"string", is_string, 0},
    {"number", is_number, 0},
    {"integer", is_integer, 0},
    {"float", is_float, 0},
    {"mapping", is_mapping, 0},
    {"sequence", is_sequence, 0},
    {"iterable", is_iterable, 0},
    {"callable", is_callable, 0},
    {"odd", is_odd, 0},
    {"even", is_even, 0},
    {"lower", is_lower, 0},
    {"upper", is_upper, 0},
    {"eq", is_equal, 1},
    {"equalto", is_equal, 1},
    {"==", is_equal, 1},
    {"ne", is_unequal, 1},
    {"!=", is_unequal, 1},
    {"sameas", is_same, 1},
    {"lt", is_less, 1},
    {"lessthan", is_less, 1},
    {"<", is_less, 1},
    {"gt", is_more, 1},
    {"greaterthan", is_more, 1},
    {">", is_more, 1},
    {"le", is_at_most, 1},
    {"<=", is_at_most, 1},
    {"ge", is_at_least, 1},
    {">=", is_at_least, 1},
    {"in", is_in, 1},
    {"divisibleby", is_divisible, 1},
};

int template_call_test(struct state *state, struct oy_text name,
                       const struct template_value *input,
                       const struct arguments *arguments, int *truth)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!template_equals(name, table[i].name))
            continue;
        if (arguments->n != table[i].n_argument)
            return template_fail(state, "test '%.*s' wants %d arguments",
                                 (int)name.len, name.at, table[i].n_argument);
        if (table[i].function != is_defined &&
            table[i].function != is_undefined && template_defined(state, input))
            return -1;
        if (template_step(state, input->kind == TEMPLATE_STRING
                                     ? input->text.len / 256
                                     : 0) ||
            (arguments->n && template_charge(state, &arguments->value[0])))
            return -1;
        *truth = table[i].function(input,
                                   arguments->n ? &arguments->value[0] : NULL);
        return 0;
    }
    return template_fail(state, "unknown test '%.*s'", (int)name.len, name.at);
}

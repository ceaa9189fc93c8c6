/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, members, items and calls of templates, evaluated. */
#include <string.h>

#include "tokenizer/template_eval_internal.h"

const struct template_value *argument_at(const struct arguments *arguments,
                                         int position, const char *name)
{
    if (position >= 0 && position < arguments->n_positional)
        return &arguments->value[position];
    for (int i = arguments->n_positional; name && i < arguments->n; i++) {
        if (template_equals(arguments->name[i], name))
            return &arguments->value[i];
    }
    return NULL;
}

static int add_argument(struct state *state, struct arguments *arguments,
                        struct oy_text name, struct template_value value)
{
    if (arguments->n == TEMPLATE_MAX_ARGUMENTS)
        return template_fail(state, "more than %d arguments",
                             TEMPLATE_MAX_ARGUMENTS);
    if (!name.at && arguments->n > arguments->n_positional)
        return template_fail(state, "a positional argument behind a named one");
    arguments->n_positional += !name.at;
    arguments->name[arguments->n] = name;
    arguments->value[arguments->n++] = value;
    return 0;
}

/* *list and **dict. */
static int spread(struct state *state, const struct node *node,
                  const struct template_value *value,
                  struct arguments *arguments)
{
    struct template_value list;

    if (node->op == 'd' && value->kind == TEMPLATE_DICT) {
        for (size_t i = 0; i < value->dict->n_entry; i++) {
            const struct template_entry *entry = &value->dict->entry[i];
            if (entry->key.kind != TEMPLATE_STRING ||
                add_argument(state, arguments, entry->key.text, entry->value))
                return template_fail(state, "malformed ** argument");
        }
        return 0;
    }
    if (node->op == 'd' || template_iterate(state, value, &list))
        return template_fail(state, "malformed argument");
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (add_argument(state, arguments, (struct oy_text){0},
                         list.list->item[i]))
            return -1;
    }
    return 0;
}

int eval_arguments(struct state *state, const struct node *list,
                   struct arguments *arguments)
{
    struct template_value value;

    arguments->n = arguments->n_positional = 0;
    for (; list; list = list->next) {
        if (eval(state, list->a, &value))
            return -1;
        if (list->op ? spread(state, list, &value, arguments)
                     : add_argument(state, arguments, list->text, value))
            return -1;
    }
    return 0;
}

/* ---- names, members, items ---- */

static const struct template_value *find_name(const struct state *state,
                                              struct oy_text name)
{
    for (const struct scope *s = state->scope; s; s = s->parent) {
        for (const struct binding *b = s->binding; b; b = b->next) {
            if (b->name.len == name.len &&
                !memcmp(b->name.at, name.at, name.len))
                return &b->value;
        }
    }

    const struct template_value key = template_string(name.at, name.len);
    return template_find(state->vars, &key);
}

/* The last function is there only where the time is known. */
int eval_name(const struct state *state, struct oy_text name,
              struct template_value *value)
{
    static const struct callable function[] = {
        {.kind = CALLABLE_RANGE},     {.kind = CALLABLE_DICT},
        {.kind = CALLABLE_NAMESPACE}, {.kind = CALLABLE_RAISE},
        {.kind = CALLABLE_TIME},
    };
    static const char *const function_name[] = {
        "range", "dict", "namespace", "raise_exception", "strftime_now"};
    const size_t n_function = sizeof function / sizeof *function;
    const struct template_value *found = find_name(state, name);

    *value = (struct template_value){.kind = TEMPLATE_UNDEFINED, .text = name};
    if (found) {
        *value = *found;
        return 0;
    }
    for (size_t i = 0; i < n_function - !state->context->now; i++) {
        if (template_equals(name, function_name[i])) {
            value->kind = TEMPLATE_CALLABLE;
            value->callable = &function[i];
        }
    }
    return 0;
}

static void loop_neighbour(const struct callable *loop, int step,
                           struct template_value *value)
{
    const size_t at = loop->at + (size_t)step; /* -1 wraps beyond n_item */

    if (at < loop->list->n_item)
        *value = loop->list->item[at];
}

static int loop_member(const struct callable *loop, struct oy_text name,
                       struct template_value *value)
{
    const int64_t at = (int64_t)loop->at;
    const int64_t n = (int64_t)loop->list->n_item;
    const struct {
        const char *name;
        struct template_value value;
    } member[] = {
        {"index", template_int(at + 1)},
        {"index0", template_int(at)},
        {"revindex", template_int(n - at)},
        {"revindex0", template_int(n - at - 1)},
        {"first", template_bool(at == 0)},
        {"last", template_bool(at == n - 1)},
        {"length", template_int(n)},
        {"depth", template_int(loop->depth + 1)},
        {"depth0", template_int(loop->depth)},
    };

    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        if (template_equals(name, member[i].name)) {
            *value = member[i].value;
            return 0;
        }
    }
    if (template_equals(name, "previtem"))
        loop_neighbour(loop, -1, value);
    else if (template_equals(name, "nextitem"))
        loop_neighbour(loop, 1, value);
    return 0;
}

static int is_loop(const struct template_value *value)
{
    return value->kind == TEMPLATE_CALLABLE &&
           ((const struct callable *)value->callable)->kind == CALLABLE_LOOP;
}

static struct template_value bound_method(struct state *state,
                                          const struct template_value *self,
                                          struct oy_text name)
{
    struct callable *method = oy_arena_alloc(state->arena, sizeof *method);

    *method =
        (struct callable){.kind = CALLABLE_METHOD, .self = *self, .name = name};
    return (struct template_value){.kind = TEMPLATE_CALLABLE,
                                   .callable = method};
}

int eval_member(struct state *state, const struct template_value *object,
                struct oy_text name, struct template_value *value)
{
    const struct template_value key = template_string(name.at, name.len);
    const struct template_value *found;

    if (object->kind == TEMPLATE_UNDEFINED)
        return template_fail(state, "'%.*s' is undefined",
                             (int)object->text.len, object->text.at);
    *value = (struct template_value){.kind = TEMPLATE_UNDEFINED, .text = name};
    if (is_loop(object))
        return loop_member(object->callable, name, value);
    /* object.name asks for an attribute first, as Python's getattr does. */
    if (template_has_method(object, name)) {
        *value = bound_method(state, object, name);
        return 0;
    }
    found = template_find(object, &key);
    if (found)
        *value = *found;
    return 0;
}

/* Python's index, negative ones from the end; SIZE_MAX: out of range. */
static size_t item_index(int64_t index, int64_t n)
{
    if (index < 0)
        index += n;
    return index >= 0 && index < n ? (size_t)index : SIZE_MAX;
}

static int text_item(struct state *state, const struct template_value *object,
                     const struct template_value *index,
                     struct template_value *value)
{
    struct template_value stop = template_int(index->integer + 1);

    if (item_index(index->integer, template_length(object)) == SIZE_MAX)
        return 0;
    return template_slice(state, object, index,
                          index->integer == -1 ? NULL : &stop, NULL, value);
}

int eval_item(struct state *state, const struct template_value *object,
              const struct template_value *index, struct template_value *value)
{
    const int is_integer =
        index->kind == TEMPLATE_INT || index->kind == TEMPLATE_BOOL;
    const struct template_value *found;

    if (object->kind == TEMPLATE_UNDEFINED)
        return eval_member(state, object, object->text, value);
    if (template_defined(state, index))
        return -1;
    *value = (struct template_value){.kind = TEMPLATE_UNDEFINED,
                                     .text = {"item", 4}};
    if (is_loop(object) && index->kind == TEMPLATE_STRING)
        return loop_member(object->callable, index->text, value);
    if (object->kind == TEMPLATE_DICT || object->kind == TEMPLATE_NAMESPACE) {
        found = template_find(object, index);
        if (found)
            *value = *found;
        else if (index->kind == TEMPLATE_STRING)
            value->text = index->text;
        return 0;
    }
    if (!is_integer)
        return 0;
    if (object->kind == TEMPLATE_STRING)
        return text_item(state, object, index, value);
    if (object->kind == TEMPLATE_LIST || object->kind == TEMPLATE_TUPLE) {
        const size_t at =
            item_index(index->integer, (int64_t)object->list->n_item);
        if (at != SIZE_MAX)
            *value = object->list->item[at];
    }
    return 0;
}

int template_attribute(struct state *state, const struct template_value *object,
                       struct oy_text path, struct template_value *value)
{
    struct template_value part = *object;

    while (path.len) {
        const char *dot = memchr(path.at, '.', path.len);
        const size_t len = dot ? (size_t)(dot - path.at) : path.len;
        const struct template_value key = template_string(path.at, len);
        struct template_value index = template_int(0);
        size_t n = 0;

        for (; n < len && n < 9 && path.at[n] >= '0' && path.at[n] <= '9'; n++)
            index.integer = index.integer * 10 + (path.at[n] - '0');
        const struct template_value whole = part;
        if (eval_item(state, &whole, n == len ? &index : &key, &part))
            return -1;
        path.at += len + (dot != NULL);
        path.len -= len + (dot != NULL);
    }
    *value = part;
    return 0;
}

int eval_slice(struct state *state, const struct node *node,
               struct template_value *value)
{
    struct template_value object, bound[3];
    const struct node *part[] = {node->b, node->c, node->d};
    const struct template_value *given[3] = {NULL, NULL, NULL};

    if (eval(state, node->a, &object))
        return -1;
    for (int i = 0; i < 3; i++) {
        if (!part[i])
            continue;
        if (eval(state, part[i], &bound[i]))
            return -1;
        if (bound[i].kind == TEMPLATE_INT)
            given[i] = &bound[i];
        else if (bound[i].kind != TEMPLATE_NONE)
            return template_fail(state, "slice bounds must be integers");
    }
    return template_slice(state, &object, given[0], given[1], given[2], value);
}

/* ---- calls ---- */

static int call_range(struct state *state, const struct arguments *arguments,
                      struct template_value *value)
{
    int64_t bound[3] = {0, 0, 1};

    for (int i = 0; i < arguments->n; i++) {
        if (i == 3 || arguments->value[i].kind != TEMPLATE_INT)
            return template_fail(state, "range wants integers");
        bound[i] = arguments->value[i].integer;
    }
    if (arguments->n == 1) {
        bound[1] = bound[0];
        bound[0] = 0;
    }
    if (arguments->n == 0 || bound[2] == 0)
        return template_fail(state, "malformed range");
    *value = template_new_list(state->arena);
    for (int64_t i = bound[0]; bound[2] > 0 ? i < bound[1] : i > bound[1];) {
        if (template_step(state, LIST_COST))
            return -1;
        template_push(value, state->arena, template_int(i));
        if (__builtin_add_overflow(i, bound[2], &i))
            break;
    }
    return 0;
}

/* dict([('a', 1)]). */
static int put_pairs(struct state *state, const struct template_value *given,
                     struct template_value *value)
{
    struct template_value list, pair;

    if (template_iterate(state, given, &list) ||
        template_step(state, LIST_COST * list.list->n_item))
        return -1;
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (template_iterate(state, &list.list->item[i], &pair))
            return -1;
        if (pair.list->n_item != 2)
            return template_fail(state, "expected pairs");
        template_put(value, state->arena, pair.list->item[0],
                     pair.list->item[1]);
    }
    return 0;
}

/* dict(a=1), dict(other, a=1), namespace(a=1). */
static int call_dict(struct state *state, const struct arguments *arguments,
                     enum template_kind kind, struct template_value *value)
{
    *value = template_new_dict(state->arena);
    value->kind = kind;
    for (int i = 0; i < arguments->n; i++) {
        const struct template_value *given = &arguments->value[i];
        if (arguments->name[i].at) {
            template_put(
                value, state->arena,
                template_string(arguments->name[i].at, arguments->name[i].len),
                *given);
            continue;
        }
        if (given->kind != TEMPLATE_DICT) {
            if (put_pairs(state, given, value))
                return -1;
            continue;
        }
        if (template_step(state, LIST_COST * given->dict->n_entry))
            return -1;
        for (size_t j = 0; j < given->dict->n_entry; j++)
            template_put(value, state->arena, given->dict->entry[j].key,
                         given->dict->entry[j].value);
    }
    return 0;
}

static int call_raise(struct state *state, const struct arguments *arguments)
{
    struct oy_buffer text = {0};

    if (arguments->n && !template_charge(state, &arguments->value[0]))
        template_put_text(&arguments->value[0], &text);
    template_fail(state, "the template says: %s", oy_buffer_string(&text));
    oy_buffer_release(&text);
    return -1;
}

static int call_time(struct state *state, const struct arguments *arguments,
                     struct template_value *value)
{
    struct oy_buffer text = {0};

    if (arguments->n != 1 || arguments->value[0].kind != TEMPLATE_STRING)
        return template_fail(state, "strftime_now wants a text");
    template_put_time(state->context->now, arguments->value[0].text, &text);
    return template_take(state, &text, value);
}

static int call_callable(struct state *state, const struct callable *callable,
                         const struct arguments *arguments,
                         struct template_value *value)
{
    switch (callable->kind) {
    case CALLABLE_MACRO:
        return eval_macro(state, callable, arguments, NULL, value);
    case CALLABLE_RANGE: return call_range(state, arguments, value);
    case CALLABLE_DICT:
        return call_dict(state, arguments, TEMPLATE_DICT, value);
    case CALLABLE_NAMESPACE:
        return call_dict(state, arguments, TEMPLATE_NAMESPACE, value);
    case CALLABLE_RAISE: return call_raise(state, arguments);
    case CALLABLE_TIME: return call_time(state, arguments, value);
    case CALLABLE_METHOD:
        return template_call_method(state, &callable->self, callable->name,
                                    arguments, value) < 0
                   ? -1
                   : 0;
    case CALLABLE_LOOP: break;
    }
    return eval_loop(state, callable, arguments, value);
}

/* loop.cycle(...) and loop.changed(...). */
static int call_loop(struct state *state, struct callable *loop,
                     struct oy_text name, const struct arguments *arguments,
                     struct template_value *value)
{
    if (template_equals(name, "cycle") && arguments->n) {
        *value = arguments->value[loop->at % (size_t)arguments->n];
        return 0;
    }
    if (!template_equals(name, "changed"))
        return template_fail(state, "a loop has no method '%.*s'",
                             (int)name.len, name.at);

    struct template_value seen = template_new_list(state->arena);
    for (int i = 0; i < arguments->n; i++)
        template_push(&seen, state->arena, arguments->value[i]);
    if (template_charge(state, &seen))
        return -1;
    *value = template_bool(!loop->has_changed ||
                           !template_equal(&seen, &loop->changed));
    loop->changed = seen;
    loop->has_changed = 1;
    return 0;
}

static int call_member(struct state *state, const struct node *callee,
                       const struct arguments *arguments,
                       struct template_value *value)
{
    struct template_value object, member;
    int rc;

    if (eval(state, callee->a, &object))
        return -1;
    if (is_loop(&object))
        return call_loop(state, (struct callable *)object.callable,
                         callee->text, arguments, value);
    rc = template_call_method(state, &object, callee->text, arguments, value);
    if (rc)
        return rc < 0 ? -1 : 0;
    if (eval_member(state, &object, callee->text, &member))
        return -1;
    if (member.kind == TEMPLATE_CALLABLE)
        return call_callable(state, member.callable, arguments, value);
    return template_fail(state, "'%s' has no method '%.*s'",
                         template_kind_name(&object), (int)callee->text.len,
                         callee->text.at);
}

int eval_call(struct state *state, const struct node *node,
              struct template_value *value)
{
    struct arguments arguments;
    struct template_value callee;

    if (template_step(state, 1) || eval_arguments(state, node->b, &arguments))
        return -1;
    if (node->a->kind == NODE_MEMBER)
        return call_member(state, node->a, &arguments, value);
    if (eval(state, node->a, &callee))
        return -1;
    if (callee.kind == TEMPLATE_CALLABLE)
        return call_callable(state, callee.callable, &arguments, value);
    if (callee.kind == TEMPLATE_UNDEFINED)
        return template_fail(state, "'%.*s' is undefined", (int)callee.text.len,
                             callee.text.at);
    return template_fail(state, "'%s' cannot be called",
                         template_kind_name(&callee));
}

int eval_filter(struct state *state, const struct node *node,
                struct template_value *value)
{
    struct arguments arguments;
    struct template_value input;

    if (template_step(state, 1) || eval(state, node->a, &input) ||
        eval_arguments(state, node->b, &arguments))
        return -1;
    return template_call_filter(state, node->text, &input, &arguments, value);
}

int eval_test(struct state *state, const struct node *node,
              struct template_value *value)
{
    struct arguments arguments;
    struct template_value input;
    int truth = 0;

    if (template_step(state, 1) || eval(state, node->a, &input) ||
        eval_arguments(state, node->b, &arguments) ||
        template_call_test(state, node->text, &input, &arguments, &truth))
        return -1;
    *value = template_bool(truth);
    return 0;
}

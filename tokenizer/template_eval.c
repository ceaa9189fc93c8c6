/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements of templates, executed. Expressions are in template_operator.c. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/template_eval_internal.h"

static int run(struct state *state, const struct node *node,
               struct oy_buffer *out);

int template_equals(struct oy_text text, const char *name)
{
    return strlen(name) == text.len && !memcmp(text.at, name, text.len);
}

int template_fail(struct state *state, const char *format, ...)
{
    char message[500];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return oy_fail(state->err, OY_DATA, "template line %d: %s", state->line,
                   message);
}

int template_step(struct state *state, size_t n)
{
    if (n <= (size_t)state->steps) {
        state->steps -= (long)n;
        return 0;
    }
    state->steps = 0;
    return template_fail(state, "more than %d steps", TEMPLATE_MAX_STEPS);
}

int template_charge(struct state *state, const struct template_value *value)
{
    return template_step(state, template_weight(value));
}

int template_charge_equal(struct state *state, const struct template_value *a,
                          const struct template_value *b)
{
    const uint64_t x = template_weight(a), y = template_weight(b);

    return a->kind == b->kind ? template_step(state, x < y ? x : y) : 0;
}

int eval_enter(struct state *state)
{
    if (++state->depth <= TEMPLATE_MAX_DEPTH)
        return 0;
    return template_fail(state, "nested too deep");
}

static int check_size(struct state *state, size_t size)
{
    if (size <= TEMPLATE_MAX_OUTPUT)
        return 0;
    return template_fail(state, "more than %d bytes", TEMPLATE_MAX_OUTPUT);
}

int template_take(struct state *state, struct oy_buffer *buffer,
                  struct template_value *value)
{
    const int rc = check_size(state, buffer->len);

    /* Long texts cost steps, so that many of them cannot fill the memory. */
    if (rc == 0 && template_step(state, buffer->len / 256) == 0)
        *value = template_string(
            oy_arena_copy(state->arena, buffer->data, buffer->len),
            buffer->len);
    oy_buffer_release(buffer);
    return state->err->code ? -1 : 0;
}

int template_defined(struct state *state, const struct template_value *value)
{
    if (value->kind != TEMPLATE_UNDEFINED || !value->text.at ||
        !(state->template->options.flags & TEMPLATE_STRICT))
        return 0;
    return template_fail(state, "'%.*s' is undefined", (int)value->text.len,
                         value->text.at);
}

int template_iterate(struct state *state, const struct template_value *value,
                     struct template_value *list)
{
    if (template_defined(state, value))
        return -1;
    if (value->kind == TEMPLATE_LIST || value->kind == TEMPLATE_TUPLE) {
        *list = *value;
        return 0;
    }
    *list = template_new_list(state->arena);
    if (value->kind == TEMPLATE_GENERATOR) {
        *list->list = *value->list;
        value->list->n_item = 0;
        value->list->cap_item = 0;
        return 0;
    }
    if (value->kind == TEMPLATE_DICT) {
        for (size_t i = 0; i < value->dict->n_entry; i++)
            template_push(list, state->arena, value->dict->entry[i].key);
    } else if (value->kind == TEMPLATE_STRING) {
        if (template_step(state, LIST_COST * value->text.len))
            return -1;
        for (size_t at = 0, start = 0; at < value->text.len; start = at) {
            oy_utf8_next(value->text.at, &at);
            template_push(list, state->arena,
                          template_string(value->text.at + start, at - start));
        }
    } else if (value->kind != TEMPLATE_UNDEFINED) {
        return template_fail(state, "'%s' is not iterable",
                             template_kind_name(value));
    }
    return 0;
}

/* ---- scopes ---- */

void eval_bind(struct state *state, struct oy_text name,
               struct template_value value)
{
    struct binding *binding = state->scope->binding;

    while (binding && (binding->name.len != name.len ||
                       memcmp(binding->name.at, name.at, name.len) != 0))
        binding = binding->next;
    if (!binding) {
        binding = oy_arena_alloc(state->arena, sizeof *binding);
        binding->name = name;
        binding->next = state->scope->binding;
        state->scope->binding = binding;
    }
    binding->value = value;
}

static void push_scope(struct state *state, struct scope *parent)
{
    struct scope *scope = oy_arena_alloc(state->arena, sizeof *scope);

    *scope = (struct scope){.parent = parent};
    state->scope = scope;
}

static int bind_item(struct state *state, const struct node *target,
                     const struct template_value *value);

static int bind_member(struct state *state, const struct node *target,
                       const struct template_value *value)
{
    struct template_value space;

    if (eval(state, target->a, &space))
        return -1;
    if (space.kind != TEMPLATE_NAMESPACE)
        return template_fail(state, "only members of a namespace can be set");
    if (target->text.at[0] == '_')
        return template_fail(state, "a namespace has no member '%.*s'",
                             (int)target->text.len, target->text.at);
    template_put(&space, state->arena,
                 template_string(target->text.at, target->text.len), *value);
    return 0;
}

static int bind_tuple(struct state *state, const struct node *target,
                      const struct template_value *value)
{
    struct template_value list;
    size_t i = 0;

    if (template_iterate(state, value, &list))
        return -1;
    for (const struct node *n = target->a; n; n = n->next, i++) {
        if (i >= list.list->n_item)
            return template_fail(state, "not enough values to unpack");
        if (bind_item(state, n, &list.list->item[i]))
            return -1;
    }
    return i == list.list->n_item
               ? 0
               : template_fail(state, "too many values to unpack");
}

static int bind_item(struct state *state, const struct node *target,
                     const struct template_value *value)
{
    if (target->kind == NODE_TUPLE)
        return bind_tuple(state, target, value);
    if (target->kind == NODE_MEMBER)
        return bind_member(state, target, value);
    eval_bind(state, target->text, *value);
    return 0;
}

/* ---- statements ---- */

static int run_body(struct state *state, const struct node *body,
                    struct oy_buffer *out)
{
    if (eval_enter(state))
        return -1;
    for (const struct node *node = body; node && !state->jump;
         node = node->next) {
        state->line = node->line;
        if (template_step(state, 1) || run(state, node, out) ||
            check_size(state, out->len))
            return -1;
    }
    state->depth--;
    return 0;
}

int eval_body(struct state *state, const struct node *body,
              struct scope *parent, const struct binding *bindings,
              struct oy_buffer *out)
{
    struct scope *outer = state->scope;
    int rc;

    push_scope(state, parent);
    for (; bindings; bindings = bindings->next)
        eval_bind(state, bindings->name, bindings->value);
    rc = run_body(state, body, out);
    state->scope = outer;
    return rc;
}

/* A body's text as a value. */
static int capture(struct state *state, const struct node *body,
                   struct template_value *value)
{
    struct oy_buffer text = {0};

    if (eval_body(state, body, state->scope, NULL, &text)) {
        oy_buffer_release(&text);
        return -1;
    }
    return template_take(state, &text, value);
}

static int run_print(struct state *state, const struct node *node,
                     struct oy_buffer *out)
{
    struct template_value value;

    if (eval(state, node->a, &value) || template_defined(state, &value) ||
        template_charge(state, &value))
        return -1;
    template_put_text(&value, out);
    return 0;
}

static int run_if(struct state *state, const struct node *node,
                  struct oy_buffer *out)
{
    struct template_value value;

    if (eval(state, node->a, &value) || template_defined(state, &value))
        return -1;
    return run_body(state, template_truth(&value) ? node->b : node->c, out);
}

/* The elements for which the loop's own `if` holds. */
static int filter_items(struct state *state, const struct node *node,
                        struct template_value *list)
{
    struct template_value kept = template_new_list(state->arena);
    struct template_value truth;

    for (size_t i = 0; i < list->list->n_item; i++) {
        const struct template_value *item = &list->list->item[i];
        if (template_step(state, 1) || bind_item(state, node->a, item) ||
            eval(state, node->e, &truth))
            return -1;
        if (template_truth(&truth))
            template_push(&kept, state->arena, *item);
    }
    *list = kept;
    return 0;
}

static int run_loop(struct state *state, const struct node *node,
                    const struct template_value *list, int depth,
                    struct oy_buffer *out)
{
    struct callable *loop = oy_arena_alloc(state->arena, sizeof *loop);
    struct scope *outer = state->scope;
    const struct template_value self = {.kind = TEMPLATE_CALLABLE,
                                        .callable = loop};

    *loop = (struct callable){.kind = CALLABLE_LOOP,
                              .list = list->list,
                              .loop = node,
                              .scope = outer,
                              .depth = depth};
    for (size_t i = 0; i < list->list->n_item; i++) {
        /* What a turn sets is forgotten by the next one. */
        push_scope(state, outer);
        loop->at = i;
        eval_bind(state, (struct oy_text){"loop", 4}, self);
        if (template_step(state, 1) ||
            bind_item(state, node->a, &list->list->item[i]) ||
            run_body(state, node->c, out))
            return -1;

        const int jump = state->jump;
        state->jump = 0;
        if (jump == 'b')
            break;
    }
    state->scope = outer;
    return 0;
}

static int run_over(struct state *state, const struct node *node,
                    const struct template_value *value, int depth,
                    struct oy_buffer *out)
{
    struct scope *outer = state->scope;
    struct template_value list;

    if (template_iterate(state, value, &list))
        return -1;
    if (node->e) {
        push_scope(state, outer);
        if (filter_items(state, node, &list))
            return -1;
        state->scope = outer;
    }
    if (list.list->n_item == 0)
        return run_body(state, node->d, out);
    return run_loop(state, node, &list, depth, out);
}

static int run_for(struct state *state, const struct node *node,
                   struct oy_buffer *out)
{
    struct template_value value;

    return eval(state, node->b, &value) || run_over(state, node, &value, 0, out)
               ? -1
               : 0;
}

int eval_loop(struct state *state, const struct callable *loop,
              const struct arguments *arguments, struct template_value *value)
{
    struct scope *outer = state->scope;
    struct oy_buffer text = {0};
    int rc;

    if (loop->loop->op != 'r' || arguments->n != 1)
        return template_fail(state, "this loop cannot be called so");
    state->scope = loop->scope;
    rc = run_over(state, loop->loop, &arguments->value[0], loop->depth + 1,
                  &text);
    state->scope = outer;
    if (rc == 0)
        return template_take(state, &text, value);
    oy_buffer_release(&text);
    return -1;
}

static int run_set(struct state *state, const struct node *node)
{
    struct template_value value;

    if (eval(state, node->b, &value))
        return -1;
    return bind_item(state, node->a, &value);
}

/* The text of node->c through the filters of node->b. */
static int filtered_block(struct state *state, const struct node *node,
                          struct template_value *value)
{
    const struct template_value outer = state->captured;
    int rc = capture(state, node->c, &state->captured);

    if (rc == 0)
        rc = eval(state, node->b, value);
    state->captured = outer;
    return rc;
}

static int run_block(struct state *state, const struct node *node,
                     struct oy_buffer *out)
{
    struct template_value value;

    if (filtered_block(state, node, &value))
        return -1;
    if (node->kind == NODE_SET_BLOCK)
        return bind_item(state, node->a, &value);
    template_put_text(&value, out);
    return 0;
}

static struct template_value new_macro(struct state *state,
                                       const struct node *parameters,
                                       const struct node *body)
{
    struct callable *macro = oy_arena_alloc(state->arena, sizeof *macro);

    *macro = (struct callable){.kind = CALLABLE_MACRO,
                               .parameters = parameters,
                               .body = body,
                               .scope = state->scope};
    return (struct template_value){.kind = TEMPLATE_CALLABLE,
                                   .callable = macro};
}

/* Every named argument is one of the macro's parameters. */
static int check_names(struct state *state, const struct callable *macro,
                       const struct arguments *arguments)
{
    for (int i = arguments->n_positional; i < arguments->n; i++) {
        const struct oy_text name = arguments->name[i];
        const struct node *p = macro->parameters;
        while (p && (p->text.len != name.len ||
                     memcmp(p->text.at, name.at, name.len)))
            p = p->next;
        if (!p)
            return template_fail(state, "the macro has no argument '%.*s'",
                                 (int)name.len, name.at);
    }
    return 0;
}

/* Binds a macro's parameters in the innermost scope. */
static int bind_parameters(struct state *state, const struct callable *macro,
                           const struct arguments *arguments)
{
    int i = 0;

    for (const struct node *p = macro->parameters; p; p = p->next, i++) {
        struct template_value value = {.kind = TEMPLATE_UNDEFINED,
                                       .text = p->text};
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)p->text.len, p->text.at);
        const struct template_value *given = argument_at(arguments, i, name);
        if (given)
            value = *given;
        else if (p->a && eval(state, p->a, &value))
            return -1;
        eval_bind(state, p->text, value);
    }
    if (arguments->n_positional > i)
        return template_fail(state, "too many arguments for the macro");
    return check_names(state, macro, arguments);
}

int eval_macro(struct state *state, const struct callable *macro,
               const struct arguments *arguments,
               const struct template_value *caller,
               struct template_value *value)
{
    struct scope *outer = state->scope;
    struct oy_buffer text = {0};
    int rc;

    push_scope(state, macro->scope);
    if (caller)
        eval_bind(state, (struct oy_text){"caller", 6}, *caller);
    rc = bind_parameters(state, macro, arguments);
    if (rc == 0)
        rc = run_body(state, macro->body, &text);
    state->scope = outer;
    if (rc == 0)
        return template_take(state, &text, value);
    oy_buffer_release(&text);
    return -1;
}

static int run_call(struct state *state, const struct node *node,
                    struct oy_buffer *out)
{
    const struct template_value caller = new_macro(state, node->b, node->c);
    struct arguments arguments;
    struct template_value callee, value;

    if (eval(state, node->a->a, &callee) ||
        eval_arguments(state, node->a->b, &arguments))
        return -1;

    const struct callable *macro =
        callee.kind == TEMPLATE_CALLABLE ? callee.callable : NULL;
    if (!macro || macro->kind != CALLABLE_MACRO)
        return template_fail(state, "expected a macro");
    if (eval_macro(state, macro, &arguments, &caller, &value))
        return -1;
    template_put_text(&value, out);
    return 0;
}

static int run_with(struct state *state, const struct node *node,
                    struct oy_buffer *out)
{
    struct scope *outer = state->scope;

    push_scope(state, outer);
    for (const struct node *set = node->a; set; set = set->next) {
        if (run_set(state, set))
            return -1;
    }
    if (run_body(state, node->c, out))
        return -1;
    state->scope = outer;
    return 0;
}

/* A scope of its own, as the block is a call to transformers. */
static int run_generation(struct state *state, const struct node *node,
                          struct oy_buffer *out)
{
    struct template_spans *spans = state->context->generation;
    const size_t start = state->output->len, at = out->len;

    if (eval_body(state, node->c, state->scope, NULL, out))
        return -1;
    if (!spans)
        return 0;
    OY_GROW(spans->span, spans->cap, spans->n + 1);
    spans->span[spans->n++] =
        (struct template_span){start, start + out->len - at};
    return 0;
}

static int run(struct state *state, const struct node *node,
               struct oy_buffer *out)
{
    switch (node->kind) {
    case NODE_TEXT: oy_buffer_append(out, node->text.at, node->text.len); break;
    case NODE_PRINT: return run_print(state, node, out);
    case NODE_IF: return run_if(state, node, out);
    case NODE_FOR: return run_for(state, node, out);
    case NODE_SET: return run_set(state, node);
    case NODE_SET_BLOCK:
    case NODE_FILTER_BLOCK: return run_block(state, node, out);
    case NODE_MACRO:
        eval_bind(state, node->text, new_macro(state, node->a, node->c));
        break;
    case NODE_CALL_BLOCK: return run_call(state, node, out);
    case NODE_WITH: return run_with(state, node, out);
    case NODE_GENERATION: return run_generation(state, node, out);
    case NODE_BREAK: state->jump = 'b'; break;
    case NODE_CONTINUE: state->jump = 'c'; break;
    default: OY_ASSERT(!"a statement");
    }
    return 0;
}

/* ---- entry ---- */

/* `err` of the caller may hold an older failure; ours starts clean. */
static void start(struct state *state, const struct template *template,
                  const struct template_value *vars, struct oy_arena *arena,
                  struct oy_error *err)
{
    static const struct template_context nothing;

    *state = (struct state){.template = template,
                            .context = &nothing,
                            .vars = vars,
                            .arena = arena,
                            .err = err,
                            .steps = TEMPLATE_MAX_STEPS,
                            .line = 1};
    push_scope(state, NULL);
}

int template_render_in(const struct template *template,
                       const struct template_context *context,
                       const struct template_value *vars,
                       struct oy_arena *arena, struct oy_buffer *out,
                       struct oy_error *err)
{
    struct state state;
    struct oy_buffer text = {0};
    int rc;

    start(&state, template, vars, arena, err);
    if (context)
        state.context = context;
    state.output = &text;
    rc = run_body(&state, template->root, &text);
    if (rc == 0)
        oy_buffer_append(out, text.data, text.len);
    oy_buffer_release(&text);
    return rc;
}

int template_render(const struct template *template,
                    const struct template_value *vars, struct oy_arena *arena,
                    struct oy_buffer *out, struct oy_error *err)
{
    return template_render_in(template, NULL, vars, arena, out, err);
}

int template_evaluate(const struct template *template,
                      const struct template_value *vars, struct oy_arena *arena,
                      struct template_value *value, struct oy_error *err)
{
    struct state state;

    start(&state, template, vars, arena, err);
    if (eval(&state, template->root, value))
        return -1;
    return template_defined(&state, value);
}

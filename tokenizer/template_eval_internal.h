/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the evaluator of templates share. */
#ifndef TOKENIZER_TEMPLATE_EVAL_INTERNAL_H
#define TOKENIZER_TEMPLATE_EVAL_INTERNAL_H

#include "tokenizer/template_internal.h"

/* What a value of kind TEMPLATE_CALLABLE points to. */
struct callable {
    enum {
        CALLABLE_MACRO,
        CALLABLE_LOOP,
        CALLABLE_RANGE,
        CALLABLE_DICT,
        CALLABLE_NAMESPACE,
        CALLABLE_RAISE,
        CALLABLE_TIME,
        CALLABLE_METHOD,
    } kind;
    /* MACRO, LOOP: where it was defined. */
    const struct node *parameters;
    const struct node *body;
    struct scope *scope;
    /* LOOP: the elements, and which one it is at. */
    const struct template_list *list;
    size_t at;
    int depth;                     /* of calls to itself, from 0 */
    const struct node *loop;       /* its node */
    struct template_value changed; /* what loop.changed() saw last */
    int has_changed;
    /* METHOD: the name behind a value, not called yet. */
    struct template_value self;
    struct oy_text name;
};

/* Expressions. 0 and *value, or -1. */
int eval(struct state *state, const struct node *node,
         struct template_value *value);
/* Its parts in template_access.c: a name of a scope, a variable or a function;
 * what is behind a dot and in brackets (undefined when it is not there);
 * calls, filters and tests. */
int eval_name(const struct state *state, struct oy_text name,
              struct template_value *value);
int eval_member(struct state *state, const struct template_value *object,
                struct oy_text name, struct template_value *value);
int eval_item(struct state *state, const struct template_value *object,
              const struct template_value *index, struct template_value *value);
int eval_slice(struct state *state, const struct node *node,
               struct template_value *value);
int eval_call(struct state *state, const struct node *node,
              struct template_value *value);
int eval_filter(struct state *state, const struct node *node,
                struct template_value *value);
int eval_test(struct state *state, const struct node *node,
              struct template_value *value);
/* Sets a name in the innermost scope. */
void eval_bind(struct state *state, struct oy_text name,
               struct template_value value);
/* Runs a body in a scope of its own below `scope`; its text is appended. */
int eval_body(struct state *state, const struct node *body,
              struct scope *parent, const struct binding *bindings,
              struct oy_buffer *out);
/* Calls a macro. `caller` is the value of caller(), or NULL. */
int eval_macro(struct state *state, const struct callable *macro,
               const struct arguments *arguments,
               const struct template_value *caller,
               struct template_value *value);
/* loop(value) of a recursive loop: the text of its body over that value. */
int eval_loop(struct state *state, const struct callable *loop,
              const struct arguments *arguments, struct template_value *value);
int eval_arguments(struct state *state, const struct node *list,
                   struct arguments *arguments);
/* Fails beyond TEMPLATE_MAX_DEPTH; the caller takes it off again. */
int eval_enter(struct state *state);

#endif

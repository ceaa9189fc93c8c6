/* SPDX-License-Identifier: Apache-2.0
 *
 * What lexer, parser and evaluator of templates share: tokens, the tree, the
 * state of a rendering. */
#ifndef TOKENIZER_TEMPLATE_INTERNAL_H
#define TOKENIZER_TEMPLATE_INTERNAL_H

#include "tokenizer/template.h"

enum {
    TEMPLATE_MAX_STEPS = 3000000,
    TEMPLATE_MAX_OUTPUT = 16 << 20,
    TEMPLATE_MAX_DEPTH = 200,
};

/* ---- tokens ---- */

enum token_kind {
    TOKEN_TEXT,  /* outside of tags */
    TOKEN_OPEN,  /* {{ */
    TOKEN_CLOSE, /* }} */
    TOKEN_BLOCK, /* {% */
    TOKEN_END_BLOCK,
    TOKEN_NAME,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_STRING, /* text: unescaped */
    TOKEN_OPERATOR,
    TOKEN_EOF,
};

struct token {
    enum token_kind kind;
    int line;
    struct oy_text text;
};

struct token_list {
    struct token *token;
    size_t n_token;
    size_t cap_token;
};

/* Texts lie in the arena or are borrowed from the source. With `expression`
 * the source is the inside of one tag. -1 with err. */
int template_lex(const char *source, size_t len, unsigned flags, int expression,
                 struct oy_arena *arena, struct token_list *list,
                 struct oy_error *err);

/* ---- the tree ---- */

enum node_kind {
    /* statements; siblings hang on `next` */
    NODE_TEXT,
    NODE_PRINT,        /* a */
    NODE_IF,           /* a: condition, b: body, c: else */
    NODE_FOR,          /* a: target, b: iterable, c: body, d: else, e: filter;
                          op 'r': recursive */
    NODE_SET,          /* a: target, b: value */
    NODE_SET_BLOCK,    /* a: target, b: filters over CAPTURED, c: body */
    NODE_MACRO,        /* text: name, a: parameters, c: body */
    NODE_CALL_BLOCK,   /* a: the call, b: its parameters, c: body */
    NODE_FILTER_BLOCK, /* b: filters over CAPTURED, c: body */
    NODE_WITH,         /* a: list of SET, c: body */
    NODE_GENERATION,   /* c: body */
    NODE_BREAK,
    NODE_CONTINUE,
    /* expressions */
    NODE_CONST,    /* value */
    NODE_NAME,     /* text */
    NODE_LIST,     /* a: items */
    NODE_TUPLE,    /* a: items */
    NODE_DICT,     /* a: PAIRs */
    NODE_PAIR,     /* a: key, b: value */
    NODE_MEMBER,   /* a.text */
    NODE_ITEM,     /* a[b] */
    NODE_SLICE,    /* a[b:c:d] */
    NODE_CALL,     /* a(b) */
    NODE_ARGUMENT, /* a; text: its name, if any; op '*' or 'd' (**) */
    NODE_FILTER,   /* a|text(b) */
    NODE_TEST,     /* a is text(b) */
    NODE_NOT,
    NODE_NEGATIVE,
    NODE_POSITIVE,
    NODE_AND,
    NODE_OR,
    NODE_BINARY,   /* a op b; op: + - * / f (//) % p (**) ~ */
    NODE_COMPARE,  /* a, then b: list of COMPARED */
    NODE_COMPARED, /* op: = ! < > l (<=) g (>=) i (in) n (not in); a */
    NODE_CHOICE,   /* a if b else c (NULL: undefined) */
    NODE_CAPTURED, /* the text of the block that a filter runs on */
};

struct node {
    enum node_kind kind;
    char op;
    int line;
    struct node *next;
    struct node *a, *b, *c, *d, *e;
    struct oy_text text;
    struct template_value value;
};

struct template
{
    struct template_options options;
    struct oy_arena arena; /* source, tokens, tree */
    struct node *root;
};

/* -1 with err. */
int template_parse(const struct token_list *list, int expression,
                   struct oy_arena *arena, struct node **root,
                   struct oy_error *err);

/* ---- a rendering ---- */

struct binding {
    struct oy_text name;
    struct template_value value;
    struct binding *next;
};

struct scope {
    struct binding *binding; /* latest first */
    struct scope *parent;
};

struct state {
    const struct template *template;
    const struct template_context *context;
    const struct template_value *vars;
    struct oy_arena *arena;
    struct oy_error *err;
    const struct oy_buffer *output; /* what is not captured */
    struct scope *scope;
    struct template_value captured;
    long steps;
    int depth;
    int line;
    int jump; /* 0, 'b' break, 'c' continue */
};

/* Arguments of a call, evaluated: positional first. */
enum { TEMPLATE_MAX_ARGUMENTS = 32 };
struct arguments {
    struct template_value value[TEMPLATE_MAX_ARGUMENTS];
    struct oy_text name[TEMPLATE_MAX_ARGUMENTS]; /* .at NULL: positional */
    int n_positional;
    int n;
};

/* The argument at a position, or of that name; NULL when it is not given. */
const struct template_value *argument_at(const struct arguments *arguments,
                                         int position, const char *name);

/* Fails with the place. Returns -1. */
int template_fail(struct state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What making an element of a list costs: it takes memory. */
enum { LIST_COST = 4 };
/* Counts `n` steps against the limit. */
int template_step(struct state *state, size_t n);
/* Pays for walking a value. */
int template_charge(struct state *state, const struct template_value *value);
/* Pays for comparing two values. */
int template_charge_equal(struct state *state, const struct template_value *a,
                          const struct template_value *b);
/* Moves a finished buffer's bytes into the arena as a string value, releases
 * it, and checks the limit of size. */
int template_take(struct state *state, struct oy_buffer *buffer,
                  struct template_value *value);
/* Fails when the value is undefined and the mode is strict. */
int template_defined(struct state *state, const struct template_value *value);
/* The elements that `for` would see, as a list; a generator is empty then. */
int template_iterate(struct state *state, const struct template_value *value,
                     struct template_value *list);

int template_equals(struct oy_text text, const char *name);

int template_call_filter(struct state *state, struct oy_text name,
                         const struct template_value *input,
                         const struct arguments *arguments,
                         struct template_value *value);
/* The answer in *truth. */
int template_call_test(struct state *state, struct oy_text name,
                       const struct template_value *input,
                       const struct arguments *arguments, int *truth);
/* 1: there is such a method and it was called, 0: there is none, -1. */
int template_call_method(struct state *state, const struct template_value *self,
                         struct oy_text name, const struct arguments *arguments,
                         struct template_value *value);
int template_has_method(const struct template_value *self, struct oy_text name);
/* object.name or object['name'] as filters with attribute= see it: dots reach
 * deeper, digits index. Undefined when it is not there. */
int template_attribute(struct state *state, const struct template_value *object,
                       struct oy_text path, struct template_value *value);
/* Python's slice of a text or list; NULL bounds are open. */
int template_slice(struct state *state, const struct template_value *object,
                   const struct template_value *start,
                   const struct template_value *stop,
                   const struct template_value *step,
                   struct template_value *value);

/* datetime.strftime of a time without a zone. */
void template_put_time(const struct tm *time, struct oy_text format,
                       struct oy_buffer *out);

/* "%s: %d" with arguments, printf-like: the filter `format` and the operator
 * %. */
int template_format(struct state *state, struct oy_text format,
                    const struct arguments *arguments,
                    struct template_value *value);
/* "{}, {name}" with arguments: str.format, without format specifications. */
int template_format_fields(struct state *state, struct oy_text format,
                           const struct arguments *arguments,
                           struct template_value *value);
/* Appends with & < > " ' as HTML's entities. */
void template_put_escaped(struct oy_text text, struct oy_buffer *out);

/* ---- texts, as Python's str methods do them ---- */

struct oy_text template_strip(struct oy_text text, struct oy_text chars,
                              int left, int right); /* chars.at NULL: space */
/* Byte offset of the first (or last) occurrence, or SIZE_MAX. */
size_t template_search(struct oy_text text, struct oy_text part, int last);
void template_replace(struct oy_text text, struct oy_text from,
                      struct oy_text to, int64_t max, struct oy_buffer *out);

#endif

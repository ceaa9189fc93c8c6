/* SPDX-License-Identifier: Apache-2.0
 *
 * The values that templates compute with: Python's, as far as Jinja shows
 * them. Also how documents of benchmarks and chat messages are held.
 *
 * A value is a small struct that is passed by copy; what it points to lies in
 * an arena or is borrowed from the text it was read from. Dictionaries keep
 * the order of insertion. Texts are valid UTF-8 and may hold NUL.
 */
#ifndef TOKENIZER_TEMPLATE_VALUE_H
#define TOKENIZER_TEMPLATE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/json.h"

enum template_kind {
    TEMPLATE_UNDEFINED, /* text: the name that was looked for */
    TEMPLATE_NONE,
    TEMPLATE_BOOL,
    TEMPLATE_INT,
    TEMPLATE_BIG_INT, /* text: digits of an integer beyond 64 bits */
    TEMPLATE_FLOAT,
    TEMPLATE_STRING,
    TEMPLATE_LIST,
    TEMPLATE_TUPLE,
    TEMPLATE_GENERATOR, /* of map, select ...: has no length, is read once */
    TEMPLATE_DICT,
    TEMPLATE_NAMESPACE, /* a dictionary that `set ns.x` may change */
    TEMPLATE_CALLABLE,  /* private to the evaluator */
};

struct template_list;
struct template_dict;

struct template_value {
    enum template_kind kind;
    int is_markup; /* STRING: safe or escaped; `+` escapes what joins it */
    union {
        int64_t integer; /* BOOL, INT */
        double number;
        struct oy_text text;
        struct template_list *list; /* LIST, TUPLE, GENERATOR */
        struct template_dict *dict; /* DICT, NAMESPACE */
        const void *callable;
    };
};

struct template_list {
    struct template_value *item;
    size_t n_item;
    size_t cap_item;
    int depth;       /* of nesting, itself not counted */
    uint64_t weight; /* of the items, see template_weight() */
};

struct template_entry {
    struct template_value key;
    struct template_value value;
};

struct template_dict {
    struct template_entry *entry;
    size_t n_entry;
    size_t cap_entry;
    int depth;
    uint64_t weight;
    uint32_t *slot; /* [n_slot]: entry + 1 by its key's hash; NULL: few */
    size_t n_slot;  /* a power of two */
};

/* ---- making ---- */

struct template_value template_none(void);
struct template_value template_bool(int truth);
struct template_value template_int(int64_t integer);
struct template_value template_float(double number);
/* Borrowed. */
struct template_value template_string(const char *text, size_t len);
struct template_value template_literal(const char *text);
struct template_value template_new_list(struct oy_arena *arena);
struct template_value template_new_dict(struct oy_arena *arena);
void template_push(struct template_value *list, struct oy_arena *arena,
                   struct template_value item);
/* Replaces the value of an equal key, or appends. */
void template_put(struct template_value *dict, struct oy_arena *arena,
                  struct template_value key, struct template_value value);
void template_put_name(struct template_value *dict, struct oy_arena *arena,
                       const char *key, struct template_value value);

/* From JSON: texts without escapes are borrowed from its line, the rest lies
 * in `arena`. The last of equal keys counts, in the place of the first, as in
 * Python. -1 with *why: malformed, or nested deeper than 500. */
int template_from_json(const struct oy_json_value *json, struct oy_arena *arena,
                       struct template_value *value, const char **why);
/* The same from a text of JSON. */
int template_parse_json(const char *text, size_t len, struct oy_arena *arena,
                        struct template_value *value, const char **why);

/* Levels of lists and dictionaries inside a value, itself counted; what walks
 * a value recurses so deep. */
int template_depth(const struct template_value *value);
/* What it costs to walk a value: 1, and 1 for 256 bytes of a text, summed over
 * all that is inside; something that is inside twice counts twice. */
uint64_t template_weight(const struct template_value *value);

/* ---- asking ---- */

/* The value of a key (or member of a namespace), or NULL. */
const struct template_value *template_find(const struct template_value *dict,
                                           const struct template_value *key);
const struct template_value *template_get(const struct template_value *dict,
                                          const char *key);

/* Python's bool(), ==, and len(); -1 when a value has no length. */
int template_truth(const struct template_value *value);
int template_equal(const struct template_value *a,
                   const struct template_value *b);
int64_t template_length(const struct template_value *value);
/* Python's <, -1 0 1 in *order; -1 when the two cannot be compared. */
int template_compare(const struct template_value *a,
                     const struct template_value *b, int *order);
/* "str", "int", ... as Python calls it. */
const char *template_kind_name(const struct template_value *value);
static inline int template_is_number(const struct template_value *value)
{
    return value->kind == TEMPLATE_BOOL || value->kind == TEMPLATE_INT ||
           value->kind == TEMPLATE_FLOAT;
}
double template_number(const struct template_value *value);

/* ---- writing ---- */

/* Python's str() and repr(). */
void template_put_text(const struct template_value *value,
                       struct oy_buffer *out);
void template_put_repr(const struct template_value *value,
                       struct oy_buffer *out);

/* Python's json.dumps(ensure_ascii=False): `indent` spaces a level, or -1 for
 * one line with ", " and ": ". */
struct template_json_style {
    int indent;
    int sort_keys;
    int ascii;        /* ensure_ascii=True */
    const char *item; /* NULL: ", ", or "," with an indent */
    const char *key;  /* NULL: ": " */
};
void template_put_json(const struct template_value *value,
                       const struct template_json_style *style,
                       struct oy_buffer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of templates: made, compared, read from JSON. */
#include "tokenizer/template_value.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/utf8.h"

enum {
    MAX_DEPTH = 500,
    MAX_UNINDEXED = 16, /* entries that are looked through one by one */
};

struct template_value template_none(void)
{
    return (struct template_value){.kind = TEMPLATE_NONE};
}

struct template_value template_bool(int truth)
{
    return (struct template_value){.kind = TEMPLATE_BOOL, .integer = !!truth};
}

struct template_value template_int(int64_t integer)
{
    return (struct template_value){.kind = TEMPLATE_INT, .integer = integer};
}

struct template_value template_float(double number)
{
    return (struct template_value){.kind = TEMPLATE_FLOAT, .number = number};
}

struct template_value template_string(const char *text, size_t len)
{
    return (struct template_value){.kind = TEMPLATE_STRING,
                                   .text = {text, len}};
}

struct template_value template_literal(const char *text)
{
    return template_string(text, strlen(text));
}

struct template_value template_new_list(struct oy_arena *arena)
{
    struct template_value list = {.kind = TEMPLATE_LIST};

    list.list = oy_arena_alloc(arena, sizeof *list.list);
    *list.list = (struct template_list){0};
    return list;
}

struct template_value template_new_dict(struct oy_arena *arena)
{
    struct template_value dict = {.kind = TEMPLATE_DICT};

    dict.dict = oy_arena_alloc(arena, sizeof *dict.dict);
    *dict.dict = (struct template_dict){0};
    return dict;
}

/* Arenas cannot grow a block in place: doubling keeps the copies linear. */
static void *grow(struct oy_arena *arena, void *old, size_t n, size_t *cap,
                  size_t size)
{
    if (n < *cap)
        return old;
    *cap = *cap ? *cap * 2 : 8;

    void *fresh = oy_arena_array(arena, *cap, size);
    if (n)
        memcpy(fresh, old, n * size);
    return fresh;
}

int template_depth(const struct template_value *value)
{
    switch (value->kind) {
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE:
    case TEMPLATE_GENERATOR: return value->list->depth + 1;
    case TEMPLATE_DICT: return value->dict->depth + 1;
    default: return 0; /* nothing walks into a namespace */
    }
}

/* Shared parts make weights grow exponentially: they stay far from overflow. */
static uint64_t add_weights(uint64_t a, uint64_t b)
{
    const uint64_t most = UINT64_C(1) << 50;

    return a + b < most ? a + b : most;
}

uint64_t template_weight(const struct template_value *value)
{
    switch (value->kind) {
    case TEMPLATE_STRING: return 1 + value->text.len / 256;
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE:
    case TEMPLATE_GENERATOR: return add_weights(1, value->list->weight);
    case TEMPLATE_DICT: return add_weights(1, value->dict->weight);
    default: return 1;
    }
}

void template_push(struct template_value *list, struct oy_arena *arena,
                   struct template_value item)
{
    struct template_list *l = list->list;
    const int depth = template_depth(&item);

    if (l->depth < depth)
        l->depth = depth;
    l->weight = add_weights(l->weight, template_weight(&item));
    l->item = grow(arena, l->item, l->n_item, &l->cap_item, sizeof *l->item);
    l->item[l->n_item++] = item;
}

/* Equal keys have equal hashes: 1, 1.0 and True are equal. */
static uint64_t hash_key(const struct template_value *key)
{
    if (key->kind == TEMPLATE_STRING || key->kind == TEMPLATE_BIG_INT)
        return oy_hash64(key->text.at, key->text.len);
    if (template_is_number(key)) {
        const double number = template_number(key) + 0.0; /* no -0 */
        return oy_hash64(&number, sizeof number);
    }
    return (uint64_t)key->kind;
}

static struct template_entry *find_entry(const struct template_dict *dict,
                                         const struct template_value *key)
{
    if (!dict->slot) {
        for (size_t i = 0; i < dict->n_entry; i++) {
            if (template_equal(&dict->entry[i].key, key))
                return &dict->entry[i];
        }
        return NULL;
    }
    for (size_t at = hash_key(key);; at++) {
        const uint32_t found = dict->slot[at & (dict->n_slot - 1)];
        if (!found || template_equal(&dict->entry[found - 1].key, key))
            return found ? &dict->entry[found - 1] : NULL;
    }
}

static void fill_slot(struct template_dict *dict, size_t entry)
{
    size_t at = hash_key(&dict->entry[entry].key);

    while (dict->slot[at & (dict->n_slot - 1)])
        at++;
    dict->slot[at & (dict->n_slot - 1)] = (uint32_t)entry + 1;
}

/* Makes the last entry known to the table; a dictionary of few has none. */
static void index_last(struct template_dict *dict, struct oy_arena *arena)
{
    if (dict->n_entry <= MAX_UNINDEXED)
        return;
    if (dict->n_entry * 2 <= dict->n_slot) {
        fill_slot(dict, dict->n_entry - 1);
        return;
    }
    dict->n_slot = dict->n_slot ? dict->n_slot * 2 : MAX_UNINDEXED * 4;
    dict->slot = oy_arena_array(arena, dict->n_slot, sizeof *dict->slot);
    memset(dict->slot, 0, dict->n_slot * sizeof *dict->slot);
    for (size_t i = 0; i < dict->n_entry; i++)
        fill_slot(dict, i);
}

void template_put(struct template_value *dict, struct oy_arena *arena,
                  struct template_value key, struct template_value value)
{
    struct template_dict *d = dict->dict;
    struct template_entry *entry = find_entry(d, &key);
    const int depth = template_depth(&value);

    if (d->depth < depth)
        d->depth = depth;
    d->weight = add_weights(d->weight, template_weight(&value));
    if (entry) {
        entry->value = value;
        return;
    }
    d->entry =
        grow(arena, d->entry, d->n_entry, &d->cap_entry, sizeof *d->entry);
    d->entry[d->n_entry++] = (struct template_entry){key, value};
    d->weight = add_weights(d->weight, template_weight(&key));
    index_last(d, arena);
}

void template_put_name(struct template_value *dict, struct oy_arena *arena,
                       const char *key, struct template_value value)
{
    template_put(dict, arena, template_literal(key), value);
}

/* ---- from JSON ---- */

static int read_value(const struct oy_json_value *json, struct oy_arena *arena,
                      int depth, struct template_value *value,
                      const char **why);

static int read_number(const struct oy_json_value *json,
                       struct template_value *value, const char **why)
{
    const int is_integer = !memchr(json->at, '.', json->len) &&
                           !memchr(json->at, 'e', json->len) &&
                           !memchr(json->at, 'E', json->len);

    if (is_integer && oy_json_int64(json, &value->integer) == 0) {
        value->kind = TEMPLATE_INT;
        return 0;
    }
    if (is_integer) {
        value->kind = TEMPLATE_BIG_INT;
        value->text = (struct oy_text){json->at, json->len};
        return 0;
    }
    value->kind = TEMPLATE_FLOAT;
    if (oy_json_double(json, &value->number) == 0)
        return 0;
    *why = "malformed number";
    return -1;
}

static int read_string(const struct oy_json_value *json, struct oy_arena *arena,
                       struct template_value *value, const char **why)
{
    uint64_t n_repaired = 0;

    *value = (struct template_value){.kind = TEMPLATE_STRING};
    return oy_json_text(json, arena, &value->text, &n_repaired, why);
}

static int read_list(const struct oy_json_value *json, struct oy_arena *arena,
                     int depth, struct template_value *value, const char **why)
{
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    struct template_value element;
    int more;

    *value = template_new_list(arena);
    oy_json_enter(&cursor, json);
    while ((more = oy_json_next_element(&cursor, &item)) == 1) {
        if (read_value(&item, arena, depth + 1, &element, why))
            return -1;
        template_push(value, arena, element);
    }
    if (more < 0)
        *why = cursor.why;
    return more;
}

static int read_dict(const struct oy_json_value *json, struct oy_arena *arena,
                     int depth, struct template_value *value, const char **why)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, item;
    struct template_value name, member;
    int more;

    *value = template_new_dict(arena);
    oy_json_enter(&cursor, json);
    while ((more = oy_json_next_member(&cursor, &key, &item)) == 1) {
        if (read_string(&key, arena, &name, why) ||
            read_value(&item, arena, depth + 1, &member, why))
            return -1;
        template_put(value, arena, name, member);
    }
    if (more < 0)
        *why = cursor.why;
    return more;
}

static int read_value(const struct oy_json_value *json, struct oy_arena *arena,
                      int depth, struct template_value *value, const char **why)
{
    if (depth > MAX_DEPTH) {
        *why = "nested too deep";
        return -1;
    }
    switch (json->kind) {
    case OY_JSON_STRING: return read_string(json, arena, value, why);
    case OY_JSON_NUMBER: return read_number(json, value, why);
    case OY_JSON_OBJECT: return read_dict(json, arena, depth, value, why);
    case OY_JSON_ARRAY: return read_list(json, arena, depth, value, why);
    case OY_JSON_TRUE: *value = template_bool(1); return 0;
    case OY_JSON_FALSE: *value = template_bool(0); return 0;
    case OY_JSON_NULL: *value = template_none(); return 0;
    case OY_JSON_MISSING: break;
    }
    *why = "no value";
    return -1;
}

int template_from_json(const struct oy_json_value *json, struct oy_arena *arena,
                       struct template_value *value, const char **why)
{
    return read_value(json, arena, 0, value, why);
}

int template_parse_json(const char *text, size_t len, struct oy_arena *arena,
                        struct template_value *value, const char **why)
{
    struct oy_json_value json;

    if (oy_json_value_of(text, len, &json, why))
        return -1;
    return read_value(&json, arena, 0, value, why);
}

/* ---- questions ---- */

const struct template_value *template_find(const struct template_value *dict,
                                           const struct template_value *key)
{
    if (dict->kind != TEMPLATE_DICT && dict->kind != TEMPLATE_NAMESPACE)
        return NULL;

    const struct template_entry *entry = find_entry(dict->dict, key);
    return entry ? &entry->value : NULL;
}

const struct template_value *template_get(const struct template_value *dict,
                                          const char *key)
{
    const struct template_value name = template_literal(key);

    return template_find(dict, &name);
}

int template_truth(const struct template_value *value)
{
    switch (value->kind) {
    case TEMPLATE_UNDEFINED:
    case TEMPLATE_NONE: return 0;
    case TEMPLATE_BOOL:
    case TEMPLATE_INT: return value->integer != 0;
    case TEMPLATE_FLOAT: return value->number != 0;
    case TEMPLATE_STRING: return value->text.len > 0;
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE: return value->list->n_item > 0;
    case TEMPLATE_DICT: return value->dict->n_entry > 0;
    case TEMPLATE_BIG_INT:
    case TEMPLATE_GENERATOR:
    case TEMPLATE_NAMESPACE:
    case TEMPLATE_CALLABLE: break;
    }
    return 1;
}

double template_number(const struct template_value *value)
{
    return value->kind == TEMPLATE_FLOAT ? value->number
                                         : (double)value->integer;
}

static int equal_lists(const struct template_list *a,
                       const struct template_list *b)
{
    if (a->n_item != b->n_item)
        return 0;
    for (size_t i = 0; i < a->n_item; i++) {
        if (!template_equal(&a->item[i], &b->item[i]))
            return 0;
    }
    return 1;
}

static int equal_dicts(const struct template_dict *a,
                       const struct template_dict *b)
{
    if (a->n_entry != b->n_entry)
        return 0;
    for (size_t i = 0; i < a->n_entry; i++) {
        const struct template_entry *other = find_entry(b, &a->entry[i].key);
        if (!other || !template_equal(&a->entry[i].value, &other->value))
            return 0;
    }
    return 1;
}

static int equal_texts(struct oy_text a, struct oy_text b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.at, b.at, a.len));
}

int template_equal(const struct template_value *a,
                   const struct template_value *b)
{
    if (template_is_number(a) && template_is_number(b)) {
        if (a->kind != TEMPLATE_FLOAT && b->kind != TEMPLATE_FLOAT)
            return a->integer == b->integer;
        return template_number(a) == template_number(b);
    }
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case TEMPLATE_STRING:
    case TEMPLATE_BIG_INT: return equal_texts(a->text, b->text);
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE: return equal_lists(a->list, b->list);
    case TEMPLATE_DICT: return equal_dicts(a->dict, b->dict);
    case TEMPLATE_GENERATOR: return a->list == b->list;
    case TEMPLATE_NAMESPACE: return a->dict == b->dict;
    case TEMPLATE_CALLABLE: return a->callable == b->callable;
    default: return 1; /* none, undefined */
    }
}

int64_t template_length(const struct template_value *value)
{
    switch (value->kind) {
    case TEMPLATE_STRING:
        return (int64_t)oy_utf8_count(value->text.at, value->text.len);
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE: return (int64_t)value->list->n_item;
    case TEMPLATE_DICT: return (int64_t)value->dict->n_entry;
    case TEMPLATE_UNDEFINED: return 0;
    default: return -1;
    }
}

static int sign(double d)
{
    return (d > 0) - (d < 0);
}

/* Byte order of UTF-8 is the order of code points. */
static int compare_texts(struct oy_text a, struct oy_text b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int order = n ? memcmp(a.at, b.at, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_lists(const struct template_list *a,
                         const struct template_list *b, int *order)
{
    for (size_t i = 0; i < a->n_item && i < b->n_item; i++) {
        if (template_equal(&a->item[i], &b->item[i]))
            continue;
        return template_compare(&a->item[i], &b->item[i], order);
    }
    *order = (a->n_item > b->n_item) - (a->n_item < b->n_item);
    return 0;
}

int template_compare(const struct template_value *a,
                     const struct template_value *b, int *order)
{
    if (template_is_number(a) && template_is_number(b)) {
        if (a->kind != TEMPLATE_FLOAT && b->kind != TEMPLATE_FLOAT)
            *order = (a->integer > b->integer) - (a->integer < b->integer);
        else
            *order = sign(template_number(a) - template_number(b));
        return 0;
    }
    if (a->kind == TEMPLATE_STRING && b->kind == TEMPLATE_STRING) {
        *order = compare_texts(a->text, b->text);
        return 0;
    }
    if (a->kind == b->kind &&
        (a->kind == TEMPLATE_LIST || a->kind == TEMPLATE_TUPLE))
        return compare_lists(a->list, b->list, order);
    return -1;
}

const char *template_kind_name(const struct template_value *value)
{
    static const char *const name[] = {
        [TEMPLATE_UNDEFINED] = "Undefined", [TEMPLATE_NONE] = "NoneType",
        [TEMPLATE_BOOL] = "bool",           [TEMPLATE_INT] = "int",
        [TEMPLATE_BIG_INT] = "int",         [TEMPLATE_FLOAT] = "float",
        [TEMPLATE_STRING] = "str",          [TEMPLATE_LIST] = "list",
        [TEMPLATE_TUPLE] = "tuple",         [TEMPLATE_DICT] = "dict",
        [TEMPLATE_NAMESPACE] = "Namespace", [TEMPLATE_CALLABLE] = "callable",
        [TEMPLATE_GENERATOR] = "generator",
    };

    return name[value->kind];
}

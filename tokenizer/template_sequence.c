/* SPDX-License-Identifier: Apache-2.0
 *
 * The filters of templates over lists and dictionaries. */
#include <stdlib.h>
#include <string.h>

#include "core/unicode.h"
#include "tokenizer/template_filter_internal.h"

static void push(const struct filter_call *call, struct template_value item)
{
    template_push(call->value, call->state->arena, item);
}

/* The input as a list, and its length paid for. */
static int iterate(const struct filter_call *call, struct template_value *list)
{
    if (template_iterate(call->state, call->input, list))
        return -1;
    return template_step(call->state, list->list->n_item);
}

/* The same where Jinja passes over everything false: None has no items. */
static int iterate_true(const struct filter_call *call,
                        struct template_value *list)
{
    if (template_truth(call->input))
        return iterate(call, list);
    *list = template_new_list(call->state->arena);
    return 0;
}

/* Ends a filter whose result Python makes while it is read. */
static int is_lazy(const struct filter_call *call)
{
    call->value->kind = TEMPLATE_GENERATOR;
    return 0;
}

static int sequence_list(const struct filter_call *call)
{
    struct template_value list;

    if (iterate(call, &list))
        return -1;
    *call->value = template_new_list(call->state->arena);
    for (size_t i = 0; i < list.list->n_item; i++)
        push(call, list.list->item[i]);
    return 0;
}

static int sequence_reverse(const struct filter_call *call)
{
    struct template_value list;
    struct oy_buffer text = {0};

    if (iterate(call, &list))
        return -1;
    *call->value = template_new_list(call->state->arena);
    for (size_t i = list.list->n_item; i-- > 0;)
        push(call, list.list->item[i]);
    if (call->input->kind != TEMPLATE_STRING)
        return is_lazy(call);
    for (size_t i = 0; i < call->value->list->n_item; i++)
        template_put_text(&call->value->list->item[i], &text);
    return template_take(call->state, &text, call->value);
}

static const struct template_value nothing = {
    .kind = TEMPLATE_UNDEFINED, .text = {"an empty sequence", 17}};

static int sequence_end(const struct filter_call *call, int last)
{
    struct template_value list;

    if (iterate(call, &list))
        return -1;
    *call->value = nothing;
    if (list.list->n_item)
        *call->value = list.list->item[last ? list.list->n_item - 1 : 0];
    return 0;
}

static int sequence_first(const struct filter_call *call)
{
    return sequence_end(call, 0);
}

static int sequence_last(const struct filter_call *call)
{
    return sequence_end(call, 1);
}

/* The attribute argument's value of an item, or the item itself. */
static int attribute(const struct filter_call *call,
                     const struct template_value *name,
                     const struct template_value *item,
                     struct template_value *value)
{
    struct oy_buffer text = {0};
    struct template_value path;

    *value = *item;
    if (!name || name->kind == TEMPLATE_NONE)
        return 0;
    if (template_charge(call->state, name))
        return -1;
    template_put_text(name, &text);
    if (template_take(call->state, &text, &path))
        return -1;
    return template_attribute(call->state, item, path.text, value);
}

static int sequence_join(const struct filter_call *call)
{
    const struct template_value *name =
        argument_at(call->arguments, 1, "attribute");
    struct template_value list, item;
    struct oy_text between = {"", 0};
    struct oy_buffer text = {0};

    if (filter_text(call, 0, "d", &between) || iterate(call, &list))
        return -1;
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (attribute(call, name, &list.list->item[i], &item) ||
            template_defined(call->state, &item) ||
            text.len > TEMPLATE_MAX_OUTPUT) {
            oy_buffer_release(&text);
            return template_fail(call->state, "join failed");
        }
        if (template_charge(call->state, &item))
            return oy_buffer_release(&text), -1;
        if (i)
            oy_buffer_append(&text, between.at, between.len);
        template_put_text(&item, &text);
    }
    return template_take(call->state, &text, call->value);
}

/* ---- map, select, reject ---- */

/* The arguments behind the first `skip`. */
static struct arguments *later_arguments(const struct filter_call *call,
                                         int skip)
{
    const struct arguments *from = call->arguments;
    struct arguments *to = oy_arena_alloc(call->state->arena, sizeof *to);

    to->n = to->n_positional = 0;
    for (int i = skip; i < from->n; i++) {
        to->value[to->n] = from->value[i];
        to->name[to->n++] = from->name[i];
    }
    to->n_positional =
        from->n_positional > skip ? from->n_positional - skip : 0;
    return to;
}

static int map_item(const struct filter_call *call,
                    const struct template_value *item,
                    struct template_value *value)
{
    const struct template_value *name =
        argument_at(call->arguments, -1, "attribute");
    const struct template_value *other =
        argument_at(call->arguments, -1, "default");

    if (!name) {
        name = argument_at(call->arguments, 0, NULL);
        if (!name || name->kind != TEMPLATE_STRING)
            return template_fail(call->state, "map wants a filter's name");
        return template_call_filter(call->state, name->text, item,
                                    later_arguments(call, 1), value);
    }
    if (attribute(call, name, item, value))
        return -1;
    if (value->kind == TEMPLATE_UNDEFINED && other)
        *value = *other;
    return 0;
}

static int sequence_map(const struct filter_call *call)
{
    struct template_value list, item;

    if (iterate_true(call, &list))
        return -1;
    *call->value = template_new_list(call->state->arena);
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (map_item(call, &list.list->item[i], &item))
            return -1;
        push(call, item);
    }
    return is_lazy(call);
}

/* Whether the test (or truth itself) holds for an item or its attribute. */
static int item_passes(const struct filter_call *call, int by_attribute,
                       const struct template_value *item, int *truth)
{
    const struct template_value *name =
        argument_at(call->arguments, by_attribute, NULL);
    const struct template_value *path =
        by_attribute ? argument_at(call->arguments, 0, NULL) : NULL;
    struct template_value value;

    if (by_attribute && !path)
        return template_fail(call->state, "expected an attribute's name");
    if (attribute(call, path, item, &value))
        return -1;
    if (!name) {
        *truth = template_truth(&value);
        return 0;
    }
    if (name->kind != TEMPLATE_STRING)
        return template_fail(call->state, "expected a test's name");
    return template_call_test(call->state, name->text, &value,
                              later_arguments(call, by_attribute + 1), truth);
}

static int select_items(const struct filter_call *call, int by_attribute,
                        int want)
{
    struct template_value list;
    int truth = 0;

    if (iterate_true(call, &list))
        return -1;
    *call->value = template_new_list(call->state->arena);
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (item_passes(call, by_attribute, &list.list->item[i], &truth))
            return -1;
        if (truth == want)
            push(call, list.list->item[i]);
    }
    return is_lazy(call);
}

static int sequence_select(const struct filter_call *call)
{
    return select_items(call, 0, 1);
}

static int sequence_reject(const struct filter_call *call)
{
    return select_items(call, 0, 0);
}

static int sequence_selectattr(const struct filter_call *call)
{
    return select_items(call, 1, 1);
}

static int sequence_rejectattr(const struct filter_call *call)
{
    return select_items(call, 1, 0);
}

/* ---- order ---- */

struct sortable {
    struct template_value key;
    struct template_value value;
};

/* Texts are compared in lower case unless case_sensitive. */
static int sort_key(const struct filter_call *call, int case_sensitive,
                    struct template_value *key)
{
    struct oy_buffer text = {0};

    /* Lists are walked by every comparison. */
    if (template_depth(key) &&
        template_step(call->state, 32 * template_weight(key)))
        return -1;
    if (key->kind != TEMPLATE_STRING || case_sensitive)
        return 0;
    oy_py_lower(key->text.at, key->text.len, &text);
    return template_take(call->state, &text, key);
}

/* Stable, by merging: equal keys keep their order, as Python's sort does. -1
 * when two keys cannot be compared. */
static int merge_sort(struct sortable *item, struct sortable *spare, size_t n,
                      int reverse)
{
    const size_t half = n / 2;
    size_t a = 0, b = half, out = 0;
    int order;

    if (n < 2)
        return 0;
    if (merge_sort(item, spare, half, reverse) ||
        merge_sort(item + half, spare, n - half, reverse))
        return -1;
    while (a < half && b < n) {
        if (template_compare(&item[b].key, &item[a].key, &order))
            return -1;
        spare[out++] =
            (reverse ? order > 0 : order < 0) ? item[b++] : item[a++];
    }
    while (a < half)
        spare[out++] = item[a++];
    memcpy(item, spare, out * sizeof *item);
    return 0;
}

static int sort(const struct filter_call *call, struct sortable *item, size_t n,
                int reverse)
{
    struct sortable *spare =
        oy_arena_array(call->state->arena, n + 1, sizeof *spare);

    if (template_step(call->state, n * 4))
        return -1;
    if (merge_sort(item, spare, n, reverse))
        return template_fail(call->state, "values cannot be compared");
    *call->value = template_new_list(call->state->arena);
    for (size_t i = 0; i < n; i++)
        push(call, item[i].value);
    return 0;
}

static struct template_value pair(const struct filter_call *call,
                                  const struct template_entry *entry)
{
    struct template_value tuple = template_new_list(call->state->arena);

    tuple.kind = TEMPLATE_TUPLE;
    template_push(&tuple, call->state->arena, entry->key);
    template_push(&tuple, call->state->arena, entry->value);
    return tuple;
}

static int sequence_dictsort(const struct filter_call *call)
{
    struct oy_text by = {"key", 3};
    const struct template_dict *dict = call->input->dict;
    struct sortable *item;

    if (call->input->kind != TEMPLATE_DICT)
        return template_fail(call->state, "dictsort wants a dictionary");
    if (filter_text(call, 1, "by", &by))
        return -1;
    item = oy_arena_array(call->state->arena, dict->n_entry + 1, sizeof *item);
    for (size_t i = 0; i < dict->n_entry; i++) {
        item[i].value = pair(call, &dict->entry[i]);
        item[i].key = template_equals(by, "value") ? dict->entry[i].value
                                                   : dict->entry[i].key;
        if (sort_key(call, filter_option(call, 0, "case_sensitive"),
                     &item[i].key))
            return -1;
    }
    return sort(call, item, dict->n_entry, filter_option(call, 2, "reverse"));
}

static int sequence_items(const struct filter_call *call)
{
    *call->value = template_new_list(call->state->arena);
    if (call->input->kind == TEMPLATE_UNDEFINED)
        return is_lazy(call);
    if (call->input->kind != TEMPLATE_DICT)
        return template_fail(call->state, "items wants a dictionary");
    for (size_t i = 0; i < call->input->dict->n_entry; i++)
        push(call, pair(call, &call->input->dict->entry[i]));
    return is_lazy(call);
}

static int sequence_unique(const struct filter_call *call)
{
    const struct template_value *name =
        argument_at(call->arguments, 1, "attribute");
    struct template_value list, key, seen;

    if (iterate(call, &list))
        return -1;
    *call->value = template_new_list(call->state->arena);
    seen = template_new_list(call->state->arena);
    for (size_t i = 0; i < list.list->n_item; i++) {
        size_t j = 0;
        if (attribute(call, name, &list.list->item[i], &key) ||
            sort_key(call, filter_option(call, 0, "case_sensitive"), &key) ||
            template_step(call->state, seen.list->n_item) ||
            (template_depth(&key) && template_charge(call->state, &seen)))
            return -1;
        while (j < seen.list->n_item &&
               !template_equal(&seen.list->item[j], &key))
            j++;
        if (j < seen.list->n_item)
            continue;
        template_push(&seen, call->state->arena, key);
        push(call, list.list->item[i]);
    }
    return is_lazy(call);
}

/* The items sorted by an attribute. */
static struct sortable *sort_by(const struct filter_call *call,
                                const struct template_value *name,
                                int case_sensitive, int reverse, size_t *n)
{
    struct template_value list;
    struct sortable *item;

    if (iterate(call, &list))
        return NULL;
    *n = list.list->n_item;
    item = oy_arena_array(call->state->arena, *n + 1, sizeof *item);
    for (size_t i = 0; i < *n; i++) {
        item[i].value = list.list->item[i];
        if (attribute(call, name, &item[i].value, &item[i].key) ||
            sort_key(call, case_sensitive, &item[i].key))
            return NULL;
    }
    return sort(call, item, *n, reverse) ? NULL : item;
}

static int sequence_sort(const struct filter_call *call)
{
    size_t n;

    return sort_by(call, argument_at(call->arguments, 2, "attribute"),
                   filter_option(call, 1, "case_sensitive"),
                   filter_option(call, 0, "reverse"), &n)
               ? 0
               : -1;
}

/* (attribute, [items that are equal in it]), in the order of the attribute. */
static int sequence_groupby(const struct filter_call *call)
{
    const struct template_value *name =
        argument_at(call->arguments, 0, "attribute");
    struct oy_arena *arena = call->state->arena;
    struct template_value key;
    size_t n;
    const struct sortable *item =
        sort_by(call, name, filter_option(call, 2, "case_sensitive"), 0, &n);

    if (!item)
        return -1;
    *call->value = template_new_list(arena);
    for (size_t i = 0; i < n;) {
        struct template_value group = template_new_list(arena);
        struct template_value members = template_new_list(arena);
        const size_t first = i;
        if (attribute(call, name, &item[i].value, &key))
            return -1;
        while (i < n && template_equal(&item[i].key, &item[first].key))
            template_push(&members, arena, item[i++].value);
        group.kind = TEMPLATE_TUPLE;
        template_push(&group, arena, key);
        template_push(&group, arena, members);
        push(call, group);
    }
    return 0;
}

static int extreme(const struct filter_call *call, int want)
{
    const struct template_value *name =
        argument_at(call->arguments, 1, "attribute");
    struct template_value list, key, best = {.kind = TEMPLATE_UNDEFINED};
    int order;

    if (iterate(call, &list))
        return -1;
    *call->value = nothing;
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (attribute(call, name, &list.list->item[i], &key) ||
            sort_key(call, filter_option(call, 0, "case_sensitive"), &key))
            return -1;
        if (i && template_compare(&key, &best, &order))
            return template_fail(call->state, "values cannot be compared");
        if (i && order != want)
            continue;
        best = key;
        *call->value = list.list->item[i];
    }
    return 0;
}

static int sequence_min(const struct filter_call *call)
{
    return extreme(call, -1);
}

static int sequence_max(const struct filter_call *call)
{
    return extreme(call, 1);
}

static int sequence_sum(const struct filter_call *call)
{
    const struct template_value *name =
        argument_at(call->arguments, 0, "attribute");
    const struct template_value *start =
        argument_at(call->arguments, 1, "start");
    struct template_value list, item;

    *call->value = start ? *start : template_int(0);
    if (iterate(call, &list))
        return -1;
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (attribute(call, name, &list.list->item[i], &item))
            return -1;
        if (!template_is_number(&item) || !template_is_number(call->value))
            return template_fail(call->state, "sum wants numbers");
        if (item.kind == TEMPLATE_FLOAT || call->value->kind == TEMPLATE_FLOAT)
            *call->value = template_float(template_number(call->value) +
                                          template_number(&item));
        else if (__builtin_add_overflow(call->value->integer, item.integer,
                                        &call->value->integer))
            return template_fail(call->state, "integer beyond 64 bits");
    }
    return 0;
}

static int sequence_batch(const struct filter_call *call)
{
    const struct template_value *fill =
        argument_at(call->arguments, 1, "fill_with");
    struct template_value list, row = {0};
    int64_t size = 0;

    if (filter_int(call, 0, "linecount", &size) || iterate(call, &list))
        return -1;
    if (size < 1)
        return template_fail(call->state, "batch wants a size");
    *call->value = template_new_list(call->state->arena);
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (i % (size_t)size == 0) {
            row = template_new_list(call->state->arena);
            push(call, row);
        }
        template_push(&row, call->state->arena, list.list->item[i]);
    }
    while (fill && list.list->n_item && row.list->n_item < (size_t)size) {
        if (template_step(call->state, 1))
            return -1;
        template_push(&row, call->state->arena, *fill);
    }
    return is_lazy(call);
}

const struct filter filter_sequence_table[] = {
    {"list", sequence_list},
    {"reverse", sequence_reverse},
    {"first", sequence_first},
    {"last", sequence_last},
    {"join", sequence_join},
    {"map", sequence_map},
    {"select", sequence_select},
    {"reject", sequence_reject},
    {"selectattr", sequence_selectattr},
    {"rejectattr", sequence_rejectattr},
    {"sort", sequence_sort},
    {"dictsort", sequence_dictsort},
    {"items", sequence_items},
    {"unique", sequence_unique},
    {"groupby", sequence_groupby},
    {"min", sequence_min},
    {"max", sequence_max},
    {"sum", sequence_sum},
    {"batch", sequence_batch},
    {NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods of Python's str, list and dict that templates may call: those
 * that read. */
#include <string.h>

#include "core/unicode.h"
#include "core/unicode_case.h"
#include "core/utf8.h"
#include "tokenizer/template_internal.h"

struct call {
    struct state *state;
    const struct template_value *self;
    const struct arguments *arguments;
    struct template_value *value;
};

typedef int (*method_function)(const struct call *call);

static struct oy_text rest_of(struct oy_text text, size_t from)
{
    return (struct oy_text){text.at + from, text.len - from};
}

static void push_text(const struct call *call, struct oy_text text, size_t len)
{
    template_push(call->value, call->state->arena,
                  template_string(text.at, len));
}

/* A text argument: 1 given, 0 not given or none, -1. */
static int text_argument(const struct call *call, int position,
                         const char *name, struct oy_text *text)
{
    const struct template_value *value =
        argument_at(call->arguments, position, name);

    *text = (struct oy_text){0};
    if (!value || value->kind == TEMPLATE_NONE)
        return 0;
    if (value->kind != TEMPLATE_STRING)
        return template_fail(call->state, "expected a text, not '%s'",
                             template_kind_name(value));
    *text = value->text;
    return 1;
}

static int int_argument(const struct call *call, int position, const char *name,
                        int64_t *number)
{
    const struct template_value *value =
        argument_at(call->arguments, position, name);

    if (!value)
        return 0;
    if (value->kind != TEMPLATE_INT)
        return template_fail(call->state, "expected an integer, not '%s'",
                             template_kind_name(value));
    *number = value->integer;
    return 0;
}

static int need_text(const struct call *call, struct oy_text *text)
{
    const int given = text_argument(call, 0, NULL, text);

    if (given == 0)
        return template_fail(call->state, "expected a text argument");
    return given < 0 ? -1 : 0;
}

/* ---- str: stripping and splitting ---- */

static int strip(const struct call *call, int left, int right)
{
    struct oy_text chars, text;

    if (text_argument(call, 0, NULL, &chars) < 0)
        return -1;
    text = template_strip(call->self->text, chars, left, right);
    *call->value = template_string(text.at, text.len);
    return 0;
}

static int str_strip(const struct call *call)
{
    return strip(call, 1, 1);
}

static int str_lstrip(const struct call *call)
{
    return strip(call, 1, 0);
}

static int str_rstrip(const struct call *call)
{
    return strip(call, 0, 1);
}

static size_t next_space(struct oy_text text)
{
    size_t at = 0;

    while (at < text.len) {
        const size_t start = at;
        if (oy_py_isspace(oy_utf8_next(text.at, &at)))
            return start;
    }
    return text.len;
}

static void split_at_spaces(const struct call *call, int64_t max)
{
    struct oy_text text =
        template_strip(call->self->text, (struct oy_text){0}, 1, 0);

    while (text.len && max-- != 0) {
        const size_t end = next_space(text);
        push_text(call, text, end);
        text = template_strip(rest_of(text, end), (struct oy_text){0}, 1, 0);
    }
    if (text.len) {
        text = template_strip(text, (struct oy_text){0}, 0, 1);
        push_text(call, text, text.len);
    }
}

static void split_at_text(const struct call *call, struct oy_text separator,
                          int64_t max)
{
    struct oy_text text = call->self->text;
    size_t at;

    while (max-- != 0 &&
           (at = template_search(text, separator, 0)) != SIZE_MAX) {
        push_text(call, text, at);
        text = rest_of(text, at + separator.len);
    }
    push_text(call, text, text.len);
}

static void reverse_list(struct template_list *list)
{
    for (size_t i = 0; i < list->n_item / 2; i++) {
        const struct template_value swap = list->item[i];
        list->item[i] = list->item[list->n_item - 1 - i];
        list->item[list->n_item - 1 - i] = swap;
    }
}

/* From the right; only a limit makes a difference. */
static void rsplit_at_text(const struct call *call, struct oy_text separator,
                           int64_t max)
{
    struct oy_text text = call->self->text;
    size_t at;

    while (max-- != 0 &&
           (at = template_search(text, separator, 1)) != SIZE_MAX) {
        const struct oy_text part = rest_of(text, at + separator.len);
        push_text(call, part, part.len);
        text.len = at;
    }
    push_text(call, text, text.len);
    reverse_list(call->value->list);
}

static int split(const struct call *call, int from_right)
{
    struct oy_text separator;
    int64_t max = -1;
    const int given = text_argument(call, 0, "sep", &separator);

    if (given < 0 || int_argument(call, 1, "maxsplit", &max) ||
        template_step(call->state, call->self->text.len / 8))
        return -1;
    if (given && separator.len == 0)
        return template_fail(call->state, "empty separator");
    if (!given && from_right && max >= 0)
        return template_fail(call->state, "rsplit wants a separator");
    *call->value = template_new_list(call->state->arena);
    if (!given)
        split_at_spaces(call, max);
    else if (from_right && max >= 0)
        rsplit_at_text(call, separator, max);
    else
        split_at_text(call, separator, max);
    return 0;
}

static int str_split(const struct call *call)
{
    return split(call, 0);
}

static int str_rsplit(const struct call *call)
{
    return split(call, 1);
}

static int str_splitlines(const struct call *call)
{
    const struct oy_text text = call->self->text;
    const struct template_value *keep =
        argument_at(call->arguments, 0, "keepends");
    size_t start = 0;

    if (template_step(call->state, text.len / 8))
        return -1;
    *call->value = template_new_list(call->state->arena);
    for (size_t at = 0; at < text.len;) {
        const size_t end = at;
        const uint32_t c = oy_utf8_next(text.at, &at);
        if (!oy_py_is_line_end(c))
            continue;
        if (c == '\r' && at < text.len && text.at[at] == '\n')
            at++;
        push_text(call, rest_of(text, start),
                  (keep && template_truth(keep) ? at : end) - start);
        start = at;
    }
    if (start < text.len)
        push_text(call, rest_of(text, start), text.len - start);
    return 0;
}

static int partition(const struct call *call, int last)
{
    const struct oy_text text = call->self->text;
    struct oy_text separator;
    size_t at;

    if (need_text(call, &separator))
        return -1;
    *call->value = template_new_list(call->state->arena);
    call->value->kind = TEMPLATE_TUPLE;
    at = template_search(text, separator, last);
    if (at == SIZE_MAX) {
        push_text(call, text, last ? 0 : text.len);
        push_text(call, text, 0);
        push_text(call, text, last ? text.len : 0);
        return 0;
    }
    push_text(call, text, at);
    push_text(call, separator, separator.len);
    push_text(call, rest_of(text, at + separator.len),
              text.len - at - separator.len);
    return 0;
}

static int str_partition(const struct call *call)
{
    return partition(call, 0);
}

static int str_rpartition(const struct call *call)
{
    return partition(call, 1);
}

/* ---- str: searching ---- */

static int has_affix(struct oy_text text, struct oy_text part, int at_end)
{
    return part.len <= text.len &&
           !memcmp(text.at + (at_end ? text.len - part.len : 0), part.at,
                   part.len);
}

/* startswith and endswith take a text or a tuple of texts. */
static int affix(const struct call *call, int at_end)
{
    const struct template_value *part = argument_at(call->arguments, 0, NULL);
    int truth = 0;

    if (part && part->kind == TEMPLATE_TUPLE) {
        for (size_t i = 0; i < part->list->n_item; i++) {
            const struct template_value *one = &part->list->item[i];
            truth |= one->kind == TEMPLATE_STRING &&
                     has_affix(call->self->text, one->text, at_end);
        }
    } else if (part && part->kind == TEMPLATE_STRING) {
        truth = has_affix(call->self->text, part->text, at_end);
    } else {
        return template_fail(call->state, "expected a text or a tuple");
    }
    *call->value = template_bool(truth);
    return 0;
}

static int str_startswith(const struct call *call)
{
    return affix(call, 0);
}

static int str_endswith(const struct call *call)
{
    return affix(call, 1);
}

static int find(const struct call *call, int last)
{
    struct oy_text part;
    size_t at;

    if (need_text(call, &part))
        return -1;
    at = template_search(call->self->text, part, last);
    *call->value = template_int(
        at == SIZE_MAX ? -1 : (int64_t)oy_utf8_count(call->self->text.at, at));
    return 0;
}

static int str_find(const struct call *call)
{
    return find(call, 0);
}

static int str_rfind(const struct call *call)
{
    return find(call, 1);
}

static int str_index(const struct call *call)
{
    if (find(call, 0))
        return -1;
    return call->value->integer < 0
               ? template_fail(call->state, "substring not found")
               : 0;
}

static int str_count(const struct call *call)
{
    struct oy_text text = call->self->text, part;
    int64_t n = 0;
    size_t at;

    if (need_text(call, &part))
        return -1;
    if (part.len == 0)
        n = (int64_t)oy_utf8_count(text.at, text.len) + 1;
    while (part.len && (at = template_search(text, part, 0)) != SIZE_MAX) {
        text = rest_of(text, at + part.len);
        n++;
    }
    *call->value = template_int(n);
    return 0;
}

/* ---- str: changing ---- */

static int str_replace(const struct call *call)
{
    struct oy_text from, to;
    struct oy_buffer text = {0};
    int64_t max = -1;

    if (need_text(call, &from) || int_argument(call, 2, "count", &max))
        return -1;
    if (text_argument(call, 1, NULL, &to) <= 0)
        return template_fail(call->state, "replace wants two texts");
    /* The longest that it can become is checked before it is made. */
    if (to.len > from.len && call->self->text.len + 1 > 0 &&
        to.len > TEMPLATE_MAX_OUTPUT / (call->self->text.len + 1))
        return template_fail(call->state, "more than %d bytes",
                             TEMPLATE_MAX_OUTPUT);
    template_replace(call->self->text, from, to, max, &text);
    return template_take(call->state, &text, call->value);
}

static int change_case(const struct call *call,
                       void (*change)(const char *, size_t, struct oy_buffer *))
{
    struct oy_buffer text = {0};

    change(call->self->text.at, call->self->text.len, &text);
    return template_take(call->state, &text, call->value);
}

static int str_lower(const struct call *call)
{
    return change_case(call, oy_py_lower);
}

static int str_upper(const struct call *call)
{
    return change_case(call, oy_py_upper);
}

static int str_capitalize(const struct call *call)
{
    return change_case(call, oy_py_capitalize);
}

static int str_title(const struct call *call)
{
    return change_case(call, oy_py_title);
}

static int str_removeprefix(const struct call *call)
{
    struct oy_text part, text = call->self->text;

    if (need_text(call, &part))
        return -1;
    if (has_affix(text, part, 0))
        text = rest_of(text, part.len);
    *call->value = template_string(text.at, text.len);
    return 0;
}

static int str_removesuffix(const struct call *call)
{
    struct oy_text part, text = call->self->text;

    if (need_text(call, &part))
        return -1;
    if (has_affix(text, part, 1))
        text.len -= part.len;
    *call->value = template_string(text.at, text.len);
    return 0;
}

static int str_join(const struct call *call)
{
    struct oy_buffer text = {0};
    struct template_value list;

    if (!call->arguments->n)
        return template_fail(call->state, "join wants a list");
    if (template_iterate(call->state, &call->arguments->value[0], &list))
        return -1;
    for (size_t i = 0; i < list.list->n_item; i++) {
        if (list.list->item[i].kind != TEMPLATE_STRING ||
            text.len > TEMPLATE_MAX_OUTPUT)
            return oy_buffer_release(&text),
                   template_fail(call->state, "join wants few texts");
        if (i)
            oy_buffer_append(&text, call->self->text.at, call->self->text.len);
        template_put_text(&list.list->item[i], &text);
    }
    return template_take(call->state, &text, call->value);
}

static int str_format(const struct call *call)
{
    return template_format_fields(call->state, call->self->text,
                                  call->arguments, call->value);
}

static int pad(const struct call *call, int left, int right)
{
    const int64_t n = template_length(call->self);
    struct oy_text fill = {" ", 1}, given;
    struct oy_buffer text = {0};
    int64_t width = 0;

    if (int_argument(call, 0, NULL, &width) ||
        text_argument(call, 1, NULL, &given) < 0)
        return -1;
    if (given.at)
        fill = given;
    if (width > TEMPLATE_MAX_OUTPUT)
        return template_fail(call->state, "more than %d bytes",
                             TEMPLATE_MAX_OUTPUT);
    width = width > n ? width - n : 0;

    /* str.center puts the odd one to the left of an odd width. */
    const int64_t before = !left    ? 0
                           : !right ? width
                                    : width / 2 + (width & (width + n) & 1);
    for (int64_t i = 0; i < before; i++)
        oy_buffer_append(&text, fill.at, fill.len);
    oy_buffer_append(&text, call->self->text.at, call->self->text.len);
    for (int64_t i = before; i < width; i++)
        oy_buffer_append(&text, fill.at, fill.len);
    return template_take(call->state, &text, call->value);
}

static int str_ljust(const struct call *call)
{
    return pad(call, 0, 1);
}

static int str_rjust(const struct call *call)
{
    return pad(call, 1, 0);
}

static int str_center(const struct call *call)
{
    return pad(call, 1, 1);
}

/* ---- str: questions ---- */

static int all_are(const struct call *call, int (*is)(uint32_t))
{
    const struct oy_text text = call->self->text;
    int truth = text.len > 0;

    for (size_t at = 0; truth && at < text.len;)
        truth = is(oy_utf8_next(text.at, &at));
    *call->value = template_bool(truth);
    return 0;
}

static int str_isdigit(const struct call *call)
{
    return all_are(call, oy_py_isdigit);
}

static int str_isalpha(const struct call *call)
{
    return all_are(call, oy_py_isalpha);
}

static int str_isalnum(const struct call *call)
{
    return all_are(call, oy_py_isalnum);
}

static int str_isspace(const struct call *call)
{
    return all_are(call, oy_py_isspace);
}

static int ask_test(const struct call *call, const char *name)
{
    static const struct arguments nothing = {.n = 0};
    int truth = 0;

    if (template_call_test(call->state, (struct oy_text){name, strlen(name)},
                           call->self, &nothing, &truth))
        return -1;
    *call->value = template_bool(truth);
    return 0;
}

static int str_islower(const struct call *call)
{
    return ask_test(call, "lower");
}

static int str_isupper(const struct call *call)
{
    return ask_test(call, "upper");
}

/* ---- list and dict ---- */

static int list_index(const struct call *call)
{
    const struct template_list *list = call->self->list;

    if (!call->arguments->n)
        return template_fail(call->state, "index wants a value");
    for (size_t i = 0; i < list->n_item; i++) {
        if (template_equal(&list->item[i], &call->arguments->value[0])) {
            *call->value = template_int((int64_t)i);
            return 0;
        }
    }
    return template_fail(call->state, "value is not in list");
}

static int list_count(const struct call *call)
{
    const struct template_list *list = call->self->list;
    int64_t n = 0;

    if (!call->arguments->n)
        return template_fail(call->state, "count wants a value");
    for (size_t i = 0; i < list->n_item; i++)
        n += template_equal(&list->item[i], &call->arguments->value[0]);
    *call->value = template_int(n);
    return 0;
}

static int dict_get(const struct call *call)
{
    const struct template_value *key = argument_at(call->arguments, 0, NULL);
    const struct template_value *other =
        argument_at(call->arguments, 1, "default");
    const struct template_value *found;

    if (!key)
        return template_fail(call->state, "get wants a key");
    found = template_find(call->self, key);
    *call->value = found ? *found : (other ? *other : template_none());
    return 0;
}

static int dict_list(const struct call *call, int keys, int values)
{
    const struct template_dict *dict = call->self->dict;

    if (template_step(call->state, dict->n_entry))
        return -1;
    *call->value = template_new_list(call->state->arena);
    for (size_t i = 0; i < dict->n_entry; i++) {
        struct template_value item =
            keys ? dict->entry[i].key : dict->entry[i].value;
        if (keys && values) {
            item = template_new_list(call->state->arena);
            item.kind = TEMPLATE_TUPLE;
            template_push(&item, call->state->arena, dict->entry[i].key);
            template_push(&item, call->state->arena, dict->entry[i].value);
        }
        template_push(call->value, call->state->arena, item);
    }
    return 0;
}

static int dict_items(const struct call *call)
{
    return dict_list(call, 1, 1);
}

static int dict_keys(const struct call *call)
{
    return dict_list(call, 1, 0);
}

static int dict_values(const struct call *call)
{
    return dict_list(call, 0, 1);
}

/* Values never change, so a copy is the thing itself. */
static int any_copy(const struct call *call)
{
    *call->value = *call->self;
    return 0;
}

static const struct {
    enum template_kind kind;
    const char *name;
    method_function function;
} table[] = {
    {TEMPLATE_STRING, "strip", str_strip},
    {TEMPLATE_STRING, "lstrip", str_lstrip},
    {TEMPLATE_STRING, "rstrip", str_rstrip},
    {TEMPLATE_STRING, "split", str_split},
    {TEMPLATE_STRING, "rsplit", str_rsplit},
    {TEMPLATE_STRING, "splitlines", str_splitlines},
    {TEMPLATE_STRING, "partition", str_partition},
    {TEMPLATE_STRING, "rpartition", str_rpartition},
    {TEMPLATE_STRING, "startswith", str_startswith},
    {TEMPLATE_STRING, "endswith", str_endswith},
    {TEMPLATE_STRING, "find", str_find},
    {TEMPLATE_STRING, "rfind", str_rfind},
    {TEMPLATE_STRING, "index", str_index},
    {TEMPLATE_STRING, "count", str_count},
    {TEMPLATE_STRING, "replace", str_replace},
    {TEMPLATE_STRING, "lower", str_lower},
    {TEMPLATE_STRING, "upper", str_upper},
    {TEMPLATE_STRING, "capitalize", str_capitalize},
    {TEMPLATE_STRING, "title", str_title},
    {TEMPLATE_STRING, "removeprefix", str_removeprefix},
    {TEMPLATE_STRING, "removesuffix", str_removesuffix},
    {TEMPLATE_STRING, "join", str_join},
    {TEMPLATE_STRING, "format", str_format},
    {TEMPLATE_STRING, "ljust", str_ljust},
    {TEMPLATE_STRING, "rjust", str_rjust},
    {TEMPLATE_STRING, "center", str_center},
    {TEMPLATE_STRING, "isdigit", str_isdigit},
    {TEMPLATE_STRING, "isalpha", str_isalpha},
    {TEMPLATE_STRING, "isalnum", str_isalnum},
    {TEMPLATE_STRING, "isspace", str_isspace},
    {TEMPLATE_STRING, "islower", str_islower},
    {TEMPLATE_STRING, "isupper", str_isupper},
    {TEMPLATE_LIST, "index", list_index},
    {TEMPLATE_LIST, "count", list_count},
    {TEMPLATE_LIST, "copy", any_copy},
    {TEMPLATE_DICT, "get", dict_get},
    {TEMPLATE_DICT, "items", dict_items},
    {TEMPLATE_DICT, "keys", dict_keys},
    {TEMPLATE_DICT, "values", dict_values},
    {TEMPLATE_DICT, "copy", any_copy},
};

static method_function find_method(const struct template_value *self,
                                   struct oy_text name)
{
    const enum template_kind kind =
        self->kind == TEMPLATE_TUPLE ? TEMPLATE_LIST : self->kind;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].kind == kind && template_equals(name, table[i].name))
            return table[i].function;
    }
    return NULL;
}

/* What looking for an element costs; the methods of dictionaries are cheap. */
static size_t list_cost(const struct template_value *self,
                        const struct arguments *arguments)
{
    const int is_search = self->kind != TEMPLATE_DICT && arguments->n &&
                          template_weight(&arguments->value[0]) > 1;

    return is_search                     ? template_weight(self)
           : self->kind == TEMPLATE_DICT ? 0
                                         : self->list->n_item;
}

int template_has_method(const struct template_value *self, struct oy_text name)
{
    return find_method(self, name) != NULL;
}

int template_call_method(struct state *state, const struct template_value *self,
                         struct oy_text name, const struct arguments *arguments,
                         struct template_value *value)
{
    const struct call call = {state, self, arguments, value};
    const method_function function = find_method(self, name);

    if (!function)
        return 0;
    /* Most methods go over the whole text or list. */
    if (template_step(state, self->kind == TEMPLATE_STRING
                                 ? self->text.len / 256
                                 : list_cost(self, arguments)))
        return -1;
    return function(&call) ? -1 : 1;
}

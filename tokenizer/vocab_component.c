/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: components and their members. */
#include "tokenizer/vocab_component.h"

#include <stdint.h>

#include "core/utf8.h"
#include "tokenizer/vocab_internal.h"

enum { MAX_DEPTH = 64, MAX_PATH = 2000 };

/* One walk over components. */
struct walk {
    const char *list;
    vocab_component_fn *each;
    void *self;
    struct oy_buffer path;
    struct oy_arena *arena;
    struct oy_error *err;
};

int vocab_component_is(const struct vocab_component *component,
                       const char *type)
{
    const struct oy_json_value value = oy_json_member(component->json, "type");

    return oy_json_equals(&value, type);
}

int vocab_component_fail(const struct vocab_component *component,
                         const char *member, const char *why)
{
    return oy_fail(component->err, OY_DATA, "%s%s%s: %s", component->path,
                   member ? "." : "", member ? member : "", why);
}

int vocab_component_unknown(const struct vocab_component *component)
{
    const struct oy_json_value type = oy_json_member(component->json, "type");

    if (type.kind != OY_JSON_STRING)
        return vocab_component_fail(component, "type", "not a string");
    return oy_fail(component->err, OY_DATA, "%s: type %.*s is not supported",
                   component->path, (int)(type.len > 200 ? 200 : type.len),
                   type.at);
}

/* ---- the walk ---- */

static int visit(struct walk *walk, const struct oy_json_value *json,
                 int depth);

static int visit_list(struct walk *walk, const struct oy_json_value *list,
                      int depth)
{
    const size_t before = walk->path.len;
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    int more;

    oy_json_enter(&cursor, list);
    for (size_t i = 0; (more = oy_json_next_element(&cursor, &element)) > 0;
         i++) {
        walk->path.len = before;
        oy_buffer_append_format(&walk->path, "[%zu]", i);
        if (visit(walk, &element, depth + 1))
            return -1;
    }
    walk->path.len = before;
    return more < 0 ? oy_fail(walk->err, OY_DATA, "%s: %s",
                              oy_buffer_string(&walk->path), cursor.why)
                    : 0;
}

static int visit_sequence(struct walk *walk,
                          const struct vocab_component *component, int depth)
{
    const struct oy_json_value list =
        oy_json_member(component->json, walk->list);

    if (list.kind != OY_JSON_ARRAY)
        return vocab_component_fail(component, walk->list, "not a list");
    if (depth == MAX_DEPTH || walk->path.len > MAX_PATH)
        return vocab_component_fail(component, NULL, "nested too deeply");
    oy_buffer_append_format(&walk->path, ".%s", walk->list);
    return visit_list(walk, &list, depth);
}

static int visit(struct walk *walk, const struct oy_json_value *json, int depth)
{
    const struct vocab_component component = {
        json, oy_buffer_string(&walk->path), walk->arena, walk->err};

    if (json->kind != OY_JSON_OBJECT)
        return vocab_component_fail(&component, NULL, "not an object");
    if (vocab_component_is(&component, "Sequence"))
        return visit_sequence(walk, &component, depth);
    return walk->each(walk->self, &component);
}

int vocab_each_component(const struct oy_json_value *json, const char *path,
                         const char *list, vocab_component_fn *each, void *self,
                         struct oy_arena *arena, struct oy_error *err)
{
    struct walk walk = {list, each, self, {0}, arena, err};

    if (vocab_is_absent(json))
        return 0;
    oy_buffer_append_string(&walk.path, path);
    const int failed = visit(&walk, json, 0);
    oy_buffer_release(&walk.path);
    return failed;
}

/* ---- members ---- */

/* The text of a string value. */
static int text_of(const struct vocab_component *component, const char *member,
                   const struct oy_json_value *value, struct oy_text *text)
{
    uint64_t n_repaired = 0;
    const char *why = NULL;

    if (value->kind != OY_JSON_STRING)
        return vocab_component_fail(component, member, "not a string");
    if (oy_json_text(value, component->arena, text, &n_repaired, &why))
        return vocab_component_fail(component, member, why);
    /* What is borrowed from the document does not outlive it. */
    text->at = oy_arena_copy(component->arena, text->at, text->len);
    return 0;
}

int vocab_component_text(const struct vocab_component *component,
                         const char *member, struct oy_text *text)
{
    const struct oy_json_value value = oy_json_member(component->json, member);

    return text_of(component, member, &value, text);
}

int vocab_component_character(const struct vocab_component *component,
                              const char *member, struct oy_text *text)
{
    if (vocab_component_text(component, member, text))
        return -1;
    return oy_utf8_count(text->at, text->len) == 1
               ? 0
               : vocab_component_fail(component, member, "not one character");
}

int vocab_component_flag(const struct vocab_component *component,
                         const char *member, int otherwise, int *flag)
{
    const struct oy_json_value value = oy_json_member(component->json, member);

    *flag = otherwise;
    if (vocab_is_absent(&value) || !oy_json_bool(&value, flag))
        return 0;
    return vocab_component_fail(component, member, "not true or false");
}

int vocab_component_count(const struct vocab_component *component,
                          const char *member, size_t *count)
{
    const struct oy_json_value value = oy_json_member(component->json, member);
    int64_t number;

    if (oy_json_int64(&value, &number) || number < 0)
        return vocab_component_fail(component, member, "not a count");
    *count = (size_t)number;
    return 0;
}

int vocab_component_pattern(const struct vocab_component *component,
                            struct oy_text *pattern, int *is_regex)
{
    const struct oy_json_value object =
        oy_json_member(component->json, "pattern");

    if (object.kind != OY_JSON_OBJECT)
        return vocab_component_fail(component, "pattern", "not an object");
    const struct oy_json_value string = oy_json_member(&object, "String");
    const struct oy_json_value regex = oy_json_member(&object, "Regex");
    *is_regex = string.kind == OY_JSON_MISSING;
    if (*is_regex && regex.kind == OY_JSON_MISSING)
        return vocab_component_fail(component, "pattern",
                                    "neither a String nor a Regex");
    return *is_regex ? text_of(component, "pattern.Regex", &regex, pattern)
                     : text_of(component, "pattern.String", &string, pattern);
}

int vocab_component_replace(const struct vocab_component *component,
                            struct oy_text *from, struct oy_text *to,
                            struct replace_regex **regex)
{
    int is_regex = 0;

    *regex = NULL;
    if (vocab_component_pattern(component, from, &is_regex) ||
        vocab_component_text(component, "content", to))
        return -1;
    if (!is_regex)
        return 0;
    *regex = replace_regex_new(*from, component->err);
    return *regex ? 0
                  : oy_fail_at(component->err, "%s.pattern.Regex",
                               component->path);
}

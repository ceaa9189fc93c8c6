/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of the objects of a JSON Schema. */
#include <stdlib.h>
#include <string.h>

#include "model/json_schema_internal.h"

struct property {
    struct oy_text name;
    struct oy_json_value schema; /* MISSING: only required */
    int is_required;
};

struct object {
    struct property *property;
    size_t n, cap;
    int number; /* of its rules */
    struct oy_json_value additional;
};

static struct property *find_property(struct object *object,
                                      const struct oy_text *name)
{
    for (size_t i = 0; i < object->n; i++) {
        const struct oy_text *other = &object->property[i].name;
        if (other->len == name->len && !memcmp(other->at, name->at, name->len))
            return &object->property[i];
    }
    OY_GROW(object->property, object->cap, object->n + 1);
    object->property[object->n] = (struct property){.name = *name};
    return &object->property[object->n++];
}

static int read_properties(struct schema_writer *writer,
                           const struct oy_json_value *schema,
                           struct object *object)
{
    const struct oy_json_value list = oy_json_member(schema, "properties");
    const struct oy_json_value required = oy_json_member(schema, "required");
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    if (list.kind != OY_JSON_MISSING && list.kind != OY_JSON_OBJECT)
        return schema_fail(writer, "'%s' is not an object", "properties");
    if (required.kind != OY_JSON_MISSING && required.kind != OY_JSON_ARRAY)
        return schema_fail(writer, "'%s' is not a list", "required");
    if (list.kind == OY_JSON_OBJECT) {
        oy_json_enter(&cursor, &list);
        while (oy_json_next_member(&cursor, &key, &value) > 0) {
            const struct oy_text name = schema_text(writer, &key);
            find_property(object, &name)->schema = value;
        }
    }
    if (required.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &required);
    while (oy_json_next_element(&cursor, &value) > 0) {
        const struct oy_text name = schema_text(writer, &value);
        if (value.kind != OY_JSON_STRING)
            return schema_fail(writer, "'%s' holds what is no string",
                               "required");
        find_property(object, &name)->is_required = 1;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct oy_text *one = a, *two = b;
    const size_t n = one->len < two->len ? one->len : two->len;
    const int order = memcmp(one->at, two->at, n);

    return order ? order : (one->len > two->len) - (one->len < two->len);
}

/* One character of the names that are taken at bytes [at, at + n). */
static size_t character_at(const struct oy_text *name, size_t at)
{
    size_t n = 1;

    while (at + n < name->len &&
           ((unsigned char)name->at[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

static void put_class_text(struct oy_buffer *out, const char *text, size_t len)
{
    if (len == 1 && (strchr("[]^-\\", *text) || (unsigned char)*text < 0x20))
        oy_buffer_append_format(out, "\\x%02x", (unsigned char)*text);
    else
        oy_buffer_append(out, text, len);
}

static int is_escaped(const char *c)
{
    return *c == '"' || *c == '\\' || (unsigned char)*c < 0x20 || *c == 0x7f;
}

/* What may follow behind the first `at` bytes, in which names[n] (sorted) are
 * equal, to be none of them in the end. Characters that JSON escapes are left
 * out of such names. */
static void put_other_names(struct oy_buffer *out, const struct oy_text *name,
                            size_t n, size_t at)
{
    static const char never[] = "\"\\\\\\x00-\\x1f\\x7f";
    struct oy_buffer taken = {0};
    const int is_name = n && name[0].len == at;

    oy_buffer_append_char(out, '(');
    for (size_t i = is_name ? 1 : 0; i < n;) {
        const size_t width = character_at(&name[i], at);
        const char *c = name[i].at + at;
        size_t end = i + 1;
        while (end < n && character_at(&name[end], at) == width &&
               !memcmp(name[end].at + at, c, width))
            end++;
        if (is_escaped(c)) {
            i = end;
            continue;
        }
        put_class_text(&taken, c, width);
        schema_put_literal(out, c, width);
        oy_buffer_append_char(out, ' ');
        put_other_names(out, name + i, end - i, at + width);
        oy_buffer_append_string(out, " | ");
        i = end;
    }
    oy_buffer_append_format(out, "[^%s", never);
    oy_buffer_append(out, taken.data, taken.len);
    oy_buffer_append_format(out, "] [^%s]*", never);
    oy_buffer_append_string(out, is_name || at == 0 ? ")" : ")?");
    oy_buffer_release(&taken);
}

/* Names that are not those of properties. */
static void put_names(struct object *object, struct oy_buffer *out)
{
    struct oy_text *name = oy_alloc_array(object->n + 1, sizeof *name);

    for (size_t i = 0; i < object->n; i++)
        name[i] = object->property[i].name;
    if (object->n)
        qsort(name, object->n, sizeof *name, by_name);
    put_other_names(out, name, object->n, 0);
    oy_free(name);
}

/* The rule of an additional member: oN-more. */
static int write_additional(struct schema_writer *writer, struct object *object)
{
    struct oy_buffer rule = {0};
    int failed = 0;

    oy_buffer_append_format(&rule, "o%d-more ::= \"\\\"\" ", object->number);
    put_names(object, &rule);
    oy_buffer_append_string(&rule, " \"\\\"\" ws \":\" ws (");
    if (object->additional.kind == OY_JSON_TRUE)
        oy_buffer_append_string(&rule, "value");
    else
        failed = schema_write_at(writer, "additionalProperties",
                                 &object->additional, &rule);
    oy_buffer_append_string(&rule, ") ws\n");
    oy_buffer_append(&writer->rules, rule.data, rule.len);
    oy_buffer_release(&rule);
    return failed;
}

/* oN-I: the member itself. oN-I-first: what may follow the opening brace from
 * property I on; oN-I-rest: the same behind other members. */
static int write_property(struct schema_writer *writer,
                          const struct object *object, size_t i)
{
    const struct property *property = &object->property[i];
    const int n = object->number;
    struct oy_buffer rule = {0};
    int failed = 0;

    oy_buffer_append_format(&rule, "o%d-%zu ::= ", n, i);
    schema_put_string(&rule, &property->name);
    oy_buffer_append_string(&rule, " ws \":\" ws (");
    const size_t before = schema_down(
        writer, "/properties/%.*s", (int)property->name.len, property->name.at);
    if (property->schema.kind == OY_JSON_MISSING)
        oy_buffer_append_string(&rule, "value");
    else
        failed = schema_write(writer, &property->schema, &rule);
    schema_up(writer, before);
    oy_buffer_append_string(&rule, ") ws\n");
    oy_buffer_append_format(&rule, "o%d-%zu-first ::= o%d-%zu o%d-%zu-rest", n,
                            i, n, i, n, i + 1);
    if (!property->is_required)
        oy_buffer_append_format(&rule, " | o%d-%zu-first", n, i + 1);
    oy_buffer_append_format(&rule,
                            "\no%d-%zu-rest ::= \",\" ws o%d-%zu o%d-%zu-rest",
                            n, i, n, i, n, i + 1);
    if (!property->is_required)
        oy_buffer_append_format(&rule, " | o%d-%zu-rest", n, i + 1);
    oy_buffer_append_char(&rule, '\n');
    oy_buffer_append(&writer->rules, rule.data, rule.len);
    oy_buffer_release(&rule);
    return failed;
}

/* Behind the last property. */
static int write_end(struct schema_writer *writer, struct object *object)
{
    const int n = object->number;
    const size_t i = object->n;

    if (object->additional.kind == OY_JSON_MISSING ||
        object->additional.kind == OY_JSON_FALSE) {
        oy_buffer_append_format(
            &writer->rules, "o%d-%zu-first ::= \"\"\no%d-%zu-rest ::= \"\"\n",
            n, i, n, i);
        return 0;
    }
    oy_buffer_append_format(&writer->rules,
                            "o%d-%zu-rest ::= (\",\" ws o%d-more)*\n"
                            "o%d-%zu-first ::= (o%d-more o%d-%zu-rest)?\n",
                            n, i, n, n, i, n, n, i);
    return write_additional(writer, object);
}

int schema_write_object(struct schema_writer *writer,
                        const struct oy_json_value *schema,
                        struct oy_buffer *out)
{
    struct object object = {.number = ++writer->n_rule,
                            .additional =
                                oy_json_member(schema, "additionalProperties")};
    int failed = read_properties(writer, schema, &object);

    if (!failed && !object.n && object.additional.kind == OY_JSON_MISSING) {
        oy_buffer_append_string(out, "object");
        return 0;
    }
    for (size_t i = 0; !failed && i < object.n; i++)
        failed = write_property(writer, &object, i);
    if (!failed)
        failed = write_end(writer, &object);
    oy_buffer_append_format(out, "\"{\" ws o%d-0-first \"}\"", object.number);
    oy_free(object.property);
    return failed;
}

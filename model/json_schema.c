/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the grammar of a JSON Schema. */
#include "model/json_schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

enum { MAX_DEPTH = 100, MAX_COUNT = 100000 };

static const char basics[] =
    "ws ::= (\" \" | \"\\n\" [ \\t]{0,20})?\n"
    "hex ::= [0-9a-fA-F]\n"
    /* No halves of surrogate pairs, and no NUL. */
    "code ::= \"000\" [1-9a-fA-F] | \"00\" [1-9a-fA-F] hex | "
    "\"0\" [1-9a-fA-F] hex{2} | [1-9a-cA-CeEfF] hex{3} | [dD] [0-7] hex{2}\n"
    "char ::= [^\"\\\\\\x00-\\x1f\\x7f] | \"\\\\\" ([\"\\\\/bfnrt] | "
    "\"u\" code)\n"
    "string ::= \"\\\"\" char* \"\\\"\"\n"
    "integer ::= \"-\"? (\"0\" | [1-9] [0-9]{0,15})\n"
    "number ::= integer (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?\n"
    "boolean ::= \"true\" | \"false\"\n"
    "null ::= \"null\"\n"
    "value ::= object | array | string | number | boolean | null\n"
    "member ::= string ws \":\" ws value\n"
    "object ::= \"{\" ws (member ws (\",\" ws member ws)*)? \"}\"\n"
    "array ::= \"[\" ws (value ws (\",\" ws value ws)*)? \"]\"\n";

/* Keywords, and what they are about. */
enum about {
    ABOUT_NOTHING = 1, /* notes for readers */
    ABOUT_TYPE = 2,
    ABOUT_OBJECT = 4,
    ABOUT_ARRAY = 8,
    ABOUT_STRING = 16,
    ABOUT_VALUES = 32, /* enum, const */
    ABOUT_CHOICE = 64, /* anyOf, oneOf */
    ABOUT_REF = 128,
};

static const struct keyword {
    const char *name;
    enum about about;
} keyword[] = {{"$schema", ABOUT_NOTHING},
               {"$id", ABOUT_NOTHING},
               {"$comment", ABOUT_NOTHING},
               {"$defs", ABOUT_NOTHING},
               {"definitions", ABOUT_NOTHING},
               {"title", ABOUT_NOTHING},
               {"description", ABOUT_NOTHING},
               {"default", ABOUT_NOTHING},
               {"examples", ABOUT_NOTHING},
               {"deprecated", ABOUT_NOTHING},
               {"readOnly", ABOUT_NOTHING},
               {"writeOnly", ABOUT_NOTHING},
               {"type", ABOUT_TYPE},
               {"properties", ABOUT_OBJECT},
               {"required", ABOUT_OBJECT},
               {"additionalProperties", ABOUT_OBJECT},
               {"items", ABOUT_ARRAY},
               {"minItems", ABOUT_ARRAY},
               {"maxItems", ABOUT_ARRAY},
               {"minLength", ABOUT_STRING},
               {"maxLength", ABOUT_STRING},
               {"pattern", ABOUT_STRING},
               {"enum", ABOUT_VALUES},
               {"const", ABOUT_VALUES},
               {"anyOf", ABOUT_CHOICE},
               {"oneOf", ABOUT_CHOICE},
               {"$ref", ABOUT_REF}};

struct writer {
    struct oy_json_value root;
    struct oy_arena arena;
    struct oy_buffer path; /* where we are: #/properties/a */
    struct oy_buffer rules;
    int n_rule; /* names r1, r2 ... */
    char **ref; /* pointers that are called; rule ref-I */
    size_t n_ref, cap_ref;
    int depth;
    struct oy_error *err;
};

static int write_schema(struct writer *writer,
                        const struct oy_json_value *schema,
                        struct oy_buffer *out);

static int fail(struct writer *writer, const char *format, const char *what)
{
    oy_fail(writer->err, OY_DATA, format, what);
    return oy_fail_at(writer->err, "%s", oy_buffer_string(&writer->path));
}

/* ---- small things ---- */

static struct oy_text text_of(struct writer *writer,
                              const struct oy_json_value *value)
{
    struct oy_text text = {"", 0};
    uint64_t n_repaired = 0;
    const char *why;

    if (value->kind == OY_JSON_STRING)
        oy_json_text(value, &writer->arena, &text, &n_repaired, &why);
    return text;
}

/* A literal of the grammar. */
static void put_literal(struct oy_buffer *out, const char *text, size_t len)
{
    oy_buffer_append_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            oy_buffer_append_format(out, "\\%c", c);
        else if (c < 0x20)
            oy_buffer_append_format(out, "\\x%02x", c);
        else
            oy_buffer_append_char(out, (char)c);
    }
    oy_buffer_append_char(out, '"');
}

static void put_json_string(struct oy_buffer *out, const struct oy_text *text)
{
    struct oy_buffer json = {0};

    oy_json_put_string(&json, text->at, text->len);
    put_literal(out, json.data, json.len);
    oy_buffer_release(&json);
}

/* Goes down to a member; returns what writer_up() takes. */
static size_t down(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static size_t down(struct writer *writer, const char *format, ...)
{
    const size_t before = writer->path.len;
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    oy_buffer_append_string(&writer->path, text);
    return before;
}

static void up(struct writer *writer, size_t before)
{
    writer->path.len = before;
}

/* A schema at a place further down. */
static int write_at(struct writer *writer, const char *place,
                    const struct oy_json_value *schema, struct oy_buffer *out)
{
    const size_t before = down(writer, "/%s", place);
    const int status = write_schema(writer, schema, out);

    up(writer, before);
    return status;
}

/* ---- numbers ---- */

/* A count under `name`; *count stays when it is not there. */
static int read_count(struct writer *writer, const struct oy_json_value *schema,
                      const char *name, int64_t *count)
{
    const struct oy_json_value value = oy_json_member(schema, name);

    if (value.kind == OY_JSON_MISSING)
        return 0;
    if (value.kind != OY_JSON_NUMBER || oy_json_int64(&value, count) ||
        *count < 0 || *count > MAX_COUNT)
        return fail(writer, "'%s' is not a number of 0 to 100000", name);
    return 0;
}

static void put_bounds(struct oy_buffer *out, int64_t least, int64_t most)
{
    if (most < 0)
        oy_buffer_append_format(out, "{%d,}", (int)least);
    else
        oy_buffer_append_format(out, "{%d,%d}", (int)least, (int)most);
}

static int read_bounds(struct writer *writer,
                       const struct oy_json_value *schema,
                       const char *const name[2], int64_t bounds[2])
{
    bounds[0] = 0;
    bounds[1] = -1;
    if (read_count(writer, schema, name[0], &bounds[0]) ||
        read_count(writer, schema, name[1], &bounds[1]))
        return -1;
    return bounds[1] >= 0 && bounds[1] < bounds[0]
               ? fail(writer, "'%s' is too large", name[0])
               : 0;
}

/* ---- strings ---- */

static int write_string(struct writer *writer,
                        const struct oy_json_value *schema,
                        struct oy_buffer *out)
{
    static const char *const name[] = {"minLength", "maxLength"};
    const struct oy_json_value pattern = oy_json_member(schema, "pattern");
    const char *why;
    int64_t bounds[2];

    if (read_bounds(writer, schema, name, bounds))
        return -1;
    if (pattern.kind == OY_JSON_MISSING && !bounds[0] && bounds[1] < 0) {
        oy_buffer_append_string(out, "string");
        return 0;
    }
    oy_buffer_append_string(out, "\"\\\"\" ");
    if (pattern.kind == OY_JSON_MISSING) {
        oy_buffer_append_string(out, "char");
        put_bounds(out, bounds[0], bounds[1]);
    } else {
        const struct oy_text text = text_of(writer, &pattern);
        if (pattern.kind != OY_JSON_STRING)
            return fail(writer, "'%s' is not a string", "pattern");
        if (bounds[0] || bounds[1] >= 0)
            return fail(writer,
                        "keyword '%s' beside 'pattern' is not "
                        "supported",
                        bounds[0] ? name[0] : name[1]);
        if (json_pattern_write(text.at, text.len, out, &why))
            return fail(writer, "'pattern' has %s", why);
    }
    oy_buffer_append_string(out, " \"\\\"\"");
    return 0;
}

/* ---- arrays ---- */

static int write_array(struct writer *writer,
                       const struct oy_json_value *schema,
                       struct oy_buffer *out)
{
    static const char *const name[] = {"minItems", "maxItems"};
    const struct oy_json_value items = oy_json_member(schema, "items");
    struct oy_buffer rule = {0};
    int64_t bounds[2];

    if (read_bounds(writer, schema, name, bounds))
        return -1;
    const int number = ++writer->n_rule;
    oy_buffer_append_format(&rule, "r%d ::= (", number);
    if (items.kind == OY_JSON_MISSING)
        oy_buffer_append_string(&rule, "value");
    else if (write_at(writer, "items", &items, &rule)) {
        oy_buffer_release(&rule);
        return -1;
    }
    oy_buffer_append_string(&rule, ") ws\n");
    oy_buffer_append(&writer->rules, rule.data, rule.len);
    oy_buffer_release(&rule);
    oy_buffer_append_string(out, "\"[\" ws ");
    if (bounds[1] != 0) {
        oy_buffer_append_format(out, "(r%d (\",\" ws r%d)", number, number);
        put_bounds(out, bounds[0] ? bounds[0] - 1 : 0,
                   bounds[1] < 0 ? -1 : bounds[1] - 1);
        oy_buffer_append_string(out, bounds[0] ? ") " : ")? ");
    }
    oy_buffer_append_string(out, "\"]\"");
    return 0;
}

/* ---- objects ---- */

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

static int read_properties(struct writer *writer,
                           const struct oy_json_value *schema,
                           struct object *object)
{
    const struct oy_json_value list = oy_json_member(schema, "properties");
    const struct oy_json_value required = oy_json_member(schema, "required");
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    if (list.kind != OY_JSON_MISSING && list.kind != OY_JSON_OBJECT)
        return fail(writer, "'%s' is not an object", "properties");
    if (required.kind != OY_JSON_MISSING && required.kind != OY_JSON_ARRAY)
        return fail(writer, "'%s' is not a list", "required");
    if (list.kind == OY_JSON_OBJECT) {
        oy_json_enter(&cursor, &list);
        while (oy_json_next_member(&cursor, &key, &value) > 0) {
            const struct oy_text name = text_of(writer, &key);
            find_property(object, &name)->schema = value;
        }
    }
    if (required.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &required);
    while (oy_json_next_element(&cursor, &value) > 0) {
        const struct oy_text name = text_of(writer, &value);
        if (value.kind != OY_JSON_STRING)
            return fail(writer, "'%s' holds what is no string", "required");
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
        put_literal(out, c, width);
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
static int write_additional(struct writer *writer, struct object *object)
{
    struct oy_buffer rule = {0};
    int failed = 0;

    oy_buffer_append_format(&rule, "o%d-more ::= \"\\\"\" ", object->number);
    put_names(object, &rule);
    oy_buffer_append_string(&rule, " \"\\\"\" ws \":\" ws (");
    if (object->additional.kind == OY_JSON_TRUE)
        oy_buffer_append_string(&rule, "value");
    else
        failed = write_at(writer, "additionalProperties", &object->additional,
                          &rule);
    oy_buffer_append_string(&rule, ") ws\n");
    oy_buffer_append(&writer->rules, rule.data, rule.len);
    oy_buffer_release(&rule);
    return failed;
}

/* oN-I: the member itself. oN-I-first: what may follow the opening brace from
 * property I on; oN-I-rest: the same behind other members. */
static int write_property(struct writer *writer, const struct object *object,
                          size_t i)
{
    const struct property *property = &object->property[i];
    const int n = object->number;
    struct oy_buffer rule = {0};
    int failed = 0;

    oy_buffer_append_format(&rule, "o%d-%zu ::= ", n, i);
    put_json_string(&rule, &property->name);
    oy_buffer_append_string(&rule, " ws \":\" ws (");
    const size_t before = down(writer, "/properties/%.*s",
                               (int)property->name.len, property->name.at);
    if (property->schema.kind == OY_JSON_MISSING)
        oy_buffer_append_string(&rule, "value");
    else
        failed = write_schema(writer, &property->schema, &rule);
    up(writer, before);
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
static int write_end(struct writer *writer, struct object *object)
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

static int write_object(struct writer *writer,
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

/* ---- values ---- */

static int has_type(const struct oy_json_value *value, const char *type)
{
    double number;

    switch (value->kind) {
    case OY_JSON_STRING: return !strcmp(type, "string");
    case OY_JSON_OBJECT: return !strcmp(type, "object");
    case OY_JSON_ARRAY: return !strcmp(type, "array");
    case OY_JSON_NULL: return !strcmp(type, "null");
    case OY_JSON_TRUE:
    case OY_JSON_FALSE: return !strcmp(type, "boolean");
    case OY_JSON_NUMBER:
        return !strcmp(type, "number") ||
               (!strcmp(type, "integer") && !oy_json_double(value, &number) &&
                number == floor(number));
    default: return 0;
    }
}

/* Whether a value is of the schema's type, or of one of them. */
static int fits_type(struct writer *writer, const struct oy_json_value *schema,
                     const struct oy_json_value *value)
{
    const struct oy_json_value type = oy_json_member(schema, "type");
    struct oy_json_cursor cursor;
    struct oy_json_value item;

    if (type.kind == OY_JSON_MISSING)
        return 1;
    if (type.kind == OY_JSON_STRING)
        return has_type(
            value, oy_arena_copy(&writer->arena, type.at + 1, type.len - 2));
    if (type.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &type);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (item.kind == OY_JSON_STRING &&
            has_type(value,
                     oy_arena_copy(&writer->arena, item.at + 1, item.len - 2)))
            return 1;
    }
    return 0;
}

static void put_value(struct writer *writer, const struct oy_json_value *value,
                      struct oy_buffer *out)
{
    if (value->kind == OY_JSON_STRING) {
        const struct oy_text text = text_of(writer, value);
        put_json_string(out, &text);
    } else {
        put_literal(out, value->at, value->len);
    }
}

static int write_values(struct writer *writer,
                        const struct oy_json_value *schema,
                        struct oy_buffer *out)
{
    const struct oy_json_value list = oy_json_member(schema, "enum");
    const struct oy_json_value constant = oy_json_member(schema, "const");
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int n = 0;

    if (list.kind == OY_JSON_MISSING) {
        if (!fits_type(writer, schema, &constant))
            return fail(writer, "'%s' is not of its type", "const");
        put_value(writer, &constant, out);
        return 0;
    }
    if (list.kind != OY_JSON_ARRAY || constant.kind != OY_JSON_MISSING)
        return fail(writer, "'%s' is not a list, or beside 'const'", "enum");
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (!fits_type(writer, schema, &item))
            continue;
        oy_buffer_append_string(out, n++ ? " | " : "(");
        put_value(writer, &item, out);
    }
    if (!n)
        return fail(writer, "'%s' has no value of its type", "enum");
    oy_buffer_append_char(out, ')');
    return 0;
}

/* ---- choices and references ---- */

static int write_choice(struct writer *writer,
                        const struct oy_json_value *schema,
                        struct oy_buffer *out)
{
    const struct oy_json_value any = oy_json_member(schema, "anyOf");
    const struct oy_json_value one = oy_json_member(schema, "oneOf");
    const char *name = any.kind == OY_JSON_MISSING ? "oneOf" : "anyOf";
    const struct oy_json_value *list =
        any.kind == OY_JSON_MISSING ? &one : &any;
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int n = 0;

    if (list->kind != OY_JSON_ARRAY ||
        (any.kind != OY_JSON_MISSING && one.kind != OY_JSON_MISSING))
        return fail(writer, "'%s' is not a list, or not alone", name);
    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &item) > 0) {
        const size_t before = down(writer, "/%s/%d", name, n);
        oy_buffer_append_string(out, n++ ? " | (" : "((");
        const int failed = write_schema(writer, &item, out);
        up(writer, before);
        if (failed)
            return -1;
        oy_buffer_append_char(out, ')');
    }
    if (!n)
        return fail(writer, "'%s' is empty", name);
    oy_buffer_append_char(out, ')');
    return 0;
}

static int write_ref(struct writer *writer, const struct oy_json_value *schema,
                     struct oy_buffer *out)
{
    const struct oy_json_value ref = oy_json_member(schema, "$ref");
    const struct oy_text text = text_of(writer, &ref);
    const char *pointer = oy_arena_copy(&writer->arena, text.at, text.len);
    size_t i = 0;

    if (ref.kind != OY_JSON_STRING || *pointer != '#' ||
        (pointer[1] && pointer[1] != '/'))
        return fail(writer, "$ref '%s' is not one within the schema", pointer);
    while (i < writer->n_ref && strcmp(writer->ref[i], pointer) != 0)
        i++;
    if (i == writer->n_ref) {
        OY_GROW(writer->ref, writer->cap_ref, i + 1);
        writer->ref[writer->n_ref++] =
            oy_arena_copy(&writer->arena, pointer, strlen(pointer));
    }
    oy_buffer_append_format(out, "ref-%zu", i);
    return 0;
}

/* A step of a JSON pointer (RFC 6901) unescaped. */
static char *read_step(struct writer *writer, const char *at, size_t len)
{
    char *step = oy_arena_copy(&writer->arena, at, len), *to = step;

    for (const char *from = step; *from; from++) {
        if (*from == '~' && (from[1] == '0' || from[1] == '1'))
            *to++ = *++from == '0' ? '~' : '/';
        else
            *to++ = *from;
    }
    *to = 0;
    return step;
}

static struct oy_json_value go_down(struct writer *writer,
                                    const struct oy_json_value *value,
                                    const char *step)
{
    struct oy_json_cursor cursor;
    struct oy_json_value item = {0};
    char *end;
    long n = strtol(step, &end, 10);

    (void)writer;
    if (value->kind == OY_JSON_OBJECT)
        return oy_json_member(value, step);
    if (value->kind != OY_JSON_ARRAY || *end || !*step || n < 0)
        return item;
    oy_json_enter(&cursor, value);
    for (; n >= 0; n--) {
        if (oy_json_next_element(&cursor, &item) <= 0)
            return (struct oy_json_value){0};
    }
    return item;
}

static struct oy_json_value find_ref(struct writer *writer, const char *pointer)
{
    struct oy_json_value value = writer->root;

    for (const char *at = pointer + 1; *at == '/';) {
        const size_t n = strcspn(++at, "/");
        value = go_down(writer, &value, read_step(writer, at, n));
        at += n;
    }
    return value;
}

/* Schemas that are called may call others. */
static int write_refs(struct writer *writer)
{
    for (size_t i = 0; i < writer->n_ref; i++) {
        const struct oy_json_value schema = find_ref(writer, writer->ref[i]);
        struct oy_buffer rule = {0};
        oy_buffer_clear(&writer->path);
        oy_buffer_append_string(&writer->path, writer->ref[i]);
        if (schema.kind == OY_JSON_MISSING)
            return fail(writer, "%s is not in the schema", "what $ref names");
        oy_buffer_append_format(&rule, "ref-%zu ::= ", i);
        const int failed = write_schema(writer, &schema, &rule);
        oy_buffer_append_char(&rule, '\n');
        oy_buffer_append(&writer->rules, rule.data, rule.len);
        oy_buffer_release(&rule);
        if (failed)
            return -1;
    }
    return 0;
}

/* ---- a schema ---- */

static int write_type(struct writer *writer, const struct oy_json_value *schema,
                      const char *type, struct oy_buffer *out)
{
    static const char *const simple[] = {"number", "integer", "boolean",
                                         "null"};

    if (!strcmp(type, "object"))
        return write_object(writer, schema, out);
    if (!strcmp(type, "array"))
        return write_array(writer, schema, out);
    if (!strcmp(type, "string"))
        return write_string(writer, schema, out);
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (!strcmp(type, simple[i])) {
            oy_buffer_append_string(out, type);
            return 0;
        }
    }
    return fail(writer, "unknown type '%s'", type);
}

static int write_types(struct writer *writer,
                       const struct oy_json_value *schema,
                       const struct oy_json_value *type, struct oy_buffer *out)
{
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int n = 0;

    if (type->kind == OY_JSON_STRING) {
        const struct oy_text text = text_of(writer, type);
        return write_type(writer, schema,
                          oy_arena_copy(&writer->arena, text.at, text.len),
                          out);
    }
    if (type->kind != OY_JSON_ARRAY)
        return fail(writer, "'%s' is neither a string nor a list", "type");
    oy_json_enter(&cursor, type);
    while (oy_json_next_element(&cursor, &item) > 0) {
        const struct oy_text text = text_of(writer, &item);
        oy_buffer_append_string(out, n++ ? " | (" : "((");
        if (write_type(writer, schema,
                       oy_arena_copy(&writer->arena, text.at, text.len), out))
            return -1;
        oy_buffer_append_char(out, ')');
    }
    if (!n)
        return fail(writer, "'%s' is empty", "type");
    oy_buffer_append_char(out, ')');
    return 0;
}

static const struct keyword *find_keyword(const struct oy_json_value *key)
{
    for (size_t i = 0; i < sizeof keyword / sizeof *keyword; i++) {
        if (oy_json_equals(key, keyword[i].name))
            return &keyword[i];
    }
    return NULL;
}

/* What the keywords are about, all of them together; a choice, a reference and
 * values stand alone (values beside a type). */
static int read_keywords(struct writer *writer,
                         const struct oy_json_value *schema, int *about)
{
    static const int alone[][2] = {{ABOUT_REF, ABOUT_REF},
                                   {ABOUT_CHOICE, ABOUT_CHOICE},
                                   {ABOUT_VALUES, ABOUT_VALUES | ABOUT_TYPE}};
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    *about = 0;
    oy_json_enter(&cursor, schema);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        const struct keyword *found = find_keyword(&key);
        const struct oy_text name = text_of(writer, &key);
        if (!found)
            return fail(writer, "keyword '%s' is not supported",
                        oy_arena_copy(&writer->arena, name.at, name.len));
        *about |= (int)found->about;
    }
    *about &= ~ABOUT_NOTHING;
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        if (*about & alone[i][0] && *about & ~alone[i][1])
            return fail(writer, "keywords beside %s are not supported",
                        i == 0   ? "'$ref'"
                        : i == 1 ? "'anyOf' and 'oneOf'"
                                 : "'enum' and 'const'");
    }
    return 0;
}

static int write_keywords(struct writer *writer,
                          const struct oy_json_value *schema, int about,
                          struct oy_buffer *out)
{
    const struct oy_json_value type = oy_json_member(schema, "type");

    if (about & ABOUT_REF)
        return write_ref(writer, schema, out);
    if (about & ABOUT_CHOICE)
        return write_choice(writer, schema, out);
    if (about & ABOUT_VALUES)
        return write_values(writer, schema, out);
    if (about & ABOUT_TYPE)
        return write_types(writer, schema, &type, out);
    if (about & ABOUT_OBJECT)
        return write_object(writer, schema, out);
    if (about & ABOUT_ARRAY)
        return write_array(writer, schema, out);
    if (about & ABOUT_STRING)
        return write_string(writer, schema, out);
    oy_buffer_append_string(out, "value");
    return 0;
}

static int write_schema(struct writer *writer,
                        const struct oy_json_value *schema,
                        struct oy_buffer *out)
{
    int about, failed;

    if (schema->kind == OY_JSON_TRUE) {
        oy_buffer_append_string(out, "value");
        return 0;
    }
    if (schema->kind != OY_JSON_OBJECT)
        return fail(writer, "%s",
                    "a schema that is not an object, or allows "
                    "nothing");
    if (++writer->depth > MAX_DEPTH)
        return fail(writer, "%s", "schemas within too many schemas");
    failed = read_keywords(writer, schema, &about) ||
             write_keywords(writer, schema, about, out);
    writer->depth--;
    return failed ? -1 : 0;
}

int json_schema_write(const char *text, size_t len, struct oy_buffer *grammar,
                      struct oy_error *err)
{
    struct writer writer = {.err = err};
    struct oy_buffer root = {0};
    const char *why;
    size_t where;
    int failed = -1;

    const char *copy = oy_arena_copy(&writer.arena, text, len);
    oy_buffer_append_char(&writer.path, '#');
    if (oy_json_validate(copy, len, &why, &where) ||
        oy_json_value_of(copy, len, &writer.root, &why)) {
        oy_fail(err, OY_DATA, "a schema that is not JSON: %s", why);
        goto out;
    }
    oy_buffer_append_string(&root, "root ::= ");
    if (write_schema(&writer, &writer.root, &root) || write_refs(&writer))
        goto out;
    oy_buffer_append_char(&root, '\n');
    oy_buffer_append(grammar, root.data, root.len);
    oy_buffer_append(grammar, writer.rules.data, writer.rules.len);
    oy_buffer_append_string(grammar, basics);
    failed = 0;
out:
    oy_buffer_release(&root);
    oy_buffer_release(&writer.rules);
    oy_buffer_release(&writer.path);
    oy_arena_release(&writer.arena);
    oy_free(writer.ref);
    return failed;
}

void json_schema_write_any(struct oy_buffer *grammar)
{
    oy_buffer_append_string(grammar, "root ::= object\n");
    oy_buffer_append_string(grammar, basics);
}

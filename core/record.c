/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits of a record, applied when its line is written. */
#include "core/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

enum edit_kind {
    EDIT_VALUE,  /* the bytes of a found value by a string */
    EDIT_MEMBER, /* a top-level member */
    EDIT_PART,   /* a member of "oyster" */
};

struct oy_edit {
    struct oy_edit *next;
    enum edit_kind kind;
    const char *name;            /* of a member or part */
    struct oy_json_value target; /* what it replaces, or MISSING */
    const char *text;            /* for EDIT_VALUE unescaped, else JSON */
    size_t len;
};

/* One change of the line: `span` bytes at `at` give way to lead, name, text,
 * tail. */
struct splice {
    const char *at;
    size_t span;
    const char *lead;
    const char *tail;
    const struct oy_edit *edit;
    int is_named; /* "NAME": stands before the text */
};

struct splices {
    struct splice *item;
    size_t n_item;
};

/* ---- asking for edits ---- */

static int same_target(const struct oy_edit *edit, enum edit_kind kind,
                       const char *name, const char *at)
{
    if (edit->kind != kind)
        return 0;
    return kind == EDIT_VALUE ? edit->target.at == at
                              : !strcmp(edit->name, name);
}

/* The edit of that kind and target, made at need, at its place in the list. */
static struct oy_edit *get_edit(struct oy_record *record, enum edit_kind kind,
                                const char *name, const char *at)
{
    struct oy_edit **link = &record->edit;

    while (*link && !same_target(*link, kind, name, at))
        link = &(*link)->next;
    if (!*link) {
        *link = oy_arena_alloc(record->arena, sizeof **link);
        **link = (struct oy_edit){.kind = kind, .name = name};
    }
    return *link;
}

void oy_record_set_text(struct oy_record *record, int index, const char *text,
                        size_t len)
{
    const struct oy_json_value target = record->found[index];

    OY_ASSERT(target.kind != OY_JSON_MISSING);
    struct oy_edit *edit = get_edit(record, EDIT_VALUE, NULL, target.at);
    edit->target = target;
    edit->text = text;
    edit->len = len;
    if (target.at == record->value[0].at)
        record->text = (struct oy_text){.at = text, .len = len};
}

/* The value that the query found under a top-level name, or MISSING. */
static struct oy_json_value find_member(const struct oy_record *record,
                                        const char *name)
{
    const size_t len = strlen(name);

    for (int i = 0; i < record->query->n_path; i++) {
        const struct oy_json_path *path = &record->query->path[i];
        if (path->n_key == 1 && path->key_len[0] == len &&
            !memcmp(path->key[0], name, len))
            return record->value[i];
    }
    return (struct oy_json_value){.kind = OY_JSON_MISSING};
}

void oy_record_set_member(struct oy_record *record, const char *name,
                          const char *json, size_t len)
{
    struct oy_edit *edit = get_edit(record, EDIT_MEMBER, name, NULL);

    edit->target = find_member(record, name);
    edit->text = json;
    edit->len = len;
}

void oy_record_set_part(struct oy_record *record, const char *part,
                        const char *json, size_t len)
{
    const struct oy_json_value *oyster = &record->value[record->oyster];
    struct oy_edit *edit = get_edit(record, EDIT_PART, part, NULL);

    if (oyster->kind == OY_JSON_OBJECT)
        edit->target = oy_json_member(oyster, part);
    edit->text = json;
    edit->len = len;
}

void oy_record_fail(struct oy_record *record, const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    record->fate = OY_BAD;
    record->error = oy_arena_copy(record->arena, text, strlen(text));
}

int oy_record_is_edited(const struct oy_record *record, int original)
{
    for (const struct oy_edit *edit = record->edit; edit; edit = edit->next) {
        if (!original || edit->kind == EDIT_PART)
            return 1;
    }
    return 0;
}

/* ---- where they go ---- */

/* Sorted by place; those of one place stay in the order of their coming. */
static void add_splice(struct splices *splices, struct splice splice)
{
    size_t i = splices->n_item++;

    for (; i > 0 && splices->item[i - 1].at > splice.at; i--)
        splices->item[i] = splices->item[i - 1];
    splices->item[i] = splice;
}

static void add_replacement(struct splices *splices, const struct oy_edit *edit)
{
    add_splice(splices, (struct splice){.at = edit->target.at,
                                        .span = edit->target.len,
                                        .lead = "",
                                        .tail = "",
                                        .edit = edit});
}

/* The first byte of the key that a value belongs to. It holds no quote, since
 * it was found by its name; back over `:` and white space. */
static const char *key_of(const struct oy_json_value *value)
{
    const char *at = value->at - 1;

    while (*at != '"')
        at--;
    do {
        at--;
    } while (*at != '"');
    return at;
}

/* A new member stands before "oyster", if there is one, else at the end. */
static void add_member(struct splices *splices, const struct oy_record *record,
                       const struct oy_edit *edit, int *has_member)
{
    const struct oy_json_value *oyster = &record->value[record->oyster];
    struct splice splice = {.edit = edit, .is_named = 1, .tail = ""};

    if (oyster->kind != OY_JSON_MISSING) {
        splice.at = key_of(oyster);
        splice.lead = "";
        splice.tail = ",";
    } else {
        splice.at = record->outline.close;
        splice.lead = *has_member ? "," : "";
        *has_member = 1;
    }
    add_splice(splices, splice);
}

static int is_empty_object(const struct oy_json_value *value)
{
    for (size_t i = 1; i + 1 < value->len; i++) {
        if (!strchr(" \t\r\n", value->at[i]))
            return 0;
    }
    return 1;
}

/* New parts of an "oyster" that is there. */
static void add_parts(struct splices *splices, const struct oy_record *record)
{
    const struct oy_json_value *oyster = &record->value[record->oyster];
    int is_empty = is_empty_object(oyster);

    for (const struct oy_edit *edit = record->edit; edit; edit = edit->next) {
        if (edit->kind != EDIT_PART || edit->target.kind != OY_JSON_MISSING)
            continue;
        add_splice(splices, (struct splice){.at = oyster->at + oyster->len - 1,
                                            .lead = is_empty ? "" : ",",
                                            .tail = "",
                                            .edit = edit,
                                            .is_named = 1});
        is_empty = 0;
    }
}

/* A new "oyster" with all parts. */
static void add_oyster(struct splices *splices, const struct oy_record *record,
                       int has_member)
{
    struct splice *last = NULL;

    for (const struct oy_edit *edit = record->edit; edit; edit = edit->next) {
        if (edit->kind != EDIT_PART)
            continue;
        const char *lead = last         ? ","
                           : has_member ? ",\"oyster\":{"
                                        : "\"oyster\":{";
        add_splice(splices, (struct splice){.at = record->outline.close,
                                            .lead = lead,
                                            .tail = "",
                                            .edit = edit,
                                            .is_named = 1});
        /* Nothing sorts behind the closing brace. */
        last = &splices->item[splices->n_item - 1];
    }
    if (last)
        last->tail = "}";
}

static void collect_splices(const struct oy_record *record, int original,
                            struct splices *splices)
{
    const struct oy_json_value *oyster = &record->value[record->oyster];
    int has_member = record->outline.has_member;

    for (const struct oy_edit *edit = record->edit; edit; edit = edit->next) {
        if (original && edit->kind != EDIT_PART)
            continue;
        if (edit->target.kind != OY_JSON_MISSING)
            add_replacement(splices, edit);
        else if (edit->kind == EDIT_MEMBER)
            add_member(splices, record, edit, &has_member);
    }
    if (oyster->kind == OY_JSON_MISSING)
        add_oyster(splices, record, has_member);
    else
        add_parts(splices, record);
}

/* ---- writing ---- */

static void put_splice(const struct splice *splice, struct oy_buffer *out)
{
    const struct oy_edit *edit = splice->edit;

    oy_buffer_append_string(out, splice->lead);
    if (splice->is_named) {
        oy_json_put_string(out, edit->name, strlen(edit->name));
        oy_buffer_append_char(out, ':');
    }
    if (edit->kind == EDIT_VALUE)
        oy_json_put_string(out, edit->text, edit->len);
    else
        oy_buffer_append(out, edit->text, edit->len);
    oy_buffer_append_string(out, splice->tail);
}

static int sets_part(const struct oy_record *record)
{
    return oy_record_is_edited(record, 1);
}

static void put_edited(const struct oy_record *record, int original,
                       struct oy_buffer *out)
{
    const char *at = record->line, *end = record->line + record->len;
    struct splices splices = {0};
    size_t n_edit = 0;

    for (const struct oy_edit *edit = record->edit; edit; edit = edit->next)
        n_edit++;
    splices.item = oy_arena_array(record->arena, n_edit, sizeof *splices.item);
    collect_splices(record, original, &splices);
    for (size_t i = 0; i < splices.n_item; i++) {
        const struct splice *splice = &splices.item[i];
        /* An edit inside of bytes that an outer one replaced is lost. */
        if (splice->at < at)
            continue;
        oy_buffer_append(out, at, (size_t)(splice->at - at));
        put_splice(splice, out);
        at = splice->at + splice->span;
    }
    oy_buffer_append(out, at, (size_t)(end - at));
}

int oy_record_write(const struct oy_record *record, int original,
                    struct oy_buffer *out)
{
    if (!oy_record_is_edited(record, original)) {
        oy_buffer_append(out, record->line, record->len);
    } else {
        const struct oy_json_value *oyster = &record->value[record->oyster];
        if (sets_part(record) && oyster->kind != OY_JSON_MISSING &&
            oyster->kind != OY_JSON_OBJECT)
            return -1;
        put_edited(record, original, out);
    }
    oy_buffer_append_char(out, '\n');
    return 0;
}

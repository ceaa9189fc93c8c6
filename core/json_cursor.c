/* SPDX-License-Identifier: Apache-2.0
 *
 * Cursors: stepping through an object or array of any size. */
#include <string.h>

#include "core/json_internal.h"

void oy_json_enter(struct oy_json_cursor *cursor,
                   const struct oy_json_value *value)
{
    *cursor = (struct oy_json_cursor){0};
    if (value->kind != OY_JSON_OBJECT && value->kind != OY_JSON_ARRAY) {
        cursor->why = "not an object or array";
        return;
    }
    cursor->at = value->at + 1;
    cursor->end = value->at + value->len - 1;
    if (*cursor->end != (value->kind == OY_JSON_OBJECT ? '}' : ']'))
        cursor->why = "brackets do not match";
}

static int fail(struct oy_json_cursor *cursor, const char *why)
{
    cursor->why = why;
    return -1;
}

/* To the first byte of the next item: 1, or 0 at the end, -1 on trouble. */
static int step(struct oy_json_cursor *cursor)
{
    if (cursor->why)
        return -1;
    cursor->at = oy_json_skip_space(cursor->at, cursor->end);
    if (cursor->at == cursor->end)
        return 0;
    if (cursor->started) {
        if (*cursor->at != ',')
            return fail(cursor, "expected ','");
        cursor->at = oy_json_skip_space(cursor->at + 1, cursor->end);
    }
    cursor->started = 1;
    return 1;
}

static int take_value(struct oy_json_cursor *cursor,
                      struct oy_json_value *value)
{
    const char *why;
    const char *behind =
        oy_json_pass(oy_json_kernel(), cursor->at, cursor->end, value, &why);

    if (!behind)
        return fail(cursor, why);
    cursor->at = behind;
    return 1;
}

int oy_json_next_element(struct oy_json_cursor *cursor,
                         struct oy_json_value *value)
{
    const int more = step(cursor);

    return more == 1 ? take_value(cursor, value) : more;
}

int oy_json_next_member(struct oy_json_cursor *cursor,
                        struct oy_json_value *key, struct oy_json_value *value)
{
    const int more = step(cursor);

    if (more != 1)
        return more;
    if (take_value(cursor, key) != 1)
        return -1;
    if (key->kind != OY_JSON_STRING)
        return fail(cursor, "expected a member name");
    cursor->at = oy_json_skip_space(cursor->at, cursor->end);
    if (cursor->at == cursor->end || *cursor->at != ':')
        return fail(cursor, "expected ':'");
    cursor->at = oy_json_skip_space(cursor->at + 1, cursor->end);
    return take_value(cursor, value);
}

int oy_json_value_of(const char *text, size_t len, struct oy_json_value *value,
                     const char **why)
{
    const char *end = text + len;
    const char *at = oy_json_skip_space(text, end);
    const char *behind = oy_json_pass(oy_json_kernel(), at, end, value, why);

    if (!behind)
        return -1;
    if (oy_json_skip_space(behind, end) != end) {
        *why = "text behind the value";
        return -1;
    }
    return 0;
}

struct oy_json_value oy_json_member(const struct oy_json_value *object,
                                    const char *key)
{
    struct oy_json_value found = {0}, name, value;
    struct oy_json_cursor cursor;

    if (object->kind != OY_JSON_OBJECT)
        return found;
    oy_json_enter(&cursor, object);
    while (oy_json_next_member(&cursor, &name, &value) == 1) {
        if (oy_json_equals(&name, key))
            found = value;
    }
    return found;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of ids, to JSON and from it. */
#include "tokenizer/tok_ids.h"

#include <string.h>

enum { ID_TEXT_MAX = 9 }; /* "16777215," : VOCAB_MAX_ID - 1 and a comma */

void tok_digits_init(struct tok_digits *digits)
{
    for (int i = 0; i < 10000; i++) {
        digits->at[i][0] = (char)('0' + i / 1000);
        digits->at[i][1] = (char)('0' + i / 100 % 10);
        digits->at[i][2] = (char)('0' + i / 10 % 10);
        digits->at[i][3] = (char)('0' + i % 10);
    }
}

/* Writes a number below 10^8; returns the byte behind. */
static char *put_number(const struct tok_digits *digits, char *out,
                        uint32_t number)
{
    const uint32_t upper = number / 10000;
    const uint32_t first = upper ? upper : number;
    const int skip = (first < 1000) + (first < 100) + (first < 10);

    memcpy(out, digits->at[first] + skip, 4);
    out += 4 - skip;
    if (!upper)
        return out;
    memcpy(out, digits->at[number - upper * 10000], 4);
    return out + 4;
}

void tok_set_ids(const struct tok_digits *digits, struct oy_record *record,
                 const char *name, const struct token_ids *ids)
{
    char *json = oy_arena_alloc(record->arena, ids->n * ID_TEXT_MAX + 16);
    char *at = json;

    *at++ = '[';
    for (size_t i = 0; i < ids->n; i++) {
        at = put_number(digits, at, (uint32_t)ids->id[i]);
        *at++ = ',';
    }
    if (ids->n)
        at--;
    *at++ = ']';
    oy_record_set_member(record, name, json, (size_t)(at - json));
}

int tok_read_ids(const struct oy_json_value *list, struct token_ids *ids)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int64_t number;
    int more;

    ids->n = 0;
    if (list->kind != OY_JSON_ARRAY)
        return -1;
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &value)) > 0) {
        if (oy_json_int64(&value, &number))
            return -1;
        const int32_t id =
            number < 0 || number > INT32_MAX ? -1 : (int32_t)number;
        token_ids_append(ids, &id, 1);
    }
    return more;
}

struct oy_text tok_id_text(const struct oy_json_value *list, size_t n)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value = {0};

    oy_json_enter(&cursor, list);
    for (size_t i = 0; i <= n; i++)
        oy_json_next_element(&cursor, &value);
    return (struct oy_text){value.at, value.len};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of ids, to JSON and from it. */
#include "tokenizer/tok_ids.h"

#include <string.h>

#include "core/json_integers.h"
#include "tokenizer/tok_ids_internal.h"

enum { ID_TEXT_MAX = 9 }; /* "16777215," : VOCAB_MAX_ID - 1 and a comma */

void tok_digits_init(struct tok_digits *digits)
{
    digits->is_wide = tok_ids_has_avx512();
    for (int i = 0; i < 10000; i++) {
        digits->at[i][0] = (char)('0' + i / 1000);
        digits->at[i][1] = (char)('0' + i / 100 % 10);
        digits->at[i][2] = (char)('0' + i / 10 % 10);
        digits->at[i][3] = (char)('0' + i % 10);
    }
}

/* Writes a number below 10^8 and a comma; returns the byte behind. Short and
 * long numbers take turns at random, so that branches would cost more than all
 * the rest: eight digits, moved down by the zeros in front. */
static char *put_number(const struct tok_digits *digits, char *out,
                        uint32_t number)
{
    const uint32_t upper = number / 10000;
    unsigned char eight[8];
    uint64_t text;

    memcpy(eight, digits->at[upper], 4);
    memcpy(eight + 4, digits->at[number - upper * 10000], 4);
    memcpy(&text, eight, 8);
    const uint64_t value = (text ^ 0x3030303030303030ULL) | 1ULL << 56;
    const int skip = __builtin_ctzll(value) / 8;
    text >>= 8 * skip;
    memcpy(out, &text, 8);
    out[8 - skip] = ',';
    return out + 9 - skip;
}

static char *put_numbers(const struct tok_digits *digits, char *out,
                         const struct token_ids *ids)
{
    size_t i = 0;

    while (i < ids->n) {
        if (digits->is_wide)
            i += tok_ids_avx512(ids->id + i, ids->n - i, &out);
        if (i < ids->n)
            out = put_number(digits, out, (uint32_t)ids->id[i++]);
    }
    return out;
}

void tok_set_ids(const struct tok_digits *digits, struct oy_record *record,
                 const char *name, const struct token_ids *ids)
{
    char *json =
        oy_arena_alloc(record->arena, ids->n * ID_TEXT_MAX + 2 + TOK_IDS_STORE);
    char *at = json;

    *at++ = '[';
    at = put_numbers(digits, at, ids);
    if (ids->n)
        at--;
    *at++ = ']';
    oy_record_set_member(record, name, json, (size_t)(at - json));
}

int tok_read_ids(const struct oy_json_value *list, struct token_ids *ids)
{
    OY_GROW(ids->id, ids->cap, oy_json_integers_max(list));
    const int64_t n = oy_json_integers(list, ids->id);

    ids->n = n < 0 ? 0 : (size_t)n;
    return n < 0 ? -1 : 0;
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

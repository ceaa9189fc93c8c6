/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the tokens and scores of a Unigram model. */
#include <math.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

/* ---- scores ---- */

enum { LAST_POWER = 308 };

#define TEN(n)                                                                 \
    1e##n##0, 1e##n##1, 1e##n##2, 1e##n##3, 1e##n##4, 1e##n##5, 1e##n##6,      \
        1e##n##7, 1e##n##8, 1e##n##9
static const double power_of_ten[LAST_POWER + 1] = {
    TEN(),   TEN(1),  TEN(2),  TEN(3),  TEN(4),  TEN(5),  TEN(6),  TEN(7),
    TEN(8),  TEN(9),  TEN(10), TEN(11), TEN(12), TEN(13), TEN(14), TEN(15),
    TEN(16), TEN(17), TEN(18), TEN(19), TEN(20), TEN(21), TEN(22), TEN(23),
    TEN(24), TEN(25), TEN(26), TEN(27), TEN(28), TEN(29), 1e300,   1e301,
    1e302,   1e303,   1e304,   1e305,   1e306,   1e307,   1e308,
};
#undef TEN

/* A number on its way: digits * 10^exponent. */
struct digits {
    uint64_t value;
    int64_t exponent;
};

/* Adds a digit, or says that it does not fit. */
static int add_digit(struct digits *digits, char c)
{
    uint64_t value;

    if (__builtin_mul_overflow(digits->value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
        return -1;
    digits->value = value;
    return 0;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits before and behind the point; those that do not fit are left
 * out. Returns where the exponent is, if there is one. */
static const char *read_digits(const char *at, const char *end,
                               struct digits *digits)
{
    int is_full = 0;

    for (; at < end && is_digit(*at); at++) {
        is_full = is_full || add_digit(digits, *at);
        digits->exponent += is_full;
    }
    if (at == end || *at != '.')
        return at;
    is_full = 0;
    for (at++; at < end && is_digit(*at); at++) {
        is_full = is_full || add_digit(digits, *at);
        digits->exponent -= !is_full;
    }
    return at;
}

/* digits * 10^exponent, rounded at every step. */
static double scale(const struct digits *digits)
{
    double number = (double)digits->value;
    int64_t exponent = digits->exponent;

    for (; exponent < -LAST_POWER && number != 0; exponent += LAST_POWER)
        number /= power_of_ten[LAST_POWER];
    if (exponent < -LAST_POWER || (number == 0 && exponent > LAST_POWER))
        return 0;
    if (exponent > LAST_POWER)
        return HUGE_VAL;
    return exponent < 0 ? number / power_of_ten[-exponent]
                        : number * power_of_ten[exponent];
}

/* The number as HF reads it, which is one bit off in a tenth of all cases:
 * serde_json without its feature float_roundtrip takes the digits for one
 * integer, rounds it and divides (f64_from_parts of its de.rs). Where two ways
 * through a piece are equally good, that bit decides. */
static int read_score(const struct oy_json_value *value, double *score)
{
    struct digits digits = {0, 0};

    if (value->kind != OY_JSON_NUMBER)
        return -1;
    const int is_negative = value->at[0] == '-';
    const char *end = value->at + value->len;
    const char *at = read_digits(value->at + is_negative, end, &digits);
    if (at < end) {
        /* strtol() stays at the ends of its range, and a comma or a bracket
         * stands behind every number. */
        const long exponent = strtol(at + 1, NULL, 10);
        digits.exponent += exponent > 1 << 20      ? 1 << 20
                           : exponent < -(1 << 20) ? -(1 << 20)
                                                   : exponent;
    }
    const double number = scale(&digits);
    *score = is_negative ? -number : number;
    return isfinite(number) ? 0 : -1;
}

/* ---- the model ---- */

/* An entry [spelled, score], whose id is its place. */
static int read_entry(struct vocab_loader *loader,
                      const struct oy_json_value *entry, size_t *cap)
{
    struct vocab *vocab = loader->vocab;
    struct oy_json_cursor cursor;
    struct oy_json_value spelled, score;

    OY_GROW(vocab->score, *cap, (size_t)vocab->n_model + 1);
    if (entry->kind != OY_JSON_ARRAY)
        return oy_fail(loader->err, OY_DATA, "not a pair");
    oy_json_enter(&cursor, entry);
    if (oy_json_next_element(&cursor, &spelled) != 1 ||
        oy_json_next_element(&cursor, &score) != 1)
        return oy_fail(loader->err, OY_DATA, "not a pair");
    if (read_score(&score, &vocab->score[vocab->n_model]))
        return oy_fail(loader->err, OY_DATA, "its score is not a number");
    return vocab_add_token(loader, &spelled, vocab->n_model);
}

static int read_entries(struct vocab_loader *loader,
                        const struct oy_json_value *list)
{
    struct oy_json_cursor cursor;
    struct oy_json_value entry;
    size_t cap = 0;
    int more;

    if (list->kind != OY_JSON_ARRAY)
        return vocab_fail_part(loader, VOCAB_TOKENS, "not a list");
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &entry)) > 0) {
        if (read_entry(loader, &entry, &cap))
            return oy_fail_at(loader->err, "model.vocab[%d]",
                              loader->vocab->n_model);
    }
    if (more < 0) {
        vocab_fail_json(loader, &cursor);
        return oy_fail_at(loader->err, "model.vocab");
    }
    return vocab_build_table(loader, 0);
}

/* Whether every text of visible bytes has tokens for all of it. */
static int knows_all(const struct vocab *vocab)
{
    struct oy_buffer spelled = {0};
    int n = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        oy_buffer_clear(&spelled);
        byte_alphabet_put(&c, 1, &spelled);
        n += vocab_find(vocab, spelled.data, spelled.len) >= 0;
    }
    oy_buffer_release(&spelled);
    return vocab->spells_bytes && n == 256;
}

int vocab_read_unigram(struct vocab_loader *loader,
                       const struct oy_json_value *parts)
{
    const struct oy_json_value *unk = &parts[VOCAB_UNK_ID];
    struct vocab *vocab = loader->vocab;
    int64_t id;

    if (vocab_read_flag(loader, parts, VOCAB_BYTE_FALLBACK,
                        &vocab->byte_fallback) ||
        read_entries(loader, &parts[VOCAB_TOKENS]))
        return -1;
    if (vocab_is_absent(unk)) {
        /* MissingUnkId of HF's model.rs, at the first unknown character. */
        return knows_all(vocab) ? 0
                                : vocab_fail_part(loader, VOCAB_UNK_ID,
                                                  "null, but not every "
                                                  "character has a token");
    }
    if (oy_json_int64(unk, &id) || id < 0 || id >= vocab->n_model)
        return vocab_fail_part(loader, VOCAB_UNK_ID, "not in the vocabulary");
    vocab->unk_id = (int32_t)id;
    return 0;
}

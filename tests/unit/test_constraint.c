/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/constraint and model/token_walk: random walks through the
 * tokens that are allowed must be texts of the grammar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "model/constraint.h"
#include "model/json_schema.h"

static struct tokenizer *tokenizer;
static struct token_walk *walk;
static int32_t end_id;

static int open_tokenizer(void **state)
{
    struct oy_error err = {0};

    (void)state;
    tokenizer = tokenizer_load("tests/data/tokenizer", &err);
    if (!tokenizer)
        return -1;
    end_id = tokenizer_size(tokenizer) + 1;
    walk = token_walk_new(tokenizer, end_id + 2, &err);
    return walk ? 0 : -1;
}

static int close_tokenizer(void **state)
{
    (void)state;
    token_walk_free(walk);
    tokenizer_free(tokenizer);
    return 0;
}

static struct constraint *constrain(const char *text)
{
    struct oy_error err = {0};
    struct grammar *grammar = grammar_read(text, strlen(text), &err);

    assert_non_null(grammar);
    return constraint_new(grammar, walk, &end_id, 1);
}

static struct constraint *constrain_schema(const char *schema)
{
    struct oy_buffer text = {0};
    struct oy_error err = {0};

    assert_int_equal(json_schema_write(schema, strlen(schema), &text, &err), 0);
    struct constraint *constraint = constrain(oy_buffer_string(&text));
    oy_buffer_release(&text);
    return constraint;
}

static int is_set(const uint64_t *mask, int32_t id)
{
    return (int)(mask[id / 64] >> id % 64 & 1);
}

/* Each token against reading it alone; the walk must skip nothing. */
static void check_mask(struct constraint *constraint,
                       const struct token_ids *ids, const uint64_t *mask)
{
    for (int32_t id = 0; id < walk->n_id; id++) {
        struct token_ids more = {0};
        struct constraint_cursor cursor = {0};
        uint64_t *other = oy_calloc(constraint_words(constraint), 8);
        token_ids_append(&more, ids->id, ids->n);
        token_ids_append(&more, &id, 1);
        const int is_empty = walk->at[id] == walk->at[id + 1];
        const int goes_on =
            constraint_allow(constraint, &cursor, more.id, more.n, other) > 0;
        if (id != end_id)
            assert_int_equal(is_set(mask, id), goes_on && !is_empty);
        token_ids_release(&more);
        oy_free(other);
    }
}

static int32_t pick(const uint64_t *mask, struct oy_random *random,
                    size_t n_allowed)
{
    uint64_t at = oy_random_below(random, n_allowed);

    for (int32_t id = 0;; id++) {
        if (is_set(mask, id) && at-- == 0)
            return id;
    }
}

/* A random completion, decoded; 1 when it came to its end. */
static int draw(struct constraint *constraint, uint64_t seed, size_t most,
                struct oy_buffer *text)
{
    struct oy_random random = oy_random_at(11, seed);
    struct constraint_cursor cursor = {0};
    struct token_ids ids = {0};
    uint64_t *mask = oy_calloc(constraint_words(constraint), sizeof *mask);
    int ended = 0;

    while (!ended && ids.n < most) {
        const size_t n =
            constraint_allow(constraint, &cursor, ids.id, ids.n, mask);
        assert_true(n > 0);
        assert_int_equal(
            is_set(mask, end_id),
            constraint_may_end(constraint, &cursor, ids.id, ids.n));
        int32_t id = pick(mask, &random, n);
        /* Texts that are short enough to end. */
        if (is_set(mask, end_id) && oy_random_below(&random, 3) == 0)
            id = end_id;
        ended = id == end_id;
        if (!ended)
            token_ids_append(&ids, &id, 1);
    }
    oy_buffer_clear(text);
    tokenizer_decode(tokenizer, ids.id, ids.n, 1, text);
    oy_buffer_string(text);
    token_ids_release(&ids);
    oy_free(mask);
    return ended;
}

static void test_masks_are_exact(void **state)
{
    struct constraint *constraint = constrain(
        "root ::= (\"the \" [a-f]* \"\xc3\xa9\" | [0-9]{3})+ \"in\"?");
    uint64_t *mask = oy_calloc(constraint_words(constraint), sizeof *mask);
    struct token_ids ids = {0};
    struct constraint_cursor cursor = {0};

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct oy_random random = oy_random_at(2, (uint64_t)i);
        const size_t n =
            constraint_allow(constraint, &cursor, ids.id, ids.n, mask);
        check_mask(constraint, &ids, mask);
        mask[end_id / 64] &= ~((uint64_t)1 << end_id % 64);
        const int32_t id = pick(
            mask, &random,
            n - (size_t)constraint_may_end(constraint, &cursor, ids.id, ids.n));
        token_ids_append(&ids, &id, 1);
    }
    /* A cursor that is asked about another beginning reads anew. */
    const size_t n = constraint_allow(constraint, &cursor, ids.id, 1, mask);
    struct constraint_cursor fresh = {0};
    assert_int_equal(n, constraint_allow(constraint, &fresh, ids.id, 1, mask));
    token_ids_release(&ids);
    oy_free(mask);
    constraint_free(constraint);
}

static void test_over(void **state)
{
    struct constraint *constraint = constrain("root ::= \"a\" \"b\"?");
    struct constraint_cursor cursor = {0};
    const int32_t id[] = {tokenizer_id(tokenizer, "a", 1),
                          tokenizer_id(tokenizer, "b", 1)};

    (void)state;
    assert_true(id[0] >= 0 && id[1] >= 0);
    assert_false(constraint_may_end(constraint, &cursor, id, 0));
    assert_true(constraint_may_end(constraint, &cursor, id, 1));
    assert_false(constraint_is_over(constraint, &cursor, id, 1));
    assert_true(constraint_is_over(constraint, &cursor, id, 2));
    constraint_free(constraint);
}

/* Any object: every completion parses. */
static void test_json_parses(void **state)
{
    struct oy_buffer grammar = {0}, text = {0};
    int n_ended = 0;

    (void)state;
    json_schema_write_any(&grammar);
    struct constraint *constraint = constrain(oy_buffer_string(&grammar));
    for (uint64_t i = 0; i < 300; i++) {
        if (!draw(constraint, i, 2000, &text))
            continue;
        cJSON *json = cJSON_Parse(text.data);
        if (!json)
            fail_msg("%s", text.data);
        assert_true(cJSON_IsObject(json));
        cJSON_Delete(json);
        n_ended++;
    }
    assert_true(n_ended > 100);
    constraint_free(constraint);
    oy_buffer_release(&grammar);
    oy_buffer_release(&text);
}

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* What the schema of the next test says, said again in C. */
static int is_person(const cJSON *json)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "name");
    const cJSON *age = cJSON_GetObjectItemCaseSensitive(json, "age");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(json, "code");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(json, "kind");
    const cJSON *friends = cJSON_GetObjectItemCaseSensitive(json, "friends");
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (item != name && item != age && item != code && item != kind &&
            item != friends && !cJSON_IsBool(item))
            return 0;
    }
    if (!cJSON_IsString(name) || characters(name->valuestring) < 1 ||
        characters(name->valuestring) > 8)
        return 0;
    if (!cJSON_IsNumber(age) || floor(age->valuedouble) != age->valuedouble)
        return 0;
    if (code && (!cJSON_IsString(code) || strlen(code->valuestring) != 4 ||
                 strspn(code->valuestring, "ABC") != 2 ||
                 strspn(code->valuestring + 2, "0123456789") != 2))
        return 0;
    if (kind && !cJSON_IsNull(kind) &&
        !(cJSON_IsString(kind) && (!strcmp(kind->valuestring, "x\ny") ||
                                   !strcmp(kind->valuestring, "\xc3\xa9"))))
        return 0;
    if (friends && cJSON_GetArraySize(friends) > 2)
        return 0;
    cJSON_ArrayForEach(item, friends)
    {
        if (!is_person(item))
            return 0;
    }
    return 1;
}

static void test_schema_is_kept(void **state)
{
    static const char schema[] =
        "{\"$ref\":\"#/$defs/person\",\"$defs\":{\"person\":{"
        "\"type\":\"object\",\"required\":[\"name\",\"age\"],\"properties\":{"
        "\"code\":{\"type\":\"string\",\"pattern\":\"^[A-C]{2}\\\\d\\\\d$\"},"
        "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8},"
        "\"age\":{\"type\":\"integer\"},"
        "\"kind\":{\"anyOf\":[{\"enum\":[\"x\\ny\",\"\xc3\xa9\"]},"
        "{\"type\":\"null\"}]},"
        "\"friends\":{\"type\":\"array\",\"maxItems\":2,"
        "\"items\":{\"$ref\":\"#/$defs/person\"}}},"
        "\"additionalProperties\":{\"type\":\"boolean\"}}}}";
    struct constraint *constraint = constrain_schema(schema);
    struct oy_buffer text = {0};
    int n_ended = 0;

    (void)state;
    for (uint64_t i = 0; i < 400; i++) {
        if (!draw(constraint, i, 600, &text))
            continue;
        cJSON *json = cJSON_Parse(text.data);
        if (!json || !is_person(json))
            fail_msg("%s", text.data);
        cJSON_Delete(json);
        n_ended++;
    }
    assert_true(n_ended > 100);
    constraint_free(constraint);
    oy_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks_are_exact),
        cmocka_unit_test(test_over),
        cmocka_unit_test(test_json_parses),
        cmocka_unit_test(test_schema_is_kept),
    };

    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}

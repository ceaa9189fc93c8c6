/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of records: edits change their own bytes and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "core/record.h"

/* A record of one line, with the query text, a.b, ids, oyster. */
struct fixture {
    char line[1000 + OY_PADDING];
    struct oy_json_query query;
    struct oy_json_value value[OY_JSON_MAX_PATHS];
    struct oy_arena arena;
    struct oy_record record;
    struct oy_buffer out;
};

static void setup(struct fixture *f, const char *line)
{
    memset(f, 0, sizeof *f);
    strcpy(f->line, line);
    oy_json_query_add(&f->query, "text");
    oy_json_query_add(&f->query, "a.b");
    oy_json_query_add(&f->query, "ids");
    f->record = (struct oy_record){
        .line = f->line,
        .len = strlen(line),
        .found = f->value,
        .arena = &f->arena,
        .query = &f->query,
        .value = f->value,
        .oyster = oy_json_query_add(&f->query, "oyster"),
    };
    assert_int_equal(oy_json_scan(&f->query, f->line, f->record.len, f->value,
                                  &f->record.outline),
                     0);
}

static void teardown(struct fixture *f)
{
    oy_json_query_release(&f->query);
    oy_arena_release(&f->arena);
    oy_buffer_release(&f->out);
}

static void check(struct fixture *f, int original, const char *want)
{
    oy_buffer_clear(&f->out);
    assert_int_equal(oy_record_write(&f->record, original, &f->out), 0);
    assert_string_equal(oy_buffer_string(&f->out), want);
}

static void part(struct fixture *f, const char *name, const char *json)
{
    oy_record_set_part(&f->record, name, json, strlen(json));
}

static void member(struct fixture *f, const char *name, const char *json)
{
    oy_record_set_member(&f->record, name, json, strlen(json));
}

static void text(struct fixture *f, int index, const char *value)
{
    oy_record_set_text(&f->record, index, value, strlen(value));
}

static void unedited_lines_are_kept(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, " {\"x\" : 1.50,\t\"text\":\"a\\u0041\"} ");
    assert_false(oy_record_is_edited(&f.record, 0));
    check(&f, 0, " {\"x\" : 1.50,\t\"text\":\"a\\u0041\"} \n");
    teardown(&f);
}

static void a_text_replaces_its_own_bytes(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"text\": \"old\", \"x\":1e9, \"a\":{\"b\":\"deep\",\"c\":2}}");
    text(&f, 0, "new \"\n\xc3\xa9");
    assert_memory_equal(f.record.text.at, "new", 3);
    text(&f, 1, "d");
    check(&f, 0,
          "{\"text\": \"new \\\"\\n\xc3\xa9\", \"x\":1e9, "
          "\"a\":{\"b\":\"d\",\"c\":2}}\n");
    check(&f, 1,
          "{\"text\": \"old\", \"x\":1e9, \"a\":{\"b\":\"deep\",\"c\":2}}\n");
    text(&f, 0, "third");
    check(&f, 0,
          "{\"text\": \"third\", \"x\":1e9, \"a\":{\"b\":\"d\",\"c\":2}}\n");
    teardown(&f);
}

static void members_are_appended_or_replaced(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"text\":\"t\",\"ids\": [1]}");
    member(&f, "ids", "[2,3]");
    member(&f, "n", "7");
    check(&f, 0, "{\"text\":\"t\",\"ids\": [2,3],\"n\":7}\n");
    teardown(&f);
    setup(&f, "{ }");
    member(&f, "n", "7");
    member(&f, "m", "null");
    check(&f, 0, "{ \"n\":7,\"m\":null}\n");
    teardown(&f);
}

static void oyster_stays_last(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"text\":\"t\", \"oyster\" : {\"p\":1}}");
    member(&f, "n", "7");
    check(&f, 0, "{\"text\":\"t\", \"n\":7,\"oyster\" : {\"p\":1}}\n");
    teardown(&f);
    setup(&f, "{\"text\":\"t\"}");
    part(&f, "clean", "{\"keep\":true}");
    member(&f, "n", "7");
    part(&f, "dedup", "2");
    check(&f, 0,
          "{\"text\":\"t\",\"n\":7,"
          "\"oyster\":{\"clean\":{\"keep\":true},\"dedup\":2}}\n");
    check(&f, 1,
          "{\"text\":\"t\","
          "\"oyster\":{\"clean\":{\"keep\":true},\"dedup\":2}}\n");
    teardown(&f);
    setup(&f, "{}");
    part(&f, "clean", "1");
    check(&f, 0, "{\"oyster\":{\"clean\":1}}\n");
    teardown(&f);
}

static void parts_of_others_are_kept(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f,
          "{\"oyster\":{\"lm\":{\"ppl\":1.5},\"clean\": 0 },\"text\":\"t\"}");
    part(&f, "clean", "{\"keep\":false}");
    part(&f, "dedup", "3");
    check(&f, 0,
          "{\"oyster\":{\"lm\":{\"ppl\":1.5},\"clean\": {\"keep\":false} "
          ",\"dedup\":3},\"text\":\"t\"}\n");
    teardown(&f);
    setup(&f, "{\"oyster\":{ },\"text\":\"t\"}");
    part(&f, "a", "1");
    part(&f, "b", "2");
    check(&f, 0, "{\"oyster\":{ \"a\":1,\"b\":2},\"text\":\"t\"}\n");
    teardown(&f);
}

static void the_last_of_two_keys_is_edited(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"text\":\"one\",\"text\":\"two\"}");
    text(&f, 0, "new");
    check(&f, 0, "{\"text\":\"one\",\"text\":\"new\"}\n");
    teardown(&f);
}

static void an_outer_edit_covers_an_inner_one(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"a\":{\"b\":\"x\"},\"text\":\"t\"}");
    oy_json_query_add(&f.query, "a");
    assert_int_equal(oy_json_scan(&f.query, f.line, f.record.len, f.value,
                                  &f.record.outline),
                     0);
    text(&f, 1, "inner");
    member(&f, "a", "{}");
    check(&f, 0, "{\"a\":{},\"text\":\"t\"}\n");
    teardown(&f);
}

static void an_oyster_of_another_kind_is_refused(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"oyster\":3,\"text\":\"t\"}");
    text(&f, 0, "u");
    check(&f, 0, "{\"oyster\":3,\"text\":\"u\"}\n");
    part(&f, "clean", "1");
    oy_buffer_clear(&f.out);
    assert_int_equal(oy_record_write(&f.record, 0, &f.out), -1);
    assert_int_equal(f.out.len, 0);
    teardown(&f);
}

static void failing_makes_it_bad(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, "{\"text\":\"t\"}");
    oy_record_fail(&f.record, "field '%s' is %d", "text", 3);
    assert_int_equal(f.record.fate, OY_BAD);
    assert_string_equal(f.record.error, "field 'text' is 3");
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(unedited_lines_are_kept),
        cmocka_unit_test(a_text_replaces_its_own_bytes),
        cmocka_unit_test(members_are_appended_or_replaced),
        cmocka_unit_test(oyster_stays_last),
        cmocka_unit_test(parts_of_others_are_kept),
        cmocka_unit_test(the_last_of_two_keys_is_edited),
        cmocka_unit_test(an_outer_edit_covers_an_inner_one),
        cmocka_unit_test(an_oyster_of_another_kind_is_refused),
        cmocka_unit_test(failing_makes_it_bad),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests on their way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "eval/request.h"

struct fixture {
    struct oy_buffer line;
    struct oy_arena arena;
    struct request request;
    struct oy_error err;
};

static int parse(struct fixture *f, const char *text)
{
    *f = (struct fixture){0};
    oy_buffer_append_string(&f->line, text);
    oy_buffer_reserve(&f->line, OY_PADDING);
    return request_parse(f->line.data, f->line.len, &f->arena, &f->request,
                         &f->err);
}

static void release(struct fixture *f)
{
    oy_buffer_release(&f->line);
    oy_arena_release(&f->arena);
}

static const char asked[] =
    "{\"task\": \"t\", \"doc_id\": 3, \"request\": 1, \"type\": "
    "\"loglikelihood\", \"context\": \"a\\u0000b\", \"continuation\": "
    "\" \u00e9\", \"doc\": {\"q\": 1}, \"target\": 0, \"choices\": "
    "[\"\u00e9\"]}";

static void a_line_comes_back_as_it_was(void **state)
{
    struct fixture f;
    struct oy_buffer out = {0};
    struct oy_arena arena = {0};
    struct request copy;

    (void)state;
    assert_int_equal(parse(&f, asked), 0);
    assert_int_equal(f.request.doc_id, 3);
    assert_int_equal(f.request.index, 1);
    assert_int_equal(f.request.context.len, 3);
    assert_int_equal(f.request.answer.given, 0);
    request_copy(&f.request, &arena, &copy);
    release(&f);
    request_write(&copy, &out);
    assert_int_equal(out.len, strlen(asked) + 1);
    assert_memory_equal(out.data, asked, strlen(asked));
    oy_buffer_release(&out);
    oy_arena_release(&arena);
}

static void an_answer_is_added_behind(void **state)
{
    const struct request_answer answer = {
        .given = 1, .logprob = -1.2655493021011353, .is_greedy = 1};
    struct fixture f;
    struct oy_buffer out = {0};

    (void)state;
    request_put_answered(asked, strlen(asked), REQUEST_LOGLIKELIHOOD, &answer,
                         &out);
    assert_memory_equal(out.data, asked, strlen(asked) - 1);
    assert_int_equal(parse(&f, oy_buffer_string(&out)), 0);
    assert_int_equal(f.request.answer.given, 1);
    assert_true(f.request.answer.logprob == answer.logprob);
    assert_int_equal(f.request.answer.is_greedy, 1);
    release(&f);
    oy_buffer_release(&out);
}

static void a_null_logprob_is_minus_infinity(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(
        parse(&f, "{\"context\":\"\",\"continuation\":\"x\",\"logprob\":null}"),
        0);
    assert_true(f.request.answer.given &&
                f.request.answer.logprob == -__builtin_inf());
    release(&f);
}

static void ids_may_stand_for_texts(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(
        parse(&f, "{\"context_ids\":[1],\"continuation_ids\":[2,3]}"), 0);
    assert_null(f.request.context.at);
    assert_int_equal(f.request.continuation_ids.kind, OY_JSON_ARRAY);
    release(&f);
}

static void bad_lines_are_told(void **state)
{
    static const char *const bad[][2] = {
        {"[]", "not a JSON object"},
        {"{\"context\":\"a\"}", "continuation"},
        {"{\"type\":\"generate_until\"}", "context"},
        {"{\"type\":\"other\",\"continuation\":\"\"}", "type"},
        {"{\"continuation\":\"\",\"doc_id\":-1}", "doc_id"},
        {"{\"continuation\":1}", "not a string"},
        {"{\"continuation_ids\":1}", "not a list"},
        {"{\"continuation\":\"\",\"logprob\":\"x\"}", "logprob"},
    };
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(&f, bad[i][0]), -1);
        assert_int_equal(f.err.code, OY_DATA);
        if (!strstr(f.err.message, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], f.err.message);
        release(&f);
    }
}

static void headers_take_a_model(void **state)
{
    struct oy_buffer line = {0}, out = {0};
    struct oy_json_value run;

    (void)state;
    oy_buffer_append_string(
        &line, "{\"oyster_run\": {\"tasks\": {}, \"model\": {\"a\": 1}}}");
    oy_buffer_reserve(&line, OY_PADDING);
    assert_true(request_is_header(line.data, line.len, &run));
    request_put_header(&run, "{\"b\": 2}", 8, &out);
    assert_string_equal(oy_buffer_string(&out),
                        "{\"oyster_run\": {\"tasks\": {}, \"model\": "
                        "{\"b\": 2}}}\n");
    oy_buffer_clear(&line);
    oy_buffer_append_string(&line, asked);
    oy_buffer_reserve(&line, OY_PADDING);
    assert_false(request_is_header(line.data, line.len, &run));
    oy_buffer_release(&line);
    oy_buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_comes_back_as_it_was),
        cmocka_unit_test(an_answer_is_added_behind),
        cmocka_unit_test(a_null_logprob_is_minus_infinity),
        cmocka_unit_test(ids_may_stand_for_texts),
        cmocka_unit_test(bad_lines_are_told),
        cmocka_unit_test(headers_take_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

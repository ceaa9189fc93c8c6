/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments of completions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "eval/completion.h"

struct fixture {
    struct oy_arena arena;
    struct generate_options options;
    struct oy_error err;
};

static int read_json(struct fixture *f, const char *json, const char *eos)
{
    struct oy_json_value gen = {0};
    const char *why;

    f->err = (struct oy_error){0};
    if (json) {
        const char *text = oy_arena_copy(&f->arena, json, strlen(json));
        assert_int_equal(oy_json_value_of(text, strlen(json), &gen, &why), 0);
    }
    return completion_read(&gen, eos, &f->arena, &f->options, &f->err);
}

static void nothing_given(void **state)
{
    struct fixture f = {0};

    (void)state;
    assert_int_equal(read_json(&f, NULL, "</s>"), 0);
    assert_int_equal(f.options.max_tokens, 256);
    assert_true(f.options.sampler.temperature == 0);
    assert_int_equal(f.options.n_stop, 1);
    assert_string_equal(f.options.stop[0], "</s>");
    oy_arena_release(&f.arena);
}

static void stops(void **state)
{
    struct fixture f = {0};

    (void)state;
    assert_int_equal(
        read_json(&f, "{\"until\":[\"a\\n\",\"\",\"\\u00e9\"]}", "E"), 0);
    assert_int_equal(f.options.n_stop, 3);
    assert_string_equal(f.options.stop[0], "a\n");
    assert_string_equal(f.options.stop[1], "\xc3\xa9");
    assert_string_equal(f.options.stop[2], "E");
    const struct generate_options *copy = completion_copy(&f.options, &f.arena);
    assert_ptr_not_equal(copy->stop[0], f.options.stop[0]);
    assert_string_equal(copy->stop[2], "E");
    assert_int_equal(read_json(&f, "{\"until\":\"x\"}", NULL), 0);
    assert_int_equal(f.options.n_stop, 1);
    assert_int_equal(read_json(&f, "{\"until\":null}", NULL), 0);
    assert_int_equal(f.options.n_stop, 0);
    oy_arena_release(&f.arena);
}

/* The first name of the four wins; do_sample rules the temperature. */
static void lengths_and_temperatures(void **state)
{
    struct fixture f = {0};

    (void)state;
    assert_int_equal(
        read_json(&f, "{\"max_tokens\":3,\"max_gen_toks\":2}", NULL), 0);
    assert_int_equal(f.options.max_tokens, 2);
    assert_int_equal(
        read_json(&f, "{\"max_gen_toks\":null,\"max_tokens\":3}", NULL), 0);
    assert_int_equal(f.options.max_tokens, 3);
    assert_int_equal(
        read_json(&f, "{\"do_sample\":false,\"temperature\":0.7}", NULL), 0);
    assert_true(f.options.sampler.temperature == 0);
    assert_int_equal(read_json(&f, "{\"temperature\":0.7,\"top_p\":0.9}", NULL),
                     0);
    assert_true(f.options.sampler.temperature == 0.7);
    assert_true(f.options.sampler.top_p == 0.9);
    assert_int_equal(
        read_json(&f, "{\"do_sample\":true,\"top_k\":5,\"seed\":9}", NULL), 0);
    assert_true(f.options.sampler.temperature == 1);
    assert_int_equal(f.options.sampler.top_k, 5);
    assert_int_equal(f.options.seed, 9);
    oy_arena_release(&f.arena);
}

static void refusals(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"until\":7}",
        "{\"until\":[[]]}",
        "{\"until\":\"a\\u0000b\"}",
        "{\"max_gen_toks\":0}",
        "{\"max_gen_toks\":\"2\"}",
        "{\"temperature\":-1}",
        "{\"top_p\":1.5}",
        "{\"top_k\":-1}",
        "{\"do_sample\":\"yes\"}",
        "{\"seed\":-1}",
        "{\"num_beams\":4}",
    };
    struct fixture f = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read_json(&f, bad[i], NULL) != -1 || f.err.code != OY_DATA)
            fail_msg("%s was taken", bad[i]);
    }
    assert_non_null(strstr(f.err.message, "num_beams"));
    oy_arena_release(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given),
        cmocka_unit_test(stops),
        cmocka_unit_test(lengths_and_temperatures),
        cmocka_unit_test(refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

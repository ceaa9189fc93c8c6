/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of lists of integers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/json_integers.h"
#include "core/random.h"

/* Reads a list; the memory ends with its padding. */
static int64_t read(const char *text, int32_t **out)
{
    const size_t len = strlen(text);
    char *copy = oy_alloc(len + OY_PADDING);
    struct oy_json_value value = {OY_JSON_MISSING, NULL, 0};
    const char *why;

    memset(copy + len, '7', OY_PADDING);
    memcpy(copy, text, len);
    oy_json_value_of(copy, len, &value, &why);
    *out = oy_alloc_array(oy_json_integers_max(&value), sizeof **out);
    const int64_t n = oy_json_integers(&value, *out);
    assert_true(n <= (int64_t)oy_json_integers_max(&value));
    oy_free(copy);
    return n;
}

static void test_lists(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
        int32_t want[4];
    } list[] = {
        {"[]", 0, {0}},
        {"[ ]", 0, {0}},
        {"[0]", 1, {0}},
        {"[1,22,333]", 3, {1, 22, 333}},
        {"[1, 22, 333]", 3, {1, 22, 333}},
        {"[9999999,10000000,2147483647]", 3, {9999999, 10000000, 2147483647}},
        {"[1,2147483648,3]", 3, {1, -1, 3}},
        {"[1,-2,3]", 3, {1, -1, 3}},
        {"[1 , 2\n,\t3]", 3, {1, 2, 3}},
        {"[1,  2]", 2, {1, 2}},
        {"[1,2.5]", -1, {0}},
        {"[1,\"2\"]", -1, {0}},
        {"[1,null]", -1, {0}},
        {"[1,[2]]", -1, {0}},
        {"[01]", -1, {0}},
        {"{\"a\":1}", -1, {0}},
        {"12", -1, {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        int32_t *out;
        const int64_t n = read(list[i].text, &out);
        if (n != list[i].n)
            fail_msg("%s: %lld", list[i].text, (long long)n);
        for (int64_t j = 0; j < n; j++)
            assert_int_equal(out[j], list[i].want[j]);
        oy_free(out);
    }
}

static void test_numbers_of_all_lengths(void **state)
{
    struct oy_random random = oy_random_at(3, 1);
    struct oy_buffer text = {0};
    enum { N = 3000 };
    int32_t want[N], *out;

    (void)state;
    oy_buffer_append_char(&text, '[');
    for (int i = 0; i < N; i++) {
        const int bits = (int)oy_random_below(&random, 32);
        want[i] = (int32_t)oy_random_below(&random, 1ULL << bits);
        oy_buffer_append_format(&text, "%s%d", i ? "," : "", want[i]);
    }
    oy_buffer_append_char(&text, ']');
    assert_int_equal(read(oy_buffer_string(&text), &out), N);
    assert_memory_equal(out, want, sizeof want);
    oy_free(out);
    oy_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_numbers_of_all_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

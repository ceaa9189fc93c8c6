/* SPDX-License-Identifier: Apache-2.0
 *
 * Python's random numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "eval/python_random.h"
#include "golden_lines.h"

/* random.Random(0).getrandbits(32), four times. */
static void the_first_numbers_of_seed_zero(void **state)
{
    static const uint32_t want[] = {3626764237u, 1654615998u, 3255389356u,
                                    3823568514u};
    struct python_random random;

    (void)state;
    python_random_init(&random, 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(python_random_next(&random), want[i]);
}

static void the_sign_of_a_seed_does_not_matter(void **state)
{
    struct python_random a, b;

    (void)state;
    python_random_init(&a, 1234);
    python_random_init(&b, -1234);
    assert_int_equal(python_random_next(&a), python_random_next(&b));
}

static void samples_are_different_indexes(void **state)
{
    struct python_random random;
    size_t draw[30];

    (void)state;
    python_random_init(&random, 7);
    for (size_t n = 30; n < 2000; n += 197) {
        unsigned char seen[2000] = {0};
        python_random_sample(&random, n, 30, draw);
        for (size_t i = 0; i < 30; i++) {
            assert_in_range(draw[i], 0, n - 1);
            assert_int_equal(seen[draw[i]]++, 0);
        }
    }
}

static void shuffles_keep_every_index(void **state)
{
    struct python_random random;
    size_t index[50], sum = 0;

    (void)state;
    for (size_t i = 0; i < 50; i++)
        index[i] = i;
    python_random_init(&random, 7);
    python_random_shuffle(&random, index, 50);
    for (size_t i = 0; i < 50; i++)
        sum += index[i];
    assert_int_equal(sum, 49 * 50 / 2);
}

/* ---- goldens ---- */

/* A decimal of any length as 32-bit words, its sign dropped. */
static size_t seed_words(struct oy_text text, uint32_t *word)
{
    size_t n = 1;

    word[0] = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '-')
            continue;
        uint64_t carry = (uint64_t)(text.at[i] - '0');
        for (size_t w = 0; w < n; w++) {
            carry += (uint64_t)word[w] * 10;
            word[w] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry)
            word[n++] = (uint32_t)carry;
    }
    return n;
}

static int64_t integer(const struct oy_json_value *value)
{
    int64_t number;

    assert_int_equal(oy_json_int64(value, &number), 0);
    return number;
}

/* [[a, value], ...]: value is what `draw` gives for a. */
static void check_pairs(struct python_random *random,
                        const struct oy_json_value *list,
                        uint64_t (*draw)(struct python_random *, int64_t))
{
    struct oy_json_cursor cursor, inner;
    struct oy_json_value pair, a, want;

    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &pair) == 1) {
        oy_json_enter(&inner, &pair);
        assert_int_equal(oy_json_next_element(&inner, &a), 1);
        assert_int_equal(oy_json_next_element(&inner, &want), 1);
        assert_int_equal(draw(random, integer(&a)), integer(&want));
    }
}

static uint64_t draw_bits(struct python_random *random, int64_t k)
{
    return python_random_bits(random, (int)k);
}

static uint64_t draw_below(struct python_random *random, int64_t n)
{
    return python_random_below(random, (uint64_t)n);
}

static void check_numbers(struct python_random *random,
                          const struct oy_json_value *list, int is_unit)
{
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    double want;

    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &item) == 1) {
        assert_int_equal(oy_json_double(&item, &want), 0);
        if (is_unit)
            assert_true(python_random_unit(random) == want);
        else
            assert_true((double)python_random_next(random) == want);
    }
}

static void check_choices(struct python_random *random, size_t n,
                          const struct oy_json_value *lists)
{
    struct oy_json_cursor cursor, inner;
    struct oy_json_value list, item;

    oy_json_enter(&cursor, lists);
    while (oy_json_next_element(&cursor, &list) == 1) {
        oy_json_enter(&inner, &list);
        while (oy_json_next_element(&inner, &item) == 1)
            assert_int_equal(python_random_choice(random, n), integer(&item));
    }
}

static void check_samples(struct python_random *random,
                          const struct oy_json_value *object,
                          const struct oy_json_value *lists)
{
    const struct oy_json_value n = oy_json_member(object, "n");
    const struct oy_json_value k = oy_json_member(object, "k");
    size_t *draw = oy_alloc_array((size_t)integer(&k), sizeof *draw);
    struct oy_json_cursor cursor, inner;
    struct oy_json_value list, item;

    oy_json_enter(&cursor, lists);
    while (oy_json_next_element(&cursor, &list) == 1) {
        size_t i = 0;
        python_random_sample(random, (size_t)integer(&n), (size_t)integer(&k),
                             draw);
        oy_json_enter(&inner, &list);
        while (oy_json_next_element(&inner, &item) == 1)
            assert_int_equal(draw[i++], integer(&item));
        assert_int_equal(i, integer(&k));
    }
    oy_free(draw);
}

static int check_line(struct golden *golden, const struct oy_json_value *object)
{
    const struct oy_json_value u32 = oy_json_member(object, "u32");
    const struct oy_json_value unit = oy_json_member(object, "random");
    const struct oy_json_value bits = oy_json_member(object, "getrandbits");
    const struct oy_json_value below = oy_json_member(object, "randbelow");
    const struct oy_json_value choices = oy_json_member(object, "choices");
    struct oy_json_value sample = oy_json_member(object, "sample");
    struct python_random random;
    uint32_t word[16];
    const size_t n = seed_words(golden_text(golden, object, "seed"), word);

    if (sample.kind == OY_JSON_MISSING)
        sample = oy_json_member(object, "draws");
    python_random_init_words(&random, word, n);
    if (u32.kind)
        check_numbers(&random, &u32, 0);
    if (unit.kind)
        check_numbers(&random, &unit, 1);
    if (bits.kind)
        check_pairs(&random, &bits, draw_bits);
    if (below.kind)
        check_pairs(&random, &below, draw_below);
    if (choices.kind) {
        const struct oy_json_value from = oy_json_member(object, "choices_n");
        check_choices(&random, (size_t)integer(&from), &choices);
    }
    if (sample.kind)
        check_samples(&random, object, &sample);
    return u32.kind || unit.kind || bits.kind || below.kind || choices.kind ||
           sample.kind;
}

static void golden_draws(void **state)
{
    struct golden golden;
    struct oy_json_value object;

    (void)state;
    if (golden_open(&golden, "golden/eval/rng_python_random.jsonl"))
        skip();
    while (golden_next(&golden, &object))
        assert_true(check_line(&golden, &object));
    golden_close(&golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_numbers_of_seed_zero),
        cmocka_unit_test(the_sign_of_a_seed_does_not_matter),
        cmocka_unit_test(samples_are_different_indexes),
        cmocka_unit_test(shuffles_keep_every_index),
        cmocka_unit_test(golden_draws),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

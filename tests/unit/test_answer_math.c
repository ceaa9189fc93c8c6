/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of eval/answer_math. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "eval/answer_math.h"

static int equal(const char *completion, const char *reference)
{
    return answer_math_equal((struct oy_text){completion, strlen(completion)},
                             (struct oy_text){reference, strlen(reference)});
}

static void assert_box(const char *solution, const char *want)
{
    struct oy_buffer out = {0};

    answer_math_boxed(solution, strlen(solution), &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

static void the_last_box_counts(void **state)
{
    (void)state;
    assert_box("so $\\boxed{1}$ or $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}");
    assert_box("so $\\boxed 7$.", "7");
    assert_box("no box", "");
    assert_box("$\\boxed{1", "");
}

static void spellings_are_one(void **state)
{
    (void)state;
    assert_true(equal("$\\dfrac12$", "\\frac{1}{2}"));
    assert_true(equal("1/2", "\\tfrac{1}{2}"));
    assert_true(equal("0.5", "\\frac{1}{2}"));
    assert_true(equal(" $.5$", "\\frac{1}{2}"));
    assert_true(equal("x = 3", "3"));
    assert_true(equal("\\sqrt3", "\\sqrt{3}"));
    assert_true(equal("\\left( 1,2 \\right)", "(1,2)"));
    assert_true(equal("90^\\circ", "90"));
    assert_true(equal("12\\%", "12"));
    assert_true(equal("\\$12", "12"));
    assert_true(equal("12\\text{ cm}", "12"));
    assert_true(equal("\\frac1{72}", "\\frac{1}{72}"));
    assert_true(equal("the answer is $4$ or so", "4"));
    assert_true(equal("", ""));
}

static void values_are_not_computed(void **state)
{
    (void)state;
    assert_false(equal("2/4", "\\frac{1}{2}"));
    assert_false(equal("0.50", "\\frac{1}{2}"));
    assert_false(equal("01/2", "\\frac{1}{2}"));
    assert_false(equal("xyz = 3", "3"));
    assert_false(equal("$1$ and $2$", "2"));
}

/* lm-eval's rules raise on these; both texts then count as they stand. */
static void what_cannot_be_read_is_taken_literally(void **state)
{
    (void)state;
    assert_false(equal("a/b ", "a/b"));
    assert_true(equal("a/b", "a/b"));
    assert_false(equal("\\sqrt ", "\\sqrt"));
    assert_false(equal("1 \\frac", "1\\frac"));
    assert_false(equal("1\\text{ a}\\text{ b}", "1"));
    assert_true(equal("\\frac 1", "\\frac1"));
}

static int found_equal(const char *completion, const char *reference)
{
    return answer_agieval_equal(
        (struct oy_text){completion, strlen(completion)},
        (struct oy_text){reference, strlen(reference)});
}

static void answers_are_looked_for(void **state)
{
    (void)state;
    assert_true(found_equal("it is \\boxed{x = 3}.", "3"));
    assert_true(found_equal("so $y=1/2$", "$\\frac12$"));
    assert_true(found_equal("$1$\n$2$ 3", "2"));
    assert_true(found_equal("that is x = 7.", "7"));
    assert_true(found_equal("1, then 2.5x and 3km", "2"));
    assert_true(found_equal("4 or $5", "$5"));
    assert_true(found_equal("none", "nothing"));
    assert_true(found_equal("$a/b c$", "$a/bc$"));
    assert_false(found_equal("none", "1"));
    assert_false(found_equal("\\boxed 3", "3"));
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(the_last_box_counts),
        cmocka_unit_test(spellings_are_one),
        cmocka_unit_test(values_are_not_computed),
        cmocka_unit_test(answers_are_looked_for),
        cmocka_unit_test(what_cannot_be_read_is_taken_literally),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

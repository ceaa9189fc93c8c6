/* SPDX-License-Identifier: Apache-2.0
 *
 * C4's phrases in lines of any case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "pipeline/phrases.h"

static unsigned find(const char *text)
{
    struct oy_buffer copy = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    const unsigned found = phrases_find(copy.data, copy.len);
    assert_int_equal(found, phrases_find_plain(copy.data, copy.len));
    oy_buffer_release(&copy);
    return found;
}

static void phrases_are_found_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(find(""), 0);
    assert_int_equal(find("xLorem IPSUMx"), PHRASE_LOREM_IPSUM);
    assert_int_equal(find("no JavaScript"), PHRASE_JAVASCRIPT);
    assert_int_equal(find("Terms of Use"), PHRASE_POLICY);
    assert_int_equal(find("our privacy policy."), PHRASE_POLICY);
    assert_int_equal(find("A COOKIE POLICY"), PHRASE_POLICY);
    assert_int_equal(find("uses cookies"), PHRASE_POLICY);
    assert_int_equal(find("use of cookies"), PHRASE_POLICY);
    assert_int_equal(find("use cookies, javascript"),
                     PHRASE_POLICY | PHRASE_JAVASCRIPT);
}

static void what_is_nearly_one_is_none(void **state)
{
    (void)state;
    assert_int_equal(find("java script lorem  ipsum"), 0);
    assert_int_equal(find("cookies are used"), 0);
    assert_int_equal(find("javascrip"), 0);
    assert_int_equal(find("avascript"), 0);
    assert_int_equal(find("use@cookies"), 0);
    assert_int_equal(find("javascr\xc4\xb0pt"), 0); /* U+0130 */
}

static void the_sign_of_kelvin_is_a_k(void **state)
{
    (void)state;
    assert_int_equal(find("use coo\xe2\x84\xaaies"), PHRASE_POLICY);
    assert_int_equal(find("\xe2\x84\xaa javascript"), PHRASE_JAVASCRIPT);
}

/* Cut anywhere, a phrase is found if it lies within. */
static void places_do_not_matter(void **state)
{
    static const char phrase[] = "use of cookies";
    struct oy_buffer text = {0};

    (void)state;
    for (size_t before = 0; before < 40; before++) {
        oy_buffer_clear(&text);
        for (size_t i = 0; i < before; i++)
            oy_buffer_append_char(&text, 'k');
        oy_buffer_append_string(&text, phrase);
        oy_buffer_append_string(&text, " and more");
        oy_buffer_reserve(&text, OY_PADDING);
        for (size_t len = 0; len <= text.len; len++)
            assert_int_equal(phrases_find(text.data, len),
                             len >= before + strlen(phrase) ? PHRASE_POLICY
                                                            : 0);
    }
    oy_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_are_found_in_any_case),
        cmocka_unit_test(what_is_nearly_one_is_none),
        cmocka_unit_test(the_sign_of_kelvin_is_a_k),
        cmocka_unit_test(places_do_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of tokenizer/tok_ids_avx512.c: numbers as printf writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tokenizer/tok_ids_internal.h"

enum { MOST = 40, ROOM = MOST * 9 + TOK_IDS_STORE };

static void check(const int32_t *id, size_t n, size_t want)
{
    char got[ROOM], expect[ROOM] = "";
    char *end = got;
    size_t len = 0;

    for (size_t i = 0; i < want; i++)
        len += (size_t)snprintf(expect + len, sizeof expect - len, "%d,",
                                (int)id[i]);
    assert_int_equal(tok_ids_avx512(id, n, &end), want);
    assert_int_equal(end - got, len);
    assert_memory_equal(got, expect, len);
}

static void skip_without(void)
{
    if (!tok_ids_has_avx512())
        skip();
}

/* Every number below 2^20 and a step through the rest, eight at once. */
static void all_numbers(void **state)
{
    int32_t id[8];

    (void)state;
    skip_without();
    for (int32_t at = 0; at + 8 * 997 < 10000000;
         at += at < 1 << 20 ? 8 : 997) {
        for (int32_t i = 0; i < 8; i++)
            id[i] = at < 1 << 20 ? at + i : at + i * 997;
        check(id, 8, 8);
    }
}

static void any_count(void **state)
{
    int32_t id[MOST];

    (void)state;
    skip_without();
    for (int i = 0; i < MOST; i++)
        id[i] = (int32_t)((uint64_t)i * 7654321 % (i % 3 ? 1000 : 9999999));
    for (size_t n = 0; n <= MOST; n++)
        check(id, n, n);
}

static void ends_before_eight_digits(void **state)
{
    int32_t id[MOST] = {0};

    (void)state;
    skip_without();
    id[19] = 10000000;
    check(id, MOST, 16);
    id[19] = (1 << 24) - 1;
    check(id + 16, 8, 0);
    id[19] = 9999999;
    check(id, MOST, MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_numbers),
        cmocka_unit_test(any_count),
        cmocka_unit_test(ends_before_eight_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

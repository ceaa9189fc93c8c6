/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of counters and of the processor's level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/counter.h"
#include "core/cpu.h"

static void counts_keep_their_first_order(void **state)
{
    struct oy_counters counters = {0};
    char name[20];

    (void)state;
    assert_int_equal(oy_counter_get(&counters, "x"), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "c%d", i % 40);
        oy_counter_add(&counters, name, 2);
    }
    assert_int_equal(counters.n_item, 40);
    assert_string_equal(counters.item[0].name, "c0");
    assert_string_equal(counters.item[39].name, "c39");
    assert_int_equal(oy_counter_get(&counters, "c0"), 6);
    assert_int_equal(oy_counter_get(&counters, "c20"), 4);
    oy_counters_release(&counters);
    oy_counters_release(&counters);
}

/* The environment is read at the first call only. */
static void the_environment_lowers_the_level(void **state)
{
    (void)state;
    setenv("OYSTER_CPU", "plain", 1);
    assert_int_equal(oy_cpu_level(), OY_CPU_PLAIN);
    setenv("OYSTER_CPU", "amx", 1);
    assert_int_equal(oy_cpu_level(), OY_CPU_PLAIN);
    assert_string_equal(oy_cpu_name(OY_CPU_PLAIN), "plain");
    assert_string_equal(oy_cpu_name(OY_CPU_AMX), "amx");
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(counts_keep_their_first_order),
        cmocka_unit_test(the_environment_lowers_the_level),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers to text and back, exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/decimal.h"

static void assert_double(double number, const char *want)
{
    char text[OY_DECIMAL_SIZE + 1];

    text[oy_decimal_put_double(text, number)] = '\0';
    assert_string_equal(text, want);
}

/* What Python prints. */
static void layout_is_pythons(void **state)
{
    (void)state;
    assert_double(0.0, "0.0");
    assert_double(-0.0, "-0.0");
    assert_double(0.1, "0.1");
    assert_double(3, "3.0");
    assert_double(-12.5, "-12.5");
    assert_double(0.0001, "0.0001");
    assert_double(0.00012345, "0.00012345");
    assert_double(0.00001, "1e-05");
    assert_double(1.5e-7, "1.5e-07");
    assert_double(1e15, "1000000000000000.0");
    assert_double(1e16, "1e+16");
    assert_double(123456789012345680.0, "1.2345678901234568e+17");
    assert_double(9999999999999998.0, "9999999999999998.0");
    assert_double(1e100, "1e+100");
    assert_double(1.0 / 3, "0.3333333333333333");
    assert_double(2.0 / 3, "0.6666666666666666");
    assert_double(NAN, "null");
    assert_double(INFINITY, "null");
    assert_double(-INFINITY, "null");
}

static void hard_numbers_are_shortest(void **state)
{
    (void)state;
    assert_double(5e-324, "5e-324");
    assert_double(DBL_MIN, "2.2250738585072014e-308");
    assert_double(DBL_MAX, "1.7976931348623157e+308");
    assert_double(9007199254740993.0, "9007199254740992.0");
    assert_double(0x1p-44, "5.684341886080802e-14");
    assert_double(1e23, "1e+23");
    assert_double(9.5e-3, "0.0095");
    assert_double(4.35, "4.35");
    assert_double(2.2250738585072011e-308, "2.225073858507201e-308");
    assert_double(0x1p-1074 * 3, "1.5e-323");
    assert_double(0x1p1023, "8.98846567431158e+307");
}

static void assert_float(float number, const char *want)
{
    char text[OY_DECIMAL_SIZE + 1];

    text[oy_decimal_put_float(text, number)] = '\0';
    assert_string_equal(text, want);
}

static void floats_have_their_own_digits(void **state)
{
    (void)state;
    assert_float(0.1f, "0.1");
    assert_float(1.0f / 3, "0.33333334");
    assert_float(16777216.0f, "16777216.0");
    assert_float(FLT_MAX, "3.4028235e+38");
    assert_float(1e-45f, "1e-45");
    assert_float(-0.0f, "-0.0");
    assert_float(NAN, "null");
}

static void assert_parsed(const char *text, double want)
{
    const double got = oy_decimal_parse(text, strlen(text));

    if (memcmp(&got, &want, sizeof got) != 0)
        fail_msg("%s: %a, want %a", text, got, want);
}

static void reading_rounds_correctly(void **state)
{
    (void)state;
    assert_parsed("0", 0.0);
    assert_parsed("-0.0e99", -0.0);
    assert_parsed("1e400", INFINITY);
    assert_parsed("-1e99999999999999999999", -INFINITY);
    assert_parsed("1e-400", 0.0);
    assert_parsed("1e-99999999999999999999", 0.0);
    assert_parsed("9007199254740993", 9007199254740992.0);
    assert_parsed("9007199254740993.0000000000000000000000000001",
                  9007199254740994.0);
    assert_parsed("2.2250738585072011e-308", 2.2250738585072011e-308);
    assert_parsed("2.4703282292062327e-324", 0.0);
    assert_parsed("2.4703282292062328e-324", 5e-324);
    assert_parsed("1.7976931348623158e308", DBL_MAX);
    assert_parsed("1.7976931348623159e308", INFINITY);
    assert_parsed("0.1,", 0.1);
    assert_parsed("123e-2}", 1.23);
    assert_parsed("0.000000000000000000000000000000000000000000000001", 1e-48);
}

/* The 1,075 decimals of the middle between two of the smallest doubles: a tie
 * goes to the even one, a digit far behind decides otherwise. */
static void long_texts_count_to_the_last_digit(void **state)
{
    char text[1200];
    const int n = snprintf(text, sizeof text, "%.1100Lf", 0x2.8p-1074L);

    (void)state;
    if (LDBL_MANT_DIG <= DBL_MANT_DIG)
        skip();
    assert_true(oy_decimal_parse(text, (size_t)n) == 0x2p-1074);
    text[n - 1] = '1';
    assert_true(oy_decimal_parse(text, (size_t)n) == 0x3p-1074);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    const uint64_t high = *seed >> 32;
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return high << 32 | *seed >> 32;
}

/* The fewest digits of printf's that read back: an upper bound for ours. */
static size_t printf_digits(double number)
{
    char text[64];

    for (int n = 1; n < 17; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, number);
        if (strtod(text, NULL) == number)
            return (size_t)n;
    }
    return 17;
}

static size_t count_digits(const char *text)
{
    size_t n = 0, zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && n == 0))
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        n++;
    }
    return n - zeros;
}

static void check_double(double number)
{
    char text[OY_DECIMAL_SIZE + 1];
    const size_t len = oy_decimal_put_double(text, number);

    text[len] = '\0';
    assert_true(strtod(text, NULL) == number);
    assert_true(oy_decimal_parse(text, len) == number);
    if (count_digits(text) > printf_digits(number))
        fail_msg("%s is not the shortest", text);
}

static void random_numbers_make_the_round_trip(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const uint64_t bits = next_random(&seed);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number) || number == 0)
            continue;
        check_double(number);
        check_double((double)(bits >> 40) / 1000);
        check_double((double)(bits >> 50) / (double)((bits & 4095) + 1) + 1);
        check_double(ldexp(1, (int)(bits % 2046) - 1022));
    }
}

static void random_texts_read_like_strtod(void **state)
{
    uint64_t seed = 9;
    char text[80];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const uint64_t a = next_random(&seed), b = next_random(&seed);
        const int n = snprintf(text, sizeof text, "%llu.%llue%d",
                               (unsigned long long)(a >> a % 60),
                               (unsigned long long)b, (int)(b % 680) - 345);
        assert_true(oy_decimal_parse(text, (size_t)n) == strtod(text, NULL));
    }
}

static void random_floats_make_the_round_trip(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const uint32_t bits = (uint32_t)next_random(&seed);
        char text[OY_DECIMAL_SIZE + 1];
        float number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        text[oy_decimal_put_float(text, number)] = '\0';
        assert_true(strtof(text, NULL) == number);
        assert_true(count_digits(text) <= 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_pythons),
        cmocka_unit_test(hard_numbers_are_shortest),
        cmocka_unit_test(floats_have_their_own_digits),
        cmocka_unit_test(reading_rounds_correctly),
        cmocka_unit_test(long_texts_count_to_the_last_digit),
        cmocka_unit_test(random_numbers_make_the_round_trip),
        cmocka_unit_test(random_texts_read_like_strtod),
        cmocka_unit_test(random_floats_make_the_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

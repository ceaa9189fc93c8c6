/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of four-bit numbers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/mxfp4.h"

static void test_numbers(void **state)
{
    static const float want[16] = {0, 0.5f,  1,  1.5f,  2,  3,  4,  6,
                                   0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
    uint8_t blocks[2 * MXFP4_BYTES];
    const uint8_t scales[2] = {127, 130};
    float out[2 * MXFP4_BLOCK];

    (void)state;
    for (int i = 0; i < 2 * MXFP4_BYTES; i++)
        blocks[i] = (uint8_t)(i % 16 + (15 - i % 16) * 16);
    mxfp4_unpack(out, blocks, scales, 2);
    for (int i = 0; i < 2 * MXFP4_BLOCK; i++) {
        const int byte = i / 2 % 16;
        const float number = want[i % 2 ? 15 - byte : byte];
        assert_true(out[i] == number * (i < MXFP4_BLOCK ? 1 : 8));
    }
    assert_true(signbit(out[1 + 2 * 7]) != 0);
}

static void test_extreme_scales(void **state)
{
    const uint8_t blocks[2 * MXFP4_BYTES] = {0x71, [MXFP4_BYTES] = 0x01};
    const uint8_t scales[2] = {0, 255};
    float out[2 * MXFP4_BLOCK];

    (void)state;
    mxfp4_unpack(out, blocks, scales, 2);
    assert_true(out[0] == 0x1p-128f);
    assert_true(out[1] == 6 * 0x1p-127f);
    assert_true(isnan(out[MXFP4_BLOCK]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_extreme_scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

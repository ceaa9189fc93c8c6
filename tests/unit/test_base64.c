/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/base64: RFC 4648's own vectors, all bytes, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base64.h"

/* RFC 4648, section 10. */
static const char *const vector[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void test_vectors(void **state)
{
    struct oy_buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        oy_buffer_clear(&out);
        oy_base64_put(&out, vector[i][0], strlen(vector[i][0]));
        assert_string_equal(oy_buffer_string(&out), vector[i][1]);
        oy_buffer_clear(&out);
        assert_int_equal(
            oy_base64_read(vector[i][1], strlen(vector[i][1]), &out), 0);
        assert_string_equal(oy_buffer_string(&out), vector[i][0]);
    }
    oy_buffer_release(&out);
}

static void test_all_bytes(void **state)
{
    struct oy_buffer text = {0}, back = {0};
    unsigned char bytes[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)(i * 37);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        oy_buffer_clear(&text);
        oy_buffer_clear(&back);
        oy_base64_put(&text, bytes, len);
        assert_int_equal(oy_base64_read(text.data, text.len, &back), 0);
        assert_int_equal(back.len, len);
        if (len)
            assert_memory_equal(back.data, bytes, len);
    }
    oy_buffer_release(&text);
    oy_buffer_release(&back);
}

static void test_damage(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg",   "Zg=",    "Zm9vY", "Zh==", "Zm9=", "====",     "Z===",
        "Zg=a", "=Zg=", "Zm9v\n", "Zm 9",  "Zm9-", "Zm9_", "Zg==Zg==",
    };
    struct oy_buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(oy_base64_read(bad[i], strlen(bad[i]), &out), -1);
    oy_buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_all_bytes),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

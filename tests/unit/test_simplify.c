/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of datatrove's simplify_text: small cases, and its own answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hash.h"
#include "pipeline/simplify.h"
#include "tests/unit/golden_lines.h"

static void expect(const char *text, const char *want)
{
    struct simplify simplify = {0};
    struct oy_buffer copy = {0};
    size_t len;

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, 1);
    const char *got = simplify_text(&simplify, copy.data, copy.len, &len);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(got, want, len);
    simplify_release(&simplify);
    oy_buffer_release(&copy);
}

static void steps_come_in_their_order(void **state)
{
    (void)state;
    expect("", "");
    expect(" .,\t\n", "");
    expect("Hello, World!", "hello world");
    expect("  a  b\n\nc ", "a b c");
    expect("it's 3.14 or 2,000.5!", "it s 0 or 0 0");
    expect("v1.2.3", "v0 0");
    expect("x 12. 7", "x 0 0");
    expect("\xc3\x89t\xc3\xa9 \xc3\x85ngstr\xc3\xb6m", "ete angstrom");
    expect("e\xcc\x81 \xcc\x81", "e");
    /* U+FF11 is a digit before it is punctuation. */
    expect("\xef\xbc\x91\xef\xbc\x92 \xe3\x80\x8c\xe4\xb8\xad\xe3\x80\x8d",
           "0 \xe4\xb8\xad");
    expect("a\xc2\xa0"
           "b\xe2\x80\x94"
           "c",
           "a b c");
    expect("\x01zero\x1fone", "zero one");
}

static void equals_datatrove(void **state)
{
    struct golden want, docs;
    struct oy_json_value line, doc;
    struct simplify simplify = {0};
    int n = 0;

    (void)state;
    if (golden_open(&want, "golden/pipeline/datatrove_simplify_text.jsonl"))
        return;
    if (golden_open(&docs, "golden/pipeline/docs.jsonl")) {
        golden_close(&want);
        return;
    }
    while (golden_next(&want, &line) && golden_next(&docs, &doc)) {
        const struct oy_text text = golden_text(&docs, &doc, "text");
        unsigned char digest[20];
        char hex[41];
        size_t len;
        const char *got = simplify_text(&simplify, text.at, text.len, &len);
        oy_sha1(got, len, digest);
        for (int i = 0; i < 20; i++)
            snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        assert_true(golden_is(&want, &line, "sha1", hex));
        n++;
    }
    assert_true(n > 400);
    simplify_release(&simplify);
    golden_close(&want);
    golden_close(&docs);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(steps_come_in_their_order),
        cmocka_unit_test(equals_datatrove),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of counts that pass as records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "core/input.h"
#include "tokenizer/count_source.h"

/* The lines that come out, each with its number in the file. */
static void pass(const char *text, const char *field, size_t max_record,
                 struct oy_buffer *out)
{
    const struct oy_source_options options = {.max_record = max_record};
    struct oy_error err = {0};
    struct oy_input *const input =
        oy_input_open_memory("x", text, strlen(text), &err);
    struct oy_source *const source =
        count_source_open(oy_source_open_input(input, &options), field);
    struct oy_batch batch = {0};
    uint64_t n_record = 0;

    oy_buffer_clear(out);
    while (source->next(source, &batch, &err) > 0) {
        assert_int_equal(batch.first_record, n_record);
        assert_string_equal(batch.file, "x");
        n_record += batch.n_line;
        for (size_t i = 0; i < batch.n_line; i++) {
            const struct oy_line *const line = &batch.line[i];

            oy_buffer_append_format(
                out, "%llu:%.*s\n", (unsigned long long)batch.line_number[i],
                line->len == SIZE_MAX ? 0 : (int)line->len,
                line->len == SIZE_MAX ? "" : batch.data + line->at);
        }
    }
    assert_int_equal(err.code, 0);
    oy_buffer_string(out);
    oy_batch_release(&batch);
    source->close(source);
}

static void assert_pass(const char *text, const char *want)
{
    struct oy_buffer out = {0};

    pass(text, "text", 1000, &out);
    assert_string_equal(out.data, want);
    oy_buffer_release(&out);
}

#define RECORD(word, count)                                                    \
    "{\"text\":\"" word "\",\"oyster word count\":\"" count "\"}\n"

static void counts_become_records(void **state)
{
    (void)state;
    assert_pass("the\t5\n\na\"b\t6\n",
                "1:" RECORD("the", "5") "3:" RECORD("a\\\"b", "6"));
    /* Records and what is neither pass as they are. */
    assert_pass("{\"text\":\"a\\tb\"}\nab\n {\"a\":\t1} \nx\t1\n{}\t7\n",
                "1:{\"text\":\"a\\tb\"}\n2:ab\n3: {\"a\":\t1} \n"
                "4:" RECORD("x", "1") "5:" RECORD("{}", "7"));
    assert_pass("", "");
}

static void either_side_may_be_the_count(void **state)
{
    (void)state;
    assert_pass("12\t7\nthe\t5\n",
                "1:" RECORD("12", "7") "2:" RECORD("the", "5"));
    assert_pass("12\t7\n5\tthe\n",
                "1:" RECORD("7", "12") "2:" RECORD("the", "5"));
    assert_pass("12\t7\n", "1:" RECORD("12", "7"));
    /* Neither is a number: told by whoever reads the count. */
    assert_pass("a\t-7\n", "1:" RECORD("a", "-7"));
}

static void fields_may_lie_deep(void **state)
{
    struct oy_buffer out = {0};

    (void)state;
    pass("the\t5\n", "a.b", 1000, &out);
    assert_string_equal(
        out.data, "1:{\"a\":{\"b\":\"the\"},\"oyster word count\":\"5\"}\n");
    oy_buffer_release(&out);
}

static void long_lines_stay_bad(void **state)
{
    struct oy_buffer out = {0};

    (void)state;
    pass("a\t1\nthis line is longer than that\t5\nb\t2\n", "text", 20, &out);
    assert_string_equal(out.data,
                        "1:" RECORD("a", "1") "2:\n3:" RECORD("b", "2"));
    oy_buffer_release(&out);
}

static void many_lines_keep_their_numbers(void **state)
{
    enum { N = 20000 };
    struct oy_buffer text = {0}, want = {0}, out = {0};

    (void)state;
    for (int i = 0; i < N; i++) {
        oy_buffer_append_format(&text, "w%d\t%d\n", i, i);
        oy_buffer_append_format(
            &want, "%d:{\"text\":\"w%d\",\"oyster word count\":\"%d\"}\n",
            i + 1, i, i);
    }
    oy_buffer_string(&text);
    pass(text.data, "text", 1000, &out);
    assert_int_equal(out.len, want.len);
    assert_memory_equal(out.data, want.data, want.len);
    oy_buffer_release(&text);
    oy_buffer_release(&want);
    oy_buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_become_records),
        cmocka_unit_test(either_side_may_be_the_count),
        cmocka_unit_test(fields_may_lie_deep),
        cmocka_unit_test(long_lines_stay_bad),
        cmocka_unit_test(many_lines_keep_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the source of lines: splitting, long lines, two passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/source.h"

static char *write_temporary(const char *text, size_t len)
{
    char *name = strdup("/tmp/oy-test-XXXXXX");
    const int fd = mkstemp(name);

    assert_int_equal(write(fd, text, len), len);
    close(fd);
    return name;
}

static void drop_temporary(char *name)
{
    unlink(name);
    free(name);
}

/* "number:line|number:line|" of what is left of a pass; "!" for a line that
 * is too long. */
static void describe(struct oy_source *source, struct oy_buffer *out)
{
    struct oy_batch batch = {0};
    struct oy_error err = {0};
    uint64_t n = 0;
    int rc;

    oy_buffer_clear(out);
    while ((rc = source->next(source, &batch, &err)) > 0) {
        assert_int_equal(batch.first_record, n);
        assert_true(batch.n_line > 0);
        n += batch.n_line;
        for (size_t i = 0; i < batch.n_line; i++) {
            const struct oy_line line = batch.line[i];
            oy_buffer_append_format(out, "%d:", (int)batch.line_number[i]);
            if (line.len == SIZE_MAX)
                oy_buffer_append_char(out, '!');
            else
                oy_buffer_append(out, batch.data + line.at, line.len);
            oy_buffer_append_char(out, '|');
        }
    }
    assert_int_equal(rc, 0);
    oy_batch_release(&batch);
}

static void expect(const char *text, size_t max, const char *want)
{
    char *name = write_temporary(text, strlen(text));
    const struct oy_source_options options = {.max_record = max};
    struct oy_error err = {0};
    struct oy_buffer out = {0};
    struct oy_source *source =
        oy_source_open((const char *const *)&name, 1, &options, &err);

    assert_non_null(source);
    describe(source, &out);
    assert_string_equal(oy_buffer_string(&out), want);
    source->close(source);
    oy_buffer_release(&out);
    drop_temporary(name);
}

static void lines_are_cut_at_lf(void **state)
{
    (void)state;
    expect("", 100, "");
    expect("a\nbc\n", 100, "1:a|2:bc|");
    expect("a\nbc", 100, "1:a|2:bc|");
    expect("a\r\nb\rc\r\n", 100, "1:a|2:b\rc|");
    expect("\n\n  \t\na\n\r\n\nb", 100, "4:a|7:b|");
    expect("\xef\xbb\xbf{}\n", 100, "1:{}|");
    expect("a\xe2\x80\xa8z\xc2\x85y\n", 100, "1:a\xe2\x80\xa8z\xc2\x85y|");
}

static void too_long_lines_are_told(void **state)
{
    (void)state;
    expect("abcd\nabc\nabcde", 3, "1:!|2:abc|3:!|");
    expect("abc\r\nx\n", 3, "1:abc|2:x|");
}

static void lines_longer_than_a_batch(void **state)
{
    const size_t len = 5 << 20;
    char *text = malloc(len + 100);
    struct oy_buffer want = {0};

    (void)state;
    memset(text, 'x', len);
    memcpy(text, "a\nb\n", 4);
    strcpy(text + len, "\nc\nd");
    expect(text, 1 << 20, "1:a|2:b|3:!|4:c|5:d|");
    expect(text, 10, "1:a|2:b|3:!|4:c|5:d|");
    oy_buffer_append_string(&want, "1:a|2:b|3:");
    oy_buffer_append(&want, text + 4, len - 4);
    oy_buffer_append_string(&want, "|4:c|5:d|");
    expect(text, 1 << 28, oy_buffer_string(&want));
    text[len] = '\0';
    expect(text, 1 << 20, "1:a|2:b|3:!|");
    oy_buffer_release(&want);
    free(text);
}

static void many_batches_keep_every_line(void **state)
{
    struct oy_buffer text = {0}, want = {0}, out = {0};
    const struct oy_source_options options = {1 << 20, 1, NULL};
    struct oy_error err = {0};

    (void)state;
    for (int i = 1; i <= 200000; i++) {
        oy_buffer_append_format(&text, "%d\n", i * 31);
        oy_buffer_append_format(&want, "%d:%d|", i, i * 31);
    }
    char *name = write_temporary(text.data, text.len);
    struct oy_source *source =
        oy_source_open((const char *const *)&name, 1, &options, &err);
    for (int pass = 0; pass < 2; pass++) {
        describe(source, &out);
        assert_string_equal(oy_buffer_string(&out), oy_buffer_string(&want));
        if (pass == 0)
            assert_int_equal(source->rewind(source, &err), 0);
    }
    assert_true(oy_source_progress(source) == 1);
    int n_file;
    const struct oy_source_file *file = oy_source_files(source, &n_file);
    assert_int_equal(n_file, 1);
    assert_int_equal(file->lines, 200000);
    assert_int_equal(file->bytes, text.len);
    source->close(source);
    drop_temporary(name);
    oy_buffer_release(&text);
    oy_buffer_release(&want);
    oy_buffer_release(&out);
}

static void hashes_that_nobody_wants_stay_empty(void **state)
{
    char *name = write_temporary("a\nb\n", 4);
    struct oy_error err = {0};

    (void)state;
    for (int two_passes = 0; two_passes < 2; two_passes++) {
        const struct oy_source_options options = {
            .max_record = 100, .two_passes = two_passes, .unhashed = 1};
        struct oy_buffer out = {0};
        int n_file;
        struct oy_source *source =
            oy_source_open((const char *const *)&name, 1, &options, &err);
        describe(source, &out);
        const struct oy_source_file *file = oy_source_files(source, &n_file);
        assert_int_equal(n_file, 1);
        assert_int_equal(file->lines, 2);
        assert_int_equal(strlen(file->hash), two_passes ? 32 : 0);
        source->close(source);
        oy_buffer_release(&out);
    }
    drop_temporary(name);
}

static void records_are_numbered_over_files(void **state)
{
    char *name[] = {write_temporary("a\nb\n", 4), write_temporary("", 0),
                    write_temporary("\nc", 2)};
    const struct oy_source_options options = {.max_record = 100};
    struct oy_error err = {0};
    struct oy_buffer out = {0};
    struct oy_source *source =
        oy_source_open((const char *const *)name, 3, &options, &err);

    (void)state;
    describe(source, &out); /* checks first_record */
    assert_string_equal(oy_buffer_string(&out), "1:a|2:b|2:c|");
    source->close(source);
    oy_buffer_release(&out);
    for (int i = 0; i < 3; i++)
        drop_temporary(name[i]);
}

static void a_missing_file_is_told_first(void **state)
{
    const char *const name[] = {"/dev/null", "/no/such"};
    const struct oy_source_options options = {.max_record = 100};
    struct oy_error err = {0};

    (void)state;
    assert_null(oy_source_open(name, 2, &options, &err));
    assert_int_equal(err.code, OY_NOINPUT);
}

static void a_changed_file_is_found(void **state)
{
    char *name = write_temporary("a\nb\n", 4);
    const struct oy_source_options options = {100, 1, NULL};
    struct oy_error err = {0};
    struct oy_buffer out = {0};
    struct oy_batch batch = {0};
    int rc;

    (void)state;
    struct oy_source *source =
        oy_source_open((const char *const *)&name, 1, &options, &err);
    describe(source, &out);
    const int fd = open(name, O_WRONLY);
    assert_int_equal(write(fd, "A", 1), 1);
    close(fd);
    assert_int_equal(source->rewind(source, &err), 0);
    while ((rc = source->next(source, &batch, &err)) > 0)
        ;
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, OY_DATA);
    assert_non_null(strstr(err.message, name));
    source->close(source);
    oy_batch_release(&batch);
    oy_buffer_release(&out);
    drop_temporary(name);
}

/* Standard input as a pipe (spooled) and as a file (read again). */
static void standard_input_can_be_read_twice(void **state)
{
    const struct oy_source_options options = {100, 1, NULL};
    const int saved = dup(STDIN_FILENO);

    (void)state;
    for (int as_pipe = 0; as_pipe < 2; as_pipe++) {
        struct oy_error err = {0};
        struct oy_buffer out = {0};
        char *name = write_temporary("\xef\xbb\xbf"
                                     "a\nb",
                                     6);
        int end[2] = {open(name, O_RDONLY), -1};
        if (as_pipe) {
            assert_int_equal(pipe(end), 0);
            assert_int_equal(write(end[1],
                                   "\xef\xbb\xbf"
                                   "a\nb",
                                   6),
                             6);
            close(end[1]);
        }
        dup2(end[0], STDIN_FILENO);
        close(end[0]);
        struct oy_source *source = oy_source_open(NULL, 0, &options, &err);
        describe(source, &out);
        assert_string_equal(oy_buffer_string(&out), "1:a|2:b|");
        assert_int_equal(source->rewind(source, &err), 0);
        describe(source, &out);
        assert_string_equal(oy_buffer_string(&out), "1:a|2:b|");
        source->close(source);
        oy_buffer_release(&out);
        drop_temporary(name);
    }
    dup2(saved, STDIN_FILENO);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(lines_are_cut_at_lf),
        cmocka_unit_test(too_long_lines_are_told),
        cmocka_unit_test(lines_longer_than_a_batch),
        cmocka_unit_test(many_batches_keep_every_line),
        cmocka_unit_test(hashes_that_nobody_wants_stay_empty),
        cmocka_unit_test(records_are_numbered_over_files),
        cmocka_unit_test(a_missing_file_is_told_first),
        cmocka_unit_test(a_changed_file_is_found),
        cmocka_unit_test(standard_input_can_be_read_twice),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

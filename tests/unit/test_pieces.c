/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts cut at line ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "pipeline/document.h"

/* Joins the pieces with '|'. */
static void assert_pieces(const char *text, const struct pieces *pieces,
                          const char *want)
{
    struct oy_buffer got = {0};

    for (size_t i = 0; i < pieces->n; i++) {
        if (i)
            oy_buffer_append_char(&got, '|');
        oy_buffer_append(&got, text + pieces->item[i].at, pieces->item[i].len);
    }
    assert_string_equal(oy_buffer_string(&got), want);
    oy_buffer_release(&got);
}

/* str.split("\n") and str.splitlines(). */
static void assert_lines(const char *text, const char *split,
                         const char *splitlines, size_t n)
{
    struct document document = {0};
    struct oy_buffer copy = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    document_start(&document, (struct oy_text){copy.data, copy.len});
    assert_pieces(copy.data, document_lines(&document), split);
    assert_pieces(copy.data, document_split_lines(&document), splitlines);
    assert_int_equal(document_split_lines(&document)->n, n);
    document_release(&document);
    oy_buffer_release(&copy);
}

static void lines_end_where_python_says(void **state)
{
    (void)state;
    assert_lines("", "", "", 0);
    assert_lines("\n", "|", "", 1);
    assert_lines("a\n\nb\n", "a||b|", "a||b", 3);
    assert_lines("a\r\nb\rc\r", "a\r|b\rc\r", "a|b|c", 3);
    assert_lines("a\r\r\nb", "a\r\r|b", "a||b", 3);
    assert_lines("a\vb\fc\x1c"
                 "d\x1d"
                 "e\x1e"
                 "f",
                 "a\vb\fc\x1c"
                 "d\x1d"
                 "e\x1e"
                 "f",
                 "a|b|c|d|e|f", 6);
    assert_lines("a\xc2\x85"
                 "b\xe2\x80\xa8"
                 "c\xe2\x80\xa9",
                 "a\xc2\x85"
                 "b\xe2\x80\xa8"
                 "c\xe2\x80\xa9",
                 "a|b|c", 3);
    assert_lines("a\x1f"
                 "b\tc \xe2\x80\xa6 \xc2\xa0 over eight bytes",
                 "a\x1f"
                 "b\tc \xe2\x80\xa6 \xc2\xa0 over eight bytes",
                 "a\x1f"
                 "b\tc \xe2\x80\xa6 \xc2\xa0 over eight bytes",
                 1);
}

static void drafts_take_turns(void **state)
{
    struct document document = {0};
    char text[80] = "one";

    (void)state;
    document_start(&document, (struct oy_text){text, 3});
    assert_false(document.is_rewritten);
    struct oy_buffer *first = document_draft(&document);
    oy_buffer_append_string(first, "second\ntext");
    document_rewrite(&document, (struct oy_text){first->data, first->len});
    assert_true(document.is_rewritten);
    assert_int_equal(document_lines(&document)->n, 2);
    struct oy_buffer *second = document_draft(&document);
    assert_ptr_not_equal(first, second);
    oy_buffer_append_string(second, "third");
    assert_memory_equal(document.text.at, "second", 6);
    document_rewrite(&document, (struct oy_text){second->data, second->len});
    assert_int_equal(document_lines(&document)->n, 1);
    assert_int_equal(document_n_code(&document), 5);
    document_start(&document, (struct oy_text){text, 3});
    assert_false(document.is_rewritten);
    document_release(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_where_python_says),
        cmocka_unit_test(drafts_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

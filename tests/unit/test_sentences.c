/* SPDX-License-Identifier: Apache-2.0
 *
 * Sentence splitters: by hand, then the golden texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/utf8.h"
#include "pipeline/marks.h"
#include "pipeline/sentences.h"
#include "tests/unit/golden_lines.h"

/* Joins the sentences with '|'. */
static void assert_sentences(enum sentences_splitter splitter, const char *text,
                             const char *want)
{
    struct oy_buffer copy = {0}, got = {0};
    struct sentences sentences = {0};
    size_t at = 0;

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    sentences_split(splitter, copy.data, copy.len, &sentences);
    for (size_t i = 0; i < sentences.n; i++) {
        if (i)
            oy_buffer_append_char(&got, '|');
        oy_buffer_append(&got, copy.data + at, sentences.end[i] - at);
        at = sentences.end[i];
    }
    assert_int_equal(at, copy.len);
    assert_string_equal(oy_buffer_string(&got), want);
    sentences_release(&sentences);
    oy_buffer_release(&copy);
    oy_buffer_release(&got);
}

static void spacy_cuts_behind_marks(void **state)
{
    (void)state;
    assert_sentences(SENTENCES_SPACY, "", "");
    assert_sentences(SENTENCES_SPACY, "No mark", "No mark");
    assert_sentences(SENTENCES_SPACY, "One. Two! Three", "One.| Two!| Three");
    assert_sentences(SENTENCES_SPACY, "\"One.\" (Two?) x",
                     "\"One.\" (|Two?)| x");
    assert_sentences(SENTENCES_SPACY, "Mr. Fox, e.g. this",
                     "Mr. Fox, e.g. this");
    /* White space that is a token begins a sentence. */
    assert_sentences(SENTENCES_SPACY, "One.\nTwo.  ", "One.|\nTwo.|  ");
    assert_sentences(SENTENCES_SPACY, "One. ", "One. ");
    assert_sentences(SENTENCES_SPACY, " ", " ");
}

static void regex_cuts_with_marks(void **state)
{
    (void)state;
    assert_sentences(SENTENCES_REGEX, "", "");
    assert_sentences(SENTENCES_REGEX, "No mark", "No mark");
    assert_sentences(SENTENCES_REGEX, "One. Two! Three", "One.| Two! Three");
    assert_sentences(SENTENCES_REGEX, "U.S.A. is. So", "U.S.A. is. So");
    assert_sentences(SENTENCES_REGEX, "a. U.S.A", "a.| U.S.A");
    assert_sentences(SENTENCES_REGEX, "Go.\" He\nwent", "Go.\"| He\nwent");
    assert_sentences(SENTENCES_REGEX, "\n\na\n\n b. c.", "\n\na|\n\n b.| c.");
}

/* Quadratic time would not end. */
static void long_texts_end(void **state)
{
    static const char *const unit[] = {"A.", "\n", ".", "a b", ". ", "\"! "};
    struct sentences sentences = {0};

    (void)state;
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
        struct oy_buffer text = {0};
        for (int i = 0; i < 500000; i++)
            oy_buffer_append_string(&text, unit[u]);
        oy_buffer_reserve(&text, OY_PADDING);
        for (int splitter = SENTENCES_SPACY; splitter <= SENTENCES_REGEX;
             splitter++) {
            sentences_split(splitter, text.data, text.len, &sentences);
            assert_int_equal(sentences.end[sentences.n - 1], text.len);
        }
        oy_buffer_release(&text);
    }
    sentences_release(&sentences);
}

static void sets_have_their_size(void **state)
{
    int n = 0;

    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++)
        n += marks_is_sentence_end(c);
    assert_int_equal(n, 128);
}

static void check_lens(const struct oy_json_value *row,
                       const struct oy_text *text,
                       const struct sentences *sentences)
{
    const struct oy_json_value list = oy_json_member(row, "lens");
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    size_t at = 0, i = 0;

    oy_json_enter(&cursor, &list);
    for (; oy_json_next_element(&cursor, &element) == 1; i++) {
        int64_t want;
        assert_int_equal(oy_json_int64(&element, &want), 0);
        assert_true(i < sentences->n);
        assert_int_equal(oy_utf8_count(text->at + at, sentences->end[i] - at),
                         want);
        at = sentences->end[i];
    }
}

/* The cases stand in the order of the documents, once for each splitter. */
static void goldens_are_datatroves(void **state)
{
    struct golden cases, documents = {0};
    struct oy_json_value row, document;
    struct sentences sentences = {0};
    int n = 0;

    (void)state;
    if (golden_open(&cases, "golden/pipeline/sentence_split.jsonl"))
        skip();
    while (golden_next(&cases, &row)) {
        if (!documents.source || !golden_next(&documents, &document)) {
            if (documents.source)
                golden_close(&documents);
            assert_int_equal(
                golden_open(&documents, "golden/pipeline/docs.jsonl"), 0);
            assert_true(golden_next(&documents, &document));
        }
        const struct oy_text text = golden_text(&documents, &document, "text");
        const struct oy_text id = golden_text(&documents, &document, "id");
        int64_t want;
        assert_true(golden_is(&cases, &row, "id",
                              oy_arena_copy(&documents.arena, id.at, id.len)));
        sentences_split(golden_is(&cases, &row, "splitter", "datatrove-regex")
                            ? SENTENCES_REGEX
                            : SENTENCES_SPACY,
                        text.at, text.len, &sentences);
        const struct oy_json_value count = oy_json_member(&row, "n");
        assert_int_equal(oy_json_int64(&count, &want), 0);
        assert_int_equal(sentences.n, want);
        check_lens(&row, &text, &sentences);
        n++;
    }
    assert_true(n > 900);
    golden_close(&cases);
    golden_close(&documents);
    sentences_release(&sentences);
}

/* The ends that spaCy gives are those of its spans: the last may fall short
 * of the text. */
static void hard_strings_are_spacys(void **state)
{
    struct golden golden;
    struct oy_json_value line, element;
    struct sentences sentences = {0};

    (void)state;
    if (golden_open(&golden, "golden/pipeline/words_spacy_en_hard.jsonl"))
        skip();
    while (golden_next(&golden, &line)) {
        const struct oy_text text = golden_text(&golden, &line, "text");
        const struct oy_json_value list =
            oy_json_member(&line, "sentence_ends");
        struct oy_json_cursor cursor;
        size_t i = 0;
        int64_t want;
        sentences_split(SENTENCES_SPACY, text.at, text.len, &sentences);
        oy_json_enter(&cursor, &list);
        for (; oy_json_next_element(&cursor, &element) == 1; i++) {
            assert_int_equal(oy_json_int64(&element, &want), 0);
            assert_true(i < sentences.n);
            if (i + 1 < sentences.n)
                assert_int_equal(oy_utf8_count(text.at, sentences.end[i]),
                                 want);
        }
        assert_int_equal(sentences.n, i ? i : 1);
    }
    golden_close(&golden);
    sentences_release(&sentences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spacy_cuts_behind_marks),
        cmocka_unit_test(regex_cuts_with_marks),
        cmocka_unit_test(long_texts_end),
        cmocka_unit_test(sets_have_their_size),
        cmocka_unit_test(goldens_are_datatroves),
        cmocka_unit_test(hard_strings_are_spacys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

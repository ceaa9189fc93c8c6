/* SPDX-License-Identifier: Apache-2.0
 *
 * N-grams, repeated pieces and line views against slow twins that join
 * strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "pipeline/document.h"

/* Words of few different kinds, so that n-grams come again; "a" "bc" and "ab"
 * "c" are equal when joined. */
static void make_text(struct oy_buffer *text, int n, uint64_t *seed)
{
    static const char *const word[] = {"a",
                                       "bc",
                                       "ab",
                                       "c",
                                       "abcabcabc",
                                       "\xc3\xa9t\xc3\xa9",
                                       "seventeen-bytes-17",
                                       "x"};

    oy_buffer_clear(text);
    for (int i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
        const uint64_t r = *seed >> 33;
        oy_buffer_append_string(text, word[r % 64 < 60 ? r % 4 : r % 8]);
        oy_buffer_append_char(text, ' ');
    }
    oy_buffer_reserve(text, OY_PADDING);
}

/* Window i as bytes, joined by `glue`. */
static void join(const struct document *document, size_t i, size_t n,
                 const char *glue, struct oy_buffer *out)
{
    oy_buffer_clear(out);
    for (size_t k = i; k < i + n; k++) {
        const struct word word = document->words.item[k];
        if (k > i)
            oy_buffer_append_string(out, glue);
        oy_buffer_append(out, document->text.at + word.at, word.len);
    }
}

static int equal_buffers(const struct oy_buffer *a, const struct oy_buffer *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static size_t slow_top(const struct document *document, size_t n)
{
    struct oy_buffer a = {0}, b = {0};
    size_t best_count = 0, best = 0;

    for (size_t i = 0; i + n <= document->words.n; i++) {
        size_t count = 0;
        join(document, i, n, " ", &a);
        for (size_t k = 0; k + n <= document->words.n; k++) {
            join(document, k, n, " ", &b);
            count += (size_t)equal_buffers(&a, &b);
        }
        if (count > best_count) {
            best_count = count;
            best = oy_utf8_count(a.data, a.len) * count;
        }
    }
    oy_buffer_release(&a);
    oy_buffer_release(&b);
    return best;
}

static size_t slow_repeated(const struct document *document, size_t n)
{
    struct oy_buffer a = {0}, b = {0};
    size_t *kept = oy_alloc_array(document->words.n + 1, sizeof *kept);
    size_t n_kept = 0, n_code = 0;

    for (size_t i = 0; i + n <= document->words.n;) {
        int hit = 0;
        join(document, i, n, "", &a);
        for (size_t k = 0; k < n_kept && !hit; k++) {
            join(document, kept[k], n, "", &b);
            hit = equal_buffers(&a, &b);
        }
        if (hit)
            n_code += oy_utf8_count(a.data, a.len);
        else
            kept[n_kept++] = i;
        i += hit ? n : 1;
    }
    oy_free(kept);
    oy_buffer_release(&a);
    oy_buffer_release(&b);
    return n_code;
}

static void ngrams_agree_with_joined_strings(void **state)
{
    struct document document = {.splitter = WORDS_WS};
    struct oy_buffer text = {0};
    uint64_t seed = 21;

    (void)state;
    for (int round = 0; round < 60; round++) {
        make_text(&text, round * 2, &seed);
        document_start(&document, (struct oy_text){text.data, text.len});
        struct ngrams *ngrams = document_ngrams(&document);
        for (size_t n = 1; n <= 6; n++) {
            const size_t top = ngrams_top(ngrams, n);
            assert_int_equal(top, slow_top(&document, n));
            assert_true(ngrams_top_bound(ngrams, n) >= top);
            assert_int_equal(ngrams_repeated(ngrams, n),
                             slow_repeated(&document, n));
        }
    }
    document_release(&document);
    oy_buffer_release(&text);
}

static void borders_of_words_do_not_count_in_repeats(void **state)
{
    char text[200] = "ab c x a bc x";
    struct document document = {.splitter = WORDS_WS};

    (void)state;
    document_start(&document, (struct oy_text){text, strlen(text)});
    assert_int_equal(ngrams_repeated(document_ngrams(&document), 2), 3);
    assert_int_equal(ngrams_top(document_ngrams(&document), 2), 4);
    assert_int_equal(ngrams_top(document_ngrams(&document), 7), 0);
    assert_int_equal(ngrams_repeated(document_ngrams(&document), 7), 0);
    document_release(&document);
}

static void assert_pieces(const char *text, int feeds, size_t want)
{
    struct pieces pieces = {0};
    struct oy_buffer copy = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    pieces_split(copy.data, 0, copy.len, feeds, &pieces);
    assert_int_equal(pieces.n, want);
    oy_buffer_release(&copy);
    pieces_release(&pieces);
}

static void pieces_are_cut_at_line_feeds(void **state)
{
    (void)state;
    assert_pieces("", 1, 1);
    assert_pieces("\n", 1, 2);
    assert_pieces("a\n\nb\n", 1, 4);
    assert_pieces("a\n\nb\n\n\n\nc\nd", 2, 3);
    assert_pieces("\n\n", 2, 2);
    assert_pieces("a\n", 2, 1);
}

static void the_first_copy_does_not_count(void **state)
{
    static const char text[128] = "one\ntwo\n\xc3\xa9\none\n\xc3\xa9\none\n\n";
    struct pieces pieces = {0};
    struct seen seen = {0};

    (void)state;
    pieces_split(text, 0, strlen(text), 1, &pieces);
    const struct repeats repeats =
        pieces_repeats(text, pieces.item, pieces.n, &seen);
    assert_int_equal(repeats.n, 4); /* one, e, one, the empty one */
    assert_int_equal(repeats.n_code, 7);
    pieces_release(&pieces);
    seen_release(&seen);
}

static void views_are_made_anew_for_a_new_text(void **state)
{
    char first[100] = "a b\nc", second[100] = "caf\xc3\xa9";
    struct document document = {.splitter = WORDS_WS};

    (void)state;
    document_start(&document, (struct oy_text){first, 5});
    assert_int_equal(document_words(&document)->n, 3);
    assert_int_equal(document_lines(&document)->n, 2);
    assert_int_equal(document_n_code(&document), 5);
    document_rewrite(&document, (struct oy_text){second, 5});
    assert_true(document.is_rewritten);
    assert_int_equal(document_words(&document)->n, 1);
    assert_int_equal(document_lines(&document)->n, 1);
    assert_int_equal(document_n_code(&document), 4);
    document_release(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ngrams_agree_with_joined_strings),
        cmocka_unit_test(borders_of_words_do_not_count_in_repeats),
        cmocka_unit_test(pieces_are_cut_at_line_feeds),
        cmocka_unit_test(the_first_copy_does_not_count),
        cmocka_unit_test(views_are_made_anew_for_a_new_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

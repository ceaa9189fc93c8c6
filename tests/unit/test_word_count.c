/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of words, and the pairs' counts and queue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "tokenizer/pair_queue.h"
#include "tokenizer/word_count.h"

/* Word number i: lengths from 1 to 40, zeros inside and at the end. */
static size_t make_word(uint64_t i, char *word)
{
    const size_t len = 1 + i % 40;

    memset(word, 0, 40 + OY_PADDING);
    memset(word + len, 'x', OY_PADDING);
    memcpy(word, &i, len < 3 ? len : 3);
    return len;
}

static void words_are_counted(void **state)
{
    enum { N = 30000 };
    char word[40 + OY_PADDING];
    struct word_count words = {0}, more = {0};
    struct word_entry found;
    uint64_t sum = 0;
    size_t at = 0, len, n = 0;

    (void)state;
    make_word(3, word);
    assert_int_equal(word_count_find(&words, word, 4), 0);
    for (uint64_t i = 40; i < N; i++) {
        len = make_word(i, word);
        word_count_add(i % 2 ? &words : &more, word, len, i);
        word_count_add(&more, word, len, 1);
    }
    word_count_merge(&words, &more);
    for (uint64_t i = 40; i < N; i++) {
        len = make_word(i, word);
        if (len >= 3) /* shorter ones meet */
            assert_int_equal(word_count_find(&words, word, len), i + 1);
    }
    while (word_count_next(&words, &at, &found)) {
        sum += found.count;
        n++;
    }
    assert_int_equal(n, words.n_word);
    assert_int_equal(sum, (uint64_t)(N - 40) * (N + 39) / 2 + N - 40);
    word_count_release(&words);
    word_count_release(&more);
    assert_int_equal(words.n_word, 0);
}

/* A word, the same with zeros behind, and both past the inline length. */
static void lengths_tell_words_apart(void **state)
{
    char text[64 + OY_PADDING] = {0};
    struct word_count words = {0};

    (void)state;
    text[0] = 'a';
    for (size_t len = 1; len <= 64; len++)
        word_count_add(&words, text, len, len);
    for (size_t len = 1; len <= 64; len++)
        assert_int_equal(word_count_find(&words, text, len), len);
    word_count_release(&words);
}

static void pieces_are_counted(void **state)
{
    enum { N = 5000, LEN = 26 };
    char *const text = oy_calloc(N * LEN + OY_PADDING, 1);
    size_t *const end = oy_alloc_array(N, sizeof *end);
    struct word_count together = {0}, alone = {0};
    size_t at = 3, n;

    (void)state;
    for (size_t i = 0; i < N * LEN; i++)
        text[i] = (char)('a' + i * i % 7);
    for (n = 0; n < N && at < N * LEN - 30; n++) {
        end[n] = at + 1 + n * n % LEN;
        word_count_add(&alone, text + at, end[n] - at, 1);
        at = end[n];
    }
    word_count_add_pieces(&together, text, 3, end, n);
    assert_int_equal(together.n_word, alone.n_word);
    at = 3;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(word_count_find(&together, text + at, end[i] - at),
                         word_count_find(&alone, text + at, end[i] - at));
        at = end[i];
    }
    word_count_release(&together);
    word_count_release(&alone);
    oy_free(text);
    oy_free(end);
}

static void pairs_are_counted(void **state)
{
    struct pair_table table = {0};

    (void)state;
    assert_null(pair_table_find(&table, pair_key(1, 2)));
    for (uint32_t i = 0; i < 20000; i++)
        *pair_table_at(&table, pair_key(i, i / 3)) += i;
    assert_int_equal(table.n_pair, 20000);
    for (uint32_t i = 0; i < 20000; i++)
        assert_int_equal(*pair_table_find(&table, pair_key(i, i / 3)), i);
    assert_null(pair_table_find(&table, pair_key(0, 1)));
    pair_table_release(&table);
}

/* Pops in order while counts fall behind the queue's back, as in training. */
static void commonest_comes_first(void **state)
{
    enum { N = 5000 };
    struct oy_random random = oy_random_at(1, 2);
    struct pair_queue queue = {0};
    struct pair_entry entry;
    int64_t last = INT64_MAX;
    uint64_t last_key = 0;
    size_t n = 0;

    (void)state;
    assert_false(pair_queue_pop(&queue, &entry));
    for (uint64_t i = 0; i < N; i++) {
        const uint64_t bits = oy_random_below(&random, 40);

        entry = (struct pair_entry){
            .key = i * 7919 % N,
            .count = 1 + (int64_t)oy_random_below(&random, (1ull << bits) + 1),
        };
        pair_queue_push(&queue, &entry);
    }
    while (pair_queue_pop(&queue, &entry)) {
        if (entry.list == 0 && entry.key % 3 == 0) {
            entry.count = entry.count / 5 + 1;
            entry.list = 1;
            pair_queue_push(&queue, &entry);
            continue;
        }
        assert_true(entry.count < last ||
                    (entry.count == last && entry.key > last_key));
        last = entry.count;
        last_key = entry.key;
        n++;
    }
    assert_int_equal(n, N);
    pair_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_counted),
        cmocka_unit_test(pieces_are_counted),
        cmocka_unit_test(lengths_tell_words_apart),
        cmocka_unit_test(pairs_are_counted),
        cmocka_unit_test(commonest_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorted runs of counted words: written, read, merged, damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/spool.h"
#include "tokenizer/word_run.h"

static int open_file(void)
{
    struct oy_error err = {0};
    const int fd = oy_spool_file(oy_spool_folder(NULL), &err);

    assert_true(fd >= 0);
    return fd;
}

/* Words of the letters a, b and NUL, many of which share their beginnings. */
static void add_words(struct word_count *words, uint64_t seed, size_t n)
{
    struct oy_random random = oy_random_at(seed, 0);

    for (size_t i = 0; i < n; i++) {
        char word[64 + OY_PADDING] = {0};
        const size_t len = 1 + oy_random_below(&random, i % 50 ? 12 : 64);

        for (size_t k = 0; k < len; k++)
            word[k] = "ab\0"[oy_random_below(&random, 3)];
        word_count_add(words, word, len, 1 + oy_random_below(&random, 1000));
    }
}

static void runs_read_back_in_order(void **state)
{
    struct word_count words = {0};
    struct word_reader reader;
    struct word_run run;
    struct oy_error err = {0};
    struct oy_buffer last = {0};
    const int fd = open_file();
    size_t n = 0;

    (void)state;
    add_words(&words, 1, 20000);
    assert_int_equal(word_run_write(&words, NULL, fd, 100, &run, &err), 0);
    assert_int_equal(run.at, 100);
    assert_int_equal(run.n_word, words.n_word);
    assert_int_equal(word_run_is_whole(&run, &err), 1);
    word_reader_init(&reader, &run);
    while (word_reader_next(&reader, &err) > 0) {
        assert_true(!n || word_compare(last.data, last.len, reader.word.at,
                                       reader.word.len) < 0);
        assert_int_equal(
            word_count_find(&words, reader.word.at, reader.word.len),
            reader.word.count);
        oy_buffer_clear(&last);
        oy_buffer_append(&last, reader.word.at, reader.word.len);
        n++;
    }
    assert_int_equal(err.code, 0);
    assert_int_equal(n, words.n_word);
    word_reader_release(&reader);
    oy_buffer_release(&last);
    word_count_release(&words);
    close(fd);
}

static void ranks_decide_the_order(void **state)
{
    unsigned char rank[256];
    struct word_count words = {0};
    struct word_reader reader;
    struct word_run run;
    struct oy_error err = {0};
    const int fd = open_file();
    uint64_t count = 0;
    struct oy_pair *order;

    (void)state;
    for (int i = 0; i < 256; i++)
        rank[i] = (unsigned char)(255 - i);
    add_words(&words, 2, 2000);
    order = word_count_order(&words, rank);
    assert_int_equal(word_run_write(&words, rank, fd, 0, &run, &err), 0);
    word_reader_init(&reader, &run);
    for (size_t i = 0; word_reader_next(&reader, &err) > 0; i++) {
        const struct word_entry word = word_count_at(&words, order[i].value);

        assert_int_equal(word.len, reader.word.len);
        for (size_t k = 0; k < word.len; k++)
            assert_int_equal((unsigned char)reader.word.at[k],
                             rank[(unsigned char)word.at[k]]);
        count += word.count == reader.word.count;
    }
    assert_int_equal(count, words.n_word);
    word_reader_release(&reader);
    oy_free(order);
    word_count_release(&words);
    close(fd);
}

static void counts_of_runs_add_up(void **state)
{
    enum { N = WORD_FAN_IN };
    struct word_count sum = {0};
    struct word_run run[N];
    struct word_merger merger;
    struct oy_error err = {0};
    const int fd = open_file();
    uint64_t at = 0;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        struct word_count words = {0};

        add_words(&words, 10 + i, i % 3 ? 300 : 0);
        word_count_merge(&sum, &words);
        assert_int_equal(word_run_write(&words, NULL, fd, at, &run[i], &err),
                         0);
        at += run[i].size;
        word_count_release(&words);
    }
    assert_int_equal(word_merger_init(&merger, run, N, &err), 0);
    while (word_merger_next(&merger, &err) > 0) {
        assert_int_equal(word_count_find(&sum, merger.word.at, merger.word.len),
                         merger.word.count);
        n++;
    }
    assert_int_equal(n, sum.n_word);
    word_merger_release(&merger);
    word_count_release(&sum);
    close(fd);
}

static void long_words_and_counts_pass(void **state)
{
    enum { LONG = 300000 };
    char *const text = oy_calloc(LONG + OY_PADDING, 1);
    struct word_count words = {0};
    struct word_reader reader;
    struct word_run run;
    struct oy_error err = {0};
    const int fd = open_file();

    (void)state;
    memset(text, 'x', LONG);
    word_count_add(&words, text, LONG, UINT64_MAX);
    text[LONG - 1] = 'y';
    word_count_add(&words, text, LONG, 1);
    assert_int_equal(word_run_write(&words, NULL, fd, 0, &run, &err), 0);
    word_reader_init(&reader, &run);
    assert_int_equal(word_reader_next(&reader, &err), 1);
    assert_int_equal(reader.word.len, LONG);
    assert_true(reader.word.count == UINT64_MAX);
    assert_int_equal(word_reader_next(&reader, &err), 1);
    assert_memory_equal(reader.word.at, text, LONG);
    assert_int_equal(word_reader_next(&reader, &err), 0);
    word_reader_release(&reader);
    word_count_release(&words);
    oy_free(text);
    close(fd);
}

static void damage_is_told(void **state)
{
    struct word_count words = {0};
    struct word_reader reader;
    struct word_run run;
    struct oy_error err = {0};
    const int fd = open_file();

    (void)state;
    add_words(&words, 3, 1000);
    assert_int_equal(word_run_write(&words, NULL, fd, 0, &run, &err), 0);
    assert_int_equal(ftruncate(fd, (off_t)run.size - 1), 0);
    assert_int_equal(word_run_is_whole(&run, &err), 0);
    word_reader_init(&reader, &run);
    int rc;
    while ((rc = word_reader_next(&reader, &err)) > 0)
        continue;
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, OY_SYSTEM);
    word_reader_release(&reader);
    word_count_release(&words);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_read_back_in_order),
        cmocka_unit_test(ranks_decide_the_order),
        cmocka_unit_test(counts_of_runs_add_up),
        cmocka_unit_test(long_words_and_counts_pass),
        cmocka_unit_test(damage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts cut into words by name and by expression, and lines of counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/bpe_count.h"

struct bench {
    struct bpe_cut cut;
    struct word_store store;
    struct bpe_counter counter;
    struct oy_error err;
};

static void open_bench(struct bench *bench, const char *pre, int by_line)
{
    *bench = (struct bench){0};
    assert_int_equal(bpe_cut_init(&bench->cut, pre, by_line, &bench->err), 0);
    word_store_init(&bench->store,
                    &(struct word_store_options){
                        .n_thread = 1, .rank = bpe_cut_rank(&bench->cut)});
    bpe_counter_init(&bench->counter, &bench->cut, &bench->store);
}

/* What was counted, as a file of counts. */
static void close_bench(struct bench *bench, struct oy_buffer *out)
{
    struct word_entry word;

    oy_buffer_clear(out);
    assert_int_equal(word_tally_close(&bench->counter.tally, &bench->err), 0);
    assert_int_equal(word_store_close(&bench->store, &bench->err), 0);
    assert_int_equal(word_store_begin(&bench->store, 1, &bench->err), 0);
    while (word_store_next(&bench->store, &word, &bench->err) > 0)
        bpe_counter_put_word(&bench->cut, &word, out);
    oy_buffer_string(out);
    bpe_counter_release(&bench->counter);
    word_store_release(&bench->store);
    bpe_cut_release(&bench->cut);
}

static void assert_counts(const char *pre, int by_line, const char *text,
                          const char *want)
{
    struct bench bench;
    struct oy_buffer padded = {0}, got = {0};

    open_bench(&bench, pre, by_line);
    oy_buffer_append_string(&padded, text);
    assert_int_equal(bpe_counter_add_text(
                         &bench.counter,
                         (struct oy_text){padded.data, padded.len}, &bench.err),
                     0);
    close_bench(&bench, &got);
    assert_string_equal(got.data, want);
    oy_buffer_release(&padded);
    oy_buffer_release(&got);
}

static void names_and_expressions_cut(void **state)
{
    (void)state;
    assert_counts("gpt2", 0, "a b b\n", "a\t1\nĊ\t1\nĠb\t2\n");
    assert_counts("none", 0, "a b", "aĠb\t1\n");
    assert_counts("whitespace", 0, "é  é.", ".\t1\né\t2\n");
    /* Matches, and what lies between them. */
    assert_counts("[a-c]+", 0, "abxyca!", "!\t1\nab\t1\nca\t1\nxy\t1\n");
    assert_counts("b*", 0, "abba", "a\t2\nbb\t1\n");
    /* An expression that is known is the same, cut faster. */
    assert_counts("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| "
                  "?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                  0, "a b b\n", "a\t1\nĊ\t1\nĠb\t2\n");
}

static void lines_are_cut_by_themselves(void **state)
{
    (void)state;
    assert_counts("none", 1, "a\n\nb", "aĊ\t1\nbĊ\t1\nĊ\t1\n");
    assert_counts("\\s+", 1, "a\n\n", "a\t1\nĊ\t3\n");
    assert_counts("\\s+", 0, "a\n\n", "a\t1\nĊĊ\t1\n");
}

static void what_is_no_pre_tokeniser_is_told(void **state)
{
    static const char *const bad[] = {"gpt9", "", "(a", "[b"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bpe_cut cut = {0};
        struct oy_error err = {0};

        assert_int_equal(bpe_cut_init(&cut, bad[i], 0, &err), -1);
        assert_int_equal(err.code, OY_USAGE);
        bpe_cut_release(&cut);
    }
}

static int read_count(const char *text, uint64_t *count)
{
    struct oy_error err = {0};

    return bpe_count_read((struct oy_text){text, strlen(text)}, count, &err);
}

static void counts_have_a_range(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "1.5",
                                      " 1",
                                      "1 ",
                                      "x",
                                      "9223372036854775808",
                                      "99999999999999999999999"};
    uint64_t count;

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(read_count(bad[i], &count), -1);
    assert_int_equal(read_count("9223372036854775807", &count), 0);
    assert_int_equal(count, INT64_MAX);
    assert_int_equal(read_count("0", &count), 0);
    assert_int_equal(count, 0);
}

static int add_word(struct bench *bench, const char *word, uint64_t count)
{
    char padded[32 + OY_PADDING] = {0};

    strcpy(padded, word);
    bench->err = (struct oy_error){0};
    return bpe_counter_add_word(&bench->counter,
                                (struct oy_text){padded, strlen(word)}, count,
                                &bench->err);
}

static void words_are_read_as_they_are_written(void **state)
{
    struct bench bench;
    struct oy_buffer got = {0};

    (void)state;
    open_bench(&bench, "gpt2", 0);
    assert_int_equal(add_word(&bench, "Ġthe", 7), 0);
    assert_int_equal(add_word(&bench, "Ġthe", 8), 0);
    assert_int_equal(add_word(&bench, "ĀĊÿ", 1), 0);
    assert_int_equal(add_word(&bench, "none", 0), 0);
    assert_int_equal(add_word(&bench, "a b", 1), -1);
    assert_int_equal(bench.err.code, OY_DATA);
    assert_int_equal(add_word(&bench, "", 1), -1);
    bench.err = (struct oy_error){0};
    close_bench(&bench, &got);
    assert_string_equal(got.data, "ĀĊÿ\t1\nĠthe\t15\n");
    open_bench(&bench, "whitespace", 0);
    assert_int_equal(add_word(&bench, "Ġ中", 2), 0);
    close_bench(&bench, &got);
    assert_string_equal(got.data, "Ġ中\t2\n");
    oy_buffer_release(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_expressions_cut),
        cmocka_unit_test(lines_are_cut_by_themselves),
        cmocka_unit_test(what_is_no_pre_tokeniser_is_told),
        cmocka_unit_test(counts_have_a_range),
        cmocka_unit_test(words_are_read_as_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of eval/journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "eval/journal.h"

static char path[] = "/tmp/test_journal.XXXXXX";
static const char identity[] = "{\"model\":1}";

static struct journal *open_it(struct oy_error *err)
{
    *err = (struct oy_error){0};
    return journal_open(path, identity, strlen(identity), err);
}

static struct oy_hash128 key(uint64_t i)
{
    return oy_hash128(&i, sizeof i);
}

static void write_many(uint64_t from, uint64_t to)
{
    struct oy_error err;
    struct journal *journal = open_it(&err);

    assert_non_null(journal);
    for (uint64_t i = from; i < to; i++) {
        const struct request_answer answer = {
            .given = 1,
            .logprob = -0.1 * (double)i,
            .is_greedy = i % 2 == 0,
            .token_logprobs = {"[-1.5]", i % 3 ? 0 : 6}};
        journal_add(journal, key(i), REQUEST_LOGLIKELIHOOD, &answer);
    }
    assert_int_equal(journal_flush(journal, &err), 0);
    journal_close(journal);
}

static void assert_many(uint64_t n)
{
    struct oy_error err;
    struct journal *journal = open_it(&err);

    if (!journal)
        fail_msg("%s", err.message);
    assert_int_equal(journal_count(journal), n);
    for (uint64_t i = 0; i < n; i++) {
        struct request_answer answer = {0};
        assert_true(journal_find(journal, key(i), &answer));
        assert_true(answer.given);
        assert_true(answer.logprob == -0.1 * (double)i);
        assert_int_equal(answer.is_greedy, i % 2 == 0);
        assert_int_equal(answer.token_logprobs.len, i % 3 ? 0 : 6);
    }
    struct request_answer answer = {0};
    assert_false(journal_find(journal, key(n), &answer));
    assert_false(answer.given);
    journal_close(journal);
}

static void start_anew(void)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void test_round_trip(void **state)
{
    (void)state;
    start_anew();
    write_many(0, 3000);
    assert_many(3000);
    write_many(3000, 3001);
    assert_many(3001);
}

/* Whatever a kill leaves of the last line is dropped. */
static void test_cut(void **state)
{
    (void)state;
    start_anew();
    write_many(0, 5);
    FILE *file = fopen(path, "ab");
    fputs("{\"key\":\"00", file);
    fclose(file);
    assert_many(5);
    write_many(5, 6);
    assert_many(6);
}

static void test_other_identity(void **state)
{
    struct oy_error err = {0};

    (void)state;
    start_anew();
    write_many(0, 2);
    assert_null(journal_open(path, "{\"model\":2}", 11, &err));
    assert_int_equal(err.code, OY_DATA);
}

static void test_damage(void **state)
{
    static const char *const bad[] = {
        "hello\n", "{\"oyster_journal\":{\"model\":1}}\n{\"key\":1}\n",
        "{\"oyster_journal\":{\"model\":1}}\nx\n",
        "{\"oyster_journal\":{\"model\":1}}\n{\"key\":"
        "\"0000000000000000000000000000000g\",\"logprob\":1}\n"};
    struct oy_error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *file = fopen(path, "wb");
        fputs(bad[i], file);
        fclose(file);
        assert_null(open_it(&err));
        assert_int_equal(err.code, OY_DATA);
    }
    journal_close(NULL);
}

static void test_completions(void **state)
{
    struct request_answer answer = {.given = 1,
                                    .completion = {"a \"b\"\n\0c", 8}};
    struct oy_error err;

    (void)state;
    start_anew();
    struct journal *journal = open_it(&err);
    journal_add(journal, key(1), REQUEST_GENERATE, &answer);
    assert_int_equal(journal_flush(journal, &err), 0);
    journal_close(journal);
    journal = open_it(&err);
    answer = (struct request_answer){0};
    assert_true(journal_find(journal, key(1), &answer));
    assert_int_equal(answer.completion.len, 8);
    assert_memory_equal(answer.completion.at, "a \"b\"\n\0c", 8);
    journal_close(journal);
}

static int make_file(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    close(fd);
    return fd < 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_cut),
        cmocka_unit_test(test_other_identity), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_completions),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans of mixtures, shuffles, and the index of n-grams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/hash.h"
#include "pipeline/decon_index.h"
#include "pipeline/mix_plan.h"
#include "pipeline/shuffle.h"

static void test_files_have_names(void **state)
{
    struct mix_shares shares = {0};
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(mix_shares_read(&shares, "w", "web=0.5,a=b=2", &err), 0);
    assert_int_equal(shares.n, 2);
    assert_string_equal(shares.item[1].name, "a=b");
    assert_int_equal(mix_shares_find_file(&shares, "x/web.jsonl.zst"), 0);
    assert_int_equal(mix_shares_find_file(&shares, "web"), 0);
    assert_int_equal(mix_shares_find_file(&shares, "web2.jsonl"), 2);
    assert_int_equal(mix_shares_find_file(&shares, "web.tar"), 2);
    mix_shares_release(&shares);
}

static void test_quotas_are_kept(void **state)
{
    struct mix_shares shares = {0};
    struct oy_error err = {0};
    struct mix_plan plan;
    uint64_t taken[3] = {0};

    (void)state;
    assert_int_equal(mix_shares_read(&shares, "w", "a=0.5,b=0.3", &err), 0);
    mix_plan_init(&plan, &shares, 7);
    for (int i = 0; i < 1000; i++)
        mix_plan_count(&plan, (size_t)(i % 10 ? i % 2 : 2));
    assert_int_equal(mix_plan_close(&plan, 3001, 1, &err), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        const size_t source = i % 10 ? i % 2 : 2;
        taken[source] += mix_plan_copies(&plan, source, i);
    }
    assert_int_equal(taken[0] + taken[1] + taken[2], 3001);
    assert_in_range(taken[0], 1500, 1501);
    assert_in_range(taken[1], 900, 901);
    assert_in_range(taken[2], 600, 601);
    mix_plan_release(&plan);
    mix_shares_release(&shares);
}

struct seen {
    uint64_t last, n;
    int sorted;
};

/* A line holds its key, so that the order can be seen. */
static int see(void *arg, const char *line, size_t len, struct oy_error *err)
{
    struct seen *seen = arg;
    uint64_t key;

    (void)err;
    assert_true(len >= sizeof key);
    memcpy(&key, line, sizeof key);
    seen->sorted &= key >= seen->last;
    seen->last = key;
    seen->n++;
    return 0;
}

static void test_spilled_lines_come_in_order(void **state)
{
    char line[300] = {0};
    struct oy_error err = {0};
    struct seen seen = {.sorted = 1};
    struct shuffle *shuffle = shuffle_new(NULL, 1);

    (void)state;
    for (uint64_t i = 0; i < 30000; i++) {
        const uint64_t key = oy_mix64(i + 1);
        memcpy(line, &key, sizeof key);
        assert_int_equal(shuffle_add(shuffle, key, line, 8 + i % 290, &err), 0);
    }
    assert_true(shuffle_has_spilled(shuffle));
    assert_int_equal(shuffle_drain(shuffle, see, &seen, &err), 0);
    assert_int_equal(seen.n, 30000);
    assert_true(seen.sorted);
    shuffle_free(shuffle);
}

static void test_index_compares_bytes(void **state)
{
    struct decon_index index = {0};
    struct decon_words words = {0};
    struct oy_error err = {0};
    const char *text = "a b c d";

    (void)state;
    decon_index_add(&index, decon_index_task(&index, "t", 1),
                    (struct oy_text){text, strlen(text)}, 4, "id");
    assert_int_equal(decon_index_close(&index, 3, 0, &err), 0);
    assert_int_equal(index.n_entry, 2);
    decon_words_add_joined(&words, "x a b c", 7);
    assert_int_equal(decon_words_hash(&words, 3), 2);
    const struct oy_text first = decon_words_gram(&words, 0, 3);
    const struct oy_text second = decon_words_gram(&words, 1, 3);
    assert_memory_equal(second.at, "a b c", second.len);
    assert_null(decon_index_find(&index, words.hash[0], first.at, first.len));
    assert_non_null(
        decon_index_find(&index, words.hash[1], second.at, second.len));
    /* A hash that is there with bytes that are not. */
    assert_null(decon_index_find(&index, words.hash[1], first.at, first.len));
    decon_words_release(&words);
    decon_index_release(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_have_names),
        cmocka_unit_test(test_quotas_are_kept),
        cmocka_unit_test(test_spilled_lines_come_in_order),
        cmocka_unit_test(test_index_compares_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

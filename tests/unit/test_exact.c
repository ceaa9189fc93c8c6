/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of equal documents on disk: the answers of a plain table, whatever
 * the budget, and what happens without temporary space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "core/alloc.h"
#include "core/random.h"
#include "pipeline/exact.h"

enum { MIB = 1 << 20 };

/* Documents i = 0 .. n - 1 of number i * step; document i has text
 * text(i). */
struct corpus {
    uint64_t n, step;
    uint64_t n_text;
    uint64_t mask; /* which bits of the upper half of a hash vary */
};

static uint64_t text_of(const struct corpus *corpus, uint64_t i)
{
    /* Every third is the same: a part that no parting makes smaller. */
    return i % 3 ? oy_mix64(i) % corpus->n_text : 7;
}

static struct oy_hash128 hash_of(const struct corpus *corpus, uint64_t text)
{
    return (struct oy_hash128){oy_mix64(text) & corpus->mask,
                               oy_mix64(text + 1)};
}

static void add_all(struct exact *exact, const struct corpus *corpus,
                    uint64_t memory)
{
    struct oy_error err = {0};

    assert_int_equal(exact_init(exact, memory, NULL, &err), 0);
    for (uint64_t i = 0; i < corpus->n; i++) {
        const struct oy_hash128 hash = hash_of(corpus, text_of(corpus, i));
        assert_int_equal(exact_add(exact, i * corpus->step, hash, &err), 0);
    }
    assert_int_equal(exact_close(exact, &err), 0);
}

static void check_all(struct exact *exact, const struct corpus *corpus)
{
    uint64_t *first = oy_calloc(corpus->n_text, sizeof *first);
    uint64_t *size = oy_calloc(corpus->n_text, sizeof *size);
    struct oy_error err = {0};
    uint64_t n_group = 0;

    for (uint64_t i = 0; i < corpus->n; i++) {
        const uint64_t text = text_of(corpus, i);
        if (size[text]++ == 0)
            first[text] = i * corpus->step;
        n_group += size[text] == 2;
    }
    assert_int_equal(exact->n_group, n_group);
    for (uint64_t i = 0; i < corpus->n; i++) {
        const uint64_t text = text_of(corpus, i), number = i * corpus->step;
        struct cluster_answer answer;
        assert_int_equal(exact_find(exact, number, &answer, &err), 0);
        if (answer.is_member != (size[text] > 1) || answer.size != size[text] ||
            (size[text] > 1 && answer.first != first[text]) ||
            (size[text] > 1 && answer.is_first != (first[text] == number)))
            fail_msg("document %zu", (size_t)i);
    }
    oy_free(first);
    oy_free(size);
}

static void run_corpus(const struct corpus *corpus, uint64_t memory)
{
    struct exact exact;

    add_all(&exact, corpus, memory);
    check_all(&exact, corpus);
    exact_release(&exact);
}

static void answers_are_a_tables_whatever_the_budget(void **state)
{
    const struct corpus corpus = {300000, 1, 150000, UINT64_MAX};

    (void)state;
    for (int i = 0; i < 3; i++)
        run_corpus(&corpus, (uint64_t)MIB << 4 * i);
}

static void parts_are_parted_until_they_fit(void **state)
{
    /* Upper halves that differ in their lowest bits alone, and many. */
    const struct corpus deep = {100000, 1, 60000, 0xfffff};
    const struct corpus wide = {1500000, 1, 1000000, UINT64_MAX};

    (void)state;
    run_corpus(&deep, MIB);
    run_corpus(&wide, MIB);
}

static void numbers_may_be_far_apart(void **state)
{
    const struct corpus corpus = {3000, UINT64_MAX / 4000, 1500, UINT64_MAX};
    const struct corpus shard = {30000, 1000, 15000, UINT64_MAX};

    (void)state;
    run_corpus(&corpus, MIB);
    run_corpus(&shard, MIB);
}

static void nothing_and_one(void **state)
{
    const struct corpus none = {0, 1, 10, UINT64_MAX};
    const struct corpus one = {1, 1, 10, UINT64_MAX};

    (void)state;
    run_corpus(&none, MIB);
    run_corpus(&one, MIB);
}

static void hashes_that_cannot_be_parted_are_a_failure(void **state)
{
    const struct corpus corpus = {60000, 1, 50000, 0};
    struct exact exact;
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(exact_init(&exact, MIB, NULL, &err), 0);
    for (uint64_t i = 0; i < corpus.n; i++) {
        const struct oy_hash128 hash = hash_of(&corpus, text_of(&corpus, i));
        assert_int_equal(exact_add(&exact, i, hash, &err), 0);
    }
    assert_int_equal(exact_close(&exact, &err), -1);
    assert_int_equal(err.code, OY_SYSTEM);
    exact_release(&exact);
}

static void a_missing_folder_is_no_temporary_space(void **state)
{
    struct exact exact;
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(exact_init(&exact, MIB, "/nonexistent", &err), -1);
    assert_int_equal(err.code, OY_SYSTEM);
    assert_non_null(strstr(err.message, "/nonexistent"));
    exact_release(&exact);
}

static void a_full_disk_is_no_temporary_space(void **state)
{
    struct exact exact;
    struct oy_error err = {0};
    struct rlimit old, tight;
    int rc = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = (struct rlimit){MIB, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(exact_init(&exact, MIB, NULL, &err), 0);
    for (uint64_t i = 0; i < 100000 && rc == 0; i++)
        rc = exact_add(&exact, i, (struct oy_hash128){oy_mix64(i), i}, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, OY_SYSTEM);
    assert_non_null(strstr(err.message, "no temporary space"));
    exact_release(&exact);
}

static void lists_keep_their_order(void **state)
{
    struct spill spill;
    struct spill_reader reader;
    struct oy_error err = {0};
    const uint64_t *word;
    uint64_t n = 0;

    (void)state;
    assert_int_equal(spill_init(&spill, 0, NULL, 0, &err), 0);
    for (uint64_t i = 0; i < 100000; i++) {
        const uint64_t entry[SPILL_WORDS] = {i % 1000, i, ~i};
        assert_int_equal(spill_add(&spill, entry, &err), 0);
    }
    assert_int_equal(spill_close(&spill, &err), 0);
    for (int list = 0; list < SPILL_LISTS; list++) {
        uint64_t last = 0;
        spill_reader_init(&reader, &spill, list);
        while (spill_read(&reader, &word, &err) > 0) {
            assert_true((word[0] & 63) == (uint64_t)list);
            assert_true(word[1] >= last && word[2] == ~word[1]);
            last = word[1];
            n++;
        }
        spill_reader_release(&reader);
    }
    assert_int_equal(err.code, 0);
    assert_int_equal(n, 100000);
    spill_release(&spill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_a_tables_whatever_the_budget),
        cmocka_unit_test(parts_are_parted_until_they_fit),
        cmocka_unit_test(numbers_may_be_far_apart),
        cmocka_unit_test(nothing_and_one),
        cmocka_unit_test(hashes_that_cannot_be_parted_are_a_failure),
        cmocka_unit_test(a_missing_folder_is_no_temporary_space),
        cmocka_unit_test(a_full_disk_is_no_temporary_space),
        cmocka_unit_test(lists_keep_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of a corpus in memory and on disk, and counts that go on after a kill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "tokenizer/word_store.h"

enum { N_RECORD = 400, WORDS = 60, WORD_CAP = 40 };

/* Word number i of record `number`; the padding is readable. */
static size_t make_word(uint64_t number, size_t i, char *word)
{
    struct oy_random random = oy_random_at(number, i);

    memset(word, 0, WORD_CAP + OY_PADDING);
    return (size_t)snprintf(
        word, WORD_CAP, "w%llu%s",
        (unsigned long long)oy_random_below(&random, i % 4 ? 500 : 100000),
        i % 7 ? "" : " and a long tail behind it");
}

/* Counts a record as a thread does; `text` stands for it. */
static int count_record(struct word_tally *tally, uint64_t number,
                        const char *text)
{
    struct oy_error err = {0};
    char word[WORD_CAP + OY_PADDING];
    const int known = word_tally_begin(
        tally, number, (struct oy_text){text, strlen(text)}, 0, &err);

    assert_true(known >= 0);
    for (size_t i = 0; !known && i < WORDS; i++) {
        const size_t len = make_word(number, i, word);

        assert_int_equal(word_tally_make_room(tally, 1, &err), 0);
        word_count_add(&tally->words, word, len, 1);
    }
    return known;
}

/* Records first .. end-1, dealt to two tallies; returns how many were known. */
static int count_records(struct word_store *store, uint64_t first, uint64_t end,
                         int closes)
{
    struct word_tally tally[2];
    struct oy_error err = {0};
    int n_known = 0;

    word_tally_init(&tally[0], store);
    word_tally_init(&tally[1], store);
    for (uint64_t i = first; i < end; i++)
        n_known += count_record(&tally[i / 5 % 2], i, "text");
    for (int i = 0; i < 2; i++) {
        if (closes)
            assert_int_equal(word_tally_close(&tally[i], &err), 0);
        word_tally_release(&tally[i]);
    }
    return n_known;
}

/* All words and counts as one text. */
static void read_all(struct word_store *store, struct oy_buffer *out)
{
    struct word_entry word;
    struct oy_error err = {0};

    oy_buffer_clear(out);
    assert_int_equal(word_store_begin(store, 1, &err), 0);
    while (word_store_next(store, &word, &err) > 0)
        oy_buffer_append_format(out, "%.*s\t%llu\n", (int)word.len, word.at,
                                (unsigned long long)word.count);
    assert_int_equal(err.code, 0);
}

static void count_in_memory(struct oy_buffer *out)
{
    struct word_store store;
    struct oy_error err = {0};

    word_store_init(&store, &(struct word_store_options){.n_thread = 2});
    count_records(&store, 0, N_RECORD, 1);
    assert_int_equal(word_store_close(&store, &err), 0);
    assert_false(word_store_is_spilled(&store));
    read_all(&store, out);
    word_store_release(&store);
}

static void spilled_words_are_the_same(void **state)
{
    static const uint64_t memory[] = {1 << 16, 1 << 18, 1 << 20};
    struct oy_buffer want = {0}, got = {0};

    (void)state;
    count_in_memory(&want);
    for (int i = 0; i < 3; i++) {
        struct word_store store;
        struct oy_error err = {0};

        word_store_init(&store, &(struct word_store_options){
                                    .memory = memory[i], .n_thread = 2});
        count_records(&store, 0, N_RECORD, 1);
        assert_int_equal(word_store_close(&store, &err), 0);
        assert_true(word_store_is_spilled(&store));
        for (int again = 0; again < 2; again++) {
            read_all(&store, &got);
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.data, want.data, want.len);
        }
        word_store_release(&store);
    }
    oy_buffer_release(&want);
    oy_buffer_release(&got);
}

static void sums_have_a_limit(void **state)
{
    struct word_store store;
    struct word_tally tally;
    struct oy_error err = {0};
    char word[8 + OY_PADDING] = "abcd";

    (void)state;
    word_store_init(&store, &(struct word_store_options){.n_thread = 1});
    word_tally_init(&tally, &store);
    assert_int_equal(word_tally_add(&tally, word, 4, INT64_MAX / 8, &err), 0);
    assert_int_equal(word_tally_add(&tally, word, 4, INT64_MAX / 8, &err), 0);
    assert_int_equal(word_tally_add(&tally, word, 4, INT64_MAX / 8, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    word_tally_release(&tally);
    word_store_release(&store);
}

/* ---- journals ---- */

static char *make_folder(void)
{
    char name[] = "/tmp/oyster-test-XXXXXX";

    assert_non_null(mkdtemp(name));
    char *const folder = oy_asprintf("%s/counts", name);

    return folder;
}

static void remove_folder(char *folder)
{
    char *const slash = strrchr(folder, '/');

    *slash = 0;
    assert_int_equal(rmdir(folder), 0);
    oy_free(folder);
}

static struct word_journal *open_journal(const char *folder,
                                         struct word_store *store)
{
    struct oy_error err = {0};
    struct word_journal *const journal =
        word_journal_open(folder, "{\"a\":1}", &err);

    assert_non_null(journal);
    word_store_init(store, &(struct word_store_options){.memory = 1 << 17,
                                                        .n_thread = 2,
                                                        .journal = journal});
    return journal;
}

static void a_killed_count_goes_on(void **state)
{
    char *const folder = make_folder();
    struct oy_buffer want = {0}, got = {0};
    struct oy_error err = {0};
    struct word_store store;
    struct word_journal *journal = open_journal(folder, &store);

    (void)state;
    count_in_memory(&want);
    /* The first run dies before its last words are on disk. */
    assert_int_equal(count_records(&store, 0, N_RECORD * 3 / 4, 0), 0);
    word_store_release(&store);
    word_journal_close(journal);

    journal = open_journal(folder, &store);
    assert_true(word_journal_count(journal) > 2);
    assert_null(word_journal_open(folder, "{\"a\":1}", &err));
    assert_int_equal(err.code, OY_CANTCREAT);
    err = (struct oy_error){0};
    assert_true(count_records(&store, 0, N_RECORD, 1) > N_RECORD / 4);
    assert_int_equal(word_store_close(&store, &err), 0);
    read_all(&store, &got);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    word_store_release(&store);
    word_journal_remove(journal);
    remove_folder(folder);
    oy_buffer_release(&want);
    oy_buffer_release(&got);
}

static void other_records_are_refused(void **state)
{
    char *const folder = make_folder();
    struct oy_error err = {0};
    struct word_store store;
    struct word_tally tally;
    struct word_journal *journal = open_journal(folder, &store);

    (void)state;
    count_records(&store, 0, 10, 1);
    word_store_release(&store);
    word_journal_close(journal);
    assert_null(word_journal_open(folder, "{\"a\":2}", &err));
    assert_int_equal(err.code, OY_DATA);

    err = (struct oy_error){0};
    journal = open_journal(folder, &store);
    word_tally_init(&tally, &store);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(count_record(&tally, i, i == 7 ? "texT" : "text"), 1);
    assert_int_equal(word_tally_close(&tally, &err), 0);
    assert_int_equal(word_store_close(&store, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    word_tally_release(&tally);
    word_store_release(&store);
    word_journal_remove(journal);
    remove_folder(folder);
}

/* Cuts a file to `size` bytes, or adds one byte when that is negative. */
static void damage(const char *folder, const char *name, long size)
{
    char *const path = oy_asprintf("%s/%s", folder, name);

    if (size >= 0) {
        assert_int_equal(truncate(path, size), 0);
    } else {
        FILE *const file = fopen(path, "a");

        assert_non_null(file);
        fputc('7', file);
        fclose(file);
    }
    oy_free(path);
}

static void damage_is_told(void **state)
{
    char *const folder = make_folder();
    struct oy_error err = {0};
    struct word_store store;
    struct word_journal *journal = open_journal(folder, &store);

    (void)state;
    count_records(&store, 0, 10, 1);
    word_store_release(&store);
    word_journal_close(journal);
    /* A line that was cut off is no damage. */
    damage(folder, "journal", -1);
    journal = open_journal(folder, &store);
    assert_true(word_journal_count(journal) >= 2);
    assert_true(word_journal_find(journal, 9) >= 0);
    assert_int_equal(word_journal_find(journal, 10), -1);
    word_store_release(&store);
    word_journal_close(journal);
    damage(folder, "part-0", 20);
    assert_null(word_journal_open(folder, "{\"a\":1}", &err));
    assert_int_equal(err.code, OY_DATA);
    assert_non_null(strstr(err.message, "journal:2: damaged"));
    damage(folder, "journal", 0);
    err = (struct oy_error){0};
    journal = word_journal_open(folder, "{\"a\":1}", &err);
    assert_non_null(journal);
    word_journal_close(journal); /* no run is in it: removed */
    /* Parts that the journal does not know are not ours to remove. */
    char *const part[2] = {oy_asprintf("%s/part-0", folder),
                           oy_asprintf("%s/part-1", folder)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unlink(part[i]), 0);
        oy_free(part[i]);
    }
    assert_int_equal(rmdir(folder), 0);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spilled_words_are_the_same),
        cmocka_unit_test(sums_have_a_limit),
        cmocka_unit_test(a_killed_count_goes_on),
        cmocka_unit_test(other_records_are_refused),
        cmocka_unit_test(damage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

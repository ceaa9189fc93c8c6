/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels and scores against fastText's own, on small models of every kind
 * that it trained (tests/data/fasttext), and damaged models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "core/json.h"
#include "pipeline/fasttext.h"

static const char *const file[] = {"hs.bin", "softmax.bin", "ova.bin",
                                   "quantised.ftz", "both.ftz"};

enum { N_FILE = sizeof file / sizeof *file };

static char *path_of(const char *name)
{
    return oy_asprintf("tests/data/fasttext/%s", name);
}

static char *slurp(const char *name, size_t *len)
{
    struct oy_error err = {0};
    char *path = path_of(name);
    char *data = oy_input_slurp(path, 1 << 20, len, &err);

    assert_non_null(data);
    oy_free(path);
    return data;
}

static struct oy_text text_of(const struct oy_json_value *object,
                              const char *name, struct oy_arena *arena)
{
    const struct oy_json_value value = oy_json_member(object, name);
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    assert_int_equal(oy_json_text(&value, arena, &text, &n_repaired, &why), 0);
    return text;
}

/* best[0 .. n) against [[label, score], ...]. */
static void check_labels(const struct oy_json_value *list,
                         const struct fasttext_label *best, size_t n)
{
    struct oy_json_cursor cursor, inner;
    struct oy_json_value pair, name, score;
    double want;
    size_t i = 0;

    oy_json_enter(&cursor, list);
    for (; oy_json_next_element(&cursor, &pair) > 0; i++) {
        assert_true(i < n);
        oy_json_enter(&inner, &pair);
        assert_int_equal(oy_json_next_element(&inner, &name), 1);
        assert_int_equal(oy_json_next_element(&inner, &score), 1);
        assert_int_equal(oy_json_double(&score, &want), 0);
        /* fastText leaves open which of several impossible ones it tells. */
        assert_true(want < 1.1e-5 || oy_json_equals(&name, best[i].name));
        assert_true(fabs((double)best[i].score - want) < 1e-6 * want + 1e-9);
    }
    assert_int_equal(i, n);
}

static void check_row(struct fasttext_work *work[N_FILE],
                      const struct oy_json_value *row)
{
    struct fasttext_label best[3];
    struct oy_arena arena = {0};
    const struct oy_json_value model = oy_json_member(row, "model");
    const struct oy_json_value labels = oy_json_member(row, "labels");
    const struct oy_text text = text_of(row, "text", &arena);

    for (int i = 0; i < N_FILE; i++) {
        if (!oy_json_equals(&model, file[i]))
            continue;
        const size_t n = fasttext_predict(work[i], text.at, text.len, best, 3);
        check_labels(&labels, best, n);
    }
    oy_arena_release(&arena);
}

/* Twice, the second time from the cache of words. */
static void equals_fasttext(void **state)
{
    struct fasttext_work *work[N_FILE];
    struct fasttext *model[N_FILE];
    struct oy_error err = {0};
    struct oy_json_value row;
    const char *why;
    size_t len;
    char *data = slurp("expected.jsonl", &len);

    (void)state;
    for (int i = 0; i < N_FILE; i++) {
        char *path = path_of(file[i]);
        model[i] = fasttext_load(path, &err);
        assert_non_null(model[i]);
        assert_int_equal(fasttext_n_label(model[i]), 4);
        work[i] = fasttext_work_new(model[i]);
        oy_free(path);
    }
    for (int round = 0; round < 2; round++) {
        for (char *at = data, *feed; at < data + len; at = feed + 1) {
            feed = memchr(at, '\n', (size_t)(data + len - at));
            assert_non_null(feed);
            assert_int_equal(
                oy_json_value_of(at, (size_t)(feed - at), &row, &why), 0);
            check_row(work, &row);
        }
    }
    for (int i = 0; i < N_FILE; i++) {
        fasttext_work_free(work[i]);
        fasttext_free(model[i]);
    }
    oy_free(data);
}

static void asks_for_fewer(void **state)
{
    struct fasttext_label best[9];
    struct oy_error err = {0};
    char *path = path_of("hs.bin");
    struct fasttext *model = fasttext_load(path, &err);
    struct fasttext_work *work = fasttext_work_new(model);

    (void)state;
    assert_int_equal(fasttext_predict(work, "the cat", 7, best, 0), 0);
    assert_int_equal(fasttext_predict(work, "the cat", 7, best, 1), 1);
    assert_string_equal(best[0].name, "en");
    /* A line feed is a space. */
    assert_in_range(fasttext_predict(work, "die\nkatze", 9, best, 9), 1, 4);
    assert_string_equal(best[0].name, "de");
    fasttext_work_free(work);
    fasttext_free(model);
    oy_free(path);
}

/* The load's exit code, 0 when it went well. */
static int load_code(const char *data, size_t len)
{
    static const char path[] = "/tmp/oy-fasttext-test.bin";
    struct oy_error err = {0};
    FILE *file_made = fopen(path, "wb");

    assert_non_null(file_made);
    assert_int_equal(fwrite(data, 1, len, file_made), len);
    assert_int_equal(fclose(file_made), 0);
    struct fasttext *model = fasttext_load(path, &err);
    assert_true(model || err.code);
    fasttext_free(model);
    unlink(path);
    return model ? 0 : err.code;
}

static void damage_is_told(void **state)
{
    struct oy_error err = {0};

    (void)state;
    assert_null(fasttext_load("/nowhere.bin", &err));
    assert_int_equal(err.code, OY_NOINPUT);
    for (int i = 0; i < N_FILE; i += 3) {
        size_t len;
        char *data = slurp(file[i], &len);
        for (size_t at = 0; at < len; at += at < 400 ? 1 : 97)
            assert_int_equal(load_code(data, at), OY_DATA);
        /* A header that lies is found out, or does no harm. */
        for (size_t at = 0; at < 400; at++) {
            const char was = data[at];
            data[at] = (char)0x7f;
            const int code = load_code(data, len);
            assert_true(!code || code == OY_DATA || code == OY_SYSTEM);
            data[at] = was;
        }
        oy_free(data);
    }
}

/* No memory is asked for what a file of that size cannot hold. */
static void wild_counts_are_told(void **state)
{
    static const char columns[8] = {6}; /* behind the number of rows */
    size_t len;
    char *data = slurp("hs.bin", &len);
    char *at = memmem(data + 64, len - 64, columns, sizeof columns);

    (void)state;
    assert_non_null(at);
    at[-4] = 0x10; /* 2^36 rows more */
    assert_int_equal(load_code(data, len), OY_DATA);
    oy_free(data);
}

/* A matrix of NaN gives labels all the same. */
static void damaged_numbers_do_no_harm(void **state)
{
    static const char text[] = "the cat sat";
    struct oy_error err = {0};
    struct fasttext_label best[2];

    (void)state;
    for (int i = 0; i < 3; i++) {
        char path[] = "/tmp/test_fasttext.XXXXXX";
        struct oy_buffer padded = {0};
        size_t len;
        char *data = slurp(file[i], &len);
        memset(data + len - 32, 0xff, 32);
        const int fd = mkstemp(path);
        assert_int_equal(write(fd, data, len), (ssize_t)len);
        close(fd);
        struct fasttext *model = fasttext_load(path, &err);
        assert_non_null(model);
        struct fasttext_work *work = fasttext_work_new(model);
        oy_buffer_append(&padded, text, sizeof text - 1);
        assert_true(fasttext_predict(work, padded.data, padded.len, best, 2) <=
                    2);
        fasttext_work_free(work);
        fasttext_free(model);
        oy_buffer_release(&padded);
        oy_free(data);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_fasttext),
        cmocka_unit_test(asks_for_fewer),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(wild_counts_are_told),
        cmocka_unit_test(damaged_numbers_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

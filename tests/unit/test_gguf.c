/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/gguf: values, tensors, streams, and every kind of damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/gguf.h"
#include "core/input.h"
#include "core/random.h"
#include "tests/unit/gguf_fixture.h"

/* ---- files made on the spot ---- */

static void put_tensor(struct oy_buffer *out, const char *name, uint64_t dim,
                       uint32_t type, uint64_t offset)
{
    gguf_put_text(out, name);
    gguf_put(out, 1, 4);
    gguf_put(out, dim, 8);
    gguf_put(out, type, 4);
    gguf_put(out, offset, 8);
}

/* Keys of every kind and two tensors. */
static void make(struct oy_buffer *out)
{
    gguf_put_head(out, 2, 8);
    gguf_put_string(out, "general.architecture", "llama");
    gguf_put_number(out, "general.alignment", OY_GGUF_U32, 64, 4);
    gguf_put_number(out, "minus", OY_GGUF_I16, (uint64_t)-2, 2);
    gguf_put_number(out, "large", OY_GGUF_U64, UINT64_MAX, 8);
    gguf_put_number(out, "half", OY_GGUF_F32, 0x3f000000, 4);
    gguf_put_number(out, "yes", OY_GGUF_BOOL, 1, 1);
    gguf_put_array(out, "list", OY_GGUF_STRING, 2);
    gguf_put_text(out, "");
    gguf_put_text(out, "b");
    gguf_put_array(out, "numbers", OY_GGUF_I32, 2);
    gguf_put(out, 7, 4);
    gguf_put(out, (uint64_t)-7, 4);
    put_tensor(out, "a", 3, 0, 0);
    put_tensor(out, "q", 64, 8, 64); /* two blocks of Q8_0 */
    while (out->len % 64)
        oy_buffer_append_char(out, 0);
    for (int i = 0; i < 64 + 68; i++)
        oy_buffer_append_char(out, 0);
}

static int parse(struct oy_gguf *gguf, const struct oy_buffer *file,
                 struct oy_error *err)
{
    return oy_gguf_parse(gguf, file->data, file->len, (int64_t)file->len, err);
}

/* Must fail with 65 and a message that holds `what`. */
static void refuse(struct oy_buffer *file, const char *what)
{
    struct oy_gguf gguf = {0};
    struct oy_error err = {0};

    assert_int_equal(parse(&gguf, file, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    if (!strstr(err.message, what))
        fail_msg("'%s' does not say '%s'", err.message, what);
    oy_gguf_release(&gguf);
    oy_buffer_release(file);
}

/* ---- tests ---- */

static void test_values(void **state)
{
    struct oy_buffer file = {0};
    struct oy_gguf gguf = {0};
    struct oy_error err = {0};
    struct oy_text text;
    int64_t number;
    double real;
    size_t at = 0;
    int truth;

    (void)state;
    make(&file);
    assert_int_equal(parse(&gguf, &file, &err), 0);
    assert_int_equal(gguf.version, 3);
    assert_int_equal(gguf.alignment, 64);
    assert_int_equal(
        oy_gguf_text(oy_gguf_find(&gguf, "general.architecture"), &text), 0);
    assert_memory_equal(text.at, "llama", 5);
    assert_int_equal(oy_gguf_int64(oy_gguf_find(&gguf, "minus"), &number), 0);
    assert_int_equal(number, -2);
    assert_int_equal(oy_gguf_int64(oy_gguf_find(&gguf, "large"), &number), -1);
    assert_int_equal(oy_gguf_double(oy_gguf_find(&gguf, "half"), &real), 0);
    assert_true(real == 0.5);
    assert_int_equal(oy_gguf_bool(oy_gguf_find(&gguf, "yes"), &truth), 0);
    assert_int_equal(truth, 1);
    assert_int_equal(oy_gguf_bool(oy_gguf_find(&gguf, "half"), &truth), -1);
    assert_int_equal(oy_gguf_int64(oy_gguf_find(&gguf, "none"), &number), -1);
    const struct oy_gguf_value *list = oy_gguf_find(&gguf, "list");
    assert_int_equal(list->n, 2);
    assert_int_equal(oy_gguf_text(list, &text), -1);
    assert_int_equal(oy_gguf_next_text(list, &at, &text), 1);
    assert_int_equal(text.len, 0);
    assert_int_equal(oy_gguf_next_text(list, &at, &text), 1);
    assert_memory_equal(text.at, "b", 1);
    assert_int_equal(oy_gguf_next_text(list, &at, &text), 0);
    const struct oy_gguf_value *numbers = oy_gguf_find(&gguf, "numbers");
    assert_int_equal(oy_gguf_element_int64(numbers, 1, &number), 0);
    assert_int_equal(number, -7);
    assert_int_equal(oy_gguf_element_double(numbers, 1, &real), -1);
    oy_gguf_release(&gguf);
    oy_buffer_release(&file);
}

static void test_tensors(void **state)
{
    struct oy_buffer file = {0};
    struct oy_gguf gguf = {0};
    struct oy_error err = {0};

    (void)state;
    make(&file);
    assert_int_equal(parse(&gguf, &file, &err), 0);
    assert_int_equal(gguf.n_tensor, 2);
    assert_int_equal(gguf.tensor[0].size, 12);
    assert_int_equal(gguf.tensor[0].dim[0], 3);
    assert_int_equal(gguf.tensor[0].dim[1], 1);
    assert_int_equal(gguf.tensor[1].size, 68);
    assert_int_equal(gguf.tensor[1].offset, file.len - 68);
    assert_string_equal(oy_gguf_tensor_type_name(gguf.tensor[1].type), "Q8_0");
    assert_null(oy_gguf_tensor_type_name(4));
    assert_null(oy_gguf_tensor_type_name(9999));
    oy_gguf_release(&gguf);
    oy_buffer_release(&file);
}

/* Of a stream the begin is enough; every shorter one asks for more. A file
 * that ends there is truncated. */
static void test_begin_only(void **state)
{
    struct oy_buffer file = {0};
    struct oy_error err = {0};

    (void)state;
    make(&file);
    const size_t data = file.len - 64 - 68;
    for (size_t len = 0; len < file.len; len++) {
        struct oy_gguf gguf = {0};
        char *part = malloc(len + 1);
        memcpy(part, file.data, len);
        const int more =
            oy_gguf_parse(&gguf, part, len, OY_GGUF_SIZE_UNKNOWN, &err);
        assert_true(more == 0 || more == 1);
        assert_int_equal(err.code, 0);
        assert_true(more == 1 || len > data - 64);
        assert_true(more == 0 || len < data);
        oy_gguf_release(&gguf);
        struct oy_error cut = {0};
        assert_int_equal(oy_gguf_parse(&gguf, part, len, (int64_t)len, &cut),
                         -1);
        assert_int_equal(cut.code, OY_DATA);
        oy_gguf_release(&gguf);
        free(part);
    }
    oy_buffer_release(&file);
}

static void test_refused(void **state)
{
    struct oy_buffer file = {0};

    (void)state;
    oy_buffer_append_string(&file, "GGUX\3\0\0\0");
    refuse(&file, "");
    oy_buffer_append_string(&file, "GGUF");
    gguf_put(&file, 0x03000000, 4);
    refuse(&file, "big-endian");
    oy_buffer_append_string(&file, "GGUF");
    gguf_put(&file, 1, 4);
    refuse(&file, "version 1");
    gguf_put_head(&file, 0, UINT64_MAX);
    refuse(&file, "keys do not fit");
    gguf_put_head(&file, 0, 2);
    gguf_put_number(&file, "twice", OY_GGUF_U8, 1, 1);
    gguf_put_number(&file, "twice", OY_GGUF_U8, 1, 1);
    gguf_put(&file, 0, 8);
    refuse(&file, "'twice' is there twice");
    gguf_put_head(&file, 0, 1);
    gguf_put_number(&file, "flag", OY_GGUF_BOOL, 2, 1);
    gguf_put(&file, 0, 8);
    refuse(&file, "flag: byte");
    gguf_put_head(&file, 0, 1);
    gguf_put_number(&file, "general.alignment", OY_GGUF_U32, 24, 4);
    refuse(&file, "general.alignment");
    gguf_put_head(&file, 1, 0);
    put_tensor(&file, "t", 33, 8, 0);
    refuse(&file, "whole blocks");
    gguf_put_head(&file, 1, 0);
    put_tensor(&file, "t", (uint64_t)1 << 62, 0, 0);
    refuse(&file, "too large");
}

/* No change of a byte makes it read where it must not, or crash. */
static void test_mutations(void **state)
{
    struct oy_random random = oy_random_at(7, 0);
    struct oy_buffer file = {0};

    (void)state;
    make(&file);

    for (int round = 0; round < 20000; round++) {
        struct oy_gguf gguf = {0};
        struct oy_error err = {0};
        char *copy = malloc(file.len);
        memcpy(copy, file.data, file.len);
        for (int i = 0; i < 3; i++)
            copy[oy_random_below(&random, file.len)] =
                (char)oy_random_below(&random, 256);
        const int failed =
            oy_gguf_parse(&gguf, copy, file.len, (int64_t)file.len, &err);
        assert_true(failed == 0 || (failed == -1 && err.code == OY_DATA));
        oy_gguf_release(&gguf);
        free(copy);
    }
    oy_buffer_release(&file);
}

/* What is wrong with these is what their keys mean. */
static int is_container(const char *name)
{
    static const char *const fine[] = {"bad_head0",   "bad_blocks",
                                       "bad_scores",  "bad_eos_oob",
                                       "bad_bytehex", "ok"};

    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        if (!strncmp(name, fine[i], strlen(fine[i])))
            return 1;
    }
    return 0;
}

static void check_file(const char *folder, const char *name)
{
    char *path = oy_asprintf("%s/%s", folder, name);
    struct oy_gguf gguf = {0};
    struct oy_error err = {0};
    size_t len;
    char *data = oy_input_slurp(path, 1 << 20, &len, &err);

    assert_non_null(data);
    const int got = oy_gguf_parse(&gguf, data, len, (int64_t)len, &err);
    if (got != (is_container(name) ? 0 : -1))
        fail_msg("%s: %d %s", name, got, err.message);
    oy_gguf_release(&gguf);
    oy_free(data);
    oy_free(path);
}

/* Files made to be refused, each for its own reason. */
static void test_verdicts(void **state)
{
    const char *shared = getenv("OYSTER_SHARED");
    char folder[1000];
    int n = 0;

    (void)state;
    snprintf(folder, sizeof folder, "%s/data/badmodels",
             shared ? shared : "../shared");
    DIR *dir = opendir(folder);
    if (!dir) {
        print_message("SKIPPED: no %s\n", folder);
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *suffix = strrchr(entry->d_name, '.');
        if (!suffix || strcmp(suffix, ".gguf"))
            continue;
        check_file(folder, entry->d_name);
        n++;
    }
    closedir(dir);
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_begin_only), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_mutations),  cmocka_unit_test(test_verdicts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

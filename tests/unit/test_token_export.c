/* SPDX-License-Identifier: Apache-2.0
 *
 * Token files of other projects: bytes as they must lie, damage found. */
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
#include "core/input.h"
#include "tokenizer/token_export.h"

static char *folder_of_test(void)
{
    char name[] = "/tmp/oy-test-XXXXXX";

    assert_non_null(mkdtemp(name));
    return oy_strdup(name);
}

static void drop(char *path)
{
    unlink(path);
    oy_free(path);
}

static void write_bytes(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static char *slurp(const char *path, size_t *len)
{
    struct oy_error err = {0};
    char *data = oy_input_slurp(path, 1 << 30, len, &err);

    assert_non_null(data);
    return data;
}

static enum token_export_kind kind_of(const char *path)
{
    size_t len;
    char *data = slurp(path, &len);
    const enum token_export_kind kind = token_export_kind(data, len);

    oy_free(data);
    return kind;
}

/* Every prefix, and every flipped bit of the first `n_proved` bytes. */
static void expect_proof(const char *path, enum token_export_kind kind,
                         size_t n_proved)
{
    struct oy_error good = {0};
    size_t len;
    char *data = slurp(path, &len);

    assert_int_equal(token_export_check(path, kind, &good), 0);
    for (size_t keep = 0; keep < len; keep++) {
        struct oy_error err = {0};
        write_bytes(path, data, keep);
        assert_int_equal(token_export_check(path, kind, &err), -1);
        assert_int_equal(err.code, OY_DATA);
        assert_non_null(strstr(err.message, path));
    }
    for (size_t i = 0; i < 8 * n_proved; i++) {
        struct oy_error err = {0};
        data[i / 8] ^= (char)(1 << i % 8);
        write_bytes(path, data, len);
        assert_int_equal(token_export_check(path, kind, &err), -1);
        assert_int_equal(err.code, OY_DATA);
        data[i / 8] ^= (char)(1 << i % 8);
    }
    write_bytes(path, data, len);
    oy_free(data);
}

static void test_llmc(void **state)
{
    static const int32_t id[] = {0, 1, 256, 65535, 7};
    char *folder = folder_of_test();

    (void)state;
    assert_int_equal(llmc_id_size(65536), 2);
    assert_int_equal(llmc_id_size(65537), 4);
    for (int size = 2; size <= 4; size += 2) {
        char *path = oy_asprintf("%s/x.bin", folder);
        struct oy_error err = {0};
        struct oy_output *output = oy_output_open(path, NULL, &err);
        int32_t header[256];
        uint16_t narrow;
        size_t len;
        assert_int_equal(llmc_write_header(output, size, 5, &err), 0);
        struct oy_buffer ids = {0};
        token_export_put(&ids, size, id, 5);
        assert_int_equal(oy_output_write(output, ids.data, ids.len, &err), 0);
        oy_buffer_release(&ids);
        assert_int_equal(oy_output_commit(output, &err), 0);
        char *data = slurp(path, &len);
        assert_int_equal(len, 1024 + 5 * size);
        memcpy(header, data, sizeof header);
        assert_int_equal(header[0], size == 2 ? 20240520 : 20240801);
        assert_int_equal(header[1], size == 2 ? 1 : 7);
        assert_int_equal(header[2], 5);
        memcpy(&narrow, data + 1024 + 3 * size, sizeof narrow);
        assert_int_equal(narrow, 65535);
        oy_free(data);
        assert_int_equal(kind_of(path), TOKEN_EXPORT_LLMC);
        expect_proof(path, TOKEN_EXPORT_LLMC, 1024);
        drop(path);
    }
    rmdir(folder);
    oy_free(folder);
}

static void write_index(const char *path, int id_size, const size_t *length,
                        size_t n)
{
    struct oy_error err = {0};
    struct megatron_index *index = megatron_index_new(id_size, NULL, &err);
    struct oy_output *output = oy_output_open(path, NULL, &err);

    assert_non_null(index);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(megatron_index_add(index, length[i], &err), 0);
    assert_int_equal(megatron_index_write(index, output, &err), 0);
    assert_int_equal(oy_output_commit(output, &err), 0);
    megatron_index_free(index);
}

static void test_megatron(void **state)
{
    static const unsigned char want[] =
        {
            'M', 'M', 'I', 'D', 'I', 'D', 'X', 0, 0, 1, 0, 0, 0, 0, 0, 0,
            0,   8, /* uint16 */
            2,   0,   0,   0,   0,   0,   0,   0, 3, 0, 0, 0, 0, 0, 0, 0,
            3,   0,   0,   0,   1,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0,
            6,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0,
            1,   0,   0,   0,   0,   0,   0,   0, 2, 0, 0, 0, 0, 0, 0, 0,
        };
    static const size_t length[] = {3, 1};
    char *folder = folder_of_test();
    char *index = oy_asprintf("%s/x.idx", folder);
    char *ids = oy_asprintf("%s/x.bin", folder);
    struct oy_error err = {0};
    size_t len;

    (void)state;
    assert_int_equal(megatron_id_size(65499), 2);
    assert_int_equal(megatron_id_size(65500), 4);
    write_index(index, 2, length, 2);
    char *data = slurp(index, &len);
    assert_int_equal(len, sizeof want);
    assert_memory_equal(data, want, len);
    oy_free(data);
    assert_int_equal(kind_of(index), TOKEN_EXPORT_MEGATRON_INDEX);
    assert_int_equal(
        token_export_check(index, TOKEN_EXPORT_MEGATRON_INDEX, &err), -1);
    assert_non_null(strstr(err.message, "x.bin"));
    write_bytes(ids, "12345678", 8);
    /* Where documents end may be anywhere between. */
    expect_proof(index, TOKEN_EXPORT_MEGATRON_INDEX, 34 + 12 * 2 + 8);
    write_bytes(ids, "1234567", 7);
    assert_int_equal(
        token_export_check(index, TOKEN_EXPORT_MEGATRON_INDEX, &err), -1);
    drop(index);
    drop(ids);
    rmdir(folder);
    oy_free(folder);
}

/* More documents than are kept in memory; none at all. */
static void test_megatron_many(void **state)
{
    enum { N = 40000 };
    char *folder = folder_of_test();
    char *index = oy_asprintf("%s/x.idx", folder);
    char *ids = oy_asprintf("%s/x.bin", folder);
    size_t *length = oy_alloc_array(N, sizeof *length), total = 0;
    struct oy_error err = {0};

    (void)state;
    for (size_t i = 0; i < N; i++) {
        length[i] = i % 5;
        total += length[i];
    }
    write_index(index, 4, length, N);
    char *data = oy_calloc(total, 4);
    write_bytes(ids, data, total * 4);
    assert_int_equal(
        token_export_check(index, TOKEN_EXPORT_MEGATRON_INDEX, &err), 0);
    write_index(index, 4, length, 0);
    write_bytes(ids, data, 0);
    assert_int_equal(
        token_export_check(index, TOKEN_EXPORT_MEGATRON_INDEX, &err), 0);
    oy_free(data);
    oy_free(length);
    drop(index);
    drop(ids);
    rmdir(folder);
    oy_free(folder);
}

/* As pickle.loads() reads it; protocol 2. */
static void test_nanogpt_meta(void **state)
{
    static const char want[] = "\x80\x02}X\x0a\0\0\0vocab_sizeJ\0\x19\0\0s.";
    char *folder = folder_of_test();
    char *path = oy_asprintf("%s/meta.pkl", folder);
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(path, NULL, &err);
    size_t len;

    (void)state;
    assert_int_equal(nanogpt_write_meta(output, 6400, &err), 0);
    assert_int_equal(oy_output_commit(output, &err), 0);
    char *data = slurp(path, &len);
    assert_int_equal(len, sizeof want - 1);
    assert_memory_equal(data, want, len);
    assert_int_equal(token_export_kind(data, len), TOKEN_EXPORT_NONE);
    oy_free(data);
    drop(path);
    rmdir(folder);
    oy_free(folder);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_llmc),
        cmocka_unit_test(test_megatron),
        cmocka_unit_test(test_megatron_many),
        cmocka_unit_test(test_nanogpt_meta),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/safetensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "model/safetensors.h"

static char path[] = "/tmp/test_safetensors.XXXXXX";

/* Writes header and data as a file and opens it; the code of the failure. */
static int open_made(const char *header, size_t data_size)
{
    struct safetensors file;
    struct oy_error err = {0};
    FILE *out = fopen(path, "wb");
    const uint64_t len = strlen(header);

    assert_non_null(out);
    fwrite(&len, 8, 1, out);
    fwrite(header, 1, len, out);
    for (size_t i = 0; i < data_size; i++)
        fputc((int)i, out);
    assert_int_equal(fclose(out), 0);
    if (!safetensors_open(&file, path, &err))
        safetensors_close(&file);
    else
        assert_non_null(strstr(err.message, path));
    return err.code;
}

#define T(dtype, shape, offsets)                                               \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(open_made("{}", 0), 0);
    assert_int_equal(open_made("{}      ", 0), 0);
    assert_int_equal(open_made("{\"__metadata__\":{\"format\":\"pt\"}}", 0), 0);
    assert_int_equal(open_made("{\"a\":" T("F32", "[2,3]", "[0,24]") "}", 24),
                     0);
    assert_int_equal(open_made("{\"a\":" T("F32", "[]", "[0,4]") "}", 4), 0);
    assert_int_equal(open_made("{\"a\":" T("F32", "[0,7]", "[0,0]") "}", 0), 0);
    assert_int_equal(open_made("{\"b\":" T("U8", "[2]", "[4,6]") ",\"a\":" T(
                                   "F16", "[2]", "[0,4]") "}",
                               6),
                     0);
}

static void test_bad(void **state)
{
    static const struct {
        const char *header;
        size_t size;
    } bad[] = {
        {"", 0},
        {"[]", 0},
        {" {}", 0},
        {"{", 0},
        {"{\"a\":1}", 0},
        {"{\"__metadata__\":{\"a\":1}}", 0},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0},
        {"{\"a\":" T("F32", "[2]", "[0,8]") "}", 7},
        {"{\"a\":" T("F32", "[2]", "[0,8]") "}", 9},
        {"{\"a\":" T("F32", "[2]", "[0,4]") "}", 4},
        {"{\"a\":" T("F32", "[1]", "[4,8]") "}", 8},
        {"{\"a\":" T("F32", "[1]", "[4,0]") "}", 4},
        {"{\"a\":" T("F32", "[1]", "[0,4,8]") "}", 4},
        {"{\"a\":" T("F32", "[1]", "[0]") "}", 4},
        {"{\"a\":" T("F33", "[1]", "[0,4]") "}", 4},
        {"{\"a\":" T("F32", "[-1]", "[0,4]") "}", 4},
        {"{\"a\":" T("F32", "[1.0]", "[0,4]") "}", 4},
        {"{\"a\":" T("F32", "[1e0]", "[0,4]") "}", 4},
        {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4},
        {"{\"a\":" T("F32", "[4294967296,4294967296]", "[0,0]") "}", 0},
        {"{\"a\":" T("F32", "[4611686018427387904]", "[0,0]") "}", 0},
        {"{\"a\":" T("F32", "[1]", "[18446744073709551612,0]") "}", 4},
        {"{\"a\":" T("F32", "[1]", "[0,99999999999999999999]") "}", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4},
        {"{\"a\":" T("U8", "[1]", "[0,1]") ",\"a\":" T("U8", "[1]",
                                                       "[1,2]") "}",
         2},
        {"{\"a\":" T("U8", "[2]", "[0,2]") ",\"b\":" T("U8", "[2]",
                                                       "[1,3]") "}",
         3},
        {"{\"a\":" T("U8", "[1]", "[0,1]") ",\"b\":" T("U8", "[1]",
                                                       "[2,3]") "}",
         3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (open_made(bad[i].header, bad[i].size) != OY_DATA)
            fail_msg("case %zu is accepted: %s", i, bad[i].header);
    }
}

static void put_bytes(const void *bytes, size_t n)
{
    FILE *out = fopen(path, "wb");

    assert_non_null(out);
    fwrite(bytes, 1, n, out);
    fclose(out);
}

static void test_lengths(void **state)
{
    struct safetensors file;
    struct oy_error err = {0};
    static const unsigned char huge[8] = {255, 255, 255, 255,
                                          255, 255, 255, 255};

    (void)state;
    put_bytes("", 0);
    assert_int_equal(safetensors_open(&file, path, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    put_bytes("\1\0\0", 3);
    err = (struct oy_error){0};
    assert_int_equal(safetensors_open(&file, path, &err), -1);
    put_bytes(huge, 8);
    err = (struct oy_error){0};
    assert_int_equal(safetensors_open(&file, path, &err), -1);
    put_bytes("\3\0\0\0\0\0\0\0{}", 10);
    err = (struct oy_error){0};
    assert_int_equal(safetensors_open(&file, path, &err), -1);
    err = (struct oy_error){0};
    assert_int_equal(safetensors_open(&file, "/nonexistent/x", &err), -1);
    assert_int_equal(err.code, OY_NOINPUT);
    safetensors_close(&file);
}

static void test_round_trip(void **state)
{
    const float f[6] = {1, -2, 3.5F, 0, 1e-40F, INFINITY};
    const int64_t n[2] = {-1, 1LL << 60};
    const struct safetensors_entry entry[] = {
        {"z.weight", TENSOR_F32, 2, {2, 3}, f},
        {"ids \"quoted\"", TENSOR_I64, 1, {2}, n},
        {"a.bias", TENSOR_F32, 1, {6}, f},
    };
    struct safetensors file;
    struct oy_error err = {0};
    float back[6];

    (void)state;
    assert_int_equal(safetensors_write(path, entry, 3, &err), 0);
    assert_int_equal(safetensors_open(&file, path, &err), 0);
    assert_int_equal(file.n_tensor, 3);
    const struct safetensor *z = safetensors_find(&file, "z.weight");
    assert_non_null(z);
    assert_int_equal(z->n_dim, 2);
    assert_int_equal(z->shape[0], 2);
    assert_int_equal(z->shape[1], 3);
    assert_int_equal(safetensor_to_f32(z, 0, 6, back), 0);
    assert_memory_equal(back, f, sizeof f);
    assert_int_equal(safetensor_to_f32(z, 2, 3, back), 0);
    assert_memory_equal(back, f + 2, 3 * sizeof *f);
    const struct safetensor *ids = safetensors_find(&file, "ids \"quoted\"");
    assert_non_null(ids);
    assert_memory_equal(ids->data, n, sizeof n);
    assert_int_equal((uintptr_t)ids->data % 8, 0);
    assert_int_equal(safetensor_to_f32(ids, 0, 2, back), -1);
    assert_null(safetensors_find(&file, "none"));
    safetensors_close(&file);
    safetensors_close(&file);
}

static float of_type(enum tensor_type type, const void *data)
{
    const struct safetensor tensor = {
        .type = type, .n_element = 1, .data = data};
    float value;

    assert_int_equal(safetensor_to_f32(&tensor, 0, 1, &value), 0);
    return value;
}

static void test_conversion(void **state)
{
    static const struct {
        uint16_t bits;
        float value;
    } half[] = {{0, 0},
                {0x3c00, 1},
                {0xc000, -2},
                {1, 0x1p-24F},
                {0x3ff, 0x3ffp-24F},
                {0x400, 0x1p-14F},
                {0x7bff, 65504},
                {0x7c00, INFINITY},
                {0xfc00, -INFINITY},
                {0x3555, 0x1.554p-2F}};
    const uint16_t nan_half = 0x7e00, bfloat = 0x4049;
    const double pi = M_PI;

    (void)state;
    for (size_t i = 0; i < sizeof half / sizeof *half; i++)
        assert_true(of_type(TENSOR_F16, &half[i].bits) == half[i].value);
    assert_true(isnan(of_type(TENSOR_F16, &nan_half)));
    assert_true(of_type(TENSOR_BF16, &bfloat) == 3.140625F);
    assert_true(of_type(TENSOR_F64, &pi) == (float)M_PI);
}

/* Files that were made to break readers: names say the verdict. */
static void test_collection(void **state)
{
    const char *shared = getenv("OYSTER_SHARED");
    char *folder =
        oy_asprintf("%s/data/badmodels", shared ? shared : "../shared");
    DIR *dir = opendir(folder);
    int n = 0;

    (void)state;
    if (!dir) {
        print_message("SKIPPED: no %s\n", folder);
        oy_free(folder);
        return;
    }
    for (struct dirent *item; (item = readdir(dir));) {
        const char *end = strstr(item->d_name, ".safetensors");
        struct safetensors file;
        struct oy_error err = {0};
        if (!end || end[12])
            continue;
        char *name = oy_asprintf("%s/%s", folder, item->d_name);
        const int status = safetensors_open(&file, name, &err);
        if ((status == 0) != (strncmp(item->d_name, "ok", 2) == 0))
            fail_msg("%s: %d %s", name, status, err.message);
        if (status)
            assert_int_equal(err.code, OY_DATA);
        else
            safetensors_close(&file);
        oy_free(name);
        n++;
    }
    closedir(dir);
    oy_free(folder);
    print_message("%d files\n", n);
    assert_true(n > 20);
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
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_lengths),    cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_conversion), cmocka_unit_test(test_collection),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/quant: values of every type, ranges, packing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/gguf.h"
#include "core/input.h"
#include "core/random.h"
#include "model/half.h"
#include "model/quant.h"
#include "model/safetensors.h"

static char *golden_path(const char *relative)
{
    const char *shared = getenv("OYSTER_SHARED");

    return oy_asprintf("%s/golden/model/%s", shared ? shared : "../shared",
                       relative);
}

/* ---- small floats ---- */

static void test_halves(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x10000; half++) {
        const float value = float_of_half((uint16_t)half);
        if (isnan(value))
            assert_true(isnan(float_of_half(half_of_float(value))));
        else
            assert_int_equal(half_of_float(value), half);
        const float wide = float_of_bfloat((uint16_t)half);
        if (!isnan(wide))
            assert_int_equal(bfloat_of_float(wide), half);
    }
    assert_int_equal(half_of_float(65519.99F), 0x7bff);
    assert_int_equal(half_of_float(65520), 0x7c00);
    assert_int_equal(half_of_float(0x1p-25F), 0); /* a tie goes to even */
    assert_int_equal(half_of_float(0x1.8p-24F), 2);
    assert_int_equal(half_of_float(1 + 0x1p-11F), 0x3c00);
    assert_int_equal(half_of_float(1 + 0x3p-11F), 0x3c02);
    assert_int_equal(bfloat_of_float(1 + 0x1p-8F), 0x3f80);
    assert_int_equal(bfloat_of_float(1 + 0x3p-8F), 0x3f82);
}

static void test_eight_bits(void **state)
{
    (void)state;
    assert_true(float_of_e4m3(0x7e) == 448);
    assert_true(float_of_e4m3(0x81) == -0x1p-9F);
    assert_true(isnan(float_of_e4m3(0xff)));
    assert_true(float_of_e5m2(0x7b) == 57344);
    assert_true(isinf(float_of_e5m2(0xfc)));
}

/* ---- unpacking ---- */

static void compare_tensor(const struct oy_gguf_tensor *tensor,
                           const char *file, const struct safetensors *expected)
{
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)tensor->name.len, tensor->name.at);
    const struct safetensor *want = safetensors_find(expected, name);
    const struct quant_type *type = quant_find(tensor->type);
    assert_non_null(want);
    assert_non_null(type);
    const size_t n = want->n_element;
    float *got = oy_alloc_array(n, sizeof *got);
    quant_read(type, file + tensor->offset, 0, n, got);
    assert_memory_equal(got, want->data, n * sizeof *got);
    /* Any range is the same. */
    for (size_t from = 1; from < n; from += 37) {
        const size_t more = n - from < 300 ? n - from : 300;
        quant_read(type, file + tensor->offset, from, more, got);
        assert_memory_equal(got, (const float *)want->data + from,
                            more * sizeof *got);
    }
    oy_free(got);
}

static void test_golden_types(void **state)
{
    char *path = golden_path("types.gguf");
    char *expected_path = golden_path("types_expected.safetensors");
    struct safetensors expected;
    struct oy_gguf gguf = {0};
    struct oy_error err = {0};
    size_t len;
    char *file = oy_input_slurp(path, 1 << 24, &len, &err);

    (void)state;
    if (!file) {
        fprintf(stderr, "SKIPPED: no golden file %s\n", path);
        oy_free(path);
        oy_free(expected_path);
        skip();
    }
    assert_int_equal(safetensors_open(&expected, expected_path, &err), 0);
    assert_int_equal(oy_gguf_parse(&gguf, file, len, (int64_t)len, &err), 0);
    assert_int_equal(gguf.n_tensor, expected.n_tensor);
    for (size_t i = 0; i < gguf.n_tensor; i++)
        compare_tensor(&gguf.tensor[i], file, &expected);
    oy_gguf_release(&gguf);
    safetensors_close(&expected);
    oy_free(file);
    oy_free(path);
    oy_free(expected_path);
}

/* ---- packing ---- */

enum { N_SAMPLE = 4096 };

/* Values of all sizes, without libm: sums of uniform numbers, scaled. */
static void make_sample(float *x)
{
    struct oy_random random = oy_random_at(7, 0);

    for (int i = 0; i < N_SAMPLE; i++) {
        int sum = 0;
        for (int j = 0; j < 4; j++)
            sum += (int)oy_random_below(&random, 2001) - 1000;
        x[i] = (float)sum / 4096 * (float)(1 << i / 512);
    }
    memset(x + 256, 0, 256 * sizeof *x);
    for (int i = 0; i < 32; i++)
        x[512 + i] = 0.25F;
    for (int i = 0; i < 16; i++)
        x[768 + i] *= 0x1p-20F;
}

static double error_of(const struct quant_type *type, const float *x)
{
    static const size_t most = N_SAMPLE * sizeof(float);
    unsigned char *packed = oy_alloc(most);
    float *back = oy_alloc(most);
    double sum = 0, all = 0;

    type->pack(x, N_SAMPLE / type->n, packed);
    type->unpack(packed, N_SAMPLE / type->n, back);
    for (int i = 0; i < N_SAMPLE; i++) {
        sum += (double)(back[i] - x[i]) * (double)(back[i] - x[i]);
        all += (double)x[i] * (double)x[i];
    }
    oy_free(packed);
    oy_free(back);
    return sqrt(sum / all);
}

/* Relative errors as the number of bits lets expect. */
static void test_packing_errors(void **state)
{
    static const struct {
        const char *name;
        double most;
    } row[] = {
        {"f32", 0},      {"f16", 3e-4},   {"bf16", 3e-3}, {"Q8_0", 7e-3},
        {"q5_0", 0.06},  {"q5_1", 0.05},  {"q4_0", 0.11}, {"q4_1", 0.09},
        {"q6_k", 0.025}, {"q5_k", 0.045}, {"q4_k", 0.09},
    };
    float *x = oy_alloc_array(N_SAMPLE, sizeof *x);

    (void)state;
    make_sample(x);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const struct quant_type *type = quant_by_name(row[i].name);
        assert_non_null(type);
        const double error = error_of(type, x);
        if (error > row[i].most)
            fail_msg("%s: %g", row[i].name, error);
    }
    oy_free(x);
}

/* What was packed and is packed again stays: types without a search. */
static void test_packing_is_stable(void **state)
{
    static const char *const name[] = {"f16", "bf16", "q8_0"};
    float *x = oy_alloc_array(N_SAMPLE, sizeof *x);
    unsigned char *one = oy_alloc(N_SAMPLE * sizeof *x);
    unsigned char *two = oy_alloc(N_SAMPLE * sizeof *x);

    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const struct quant_type *type = quant_by_name(name[i]);
        make_sample(x);
        type->pack(x, N_SAMPLE / type->n, one);
        type->unpack(one, N_SAMPLE / type->n, x);
        type->pack(x, N_SAMPLE / type->n, two);
        assert_memory_equal(one, two, N_SAMPLE / type->n * type->size);
    }
    oy_free(x);
    oy_free(one);
    oy_free(two);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(quant_by_name("bfloat16")->name, "BF16");
    assert_string_equal(quant_by_name("Q4_k")->name, "Q4_K");
    assert_null(quant_by_name("q2_k")); /* read, not written */
    assert_null(quant_by_name(""));
    assert_string_equal(quant_find(39)->name, "MXFP4");
    assert_null(quant_find(16)); /* IQ2_XXS */
    assert_null(quant_find(UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_eight_bits),
        cmocka_unit_test(test_golden_types),
        cmocka_unit_test(test_packing_errors),
        cmocka_unit_test(test_packing_is_stable),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

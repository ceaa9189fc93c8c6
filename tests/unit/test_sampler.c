/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/sampler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "model/safetensors.h"
#include "model/sampler.h"
#include "tests/unit/golden_lines.h"

static struct sampler_options plain(void)
{
    struct sampler_options options;

    sampler_options_init(&options);
    return options;
}

/* Applies to a copy. */
static void apply(const struct sampler_options *options, const int32_t *history,
                  size_t n_history, const float *logits, size_t n,
                  struct distribution *out)
{
    float *copy = oy_alloc_array(n, sizeof *copy);

    memcpy(copy, logits, n * sizeof *copy);
    const struct sampler_past past = {history, n_history, 0, NULL};
    sampler_filter(options, &past, copy, n, out);
    distribution_sort(out);
    oy_free(copy);
}

static void assert_ids(const struct distribution *d, size_t n, ...)
{
    va_list args;
    double sum = 0;

    assert_int_equal(d->n, n);
    va_start(args, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(d->candidate[i].id, va_arg(args, int));
        sum += d->candidate[i].probability;
        if (i)
            assert_true(d->candidate[i].probability <=
                        d->candidate[i - 1].probability);
    }
    va_end(args);
    assert_true(fabs(sum - 1) < 1e-9);
}

static void test_softmax_and_temperature(void **state)
{
    const float z[] = {1, 3, -INFINITY, 2};
    struct sampler_options o = plain();
    struct distribution d = {0};
    const double sum = 1 + exp(-1) + exp(-2);

    (void)state;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 3, 1, 3, 0);
    assert_true(fabs(d.candidate[0].probability - 1 / sum) < 1e-7);
    assert_true(fabs(d.candidate[2].probability - exp(-2) / sum) < 1e-7);
    o.temperature = 2;
    apply(&o, NULL, 0, z, 4, &d);
    assert_true(fabs(d.candidate[0].probability / d.candidate[1].probability -
                     exp(0.5)) < 1e-6);
    o.temperature = 0;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 1, 1);
    distribution_release(&d);
    distribution_release(&d);
}

static void test_ties_stay(void **state)
{
    const float z[] = {2, 5, 5, 2, 2, 1};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    o.top_k = 1;
    apply(&o, NULL, 0, z, 6, &d);
    assert_ids(&d, 2, 1, 2);
    o.top_k = 3;
    apply(&o, NULL, 0, z, 6, &d);
    assert_ids(&d, 5, 1, 2, 0, 3, 4);
    o.top_k = 100;
    apply(&o, NULL, 0, z, 6, &d);
    assert_int_equal(d.n, 6);
    distribution_release(&d);
}

static void test_top_p_and_min_p(void **state)
{
    float z[4];
    const double p[] = {0.5, 0.3, 0.15, 0.05};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        z[i] = (float)log(p[i]);
    o.top_p = 0.79;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 2, 0, 1);
    o.top_p = 0.81;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 3, 0, 1, 2);
    o.top_p = 0; /* the best one stays */
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 1, 0);
    o.top_p = 1;
    o.min_p = 0.25;
    apply(&o, NULL, 0, z, 4, &d);
    assert_ids(&d, 3, 0, 1, 2);
    distribution_release(&d);
}

/* Typical sampling may drop the best one. */
static void test_typical(void **state)
{
    float z[9];
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    z[0] = (float)log(0.28);
    for (int i = 1; i < 9; i++)
        z[i] = (float)log(0.09);
    o.typical_p = 0.2;
    apply(&o, NULL, 0, z, 9, &d);
    assert_int_equal(d.n, 8);
    assert_int_equal(d.candidate[0].id, 1);
    distribution_release(&d);
}

static void test_history(void **state)
{
    const float z[] = {1, -1, 2, 0.5F};
    const int32_t history[] = {0, 1, 1, 3, 0, 1};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    o.repetition_penalty = 2;
    apply(&o, history, 6, z, 4, &d);
    assert_ids(&d, 4, 2, 0, 3, 1);
    assert_true(d.candidate[1].logit == 0.5F);
    assert_true(d.candidate[3].logit == -2); /* once, though seen thrice */
    o = plain();
    o.no_repeat_ngram = 2; /* 1 was followed by 1 and by 3 */
    apply(&o, history, 6, z, 4, &d);
    assert_ids(&d, 2, 2, 0);
    o.no_repeat_ngram = 1;
    apply(&o, history, 6, z, 4, &d);
    assert_ids(&d, 1, 2);
    o.no_repeat_ngram = 9;
    apply(&o, history, 6, z, 4, &d);
    assert_int_equal(d.n, 4);
    distribution_release(&d);
}

static int descending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return (x < y) - (x > y);
}

/* top-k against sorting, with many equal values. */
static void test_selection(void **state)
{
    enum { N = 500 };
    struct distribution d = {0};
    float z[N], sorted[N];

    (void)state;
    for (uint64_t round = 0; round < 200; round++) {
        struct oy_random random = oy_random_at(5, round);
        const size_t n = 1 + (size_t)oy_random_below(&random, N);
        const uint64_t span = 1 + oy_random_below(&random, 40);
        struct sampler_options o = plain();
        for (size_t i = 0; i < n; i++)
            z[i] = (float)oy_random_below(&random, span);
        memcpy(sorted, z, n * sizeof *z);
        qsort(sorted, n, sizeof *sorted, descending);
        o.top_k = 1 + (int64_t)oy_random_below(&random, n);
        size_t want = (size_t)o.top_k;
        while (want < n && sorted[want] == sorted[want - 1])
            want++;
        apply(&o, NULL, 0, z, n, &d);
        assert_int_equal(d.n, want);
    }
    distribution_release(&d);
}

static void test_draws(void **state)
{
    const float z[] = {0, (float)log(3)};
    struct sampler_options o = plain();
    struct distribution d = {0};
    int n_first = 0;

    (void)state;
    assert_int_equal(sampler_draw(&d, &(struct oy_random){0}), -1);
    apply(&o, NULL, 0, z, 2, &d);
    for (uint64_t i = 0; i < 4000; i++) {
        struct oy_random a = oy_random_at(1, i), b = oy_random_at(1, i);
        const int32_t id = sampler_draw(&d, &a);
        assert_int_equal(id, sampler_draw(&d, &b));
        n_first += id == 1;
    }
    assert_true(abs(n_first - 3000) < 120);
    distribution_release(&d);
}

static void test_nothing_left(void **state)
{
    const float z[] = {-INFINITY, NAN};
    struct sampler_options o = plain();
    struct distribution d = {0};

    (void)state;
    apply(&o, NULL, 0, z, 2, &d);
    assert_int_equal(d.n, 0);
    distribution_release(&d);
}

/* Bans, and what is added. */
static void test_mask_and_bias(void **state)
{
    const float z[] = {1, 2, 3, 4};
    const uint64_t allowed[] = {1 | 1 << 1 | 1 << 3};
    const struct sampler_bias bias[] = {
        {0, 2.5F}, {3, -INFINITY}, {9, 1}, {-1, 1}};
    const struct sampler_past past = {.allowed = allowed};
    struct sampler_options o = plain();
    struct distribution d = {0};
    float copy[4];

    (void)state;
    memcpy(copy, z, sizeof copy);
    sampler_filter(&o, &past, copy, 4, &d);
    distribution_sort(&d);
    assert_ids(&d, 3, 3, 1, 0);
    o.bias = bias;
    o.n_bias = 4;
    memcpy(copy, z, sizeof copy);
    sampler_filter(&o, &past, copy, 4, &d);
    distribution_sort(&d);
    assert_ids(&d, 2, 0, 1);
    assert_true(d.candidate[0].logit == 3.5F);
    distribution_release(&d);
}

/* OpenAI's penalties count the output, not the prompt. */
static void test_presence_and_frequency(void **state)
{
    const float z[] = {5, 5, 5, 5};
    const int32_t id[] = {0, 0, 1, 2, 2};
    const struct sampler_past past = {id, 5, 2, NULL};
    struct sampler_options o = plain();
    struct distribution d = {0};
    float copy[4];

    (void)state;
    o.presence_penalty = 1;
    o.frequency_penalty = 0.5;
    memcpy(copy, z, sizeof copy);
    sampler_filter(&o, &past, copy, 4, &d);
    distribution_sort(&d);
    assert_ids(&d, 4, 0, 3, 1, 2);
    assert_true(d.candidate[2].logit == 3.5F && d.candidate[3].logit == 3);
    distribution_release(&d);
}

static void set_option(struct sampler_options *o, const char *name, double x)
{
    const struct {
        const char *name;
        double *real;
        int64_t *whole;
    } known[] = {{"temperature", &o->temperature, NULL},
                 {"top_h", &o->top_h, NULL},
                 {"top_p", &o->top_p, NULL},
                 {"min_p", &o->min_p, NULL},
                 {"typical_p", &o->typical_p, NULL},
                 {"epsilon_cutoff", &o->epsilon_cutoff, NULL},
                 {"eta_cutoff", &o->eta_cutoff, NULL},
                 {"repetition_penalty", &o->repetition_penalty, NULL},
                 {"top_k", NULL, &o->top_k},
                 {"no_repeat_ngram_size", NULL, &o->no_repeat_ngram}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        if (known[i].real)
            *known[i].real = x;
        else
            *known[i].whole = (int64_t)x;
        return;
    }
    fail_msg("no option %s", name);
}

static void read_setting(struct golden *golden,
                         const struct oy_json_value *line,
                         struct sampler_options *o)
{
    const struct oy_json_value setting = oy_json_member(line, "setting");
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    double x;

    (void)golden;
    oy_json_enter(&cursor, &setting);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        char name[64] = {0};
        memcpy(name, key.at + 1, key.len - 2);
        assert_int_equal(oy_json_double(&value, &x), 0);
        set_option(o, name, x);
    }
}

static size_t read_history(const struct oy_json_value *line, int32_t *history,
                           size_t cap)
{
    const struct oy_json_value list = oy_json_member(line, "history");
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int64_t id;
    size_t n = 0;

    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &item) > 0 && n < cap) {
        assert_int_equal(oy_json_int64(&item, &id), 0);
        history[n++] = (int32_t)id;
    }
    return n;
}

static const struct safetensor *find_tensor(const struct safetensors *file,
                                            int n_file, const char *prefix,
                                            const struct oy_text *name)
{
    char full[128];

    snprintf(full, sizeof full, "%s.%.*s", prefix, (int)name->len, name->at);
    for (int f = 0; f < n_file; f++) {
        for (int i = 0; i < file[f].n_tensor; i++) {
            if (!strcmp(file[f].tensor[i].name, full))
                return &file[f].tensor[i];
        }
    }
    return NULL;
}

/* Probabilities in order, against the peer's processed logits; and, where no
 * tie makes its choice arbitrary, those of each id. */
static void compare(const struct distribution *d, const float *want,
                    const float *raw, size_t n)
{
    float best = -INFINITY, lowest = INFINITY;
    double sum = 0;
    size_t n_kept = 0;
    int tie = 0;

    for (size_t i = 0; i < n; i++)
        best = want[i] > best ? want[i] : best;
    for (size_t i = 0; i < n; i++) {
        sum += exp(want[i] - (double)best);
        n_kept += want[i] > -INFINITY;
        if (want[i] > -INFINITY && raw[i] < lowest)
            lowest = raw[i];
    }
    for (size_t i = 0; i < n; i++)
        tie |= want[i] == -INFINITY && raw[i] == lowest;
    assert_int_equal(d->n, n_kept);
    float *sorted = oy_alloc_array(n, sizeof *sorted);
    memcpy(sorted, want, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, descending);
    for (size_t i = 0; i < d->n; i++) {
        const struct candidate *c = &d->candidate[i];
        const float z = tie ? sorted[i] : want[c->id];
        assert_true(fabs(c->probability - exp(z - (double)best) / sum) < 1e-6);
    }
    oy_free(sorted);
}

/* What transformers' processors leave over. */
static void test_golden(void **state)
{
    static const char *const name[] = {
        "golden/model/sampling/sampling.safetensors",
        "golden/model/sampling/sampling_smollm2_logits.safetensors"};
    const char *shared = getenv("OYSTER_SHARED");
    struct safetensors file[2] = {{0}};
    struct distribution d = {0};
    struct golden golden;
    struct oy_json_value line;
    struct oy_error err = {0};
    char path[600];
    int32_t history[64];
    int n_case = 0;

    (void)state;
    if (golden_open(&golden, "golden/model/sampling/sampling.jsonl"))
        skip();
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", shared ? shared : "../shared",
                 name[i]);
        assert_int_equal(safetensors_open(&file[i], path, &err), 0);
    }
    assert_int_equal(golden_next(&golden, &line), 1);
    const size_t n_history = read_history(&line, history, 64);
    for (; golden_next(&golden, &line); n_case++) {
        const struct oy_text of = golden_text(&golden, &line, "logits");
        const struct oy_text key = golden_text(&golden, &line, "key");
        const struct safetensor *z = find_tensor(file, 2, "logits", &of);
        const struct safetensor *want = find_tensor(file, 2, "processed", &key);
        const struct oy_json_value kept = oy_json_member(&line, "n_kept");
        struct sampler_options o = plain();
        int64_t n_kept;
        read_setting(&golden, &line, &o);
        assert_non_null(z);
        apply(&o, history, n_history, z->data, z->n_element, &d);
        if (want)
            compare(&d, want->data, z->data, z->n_element);
        assert_int_equal(oy_json_int64(&kept, &n_kept), 0);
        assert_int_equal(d.n, n_kept);
    }
    assert_int_equal(n_case, 225);
    for (int i = 0; i < 2; i++)
        safetensors_close(&file[i]);
    distribution_release(&d);
    golden_close(&golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_and_temperature),
        cmocka_unit_test(test_ties_stay),
        cmocka_unit_test(test_top_p_and_min_p),
        cmocka_unit_test(test_typical),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_mask_and_bias),
        cmocka_unit_test(test_presence_and_frequency),
        cmocka_unit_test(test_golden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

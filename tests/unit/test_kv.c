/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/kv, model/kv_rows, model/kv_tree and the windows, caps and
 * sinks of model/cached_attention. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/random.h"
#include "model/cached_attention.h"
#include "model/kv_rows.h"
#include "model/kv_tree.h"
#include "model/panel_internal.h"

enum { KEY_DIM = 20, VALUE_DIM = 12, LEN = 300 };

static struct kv_shape small_shape(void)
{
    return (struct kv_shape){
        .n_layer = 1, .n_head = 1, .key_dim = KEY_DIM, .value_dim = VALUE_DIM};
}

/* bf16 has all of them. */
static float draw(struct oy_random *random)
{
    return (float)oy_random_below(random, 257) / 64 - 2;
}

/* A sequence of n random rows. */
static void fill(struct kv_pool *pool, struct kv_sequence *sequence, size_t n,
                 float (*key)[KEY_DIM], float (*value)[VALUE_DIM])
{
    struct oy_random random = oy_random_at(1, n);
    struct oy_error err = {0};

    assert_int_equal(kv_reserve(pool, sequence, n, &err), 0);
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < KEY_DIM; j++)
            key[i][j] = draw(&random);
        for (int j = 0; j < VALUE_DIM; j++)
            value[i][j] = draw(&random);
        kv_put(pool, sequence, i, 0, 0, key[i], value[i]);
    }
    sequence->len = n;
}

static void test_rows(void **state)
{
    const double tolerance[] = {0, 1.0 / 256, 1.0 / 254};
    struct oy_random random = oy_random_at(2, 2);
    unsigned char row[4 * KEY_DIM + 4];
    float x[KEY_DIM], y[KEY_DIM];

    (void)state;
    for (int type = KV_F32; type <= KV_Q8; type++) {
        for (int i = 0; i < KEY_DIM; i++)
            x[i] = draw(&random);
        kv_row_write((enum kv_type)type, row, x, KEY_DIM);
        kv_rows_read((enum kv_type)type, row, 1, KEY_DIM, y);
        for (int i = 0; i < KEY_DIM; i++)
            assert_true(fabs(y[i] - x[i]) <= 2.01 * tolerance[type]);
        memset(x, 0, sizeof x);
        kv_row_write((enum kv_type)type, row, x, KEY_DIM);
        kv_rows_read((enum kv_type)type, row, 1, KEY_DIM, y);
        assert_memory_equal(x, y, sizeof x);
        x[3] = NAN;
        kv_row_write((enum kv_type)type, row, x, KEY_DIM);
        kv_rows_read((enum kv_type)type, row, 1, KEY_DIM, y);
        assert_true(isnan(y[3]));
    }
}

/* A state is handed on whole or not at all. */
static void test_states(void **state)
{
    struct kv_shape shape = small_shape();
    struct kv_sequence a = {0}, b = {0};
    struct oy_error err = {0};

    (void)state;
    shape.n_state = 5;
    struct kv_pool *pool = kv_pool_new(&shape);
    assert_int_equal(kv_reserve(pool, &a, 20, &err), 0);
    a.len = 20;
    a.state[4] = 7;
    assert_int_equal(kv_fork(pool, &a, 19, &b, &err), 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(kv_fork(pool, &a, 20, &b, &err), 0);
    assert_int_equal(b.len, 20);
    assert_true(b.state != a.state && b.state[4] == 7 && b.state[0] == 0);
    kv_release(pool, &a);
    kv_release(pool, &b);
    assert_int_equal(kv_used_blocks(pool), 0);
    kv_pool_free(pool);
}

static void test_tree(void **state)
{
    struct kv_shape shape = small_shape();
    struct kv_pool *pool = kv_pool_new(&shape);
    struct kv_tree *tree = kv_tree_new(pool, SIZE_MAX);
    static float key[LEN][KEY_DIM], value[LEN][VALUE_DIM];
    struct kv_sequence a = {0}, b = {0}, c = {0};
    float scratch[64 * KEY_DIM];
    int32_t id[LEN];

    (void)state;
    for (int i = 0; i < LEN; i++)
        id[i] = i;
    kv_tree_find(tree, id, 40, &a);
    assert_int_equal(a.len, 0);
    fill(pool, &a, 40, key, value);
    fill(pool, &b, 40, key, value);
    kv_tree_insert(tree, id, &a);
    kv_tree_insert(tree, id, &b);
    /* Two whole blocks; b goes on with a's. */
    assert_int_equal(kv_tree_blocks(tree), 2);
    assert_int_equal(b.block[1], a.block[1]);
    assert_int_equal(kv_tree_evict(tree, 9), 0);
    kv_release(pool, &b);
    id[25] = -1;
    kv_tree_find(tree, id, 40, &c);
    assert_int_equal(c.len, 25);
    assert_int_equal(c.block[0], a.block[0]);
    assert_memory_equal(kv_keys(pool, &c, 0, 25, 0, 0, scratch), key,
                        25 * sizeof *key);
    kv_release(pool, &a);
    assert_int_equal(kv_tree_unused(tree), 1);
    kv_release(pool, &c);
    assert_int_equal(kv_tree_unused(tree), 2);
    assert_int_equal(kv_tree_evict(tree, 1), 1);
    kv_tree_find(tree, id, 40, &c);
    assert_int_equal(c.len, 16);
    kv_release(pool, &c);
    kv_tree_free(tree);
    assert_int_equal(kv_used_blocks(pool), 0);
    kv_pool_free(pool);
}

/* The same by the definition, in double. */
static void attend_slowly(const struct attend_job *job, size_t position,
                          float (*key)[KEY_DIM], float (*value)[VALUE_DIM],
                          double *out)
{
    const float *q = job->q + (position - job->first) * job->q_stride;
    const size_t from =
        job->window && position >= job->window ? position + 1 - job->window : 0;
    double sum = job->sink ? exp(job->sink[0]) : 0;

    memset(out, 0, VALUE_DIM * sizeof *out);
    for (size_t i = from; i <= position; i++) {
        double score = 0;
        for (int j = 0; j < KEY_DIM; j++)
            score += (double)q[j] * key[i][j] * job->scale;
        if (job->soft_cap > 0)
            score = job->soft_cap * tanh(score / job->soft_cap);
        sum += exp(score);
        for (int j = 0; j < VALUE_DIM; j++)
            out[j] += exp(score) * value[i][j];
    }
    for (int j = 0; j < VALUE_DIM; j++)
        out[j] /= sum;
}

/* A cache of random rows, and the queries of its last tokens. */
struct attended {
    float key[LEN][KEY_DIM], value[LEN][VALUE_DIM];
    float q[ATTEND_QUERIES][KEY_DIM], out[ATTEND_QUERIES][VALUE_DIM];
    struct kv_pool *pool;
    struct kv_sequence sequence;
    struct gemm *gemm;
    struct attend_scratch scratch;
};

static void attended_open(struct attended *a)
{
    struct oy_error err = {0};
    struct kv_shape shape = small_shape();

    a->pool = kv_pool_new(&shape);
    a->gemm = gemm_new(NULL, NULL, &err);
    assert_non_null(a->gemm);
    fill(a->pool, &a->sequence, LEN, a->key, a->value);
    memcpy(a->q, a->key, sizeof a->q);
}

static void attended_close(struct attended *a)
{
    attend_release(&a->scratch);
    kv_release(a->pool, &a->sequence);
    kv_pool_free(a->pool);
    gemm_free(a->gemm);
}

/* With a window, a cap and a sink, or without, by the bits of `how`. */
static struct attend_job attend_job_of(struct attended *a, int how)
{
    static const float sink = 1.5f;

    return (struct attend_job){.gemm = a->gemm,
                               .kv = a->pool,
                               .sequence = &a->sequence,
                               .first = LEN - ATTEND_QUERIES,
                               .n = ATTEND_QUERIES,
                               .group = 1,
                               .scale = 0.25f,
                               .window = how & 1 ? 10 : 0,
                               .soft_cap = how & 2 ? 3 : 0,
                               .sink = how & 4 ? &sink : NULL,
                               .q = a->q[0],
                               .q_stride = KEY_DIM,
                               .out = a->out[0],
                               .out_stride = VALUE_DIM};
}

static void check_attention(struct attended *a, const struct attend_job *job,
                            double tolerance)
{
    attend(job, &a->scratch);
    for (size_t i = 0; i < ATTEND_QUERIES; i++) {
        double want[VALUE_DIM];
        attend_slowly(job, job->first + i, a->key, a->value, want);
        for (int j = 0; j < VALUE_DIM; j++)
            assert_true(fabs(want[j] - a->out[i][j]) < tolerance);
    }
}

/* A row at a time: the same bits. */
static void check_alone(struct attended *a, struct attend_job job)
{
    float out[VALUE_DIM];

    job.first += job.n - 1;
    for (size_t i = job.n; i-- > 0; job.first--) {
        job.n = 1;
        job.q = a->q[i];
        job.out = out;
        attend(&job, &a->scratch);
        assert_memory_equal(out, a->out[i], sizeof out);
    }
}

static void test_attention(void **state)
{
    static struct attended a;

    (void)state;
    attended_open(&a);
    for (int how = 0; how < 8; how++) {
        const struct attend_job job = attend_job_of(&a, how);
        check_attention(&a, &job, 1e-5);
    }
    attended_close(&a);
}

/* Weights are rounded: by a 512th of themselves at most. */
static void check_panels(const struct panel_kernel *kernel)
{
    static struct attended a;

    attended_open(&a);
    for (int how = 0; how < 8; how++) {
        struct attend_job job = attend_job_of(&a, how);
        job.panel = kernel;
        check_attention(&a, &job, 2.0 / 512);
        check_alone(&a, job);
    }
    attended_close(&a);
}

static void test_attention_by_panels(void **state)
{
    (void)state;
    check_panels(&panel_plain);
#ifdef __x86_64__
    if (oy_cpu_level() >= OY_CPU_AVX2)
        check_panels(&panel_avx2);
    if (oy_cpu_level() >= OY_CPU_AVX512BF16)
        check_panels(&panel_avx512bf16);
    if (oy_cpu_level() >= OY_CPU_AMX)
        check_panels(&panel_amx);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_attention_by_panels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/engine and model/kv: a row's bits are its own. */
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

#include "core/alloc.h"
#include "core/random.h"
#include "model/engine.h"
#include "model/safetensors.h"

enum { VOCAB = 67, LEN = 300 };

struct fixture {
    struct weight_layout layout;
    float *weights;
    struct oy_pool *pool;
    struct engine *engine;
    int32_t id[LEN];
    float *want; /* [LEN][dim]: states of one whole pass */
};

static size_t dim_of(const struct fixture *f)
{
    return (size_t)f->layout.config.dim;
}

static void open_fixture(struct fixture *f, const char *preset, int n_thread)
{
    struct decoder_config config;
    struct oy_error err = {0};
    struct oy_random random = oy_random_at(1, 2);

    assert_int_equal(config_preset(&config, preset), 0);
    config.n_vocab = VOCAB;
    config.n_layer = 2;
    config.dim = 48;
    config.n_hidden = 80;
    assert_int_equal(weight_layout_init(&f->layout, &config, &err), 0);
    f->weights = weights_new(&f->layout, &err);
    weights_init_random(&f->layout, f->weights, 3);
    for (size_t i = 0; i < f->layout.n_float; i++)
        f->weights[i] *= 8; /* so that attention is not flat */
    f->pool = oy_pool_new(n_thread, &err);
    f->engine = engine_new(&f->layout, f->weights, NULL, 0, f->pool, &err);
    assert_non_null(f->engine);
    for (int i = 0; i < LEN; i++)
        f->id[i] = (int32_t)oy_random_below(&random, VOCAB);
}

static void close_fixture(struct fixture *f)
{
    assert_int_equal(kv_used_blocks(engine_kv(f->engine)), 0);
    engine_free(f->engine);
    oy_pool_free(f->pool);
    oy_free(f->weights);
    oy_free(f->want);
    weight_layout_release(&f->layout);
}

/* Appends id[from .. to-1] in pieces of `step`; all states into hidden. */
static void feed(struct fixture *f, struct kv_sequence *sequence, size_t from,
                 size_t to, size_t step, float *hidden)
{
    uint8_t wanted[LEN];
    struct oy_error err = {0};

    memset(wanted, 1, sizeof wanted);
    for (size_t at = from; at < to; at += step) {
        const size_t n = to - at < step ? to - at : step;
        const struct engine_piece piece = {sequence, f->id + at, n, wanted};
        assert_int_equal(engine_run(f->engine, &piece, 1,
                                    hidden + (at - from) * dim_of(f), &err),
                         0);
    }
}

static void make_want(struct fixture *f)
{
    struct kv_sequence sequence = {0};

    f->want = oy_calloc(LEN * dim_of(f), sizeof *f->want);
    feed(f, &sequence, 0, LEN, LEN, f->want);
    assert_int_equal(sequence.len, LEN);
    kv_release(engine_kv(f->engine), &sequence);
    for (size_t i = 0; i < LEN * dim_of(f); i++)
        assert_true(isfinite(f->want[i]));
}

static void assert_states(const struct fixture *f, const float *got,
                          size_t from, size_t n)
{
    assert_memory_equal(got, f->want + from * dim_of(f),
                        n * dim_of(f) * sizeof *got);
}

static void check_pieces(const char *preset)
{
    static const size_t steps[] = {1, 7, 16, 33, 64, 250, 257};
    struct fixture f = {0};

    open_fixture(&f, preset, 2);
    make_want(&f);
    float *got = oy_calloc(LEN * dim_of(&f), sizeof *got);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct kv_sequence sequence = {0};
        feed(&f, &sequence, 0, LEN, steps[i], got);
        assert_states(&f, got, 0, LEN);
        kv_release(engine_kv(f.engine), &sequence);
    }
    oy_free(got);
    close_fixture(&f);
}

static void test_pieces(void **state)
{
    (void)state;
    check_pieces("tiny");
    check_pieces("minimind-64m");
}

static void test_threads(void **state)
{
    struct fixture one = {0}, three = {0};

    (void)state;
    open_fixture(&one, "tiny", 1);
    open_fixture(&three, "tiny", 3);
    make_want(&one);
    make_want(&three);
    assert_memory_equal(one.want, three.want,
                        LEN * dim_of(&one) * sizeof(float));
    close_fixture(&one);
    close_fixture(&three);
}

/* Many sequences of one prefix, cut anywhere, all in one pass; the blocks lie
 * scattered because every second sequence goes first. */
static void test_forks(void **state)
{
    enum { N = 12 };
    static const size_t cut[N] = {0,   1,   15,  16,  17,  100,
                                  128, 255, 256, 257, 290, 299};
    struct fixture f = {0};
    struct kv_sequence root = {0}, branch[N] = {{0}};
    struct engine_piece piece[N];
    struct oy_error err = {0};
    uint8_t wanted[LEN];
    size_t at = 0;

    (void)state;
    open_fixture(&f, "tiny", 2);
    make_want(&f);
    struct kv_pool *kv = engine_kv(f.engine);
    float *got = oy_calloc(N * LEN * dim_of(&f), sizeof *got);
    memset(wanted, 1, sizeof wanted);
    feed(&f, &root, 0, LEN, 40, got);
    for (int i = 0; i < N; i++)
        assert_int_equal(kv_fork(kv, &root, cut[i], &branch[i], &err), 0);
    kv_release(kv, &root);
    for (int i = 0; i < N; i++)
        piece[i] = (struct engine_piece){&branch[i], f.id + cut[i],
                                         LEN - cut[i], wanted};
    assert_int_equal(engine_run(f.engine, piece, N, got, &err), 0);
    for (int i = 0; i < N; i++) {
        assert_states(&f, got + at * dim_of(&f), cut[i], LEN - cut[i]);
        at += LEN - cut[i];
        kv_release(kv, &branch[i]);
    }
    oy_free(got);
    close_fixture(&f);
}

static void keep_row(void *arg, size_t row, float *logits, int worker)
{
    (void)worker;
    memcpy((float *)arg + row * VOCAB, logits, VOCAB * sizeof *logits);
}

static void test_logits(void **state)
{
    struct fixture f = {0};
    struct oy_error err = {0};

    (void)state;
    open_fixture(&f, "tiny", 2);
    make_want(&f);
    float *all = oy_calloc(LEN * VOCAB, sizeof *all);
    float *one = oy_calloc(VOCAB, sizeof *one);
    assert_int_equal(engine_logits(f.engine, f.want, LEN, keep_row, all, &err),
                     0);
    for (size_t i = 0; i < LEN; i += 13) {
        assert_int_equal(engine_logits(f.engine, f.want + i * dim_of(&f), 1,
                                       keep_row, one, &err),
                         0);
        assert_memory_equal(one, all + i * VOCAB, VOCAB * sizeof *one);
    }
    oy_free(all);
    oy_free(one);
    close_fixture(&f);
}

/* Only the rows that are asked for come, in order. */
static void test_wanted(void **state)
{
    struct fixture f = {0};
    struct kv_sequence a = {0}, b = {0};
    struct oy_error err = {0};
    uint8_t wanted[20] = {0};
    float got[3 * 48];

    (void)state;
    open_fixture(&f, "tiny", 1);
    make_want(&f);
    wanted[3] = wanted[11] = 1;
    const struct engine_piece piece[] = {{&a, f.id, 20, wanted},
                                         {&b, f.id, 5, NULL}};
    assert_int_equal(engine_run(f.engine, piece, 2, got, &err), 0);
    assert_states(&f, got, 3, 1);
    assert_states(&f, got + dim_of(&f), 11, 1);
    assert_states(&f, got + 2 * dim_of(&f), 4, 1);
    kv_release(engine_kv(f.engine), &a);
    kv_release(engine_kv(f.engine), &b);
    close_fixture(&f);
}

static void test_budget(void **state)
{
    struct decoder_config config;
    struct kv_sequence a = {0}, b = {0};
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(config_preset(&config, "tiny"), 0);
    struct kv_shape shape = kv_shape_of(&config);
    struct kv_pool *probe = kv_pool_new(&shape);
    const uint64_t slab =
        (uint64_t)kv_token_bytes(probe) * KV_BLOCK * KV_SLAB_BLOCKS;
    kv_pool_free(probe);
    shape.max_bytes = slab;
    struct kv_pool *pool = kv_pool_new(&shape);
    assert_int_equal(kv_reserve(pool, &a, KV_BLOCK * KV_SLAB_BLOCKS, &err), 0);
    assert_int_equal(kv_reserve(pool, &b, 1, &err), -1);
    assert_int_equal(err.code, OY_SYSTEM);
    assert_int_equal(kv_memory(pool), slab);
    kv_release(pool, &a);
    assert_int_equal(kv_reserve(pool, &b, 1, &err), 0);
    kv_release(pool, &b);
    assert_int_equal(kv_used_blocks(pool), 0);
    kv_pool_free(pool);
    kv_pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_forks),  cmocka_unit_test(test_logits),
        cmocka_unit_test(test_wanted), cmocka_unit_test(test_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

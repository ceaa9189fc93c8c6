/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/batch: thousands of random schedules, and every request has
 * the bits that it has alone.
 *
 * Ten thousand with OYSTER_SLOW, else a tenth of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "model/batch.h"
#include "tests/unit/model_fixture.h"

enum {
    N_TEXT = 40, /* token sequences that requests are parts of */
    SHORT = 90,
    LONG = 290, /* more than a tile of attention */
    N_TYPE = 3,
    MAX_REQUESTS = 12,
    N_SCHEDULES = 10000,
};

/* A text and the logits behind each of its tokens, computed alone. */
struct text {
    int32_t id[LONG];
    size_t n;
    float *want[N_TYPE]; /* [n][FIXTURE_VOCAB] */
};

struct world {
    struct model_fixture fixture;
    struct oy_pool *pool[3]; /* of 1, 2, 3 threads */
    struct text text[N_TEXT];
};

/* ---- what is right ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Begins as an earlier text does, or anew. */
static void make_text(struct world *world, int i)
{
    struct oy_random random = oy_random_at(11, (uint64_t)i);
    struct text *text = &world->text[i];
    size_t shared = 0;

    text->n = i % 10 == 9 ? LONG : 1 + oy_random_below(&random, SHORT);
    if (i && oy_random_below(&random, 4)) {
        const struct text *other =
            &world->text[oy_random_below(&random, (uint64_t)i)];
        shared = oy_random_below(&random, smaller(text->n, other->n) + 1);
        memcpy(text->id, other->id, shared * sizeof *text->id);
    }
    for (size_t at = shared; at < text->n; at++)
        text->id[at] = (int32_t)oy_random_below(&random, FIXTURE_VOCAB);
}

static void keep_row(void *arg, size_t row, float *logits, int worker)
{
    (void)worker;
    memcpy((float *)arg + row * FIXTURE_VOCAB, logits,
           FIXTURE_VOCAB * sizeof *logits);
}

static struct engine *new_engine(const struct world *world, int n_thread,
                                 uint64_t kv_bytes, enum kv_type type)
{
    struct oy_error err = {0};
    struct engine *engine =
        engine_new(&world->fixture.layout, world->fixture.weights, NULL,
                   kv_bytes, world->pool[n_thread - 1], &err);

    assert_non_null(engine);
    engine_set_kv_type(engine, type);
    return engine;
}

static void make_want(struct world *world, enum kv_type type)
{
    struct engine *engine = new_engine(world, 1, 0, type);
    const size_t dim = (size_t)engine_config(engine)->dim;
    float *hidden = oy_calloc(LONG * dim, sizeof *hidden);
    uint8_t wanted[LONG];
    struct oy_error err = {0};

    memset(wanted, 1, sizeof wanted);
    for (int i = 0; i < N_TEXT; i++) {
        struct text *text = &world->text[i];
        struct kv_sequence sequence = {0};
        const struct engine_piece piece = {&sequence, text->id, text->n,
                                           wanted};
        text->want[type] = oy_calloc(text->n, FIXTURE_VOCAB * sizeof(float));
        assert_int_equal(engine_run(engine, &piece, 1, hidden, &err), 0);
        assert_int_equal(engine_logits(engine, hidden, text->n, keep_row,
                                       text->want[type], &err),
                         0);
        kv_release(engine_kv(engine), &sequence);
    }
    oy_free(hidden);
    engine_free(engine);
}

static int open_world(void **state)
{
    struct world *world = oy_calloc(1, sizeof *world);
    struct oy_error err = {0};

    *state = world;
    model_fixture_open(&world->fixture, 0, 1);
    for (int i = 0; i < 3; i++) {
        world->pool[i] = oy_pool_new(i + 1, &err);
        assert_non_null(world->pool[i]);
    }
    for (int i = 0; i < N_TEXT; i++)
        make_text(world, i);
    for (int type = 0; type < N_TYPE; type++)
        make_want(world, (enum kv_type)type);
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < N_TEXT; i++) {
        for (int type = 0; type < N_TYPE; type++)
            oy_free(world->text[i].want[type]);
    }
    for (int i = 0; i < 3; i++)
        oy_pool_free(world->pool[i]);
    model_fixture_close(&world->fixture);
    oy_free(world);
    return 0;
}

/* ---- requests ---- */

/* A request that generates what its text goes on with. */
struct ask {
    const struct text *text;
    enum kv_type type;
    struct batch_request request;
    uint8_t n_seen[LONG]; /* by position */
    uint8_t is_wrong[LONG];
    size_t n_new;
    int n_done;
};

static void see(void *arg, size_t position, float *logits, int worker)
{
    struct ask *ask = arg;
    const float *want = ask->text->want[ask->type] + position * FIXTURE_VOCAB;

    (void)worker;
    ask->n_seen[position]++;
    ask->is_wrong[position] =
        memcmp(logits, want, FIXTURE_VOCAB * sizeof *want) != 0;
    memset(logits, 0, FIXTURE_VOCAB * sizeof *logits);
}

static int32_t go_on(void *arg)
{
    struct ask *ask = arg;
    const size_t at = ask->request.n + ask->n_new;

    if (at >= ask->text->n)
        return BATCH_END;
    ask->n_new++;
    return ask->text->id[at];
}

static void finish(void *arg)
{
    ((struct ask *)arg)->n_done++;
}

static void make_ask(struct world *world, struct oy_random *random,
                     enum kv_type type, struct ask *ask)
{
    const struct text *text = &world->text[oy_random_below(random, N_TEXT)];
    const size_t most = oy_random_below(random, 2) ? text->n : 12;
    const size_t n = 1 + oy_random_below(random, smaller(text->n, most));

    *ask = (struct ask){.text = text, .type = type};
    ask->request = (struct batch_request){
        .id = text->id,
        .n = n,
        .first =
            oy_random_below(random, 2) ? n - 1 : oy_random_below(random, n),
        .max_new = oy_random_below(random, smaller(text->n - n, 90) + 1),
        .row = see,
        .next = go_on,
        .done = finish,
        .arg = ask};
}

static void check_ask(const struct ask *ask)
{
    const size_t end = ask->request.n + ask->request.max_new;

    assert_int_equal(ask->n_done, 1);
    for (size_t at = 0; at < ask->text->n; at++) {
        assert_int_equal(ask->n_seen[at], at >= ask->request.first && at < end);
        assert_false(ask->is_wrong[at]);
    }
}

/* ---- schedules ---- */

struct schedule {
    struct ask ask[MAX_REQUESTS];
    size_t n;
    enum kv_type type;
    uint64_t kv_bytes;
    int n_thread;
    struct batch_options options;
};

static uint64_t block_bytes(const struct world *world, enum kv_type type)
{
    struct kv_shape shape = kv_shape_of(&world->fixture.layout.config);

    shape.type = type;
    struct kv_pool *pool = kv_pool_new(&shape);
    const uint64_t bytes = KV_BLOCK * kv_token_bytes(pool);
    kv_pool_free(pool);
    return bytes;
}

/* From the least that the longest request needs. */
static uint64_t make_budget(const struct world *world,
                            const struct schedule *schedule,
                            struct oy_random *random)
{
    size_t most = 0;

    if (!oy_random_below(random, 4))
        return 0;
    for (size_t i = 0; i < schedule->n; i++) {
        const struct batch_request *r = &schedule->ask[i].request;
        const size_t need = (r->n + r->max_new + KV_BLOCK - 1) / KV_BLOCK;
        most = need > most ? need : most;
    }
    return (most + oy_random_below(random, 2 * most + 4)) *
           block_bytes(world, schedule->type);
}

static void make_schedule(struct world *world, uint64_t number,
                          struct schedule *schedule)
{
    struct oy_random random = oy_random_at(5, number);

    schedule->type = (enum kv_type)oy_random_below(&random, N_TYPE);
    schedule->n = 1 + oy_random_below(&random, MAX_REQUESTS);
    for (size_t i = 0; i < schedule->n; i++)
        make_ask(world, &random, schedule->type, &schedule->ask[i]);
    schedule->kv_bytes = make_budget(world, schedule, &random);
    schedule->n_thread = 1 + (int)oy_random_below(&random, 3);
    schedule->options = (struct batch_options){
        .n_rows = oy_random_below(&random, 3) ? 8 + oy_random_below(&random, 60)
                                              : oy_random_below(&random, 2) * 3,
        .n_running = oy_random_below(&random, 7),
        .no_tree = oy_random_below(&random, 4) == 0};
}

/* Some requests come at once, some while others run. */
static struct batch_counts run_schedule(struct world *world, uint64_t number,
                                        struct schedule *schedule)
{
    struct oy_random random = oy_random_at(6, number);
    struct engine *engine = new_engine(world, schedule->n_thread,
                                       schedule->kv_bytes, schedule->type);
    struct batch *batch = batch_new(engine, &schedule->options);
    struct oy_error err = {0};
    size_t next = 0;
    int status = 1;

    while (status > 0 || next < schedule->n) {
        while (next < schedule->n && oy_random_below(&random, 3))
            assert_int_equal(
                batch_add(batch, &schedule->ask[next++].request, &err), 0);
        status = batch_step(batch, &err);
        assert_true(status >= 0);
        assert_true(!schedule->kv_bytes ||
                    kv_memory(engine_kv(engine)) <= schedule->kv_bytes);
    }
    const struct batch_counts counts = batch_counts(batch);
    batch_free(batch);
    assert_int_equal(kv_used_blocks(engine_kv(engine)), 0);
    engine_free(engine);
    return counts;
}

static void test_schedules(void **state)
{
    struct world *world = *state;
    struct schedule *schedule = oy_calloc(1, sizeof *schedule);
    const uint64_t n = getenv("OYSTER_SLOW") ? N_SCHEDULES : N_SCHEDULES / 10;
    struct batch_counts sum = {0};

    for (uint64_t i = 0; i < n; i++) {
        make_schedule(world, i, schedule);
        const struct batch_counts counts = run_schedule(world, i, schedule);
        for (size_t j = 0; j < schedule->n; j++)
            check_ask(&schedule->ask[j]);
        sum.n_pass += counts.n_pass;
        sum.n_row += counts.n_row;
        sum.n_reused += counts.n_reused;
        sum.n_preempted += counts.n_preempted;
    }
    print_message("%llu schedules: %llu passes, %llu rows, %llu reused, "
                  "%llu requests stopped\n",
                  (unsigned long long)n, (unsigned long long)sum.n_pass,
                  (unsigned long long)sum.n_row,
                  (unsigned long long)sum.n_reused,
                  (unsigned long long)sum.n_preempted);
    assert_true(sum.n_preempted > n / 10 && sum.n_reused > sum.n_row / 20);
    oy_free(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedules),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}

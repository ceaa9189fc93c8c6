/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of model/generate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model/generate.h"
#include "tests/unit/model_fixture.h"

enum { N = 90, PROMPT = 420 };

static int32_t prompt[PROMPT];

static struct generate_options sampled(void)
{
    struct generate_options options = {.max_tokens = 12, .seed = 7};

    sampler_options_init(&options.sampler);
    options.sampler.temperature = 0.9;
    options.sampler.top_k = 20;
    return options;
}

static void make_jobs(struct generate_job *job)
{
    struct oy_random random = oy_random_at(3, 3);

    for (int i = 0; i < PROMPT; i++)
        prompt[i] = (int32_t)oy_random_below(&random, FIXTURE_VOCAB);
    for (size_t i = 0; i < N; i++)
        job[i] = (struct generate_job){.prompt = prompt + i / 3,
                                       .n_prompt = i % 9 == 0 ? 390 : 5,
                                       .record = i / 3,
                                       .sample = i % 3};
}

static void release_jobs(struct generate_job *job)
{
    for (size_t i = 0; i < N; i++)
        generate_job_release(&job[i]);
}

static void test_together_is_alone(void **state)
{
    const struct generate_options options = sampled();
    static struct generate_job together[N], alone[N];
    struct model_fixture f = {0};
    struct oy_error err = {0};

    (void)state;
    model_fixture_open(&f, 0, 2);
    make_jobs(together);
    make_jobs(alone);
    assert_int_equal(generate_run(f.engine, NULL, &options, together, N, &err),
                     0);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(
            generate_run(f.engine, NULL, &options, &alone[i], 1, &err), 0);
        assert_int_equal(together[i].ids.n, 12);
        assert_int_equal(together[i].finish, GENERATE_LENGTH);
        assert_int_equal(alone[i].ids.n, 12);
        assert_memory_equal(together[i].ids.id, alone[i].ids.id,
                            12 * sizeof(int32_t));
    }
    /* Samples of a prompt differ. */
    assert_memory_not_equal(together[1].ids.id, together[2].ids.id,
                            12 * sizeof(int32_t));
    release_jobs(together);
    release_jobs(alone);
    model_fixture_close(&f);
}

static void test_end_tokens(void **state)
{
    struct generate_options options = sampled();
    struct model_fixture f = {0};
    struct generate_job job = {.prompt = prompt, .n_prompt = 4};
    struct oy_error err = {0};

    (void)state;
    model_fixture_open(&f, 0, 1);
    options.sampler.temperature = 0;
    assert_int_equal(generate_run(f.engine, NULL, &options, &job, 1, &err), 0);
    const int32_t third = job.ids.id[2];
    size_t first = 0;
    while (job.ids.id[first] != third)
        first++;
    generate_job_release(&job);
    f.layout.config.eos_id[0] = third;
    f.layout.config.n_eos = 1;
    job = (struct generate_job){.prompt = prompt, .n_prompt = 4};
    assert_int_equal(generate_run(f.engine, NULL, &options, &job, 1, &err), 0);
    assert_int_equal(job.ids.n, first);
    assert_int_equal(job.finish, GENERATE_STOP);
    generate_job_release(&job);
    options.ignore_eos = 1;
    job =
        (struct generate_job){.prompt = prompt, .n_prompt = 4, .max_tokens = 5};
    assert_int_equal(generate_run(f.engine, NULL, &options, &job, 1, &err), 0);
    assert_int_equal(job.ids.n, 5);
    assert_int_equal(job.finish, GENERATE_LENGTH);
    generate_job_release(&job);
    model_fixture_close(&f);
}

/* The model's last position is an end too. */
static void test_position_limit(void **state)
{
    const struct generate_options options = sampled();
    struct model_fixture f = {0};
    struct oy_error err = {0};

    (void)state;
    model_fixture_open(&f, 0, 1);
    f.layout.config.max_position = 8;
    for (size_t n = 6; n <= 8; n++) {
        struct generate_job job = {.prompt = prompt, .n_prompt = n};
        assert_int_equal(generate_run(f.engine, NULL, &options, &job, 1, &err),
                         0);
        assert_int_equal(job.ids.n, 8 - n);
        assert_int_equal(job.finish, GENERATE_LENGTH);
        generate_job_release(&job);
    }
    model_fixture_close(&f);
}

/* A turn computes what the one before did not: the token that was said last
 * and what came behind it. */
static void test_turns(void **state)
{
    const struct generate_options options = sampled();
    int32_t said[80];
    struct model_fixture f = {0};
    struct oy_error err = {0};
    uint64_t before = 0;
    size_t n = 21;

    (void)state;
    model_fixture_open(&f, 0, 2);
    for (size_t i = 0; i < 80; i++)
        said[i] = (int32_t)(i * 31 % FIXTURE_VOCAB);
    struct generator *generator = generator_new(f.engine, NULL);
    for (int turn = 0; turn < 3; turn++) {
        struct generate_job job = {.prompt = said, .n_prompt = n};
        struct generate_job alone = job;
        assert_int_equal(generator_run(generator, &options, &job, 1, &err), 0);
        assert_int_equal(
            generate_run(f.engine, NULL, &options, &alone, 1, &err), 0);
        assert_memory_equal(job.ids.id, alone.ids.id, 12 * sizeof(int32_t));
        assert_int_equal(generator_count(generator) - before,
                         turn ? 1 + 5 + 11 : 21 + 11);
        before = generator_count(generator);
        memcpy(said + n, job.ids.id, 12 * sizeof *said);
        n += 12 + 5;
        generate_job_release(&job);
        generate_job_release(&alone);
    }
    generator_free(generator);
    model_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together_is_alone),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_end_tokens),
        cmocka_unit_test(test_position_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

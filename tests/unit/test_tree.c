/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of eval/tree: shared beginnings change nothing but the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "eval/tree.h"
#include "tests/unit/model_fixture.h"

enum { N = 60, MAX = 90, TOP = 3 };

struct set {
    int32_t id[N][MAX + 1];
    float logprob[N][MAX];
    uint8_t greedy[N][MAX];
    int32_t top_id[N][MAX * TOP];
    float top[N][MAX * TOP];
    float logits[N][MAX * FIXTURE_VOCAB];
    struct tree_sequence sequence[N];
};

/* Sequences that branch off earlier ones at random places; some are equal,
 * some are the beginning of others, some are split elsewhere. */
static void make_set(struct set *set, uint64_t seed)
{
    struct oy_random random = oy_random_at(seed, 0);

    for (size_t i = 0; i < N; i++) {
        const size_t from = i ? (size_t)oy_random_below(&random, i) : 0;
        const size_t n = 1 + (size_t)oy_random_below(&random, MAX);
        const size_t common = (size_t)oy_random_below(&random, MAX + 1);
        for (size_t k = 0; k <= MAX; k++)
            set->id[i][k] = k < common && i
                                ? set->id[from][k]
                                : (int32_t)oy_random_below(&random, 5);
        set->sequence[i] = (struct tree_sequence){
            .id = set->id[i],
            .n = n,
            .n_scored = 1 + (size_t)oy_random_below(&random, n),
            .logprob = set->logprob[i],
            .greedy = set->greedy[i],
            .top_id = set->top_id[i],
            .top_logprob = set->top[i],
            .logits = set->logits[i]};
    }
}

static void count_rows(void *arg, uint64_t n_row)
{
    *(uint64_t *)arg += n_row;
}

static void assert_equal_sets(const struct set *a, const struct set *b)
{
    for (size_t i = 0; i < N; i++) {
        const size_t n = a->sequence[i].n_scored;
        assert_memory_equal(a->logprob[i], b->logprob[i], n * sizeof(float));
        assert_memory_equal(a->greedy[i], b->greedy[i], n);
        assert_memory_equal(a->top_id[i], b->top_id[i],
                            n * TOP * sizeof(int32_t));
        assert_memory_equal(a->top[i], b->top[i], n * TOP * sizeof(float));
        assert_memory_equal(a->logits[i], b->logits[i],
                            n * FIXTURE_VOCAB * sizeof(float));
    }
}

static void check_numbers(const struct set *set)
{
    for (size_t i = 0; i < N; i++) {
        const struct tree_sequence *s = &set->sequence[i];
        for (size_t k = 0; k < s->n_scored; k++) {
            const float *z = s->logits + k * FIXTURE_VOCAB;
            const int32_t target = s->id[s->n - s->n_scored + 1 + k];
            double sum = 0;
            size_t best = 0;
            for (size_t v = 0; v < FIXTURE_VOCAB; v++) {
                sum += exp((double)z[v]);
                best = z[v] > z[best] ? v : best;
            }
            assert_true(fabs(z[target] - log(sum) - s->logprob[k]) < 1e-4);
            assert_int_equal(s->greedy[k], (size_t)target == best);
            assert_int_equal(s->top_id[k * TOP], best);
            assert_true(s->top_logprob[k * TOP] >= s->top_logprob[k * TOP + 1]);
        }
    }
}

static int score(struct model_fixture *f, struct tree_sequence *sequence,
                 size_t n, const struct tree_options *options,
                 struct oy_error *err)
{
    struct batch *batch = batch_new(f->engine, NULL);
    const int status = tree_score(batch, sequence, n, options, err);

    batch_free(batch);
    return status;
}

static void test_together_is_alone(void **state)
{
    struct set *together = oy_calloc(1, sizeof *together);
    struct set *alone = oy_calloc(1, sizeof *alone);
    struct model_fixture f = {0};
    struct oy_error err = {0};
    uint64_t n_row = 0;
    const struct tree_options options = {
        .n_top = TOP, .progress = count_rows, .arg = &n_row};

    (void)state;
    model_fixture_open(&f, 0, 2);
    for (uint64_t seed = 0; seed < 4; seed++) {
        memset(together, 0, sizeof *together);
        memset(alone, 0, sizeof *alone);
        make_set(together, seed);
        make_set(alone, seed);
        n_row = 0;
        assert_int_equal(score(&f, together->sequence, N, &options, &err), 0);
        assert_int_equal(n_row, tree_count(together->sequence, N));
        for (size_t i = 0; i < N; i++)
            assert_int_equal(score(&f, &alone->sequence[i], 1, &options, &err),
                             0);
        for (size_t i = 0; i < N; i++)
            assert_true(together->sequence[i].is_done);
        assert_equal_sets(together, alone);
        check_numbers(together);
    }
    model_fixture_close(&f);
    oy_free(together);
    oy_free(alone);
}

static void test_count(void **state)
{
    const int32_t a[] = {1, 2, 3, 4, 9}, b[] = {1, 2, 5, 9}, c[] = {1, 2, 3, 9};
    const struct tree_sequence sequence[] = {{.id = a, .n = 4},
                                             {.id = b, .n = 3},
                                             {.id = c, .n = 3},
                                             {.id = a, .n = 4}};

    (void)state;
    assert_int_equal(tree_count(sequence, 4), 5);
    assert_int_equal(tree_count(sequence, 0), 0);
}

/* Little memory makes more work, not other numbers, down to what the longest
 * sequence needs; less is told before work begins. */
static void test_budget(void **state)
{
    const uint64_t longest = (MAX + KV_BLOCK - 1) / KV_BLOCK;
    struct set *wide = oy_calloc(1, sizeof *wide);
    struct set *narrow = oy_calloc(1, sizeof *narrow);
    struct model_fixture f = {0}, g = {0};
    struct oy_error err = {0};
    uint64_t n_row, n_most = 0;
    const struct tree_options options = {
        .n_top = TOP, .progress = count_rows, .arg = &n_row};

    (void)state;
    model_fixture_open(&f, 0, 1);
    const uint64_t block =
        (uint64_t)kv_token_bytes(engine_kv(f.engine)) * KV_BLOCK;
    make_set(wide, 9);
    wide->sequence[7].n = MAX;
    wide->sequence[7].n_scored = 1;
    assert_int_equal(score(&f, wide->sequence, N, &options, &err), 0);
    const uint64_t n_count = tree_count(wide->sequence, N);
    for (uint64_t n = longest - 1; n <= longest + 20; n++) {
        memset(narrow, 0, sizeof *narrow);
        make_set(narrow, 9);
        narrow->sequence[7].n = MAX;
        narrow->sequence[7].n_scored = 1;
        model_fixture_open(&g, n * block, 1);
        n_row = 0;
        const int status = score(&g, narrow->sequence, N, &options, &err);
        assert_int_equal(status, n < longest ? -1 : 0);
        if (status) {
            assert_int_equal(err.code, OY_SYSTEM);
            assert_int_equal(n_row, 0);
        } else {
            assert_equal_sets(wide, narrow);
            assert_true(n_row >= n_count);
        }
        n_most = n_row > n_most ? n_row : n_most;
        model_fixture_close(&g);
    }
    assert_true(n_most > n_count);
    model_fixture_close(&f);
    oy_free(wide);
    oy_free(narrow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together_is_alone),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Mixtures of experts against the same sums in double.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/random.h"
#include "model/moe.h"

enum { DIM = 20, E = 8, I = 12, SHARED = 17, ROWS = 37 };

struct fixture {
    float router[E * DIM], router_bias[E], correction[E];
    float gate_up[E * 2 * I * DIM], gate_up_bias[E * 2 * I];
    float down[E * DIM * I], down_bias[E * DIM];
    float shared_gate_up[2 * SHARED * DIM], shared_down[DIM * SHARED];
    float shared_expert_gate[DIM];
    float x[ROWS * DIM];
};

static void fill(struct fixture *f)
{
    struct oy_random random = oy_random_at(11, 0);
    float *all = (float *)f;

    for (size_t i = 0; i < sizeof *f / sizeof *all; i++)
        all[i] = (float)oy_random_normal(&random) * 0.5f;
}

static struct moe_weights all_weights(const struct fixture *f)
{
    return (struct moe_weights){
        .router = f->router,
        .router_bias = f->router_bias,
        .correction = f->correction,
        .gate_up = f->gate_up,
        .gate_up_bias = f->gate_up_bias,
        .down = f->down,
        .down_bias = f->down_bias,
        .shared_gate_up = f->shared_gate_up,
        .shared_down = f->shared_down,
        .shared_expert_gate = f->shared_expert_gate,
    };
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double product(const float *w, const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += w[i] * x[i];
    return sum;
}

static double activation(const struct moe_config *moe, double g, double u)
{
    if (!moe->is_clamped)
        return g * sigmoid(g) * u;
    g = fmin(g, moe->clamp);
    u = fmax(fmin(u, moe->clamp), -moe->clamp);
    return (u + 1) * g * sigmoid(moe->gate_alpha * g);
}

struct mlp {
    const float *gate_up, *up_bias, *down, *down_bias; /* biases: or NULL */
    size_t n;
};

/* y += a times an MLP, in double. */
static void add_mlp(const struct moe_config *moe, const struct mlp *mlp,
                    const double *x, double a, double *y)
{
    const size_t n = mlp->n;
    const float *up_bias = mlp->up_bias, *down_bias = mlp->down_bias;
    double inner[SHARED];

    for (size_t i = 0; i < n; i++) {
        const double g = product(mlp->gate_up + i * DIM, x, DIM);
        const double u = product(mlp->gate_up + (n + i) * DIM, x, DIM);
        inner[i] = activation(moe, g + (up_bias ? up_bias[i] : 0),
                              u + (up_bias ? up_bias[n + i] : 0));
    }
    for (size_t i = 0; i < DIM; i++)
        y[i] += a * (product(mlp->down + i * n, inner, n) +
                     (down_bias ? down_bias[i] : 0));
}

static struct mlp expert(const struct moe_weights *w, size_t e)
{
    return (struct mlp){w->gate_up + e * 2 * I * DIM,
                        w->gate_up_bias ? w->gate_up_bias + e * 2 * I : NULL,
                        w->down + e * DIM * I,
                        w->down_bias ? w->down_bias + e * DIM : NULL, I};
}

/* What a row's experts should say, when the choice is known. */
static void expect_row(const struct moe_config *moe,
                       const struct moe_weights *w, const float *row,
                       const int32_t *chosen, const float *weight, double *y)
{
    double x[DIM];

    for (size_t i = 0; i < DIM; i++)
        x[i] = row[i];
    memset(y, 0, DIM * sizeof *y);
    for (int i = 0; i < moe->n_used; i++) {
        const struct mlp mlp = expert(w, (size_t)chosen[i]);
        add_mlp(moe, &mlp, x, weight[i], y);
    }
    if (!moe->n_shared_hidden)
        return;
    const struct mlp shared = {w->shared_gate_up, NULL, w->shared_down, NULL,
                               SHARED};
    const float *gate = w->shared_expert_gate;
    add_mlp(moe, &shared, x, gate ? sigmoid(product(gate, x, DIM)) : 1, y);
}

struct machine {
    struct oy_pool *pool;
    struct gemm *gemm;
    struct moe_scratch scratch;
};

static void open_machine(struct machine *machine)
{
    struct oy_error err = {0};

    *machine = (struct machine){.pool = oy_pool_new(2, &err)};
    machine->gemm = gemm_new(NULL, machine->pool, &err);
    assert_non_null(machine->gemm);
}

static void close_machine(struct machine *machine)
{
    moe_release(&machine->scratch);
    gemm_free(machine->gemm);
    oy_pool_free(machine->pool);
}

static void run(struct machine *machine, const struct moe_config *moe,
                const struct moe_weights *w, size_t n, const float *x, float *y)
{
    struct oy_error err = {0};
    const struct moe_job job = {.config = moe,
                                .weights = w,
                                .gemm = machine->gemm,
                                .dim = DIM,
                                .n_row = n,
                                .x = x,
                                .y = y};

    assert_int_equal(moe_run(&job, &machine->scratch, &err), 0);
}

/* All rows at once, against double; then each alone: the same bits. */
static void check(const struct moe_config *moe, const struct moe_weights *w,
                  const float *x)
{
    struct machine machine;
    float y[ROWS * DIM], alone[DIM];
    double want[DIM];

    open_machine(&machine);
    run(&machine, moe, w, ROWS, x, y);
    for (size_t i = 0; i < ROWS; i++) {
        expect_row(moe, w, x + i * DIM,
                   machine.scratch.chosen + i * (size_t)moe->n_used,
                   machine.scratch.weight + i * (size_t)moe->n_used, want);
        for (size_t j = 0; j < DIM; j++)
            assert_true(fabs(y[i * DIM + j] - want[j]) < 2e-5);
    }
    for (size_t i = 0; i < ROWS; i++) {
        run(&machine, moe, w, 1, x + i * DIM, alone);
        assert_memory_equal(alone, y + i * DIM, sizeof alone);
    }
    close_machine(&machine);
}

static void test_plain_experts(void **state)
{
    static struct fixture f;
    const struct moe_config moe = {
        .router = ROUTER_SOFTMAX, .n_expert = E, .n_used = 3, .n_hidden = I};
    struct moe_weights w;

    (void)state;
    fill(&f);
    w = (struct moe_weights){
        .router = f.router, .gate_up = f.gate_up, .down = f.down};
    check(&moe, &w, f.x);
}

static void test_shared_expert(void **state)
{
    static struct fixture f;
    const struct moe_config moe = {.router = ROUTER_SIGMOID_GROUPS,
                                   .n_expert = E,
                                   .n_used = 2,
                                   .n_group = 4,
                                   .n_group_used = 2,
                                   .is_normalised = 1,
                                   .scale = 2.5f,
                                   .n_hidden = I,
                                   .n_shared_hidden = SHARED};
    struct moe_weights w;

    (void)state;
    fill(&f);
    w = all_weights(&f);
    w.router_bias = w.gate_up_bias = w.down_bias = NULL;
    check(&moe, &w, f.x);
    w.shared_expert_gate = NULL;
    check(&moe, &w, f.x);
}

static void test_biases_and_clamps(void **state)
{
    static struct fixture f;
    const struct moe_config moe = {.router = ROUTER_SOFTMAX_CHOSEN,
                                   .n_expert = E,
                                   .n_used = E,
                                   .n_hidden = I,
                                   .is_clamped = 1,
                                   .clamp = 0.7f,
                                   .gate_alpha = 1.702f};
    struct moe_weights w;

    (void)state;
    fill(&f);
    w = all_weights(&f);
    check(&moe, &w, f.x);
}

/* ---- routers ---- */

static void test_softmax_router(void **state)
{
    struct moe_config moe = {
        .router = ROUTER_SOFTMAX, .n_expert = 4, .n_used = 2};
    const struct moe_weights w = {0};
    const double sum = exp(1) + exp(3) + exp(2) + exp(0);
    float score[4 * MOE_SCORES] = {1, 3, 2, 0}, weight[2];
    int32_t chosen[2];

    (void)state;
    moe_route(&moe, &w, score, chosen, weight);
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], 2);
    assert_true(fabs(weight[0] - exp(3) / sum) < 1e-6);
    assert_true(fabs(weight[1] - exp(2) / sum) < 1e-6);
    memcpy(score, (float[]){1, 3, 2, 0}, 4 * sizeof *score);
    moe.is_normalised = 1;
    moe_route(&moe, &w, score, chosen, weight);
    assert_true(fabs(weight[0] - 1 / (1 + exp(-1))) < 1e-6);
}

static void test_first_of_equals(void **state)
{
    const struct moe_config moe = {
        .router = ROUTER_SOFTMAX, .n_expert = 4, .n_used = 2};
    const struct moe_weights w = {0};
    float score[4 * MOE_SCORES] = {0, 1, 1, 1}, weight[2];
    int32_t chosen[2];

    (void)state;
    moe_route(&moe, &w, score, chosen, weight);
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], 2);
}

static void test_correction_and_groups(void **state)
{
    const struct moe_config moe = {.router = ROUTER_SIGMOID_GROUPS,
                                   .n_expert = 6,
                                   .n_used = 2,
                                   .n_group = 3,
                                   .n_group_used = 1};
    const float correction[6] = {0, 0, 0.9f, -0.3f, 0, 0};
    const struct moe_weights w = {.correction = correction};
    float score[6 * MOE_SCORES] = {2, -9, 0, 1, 0.2f, 0.1f}, weight[2];
    int32_t chosen[2];

    (void)state;
    /* Sums of the groups: 0.88 + 0, 1.4 + 0.43, 0.55 + 0.52. */
    moe_route(&moe, &w, score, chosen, weight);
    assert_int_equal(chosen[0], 2);
    assert_int_equal(chosen[1], 3);
    assert_true(fabs(weight[0] - 0.5) < 1e-6);
    assert_true(fabs(weight[1] - sigmoid(1)) < 1e-6);
}

static void test_softmax_of_chosen(void **state)
{
    const struct moe_config moe = {.router = ROUTER_SOFTMAX_CHOSEN,
                                   .n_expert = 3,
                                   .n_used = 2,
                                   .scale = 2};
    const float bias[3] = {0, 5, 0};
    const struct moe_weights w = {.router_bias = bias};
    float score[3 * MOE_SCORES] = {4, -1, 1}, weight[2];
    int32_t chosen[2];

    (void)state;
    moe_route(&moe, &w, score, chosen, weight);
    assert_int_equal(chosen[0], 0);
    assert_int_equal(chosen[1], 1);
    assert_true(fabs(weight[0] - 1) < 1e-6);
    assert_true(fabs(weight[1] - 1) < 1e-6);
}

/* A broken row chooses something that exists, and spoils no other row. */
static void test_not_a_number(void **state)
{
    static struct fixture f;
    const struct moe_config moe = {
        .router = ROUTER_SOFTMAX, .n_expert = E, .n_used = 3, .n_hidden = I};
    struct machine machine;
    float good[2 * DIM], y[2 * DIM];

    (void)state;
    fill(&f);
    const struct moe_weights w = {
        .router = f.router, .gate_up = f.gate_up, .down = f.down};
    open_machine(&machine);
    run(&machine, &moe, &w, 2, f.x, good);
    f.x[0] = NAN;
    run(&machine, &moe, &w, 2, f.x, y);
    assert_true(isnan(y[0]));
    assert_memory_equal(y + DIM, good + DIM, DIM * sizeof *y);
    close_machine(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_experts),
        cmocka_unit_test(test_shared_expert),
        cmocka_unit_test(test_biases_and_clamps),
        cmocka_unit_test(test_softmax_router),
        cmocka_unit_test(test_first_of_equals),
        cmocka_unit_test(test_correction_and_groups),
        cmocka_unit_test(test_softmax_of_chosen),
        cmocka_unit_test(test_not_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Routers, and experts over gathered rows. */
#include "model/moe.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

enum { ROWS_OF_TASK = 8 };

/* ---- routers ---- */

/* The first best of n scores, which is then out of the race. */
static int32_t take_best(float *score, size_t n)
{
    const size_t best = rows_argmax(score, n);

    score[best] = -INFINITY;
    return (int32_t)best;
}

/* Of a few numbers, ascending. */
static void sort_chosen(int32_t *chosen, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const int32_t number = chosen[i];
        size_t at = i;
        for (; at > 0 && chosen[at - 1] > number; at--)
            chosen[at] = chosen[at - 1];
        chosen[at] = number;
    }
}

static void choose_best(float *score, size_t n, int32_t *chosen,
                        size_t n_chosen)
{
    for (size_t i = 0; i < n_chosen; i++)
        chosen[i] = take_best(score, n);
    sort_chosen(chosen, n_chosen);
}

/* The sum of the two best of a group. */
static float group_score(const float *score, size_t n)
{
    float best = -INFINITY, second = -INFINITY;

    for (size_t i = 0; i < n; i++) {
        const float s = score[i];
        if (s > best) {
            second = best;
            best = s;
        } else if (s > second) {
            second = s;
        }
    }
    return n > 1 ? best + second : best;
}

/* Whether fewer than n_chosen_group groups are better, earlier ones first. */
static int is_good_group(const struct moe *moe, const float *score,
                         size_t group)
{
    const size_t n = moe->n_expert / moe->n_group;
    const float mine = group_score(score + group * n, n);
    size_t n_better = 0;

    for (size_t i = 0; i < moe->n_group; i++) {
        const float other = group_score(score + i * n, n);
        n_better += other > mine || (other == mine && i < group);
    }
    return n_better < moe->n_chosen_group;
}

/* Scores of the experts that may be chosen; -infinity for the others. */
static void limit_groups(const struct moe *moe, const float *score,
                         float *limited)
{
    const size_t n = moe->n_group > 1 ? moe->n_expert / moe->n_group : 0;

    memcpy(limited, score, moe->n_expert * sizeof *score);
    for (size_t group = 0; n && group < moe->n_group; group++) {
        if (is_good_group(moe, score, group))
            continue;
        for (size_t i = 0; i < n; i++)
            limited[group * n + i] = -INFINITY;
    }
}

static void scale_weights(const struct moe *moe, float *weight)
{
    if (moe->is_normed)
        rows_scale(weight, moe->n_chosen,
                   1 / (rows_sum(weight, moe->n_chosen) + 1e-20f));
    if (moe->scale != 0)
        rows_scale(weight, moe->n_chosen, moe->scale);
}

static void choose(const struct moe *moe, const float *score, float *race,
                   int32_t *chosen, float *weight)
{
    choose_best(race, moe->n_expert, chosen, moe->n_chosen);
    for (size_t i = 0; i < moe->n_chosen; i++)
        weight[i] = score[chosen[i]];
}

static void route_by_sigmoid(const struct moe *moe, const float *correction,
                             float *score, int32_t *chosen, float *weight)
{
    const size_t n = moe->n_expert;
    float *corrected = score + n, *race = corrected + n;

    rows_sigmoid(score, n);
    memcpy(corrected, score, n * sizeof *score);
    if (correction)
        rows_add(corrected, correction, n);
    limit_groups(moe, corrected, race);
    choose(moe, score, race, chosen, weight);
}

void moe_route(const struct moe *moe, const struct moe_weights *weights,
               float *score, int32_t *chosen, float *weight)
{
    const size_t n = moe->n_expert;
    float *race = score + n;

    if (weights->router_bias)
        rows_add(score, weights->router_bias, n);
    if (moe->router == MOE_SIGMOID) {
        route_by_sigmoid(moe, weights->correction, score, chosen, weight);
        scale_weights(moe, weight);
        return;
    }
    if (moe->router == MOE_SOFTMAX)
        rows_scale(score, n, 1 / rows_exp(score, n, rows_max(score, n)));
    memcpy(race, score, n * sizeof *score);
    choose(moe, score, race, chosen, weight);
    if (moe->router == MOE_SOFTMAX_OF_CHOSEN)
        rows_scale(weight, moe->n_chosen,
                   1 / rows_exp(weight, moe->n_chosen,
                                rows_max(weight, moe->n_chosen)));
    scale_weights(moe, weight);
}

/* ---- a run ---- */

/* One run's arguments and where its parts lie. A slot is a chosen expert of a
 * row; `place` is where the slot's row stands among the gathered ones. */
struct run {
    const struct moe *moe;
    const struct moe_weights *weights;
    struct gemm *gemm;
    size_t n;
    const float *x;
    float *y;
    float *score;    /* [n][MOE_SCORES n_expert] */
    float *weight;   /* [n][n_chosen] */
    float *gathered; /* [n n_chosen][dim]: inputs, then outputs */
    float *gate_up;  /* [n n_chosen][2 n_hidden], shared: [n][2 n_shared] */
    float *inner;    /* half as wide */
    int32_t *chosen; /* [n][n_chosen] */
    int32_t *place;  /* [n][n_chosen] */
    int32_t *first;  /* [n_expert + 1]: of each expert's gathered rows */
};

void moe_release(struct moe_scratch *scratch)
{
    oy_free(scratch->floats);
    oy_free(scratch->ints);
    *scratch = (struct moe_scratch){0};
}

static void *make_room(void *old, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return old;
    oy_free(old);
    *cap = 0;
    old = oy_try_alloc(need, size);
    if (old)
        *cap = need;
    return old;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int lay_out(struct run *run, struct moe_scratch *scratch,
                   struct oy_error *err)
{
    const struct moe *moe = run->moe;
    const size_t slots = run->n * moe->n_chosen;
    const size_t scores = run->n * MOE_SCORES * moe->n_expert;
    const size_t inner = larger(slots * moe->n_hidden, run->n * moe->n_shared);

    scratch->floats =
        make_room(scratch->floats, &scratch->cap_floats,
                  scores + slots + slots * moe->dim + 3 * inner, sizeof(float));
    scratch->ints = make_room(scratch->ints, &scratch->cap_ints,
                              2 * slots + moe->n_expert + 1, sizeof(int32_t));
    if (!scratch->floats || !scratch->ints)
        return oy_fail(err, OY_SYSTEM, "no memory for the experts of %zu rows",
                       run->n);
    run->score = scratch->floats;
    run->weight = scratch->weight = run->score + scores;
    run->gathered = run->weight + slots;
    run->gate_up = run->gathered + slots * moe->dim;
    run->inner = run->gate_up + 2 * inner;
    run->chosen = scratch->chosen = scratch->ints;
    run->place = run->chosen + slots;
    run->first = run->place + slots;
    return 0;
}

static void run_tasks(struct run *run, oy_pool_task task)
{
    oy_pool_run(gemm_pool(run->gemm),
                (run->n + ROWS_OF_TASK - 1) / ROWS_OF_TASK, task, run);
}

static size_t task_end(size_t task, size_t n)
{
    const size_t end = (task + 1) * ROWS_OF_TASK;

    return end < n ? end : n;
}

static void route_rows(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t k = run->moe->n_chosen, end = task_end(task, run->n);

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++)
        moe_route(run->moe, run->weights,
                  run->score + i * MOE_SCORES * run->moe->n_expert,
                  run->chosen + i * k, run->weight + i * k);
}

/* Counts the rows of each expert and gives each slot its place: by expert,
 * then in the order of the rows. */
static void place_slots(const struct run *run)
{
    const size_t slots = run->n * run->moe->n_chosen;
    const size_t n_expert = run->moe->n_expert;
    int32_t *first = run->first;

    memset(first, 0, (n_expert + 1) * sizeof *first);
    for (size_t i = 0; i < slots; i++)
        first[run->chosen[i] + 1]++;
    for (size_t e = 0; e < n_expert; e++)
        first[e + 1] += first[e];
    for (size_t i = 0; i < slots; i++)
        run->place[i] = first[run->chosen[i]]++;
    memmove(first + 1, first, n_expert * sizeof *first);
    first[0] = 0;
}

static void gather_rows(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t k = run->moe->n_chosen, dim = run->moe->dim;
    const size_t end = task_end(task, run->n) * k;

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK * k; i < end; i++)
        memcpy(run->gathered + (size_t)run->place[i] * dim,
               run->x + i / k * dim, dim * sizeof *run->x);
}

static size_t rows_of_expert(const struct run *run, size_t expert)
{
    return (size_t)(run->first[expert + 1] - run->first[expert]);
}

/* y = x w^T of all experts that have rows; w is [n_expert][n][k]. */
static void multiply(const struct run *run, const float *w, size_t n, size_t k,
                     const float *x, float *y)
{
    for (size_t e = 0; e < run->moe->n_expert; e++) {
        const size_t first = (size_t)run->first[e];
        const size_t rows = rows_of_expert(run, e);
        if (rows)
            gemm_nt(run->gemm, rows, n, k, x + first * k, k, w + e * n * k, k,
                    y + first * n, n, 0);
    }
}

static void activate(const struct moe *moe, float *inner, const float *gate,
                     size_t n)
{
    if (moe->limit > 0)
        rows_clamped_swiglu(inner, gate, gate + n, n, moe->limit, moe->alpha);
    else
        rows_swiglu(inner, gate, gate + n, n);
}

static void activate_slots(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t k = run->moe->n_chosen, n = run->moe->n_hidden;
    const size_t end = task_end(task, run->n) * k;
    const float *bias = run->weights->gate_up_bias;

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK * k; i < end; i++) {
        const size_t row = (size_t)run->place[i];
        float *gate = run->gate_up + row * 2 * n;
        if (bias)
            rows_add(gate, bias + (size_t)run->chosen[i] * 2 * n, 2 * n);
        activate(run->moe, run->inner + row * n, gate, n);
    }
}

/* Adds the experts' outputs of a row to what y holds. */
static void add_slots(const struct run *run, size_t row)
{
    const size_t k = run->moe->n_chosen, dim = run->moe->dim;
    const float *bias = run->weights->down_bias;

    for (size_t i = row * k; i < (row + 1) * k; i++) {
        float *out = run->gathered + (size_t)run->place[i] * dim;
        if (bias)
            rows_add(out, bias + (size_t)run->chosen[i] * dim, dim);
        rows_add_scaled(run->y + row * dim, out, dim, run->weight[i]);
    }
}

static void combine_rows(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t end = task_end(task, run->n), dim = run->moe->dim;

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++) {
        if (!run->moe->n_shared)
            memset(run->y + i * dim, 0, dim * sizeof *run->y);
        add_slots(run, i);
    }
}

static void activate_shared(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t n = run->moe->n_shared, end = task_end(task, run->n);

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++)
        activate(run->moe, run->inner + i * n, run->gate_up + i * 2 * n, n);
}

static void gate_shared(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t dim = run->moe->dim, end = task_end(task, run->n);

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++) {
        float gate =
            rows_dot(run->x + i * dim, run->weights->shared_expert_gate, dim);
        rows_sigmoid(&gate, 1);
        rows_scale(run->y + i * dim, dim, gate);
    }
}

/* y = the shared expert's output. */
static void run_shared(struct run *run)
{
    const struct moe_weights *w = run->weights;
    const size_t n = run->moe->n_shared, dim = run->moe->dim;

    gemm_nt(run->gemm, run->n, 2 * n, dim, run->x, dim, w->shared_gate_up, dim,
            run->gate_up, 2 * n, 0);
    run_tasks(run, activate_shared);
    gemm_nt(run->gemm, run->n, dim, n, run->inner, n, w->shared_down, n, run->y,
            dim, 0);
    if (w->shared_expert_gate)
        run_tasks(run, gate_shared);
}

static void run_experts(struct run *run)
{
    const struct moe *moe = run->moe;

    place_slots(run);
    run_tasks(run, gather_rows);
    multiply(run, run->weights->gate_up, 2 * moe->n_hidden, moe->dim,
             run->gathered, run->gate_up);
    run_tasks(run, activate_slots);
    multiply(run, run->weights->down, moe->dim, moe->n_hidden, run->inner,
             run->gathered);
    run_tasks(run, combine_rows);
}

int moe_run(const struct moe *moe, const struct moe_weights *weights,
            struct moe_scratch *scratch, struct gemm *gemm, size_t n,
            const float *x, float *y, struct oy_error *err)
{
    struct run run = {
        .moe = moe, .weights = weights, .gemm = gemm, .n = n, .x = x, .y = y};

    OY_ASSERT(moe->n_chosen > 0 && moe->n_chosen <= moe->n_expert);
    if (lay_out(&run, scratch, err))
        return -1;
    gemm_nt(gemm, n, moe->n_expert, moe->dim, x, moe->dim, weights->router,
            moe->dim, run.score, MOE_SCORES * moe->n_expert, 0);
    run_tasks(&run, route_rows);
    if (moe->n_shared)
        run_shared(&run);
    run_experts(&run);
    return 0;
}

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

/* Whether fewer than n_group_used groups are better, earlier ones first. */
static int is_good_group(const struct moe_config *moe, const float *score,
                         int group)
{
    const size_t n = (size_t)(moe->n_expert / moe->n_group);
    const float mine = group_score(score + (size_t)group * n, n);
    int n_better = 0;

    for (int i = 0; i < moe->n_group; i++) {
        const float other = group_score(score + (size_t)i * n, n);
        n_better += other > mine || (other == mine && i < group);
    }
    return n_better < moe->n_group_used;
}

/* Scores of the experts that may be chosen; -infinity for the others. */
static void limit_groups(const struct moe_config *moe, const float *score,
                         float *limited)
{
    const int n = moe->n_group > 1 ? moe->n_expert / moe->n_group : 0;

    memcpy(limited, score, (size_t)moe->n_expert * sizeof *score);
    for (int group = 0; n && group < moe->n_group; group++) {
        if (is_good_group(moe, score, group))
            continue;
        for (int i = 0; i < n; i++)
            limited[group * n + i] = -INFINITY;
    }
}

/* 1e-20 as in the peers: nothing beside any sum but that of zeros. */
static void scale_weights(const struct moe_config *moe, float *weight)
{
    const size_t n = (size_t)moe->n_used;

    if (moe->is_normalised)
        rows_scale(weight, n, 1 / (rows_sum(weight, n) + 1e-20f));
    if (moe->scale != 0)
        rows_scale(weight, n, moe->scale);
}

static void softmax(float *x, size_t n)
{
    rows_scale(x, n, 1 / rows_exp(x, n, rows_max(x, n)));
}

/* What the race for the choice is run with; the scores stay. */
static void make_race(const struct moe_config *moe, const float *correction,
                      const float *score, float *corrected, float *race)
{
    const size_t n = (size_t)moe->n_expert;

    memcpy(corrected, score, n * sizeof *score);
    if (correction)
        rows_add(corrected, correction, n);
    limit_groups(moe, corrected, race);
}

void moe_route(const struct moe_config *moe, const struct moe_weights *weights,
               float *score, int32_t *chosen, float *weight)
{
    const size_t n = (size_t)moe->n_expert, n_used = (size_t)moe->n_used;
    float *corrected = score + n, *race = corrected + n;

    if (weights->router_bias)
        rows_add(score, weights->router_bias, n);
    if (moe->router == ROUTER_SIGMOID_GROUPS)
        rows_sigmoid(score, n);
    else if (moe->router == ROUTER_SOFTMAX)
        softmax(score, n);
    make_race(moe, weights->correction, score, corrected, race);
    choose_best(race, n, chosen, n_used);
    for (size_t i = 0; i < n_used; i++)
        weight[i] = score[chosen[i]];
    if (moe->router == ROUTER_SOFTMAX_CHOSEN)
        softmax(weight, n_used);
    scale_weights(moe, weight);
}

void moe_group(const int32_t *chosen, size_t n_slot, size_t n_expert,
               int32_t *place, int32_t *first)
{
    memset(first, 0, (n_expert + 1) * sizeof *first);
    for (size_t i = 0; i < n_slot; i++)
        first[chosen[i] + 1]++;
    for (size_t e = 0; e < n_expert; e++)
        first[e + 1] += first[e];
    for (size_t i = 0; i < n_slot; i++)
        place[i] = first[chosen[i]]++;
    memmove(first + 1, first, n_expert * sizeof *first);
    first[0] = 0;
}

/* ---- a run ---- */

/* A run's shapes and where its parts lie. A slot is a chosen expert of a row;
 * `place` is where the slot's row stands among the gathered ones. */
struct run {
    const struct moe_job *job;
    const struct moe_weights *weights;
    size_t dim, n_expert, n_used, n_hidden, n_shared;
    float *score;    /* [n][MOE_SCORES n_expert] */
    float *weight;   /* [n][n_used] */
    float *gathered; /* [n n_used][dim]: inputs, then outputs */
    float *gate_up;  /* [n n_used][2 n_hidden], shared: [n][2 n_shared] */
    float *inner;    /* half as wide */
    int32_t *chosen; /* [n][n_used] */
    int32_t *place;  /* [n][n_used] */
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

static struct run describe(const struct moe_job *job)
{
    const struct moe_config *c = job->config;

    return (struct run){.job = job,
                        .weights = job->weights,
                        .dim = job->dim,
                        .n_expert = (size_t)c->n_expert,
                        .n_used = (size_t)c->n_used,
                        .n_hidden = (size_t)c->n_hidden,
                        .n_shared = (size_t)c->n_shared_hidden};
}

static size_t score_floats(const struct run *run)
{
    return run->job->n_row * MOE_SCORES * run->n_expert;
}

static size_t slots_of(const struct run *run)
{
    return run->job->n_row * run->n_used;
}

static size_t inner_floats(const struct run *run)
{
    return larger(slots_of(run) * run->n_hidden,
                  run->job->n_row * run->n_shared);
}

int moe_reserve(const struct moe_job *job, struct moe_scratch *scratch,
                struct oy_error *err)
{
    const struct run run = describe(job);
    const size_t slots = slots_of(&run);

    scratch->floats = make_room(scratch->floats, &scratch->cap_floats,
                                score_floats(&run) + slots + slots * run.dim +
                                    3 * inner_floats(&run),
                                sizeof(float));
    scratch->ints = make_room(scratch->ints, &scratch->cap_ints,
                              2 * slots + run.n_expert + 1, sizeof(int32_t));
    if (!scratch->floats || !scratch->ints)
        return oy_fail(err, OY_SYSTEM, "no memory for the experts of %zu rows",
                       job->n_row);
    return 0;
}

static void lay_out(struct run *run, struct moe_scratch *scratch)
{
    const size_t slots = slots_of(run);

    run->score = scratch->floats;
    run->weight = scratch->weight = run->score + score_floats(run);
    run->gathered = run->weight + slots;
    run->gate_up = run->gathered + slots * run->dim;
    run->inner = run->gate_up + 2 * inner_floats(run);
    run->chosen = scratch->chosen = scratch->ints;
    run->place = run->chosen + slots;
    run->first = run->place + slots;
}

static void run_tasks(struct run *run, oy_pool_task task)
{
    oy_pool_run(gemm_pool(run->job->gemm),
                (run->job->n_row + ROWS_OF_TASK - 1) / ROWS_OF_TASK, task, run);
    profile_floats(gemm_profile(run->job->gemm), PROFILE_EXPERTS, 0);
}

static size_t task_end(size_t task, size_t n)
{
    const size_t end = (task + 1) * ROWS_OF_TASK;

    return end < n ? end : n;
}

static void route_rows(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t k = run->n_used, end = task_end(task, run->job->n_row);

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++)
        moe_route(run->job->config, run->weights,
                  run->score + i * MOE_SCORES * run->n_expert,
                  run->chosen + i * k, run->weight + i * k);
}

static void gather_rows(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t k = run->n_used, dim = run->dim;
    const size_t end = task_end(task, run->job->n_row) * k;

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK * k; i < end; i++)
        memcpy(run->gathered + (size_t)run->place[i] * dim,
               run->job->x + i / k * dim, dim * sizeof *run->job->x);
}

static size_t rows_of_expert(const struct run *run, size_t expert)
{
    return (size_t)(run->first[expert + 1] - run->first[expert]);
}

/* y = x w^T of all experts that have rows; w is [n_expert][n][k]. */
static void multiply(const struct run *run, const float *w, size_t n, size_t k,
                     const float *x, float *y)
{
    for (size_t e = 0; e < run->n_expert; e++) {
        const size_t first = (size_t)run->first[e];
        const size_t rows = rows_of_expert(run, e);
        if (rows)
            gemm_nt(run->job->gemm, rows, n, k, x + first * k, k, w + e * n * k,
                    k, y + first * n, n, 0);
    }
}

static void activate(const struct moe_config *moe, float *inner,
                     const float *gate, size_t n)
{
    if (moe->is_clamped)
        rows_clamped_swiglu(inner, gate, gate + n, n, moe->clamp,
                            moe->gate_alpha);
    else
        rows_swiglu(inner, gate, gate + n, n);
}

static void activate_slots(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t k = run->n_used, n = run->n_hidden;
    const size_t end = task_end(task, run->job->n_row) * k;
    const float *bias = run->weights->gate_up_bias;

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK * k; i < end; i++) {
        const size_t row = (size_t)run->place[i];
        float *gate = run->gate_up + row * 2 * n;
        if (bias)
            rows_add(gate, bias + (size_t)run->chosen[i] * 2 * n, 2 * n);
        activate(run->job->config, run->inner + row * n, gate, n);
    }
}

/* Adds the experts' outputs of a row to what y holds. */
static void add_slots(const struct run *run, size_t row)
{
    const size_t k = run->n_used, dim = run->dim;
    const float *bias = run->weights->down_bias;

    for (size_t i = row * k; i < (row + 1) * k; i++) {
        float *out = run->gathered + (size_t)run->place[i] * dim;
        if (bias)
            rows_add(out, bias + (size_t)run->chosen[i] * dim, dim);
        rows_add_scaled(run->job->y + row * dim, out, dim, run->weight[i]);
    }
}

static void combine_rows(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t end = task_end(task, run->job->n_row), dim = run->dim;

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++) {
        if (!run->n_shared)
            memset(run->job->y + i * dim, 0, dim * sizeof *run->job->y);
        add_slots(run, i);
    }
}

static void activate_shared(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t n = run->n_shared, end = task_end(task, run->job->n_row);

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++)
        activate(run->job->config, run->inner + i * n, run->gate_up + i * 2 * n,
                 n);
}

static void gate_shared(void *arg, size_t task, int worker)
{
    const struct run *run = arg;
    const size_t dim = run->dim, end = task_end(task, run->job->n_row);

    (void)worker;
    for (size_t i = task * ROWS_OF_TASK; i < end; i++) {
        float gate = rows_dot(run->job->x + i * dim,
                              run->weights->shared_expert_gate, dim);
        rows_sigmoid(&gate, 1);
        rows_scale(run->job->y + i * dim, dim, gate);
    }
}

/* y = the shared expert's output. */
static void run_shared(struct run *run)
{
    const struct moe_weights *w = run->weights;
    const size_t n = run->n_shared, dim = run->dim;

    gemm_nt(run->job->gemm, run->job->n_row, 2 * n, dim, run->job->x, dim,
            w->shared_gate_up, dim, run->gate_up, 2 * n, 0);
    run_tasks(run, activate_shared);
    gemm_nt(run->job->gemm, run->job->n_row, dim, n, run->inner, n,
            w->shared_down, n, run->job->y, dim, 0);
    if (w->shared_expert_gate)
        run_tasks(run, gate_shared);
}

static void run_experts(struct run *run)
{
    const struct moe_weights *w = run->weights;

    moe_group(run->chosen, slots_of(run), run->n_expert, run->place,
              run->first);
    run_tasks(run, gather_rows);
    multiply(run, w->gate_up, 2 * run->n_hidden, run->dim, run->gathered,
             run->gate_up);
    run_tasks(run, activate_slots);
    multiply(run, w->down, run->dim, run->n_hidden, run->inner, run->gathered);
    run_tasks(run, combine_rows);
}

int moe_run(const struct moe_job *job, struct moe_scratch *scratch,
            struct oy_error *err)
{
    struct run run = describe(job);

    OY_ASSERT(run.n_used > 0 && run.n_used <= run.n_expert);
    if (moe_reserve(job, scratch, err))
        return -1;
    lay_out(&run, scratch);
    gemm_nt(job->gemm, job->n_row, run.n_expert, run.dim, job->x, run.dim,
            job->weights->router, run.dim, run.score, MOE_SCORES * run.n_expert,
            0);
    run_tasks(&run, route_rows);
    if (run.n_shared)
        run_shared(&run);
    run_experts(&run);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * AdamW and the global norm, tile by tile.
 */
#include "model/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

/* Four arenas of a tile stay in the inner cache between norm and update. */
enum { TILE_FLOATS = 32768 };

/* A piece of one tensor. */
struct optimizer_tile {
    size_t at, n;
    int decays;
    double square_sum;
};

static void cut_tensor(struct optimizer *o, const struct weight_tensor *tensor,
                       size_t *cap)
{
    const size_t n = tensor->n_row * tensor->n_column;

    for (size_t done = 0; done < n; done += TILE_FLOATS) {
        struct optimizer_tile *tile;
        OY_GROW(o->tile, *cap, o->n_tile + 1);
        tile = &o->tile[o->n_tile++];
        *tile = (struct optimizer_tile){
            .at = tensor->at + done,
            .n = n - done < TILE_FLOATS ? n - done : TILE_FLOATS,
            .decays = o->options.decay_all || tensor->n_dim >= 2};
    }
}

int optimizer_init(struct optimizer *optimizer,
                   const struct weight_layout *layout,
                   const struct optimizer_options *options,
                   struct oy_pool *pool, struct oy_error *err)
{
    size_t cap = 0;

    *optimizer =
        (struct optimizer){.options = *options, .layout = layout, .pool = pool};
    for (int i = 0; i < layout->n_tensor; i++)
        cut_tensor(optimizer, &layout->tensor[i], &cap);
    optimizer->gradient = weights_new(layout, err);
    optimizer->moment1 = weights_new(layout, err);
    optimizer->moment2 = weights_new(layout, err);
    if (optimizer->gradient && optimizer->moment1 && optimizer->moment2)
        return 0;
    optimizer_release(optimizer);
    return -1;
}

void optimizer_release(struct optimizer *optimizer)
{
    oy_free(optimizer->gradient);
    oy_free(optimizer->moment1);
    oy_free(optimizer->moment2);
    oy_free(optimizer->tile);
    *optimizer = (struct optimizer){0};
}

static void norm_task(void *arg, size_t i, int worker)
{
    const struct optimizer *const o = arg;
    struct optimizer_tile *const tile = &o->tile[i];

    (void)worker;
    tile->square_sum = rows_square_sum(o->gradient + tile->at, tile->n);
}

double optimizer_norm(const struct optimizer *optimizer)
{
    double sum = 0.0;

    oy_pool_run(optimizer->pool, optimizer->n_tile, norm_task,
                (void *)optimizer);
    for (size_t i = 0; i < optimizer->n_tile; i++)
        sum += optimizer->tile[i].square_sum;
    return sqrt(sum);
}

struct step_job {
    const struct optimizer *optimizer;
    float *weights;
    struct rows_adamw step;
    float keep_decaying;
};

static void step_task(void *arg, size_t i, int worker)
{
    const struct step_job *const job = arg;
    const struct optimizer *const o = job->optimizer;
    const struct optimizer_tile *const tile = &o->tile[i];
    const size_t at = tile->at;
    struct rows_adamw step = job->step;

    (void)worker;
    step.keep = tile->decays ? job->keep_decaying : 1.0f;
    rows_adamw(job->weights + at, o->moment1 + at, o->moment2 + at,
               o->gradient + at, tile->n, &step);
    memset(o->gradient + at, 0, tile->n * sizeof(float));
}

void optimizer_step(struct optimizer *optimizer, float *weights, double lr,
                    double norm)
{
    const struct optimizer_options *const x = &optimizer->options;
    const double t = (double)++optimizer->n_update;
    const double clipped = x->clip / (norm + 1e-6);
    struct step_job job = {
        .optimizer = optimizer,
        .weights = weights,
        .keep_decaying = (float)(1.0 - lr * x->weight_decay),
        .step = {.scale =
                     x->clip > 0.0 && clipped < 1.0 ? (float)clipped : 1.0f,
                 .beta1 = (float)x->beta1,
                 .beta2 = (float)x->beta2,
                 .rest1 = (float)(1.0 - x->beta1),
                 .rest2 = (float)(1.0 - x->beta2),
                 .rate = (float)(lr / (1.0 - pow(x->beta1, t))),
                 .root = (float)(1.0 / sqrt(1.0 - pow(x->beta2, t))),
                 .eps = (float)x->eps}};

    oy_pool_run(optimizer->pool, optimizer->n_tile, step_task, &job);
}

void optimizer_skip(struct optimizer *optimizer)
{
    memset(optimizer->gradient, 0,
           optimizer->layout->n_float * sizeof *optimizer->gradient);
}

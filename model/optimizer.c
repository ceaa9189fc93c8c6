/* SPDX-License-Identifier: Apache-2.0
 *
 * AdamW and the global norm, tile by tile; Muon, matrix by matrix.
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
    const struct weight_tensor *matrix; /* Muon's; NULL: AdamW's */
    double square_sum;
};

/* ---- what there is ---- */

/* Whether the tensor is a matrix of a layer. */
static int is_hidden_matrix(const struct weight_layout *layout,
                            const struct weight_tensor *tensor)
{
    return tensor->n_dim == 2 && tensor->at != layout->embedding &&
           tensor->at != layout->positions && tensor->at != layout->head;
}

static size_t scratch_floats(const struct weight_layout *layout,
                             const struct optimizer_options *options)
{
    size_t most = 0;

    if (options->kind != OPTIMIZER_MUON)
        return 0;
    for (int i = 0; i < layout->n_tensor; i++) {
        const struct weight_tensor *const t = &layout->tensor[i];
        const size_t n = muon_scratch(t->n_row, t->n_column);
        if (is_hidden_matrix(layout, t) && n > most)
            most = n;
    }
    return most;
}

uint64_t optimizer_memory(const struct weight_layout *layout,
                          const struct optimizer_options *options)
{
    return (3 * (uint64_t)layout->n_float + scratch_floats(layout, options)) *
           sizeof(float);
}

static void cut_tensor(struct optimizer *o, const struct weight_tensor *tensor,
                       size_t *cap)
{
    const size_t n = tensor->n_row * tensor->n_column;
    const int is_muons = o->options.kind == OPTIMIZER_MUON &&
                         is_hidden_matrix(o->layout, tensor);

    for (size_t done = 0; done < n; done += TILE_FLOATS) {
        struct optimizer_tile *tile;
        OY_GROW(o->tile, *cap, o->n_tile + 1);
        tile = &o->tile[o->n_tile++];
        *tile = (struct optimizer_tile){
            .at = tensor->at + done,
            .n = n - done < TILE_FLOATS ? n - done : TILE_FLOATS,
            .decays = o->options.decay_all || tensor->n_dim >= 2,
            .matrix = is_muons ? tensor : NULL};
    }
}

int optimizer_init(struct optimizer *optimizer,
                   const struct weight_layout *layout,
                   const struct optimizer_options *options, struct gemm *gemm,
                   struct oy_error *err)
{
    size_t cap = 0;

    *optimizer = (struct optimizer){.options = *options,
                                    .layout = layout,
                                    .gemm = gemm,
                                    .pool = gemm_pool(gemm)};
    for (int i = 0; i < layout->n_tensor; i++)
        cut_tensor(optimizer, &layout->tensor[i], &cap);
    optimizer->gradient = weights_new(layout, err);
    optimizer->moment1 = weights_new(layout, err);
    optimizer->moment2 = weights_new(layout, err);
    optimizer->scratch = oy_calloc(1 + scratch_floats(layout, options),
                                   sizeof *optimizer->scratch);
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
    oy_free(optimizer->scratch);
    *optimizer = (struct optimizer){0};
}

/* ---- the norm ---- */

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
    profile_floats(gemm_profile(optimizer->gemm), PROFILE_GRADIENT_NORM,
                   optimizer->layout->n_float);
    return sqrt(sum);
}

static float clip_scale(const struct optimizer *o, double norm)
{
    const double clipped = o->options.clip / (norm + 1e-6);

    return o->options.clip > 0.0 && clipped < 1.0 ? (float)clipped : 1.0f;
}

/* ---- AdamW ---- */

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
    if (tile->matrix)
        return;
    step.keep = tile->decays ? job->keep_decaying : 1.0f;
    rows_adamw(job->weights + at, o->moment1 + at, o->moment2 + at,
               o->gradient + at, tile->n, &step);
    memset(o->gradient + at, 0, tile->n * sizeof(float));
}

static void step_adamw(const struct optimizer *o, float *weights, double lr,
                       float scale)
{
    const struct optimizer_options *const x = &o->options;
    const double t = (double)o->n_update;
    struct step_job job = {
        .optimizer = o,
        .weights = weights,
        .keep_decaying = (float)(1.0 - lr * x->weight_decay),
        .step = {.scale = scale,
                 .beta1 = (float)x->beta1,
                 .beta2 = (float)x->beta2,
                 .rest1 = (float)(1.0 - x->beta1),
                 .rest2 = (float)(1.0 - x->beta2),
                 .rate = (float)(lr / (1.0 - pow(x->beta1, t))),
                 .root = (float)(1.0 / sqrt(1.0 - pow(x->beta2, t))),
                 .eps = (float)x->eps}};

    oy_pool_run(o->pool, o->n_tile, step_task, &job);
    profile_floats(gemm_profile(o->gemm), PROFILE_UPDATE,
                   8 * o->layout->n_float);
}

/* ---- Muon ---- */

/* What a task over the tiles of one matrix gets. */
struct matrix_job {
    const struct optimizer *optimizer;
    struct optimizer_tile *tile; /* the matrix's first */
    float scale;                 /* of the gradient; then of u */
    float *weights;
    const float *direction; /* of the whole matrix */
    float keep, rate;
};

static void blend_task(void *arg, size_t i, int worker)
{
    const struct matrix_job *const job = arg;
    struct optimizer_tile *const tile = &job->tile[i];
    float *const g = job->optimizer->gradient + tile->at;

    (void)worker;
    muon_blend(job->optimizer->moment1 + tile->at, g, tile->n, job->scale);
    tile->square_sum = rows_square_sum(g, tile->n);
}

static void scale_task(void *arg, size_t i, int worker)
{
    const struct matrix_job *const job = arg;
    const struct optimizer_tile *const tile = &job->tile[i];

    (void)worker;
    rows_scale(job->optimizer->gradient + tile->at, tile->n, job->scale);
}

static void move_task(void *arg, size_t i, int worker)
{
    const struct matrix_job *const job = arg;
    const struct optimizer_tile *const tile = &job->tile[i];
    float *const w = job->weights + tile->at;

    (void)worker;
    rows_scale(w, tile->n, job->keep);
    rows_add_scaled(w, job->direction + (tile->at - job->tile->at), tile->n,
                    -job->rate);
    memset(job->optimizer->gradient + tile->at, 0, tile->n * sizeof(float));
}

/* Conv1D lies in files, and so in torch, with inputs as its rows. */
static double matrix_rate(const struct optimizer *o,
                          const struct weight_tensor *matrix, double lr)
{
    const int is_turned = matrix->form == WEIGHT_TRANSPOSED;
    const size_t rows = is_turned ? matrix->n_column : matrix->n_row;
    const size_t columns = is_turned ? matrix->n_row : matrix->n_column;

    return muon_rate((enum muon_adjust)o->options.adjust, lr, rows, columns);
}

/* The update of the matrix whose tiles begin at job->tile. */
static void step_matrix(struct matrix_job *job, size_t n_tile, double lr)
{
    const struct optimizer *const o = job->optimizer;
    const struct weight_tensor *const matrix = job->tile->matrix;
    const size_t n = matrix->n_row * matrix->n_column;
    struct profile *const profile = gemm_profile(o->gemm);
    double sum = 0.0;

    oy_pool_run(o->pool, n_tile, blend_task, job);
    for (size_t i = 0; i < n_tile; i++)
        sum += job->tile[i].square_sum;
    job->scale = (float)(1.0 / fmax(sqrt(sum), 1e-7));
    oy_pool_run(o->pool, n_tile, scale_task, job);
    profile_floats(profile, PROFILE_UPDATE, 5 * n);
    job->direction =
        muon_orthogonalise(o->gemm, o->gradient + matrix->at, matrix->n_row,
                           matrix->n_column, o->scratch);
    job->rate = (float)matrix_rate(o, matrix, lr);
    oy_pool_run(o->pool, n_tile, move_task, job);
    profile_floats(profile, PROFILE_UPDATE, 4 * n);
}

static void step_muon(const struct optimizer *o, float *weights, double lr,
                      float scale)
{
    size_t n;

    for (size_t i = 0; i < o->n_tile; i += n) {
        struct matrix_job job = {
            .optimizer = o,
            .tile = &o->tile[i],
            .weights = weights,
            .scale = scale,
            .keep = (float)(1.0 - lr * o->options.weight_decay)};
        n = 1;
        if (!o->tile[i].matrix)
            continue;
        while (i + n < o->n_tile && o->tile[i + n].matrix == job.tile->matrix)
            n++;
        step_matrix(&job, n, lr);
    }
}

void optimizer_step(struct optimizer *optimizer, float *weights,
                    const struct optimizer_rates *lr, double norm)
{
    const float scale = clip_scale(optimizer, norm);

    optimizer->n_update++;
    step_adamw(optimizer, weights, lr->adamw, scale);
    if (optimizer->options.kind == OPTIMIZER_MUON)
        step_muon(optimizer, weights, lr->muon, scale);
}

void optimizer_skip(struct optimizer *optimizer)
{
    memset(optimizer->gradient, 0,
           optimizer->layout->n_float * sizeof *optimizer->gradient);
}

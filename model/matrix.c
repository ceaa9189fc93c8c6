/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing of weights into panels, and products with them over the pool. */
#include "model/matrix.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "model/half.h"
#include "model/panel_internal.h"
#include "model/rows.h"

enum {
    /* Rows of a task: their inputs stay in the second cache beside a panel,
     * and there are tasks enough for all threads. Multiples of every kernel's
     * rows. */
    TASK_ROWS = 576,
    SHARED_TASK_ROWS = 288,
    ROWS_OF_TASK = 8, /* that are rounded */
    LINE = 32,        /* bf16 of a line of the cache */
};

/* Steps along K, of 4 bytes each. */
static size_t steps(const struct matrix *matrix)
{
    return matrix->form == MATRIX_BF16 ? (matrix->k + 1) / 2 : matrix->k;
}

static size_t panels(const struct matrix *matrix)
{
    return matrix->form == MATRIX_ROWS ? 0 : matrix->n / PANEL_WIDTH;
}

static float *panel_at(const struct matrix *matrix, size_t panel)
{
    return matrix->data + panel * steps(matrix) * PANEL_WIDTH;
}

/* The rows behind the panels stay where they were. */
static const float *rest(const struct matrix *matrix)
{
    return matrix->data + panels(matrix) * PANEL_WIDTH * matrix->k;
}

/* ---- packing ---- */

static void pack_f32(const float *row, size_t k, float *to)
{
    for (size_t p = 0; p < k; p++) {
        for (size_t i = 0; i < PANEL_WIDTH; i++)
            to[panel_place(k, i, p)] = row[i * k + p];
    }
}

void matrix_drop(const float *from, const float *to)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t)from + page - 1) / page * page;
    const uintptr_t end = (uintptr_t)to / page * page;

    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

void matrix_pack(struct matrix *matrix, enum matrix_form form)
{
    const size_t size = PANEL_WIDTH * matrix->k;
    float *copy = oy_alloc_array(size, sizeof *copy);

    OY_ASSERT(matrix->form == MATRIX_ROWS);
    matrix->form = form;
    /* A packed panel ends before the rows of the next one begin. */
    for (size_t i = 0; i < panels(matrix); i++) {
        memcpy(copy, matrix->data + i * size, size * sizeof *copy);
        if (form == MATRIX_BF16)
            panel_pack_rows((uint32_t *)panel_at(matrix, i), copy, matrix->k,
                            PANEL_WIDTH, matrix->k);
        else
            pack_f32(copy, matrix->k, panel_at(matrix, i));
    }
    matrix_drop(panel_at(matrix, panels(matrix)), rest(matrix));
    oy_free(copy);
}

void matrix_row(const struct matrix *matrix, size_t row, float *out)
{
    const size_t panel = row / PANEL_WIDTH, column = row % PANEL_WIDTH;
    const size_t k = matrix->k;

    if (panel >= panels(matrix)) {
        memcpy(out, matrix->data + row * k, k * sizeof *out);
        return;
    }
    if (matrix->form == MATRIX_QUANT) {
        quant_panel_row(&matrix->panel[panel], column, k, out);
        return;
    }
    const float *at =
        panel_at(matrix, panel) + panel_place(steps(matrix), column, 0);
    for (size_t p = 0; matrix->form == MATRIX_F32 && p < k; p++)
        out[p] = at[p * PANEL_STRIP];
    for (size_t p = 0; matrix->form == MATRIX_BF16 && p < k; p++) {
        const uint32_t pair = bits_of_float(at[p / 2 * PANEL_STRIP]);
        out[p] = float_of_bfloat((uint16_t)(p % 2 ? pair >> 16 : pair));
    }
}

/* ---- the product ---- */

struct product {
    const struct matrix *matrix;
    const struct panel_kernel *kernel;
    struct panel_job all; /* of the whole matrix */
    size_t task_rows;
};

static void run_panel(void *arg, size_t task, int worker)
{
    const struct product *product = arg;
    const size_t n_panel = panels(product->matrix);
    const size_t row = task / n_panel * product->task_rows;
    const size_t panel = task % n_panel, left = product->all.m - row;
    struct panel_job job = product->all;

    (void)worker;
    job.x = (const float *)job.x + row * job.x_stride;
    job.w = panel_at(product->matrix, panel);
    job.y += row * job.y_stride + panel * PANEL_WIDTH;
    job.m = left < product->task_rows ? left : product->task_rows;
    if (product->matrix->form == MATRIX_BF16)
        product->kernel->bf16(&job);
    else
        product->kernel->f32(&job);
}

struct rounding {
    const float *x;
    size_t m, k, stride;
    uint16_t *out; /* [m][out_stride], 0 behind an odd k */
    size_t out_stride;
};

static void round_rows(void *arg, size_t task, int worker)
{
    const struct rounding *job = arg;
    const size_t from = task * ROWS_OF_TASK, to = from + ROWS_OF_TASK;

    (void)worker;
    for (size_t i = from; i < to && i < job->m; i++) {
        uint16_t *out = job->out + i * job->out_stride;
        rows_to_bf16(out, job->x + i * job->stride, job->k);
        if (job->k % 2)
            out[job->k] = 0;
    }
}

/* At least k elements: an odd number of lines, so that rows that lie at the
 * same k are spread over the sets of a cache. */
static size_t odd_lines(size_t k)
{
    return ((k + LINE - 1) / LINE | 1) * LINE;
}

static uint16_t *aligned(uint16_t *x)
{
    const size_t past = (uintptr_t)x / sizeof *x % LINE;

    return x + (past ? LINE - past : 0);
}

/* Rounds the input of a product with bf16. */
static void round_input(struct multiplier *multiplier, struct panel_job *job,
                        size_t k)
{
    struct rounding rounding = {.x = job->x,
                                .m = job->m,
                                .k = k,
                                .stride = job->x_stride,
                                .out_stride = odd_lines(k)};

    OY_GROW(multiplier->x, multiplier->cap_x,
            job->m * rounding.out_stride + LINE);
    rounding.out = aligned(multiplier->x);
    oy_pool_run(gemm_pool(multiplier->gemm),
                (job->m + ROWS_OF_TASK - 1) / ROWS_OF_TASK, round_rows,
                &rounding);
    job->x = rounding.out;
    job->x_stride = rounding.out_stride / 2;
}

/* By panels of f32 or bf16. */
static void multiply_packed(struct multiplier *multiplier,
                            struct product *product)
{
    const struct matrix *matrix = product->matrix;
    struct oy_pool *pool = gemm_pool(multiplier->gemm);

    if (matrix->form == MATRIX_BF16)
        round_input(multiplier, &product->all, matrix->k);
    product->task_rows = oy_pool_size(pool) > 1 ? SHARED_TASK_ROWS : TASK_ROWS;
    oy_pool_run(pool,
                (product->all.m + product->task_rows - 1) / product->task_rows *
                    panels(matrix),
                run_panel, product);
}

static void multiply_quantised(struct multiplier *multiplier,
                               const struct product *product)
{
    const struct panel_job *all = &product->all;
    const struct quant_product quantised = {.kernel = multiplier->quant_kernel,
                                            .panel = product->matrix->panel,
                                            .n_panel = panels(product->matrix),
                                            .m = all->m,
                                            .k = product->matrix->k,
                                            .x = all->x,
                                            .x_stride = all->x_stride,
                                            .y = all->y,
                                            .y_stride = all->y_stride,
                                            .accumulate = all->accumulate};

    quant_multiply(&quantised, gemm_pool(multiplier->gemm), &multiplier->quant);
}

/* What n rows of a matrix by m rows were. */
static void book(const struct multiplier *multiplier,
                 const struct matrix *matrix, size_t m, size_t n)
{
    static const enum peak_type type[] = {[MATRIX_ROWS] = PEAK_F32,
                                          [MATRIX_F32] = PEAK_F32,
                                          [MATRIX_BF16] = PEAK_BF16,
                                          [MATRIX_QUANT] = PEAK_INT8};
    struct profile *profile = gemm_profile(multiplier->gemm);
    double size = (double)n * (double)matrix->k;

    if (!profile)
        return;
    if (matrix->form == MATRIX_QUANT)
        size = (double)(panels(matrix) *
                        quant_panel_size(matrix->panel->form, matrix->k));
    else
        size *= matrix->form == MATRIX_BF16 ? sizeof(uint16_t) : sizeof(float);
    profile_mark(profile, PROFILE_FORWARD, type[matrix->form],
                 2 * (double)m * (double)n * (double)matrix->k,
                 size + sizeof(float) * (double)m * (double)(matrix->k + n));
}

void matrix_multiply(struct multiplier *multiplier, const struct matrix *matrix,
                     size_t m, const float *x, size_t x_stride, float *y,
                     size_t y_stride, int accumulate)
{
    const size_t done = panels(matrix) * PANEL_WIDTH;
    struct product product = {.matrix = matrix,
                              .kernel = multiplier->kernel,
                              .all = {.m = m,
                                      .k = steps(matrix),
                                      .x = x,
                                      .x_stride = x_stride,
                                      .y = y,
                                      .y_stride = y_stride,
                                      .accumulate = accumulate}};

    if (done && m && matrix->form == MATRIX_QUANT)
        multiply_quantised(multiplier, &product);
    else if (done && m)
        multiply_packed(multiplier, &product);
    if (done && m)
        book(multiplier, matrix, m, done);
    if (done < matrix->n && m)
        gemm_nt(multiplier->gemm, m, matrix->n - done, matrix->k, x, x_stride,
                rest(matrix), matrix->k, y + done, y_stride, accumulate);
}

/* ---- life ---- */

#ifdef __x86_64__
/* The best of a CPU with AVX-512. */
static const struct panel_kernel *best_avx512(void)
{
    if (oy_cpu_level() >= OY_CPU_AMX)
        return &panel_amx;
    return oy_cpu_level() >= OY_CPU_AVX512BF16 ? &panel_avx512bf16
                                               : &panel_avx512;
}
#endif

static const struct panel_kernel *find_kernel(const char *name)
{
#ifdef __x86_64__
    if (!strcmp(name, panel_avx512.name))
        return best_avx512();
    if (!strcmp(name, panel_avx2.name))
        return &panel_avx2;
#endif
    return strcmp(name, panel_plain.name) ? NULL : &panel_plain;
}

void multiplier_init(struct multiplier *multiplier, struct gemm *gemm)
{
    *multiplier = (struct multiplier){
        .gemm = gemm,
        .kernel = find_kernel(gemm_kernel_name(gemm)),
        .quant_kernel = quant_kernel_of(gemm_kernel_name(gemm))};
}

void multiplier_release(struct multiplier *multiplier)
{
    oy_free(multiplier->x);
    quant_scratch_release(&multiplier->quant);
    *multiplier = (struct multiplier){0};
}

int multiplier_takes(const struct multiplier *multiplier, enum matrix_form form)
{
    if (form == MATRIX_QUANT)
        return multiplier->quant_kernel != NULL;
    return form == MATRIX_ROWS || multiplier->kernel != NULL;
}

const struct panel_kernel *multiplier_attention(
    const struct multiplier *multiplier)
{
    const struct panel_kernel *kernel = multiplier->kernel;

    return kernel && kernel->is_for_attention ? kernel : NULL;
}

const char *multiplier_bf16_name(const struct multiplier *multiplier)
{
    return multiplier->kernel->bf16_name;
}

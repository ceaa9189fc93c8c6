/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels of panel_internal.h, written once over a vector type.
 *
 * A panel_NAME.c defines what differs and includes this file:
 *
 *   vec, LANES             the vector and its floats
 *   TILE_ROWS, TILE_VECS   a tile of many rows
 *   ROW_VECS               a tile of one row
 *   vec_load(p), vec_store(p, v), vec_zero()
 *   vec_all(p)             the 4 bytes at p in every lane
 *   vec_step(x, w, sum)    sum + x w
 *   vec_step_bf16(x, w, sum)  sum + the two products of a pair
 *
 * A tile in registers, all of K before the next:
 *
 *              TILE_VECS * LANES columns of the panel
 *            +--------+--------+-- ...
 *   x row 0  |  acc   |  acc   |
 *   x row 1  |  acc   |  acc   |       TILE_ROWS
 *     ...    +--------+--------+-- ...
 */
#include "model/panel_internal.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    /* Elements that a single row asks for ahead; it runs at the speed of
     * memory, and a stream of the hardware ends at each small page. */
    AHEAD = 512,
};

/* A column behind the first of a tile, which starts its strip if the tile is
 * as wide as one. */
INLINE size_t place(const struct panel_job *job, int column)
{
    return panel_place(job->k, (size_t)column, 0);
}

INLINE void ask_ahead(const struct panel_job *job, const float *w, int width)
{
#pragma GCC unroll 4
    for (int j = 0; j < width; j += PANEL_STRIP)
        __builtin_prefetch(w + place(job, j) + AHEAD, 0, 3);
}

/* n_row rows x n_vec vectors from `column` on. */
INLINE void tile(const struct panel_job *job, size_t row, size_t column,
                 int n_row, int n_vec, int is_bf16)
{
    const float *x = (const float *)job->x + row * job->x_stride;
    const float *w = (const float *)job->w + panel_place(job->k, column, 0);
    float *y = job->y + row * job->y_stride + column;
    vec acc[TILE_ROWS][ROW_VECS];

#pragma GCC unroll 16
    for (int i = 0; i < n_row; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < n_vec; j++)
            acc[i][j] = vec_zero();
    }
    for (size_t p = 0; p < job->k; p++, w += PANEL_STRIP) {
        vec other[ROW_VECS];
        if (n_row <= 2)
            ask_ahead(job, w, n_vec * LANES);
#pragma GCC unroll 16
        for (int j = 0; j < n_vec; j++)
            other[j] = vec_load(w + place(job, j * LANES));
#pragma GCC unroll 16
        for (int i = 0; i < n_row; i++) {
            const vec own = vec_all(x + (size_t)i * job->x_stride + p);
#pragma GCC unroll 16
            for (int j = 0; j < n_vec; j++)
                acc[i][j] = is_bf16 ? vec_step_bf16(own, other[j], acc[i][j])
                                    : vec_step(own, other[j], acc[i][j]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < n_row; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < n_vec; j++) {
            float *to = y + (size_t)i * job->y_stride + j * LANES;
            if (job->accumulate)
                acc[i][j] += vec_load(to);
            vec_store(to, acc[i][j]);
        }
    }
}

/* Rows from `row` on against the whole panel. */
INLINE void tiles(const struct panel_job *job, size_t row, int n_row, int n_vec,
                  int is_bf16)
{
    for (size_t column = 0; column < PANEL_WIDTH;
         column += (size_t)(n_vec * LANES))
        tile(job, row, column, n_row, n_vec, is_bf16);
}

INLINE void run(const struct panel_job *job, int is_bf16)
{
    size_t row = 0;

    for (; row + TILE_ROWS <= job->m; row += TILE_ROWS)
        tiles(job, row, TILE_ROWS, TILE_VECS, is_bf16);
    for (; row + 2 <= job->m; row += 2)
        tiles(job, row, 2, TILE_VECS, is_bf16);
    if (row < job->m)
        tiles(job, row, 1, ROW_VECS, is_bf16);
}

static void run_f32(const struct panel_job *job)
{
    run(job, 0);
}

static void run_bf16(const struct panel_job *job)
{
    run(job, 1);
}

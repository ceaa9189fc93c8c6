/* SPDX-License-Identifier: Apache-2.0
 *
 * The blocks of `outer` (kernel_internal.h), the same for every set.
 *
 *            columns of b, packed in panels of 32
 *            +--------+--------+--------+
 *            | panel  |        |        |   a panel stays in the first cache,
 *            +--------+--------+--------+   the packed rows of a in the second,
 *   rows of  |########|        |        |   while tile by tile of c takes up
 *   a, packed|  tile  |        |        |   a piece of depth
 *            +--------+--------+--------+
 *
 * A set defines these and includes this file:
 *
 *   TILE_ROWS, TILE_COLUMNS   of a tile: divisors of KERNEL_ROWS and of
 *                             KERNEL_COLUMNS
 *   DEPTH                     of a piece
 *   packed_floats(n)          floats that n steps of depth take, packed
 *   pack_a(job, row, n_row, depth, n_depth, out)   a block of TILE_ROWS rows
 *                             of a, zeros for those that are missing; FEW steps
 *                             of depth behind FEW others
 *   pack_b(job, depth, n_depth, column, n_column, out)   the same for a panel
 *   tile(n_depth, a, b, alpha, beta, c, c_stride)   a whole tile of c; a tile
 *                             at column j of a panel finds its b at b + j
 */
#include <string.h>

/* Packed rows against one packed panel of columns. */
struct panel {
    const float *a, *b;
    size_t n_depth, n_row, n_column;
    float beta;
    float *c;
};

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* A tile that sticks out goes through a copy. */
static void outer_edge(const struct kernel_outer *job,
                       const struct panel *panel, size_t i, size_t j)
{
    const size_t n_row = at_most(panel->n_row - i, TILE_ROWS);
    const size_t n_column = at_most(panel->n_column - j, TILE_COLUMNS);
    const size_t size = n_column * sizeof(float);
    float *c = panel->c + i * job->c_stride + j;
    float copy[TILE_ROWS * TILE_COLUMNS] __attribute__((aligned(64))) = {0};

    if (panel->beta != 0) {
        for (size_t r = 0; r < n_row; r++)
            memcpy(copy + r * TILE_COLUMNS, c + r * job->c_stride, size);
    }
    tile(panel->n_depth, panel->a + i * packed_floats(panel->n_depth),
         panel->b + j, job->alpha, panel->beta, copy, TILE_COLUMNS);
    for (size_t r = 0; r < n_row; r++)
        memcpy(c + r * job->c_stride, copy + r * TILE_COLUMNS, size);
}

static void outer_panel(const struct kernel_outer *job,
                        const struct panel *panel)
{
    for (size_t j = 0; j < panel->n_column; j += TILE_COLUMNS) {
        for (size_t i = 0; i < panel->n_row; i += TILE_ROWS) {
            if (panel->n_row - i < TILE_ROWS ||
                panel->n_column - j < TILE_COLUMNS)
                outer_edge(job, panel, i, j);
            else
                tile(panel->n_depth,
                     panel->a + i * packed_floats(panel->n_depth), panel->b + j,
                     job->alpha, panel->beta, panel->c + i * job->c_stride + j,
                     job->c_stride);
        }
    }
}

/* Where a panel's columns of the piece at `depth` lie in job->packed. */
static size_t packed_at(const struct kernel_outer *job, size_t depth,
                        size_t n_depth, size_t panel)
{
    return KERNEL_COLUMNS * (packed_floats(depth) * job->n_panel +
                             packed_floats(n_depth) * panel);
}

/* Operands that lie along the depth are packed block by block, others a few
 * steps for all blocks and then the next few: they are read as they lie. */
enum { FEW = 32 };

static void pack_blocks(const struct kernel_outer *job, size_t row,
                        size_t n_row, size_t depth, size_t n_depth, float *out)
{
    const size_t few = job->a_depth == 1 ? n_depth : FEW;

    for (size_t p = 0; p < n_depth; p += few) {
        for (size_t i = 0; i < n_row; i += TILE_ROWS)
            pack_a(job, row + i, at_most(n_row - i, TILE_ROWS), depth + p,
                   at_most(n_depth - p, few),
                   out + i * packed_floats(n_depth) +
                       TILE_ROWS * packed_floats(p));
    }
}

/* A block of rows against one piece of depth, all columns. */
static void outer_rows(const struct kernel_outer *job, size_t row, size_t n_row,
                       size_t depth)
{
    const size_t n_depth = at_most(job->k - depth, DEPTH);
    float *const b = job->scratch;
    float *const a = b + KERNEL_COLUMNS * packed_floats(n_depth);

    pack_blocks(job, row, n_row, depth, n_depth, a);
    for (size_t column = 0; column < job->n; column += KERNEL_COLUMNS) {
        struct panel panel = {.a = a,
                              .b = b,
                              .n_depth = n_depth,
                              .n_column =
                                  at_most(job->n - column, KERNEL_COLUMNS),
                              .n_row = n_row,
                              .beta = depth ? 1 : job->beta,
                              .c = job->c + row * job->c_stride + column};
        if (job->packed)
            panel.b =
                job->packed + packed_at(job, depth, n_depth,
                                        job->panel + column / KERNEL_COLUMNS);
        else
            pack_b(job, depth, n_depth, column, panel.n_column, b);
        outer_panel(job, &panel);
    }
}

static void run_outer(const struct kernel_outer *job)
{
    for (size_t row = 0; row < job->m; row += job->pack_rows) {
        const size_t n_row = at_most(job->m - row, job->pack_rows);
        for (size_t depth = 0; depth < job->k; depth += DEPTH)
            outer_rows(job, row, n_row, depth);
    }
}

static void pack(const struct kernel_outer *job, size_t piece, size_t group,
                 float *packed)
{
    const size_t depth = piece * DEPTH;
    const size_t n_depth = at_most(job->k - depth, DEPTH);
    const size_t few = job->b_depth == 1 ? n_depth : FEW;
    const size_t first = group * KERNEL_GROUP;
    const size_t end = first + at_most(job->n_panel - first, KERNEL_GROUP);

    for (size_t p = 0; p < n_depth; p += few) {
        for (size_t i = first; i < end; i++) {
            const size_t column = i * KERNEL_COLUMNS;
            pack_b(job, depth + p, at_most(n_depth - p, few), column,
                   at_most(job->n - column, KERNEL_COLUMNS),
                   packed + packed_at(job, depth, n_depth, i) +
                       KERNEL_COLUMNS * packed_floats(p));
        }
    }
}

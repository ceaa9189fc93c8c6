/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of two packed operands, in tiles over the pool: columns of b are
 * packed once for all tiles, rows of a by each tile for itself. */
#include "core/alloc.h"
#include "model/gemm_internal.h"

enum {
    /* c and the packed rows stay in the second cache, packing the rows is paid
     * for by the columns. Few rows are cut finer, so that threads have
     * something to take. */
    OUTER_TILE_M = GEMM_OUTER_ROWS,
    OUTER_TILE_N = 1024,
    OUTER_LEAST_M = 96,
    OUTER_WANTED_TILES = 16,
    /* What is packed of b at once for all tiles: 16 MiB, at most so deep. */
    PACKED_FLOATS = 4 << 20,
    PACKED_DEPTH = 4096,
    PACKED_LEAST_DEPTH = 512,
    PACKED_SPARE = PACKED_FLOATS / PACKED_LEAST_DEPTH * KERNEL_LEAST,
};

/* A whole product, to be cut into tiles. */
struct product {
    const struct gemm *gemm;
    const struct kernel_outer *outer;
    size_t tile_m, n_tile_m;
};

/* Tiles below each other have columns of b in common and follow each other. */
static void run_outer_tile(void *arg, size_t tile, int worker)
{
    const struct product *product = arg;
    const size_t m = tile % product->n_tile_m * product->tile_m;
    const size_t n = tile / product->n_tile_m * OUTER_TILE_N;
    struct kernel_outer job = *product->outer;

    job.a += m * job.a_row;
    job.b += n * job.b_column;
    job.panel = n / KERNEL_COLUMNS;
    job.c += m * job.c_stride + n;
    job.m = gemm_smaller(job.m - m, product->tile_m);
    job.n = gemm_smaller(job.n - n, OUTER_TILE_N);
    job.pack_rows = product->tile_m;
    job.scratch = product->gemm->scratch[worker];
    product->gemm->kernel->outer(&job);
}

static void run_pack(void *arg, size_t task, int worker)
{
    const struct product *product = arg;
    const size_t n_group = gemm_tiles(product->outer->n_panel, KERNEL_GROUP);

    (void)worker;
    product->gemm->kernel->pack(product->outer, task / n_group, task % n_group,
                                product->gemm->packed);
}

/* Rows of a tile: equal parts, in whole tiles of the set. A function of the
 * shape alone; bits do not depend on it. */
static size_t outer_tile_rows(const struct kernel_table *kernel, size_t m,
                              size_t n_tile_n)
{
    const size_t wanted = gemm_smaller(gemm_tiles(OUTER_WANTED_TILES, n_tile_n),
                                       gemm_tiles(m, OUTER_LEAST_M));
    const size_t least = gemm_tiles(m, OUTER_TILE_M);
    const size_t n = wanted > least ? wanted : least;

    return gemm_tiles(gemm_tiles(m, n), kernel->rows) * kernel->rows;
}

/* A part of a product whose columns fit the memory for them. */
static void run_outer_part(struct gemm *gemm, struct kernel_outer *outer)
{
    struct product product = {.gemm = gemm, .outer = outer};
    const size_t n_tile_n = gemm_tiles(outer->n, OUTER_TILE_N);

    outer->n_panel = gemm_tiles(outer->n, KERNEL_COLUMNS);
    if (gemm->packed)
        oy_pool_run(gemm->pool,
                    gemm_tiles(outer->k, gemm->kernel->depth) *
                        gemm_tiles(outer->n_panel, KERNEL_GROUP),
                    run_pack, &product);
    outer->packed = gemm->packed;
    product.tile_m = outer_tile_rows(gemm->kernel, outer->m, n_tile_n);
    product.n_tile_m = gemm_tiles(outer->m, product.tile_m);
    oy_pool_run(gemm->pool, product.n_tile_m * n_tile_n, run_outer_tile,
                &product);
}

void gemm_run_outer(struct gemm *gemm, const struct kernel_outer *outer)
{
    const size_t depth = outer->k < PACKED_LEAST_DEPTH
                             ? PACKED_LEAST_DEPTH
                             : gemm_smaller(outer->k, PACKED_DEPTH);
    const size_t most_n = PACKED_FLOATS / depth / OUTER_TILE_N * OUTER_TILE_N;

    for (size_t n = 0; outer->m && n < outer->n; n += most_n) {
        for (size_t k = 0; k < outer->k; k += PACKED_DEPTH) {
            struct kernel_outer part = *outer;
            part.n = gemm_smaller(outer->n - n, most_n);
            part.k = gemm_smaller(outer->k - k, PACKED_DEPTH);
            part.a += k * outer->a_depth;
            part.b += k * outer->b_depth + n * outer->b_column;
            part.c += n;
            part.beta = k ? 1 : outer->beta;
            part.rounds = gemm->is_bf16;
            run_outer_part(gemm, &part);
        }
    }
}

int gemm_make_packed(struct gemm *gemm, struct oy_error *err)
{
    if (!gemm->is_packed)
        return 0;
    gemm->packed =
        oy_try_alloc(PACKED_FLOATS + PACKED_SPARE, sizeof *gemm->packed);
    return gemm->packed
               ? 0
               : oy_fail(err, OY_SYSTEM, "no memory for matrix panels");
}

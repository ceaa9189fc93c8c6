/* SPDX-License-Identifier: Apache-2.0
 *
 * Between gemm.c, the door, and the two ways of a product through the pool. */
#ifndef MODEL_GEMM_INTERNAL_H
#define MODEL_GEMM_INTERNAL_H

#include "model/blas.h"
#include "model/gemm.h"
#include "model/kernel_internal.h"

/* Most rows that `outer` packs at once. */
enum { GEMM_OUTER_ROWS = 2 * KERNEL_ROWS };

struct gemm {
    const struct kernel_table *kernel;
    struct oy_pool *pool;
    struct blas blas; /* library NULL: own kernels */
    int is_packed;    /* all products by `outer` */
    int is_bf16;      /* with operands rounded to bf16 */
    char name[48];
    float **scratch;         /* [worker]: for GEMM_OUTER_ROWS */
    float *packed;           /* of is_packed: gemm_make_packed() */
    struct profile *profile; /* borrowed, or NULL */
};

static inline size_t gemm_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t gemm_tiles(size_t n, size_t tile)
{
    return (n + tile - 1) / tile;
}

/* A whole product by `outer`; packing memory and threads are found here. */
void gemm_run_outer(struct gemm *gemm, const struct kernel_outer *outer);
/* Memory for packed columns, of sets that are for many rows; others pack
 * columns for each tile anew. -1 with 71. */
int gemm_make_packed(struct gemm *gemm, struct oy_error *err);

/* c = a b (+ c) in the terms of cblas, cut into tiles of c. */
struct blas_product {
    const struct gemm *gemm;
    int transpose_a, transpose_b;
    size_t m, n, k;
    const float *a, *b;
    size_t lda, ldb;
    float *c;
    size_t ldc;
    float beta;
    size_t n_tile_n;
};

void gemm_run_blas(struct blas_product *product);
/* Opens OpenBLAS and tests it; sets the name. -1 with 71. */
int gemm_open_blas(struct gemm *gemm, struct oy_error *err);

#endif

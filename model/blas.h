/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenBLAS, loaded at run time with the kernel that fits this CPU.
 *
 * Its own detection picks a slow kernel on CPUs newer than itself, so
 * OPENBLAS_CORETYPE is set from core/cpu.h before it is loaded, and it runs
 * with one thread: threads are ours (core/pool.h). Its sgemm may then be
 * called by several threads at once.
 */
#ifndef MODEL_BLAS_H
#define MODEL_BLAS_H

#include "core/error.h"

/* cblas_sgemm with row-major matrices: transposes are those of cblas.h. */
enum { BLAS_ROW_MAJOR = 101, BLAS_AS_IS = 111, BLAS_TRANSPOSED = 112 };

struct blas {
    void *library;
    char core[32]; /* "SkylakeX": the kernel in use */
    void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n,
                  int k, float alpha, const float *a, int lda, const float *b,
                  int ldb, float beta, float *c, int ldc);
};

/* -1 (71) when the library or a function of it is missing. To be called
 * before other threads start: it sets environment variables. */
int blas_open(struct blas *blas, struct oy_error *err);
void blas_close(struct blas *blas);

#endif

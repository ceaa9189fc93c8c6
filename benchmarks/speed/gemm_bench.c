/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations a second of the products of training, one thread.
 *
 *     gemm_bench [KERNEL]...
 *
 * The shapes are those of a step of 4096 tokens of the 26M model, in the three
 * forms. Kernels are named as in model/gemm.h (default: packed, openblas).
 * Times are the processor's, medians of several; the last column is the part
 * of the ceiling of model/peak.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/random.h"
#include "model/gemm.h"
#include "model/peak.h"

enum { ROUNDS = 5, M = 4096, WIDEST = 6400 };

struct shape {
    const char *name;
    size_t n, k; /* of the weights */
};

static const struct shape shapes[] = {{"qkv", 768, 512},
                                      {"o", 512, 512},
                                      {"gate_up", 2816, 512},
                                      {"down", 512, 1408},
                                      {"head", 6400, 512}};

static double seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct operands {
    float *x, *w, *y; /* [M][k], [n][k], [M][n] */
};

static void run_form(struct gemm *gemm, const struct operands *at, int form,
                     size_t n, size_t k)
{
    if (form == 0)
        gemm_nt(gemm, M, n, k, at->x, k, at->w, k, at->y, n, 0);
    else if (form == 1)
        gemm_nn(gemm, M, k, n, at->y, n, at->w, k, at->x, k, 0);
    else
        gemm_tn(gemm, n, k, M, at->y, n, at->x, k, at->w, k);
}

static double median_rate(struct gemm *gemm, const struct operands *at,
                          int form, const struct shape *shape)
{
    double took[ROUNDS];

    run_form(gemm, at, form, shape->n, shape->k);
    for (int i = 0; i < ROUNDS; i++) {
        const double start = seconds();
        run_form(gemm, at, form, shape->n, shape->k);
        took[i] = seconds() - start;
    }
    qsort(took, ROUNDS, sizeof *took, compare);
    return 2.0 * M * (double)(shape->n * shape->k) / took[ROUNDS / 2];
}

static void fill(float *to, size_t n)
{
    struct oy_random random = oy_random_at(1, n);

    for (size_t i = 0; i < n; i++)
        to[i] = (float)oy_random_unit(&random) * 0.01F;
}

static int measure(const char *kernel, const struct operands *at,
                   const struct peak *peak)
{
    struct oy_error err = {0};
    struct gemm *gemm = gemm_new(kernel, NULL, &err);

    if (!gemm) {
        oy_log_error(&err);
        return 1;
    }
    const double most = peak->operation[gemm_is_bf16(gemm) ? PEAK_BF16 : 0];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        printf("%-20s %-8s", gemm_kernel_name(gemm), shapes[i].name);
        for (int form = 0; form < 3; form++) {
            const double rate = median_rate(gemm, at, form, &shapes[i]);
            printf("  %s %6.1f Gop/s %3.0f %%",
                   form == 0   ? "NT"
                   : form == 1 ? "NN"
                               : "TN",
                   rate * 1e-9, 100 * rate / most);
        }
        printf("\n");
    }
    gemm_free(gemm);
    return 0;
}

int main(int argc, char **argv)
{
    const struct operands at = {oy_zeroed(M * WIDEST, sizeof(float)),
                                oy_zeroed(WIDEST * 2048, sizeof(float)),
                                oy_zeroed(M * WIDEST, sizeof(float))};
    struct peak peak;
    int bad = 0;

    fill(at.x, (size_t)M * WIDEST);
    fill(at.w, (size_t)WIDEST * 512);
    fill(at.y, (size_t)M * WIDEST);
    peak_measure(&peak, NULL);
    for (int i = 1; i < argc; i++)
        bad |= measure(argv[i], &at, &peak);
    if (argc == 1)
        bad = measure("packed", &at, &peak) | measure("openblas", &at, &peak);
    oy_free(at.x);
    oy_free(at.w);
    oy_free(at.y);
    return bad;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The loader of OpenBLAS. */
#include "model/blas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"

/* A user's own OPENBLAS_CORETYPE stands. */
static void choose_core(void)
{
    const enum oy_cpu level = oy_cpu_level();

    if (level >= OY_CPU_AVX512)
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    else if (level >= OY_CPU_AVX2)
        setenv("OPENBLAS_CORETYPE", "Haswell", 0);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

/* POSIX lets data pointers from dlsym() be functions; C does not convert. */
static int find_function(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);

    memcpy(function, &found, sizeof found);
    return found ? 0 : -1;
}

int blas_open(struct blas *blas, struct oy_error *err)
{
    char *(*core_name)(void);
    void (*set_threads)(int);

    *blas = (struct blas){0};
    choose_core();
    blas->library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!blas->library)
        return oy_fail(err, OY_SYSTEM, "cannot load OpenBLAS: %s", dlerror());
    if (find_function(blas->library, "cblas_sgemm", &blas->sgemm) ||
        find_function(blas->library, "openblas_get_corename", &core_name) ||
        find_function(blas->library, "openblas_set_num_threads",
                      &set_threads)) {
        blas_close(blas);
        return oy_fail(err, OY_SYSTEM, "OpenBLAS lacks a function");
    }
    set_threads(1);
    snprintf(blas->core, sizeof blas->core, "%s", core_name());
    return 0;
}

void blas_close(struct blas *blas)
{
    if (blas && blas->library)
        dlclose(blas->library);
    if (blas)
        *blas = (struct blas){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a pass. */
#include "model/mixer.h"

#include "core/alloc.h"

float *mixer_reserve(struct mixer_scratch *scratch, size_t n,
                     struct oy_error *err)
{
    if (n <= scratch->cap && scratch->floats)
        return scratch->floats;
    mixer_release(scratch);
    scratch->floats = oy_try_alloc(n, sizeof *scratch->floats);
    if (scratch->floats)
        scratch->cap = n;
    else
        oy_fail(err, OY_SYSTEM, "no memory for %zu activations", n);
    return scratch->floats;
}

void mixer_release(struct mixer_scratch *scratch)
{
    oy_free(scratch->floats);
    *scratch = (struct mixer_scratch){0};
}

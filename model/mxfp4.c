/* SPDX-License-Identifier: Apache-2.0
 *
 * E2M1 numbers times powers of two. */
#include "model/mxfp4.h"

#include <math.h>

static float power(uint8_t scale)
{
    return scale == 255 ? NAN : ldexpf(1, scale - 127);
}

void mxfp4_unpack(float *out, const uint8_t *blocks, const uint8_t *scales,
                  size_t n_block)
{
    static const float e2m1[16] = {0,    0.5f,  1,  1.5f,  2,  3,  4,  6,
                                   -0.f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

    for (size_t i = 0; i < n_block; i++) {
        const float scale = power(scales[i]);
        for (size_t j = 0; j < MXFP4_BYTES; j++) {
            const uint8_t byte = blocks[i * MXFP4_BYTES + j];
            *out++ = e2m1[byte & 15] * scale;
            *out++ = e2m1[byte >> 4] * scale;
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of kept rows. */
#include "model/kv_rows.h"

#include <math.h>
#include <string.h>

#include "model/rows.h"

size_t kv_row_size(enum kv_type type, size_t dim)
{
    if (type == KV_Q8)
        return sizeof(float) + (dim + 3) / 4 * 4;
    return dim * (type == KV_BF16 ? sizeof(uint16_t) : sizeof(float));
}

/* The largest |x|; not finite when one of them is not. */
static float largest(const float *x, size_t dim)
{
    float most = 0;

    for (size_t i = 0; i < dim; i++) {
        const float a = fabsf(x[i]);
        if (!(a <= most))
            most = a;
        if (!isfinite(most))
            break;
    }
    return most;
}

static void write_q8(unsigned char *row, const float *x, size_t dim)
{
    const float most = largest(x, dim);
    const float scale = isfinite(most) ? most / 127 : NAN;

    memcpy(row, &scale, sizeof scale);
    row += sizeof scale;
    for (size_t i = 0; i < dim; i++) {
        /* A scale that is not a normal number is rounded too far to divide
         * by: such small rows are kept as zeros. */
        const float q =
            isnormal(scale) ? rintf(fminf(fmaxf(x[i] / scale, -127), 127)) : 0;
        row[i] = (unsigned char)(signed char)q;
    }
}

void kv_row_write(enum kv_type type, void *row, const float *x, size_t dim)
{
    if (type == KV_F32)
        memcpy(row, x, dim * sizeof *x);
    else if (type == KV_BF16)
        rows_to_bf16(row, x, dim);
    else
        write_q8(row, x, dim);
}

static void read_q8(const unsigned char *row, size_t n, size_t dim, float *x)
{
    const size_t size = kv_row_size(KV_Q8, dim);

    for (size_t i = 0; i < n; i++, row += size, x += dim) {
        float scale;
        memcpy(&scale, row, sizeof scale);
        rows_from_int8(x, (const int8_t *)(row + sizeof scale), dim, scale);
    }
}

void kv_rows_read(enum kv_type type, const void *row, size_t n, size_t dim,
                  float *x)
{
    if (type == KV_F32)
        memcpy(x, row, n * dim * sizeof *x);
    else if (type == KV_BF16)
        rows_from_bf16(x, row, n * dim);
    else
        read_q8(row, n, dim, x);
}

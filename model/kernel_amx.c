/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix kernels for bf16 with AMX: two tiles of rows meet two of columns.
 *
 *               32 columns
 *            +------+------+      A step is 32 of depth: a tile of a is 16
 *   16 rows  | c 0  | c 1  |      rows of 16 pairs, one of b 16 pairs of 16
 *            +------+------+      columns. Packed, the tiles of a step lie
 *   16 rows  | c 2  | c 3  |      one behind the other, step behind step.
 *            +------+------+
 *
 * tdpbf16ps adds the products of even and of odd steps on their own before it
 * adds both to the sum: the bits are not those of other sets. Nor do they
 * depend on the place in a tile: rows and steps that are missing are zero. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2,avx512bf16")
#pragma GCC target("amx-tile,amx-bf16,prfchw")

#include <stdint.h>

#include "model/kernel_pairs_internal.h"

enum {
    STEP = 2 * SIDE,
    LINE = SIDE * 4,           /* bytes of a row of a tile */
    TILE_FLOATS = SIDE * SIDE, /* as it is packed */
    TILE_ROWS = 2 * SIDE,
    TILE_COLUMNS = 2 * SIDE,
    DEPTH = 512
};

static size_t packed_floats(size_t n)
{
    return (n + STEP - 1) / STEP * SIDE;
}

static void put_block(const __m512i v[SIDE], float *out)
{
    for (size_t i = 0; i < SIDE; i++)
        _mm512_storeu_si512(out + i * SIDE, v[i]);
}

/* [step][half][16][16 pairs]: of a, rows by their pairs. */
static void pack_a(const struct kernel_outer *job, size_t row, size_t n_row,
                   size_t depth, size_t n_depth, float *out)
{
    const struct floats all = {.from = job->a + row * job->a_row +
                                       depth * job->a_depth,
                               .row = job->a_row,
                               .depth = job->a_depth,
                               .n_row = n_row,
                               .n_depth = n_depth};
    __m512i v[SIDE];

    for (size_t p = 0; p < n_depth; p += STEP) {
        for (size_t half = 0; half < TILE_ROWS; half += SIDE) {
            const struct floats at = floats_from(&all, half, p);
            pairs_by_row(&at, v);
            put_block(v, out);
            out += TILE_FLOATS;
        }
    }
}

/* The same of b: pairs by their columns. */
static void pack_b(const struct kernel_outer *job, size_t depth, size_t n_depth,
                   size_t column, size_t n_column, float *out)
{
    const struct floats all = {.from = job->b + column * job->b_column +
                                       depth * job->b_depth,
                               .row = job->b_column,
                               .depth = job->b_depth,
                               .n_row = n_column,
                               .n_depth = n_depth};
    __m512i v[SIDE];

    for (size_t p = 0; p < n_depth; p += STEP) {
        for (size_t half = 0; half < TILE_COLUMNS; half += SIDE) {
            const struct floats at = floats_from(&all, half, p);
            pairs_by_depth(&at, v);
            put_block(v, out);
            out += TILE_FLOATS;
        }
    }
}

/* The compiler does not know that tiles read memory. */
#define MEMORY_IS_READ() __asm__ volatile("" ::: "memory")

static void load_sums(const float *c, size_t c_stride)
{
    const long stride = (long)(c_stride * sizeof *c);

    _tile_loadd(0, c, stride);
    _tile_loadd(1, c + SIDE, stride);
    _tile_loadd(2, c + SIDE * c_stride, stride);
    _tile_loadd(3, c + SIDE * c_stride + SIDE, stride);
}

static void zero_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

static void store_sums(float *c, size_t c_stride)
{
    const long stride = (long)(c_stride * sizeof *c);

    _tile_stored(0, c, stride);
    _tile_stored(1, c + SIDE, stride);
    _tile_stored(2, c + SIDE * c_stride, stride);
    _tile_stored(3, c + SIDE * c_stride + SIDE, stride);
}

static void add_products(size_t n_depth, const float *a, const float *b)
{
    for (size_t p = 0; p < n_depth; p += STEP) {
        _tile_loadd(6, b, LINE);
        _tile_loadd(4, a, LINE);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + TILE_FLOATS, LINE);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + TILE_FLOATS, LINE);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        a += 2 * TILE_FLOATS;
        b += 2 * TILE_FLOATS;
    }
}

/* With an alpha or beta that is not one: by way of a copy. */
static void tile_blended(size_t n_depth, const float *a, const float *b,
                         float alpha, float beta, float *c, size_t c_stride)
{
    float sum[TILE_ROWS * TILE_COLUMNS] __attribute__((aligned(64)));

    zero_sums();
    add_products(n_depth, a, b);
    store_sums(sum, TILE_COLUMNS);
    for (size_t i = 0; i < TILE_ROWS; i++) {
        for (size_t j = 0; j < TILE_COLUMNS; j += SIDE) {
            float *to = c + i * c_stride + j;
            const __m512 v = _mm512_load_ps(sum + i * TILE_COLUMNS + j);
            _mm512_storeu_ps(to, blended(v, alpha, beta, to));
        }
    }
}

static void tile(size_t n_depth, const float *a, const float *b, float alpha,
                 float beta, float *c, size_t c_stride)
{
    MEMORY_IS_READ();
    for (size_t i = 0; i < TILE_ROWS; i++) {
        __builtin_prefetch(c + i * c_stride, 1);
        __builtin_prefetch(c + i * c_stride + SIDE, 1);
    }
    if (alpha != 1 || (beta != 0 && beta != 1)) {
        tile_blended(n_depth, a, b, alpha, beta, c, c_stride);
        return;
    }
    if (beta == 1)
        load_sums(c, c_stride);
    else
        zero_sums();
    add_products(n_depth, a, b);
    store_sums(c, c_stride);
}

#include "model/kernel_outer_internal.h"

/* What ldtilecfg reads (Intel SDM volume 1, 18.3: palette 1). */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

static void run_amx(const struct kernel_outer *job)
{
    struct tile_config config = {.palette = 1};

    for (int i = 0; i < 8; i++) {
        config.bytes[i] = LINE;
        config.rows[i] = SIDE;
    }
    MEMORY_IS_READ();
    _tile_loadconfig(&config);
    run_outer(job);
    _tile_release();
}

const struct kernel_table kernel_amx = {"amx",     NULL,  run_amx, pack,
                                        TILE_ROWS, DEPTH, 1};

#endif

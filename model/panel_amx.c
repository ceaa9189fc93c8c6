/* SPDX-License-Identifier: Apache-2.0
 *
 * The bf16 panel kernel for CPUs with AMX: tiles of 16 x 16 sums.
 *
 * A panel as it lies is what the unit loads: 16 steps along K (pairs of bf16)
 * by 16 columns. Two tiles of rows meet two of columns; few rows meet all
 * four of the panel, which is then read in one stream:
 *
 *               32 columns                      64 columns
 *            +------+------+          +------+------+------+------+
 *   16 rows  | C 0  | C 1  |   1..16  | C 0  | C 1  | C 2  | C 3  |
 *   16 rows  | C 2  | C 3  |          +------+------+------+------+
 *            +------+------+
 *
 * tdpbf16ps adds the products of even and of odd elements of 16 steps each on
 * their own before it adds both to the sum, and subnormal numbers are zero:
 * the bits are not those of the other sets. They do not depend on which tile a
 * row is in: rows and steps that are missing are zero. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")
#pragma GCC target("amx-tile,amx-bf16")

#include <immintrin.h>
#include <string.h>

#include "model/panel_internal.h"

enum {
    SIDE = 16,      /* rows, columns and steps of a tile */
    LINE = SIDE * 4 /* bytes of a row of a tile */
};

/* What ldtilecfg reads (Intel SDM volume 1, 18.3: palette 1). */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

/* One tile as it lies in memory. */
struct block {
    uint32_t at[SIDE][SIDE];
} __attribute__((aligned(64)));

/* Where a tile is loaded from. */
struct source {
    const void *at;
    long stride; /* bytes */
};

static void configure(void)
{
    struct tile_config config = {.palette = 1};

    for (int i = 0; i < 8; i++) {
        config.bytes[i] = LINE;
        config.rows[i] = SIDE;
    }
    _tile_loadconfig(&config);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* n_row x n_step elements at `from`, the rest zero. */
static void copy_block(const uint32_t *from, size_t stride, size_t n_row,
                       size_t n_step, struct block *block)
{
    memset(block, 0, sizeof *block);
    for (size_t i = 0; i < n_row; i++)
        memcpy(block->at[i], from + i * stride, n_step * sizeof *from);
}

/* 16 rows of x from `row` on, at step p; `spare` for what is not whole. */
static struct source rows_at(const struct panel_job *job, size_t row, size_t p,
                             struct block *spare)
{
    const uint32_t *x = (const uint32_t *)job->x + row * job->x_stride + p;
    const size_t n_row = smaller(job->m - row, SIDE);
    const size_t n_step = smaller(job->k - p, SIDE);

    if (n_row == SIDE && n_step == SIDE)
        return (struct source){x, (long)(job->x_stride * sizeof *x)};
    copy_block(x, job->x_stride, n_row, n_step, spare);
    return (struct source){spare, LINE};
}

/* 16 columns of the panel from `column` on, at step p. */
static struct source columns_at(const struct panel_job *job, size_t column,
                                size_t p, struct block *spare)
{
    const uint32_t *w = (const uint32_t *)job->w + p * PANEL_WIDTH + column;
    const size_t n_step = smaller(job->k - p, SIDE);

    if (n_step == SIDE)
        return (struct source){w, PANEL_WIDTH * sizeof *w};
    copy_block(w, PANEL_WIDTH, n_step, SIDE, spare);
    return (struct source){spare, LINE};
}

/* Sums of a tile to y. */
static void put(const struct panel_job *job, size_t row, size_t column,
                const float *sum)
{
    const size_t n_row = smaller(job->m - row, SIDE);

    for (size_t i = 0; i < n_row; i++, sum += SIDE) {
        float *y = job->y + (row + i) * job->y_stride + column;
        __m512 value = _mm512_load_ps(sum);
        if (job->accumulate)
            value = _mm512_add_ps(value, _mm512_loadu_ps(y));
        _mm512_storeu_ps(y, value);
    }
}

static void zero_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

static void store_sums(float sum[4][SIDE * SIDE])
{
    _tile_stored(0, sum[0], LINE);
    _tile_stored(1, sum[1], LINE);
    _tile_stored(2, sum[2], LINE);
    _tile_stored(3, sum[3], LINE);
}

/* 17 to 32 rows from `row` on, 32 columns. */
static void square(const struct panel_job *job, size_t row, size_t column)
{
    float sum[4][SIDE * SIDE] __attribute__((aligned(64)));
    struct block spare[4];

    zero_sums();
    for (size_t p = 0; p < job->k; p += SIDE) {
        const struct source x0 = rows_at(job, row, p, &spare[0]);
        const struct source x1 = rows_at(job, row + SIDE, p, &spare[1]);
        const struct source w0 = columns_at(job, column, p, &spare[2]);
        const struct source w1 = columns_at(job, column + SIDE, p, &spare[3]);
        _tile_loadd(4, x0.at, x0.stride);
        _tile_loadd(6, w0.at, w0.stride);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, w1.at, w1.stride);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x1.at, x1.stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    store_sums(sum);
    for (size_t i = 0; i < 4; i++)
        put(job, row + i / 2 * SIDE, column + i % 2 * SIDE, sum[i]);
}

/* 1 to 16 rows from `row` on, the whole panel. */
static void strip(const struct panel_job *job, size_t row)
{
    float sum[4][SIDE * SIDE] __attribute__((aligned(64)));
    struct block spare[5];
    struct source w[4];

    zero_sums();
    for (size_t p = 0; p < job->k; p += SIDE) {
        const struct source x = rows_at(job, row, p, &spare[4]);
        for (size_t i = 0; i < 4; i++)
            w[i] = columns_at(job, i * SIDE, p, &spare[i]);
        _tile_loadd(4, x.at, x.stride);
        _tile_loadd(5, w[0].at, w[0].stride);
        _tile_dpbf16ps(0, 4, 5);
        _tile_loadd(6, w[1].at, w[1].stride);
        _tile_dpbf16ps(1, 4, 6);
        _tile_loadd(5, w[2].at, w[2].stride);
        _tile_dpbf16ps(2, 4, 5);
        _tile_loadd(6, w[3].at, w[3].stride);
        _tile_dpbf16ps(3, 4, 6);
    }
    store_sums(sum);
    for (size_t i = 0; i < 4; i++)
        put(job, row, i * SIDE, sum[i]);
}

static void run_bf16(const struct panel_job *job)
{
    size_t row = 0;

    configure();
    for (; row + SIDE < job->m; row += 2 * SIDE) {
        square(job, row, 0);
        square(job, row, 2 * SIDE);
    }
    if (row < job->m)
        strip(job, row);
    _tile_release();
}

static void run_f32(const struct panel_job *job)
{
    panel_avx512.f32(job);
}

const struct panel_kernel panel_amx = {"avx512", "amx-bf16", run_f32, run_bf16};

#endif

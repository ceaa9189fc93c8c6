/* SPDX-License-Identifier: Apache-2.0
 *
 * The bf16 panel kernel for CPUs with AMX: tiles of 16 x 16 sums.
 *
 * A strip of a panel as it lies is what the unit loads: 16 steps along K
 * (pairs of bf16) by 16 columns. Two tiles of rows meet two of columns; few
 * rows meet all four of the panel, which is then read but once:
 *
 *               32 columns                      64 columns
 *            +------+------+          +------+------+------+------+
 *   16 rows  | C 0  | C 1  |   1..16  | C 0  | C 1  | C 2  | C 3  |
 *   1..16    | C 2  | C 3  |          +------+------+------+------+
 *            +------+------+
 *
 * tdpbf16ps adds the products of even and of odd elements of 16 steps each on
 * their own before it adds both to the sum, and subnormal numbers are zero:
 * the bits are not those of the other sets. They do not depend on which tile a
 * row is in, and steps that are missing are zero. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")
#pragma GCC target("amx-tile,amx-bf16")

#include <string.h>

#include "model/amx_internal.h"
#include "model/panel_internal.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    SIDE = AMX_SIDE, /* rows, columns and steps of a tile */
    LINE = AMX_LINE,
    LINES = 1024, /* that are asked for ahead a step, times rows */
    AHEAD = 512,  /* elements that few rows ask for ahead */
};

/* One tile as it lies in memory. */
struct block {
    uint32_t at[SIDE][SIDE];
} __attribute__((aligned(64)));

/* Where tiles of rows and of columns are loaded from. */
struct source {
    const uint32_t *x, *w;
    size_t x_stride; /* elements from a row to the next */
    size_t strip;    /* elements from a strip to the next */
};

/* Lines that will be columns soon. */
struct ahead {
    const char *at;
    size_t n; /* a step */
};

/* The second tile of rows and its sums may be short. */
static void configure(size_t first, size_t second)
{
    struct amx_config config = {.palette = 1};

    for (int i = 0; i < AMX_TILES; i++) {
        const int is_second = i == 2 || i == 3 || i == 5;
        const int is_column = i == 6 || i == 7;
        config.bytes[i] = LINE;
        config.rows[i] =
            is_column ? SIDE : (uint8_t)(is_second ? second : first);
    }
    amx_configure(&config);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows from `row` on, strips from `column` on. */
static struct source source_at(const struct panel_job *job, size_t row,
                               size_t column)
{
    return (struct source){.x = (const uint32_t *)job->x + row * job->x_stride,
                           .w = (const uint32_t *)job->w +
                                panel_place(job->k, column, 0),
                           .x_stride = job->x_stride,
                           .strip = panel_place(job->k, SIDE, 0)};
}

INLINE long bytes(size_t elements)
{
    return (long)(elements * sizeof(uint32_t));
}

/* Tiles at step p of a square. */
INLINE void square_step(const struct source *from, size_t p)
{
    const long stride = bytes(from->x_stride);
    const uint32_t *x = from->x + p, *w = from->w + p * SIDE;

    _tile_loadd(4, x, stride);
    _tile_loadd(6, w, LINE);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, w + from->strip, LINE);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, x + SIDE * from->x_stride, stride);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* Tiles at step p of few rows. */
INLINE void row_step(const struct source *from, size_t p)
{
    const uint32_t *w = from->w + p * SIDE;

    _tile_loadd(4, from->x + p, bytes(from->x_stride));
    _tile_loadd(6, w, LINE);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, w + from->strip, LINE);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(6, w + 2 * from->strip, LINE);
    _tile_dpbf16ps(2, 4, 6);
    _tile_loadd(7, w + 3 * from->strip, LINE);
    _tile_dpbf16ps(3, 4, 7);
}

/* The last steps, fewer than a tile has, with zeros behind. */
struct tail {
    struct block x[2], w[PANEL_WIDTH / SIDE];
};

static struct source make_tail(const struct panel_job *job,
                               const struct source *from, size_t n_row,
                               size_t n_strip, struct tail *tail)
{
    const size_t p = job->k / SIDE * SIDE,
                 size = (job->k - p) * sizeof(uint32_t);

    memset(tail, 0, sizeof *tail);
    for (size_t i = 0; i < n_row; i++)
        memcpy(tail->x[i / SIDE].at[i % SIDE], from->x + i * from->x_stride + p,
               size);
    for (size_t i = 0; i < n_strip; i++)
        memcpy(&tail->w[i], from->w + i * from->strip + p * SIDE, size * SIDE);
    amx_reads(tail);
    return (struct source){tail->x[0].at[0], tail->w[0].at[0], SIDE,
                           SIDE * SIDE};
}

static void zero_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

/* n_row x 16 sums to y, or added to it. */
static void add_sums(const float *sum, size_t n_row, float *y, size_t stride)
{
    for (size_t i = 0; i < n_row; i++, sum += SIDE, y += stride)
        _mm512_storeu_ps(
            y, _mm512_add_ps(_mm512_load_ps(sum), _mm512_loadu_ps(y)));
}

/* The sums of `tile` to y. */
#define PUT(tile, n_row, job, row, column)                                     \
    do {                                                                       \
        float *y = (job)->y + (row) * (job)->y_stride + (column);              \
        if ((job)->accumulate) {                                               \
            _tile_stored(tile, sum, LINE);                                     \
            add_sums(sum, n_row, y, (job)->y_stride);                          \
        } else {                                                               \
            _tile_stored(tile, y, bytes((job)->y_stride));                     \
        }                                                                      \
    } while (0)

/* 17 to 32 rows from `row` on, 32 columns. */
static void square(const struct panel_job *job, size_t row, size_t column,
                   struct ahead *ahead)
{
    const struct source from = source_at(job, row, column);
    const size_t n_row = smaller(job->m - row, 2 * SIDE);
    float sum[SIDE * SIDE] __attribute__((aligned(64)));
    size_t p = 0;

    zero_sums();
    for (; p + SIDE <= job->k; p += SIDE) {
        for (size_t i = 0; i < ahead->n; i++, ahead->at += LINE)
            _mm_prefetch(ahead->at, _MM_HINT_T1);
        square_step(&from, p);
    }
    if (p < job->k) {
        struct tail tail;
        const struct source last = make_tail(job, &from, n_row, 2, &tail);
        square_step(&last, 0);
    }
    PUT(0, SIDE, job, row, column);
    PUT(1, SIDE, job, row, column + SIDE);
    PUT(2, n_row - SIDE, job, row + SIDE, column);
    PUT(3, n_row - SIDE, job, row + SIDE, column + SIDE);
}

/* 1 to 16 rows from `row` on, the whole panel. */
static void few_rows(const struct panel_job *job, size_t row)
{
    const struct source from = source_at(job, row, 0);
    const size_t n_row = job->m - row;
    float sum[SIDE * SIDE] __attribute__((aligned(64)));
    size_t p = 0;

    zero_sums();
    for (; p + SIDE <= job->k; p += SIDE) {
        const char *w = (const char *)(from.w + p * SIDE + AHEAD);
        for (size_t i = 0; i < SIDE; i++, w += LINE) {
            for (size_t j = 0; j < PANEL_WIDTH / SIDE; j++)
                _mm_prefetch(w + j * (size_t)bytes(from.strip), _MM_HINT_T0);
        }
        row_step(&from, p);
    }
    if (p < job->k) {
        struct tail tail;
        const struct source last =
            make_tail(job, &from, n_row, PANEL_WIDTH / SIDE, &tail);
        row_step(&last, 0);
    }
    PUT(0, n_row, job, row, 0);
    PUT(1, n_row, job, row, SIDE);
    PUT(2, n_row, job, row, 2 * SIDE);
    PUT(3, n_row, job, row, 3 * SIDE);
}

static void run_bf16(const struct panel_job *job)
{
    const size_t whole = job->m / (2 * SIDE) * (2 * SIDE);
    const size_t rest = job->m - whole;

    if (whole || rest > SIDE)
        configure(SIDE, SIDE);
    for (size_t column = 0; column < PANEL_WIDTH; column += 2 * SIDE) {
        struct ahead ahead = {
            (const char *)((const uint32_t *)job->w +
                           panel_place(job->k, column + 2 * SIDE, 0)),
            (LINES + job->m - 1) / job->m};
        for (size_t row = 0; row < whole; row += 2 * SIDE)
            square(job, row, column, &ahead);
    }
    if (rest > SIDE) {
        struct ahead none = {0};
        configure(SIDE, rest - SIDE);
        square(job, whole, 0, &none);
        square(job, whole, 2 * SIDE, &none);
    } else if (rest) {
        configure(rest, rest);
        few_rows(job, whole);
    }
    _tile_release();
}

static void run_f32(const struct panel_job *job)
{
    panel_avx512.f32(job);
}

const struct panel_kernel panel_amx = {"avx512", "amx-bf16-attention", 1,
                                       run_f32, run_bf16};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Products with quantised weights for CPUs with AMX: tiles of 16 x 16.
 *
 * tdpbssd adds the products of a group (32 elements of K, or 16) for 16 rows
 * and 16 columns at once. Its integers go through memory to the vector units,
 * which scale them; the sums of 16 rows stay in 16 registers over a chunk.
 * Four groups' integers are on their way while four others are scaled:
 *
 *                          16 columns
 *                         +----------+
 *              8 steps    | w  tile  |
 *                         +----------+
 *         +-----------+   +----------+        +----------+
 * 16 rows | x codes   |   | integers |  =>    | acc      |
 *         +-----------+   +----------+        +----------+
 *           32 elements
 *
 * A few rows are left to the kernel with VNNI: the bits are the same. */
#ifdef __x86_64__

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,avx2")
#pragma GCC target("amx-tile,amx-int8")

#include "model/amx_internal.h"
#include "model/quant_avx512_internal.h"

enum { FLIP = 0 };

#include "model/quant_expand_internal.h"

enum {
    SIDE = AMX_SIDE,  /* rows and columns of a tile */
    FEWEST_ROWS = 12, /* that are worth a tile */
    BATCH = 4,        /* groups, or halves, whose sums are made at once */
};

/* Tiles 0 to 3: sums; 4, 5: codes of x; 6, 7: of w. */
static void configure(int elements)
{
    struct amx_config config = {.palette = 1};

    for (int i = 0; i < AMX_TILES; i++) {
        config.bytes[i] = i / 2 == 2 ? (uint16_t)elements : AMX_LINE;
        config.rows[i] = i / 2 == 3 ? (uint8_t)(elements / STEP) : SIDE;
    }
    amx_configure(&config);
}

struct sums {
    int32_t at[BATCH][SIDE][SIDE];
} __attribute__((aligned(64)));

/* What belongs to 16 rows of a chunk, turned. */
struct scales {
    float scale[CHUNK_GROUPS][SIDE], sum[CHUNK_GROUPS][SIDE];
};

/* 16 rows from `row` on and 16 columns. */
struct spot {
    const struct quant_job *job;
    const struct chunk *chunk;
    const struct scales *scales;
    size_t row, column;
    size_t from, n; /* groups of the chunk */
};

/* ---- integers ---- */

/* Where part `part` of a chunk is: a group, or a half of one. */
INLINE const int8_t *x_of(const struct spot *at, size_t part, size_t elements)
{
    return at->job->x + at->row * at->job->k + at->from * QUANT_GROUP +
           part * elements;
}

INLINE const unsigned char *w_of(const struct spot *at, size_t part,
                                 size_t elements)
{
    return at->chunk->code[part * elements / STEP] + at->column * STEP;
}

/* The numbers of tiles are part of the instructions. */
#define ADD_CODES(c, a, b, part)                                               \
    do {                                                                       \
        _tile_zero(c);                                                         \
        _tile_loadd(a, x_of(at, part, elements), (long)at->job->k);            \
        _tile_loadd(b, w_of(at, part, elements), LINE);                        \
        _tile_dpbssd(c, a, b);                                                 \
    } while (0)

/* n parts from `part` on. */
INLINE void add_codes(const struct spot *at, size_t part, size_t n,
                      size_t elements, struct sums *sums)
{
    if (n > 0)
        ADD_CODES(0, 4, 6, part);
    if (n > 1)
        ADD_CODES(1, 5, 7, part + 1);
    if (n > 2)
        ADD_CODES(2, 4, 6, part + 2);
    if (n > 3)
        ADD_CODES(3, 5, 7, part + 3);
    if (n > 0)
        _tile_stored(0, sums->at[0], AMX_LINE);
    if (n > 1)
        _tile_stored(1, sums->at[1], AMX_LINE);
    if (n > 2)
        _tile_stored(2, sums->at[2], AMX_LINE);
    if (n > 3)
        _tile_stored(3, sums->at[3], AMX_LINE);
}

/* ---- floats ---- */

static void turn_scales(const struct spot *at, struct scales *scales)
{
    const size_t n_group = at->job->k / QUANT_GROUP;
    const struct quant_group *group =
        at->job->group + at->row * n_group + at->from;

    for (size_t i = 0; i < SIDE; i++, group += n_group) {
        for (size_t j = 0; j < at->n; j++) {
            scales->scale[j][i] = group[j].scale;
            scales->sum[j][i] = group[j].sum;
        }
    }
}

INLINE void add_scaled(vec acc[SIDE], const struct spot *at, size_t part,
                       size_t group, const int32_t sums[SIDE][SIDE])
{
    const vec scale = vec_load(at->chunk->scale[part] + at->column);
    const float *own = at->scales->scale[group];

#pragma GCC unroll 16
    for (size_t i = 0; i < SIDE; i++)
        acc[i] = vec_fma(vec_of_ints(ivec_load(sums[i])),
                         vec_all(own + i) * scale, acc[i]);
}

INLINE void add_min(vec acc[SIDE], const struct spot *at, size_t group)
{
    const vec min = vec_load(at->chunk->min[group] + at->column);
    const float *own = at->scales->sum[group];

#pragma GCC unroll 16
    for (size_t i = 0; i < SIDE; i++)
        acc[i] = vec_fma(vec_all(own + i), min, acc[i]);
}

/* Rows behind the last are neither read nor written. */
INLINE void load_acc(vec acc[SIDE], const struct spot *at)
{
    const struct quant_job *job = at->job;
    const float *y = job->y + at->row * job->y_stride + at->column;
    const int is_zero = at->from == 0 && !job->accumulate;

#pragma GCC unroll 16
    for (size_t i = 0; i < SIDE; i++)
        acc[i] = is_zero || at->row + i >= job->m
                     ? vec_zero()
                     : vec_load(y + i * job->y_stride);
}

INLINE void store_acc(const vec acc[SIDE], const struct spot *at)
{
    const struct quant_job *job = at->job;
    float *y = job->y + at->row * job->y_stride + at->column;

#pragma GCC unroll 16
    for (size_t i = 0; i < SIDE; i++) {
        if (at->row + i < job->m)
            vec_store(y + i * job->y_stride, acc[i]);
    }
}

INLINE size_t batch_size(size_t part, size_t n)
{
    const size_t left = part < n ? n - part : 0;

    return left < BATCH ? left : BATCH;
}

/* All groups of a chunk, or halves of them. */
INLINE void tile(const struct spot *at, size_t halves)
{
    const size_t elements = QUANT_GROUP / halves, n = at->n * halves;
    const int has_min = at->job->w->form->has_min;
    struct sums sums[2];
    vec acc[SIDE];

    load_acc(acc, at);
    add_codes(at, 0, batch_size(0, n), elements, &sums[0]);
    for (size_t part = 0; part < n; part += BATCH) {
        const size_t next = part + BATCH;
        const struct sums *here = &sums[part / BATCH % 2];
        add_codes(at, next, batch_size(next, n), elements,
                  &sums[next / BATCH % 2]);
        for (size_t i = 0; i < batch_size(part, n); i++) {
            const size_t group = (part + i) / halves;
            add_scaled(acc, at, part + i, group, here->at[i]);
            if (has_min)
                add_min(acc, at, group);
        }
    }
    store_acc(acc, at);
}

static void chunk_tiles(struct spot *at, size_t halves)
{
    struct scales scales;

    at->scales = &scales;
    for (at->row = 0; at->row < at->job->m; at->row += SIDE) {
        turn_scales(at, &scales);
        for (at->column = 0; at->column < PANEL_WIDTH; at->column += SIDE) {
            if (halves == 2)
                tile(at, 2);
            else
                tile(at, 1);
        }
    }
}

static void multiply(const struct quant_job *job)
{
    const size_t halves = job->w->form->n_scale == 2 ? 2 : 1;
    const size_t n_group = job->k / QUANT_GROUP;
    struct chunk chunk;
    struct spot at = {.job = job, .chunk = &chunk};

    if (job->m < FEWEST_ROWS) {
        quant_kernel_vnni.multiply(job);
        return;
    }
    configure((int)(QUANT_GROUP / halves));
    for (; at.from < n_group; at.from += CHUNK_GROUPS) {
        const size_t left = n_group - at.from;
        at.n = left < CHUNK_GROUPS ? left : CHUNK_GROUPS;
        expand(job->w, at.from, at.n, &chunk);
        amx_reads(&chunk);
        chunk_tiles(&at, halves);
    }
    _tile_release();
}

const struct quant_kernel quant_kernel_amx = {"amx", round_row, multiply};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes panels of bf16 from rows of floats. */
#include <string.h>

#include "model/panel_internal.h"
#include "model/rows.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A square of PANEL_STRIP columns and steps from step p on. */
static void pack_square(uint32_t *to, const float *row, size_t stride,
                        size_t n_row, size_t n_pair)
{
    uint32_t square[PANEL_STRIP][PANEL_STRIP];
    const size_t n_step = smaller((n_pair + 1) / 2, PANEL_STRIP);

    rows_turn_bf16(square, row, stride, n_row,
                   smaller(n_pair, 2 * PANEL_STRIP));
    memcpy(to, square, n_step * sizeof *square);
}

void panel_pack_rows(uint32_t *to, const float *row, size_t stride,
                     size_t n_row, size_t k)
{
    for (size_t i = 0; i < PANEL_WIDTH; i += PANEL_STRIP) {
        const size_t left = n_row > i ? n_row - i : 0;
        for (size_t p = 0; p < k; p += 2 * PANEL_STRIP)
            pack_square(to + panel_place((k + 1) / 2, i, p / 2),
                        left ? row + i * stride + p : row, stride,
                        smaller(left, PANEL_STRIP), k - p);
    }
}

/* A step of the panel's columns; high NULL: zeros. */
static void pack_step(uint32_t pair[PANEL_WIDTH], const float *low,
                      const float *high, size_t n_column)
{
    static const float zero[PANEL_WIDTH];

    rows_pair_bf16(pair, low, high ? high : zero, n_column);
}

void panel_pack_columns(uint32_t *to, const float *row, size_t stride, size_t k,
                        size_t n_column)
{
    uint32_t pair[PANEL_WIDTH] = {0};
    const size_t n_step = (k + 1) / 2;

    for (size_t p = 0; p < n_step; p++) {
        const float *low = row + 2 * p * stride;
        pack_step(pair, low, 2 * p + 1 < k ? low + stride : NULL, n_column);
        for (size_t i = 0; i < PANEL_WIDTH; i += PANEL_STRIP)
            memcpy(to + panel_place(n_step, i, p), pair + i,
                   PANEL_STRIP * sizeof *to);
    }
}

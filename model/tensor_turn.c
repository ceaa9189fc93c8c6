/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders of rows and columns in foreign files. */
#include "model/tensor_turn.h"

#include <string.h>

#include "core/alloc.h"

enum { N_KIND = 3 };

uint64_t tensor_turn_row(const struct tensor_turned *turned, uint64_t row)
{
    const uint64_t of_head = turned->n_row / turned->n_head;

    if (turned->turn == TURN_PAIRS) {
        const uint64_t half = of_head / 2, at = row % of_head;
        return row - at + at % half * 2 + at / half;
    }
    if (turned->turn == TURN_KINDS) {
        const uint64_t dim = of_head / N_KIND;
        const uint64_t head = row / of_head, kind = row % of_head / dim;
        return (kind * turned->n_head + head) * dim + row % dim;
    }
    return row;
}

int tensor_turn_fits(const struct tensor_turned *turned)
{
    const uint64_t part = turned->turn == TURN_KINDS ? N_KIND : 2;

    if (turned->turn != TURN_PAIRS && turned->turn != TURN_KINDS)
        return 1;
    return turned->n_head && turned->n_row % turned->n_head == 0 &&
           turned->n_row / turned->n_head % part == 0;
}

static void read_rows(const struct tensor_turned *turned,
                      const struct quant_type *type, const void *data,
                      uint64_t from, uint64_t n, float *to)
{
    const uint64_t width = turned->n_column;

    for (uint64_t done = 0; done < n;) {
        const uint64_t row = (from + done) / width;
        const uint64_t skip = (from + done) % width, left = n - done;
        const uint64_t take = left < width - skip ? left : width - skip;
        quant_read(type, data, tensor_turn_row(turned, row) * width + skip,
                   take, to + done);
        done += take;
    }
}

/* Row by row of the file: its row j is our column j. */
static void read_columns(const struct tensor_turned *turned,
                         const struct quant_type *type, const void *data,
                         uint64_t from, uint64_t n, float *to)
{
    const uint64_t n_row = turned->n_row, n_column = turned->n_column;
    float *column = oy_alloc_array((size_t)n_row, sizeof *column);

    for (uint64_t j = 0; j < n_column; j++) {
        quant_read(type, data, j * n_row, n_row, column);
        for (uint64_t i = 0; i < n_row; i++) {
            const uint64_t at = i * n_column + j;
            if (at >= from && at - from < n)
                to[at - from] = column[i];
        }
    }
    oy_free(column);
}

void tensor_turn_read(const struct tensor_turned *turned,
                      const struct quant_type *type, const void *data,
                      uint64_t from, uint64_t n, float *to)
{
    switch (turned->turn) {
    case TURN_PAIRS:
    case TURN_KINDS: read_rows(turned, type, data, from, n, to); return;
    case TURN_TRANSPOSE: read_columns(turned, type, data, from, n, to); return;
    default: quant_read(type, data, from, n, to); break;
    }
    for (uint64_t i = 0; turned->turn == TURN_PLUS_ONE && i < n; i++)
        to[i] -= 1;
}

void tensor_turn_write(const struct tensor_turned *turned, const float *from,
                       float *to)
{
    const uint64_t n_row = turned->n_row, n_column = turned->n_column;
    const float one = turned->turn == TURN_PLUS_ONE ? 1 : 0;

    for (uint64_t i = 0; i < n_row; i++) {
        const float *row = from + i * n_column;
        if (turned->turn == TURN_PAIRS || turned->turn == TURN_KINDS) {
            memcpy(to + tensor_turn_row(turned, i) * n_column, row,
                   n_column * sizeof *to);
            continue;
        }
        for (uint64_t j = 0; j < n_column; j++)
            to[turned->turn == TURN_TRANSPOSE ? j * n_row + i
                                              : i * n_column + j] =
                row[j] + one;
    }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * How a tensor as a file stores it becomes the one that checkpoints name.
 *
 * Other formats keep the numbers of Hugging Face's checkpoints in another
 * order: rows of q and k in pairs for the interleaved rotation, rows of a
 * fused q, k, v by kind instead of by head, matrices the other way round. A
 * turn says which; reading undoes it, writing does it.
 */
#ifndef MODEL_TENSOR_TURN_H
#define MODEL_TENSOR_TURN_H

#include <stdint.h>

#include "model/quant.h"

enum tensor_turn {
    TURN_NONE,
    TURN_PAIRS,     /* row 2 i + c of a head is ours c (rows / 2) + i */
    TURN_KINDS,     /* of [head][q, k, v] the file has [q, k, v][head] */
    TURN_TRANSPOSE, /* file [b][a], ours [a][b] */
    TURN_PLUS_ONE,  /* the file has one more: norms that multiply by 1 + w */
};

/* A matrix of rows x columns, as it is named (not as it is stored); a vector
 * has columns 1. n_head divides the rows of TURN_PAIRS and TURN_KINDS (and
 * what is left by two, by three). */
struct tensor_turned {
    enum tensor_turn turn;
    uint64_t n_head;
    uint64_t n_row, n_column;
};

/* The file's row of row `row` of ours, for the turns of rows. */
uint64_t tensor_turn_row(const struct tensor_turned *turned, uint64_t row);
/* Whether n_head fits the rows. */
int tensor_turn_fits(const struct tensor_turned *turned);

/* Elements from .. from + n of ours, out of the file's blocks at `data`. */
void tensor_turn_read(const struct tensor_turned *turned,
                      const struct quant_type *type, const void *data,
                      uint64_t from, uint64_t n, float *to);
/* The whole of ours, turned into the file's order. */
void tensor_turn_write(const struct tensor_turned *turned, const float *from,
                       float *to);

#endif

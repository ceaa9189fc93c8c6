/* SPDX-License-Identifier: Apache-2.0
 *
 * A kept row of keys or values: floats in, bytes, floats out.
 *
 * What is kept of a row is a function of that row alone, and what is read of
 * it is a function of the bytes. A q8 row is a float, the scale, and an int8
 * for each element, padded to whole floats; x is kept as the nearest of
 * q scale, q in -127 .. 127. A q8 row that holds what is no finite number is
 * read as NaN.
 */
#ifndef MODEL_KV_ROWS_H
#define MODEL_KV_ROWS_H

#include <stddef.h>

#include "model/kv.h"

/* Bytes of a row. */
size_t kv_row_size(enum kv_type type, size_t dim);
void kv_row_write(enum kv_type type, void *row, const float *x, size_t dim);
/* n rows that lie behind each other, to x[n][dim]. */
void kv_rows_read(enum kv_type type, const void *row, size_t n, size_t dim,
                  float *x);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids and labels as JSON text.
 */
#ifndef TOKENIZER_PACK_TEXT_H
#define TOKENIZER_PACK_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

enum { PACK_NO_LABEL = -100 }; /* torch's ignore_index */

/* Appends a number in decimal. */
void pack_put_number(struct oy_buffer *out, int64_t number);
/* Appends "[1,2,3]". */
void pack_put_ids(struct oy_buffer *out, const int32_t *id, size_t n);
/* Appends the labels of a row: the id where loss is set and something stands
 * before it, else PACK_NO_LABEL. */
void pack_put_labels(struct oy_buffer *out, const int32_t *id,
                     const uint8_t *loss, size_t n);

#endif

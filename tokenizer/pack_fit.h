/* SPDX-License-Identifier: Apache-2.0
 *
 * Best-fit decreasing: lengths into as few rows as that finds.
 */
#ifndef TOKENIZER_PACK_FIT_H
#define TOKENIZER_PACK_FIT_H

#include <stddef.h>
#include <stdint.h>

/* Row i holds the pieces piece[first[i]] .. piece[first[i + 1] - 1], numbers
 * in ascending order; rows are in the order of their first pieces. */
struct pack_fit {
    size_t *first; /* [n_row + 1] */
    size_t *piece; /* [n_piece] */
    size_t n_row;
};

/* Packs n pieces of length[i] in 1 .. row_len: the longest first (of equals
 * the first), each into the row where the least room is left over (of equals
 * the one that was touched last), a new one where none has room. Time grows
 * with n and row_len, not with their product. */
struct pack_fit pack_fit(const uint32_t *length, size_t n, uint32_t row_len);
void pack_fit_release(struct pack_fit *fit);

#endif

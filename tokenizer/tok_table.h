/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of short texts with aligned columns, as Markdown or bare.
 */
#ifndef TOKENIZER_TOK_TABLE_H
#define TOKENIZER_TOK_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

/* Cells row by row, the first row is the heading; column 0 is flush left, the
 * others are flush right. Zero-initialised but for n_column is empty. */
struct tok_table {
    size_t n_column;
    char **cell;
    size_t n_cell, cap_cell;
};

/* Add the next cell: a text (copied; control characters become spaces), a
 * count, a ratio with three places, "-" for one over zero. */
void tok_table_add(struct tok_table *table, const char *text);
void tok_table_add_count(struct tok_table *table, uint64_t count);
void tok_table_add_ratio(struct tok_table *table, uint64_t n, uint64_t over);
/* Appends the table, whose last row is whole. In Markdown `|` is escaped. */
void tok_table_put(const struct tok_table *table, int markdown,
                   struct oy_buffer *out);
void tok_table_release(struct tok_table *table);

#endif

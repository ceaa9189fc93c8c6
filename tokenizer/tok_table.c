/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of texts, written. */
#include "tokenizer/tok_table.h"

#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

void tok_table_add(struct tok_table *table, const char *text)
{
    char *copy = oy_strdup(text);

    for (char *c = copy; *c; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    OY_GROW(table->cell, table->cap_cell, table->n_cell + 1);
    table->cell[table->n_cell++] = copy;
}

void tok_table_add_count(struct tok_table *table, uint64_t count)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)count);
    tok_table_add(table, text);
}

void tok_table_add_ratio(struct tok_table *table, uint64_t n, uint64_t over)
{
    char text[48] = "-";

    if (over)
        snprintf(text, sizeof text, "%.3f", (double)n / (double)over);
    tok_table_add(table, text);
}

/* Characters of a cell as it is written. */
static size_t width_of(const char *cell, int markdown)
{
    size_t n = oy_utf8_count(cell, strlen(cell));

    for (; markdown && *cell; cell++)
        n += *cell == '|';
    return n;
}

static void put_spaces(struct oy_buffer *out, size_t n, char c)
{
    while (n--)
        oy_buffer_append_char(out, c);
}

static void put_cell(const char *cell, size_t column, size_t width,
                     int markdown, struct oy_buffer *out)
{
    const size_t fill = width - width_of(cell, markdown);

    if (markdown)
        oy_buffer_append_string(out, column ? " " : "| ");
    else if (column)
        oy_buffer_append_string(out, "  ");
    if (column)
        put_spaces(out, fill, ' ');
    for (; *cell; cell++) {
        if (markdown && *cell == '|')
            oy_buffer_append_char(out, '\\');
        oy_buffer_append_char(out, *cell);
    }
    if (!column)
        put_spaces(out, fill, ' ');
    if (markdown)
        oy_buffer_append_string(out, " |");
}

/* The line under the heading: `|:---|---:|`. */
static void put_rule(const size_t *width, size_t n, struct oy_buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        oy_buffer_append_string(out, i ? "" : "|:");
        put_spaces(out, width[i] + 1, '-');
        oy_buffer_append_string(out, i ? ":|" : "|");
    }
    oy_buffer_append_char(out, '\n');
}

void tok_table_put(const struct tok_table *table, int markdown,
                   struct oy_buffer *out)
{
    const size_t n = table->n_column;
    size_t *width = oy_calloc(n, sizeof *width);

    for (size_t i = 0; i < table->n_cell; i++) {
        const size_t here = width_of(table->cell[i], markdown);
        if (width[i % n] < here)
            width[i % n] = here;
    }
    for (size_t i = 0; i < table->n_cell; i++) {
        put_cell(table->cell[i], i % n, width[i % n], markdown, out);
        if (i % n == n - 1)
            oy_buffer_append_char(out, '\n');
        if (i == n - 1 && markdown)
            put_rule(width, n, out);
    }
    oy_free(width);
}

void tok_table_release(struct tok_table *table)
{
    for (size_t i = 0; i < table->n_cell; i++)
        oy_free(table->cell[i]);
    oy_free(table->cell);
    *table = (struct tok_table){0};
}

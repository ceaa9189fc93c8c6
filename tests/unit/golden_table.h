/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole golden files of the pipeline for unit tests: their lines as rows,
 * members as text, the document that a row is about. */
#ifndef TESTS_GOLDEN_TABLE_H
#define TESTS_GOLDEN_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input.h"
#include "core/json.h"

struct golden_table {
    char *data;
    size_t len;
    struct oy_json_value *row;
    size_t n_row, cap_row;
};

/* Reads golden/pipeline/NAME.jsonl of OYSTER_SHARED; -1 with a loud line when
 * it is not there. */
static int golden_table_read(struct golden_table *table, const char *name)
{
    const char *shared = getenv("OYSTER_SHARED");
    char *path = oy_asprintf("%s/golden/pipeline/%s.jsonl",
                             shared ? shared : "../shared", name);
    struct oy_error err = {0};
    const char *why;

    *table = (struct golden_table){0};
    table->data = oy_input_slurp(path, 1 << 30, &table->len, &err);
    if (!table->data)
        printf("SKIPPED: no golden file %s\n", path);
    oy_free(path);
    if (!table->data)
        return -1;
    for (char *at = table->data, *end = at + table->len; at < end;) {
        char *feed = memchr(at, '\n', (size_t)(end - at));
        char *stop = feed ? feed : end;
        OY_GROW(table->row, table->cap_row, table->n_row + 1);
        assert_int_equal(oy_json_value_of(at, (size_t)(stop - at),
                                          &table->row[table->n_row++], &why),
                         0);
        at = stop + 1;
    }
    return 0;
}

static void golden_table_release(struct golden_table *table)
{
    oy_free(table->data);
    oy_free(table->row);
}

/* A member that is a string, in `arena`. */
static struct oy_text golden_text(struct oy_arena *arena,
                                  const struct oy_json_value *object,
                                  const char *name)
{
    const struct oy_json_value value = oy_json_member(object, name);
    struct oy_text text = {0};
    uint64_t n_repaired = 0;
    const char *why;

    assert_int_equal(oy_json_text(&value, arena, &text, &n_repaired, &why), 0);
    return text;
}

/* The text of the document whose id a row has. */
static struct oy_text golden_document(struct oy_arena *arena,
                                      const struct golden_table *documents,
                                      const struct oy_json_value *row)
{
    const struct oy_text id = golden_text(arena, row, "id");

    for (size_t i = 0; i < documents->n_row; i++) {
        const struct oy_text other =
            golden_text(arena, &documents->row[i], "id");
        if (other.len == id.len && !memcmp(other.at, id.at, id.len))
            return golden_text(arena, &documents->row[i], "text");
    }
    fail_msg("no document %.*s", (int)id.len, id.at);
    return (struct oy_text){0};
}

#endif

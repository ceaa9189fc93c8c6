/* SPDX-License-Identifier: Apache-2.0
 *
 * Golden files of JSONL for unit tests: found through OYSTER_SHARED, read line
 * by line, members by name. */
#ifndef TESTS_GOLDEN_LINES_H
#define TESTS_GOLDEN_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/source.h"

struct golden {
    struct oy_source *source;
    struct oy_batch batch;
    size_t at;
    struct oy_arena arena; /* of the texts of the line */
    char path[512];
};

/* 0, or -1 with a loud line when the file is not there. */
static int golden_open(struct golden *golden, const char *relative)
{
    const char *shared = getenv("OYSTER_SHARED");
    const struct oy_source_options options = {.max_record = 1 << 28};
    struct oy_error err = {0};
    const char *path = golden->path;

    *golden = (struct golden){0};
    snprintf(golden->path, sizeof golden->path, "%s/%s",
             shared ? shared : "../shared", relative);
    golden->source = oy_source_open(&path, 1, &options, &err);
    if (golden->source)
        return 0;
    fprintf(stderr, "SKIPPED: no golden file %s\n", golden->path);
    return -1;
}

/* The next line's object: 1, or 0 at the end. */
static int golden_next(struct golden *golden, struct oy_json_value *object)
{
    struct oy_batch *batch = &golden->batch;
    struct oy_error err = {0};
    const char *why;

    oy_arena_clear(&golden->arena);
    while (golden->at == batch->n_line) {
        golden->at = 0;
        const int rc = golden->source->next(golden->source, batch, &err);
        OY_ASSERT(rc >= 0);
        if (rc == 0)
            return 0;
    }
    const struct oy_line line = batch->line[golden->at++];
    OY_ASSERT(oy_json_value_of(batch->data + line.at, line.len, object, &why) ==
              0);
    return 1;
}

static void golden_close(struct golden *golden)
{
    golden->source->close(golden->source);
    oy_batch_release(&golden->batch);
    oy_arena_release(&golden->arena);
}

/* A member as text; a number comes as its digits. */
static inline struct oy_text golden_text(struct golden *golden,
                                         const struct oy_json_value *object,
                                         const char *key)
{
    const struct oy_json_value value = oy_json_member(object, key);
    struct oy_text text = {value.at, value.len};
    uint64_t repaired = 0;
    const char *why;

    if (value.kind == OY_JSON_STRING)
        OY_ASSERT(
            oy_json_text(&value, &golden->arena, &text, &repaired, &why) == 0);
    return text;
}

static inline int golden_is(struct golden *golden,
                            const struct oy_json_value *object, const char *key,
                            const char *want)
{
    const struct oy_text text = golden_text(golden, object, key);

    return text.len == strlen(want) && memcmp(text.at, want, text.len) == 0;
}

#endif

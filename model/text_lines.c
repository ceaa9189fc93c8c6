/* SPDX-License-Identifier: Apache-2.0
 *
 * A source that wraps lines of text into records. */
#include "model/text_lines.h"

#include <string.h>

#include "core/alloc.h"
#include "core/json.h"

struct text_lines {
    struct oy_source source; /* first: callers hold a pointer to it */
    struct oy_source *inner;
    struct oy_batch batch;
    const char *name;
    struct oy_buffer data;
};

/* Wraps all lines of the inner batch; one that was too long stays what it
 * is. */
static void wrap(struct text_lines *lines, struct oy_batch *batch)
{
    const struct oy_batch *from = &lines->batch;
    struct oy_buffer *data = &lines->data;

    oy_buffer_clear(data);
    for (size_t i = 0; i < from->n_line; i++) {
        const size_t at = data->len;
        if (from->line[i].len == SIZE_MAX) {
            batch->line[i] = (struct oy_line){0, SIZE_MAX};
            continue;
        }
        oy_buffer_append_char(data, '{');
        oy_json_put_string(data, lines->name, strlen(lines->name));
        oy_buffer_append_char(data, ':');
        oy_json_put_string(data, from->data + from->line[i].at,
                           from->line[i].len);
        oy_buffer_append_char(data, '}');
        batch->line[i] = (struct oy_line){at, data->len - at};
        oy_buffer_append_char(data, '\n');
    }
}

static int next(struct oy_source *source, struct oy_batch *batch,
                struct oy_error *err)
{
    struct text_lines *lines = (struct text_lines *)source;
    const struct oy_batch *from = &lines->batch;
    const int status = lines->inner->next(lines->inner, &lines->batch, err);

    if (status <= 0)
        return status;
    OY_GROW(batch->line, batch->cap_line, from->n_line);
    OY_GROW(batch->line_number, batch->cap_line_number, from->n_line);
    wrap(lines, batch);
    OY_GROW(batch->data, batch->cap, lines->data.len + OY_PADDING);
    memcpy(batch->data, lines->data.data, lines->data.len);
    memset(batch->data + lines->data.len, 0, OY_PADDING);
    memcpy(batch->line_number, from->line_number,
           from->n_line * sizeof *batch->line_number);
    batch->size = lines->data.len;
    batch->n_line = from->n_line;
    batch->first_record = from->first_record;
    batch->file = from->file;
    return 1;
}

static void close_lines(struct oy_source *source)
{
    struct text_lines *lines = (struct text_lines *)source;

    lines->inner->close(lines->inner);
    oy_batch_release(&lines->batch);
    oy_buffer_release(&lines->data);
    oy_free(lines);
}

static const struct oy_source_file *files(const struct oy_source *source,
                                          int *n_file)
{
    return oy_source_files(((const struct text_lines *)source)->inner, n_file);
}

struct oy_source *text_lines_open(const struct oy_run *run, const char *name,
                                  struct oy_error *err)
{
    const struct oy_source_options options = {.max_record = run->max_record};
    struct oy_source *inner =
        oy_source_open(run->input.item, (int)run->input.n_item, &options, err);
    if (!inner)
        return NULL;
    struct text_lines *lines = oy_calloc(1, sizeof *lines);

    lines->source =
        (struct oy_source){.next = next, .close = close_lines, .files = files};
    lines->inner = inner;
    lines->name = name;
    return &lines->source;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of the trainer's inputs, and the buffers that rows are built in.
 */
#include <string.h>

#include "model/feed_internal.h"

enum { READ_SIZE = 1 << 18 };

void feed_buffer_reserve(struct feed_buffer *buffer, size_t n)
{
    OY_GROW(buffer->id, buffer->cap_id, n);
    OY_GROW(buffer->target, buffer->cap_target, n);
    OY_GROW(buffer->start, buffer->cap_start, n);
}

void feed_buffer_release(struct feed_buffer *buffer)
{
    oy_free(buffer->id);
    oy_free(buffer->target);
    oy_free(buffer->start);
    *buffer = (struct feed_buffer){0};
}

void feed_lines_init(struct feed_lines *lines, const char *const *path,
                     int n_path, struct oy_input *first, uint64_t max_record)
{
    *lines = (struct feed_lines){.path = path,
                                 .n_path = n_path,
                                 .next_path = 1,
                                 .input = first,
                                 .max_record = max_record};
}

void feed_lines_release(struct feed_lines *lines)
{
    oy_input_close(lines->input);
    oy_free(lines->data);
    *lines = (struct feed_lines){0};
}

const char *feed_lines_name(const struct feed_lines *lines)
{
    return lines->input ? oy_input_name(lines->input) : "input";
}

/* Reads more behind what is there. 1, or 0 at the end of the input. */
static int read_more(struct feed_lines *lines, struct oy_error *err)
{
    const size_t kept = lines->end - lines->begin;
    ssize_t got;

    if (kept > lines->max_record)
        return oy_fail(
            err, OY_DATA, "%s:%llu: record is longer than --max-record",
            feed_lines_name(lines), (unsigned long long)lines->line_number + 1);
    if (lines->begin > 0)
        memmove(lines->data, lines->data + lines->begin, kept);
    lines->begin = 0;
    lines->end = kept;
    OY_GROW(lines->data, lines->cap, kept + READ_SIZE + OY_PADDING);
    got = oy_input_read(lines->input, lines->data + kept, READ_SIZE, err);
    if (got < 0)
        return -1;
    lines->end += (size_t)got;
    memset(lines->data + lines->end, 0, OY_PADDING);
    return got > 0;
}

/* The next line of this input, blank or not. */
static int next_raw(struct feed_lines *lines, const char **line, size_t *len,
                    struct oy_error *err)
{
    size_t searched = 0;

    for (;;) {
        const size_t have = lines->end - lines->begin;
        const char *const at = lines->data + lines->begin;
        const char *const lf =
            have > searched ? memchr(at + searched, '\n', have - searched)
                            : NULL;
        int more;
        if (lf) {
            *line = at;
            *len = (size_t)(lf - at);
            lines->begin += *len + 1;
            return 1;
        }
        searched = have;
        more = read_more(lines, err);
        if (more < 0)
            return -1;
        if (more == 0 && have == 0)
            return 0;
        if (more == 0) {
            *line = lines->data;
            *len = have;
            lines->begin = lines->end;
            return 1;
        }
    }
}

static int is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!strchr(" \t\r", line[i]) || line[i] == '\0')
            return 0;
    }
    return 1;
}

static int open_next(struct feed_lines *lines, struct oy_error *err)
{
    if (lines->next_path >= lines->n_path)
        return 0;
    oy_input_close(lines->input);
    lines->line_number = 0;
    lines->input = oy_input_open(lines->path[lines->next_path++], err);
    return lines->input ? 1 : -1;
}

int feed_lines_next(struct feed_lines *lines, const char **line, size_t *len,
                    struct oy_error *err)
{
    for (;;) {
        int got = next_raw(lines, line, len, err);
        if (got < 0)
            return -1;
        if (got == 0) {
            got = open_next(lines, err);
            if (got <= 0)
                return got;
            continue;
        }
        lines->line_number++;
        if (!is_blank(*line, *len))
            return 1;
    }
}

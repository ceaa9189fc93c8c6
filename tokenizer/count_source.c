/* SPDX-License-Identifier: Apache-2.0
 *
 * A source that lets files of counts pass as records.
 */
#include "tokenizer/count_source.h"

#include <string.h>

#include "core/alloc.h"
#include "core/json.h"

enum { LINES = 4096 }; /* of a batch */

enum order { WORD_FIRST, COUNT_FIRST, UNTOLD };

struct counts {
    struct oy_source base;
    struct oy_source *lines;
    struct oy_batch batch;         /* of `lines` */
    size_t n_taken;                /* of its lines */
    struct oy_buffer head, middle; /* of a record, around the word */
    struct oy_buffer out;
    const char *file; /* that `order` is of */
    enum order order;
};

/* ---- lines ---- */

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Whether the line is as a JSON object: in braces. */
static int is_object(const char *line, size_t len)
{
    size_t at = 0;

    while (at < len && is_space(line[at]))
        at++;
    while (len > at && is_space(line[len - 1]))
        len--;
    return len > at && line[at] == '{' && line[len - 1] == '}';
}

static int is_number(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
    }
    return len > 0;
}

/* NULL when the line is not one of counts. */
static const char *find_tab(const char *line, size_t len)
{
    return is_object(line, len) ? NULL : memchr(line, '\t', len);
}

static enum order order_of_line(const char *line, size_t len, const char *tab)
{
    const int first = is_number(line, (size_t)(tab - line));
    const int last = is_number(tab + 1, (size_t)(line + len - tab) - 1);

    if (first == last)
        return UNTOLD;
    return first ? COUNT_FIRST : WORD_FIRST;
}

static void find_order(struct counts *counts)
{
    const struct oy_batch *const batch = &counts->batch;

    if (counts->file == batch->file)
        return;
    counts->file = batch->file;
    counts->order = WORD_FIRST;
    for (size_t i = 0; i < batch->n_line; i++) {
        const char *const line = batch->data + batch->line[i].at;
        const size_t len = batch->line[i].len;
        const char *const tab = len == SIZE_MAX ? NULL : find_tab(line, len);

        if (!tab)
            continue;
        const enum order order = order_of_line(line, len, tab);

        if (order == UNTOLD)
            continue;
        counts->order = order;
        return;
    }
}

/* ---- records ---- */

static void put_line(struct counts *counts, const char *line, size_t len)
{
    struct oy_buffer *const out = &counts->out;
    const char *const tab = find_tab(line, len);

    if (!tab) {
        oy_buffer_append(out, line, len);
        return;
    }
    const char *const end = line + len;
    enum order order = order_of_line(line, len, tab);
    const struct oy_text side[2] = {{line, (size_t)(tab - line)},
                                    {tab + 1, (size_t)(end - tab) - 1}};

    if (order == UNTOLD)
        order = counts->order;
    const int word = order == COUNT_FIRST;

    oy_buffer_append(out, counts->head.data, counts->head.len);
    oy_json_put_string(out, side[word].at, side[word].len);
    oy_buffer_append(out, counts->middle.data, counts->middle.len);
    oy_json_put_string(out, side[!word].at, side[!word].len);
    oy_buffer_append_char(out, '}');
}

/* Makes the next lines of counts->batch to a batch of records: few, because
 * lines of counts are many and short, and each becomes a record's memory. */
static void make_batch(struct counts *counts, struct oy_batch *out)
{
    const struct oy_batch *const in = &counts->batch;
    const size_t left = in->n_line - counts->n_taken;
    const size_t n = left < LINES ? left : LINES;
    struct oy_buffer *const text = &counts->out;

    oy_buffer_clear(text);
    OY_GROW(out->line, out->cap_line, n);
    OY_GROW(out->line_number, out->cap_line_number, n);
    for (size_t i = 0; i < n; i++) {
        const size_t from = counts->n_taken + i;
        const struct oy_line line = in->line[from];
        const size_t start = text->len;

        out->line[i] = line;
        out->line_number[i] = in->line_number[from];
        if (line.len == SIZE_MAX)
            continue;
        put_line(counts, in->data + line.at, line.len);
        out->line[i] = (struct oy_line){start, text->len - start};
        oy_buffer_append_char(text, '\n');
    }
    OY_GROW(out->data, out->cap, text->len + OY_PADDING);
    memcpy(out->data, text->data, text->len);
    out->size = text->len;
    out->n_line = n;
    out->first_record = in->first_record + counts->n_taken;
    out->file = in->file;
    counts->n_taken += n;
}

static int has_counts(const struct oy_batch *batch)
{
    for (size_t i = 0; i < batch->n_line; i++) {
        if (batch->line[i].len != SIZE_MAX &&
            find_tab(batch->data + batch->line[i].at, batch->line[i].len))
            return 1;
    }
    return 0;
}

static int next(struct oy_source *source, struct oy_batch *batch,
                struct oy_error *err)
{
    struct counts *const counts = (struct counts *)source;

    if (counts->n_taken == counts->batch.n_line) {
        const int rc = counts->lines->next(counts->lines, batch, err);

        if (rc <= 0 || !has_counts(batch))
            return rc;
        const struct oy_batch used = counts->batch;

        counts->batch = *batch;
        *batch = used;
        counts->n_taken = 0;
        find_order(counts);
    }
    make_batch(counts, batch);
    return 1;
}

/* ---- the source ---- */

static void close_source(struct oy_source *source)
{
    struct counts *const counts = (struct counts *)source;

    counts->lines->close(counts->lines);
    oy_batch_release(&counts->batch);
    oy_buffer_release(&counts->head);
    oy_buffer_release(&counts->middle);
    oy_buffer_release(&counts->out);
    oy_free(counts);
}

static const struct oy_source_file *files(const struct oy_source *source,
                                          int *n_file)
{
    return oy_source_files(((const struct counts *)source)->lines, n_file);
}

static double progress(const struct oy_source *source)
{
    return oy_source_progress(((const struct counts *)source)->lines);
}

/* {"a":{"b": and },"oyster word count": for the path a.b. */
static void frame_word(struct counts *counts, const char *field)
{
    const char *dot;

    for (const char *key = field; key; key = dot ? dot + 1 : NULL) {
        dot = strchr(key, '.');
        oy_buffer_append_char(&counts->head, '{');
        oy_json_put_string(&counts->head, key,
                           dot ? (size_t)(dot - key) : strlen(key));
        oy_buffer_append_char(&counts->head, ':');
        if (dot)
            oy_buffer_append_char(&counts->middle, '}');
    }
    oy_buffer_append_string(&counts->middle, ",\"" COUNT_FIELD "\":");
}

struct oy_source *count_source_open(struct oy_source *lines, const char *field)
{
    struct counts *const counts = oy_calloc(1, sizeof *counts);

    counts->base = (struct oy_source){
        .next = next,
        .close = close_source,
        .files = files,
        .progress = progress,
    };
    counts->lines = lines;
    frame_word(counts, field);
    return &counts->base;
}

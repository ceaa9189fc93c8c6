/* SPDX-License-Identifier: Apache-2.0
 *
 * A source that lets files of counts pass as records.
 */
#include "tokenizer/count_source.h"

#include <string.h>

#include "core/alloc.h"
#include "core/json.h"

enum order { WORD_FIRST, COUNT_FIRST, UNTOLD };

struct counts {
    struct oy_source base;
    struct oy_source *lines;
    struct oy_batch batch;         /* of `lines` */
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
static const char *find_tab(const struct oy_batch *batch, size_t i)
{
    const struct oy_line *const line = &batch->line[i];
    const char *const at = batch->data + line->at;

    if (line->len == SIZE_MAX || is_object(at, line->len))
        return NULL;
    return memchr(at, '\t', line->len);
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
        const char *const tab = find_tab(batch, i);
        const char *const line = batch->data + batch->line[i].at;

        if (!tab)
            continue;
        const enum order order = order_of_line(line, batch->line[i].len, tab);

        if (order == UNTOLD)
            continue;
        counts->order = order;
        return;
    }
}

/* ---- records ---- */

static void put_record(struct counts *counts, const char *line, size_t len,
                       const char *tab)
{
    struct oy_buffer *const out = &counts->out;
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

/* Rewrites the batch from line `first` on, which is one of counts. */
static void rewrite(struct counts *counts, size_t first)
{
    struct oy_batch *const batch = &counts->batch;
    struct oy_buffer *const out = &counts->out;

    oy_buffer_clear(out);
    for (size_t i = 0; i < batch->n_line; i++) {
        struct oy_line *const line = &batch->line[i];
        const char *const tab = i < first ? NULL : find_tab(batch, i);
        const char *const at = batch->data + line->at;
        const size_t start = out->len;

        if (line->len == SIZE_MAX)
            continue;
        if (tab)
            put_record(counts, at, line->len, tab);
        else
            oy_buffer_append(out, at, line->len);
        line->at = start;
        line->len = out->len - start;
        oy_buffer_append_char(out, '\n');
    }
    OY_GROW(batch->data, batch->cap, out->len + OY_PADDING);
    memcpy(batch->data, out->data, out->len);
    batch->size = out->len;
}

static int next(struct oy_source *source, struct oy_batch *batch,
                struct oy_error *err)
{
    struct counts *const counts = (struct counts *)source;
    const int rc = counts->lines->next(counts->lines, &counts->batch, err);
    size_t first = 0;

    if (rc > 0) {
        while (first < counts->batch.n_line && !find_tab(&counts->batch, first))
            first++;
        if (first < counts->batch.n_line) {
            find_order(counts);
            rewrite(counts, first);
        }
    }
    const struct oy_batch used = *batch;

    *batch = counts->batch;
    counts->batch = used;
    return rc;
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

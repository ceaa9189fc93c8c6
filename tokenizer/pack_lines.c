/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed rows as JSON lines, which oy-train and other trainers read. */
#include "core/alloc.h"
#include "tokenizer/pack_output.h"
#include "tokenizer/pack_text.h"

struct lines {
    struct pack_output base;
    /* The three lists of the row at hand, without their closing brackets. */
    struct oy_buffer ids, labels, documents;
    int64_t n_document;
};

static struct lines *lines_of(struct pack_sink *sink)
{
    return (struct lines *)sink;
}

static int end_row(struct lines *lines, struct oy_error *err)
{
    struct oy_buffer *out = &lines->ids;

    if (!lines->n_document)
        return 0;
    oy_buffer_append(out, lines->labels.data, lines->labels.len);
    oy_buffer_append(out, lines->documents.data, lines->documents.len);
    oy_buffer_append_string(out, "]}\n");
    const int failed =
        oy_output_write(lines->base.stream, out->data, out->len, err);
    oy_buffer_clear(out);
    lines->n_document = 0;
    return failed;
}

static void begin_row(struct lines *lines)
{
    oy_buffer_clear(&lines->labels);
    oy_buffer_clear(&lines->documents);
    oy_buffer_append_string(&lines->ids, "{\"ids\":[");
    oy_buffer_append_string(&lines->labels, "],\"labels\":[");
    oy_buffer_append_string(&lines->documents, "],\"doc_ids\":[");
}

static int add(struct pack_sink *sink, const struct pack_document *document,
               int begins_row, struct oy_error *err)
{
    struct lines *lines = lines_of(sink);

    if (begins_row && end_row(lines, err))
        return -1;
    if (begins_row)
        begin_row(lines);
    for (size_t i = 0; i < document->n; i++) {
        const char *comma = lines->n_document || i ? "," : "";
        const int learn = i > 0 && (!document->loss || document->loss[i]);
        oy_buffer_append_string(&lines->ids, comma);
        pack_put_number(&lines->ids, document->id[i]);
        oy_buffer_append_string(&lines->labels, comma);
        pack_put_number(&lines->labels,
                        learn ? document->id[i] : PACK_NO_LABEL);
        oy_buffer_append_string(&lines->documents, comma);
        pack_put_number(&lines->documents, lines->n_document);
    }
    lines->n_document++;
    return 0;
}

static int finish(struct pack_output *output, struct oy_filter_context *context,
                  struct oy_error *err)
{
    (void)context;
    return end_row(lines_of(&output->sink), err);
}

static void free_lines(struct pack_output *output)
{
    struct lines *lines = lines_of(&output->sink);

    oy_buffer_release(&lines->ids);
    oy_buffer_release(&lines->labels);
    oy_buffer_release(&lines->documents);
    oy_free(lines);
}

struct pack_output *pack_lines_new(void)
{
    struct lines *lines = oy_calloc(1, sizeof *lines);

    lines->base = (struct pack_output){
        .sink.add = add, .finish = finish, .free = free_lines};
    return &lines->base;
}

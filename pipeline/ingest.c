/* SPDX-License-Identifier: Apache-2.0
 *
 * Operands, archives, members: one stream of records. */
#include "pipeline/ingest.h"

#include <string.h>

#include "core/alloc.h"
#include "core/archive.h"
#include "core/input.h"
#include "pipeline/ingest_kind.h"
#include "pipeline/ingest_warc.h"
#include "pipeline/walk.h"

enum { BATCH_SIZE = 1 << 20, STEP = 1 << 20 };

static const size_t OVERLONG = SIZE_MAX; /* oy_line.len of a bad record */

/* One readable thing: a file, or a member of an archive. */
struct stream {
    enum ingest_kind kind;   /* INGEST_AUTO: none is open */
    const char *name;        /* PATH or ARCHIVE/MEMBER */
    struct oy_input *input;  /* borrowed from the file, or owned (member) */
    struct oy_source *lines; /* of JSONL and lines; owns a member's input */
    struct ingest_warc *warc;
    int ended; /* a text that has been read */
};

struct ingest {
    struct oy_source base;
    struct ingest_options options;
    struct walk walk;
    size_t at; /* the operand's file being read, or the next one */
    struct oy_counters counter;
    struct page_reader *pages;

    struct oy_input *file; /* NULL: none is open */
    struct oy_archive *archive;
    struct stream stream;
    uint64_t file_lines; /* records of this file */

    char **name; /* everything that batches may still call their file */
    size_t n_name, cap_name;
    struct oy_source_file *done; /* files read to their end */
    size_t n_done, cap_done;

    uint64_t n_record;
    struct oy_batch inner;    /* of lines that are made into records */
    struct oy_buffer text;    /* a whole file */
    struct oy_buffer scratch; /* for repairs */
};

static const char *keep_name(struct ingest *ingest, char *name)
{
    OY_GROW(ingest->name, ingest->cap_name, ingest->n_name + 1);
    ingest->name[ingest->n_name++] = name;
    return name;
}

/* ---- batches ---- */

static void add_line(struct oy_batch *batch, struct oy_line line,
                     uint64_t number)
{
    const size_t n = batch->n_line;

    OY_GROW(batch->line, batch->cap_line, n + 1);
    OY_GROW(batch->line_number, batch->cap_line_number, n + 1);
    batch->line[n] = line;
    batch->line_number[n] = number;
    batch->n_line++;
}

/* A batch's bytes are written through a buffer that is lent its memory. */
static struct oy_buffer lend(const struct oy_batch *batch)
{
    return (struct oy_buffer){batch->data, batch->size,
                              batch->cap > OY_PADDING ? batch->cap - OY_PADDING
                                                      : 0};
}

static void take_back(struct oy_batch *batch, const struct oy_buffer *buffer)
{
    batch->data = buffer->data;
    batch->size = buffer->len;
    batch->cap = buffer->data ? buffer->cap + OY_PADDING : 0;
}

/* ---- one stream ---- */

static int fill_with_lines(struct ingest *ingest, struct oy_batch *batch,
                           struct oy_error *err)
{
    struct oy_batch *inner = &ingest->inner;
    const int rc = ingest->stream.lines->next(ingest->stream.lines, inner, err);

    if (rc <= 0)
        return rc;
    struct oy_buffer out = lend(batch);
    for (size_t i = 0; i < inner->n_line; i++) {
        const struct oy_line line = inner->line[i];
        const uint64_t number = inner->line_number[i];
        const size_t at = out.len;
        if (line.len == OVERLONG) {
            add_line(batch, (struct oy_line){0, OVERLONG}, number);
            continue;
        }
        char *id = oy_asprintf("%s:%llu", ingest->stream.name,
                               (unsigned long long)number);
        oy_buffer_append_char(&out, '{');
        ingest_put_member(&out, "id", id, strlen(id), &ingest->scratch);
        oy_buffer_append_char(&out, ',');
        ingest_put_member(&out, "text", inner->data + line.at, line.len,
                          &ingest->scratch);
        oy_buffer_append_char(&out, '}');
        oy_free(id);
        add_line(batch, (struct oy_line){at, out.len - at}, number);
        oy_buffer_append_char(&out, '\n');
    }
    take_back(batch, &out);
    return 1;
}

static int fill_with_warc(struct ingest *ingest, struct oy_batch *batch,
                          struct oy_error *err)
{
    struct oy_buffer out = lend(batch);
    uint64_t number;
    int rc = INGEST_WARC_DOCUMENT;

    while (rc > 0 && out.len < BATCH_SIZE) {
        const size_t at = out.len;
        rc = ingest_warc_next(ingest->stream.warc, &out, &number, err);
        if (rc == INGEST_WARC_DOCUMENT)
            add_line(batch, (struct oy_line){at, out.len - at}, number);
        if (rc == INGEST_WARC_TOO_LONG)
            add_line(batch, (struct oy_line){0, OVERLONG}, number);
        if (rc > 0)
            oy_buffer_append_char(&out, '\n');
    }
    take_back(batch, &out);
    return rc < 0 ? -1 : batch->n_line > 0;
}

/* The whole stream, or one byte more than is allowed. */
static int slurp(struct ingest *ingest, struct oy_error *err)
{
    struct oy_buffer *text = &ingest->text;
    const size_t max = ingest->options.max_record;
    ssize_t n = STEP;

    oy_buffer_clear(text);
    while (n == STEP && text->len <= max) {
        char *at = oy_buffer_reserve(text, STEP);
        n = oy_input_read(ingest->stream.input, at, STEP, err);
        if (n < 0)
            return -1;
        text->len += (size_t)n;
    }
    return 0;
}

/* The text of the file: of a page, or of a text whose charset was given. */
static enum page_result read_page(struct ingest *ingest, const char **text,
                                  size_t *len)
{
    const struct page page = {
        .data = oy_buffer_string(&ingest->text),
        .len = ingest->text.len,
        .content_type = "",
        .is_html = ingest->stream.kind == INGEST_HTML,
    };

    *text = page.data;
    *len = page.len;
    if (!page.is_html && !ingest->options.page.charset)
        return PAGE_OK;
    return page_read(ingest->pages, &page, text, len);
}

static int fill_with_text(struct ingest *ingest, struct oy_batch *batch,
                          struct oy_error *err)
{
    const char *name = ingest->stream.name;
    const struct oy_buffer *text = &ingest->text;
    const char *data = NULL;
    size_t len = 0;

    if (ingest->stream.ended)
        return 0;
    ingest->stream.ended = 1;
    if (slurp(ingest, err))
        return -1;
    if (text->len == 0 && ingest->options.from != INGEST_HTML) {
        oy_counter_add(&ingest->counter, "empty_file", 1);
        return 0;
    }
    enum page_result result = PAGE_TOO_LONG;
    if (text->len <= ingest->options.max_record)
        result = read_page(ingest, &data, &len);
    if (result == PAGE_DROPPED)
        return 0;
    if (result == PAGE_TOO_LONG) {
        add_line(batch, (struct oy_line){0, OVERLONG}, 1);
        return 1;
    }
    struct oy_buffer out = lend(batch);
    oy_buffer_append_char(&out, '{');
    ingest_put_member(&out, "id", name, strlen(name), &ingest->scratch);
    oy_buffer_append_char(&out, ',');
    ingest_put_member(&out, "text", data, len, &ingest->scratch);
    oy_buffer_append_char(&out, '}');
    add_line(batch, (struct oy_line){0, out.len}, 1);
    take_back(batch, &out);
    return 1;
}

static int fill_batch(struct ingest *ingest, struct oy_batch *batch,
                      struct oy_error *err)
{
    switch (ingest->stream.kind) {
    case INGEST_JSONL:
        return ingest->stream.lines->next(ingest->stream.lines, batch, err);
    case INGEST_LINES: return fill_with_lines(ingest, batch, err);
    case INGEST_WARC: return fill_with_warc(ingest, batch, err);
    case INGEST_TEXT:
    case INGEST_HTML: return fill_with_text(ingest, batch, err);
    case INGEST_AUTO: break;
    }
    return 0;
}

/* ---- opening and closing of streams ---- */

/* A source of lines over the input of a file, which stays the file's. */
static ssize_t read_borrowed(void *arg, void *buf, size_t size,
                             struct oy_error *err)
{
    return oy_input_read(arg, buf, size, err);
}

static struct oy_source *open_lines(struct ingest *ingest,
                                    struct oy_input *input,
                                    struct oy_error *err)
{
    const struct oy_source_options options = {.max_record =
                                                  ingest->options.max_record};
    struct oy_input *lent =
        oy_input_open_stream(oy_input_name(input), read_borrowed, input, err);

    return lent ? oy_source_open_input(lent, &options) : NULL;
}

static void close_stream(struct ingest *ingest)
{
    struct stream *stream = &ingest->stream;

    if (stream->lines)
        stream->lines->close(stream->lines);
    ingest_warc_free(stream->warc);
    if (stream->input != ingest->file)
        oy_input_close(stream->input);
    *stream = (struct stream){0};
}

static const unsigned char *peek(struct oy_input *input, size_t *len,
                                 struct oy_error *err)
{
    return oy_input_peek(input, OY_INPUT_PEEK, len, err);
}

/* Opens what `input` holds; its kind stays INGEST_AUTO, and nothing is open,
 * when it is passed over. */
static int open_stream(struct ingest *ingest, struct oy_input *input,
                       const char *name, struct oy_error *err)
{
    struct stream *stream = &ingest->stream;
    size_t len;
    const unsigned char *head = peek(input, &len, err);

    *stream = (struct stream){.name = name, .input = input};
    if (!head)
        return -1;
    stream->kind = (enum ingest_kind)ingest->options.from;
    if (stream->kind == INGEST_AUTO && len)
        stream->kind = ingest_kind_of(name, head, len);
    if (stream->kind == INGEST_AUTO && len)
        oy_counter_add(&ingest->counter, "not_text_file", 1);
    if (stream->kind == INGEST_WARC)
        stream->warc = ingest_warc_new(input, ingest->options.max_record,
                                       ingest->pages, &ingest->counter);
    if (stream->kind == INGEST_JSONL || stream->kind == INGEST_LINES) {
        stream->lines = open_lines(ingest, input, err);
        return stream->lines ? 0 : -1;
    }
    return 0;
}

static ssize_t read_member(void *arg, void *buf, size_t size,
                           struct oy_error *err)
{
    return oy_archive_read(arg, buf, size, err);
}

/* 1 when a member was opened (or passed over), 0 at the archive's end. */
static int next_member(struct ingest *ingest, struct oy_error *err)
{
    const char *member;
    size_t len;
    const int rc = oy_archive_next(ingest->archive, &member, err);

    if (rc <= 0)
        return rc;
    const char *name = keep_name(
        ingest, oy_asprintf("%s/%s", oy_input_name(ingest->file), member));
    struct oy_input *input =
        oy_input_open_stream(name, read_member, ingest->archive, err);
    if (!input)
        return -1;
    const unsigned char *head = peek(input, &len, err);
    if (head && oy_archive_is(head, len)) {
        oy_counter_add(&ingest->counter, "nested_archive", 1);
        oy_input_close(input);
        return 1;
    }
    if (head && open_stream(ingest, input, name, err) == 0)
        return 1;
    ingest->stream.input = input;
    close_stream(ingest);
    return -1;
}

/* ---- files ---- */

static int open_file(struct ingest *ingest, struct oy_error *err)
{
    const char *path = ingest->walk.path[ingest->at];
    const int is_stdin = strcmp(path, "-") == 0;
    size_t len;

    ingest->file = oy_input_open(path, err);
    if (!ingest->file)
        return -1;
    if (!ingest->options.unhashed)
        oy_input_hash(ingest->file);
    ingest->file_lines = 0;
    const char *name =
        keep_name(ingest, oy_strdup(oy_input_name(ingest->file)));
    const unsigned char *head = peek(ingest->file, &len, err);
    if (!head)
        return -1;
    if (!oy_archive_is(head, len))
        return open_stream(ingest, ingest->file, name, err);
    ingest->archive =
        oy_archive_open(ingest->file, is_stdin ? NULL : path, err);
    return ingest->archive ? 0 : -1;
}

static void close_file(struct ingest *ingest)
{
    close_stream(ingest);
    oy_archive_close(ingest->archive);
    ingest->archive = NULL;
    oy_input_close(ingest->file);
    ingest->file = NULL;
}

/* Reads what its reader did not want: the padding of a tar, a zip that was
 * read by its directory. The rest must be sound, too, and is hashed. */
static int drain(struct oy_input *input, struct oy_error *err)
{
    char *data = oy_alloc(STEP);
    ssize_t n = STEP;

    while (n == STEP)
        n = oy_input_read(input, data, STEP, err);
    oy_free(data);
    return n < 0 ? -1 : 0;
}

static int finish_file(struct ingest *ingest, struct oy_error *err)
{
    close_stream(ingest);
    if (drain(ingest->file, err))
        return -1;
    OY_GROW(ingest->done, ingest->cap_done, ingest->n_done + 1);
    struct oy_source_file *done = &ingest->done[ingest->n_done++];
    done->name = keep_name(ingest, oy_strdup(oy_input_name(ingest->file)));
    done->bytes = oy_input_given(ingest->file);
    done->lines = ingest->file_lines;
    if (!ingest->options.unhashed)
        oy_hash128_text(oy_input_digest(ingest->file), done->hash);
    close_file(ingest);
    ingest->at++;
    return 0;
}

/* Opens the next stream: 1, or 0 when there is none. */
static int next_stream(struct ingest *ingest, struct oy_error *err)
{
    if (ingest->archive) {
        const int rc = next_member(ingest, err);
        if (rc)
            return rc;
    }
    if (ingest->file && finish_file(ingest, err))
        return -1;
    if (ingest->at == ingest->walk.n_path)
        return 0;
    return open_file(ingest, err) ? -1 : 1;
}

/* ---- the source ---- */

static void cut_to_range(struct ingest *ingest, struct oy_batch *batch)
{
    const uint64_t left = ingest->options.end - ingest->n_record;

    if (batch->n_line > left)
        batch->n_line = (size_t)left;
}

static int next_batch(struct oy_source *source, struct oy_batch *batch,
                      struct oy_error *err)
{
    struct ingest *ingest = (struct ingest *)source;

    if (ingest->n_record >= ingest->options.end)
        return 0;
    for (;;) {
        batch->n_line = 0;
        batch->size = 0;
        int rc = fill_batch(ingest, batch, err);
        if (rc < 0)
            return -1;
        if (rc > 0)
            break;
        close_stream(ingest); /* also one that was passed over */
        rc = next_stream(ingest, err);
        if (rc <= 0)
            return rc;
    }
    if (batch->data)
        memset(batch->data + batch->size, 0, OY_PADDING);
    cut_to_range(ingest, batch);
    batch->file = ingest->stream.name;
    batch->first_record = ingest->n_record;
    ingest->n_record += batch->n_line;
    ingest->file_lines += batch->n_line;
    return 1;
}

static void close_ingest(struct oy_source *source)
{
    struct ingest *ingest = (struct ingest *)source;

    close_file(ingest);
    for (size_t i = 0; i < ingest->n_name; i++)
        oy_free(ingest->name[i]);
    oy_free(ingest->name);
    oy_free(ingest->done);
    oy_batch_release(&ingest->inner);
    oy_buffer_release(&ingest->text);
    oy_buffer_release(&ingest->scratch);
    page_reader_free(ingest->pages);
    oy_counters_release(&ingest->counter);
    walk_release(&ingest->walk);
    oy_free(ingest);
}

static const struct oy_source_file *list_files(const struct oy_source *source,
                                               int *n_file)
{
    const struct ingest *ingest = (const struct ingest *)source;

    *n_file = (int)ingest->n_done;
    return ingest->done;
}

/* By files, and by bytes within the one that is being read. */
static double progress(const struct oy_source *source)
{
    const struct ingest *ingest = (const struct ingest *)source;
    double part = 0;

    if (ingest->file && oy_input_size(ingest->file) < 0)
        return -1;
    if (ingest->file && oy_input_size(ingest->file) > 0)
        part = (double)oy_input_taken(ingest->file) /
               (double)oy_input_size(ingest->file);
    return ((double)ingest->at + (part < 1 ? part : 1)) /
           (double)ingest->walk.n_path;
}

struct oy_source *ingest_open(const char *const *path, size_t n_path,
                              const struct ingest_options *options,
                              struct oy_error *err)
{
    struct ingest *ingest = oy_calloc(1, sizeof *ingest);
    int rc = n_path ? 0 : walk_add(&ingest->walk, "-", err);

    ingest->base = (struct oy_source){.next = next_batch,
                                      .close = close_ingest,
                                      .files = list_files,
                                      .progress = progress};
    ingest->options = *options;
    ingest->pages = page_reader_new(&ingest->options.page, &ingest->counter);
    for (size_t i = 0; i < n_path && rc == 0; i++)
        rc = walk_add(&ingest->walk, path[i], err);
    if (rc == 0)
        return &ingest->base;
    close_ingest(&ingest->base);
    return NULL;
}

const struct oy_counters *ingest_counters(const struct oy_source *source)
{
    return &((const struct ingest *)source)->counter;
}

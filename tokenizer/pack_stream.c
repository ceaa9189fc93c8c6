/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed documents as a token stream, or shards of one. */
#include "core/alloc.h"
#include "tokenizer/pack_output.h"

struct stream {
    struct pack_output base;
    struct tokens_info info;
    struct tokens_writer *writer;
    uint64_t split_tokens; /* 0: one stream */
    const char *prefix;    /* of shards */
    struct pack_files files;
};

static struct stream *stream_of(struct pack_sink *sink)
{
    return (struct stream *)sink;
}

/* Ends the stream that is being written. */
static int end_stream(struct stream *stream, struct oy_error *err)
{
    if (!stream->writer)
        return 0;
    const int failed = tokens_writer_finish(stream->writer, err);
    tokens_writer_free(stream->writer);
    stream->writer = NULL;
    if (failed || !stream->split_tokens)
        return failed;
    return pack_files_end(&stream->files, stream->files.n_file - 1, err);
}

/* Shards are unnamed until their number is known. */
static int next_shard(struct stream *stream, struct oy_error *err)
{
    struct pack_files *files = &stream->files;

    if (end_stream(stream, err))
        return -1;
    char *path = oy_asprintf("%s-%05zu.tok", stream->prefix, files->n_file);
    struct oy_output *output = pack_files_open(files, path, err);
    if (!output)
        return -1;
    stream->writer = tokens_writer_new(&stream->info, output);
    return 0;
}

/* Opens the stream that the next document goes to. */
static int open_stream(struct stream *stream, int may_split,
                       struct oy_error *err)
{
    if (!stream->split_tokens) {
        if (!stream->writer)
            stream->writer =
                tokens_writer_new(&stream->info, stream->base.stream);
        return 0;
    }
    if (stream->writer && (!may_split || tokens_writer_count(stream->writer) <
                                             stream->split_tokens))
        return 0;
    return next_shard(stream, err);
}

static int add(struct pack_sink *sink, const struct pack_document *document,
               int begins_row, struct oy_error *err)
{
    struct stream *stream = stream_of(sink);

    if (open_stream(stream, begins_row || !stream->info.has_rows, err))
        return -1;
    if (begins_row)
        tokens_begin_row(stream->writer);
    return tokens_write(stream->writer, document->id, document->n,
                        document->loss, document->text_bytes, err);
}

/* All shards become visible together, after the last one is whole. */
static int commit_shards(struct stream *stream,
                         struct oy_filter_context *context,
                         struct oy_error *err)
{
    struct pack_files *files = &stream->files;

    for (size_t i = 0; i < files->n_file; i++) {
        oy_free(files->file[i].path);
        files->file[i].path = oy_asprintf("%s-%05zu-of-%05zu.tok",
                                          stream->prefix, i, files->n_file);
    }
    return pack_files_commit(files, context, err);
}

static int finish(struct pack_output *output, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct stream *stream = stream_of(&output->sink);

    if (!stream->writer && open_stream(stream, 1, err))
        return -1;
    if (end_stream(stream, err))
        return -1;
    return stream->split_tokens ? commit_shards(stream, context, err) : 0;
}

static void free_stream(struct pack_output *output)
{
    struct stream *stream = stream_of(&output->sink);

    tokens_writer_free(stream->writer);
    pack_files_release(&stream->files);
    oy_free(stream);
}

struct pack_output *pack_stream_new(const struct pack_settings *settings,
                                    const struct oy_run *run,
                                    const struct tokens_info *info)
{
    struct stream *stream = oy_calloc(1, sizeof *stream);

    stream->base = (struct pack_output){
        .sink.add = add, .finish = finish, .free = free_stream};
    stream->info = *info;
    stream->split_tokens = (uint64_t)settings->split_tokens;
    stream->prefix = run->output;
    stream->files.run = run;
    return &stream->base;
}

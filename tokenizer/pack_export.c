/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed documents as files of nanoGPT, llm.c and Megatron. */
#include <unistd.h>

#include "core/log.h"
#include "tokenizer/pack_output.h"
#include "tokenizer/temporary.h"
#include "tokenizer/token_export.h"

/* llm.c's own scripts cut at this many tokens (dev/data/fineweb.py). */
enum { LLMC_SHARD = 100000000, COPY_SIZE = 1 << 18 };

struct export
{
    struct pack_output base;
    enum pack_export kind;
    const char *name; /* the folder, or the prefix of the files */
    uint32_t vocab_size;
    int id_size;
    uint64_t split_tokens;
    struct pack_files files;
    struct oy_buffer ids; /* of the document at hand */

    /* nanogpt: train.bin and val.bin of a folder. */
    struct oy_output_folder *folder;
    struct oy_output *part[2]; /* training, validation */
    uint64_t n_token[2];       /* of the shard at hand, for llmc */
    /* llmc: the header comes first, but what it counts is known last. */
    struct temporary body[2];
    size_t n_shard;
    /* megatron */
    struct megatron_index *index;
};

static struct export *export_of(struct pack_sink *sink)
{
    return (struct export *)sink;
}

static int write_ids(struct export *export, struct oy_output *output,
                     const struct pack_document *document, struct oy_error *err)
{
    oy_buffer_clear(&export->ids);
    token_export_put(&export->ids, export->id_size, document->id, document->n);
    return oy_output_write(output, export->ids.data, export->ids.len, err);
}

/* ---- nanoGPT ---- */

static int nanogpt_begin(struct export *export, struct oy_error *err)
{
    static const char *const name[] = {"train.bin", "val.bin"};

    export->folder = oy_output_folder_open(export->name, err);
    for (int i = 0; i < 2 && export->folder; i++) {
        export->part[i] = pack_files_open(
            &export->files,
            oy_asprintf("%s/%s", oy_output_folder_path(export->folder),
                        name[i]),
            err);
        if (!export->part[i])
            return -1;
    }
    return export->folder ? 0 : -1;
}

static int nanogpt_add(struct export *export,
                       const struct pack_document *document,
                       struct oy_error *err)
{
    export->n_token[document->is_valid] += document->n;
    return write_ids(export, export->part[document->is_valid], document, err);
}

static int nanogpt_finish(struct export *export,
                          struct oy_filter_context *context,
                          struct oy_error *err)
{
    struct oy_output *meta;

    if (export->n_token[0] && !export->n_token[1])
        oy_warn("val.bin is empty: no document was drawn for it");
    for (size_t i = 0; i < 2; i++) {
        if (pack_files_end(&export->files, i, err))
            return -1;
    }
    if (export->vocab_size != NANOGPT_VOCABULARY) {
        meta = pack_files_open(
            &export->files,
            oy_asprintf("%s/meta.pkl", oy_output_folder_path(export->folder)),
            err);
        if (!meta || nanogpt_write_meta(meta, export->vocab_size, err) ||
            pack_files_end(&export->files, 2, err))
            return -1;
    }
    if (pack_files_commit(&export->files, context, err))
        return -1;
    struct oy_output_folder *folder = export->folder;
    export->folder = NULL;
    return oy_output_folder_commit(folder, err);
}

/* ---- llm.c ---- */

static int copy_body(const struct temporary *body, struct oy_output *output,
                     struct oy_error *err)
{
    char *data = oy_alloc(COPY_SIZE);
    int failed = 0;

    for (uint64_t at = 0; at < body->size && !failed;) {
        const uint64_t left = body->size - at;
        const size_t n = left < COPY_SIZE ? (size_t)left : COPY_SIZE;
        failed = temporary_read(body, at, data, n, err) ||
                 oy_output_write(output, data, n, err);
        at += n;
    }
    oy_free(data);
    return failed ? -1 : 0;
}

/* Header and ids of a shard into a file of its own; number 0 is the one for
 * validation, as in llm.c's scripts. */
static int llmc_end_shard(struct export *export, int is_valid,
                          struct oy_error *err)
{
    struct temporary *body = &export->body[is_valid];

    if (temporary_flush(body, err))
        return -1;
    struct oy_output *output = pack_files_open(
        &export->files,
        oy_asprintf("%s_%s_%06zu.bin", export->name, is_valid ? "val" : "train",
                    is_valid ? (size_t)0 : ++export->n_shard),
        err);
    if (!output ||
        llmc_write_header(output, export->id_size, export->n_token[is_valid],
                          err) ||
        copy_body(body, output, err) ||
        pack_files_end(&export->files, export->files.n_file - 1, err))
        return -1;
    export->n_token[is_valid] = 0;
    return temporary_clear(body, err);
}

static int llmc_begin(struct export *export, struct oy_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (temporary_open(&export->body[i], export->files.run->tmpdir, err))
            return -1;
    }
    return 0;
}

static int llmc_add(struct export *export, const struct pack_document *document,
                    struct oy_error *err)
{
    const int part = document->is_valid;
    uint64_t *n = &export->n_token[part];

    if (document->n > INT32_MAX)
        return oy_fail(err, OY_DATA,
                       "a document of %zu tokens is too long for llm.c",
                       document->n);
    const int is_full = *n + document->n > INT32_MAX;
    if (part && is_full)
        return oy_fail(err, OY_DATA,
                       "more than 2^31 - 1 tokens for validation");
    if (!part && (is_full || *n >= export->split_tokens) &&
        llmc_end_shard(export, part, err))
        return -1;
    *n += document->n;
    token_export_put(&export->body[part].waiting, export->id_size, document->id,
                     document->n);
    return temporary_spill(&export->body[part], err);
}

/* Fails where `path` (freed) is there. */
static int expect_none(char *path, struct oy_error *err)
{
    int failed = 0;

    if (access(path, F_OK) == 0)
        failed = oy_fail(err, OY_CANTCREAT,
                         "%s: belongs to another set of files", path);
    oy_free(path);
    return failed;
}

/* llm.c reads all that a pattern matches: what an earlier run left beside
 * these files would be taken for part of them. */
static int check_leftover(const struct export *export, int has_valid,
                          struct oy_error *err)
{
    if (!has_valid &&
        expect_none(oy_asprintf("%s_val_000000.bin", export->name), err))
        return -1;
    return expect_none(
        oy_asprintf("%s_train_%06zu.bin", export->name, export->n_shard + 1),
        err);
}

static int llmc_finish(struct export *export, struct oy_filter_context *context,
                       struct oy_error *err)
{
    const int has_valid = export->n_token[1] > 0;

    if (has_valid && llmc_end_shard(export, 1, err))
        return -1;
    if ((export->n_token[0] || !export->n_shard) &&
        llmc_end_shard(export, 0, err))
        return -1;
    if (check_leftover(export, has_valid, err))
        return -1;
    return pack_files_commit(&export->files, context, err);
}

/* ---- Megatron ---- */

static int megatron_begin(struct export *export, struct oy_error *err)
{
    export->index =
        megatron_index_new(export->id_size, export->files.run->tmpdir, err);
    if (!export->index)
        return -1;
    export->part[0] = pack_files_open(&export->files,
                                      oy_asprintf("%s.bin", export->name), err);
    return export->part[0] ? 0 : -1;
}

static int megatron_add(struct export *export,
                        const struct pack_document *document,
                        struct oy_error *err)
{
    if (megatron_index_add(export->index, document->n, err))
        return -1;
    return write_ids(export, export->part[0], document, err);
}

static int megatron_finish(struct export *export,
                           struct oy_filter_context *context,
                           struct oy_error *err)
{
    if (pack_files_end(&export->files, 0, err))
        return -1;
    struct oy_output *output = pack_files_open(
        &export->files, oy_asprintf("%s.idx", export->name), err);
    if (!output || megatron_index_write(export->index, output, err) ||
        pack_files_end(&export->files, 1, err))
        return -1;
    /* An old index must not be found beside new ids. */
    unlink(export->files.file[1].path);
    return pack_files_commit(&export->files, context, err);
}

/* ---- the sink ---- */

static int begin(struct export *export, struct oy_error *err)
{
    switch (export->kind) {
    case PACK_NANOGPT: return nanogpt_begin(export, err);
    case PACK_LLMC: return llmc_begin(export, err);
    default: return megatron_begin(export, err);
    }
}

static int add(struct pack_sink *sink, const struct pack_document *document,
               int begins_row, struct oy_error *err)
{
    struct export *export = export_of(sink);

    (void)begins_row;
    switch (export->kind) {
    case PACK_NANOGPT: return nanogpt_add(export, document, err);
    case PACK_LLMC: return llmc_add(export, document, err);
    default: return megatron_add(export, document, err);
    }
}

static int finish(struct pack_output *output, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct export *export = export_of(&output->sink);

    switch (export->kind) {
    case PACK_NANOGPT: return nanogpt_finish(export, context, err);
    case PACK_LLMC: return llmc_finish(export, context, err);
    default: return megatron_finish(export, context, err);
    }
}

static void free_export(struct pack_output *output)
{
    struct export *export = export_of(&output->sink);

    pack_files_release(&export->files);
    oy_output_folder_discard(export->folder);
    megatron_index_free(export->index);
    oy_buffer_release(&export->ids);
    temporary_close(&export->body[0]);
    temporary_close(&export->body[1]);
    oy_free(export);
}

static int id_size_of(enum pack_export kind, uint32_t vocab_size)
{
    switch (kind) {
    case PACK_LLMC: return llmc_id_size(vocab_size);
    case PACK_MEGATRON: return megatron_id_size(vocab_size);
    default: return 2;
    }
}

struct pack_output *pack_export_new(const struct pack_settings *settings,
                                    const struct oy_run *run,
                                    const struct tokens_info *info,
                                    struct oy_error *err)
{
    struct export *export = oy_calloc(1, sizeof *export);

    export->base = (struct pack_output){
        .sink.add = add, .finish = finish, .free = free_export};
    export->kind = (enum pack_export)settings->export;
    export->name = run->output;
    export->vocab_size = info->vocab_size;
    export->id_size = id_size_of(export->kind, info->vocab_size);
    export->split_tokens =
        settings->split_tokens ? (uint64_t)settings->split_tokens : LLMC_SHARD;
    export->files.run = run;
    export->body[0].file = export->body[1].file = -1;
    if (!begin(export, err))
        return &export->base;
    free_export(&export->base);
    return NULL;
}

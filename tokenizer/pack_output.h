/* SPDX-License-Identifier: Apache-2.0
 *
 * Where packed documents go: token streams, shards, files of other projects.
 */
#ifndef TOKENIZER_PACK_OUTPUT_H
#define TOKENIZER_PACK_OUTPUT_H

#include "core/filter.h"
#include "core/run.h"
#include "tokenizer/pack.h"
#include "tokenizer/pack_rows.h"
#include "tokenizer/tokens.h"

/* A sink with an end. Made by one of the functions below, freed by its own. */
struct pack_output {
    struct pack_sink sink;
    /* The engine's output; set before sink.add() and finish(). */
    struct oy_output *stream;
    /* Ends and commits what it made itself, and tells it to `context`, whose
     * arrays live until free(). */
    int (*finish)(struct pack_output *output, struct oy_filter_context *context,
                  struct oy_error *err);
    void (*free)(struct pack_output *output);
};

/* All take settings and run as they are after checking; both are borrowed. A
 * token stream, or shards of one with split_tokens: */
struct pack_output *pack_stream_new(const struct pack_settings *settings,
                                    const struct oy_run *run,
                                    const struct tokens_info *info);
/* nanogpt, llmc, megatron; NULL after a failure (71, 73). */
struct pack_output *pack_export_new(const struct pack_settings *settings,
                                    const struct oy_run *run,
                                    const struct tokens_info *info,
                                    struct oy_error *err);
/* Rows as JSON lines {"ids","labels","doc_ids"} into the stream. */
struct pack_output *pack_lines_new(void);

/* ---- files of their own (pack_files.c) ---- */

/* Several outputs that become visible together, when all of them are whole. */
struct pack_files {
    const struct oy_run *run;
    struct pack_file {
        struct oy_output *output;
        char *path; /* its name in the end */
        uint64_t bytes;
        struct oy_hash128 hash;
    } * file;
    size_t n_file, cap_file;
    struct oy_manifest_file *made;
};

/* Opens one more, which will be called `path` (taken over), or what
 * file[n_file - 1].path is set to before it is committed. NULL after a failure
 * (73). */
struct oy_output *pack_files_open(struct pack_files *files, char *path,
                                  struct oy_error *err);
/* Ends file number i: nothing can be written to it any more. */
int pack_files_end(struct pack_files *files, size_t i, struct oy_error *err);
/* Ends those that are open, makes all visible and tells the manifest. */
int pack_files_commit(struct pack_files *files,
                      struct oy_filter_context *context, struct oy_error *err);
/* What is not committed is removed. */
void pack_files_release(struct pack_files *files);

#endif

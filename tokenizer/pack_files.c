/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that oy-pack makes beside the engine's output. */
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/output.h"
#include "tokenizer/pack_output.h"

/* Whether only a regular file, or nothing, is replaced. */
static int check_place(const char *path, struct oy_error *err)
{
    struct stat st;

    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return oy_fail(err, OY_CANTCREAT, "%s: exists and is not a file", path);
    return 0;
}

struct oy_output *pack_files_open(struct pack_files *files, char *path,
                                  struct oy_error *err)
{
    struct oy_output *output =
        check_place(path, err) ? NULL
                               : oy_run_open_output_at(files->run, path, err);

    if (!output) {
        oy_free(path);
        return NULL;
    }
    OY_GROW(files->file, files->cap_file, files->n_file + 1);
    files->file[files->n_file++] =
        (struct pack_file){.output = output, .path = path};
    return output;
}

int pack_files_end(struct pack_files *files, size_t i, struct oy_error *err)
{
    struct pack_file *file = &files->file[i];

    file->bytes = oy_output_bytes(file->output);
    file->hash = oy_output_digest(file->output);
    return oy_output_finish(file->output, err);
}

static struct oy_manifest_file manifest_of(const struct pack_file *file)
{
    const char *slash = strrchr(file->path, '/');
    struct oy_manifest_file made = {
        .name = slash ? slash + 1 : file->path,
        .path = file->path,
        .kind = "tokens",
        .bytes = file->bytes,
    };

    oy_hash128_text(file->hash, made.hash);
    return made;
}

int pack_files_commit(struct pack_files *files,
                      struct oy_filter_context *context, struct oy_error *err)
{
    files->made = oy_calloc(files->n_file + 1, sizeof *files->made);
    for (size_t i = 0; i < files->n_file; i++) {
        struct pack_file *file = &files->file[i];
        struct oy_output *output = file->output;
        files->made[i] = manifest_of(file);
        file->output = NULL;
        if (oy_output_commit_as(output, file->path, err))
            return -1;
    }
    context->made = files->made;
    context->n_made = (int)files->n_file;
    return 0;
}

void pack_files_release(struct pack_files *files)
{
    for (size_t i = 0; i < files->n_file; i++) {
        oy_output_discard(files->file[i].output);
        oy_free(files->file[i].path);
    }
    oy_free(files->file);
    oy_free(files->made);
}

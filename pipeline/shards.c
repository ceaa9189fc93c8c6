/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of numbered files. */
#include "pipeline/shards.h"

#include "core/alloc.h"

enum { MAX_FILE = 99999 }; /* five digits */

struct shards {
    struct shards_options options;
    struct oy_output **output; /* [n_file]; finished ones but the last */
    struct shards_file *file;  /* [n_file] */
    size_t n_file, cap_output, cap_file;
};

struct shards *shards_new(const struct shards_options *options)
{
    struct shards *shards = oy_calloc(1, sizeof *shards);

    shards->options = *options;
    return shards;
}

void shards_free(struct shards *shards)
{
    if (!shards)
        return;
    for (size_t i = 0; i < shards->n_file; i++) {
        oy_output_discard(shards->output[i]);
        oy_free(shards->file[i].path);
    }
    oy_free(shards->output);
    oy_free(shards->file);
    oy_free(shards);
}

static const char *suffix(const struct shards *shards)
{
    switch (shards->options.output.codec) {
    case OY_CODEC_PLAIN: return ".jsonl";
    case OY_CODEC_GZIP: return ".jsonl.gz";
    default: return ".jsonl.zst";
    }
}

static int open_next(struct shards *shards, struct oy_error *err)
{
    const struct shards_options *options = &shards->options;
    const size_t n = shards->n_file;

    if (n == MAX_FILE)
        return oy_fail(err, OY_USAGE, "more than %d shards", MAX_FILE);
    char *path = oy_asprintf("%s-%05zu%s", options->prefix, n, suffix(shards));
    struct oy_output *output = oy_output_open(path, &options->output, err);
    oy_free(path);
    if (!output)
        return -1;
    OY_GROW(shards->output, shards->cap_output, n + 1);
    OY_GROW(shards->file, shards->cap_file, n + 1);
    shards->output[n] = output;
    shards->file[n] = (struct shards_file){0};
    shards->n_file++;
    return 0;
}

static int finish_last(struct shards *shards, struct oy_error *err)
{
    struct oy_output *output = shards->output[shards->n_file - 1];
    struct shards_file *file = &shards->file[shards->n_file - 1];

    file->bytes = oy_output_bytes(output);
    file->hash = oy_output_digest(output);
    return oy_output_finish(output, err);
}

static int is_full(const struct shards *shards, size_t len)
{
    const size_t last = shards->n_file - 1;
    const uint64_t n = shards->file[last].records;
    const uint64_t bytes = oy_output_bytes(shards->output[last]);

    if (!n)
        return 0;
    return (shards->options.n_record && n >= shards->options.n_record) ||
           (shards->options.size && bytes + len > shards->options.size);
}

int shards_write(struct shards *shards, const char *line, size_t len,
                 struct oy_error *err)
{
    if (!shards->n_file && open_next(shards, err))
        return -1;
    if (is_full(shards, len) &&
        (finish_last(shards, err) || open_next(shards, err)))
        return -1;
    shards->file[shards->n_file - 1].records++;
    return oy_output_write(shards->output[shards->n_file - 1], line, len, err);
}

int shards_commit(struct shards *shards, struct oy_error *err)
{
    if (!shards->n_file && open_next(shards, err))
        return -1;
    if (finish_last(shards, err))
        return -1;
    for (size_t i = 0; i < shards->n_file; i++) {
        struct oy_output *output = shards->output[i];
        shards->file[i].path =
            oy_asprintf("%s-%05zu-of-%05zu%s", shards->options.prefix, i,
                        shards->n_file, suffix(shards));
        shards->output[i] = NULL;
        if (oy_output_commit_as(output, shards->file[i].path, err))
            return -1;
    }
    return 0;
}

const struct shards_file *shards_files(const struct shards *shards,
                                       size_t *n_file)
{
    *n_file = shards->n_file;
    return shards->file;
}

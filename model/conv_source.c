/* SPDX-License-Identifier: Apache-2.0
 *
 * The model that oy-conv reads. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "model/conv_internal.h"
#include "model/model_file.h"

enum { MAX_CONFIG = 4 << 20 };

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct safetensor *const *)a)->name,
                  (*(const struct safetensor *const *)b)->name);
}

static int gather(struct conv_source *source, struct oy_error *err)
{
    const struct shards *shards = &source->shards;

    for (int i = 0; i < shards->n; i++)
        source->n_tensor += (size_t)shards->file[i].n_tensor;
    source->tensor = oy_alloc_array(source->n_tensor, sizeof *source->tensor);
    size_t n = 0;
    for (int i = 0; i < shards->n; i++) {
        for (int j = 0; j < shards->file[i].n_tensor; j++)
            source->tensor[n++] = &shards->file[i].tensor[j];
    }
    if (n)
        qsort(source->tensor, n, sizeof *source->tensor, compare_names);
    for (size_t i = 1; i < n; i++) {
        if (!compare_names(&source->tensor[i - 1], &source->tensor[i]))
            return oy_fail(err, OY_DATA, "%s: tensor '%s' is there twice",
                           source->path, source->tensor[i]->name);
    }
    return 0;
}

int conv_source_open_file(struct conv_source *source, const char *path,
                          struct oy_error *err)
{
    source->path = path;
    return shards_open_file(&source->shards, path, err) ? -1
                                                        : gather(source, err);
}

static int read_config(struct conv_source *source, struct oy_error *err)
{
    char *path = oy_asprintf("%s/config.json", source->path);
    size_t len;
    char *text = oy_input_slurp(path, MAX_CONFIG, &len, err);

    if (text)
        oy_buffer_append(&source->config, text, len);
    oy_free(text);
    oy_free(path);
    return text ? 0 : -1;
}

/* A GGUF is opened twice: for its keys, and as tensors with other names. */
static int configure_file(struct conv_source *source, struct oy_error *err)
{
    struct oy_error none = {0};

    source->is_file = 1;
    if (model_file_config(source->path, &source->config, err))
        return -1;
    source->is_gguf = !gguf_model_open(&source->gguf, source->path, &none);
    return 0;
}

int conv_source_open(struct conv_source *source, const char *path,
                     struct oy_error *err)
{
    *source = (struct conv_source){.path = path};
    if (model_file_is(path) ? configure_file(source, err)
                            : read_config(source, err))
        return -1;
    return shards_open(&source->shards, path, err) ? -1 : gather(source, err);
}

void conv_source_close(struct conv_source *source)
{
    shards_close(&source->shards);
    oy_free(source->tensor);
    oy_buffer_release(&source->config);
    if (source->is_gguf)
        gguf_model_close(&source->gguf);
    *source = (struct conv_source){0};
}

const struct safetensor *conv_source_find(const struct conv_source *source,
                                          const char *name)
{
    return shards_find(&source->shards, name, NULL);
}

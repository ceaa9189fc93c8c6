/* SPDX-License-Identifier: Apache-2.0
 *
 * The model that oy-conv reads. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "model/conv_internal.h"
#include "model/model_file.h"

enum { MAX_CONFIG = 4 << 20, MAX_INDEX = 64 << 20, MAX_FILES = 4096 };

static int open_file(struct conv_source *source, const char *path,
                     struct oy_error *err)
{
    if (source->n_file == MAX_FILES)
        return oy_fail(err, OY_DATA, "more than %d files", MAX_FILES);
    OY_GROW(source->file, source->cap_file, (size_t)source->n_file + 1);
    if (safetensors_open(&source->file[source->n_file], path, err))
        return -1;
    source->n_file++;
    return 0;
}

/* The files that an index names, each once. */
struct names {
    char **item;
    size_t n, cap;
};

static int add_name(struct names *names, const struct oy_json_value *value)
{
    const size_t len = value->kind == OY_JSON_STRING ? value->len - 2 : 0;

    if (!len || memchr(value->at, '/', value->len) ||
        memchr(value->at, '\\', value->len))
        return -1;
    for (size_t i = 0; i < names->n; i++) {
        if (strlen(names->item[i]) == len &&
            !memcmp(names->item[i], value->at + 1, len))
            return 0;
    }
    OY_GROW(names->item, names->cap, names->n + 1);
    names->item[names->n++] = oy_strndup(value->at + 1, len);
    return 0;
}

static int read_names(struct names *names, const char *path,
                      struct oy_error *err)
{
    struct oy_json_value all, map, key, value;
    struct oy_json_cursor cursor;
    const char *why = "no 'weight_map'";
    size_t len, where;
    char *json = oy_input_slurp(path, MAX_INDEX, &len, err);
    int failed = 0;

    if (!json)
        return -1;
    if (oy_json_validate(json, len, &why, &where) ||
        oy_json_value_of(json, len, &all, &why) || all.kind != OY_JSON_OBJECT ||
        (map = oy_json_member(&all, "weight_map")).kind != OY_JSON_OBJECT) {
        oy_free(json);
        return oy_fail(err, OY_DATA, "%s: %s", path, why);
    }
    oy_json_enter(&cursor, &map);
    while (!failed && oy_json_next_member(&cursor, &key, &value) > 0)
        failed = add_name(names, &value);
    oy_free(json);
    return failed ? oy_fail(err, OY_DATA, "%s: bad file name", path) : 0;
}

static int open_index(struct conv_source *source, const char *folder,
                      const char *index, struct oy_error *err)
{
    struct names names = {0};
    int status = read_names(&names, index, err);

    for (size_t i = 0; i < names.n; i++) {
        char *path = oy_asprintf("%s/%s", folder, names.item[i]);
        if (!status)
            status = open_file(source, path, err);
        oy_free(path);
        oy_free(names.item[i]);
    }
    oy_free(names.item);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct safetensor *const *)a)->name,
                  (*(const struct safetensor *const *)b)->name);
}

static int gather(struct conv_source *source, struct oy_error *err)
{
    for (int i = 0; i < source->n_file; i++)
        source->n_tensor += (size_t)source->file[i].n_tensor;
    source->tensor = oy_alloc_array(source->n_tensor, sizeof *source->tensor);
    size_t n = 0;
    for (int i = 0; i < source->n_file; i++) {
        for (int j = 0; j < source->file[i].n_tensor; j++)
            source->tensor[n++] = &source->file[i].tensor[j];
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

int conv_source_open_folder(struct conv_source *source, const char *folder,
                            int is_adapter, struct oy_error *err)
{
    char *one = oy_asprintf("%s/%s.safetensors", folder,
                            is_adapter ? "adapter_model" : "model");
    char *index = oy_asprintf("%s/model.safetensors.index.json", folder);
    const int is_split =
        !is_adapter && access(one, F_OK) && !access(index, F_OK);

    source->path = folder;
    int status = is_split ? open_index(source, folder, index, err)
                          : open_file(source, one, err);
    oy_free(one);
    oy_free(index);
    return status ? -1 : gather(source, err);
}

int conv_source_open_file(struct conv_source *source, const char *path,
                          struct oy_error *err)
{
    source->path = path;
    return open_file(source, path, err) ? -1 : gather(source, err);
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
static int open_model_file(struct conv_source *source, struct oy_error *err)
{
    struct oy_error none = {0};

    source->is_file = 1;
    if (model_file_config(source->path, &source->config, err))
        return -1;
    OY_GROW(source->file, source->cap_file, 1);
    if (model_file_tensors(&source->file[0], source->path, err))
        return -1;
    source->n_file = 1;
    source->is_gguf = !gguf_model_open(&source->gguf, source->path, &none);
    return gather(source, err);
}

int conv_source_open(struct conv_source *source, const char *path,
                     struct oy_error *err)
{
    *source = (struct conv_source){.path = path};
    if (model_file_is(path))
        return open_model_file(source, err);
    return read_config(source, err) ||
                   conv_source_open_folder(source, path, 0, err)
               ? -1
               : 0;
}

void conv_source_close(struct conv_source *source)
{
    for (int i = 0; i < source->n_file; i++)
        safetensors_close(&source->file[i]);
    oy_free(source->file);
    oy_free(source->tensor);
    oy_buffer_release(&source->config);
    if (source->is_gguf)
        gguf_model_close(&source->gguf);
    *source = (struct conv_source){0};
}

const struct safetensor *conv_source_find(const struct conv_source *source,
                                          const char *name)
{
    for (int i = 0; i < source->n_file; i++) {
        const struct safetensor *tensor =
            safetensors_find(&source->file[i], name);
        if (tensor)
            return tensor;
    }
    return NULL;
}

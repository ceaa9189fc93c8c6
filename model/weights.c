/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of a decoder's weights, their files and their first values. */
#include "model/weights.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/json.h"
#include "core/log.h"
#include "core/random.h"
#include "model/model_file.h"
#include "model/safetensors.h"

enum {
    FLOAT_ALIGNMENT = 16,
    MAX_INDEX_SIZE = 64 << 20,
    MAX_SHARDS = 4096,
    TENSORS_OF_LAYER = 11,
    OTHER_TENSORS = 3,
};

/* ---- layout ---- */

struct builder {
    struct weight_layout *layout;
    size_t at;
    int is_too_large;
};

static void advance(struct builder *builder, size_t n)
{
    if (__builtin_add_overflow(builder->at, n, &builder->at))
        builder->is_too_large = 1;
}

/* Starts a matrix or vector. */
static size_t align(struct builder *builder)
{
    advance(builder, (FLOAT_ALIGNMENT - builder->at % FLOAT_ALIGNMENT) %
                         FLOAT_ALIGNMENT);
    return builder->at;
}

/* The next rows; n_row 0 makes a vector of n_column. */
static void add_tensor(struct builder *builder, int layer, const char *name,
                       size_t n_row, size_t n_column)
{
    struct weight_layout *layout = builder->layout;
    struct weight_tensor *tensor = &layout->tensor[layout->n_tensor++];
    size_t n;

    *tensor = (struct weight_tensor){.at = builder->at,
                                     .n_dim = n_row ? 2 : 1,
                                     .n_row = n_row ? n_row : 1,
                                     .n_column = n_column};
    if (layer < 0)
        snprintf(tensor->name, sizeof tensor->name, "%s.weight", name);
    else
        snprintf(tensor->name, sizeof tensor->name, "model.layers.%d.%s.weight",
                 layer, name);
    if (__builtin_mul_overflow(tensor->n_row, n_column, &n))
        builder->is_too_large = 1;
    else
        advance(builder, n);
}

static size_t add_one(struct builder *builder, int layer, const char *name,
                      size_t n_row, size_t n_column)
{
    const size_t at = align(builder);

    add_tensor(builder, layer, name, n_row, n_column);
    return at;
}

static void add_layer(struct builder *builder, int layer)
{
    const struct decoder_config *config = &builder->layout->config;
    struct layer_layout *part = &builder->layout->layer[layer];
    const size_t dim = (size_t)config->dim, hidden = (size_t)config->n_hidden;
    const size_t head_dim = (size_t)config->head_dim;
    const size_t q = (size_t)config->n_head * head_dim;
    const size_t kv = (size_t)config->n_kv_head * head_dim;

    part->input_norm = add_one(builder, layer, "input_layernorm", 0, dim);
    part->qkv = add_one(builder, layer, "self_attn.q_proj", q, dim);
    add_tensor(builder, layer, "self_attn.k_proj", kv, dim);
    add_tensor(builder, layer, "self_attn.v_proj", kv, dim);
    part->q_norm = part->k_norm = SIZE_MAX;
    if (config->has_qk_norm) {
        part->q_norm = add_one(builder, layer, "self_attn.q_norm", 0, head_dim);
        part->k_norm = add_one(builder, layer, "self_attn.k_norm", 0, head_dim);
    }
    part->o = add_one(builder, layer, "self_attn.o_proj", dim, q);
    part->post_norm =
        add_one(builder, layer, "post_attention_layernorm", 0, dim);
    part->gate_up = add_one(builder, layer, "mlp.gate_proj", hidden, dim);
    add_tensor(builder, layer, "mlp.up_proj", hidden, dim);
    part->down = add_one(builder, layer, "mlp.down_proj", dim, hidden);
}

int weight_layout_init(struct weight_layout *layout,
                       const struct decoder_config *config,
                       struct oy_error *err)
{
    struct builder builder = {.layout = layout};
    const size_t n_layer = (size_t)config->n_layer, dim = (size_t)config->dim;
    const size_t n_vocab = (size_t)config->n_vocab;

    OY_ASSERT(config->n_vocab > 0 && config->n_layer > 0 && config->dim > 0);
    *layout = (struct weight_layout){.config = *config};
    layout->layer = oy_calloc(n_layer, sizeof *layout->layer);
    layout->tensor = oy_calloc(n_layer * TENSORS_OF_LAYER + OTHER_TENSORS,
                               sizeof *layout->tensor);
    layout->embedding =
        add_one(&builder, -1, "model.embed_tokens", n_vocab, dim);
    for (int i = 0; i < config->n_layer; i++)
        add_layer(&builder, i);
    layout->final_norm = add_one(&builder, -1, "model.norm", 0, dim);
    layout->head = config->is_tied
                       ? layout->embedding
                       : add_one(&builder, -1, "lm_head", n_vocab, dim);
    layout->n_float = align(&builder);
    if (!builder.is_too_large)
        return 0;
    weight_layout_release(layout);
    return oy_fail(err, OY_DATA, "the model is larger than memory can be");
}

void weight_layout_release(struct weight_layout *layout)
{
    if (!layout)
        return;
    oy_free(layout->layer);
    oy_free(layout->tensor);
    *layout = (struct weight_layout){0};
}

float *weights_new(const struct weight_layout *layout, struct oy_error *err)
{
    float *arena = oy_try_alloc(layout->n_float, sizeof *arena);

    if (!arena)
        oy_fail(err, OY_SYSTEM, "no memory for %zu weights", layout->n_float);
    return arena;
}

/* ---- first values ---- */

static int ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

void weights_init_random(const struct weight_layout *layout, float *arena,
                         uint64_t seed)
{
    const double residual = 0.02 / sqrt(2.0 * layout->config.n_layer);

    for (int i = 0; i < layout->n_tensor; i++) {
        const struct weight_tensor *tensor = &layout->tensor[i];
        const size_t n = tensor->n_row * tensor->n_column;
        float *to = arena + tensor->at;
        struct oy_random random = oy_random_at(seed, (uint64_t)i);
        const int is_output = ends_with(tensor->name, ".o_proj.weight") ||
                              ends_with(tensor->name, ".down_proj.weight");
        const double deviation = is_output ? residual : 0.02;

        for (size_t j = 0; j < n; j++)
            to[j] = tensor->n_dim == 1
                        ? 1.0F
                        : (float)(deviation * oy_random_normal(&random));
    }
}

/* ---- reading ---- */

/* The files of a checkpoint. */
struct shards {
    struct safetensors *file;
    char **path;
    int n;
    size_t cap, path_cap;
};

static void close_shards(struct shards *shards)
{
    for (int i = 0; i < shards->n; i++) {
        safetensors_close(&shards->file[i]);
        oy_free(shards->path[i]);
    }
    oy_free(shards->file);
    oy_free(shards->path);
}

/* Takes over `path`. */
static int open_shard(struct shards *shards, char *path, struct oy_error *err)
{
    struct safetensors file;

    if (shards->n == MAX_SHARDS) {
        oy_free(path);
        return oy_fail(err, OY_DATA, "more than %d files", MAX_SHARDS);
    }
    if (model_file_is(path) && !ends_with(path, ".safetensors")
            ? model_file_tensors(&file, path, err)
            : safetensors_open(&file, path, err)) {
        oy_free(path);
        return -1;
    }
    OY_GROW(shards->file, shards->cap, (size_t)shards->n + 1);
    OY_GROW(shards->path, shards->path_cap, (size_t)shards->n + 1);
    shards->file[shards->n] = file;
    shards->path[shards->n++] = path;
    return 0;
}

static int add_index_file(struct shards *shards, const char *folder,
                          const struct oy_json_value *value,
                          struct oy_error *err)
{
    char name[256];

    if (value->kind != OY_JSON_STRING || value->len - 2 >= sizeof name ||
        value->len <= 2 || memchr(value->at, '/', value->len) ||
        memchr(value->at, '\\', value->len))
        return oy_fail(err, OY_DATA, "%s: bad file name in its index", folder);
    memcpy(name, value->at + 1, value->len - 2);
    name[value->len - 2] = '\0';
    char *path = oy_asprintf("%s/%s", folder, name);
    for (int i = 0; i < shards->n; i++) {
        if (!strcmp(shards->path[i], path)) {
            oy_free(path);
            return 0;
        }
    }
    return open_shard(shards, path, err);
}

static int open_index(struct shards *shards, const char *folder,
                      const char *path, struct oy_error *err)
{
    struct oy_json_value all, map, key, value;
    struct oy_json_cursor cursor;
    const char *why = "no 'weight_map'";
    size_t len, where;
    char *json = oy_input_slurp(path, MAX_INDEX_SIZE, &len, err);
    int status = 0;

    if (!json)
        return -1;
    if (oy_json_validate(json, len, &why, &where) ||
        oy_json_value_of(json, len, &all, &why) || all.kind != OY_JSON_OBJECT ||
        (map = oy_json_member(&all, "weight_map")).kind != OY_JSON_OBJECT) {
        oy_free(json);
        return oy_fail(err, OY_DATA, "%s: %s", path, why);
    }
    oy_json_enter(&cursor, &map);
    while (!status && oy_json_next_member(&cursor, &key, &value) > 0)
        status = add_index_file(shards, folder, &value, err);
    oy_free(json);
    return status;
}

static int open_folder(struct shards *shards, const char *folder,
                       struct oy_error *err)
{
    if (model_file_is(folder))
        return open_shard(shards, oy_strdup(folder), err);
    char *one = oy_asprintf("%s/model.safetensors", folder);
    char *index = oy_asprintf("%s/model.safetensors.index.json", folder);
    int status;

    if (access(one, F_OK) && !access(index, F_OK)) {
        status = open_index(shards, folder, index, err);
        oy_free(one);
    } else {
        status = open_shard(shards, one, err);
    }
    oy_free(index);
    return status;
}

/* NULL when no file has it; *n_found counts files. */
static const struct safetensor *find_tensor(const struct shards *shards,
                                            const char *name, int *n_found)
{
    const struct safetensor *found = NULL;

    *n_found = 0;
    for (int i = 0; i < shards->n; i++) {
        const struct safetensor *here =
            safetensors_find(&shards->file[i], name);
        if (!here)
            continue;
        found = here;
        ++*n_found;
    }
    return found;
}

static int read_tensor(const struct weight_tensor *want,
                       const struct safetensor *have, float *arena,
                       struct oy_error *err)
{
    const int same = have->n_dim == want->n_dim &&
                     have->shape[want->n_dim - 1] == want->n_column &&
                     (want->n_dim == 1 || have->shape[0] == want->n_row);

    if (!same)
        return oy_fail(err, OY_DATA,
                       "tensor '%s' has another shape than %zu x %zu",
                       want->name, want->n_row, want->n_column);
    if (safetensor_to_f32(have, 0, have->n_element, arena + want->at))
        return oy_fail(err, OY_DATA, "tensor '%s' is of type %s", want->name,
                       have->type_name);
    return 0;
}

static const char embedding_name[] = "model.embed_tokens.weight";
static const char head_name[] = "lm_head.weight";

/* A tied model may hold either name, or both. */
static const struct safetensor *find_weight(const struct weight_layout *layout,
                                            const struct shards *shards,
                                            const char *name, int *n_found)
{
    const struct safetensor *found = find_tensor(shards, name, n_found);

    if (!found && layout->config.is_tied && !strcmp(name, embedding_name))
        found = find_tensor(shards, head_name, n_found);
    return found;
}

static void compare_tied(const struct shards *shards)
{
    int n;
    const struct safetensor *embedding =
        find_tensor(shards, embedding_name, &n);
    const struct safetensor *head = find_tensor(shards, head_name, &n);

    if (embedding && head &&
        (embedding->size != head->size ||
         memcmp(embedding->data, head->data, (size_t)head->size)))
        oy_warn("%s: '%s' differs from the embedding it is tied to and is not "
                "used",
                shards->path[0], head_name);
}

static int is_expected(const struct weight_layout *layout, const char *name)
{
    for (int i = 0; i < layout->n_tensor; i++) {
        if (!strcmp(layout->tensor[i].name, name))
            return 1;
    }
    /* Derived numbers that old writers stored. */
    return (layout->config.is_tied && !strcmp(name, head_name)) ||
           ends_with(name, ".rotary_emb.inv_freq");
}

static int check_extra(const struct weight_layout *layout,
                       const struct shards *shards, struct oy_error *err)
{
    for (int i = 0; i < shards->n; i++) {
        const struct safetensors *file = &shards->file[i];
        for (int j = 0; j < file->n_tensor; j++) {
            if (!is_expected(layout, file->tensor[j].name))
                return oy_fail(err, OY_DATA, "%s: tensor '%s' is unknown",
                               shards->path[i], file->tensor[j].name);
        }
    }
    return 0;
}

static int read_all(const struct weight_layout *layout, float *arena,
                    const struct shards *shards, struct oy_error *err)
{
    for (int i = 0; i < layout->n_tensor; i++) {
        const struct weight_tensor *want = &layout->tensor[i];
        int n_found;
        const struct safetensor *have =
            find_weight(layout, shards, want->name, &n_found);
        if (n_found != 1)
            return oy_fail(err, OY_DATA, "tensor '%s' is %s", want->name,
                           n_found ? "there twice" : "missing");
        if (read_tensor(want, have, arena, err))
            return -1;
    }
    return 0;
}

int weights_read(const struct weight_layout *layout, float *arena,
                 const char *folder, struct oy_error *err)
{
    struct shards shards = {0};
    int status = open_folder(&shards, folder, err);

    if (!status && (read_all(layout, arena, &shards, err) ||
                    check_extra(layout, &shards, err)))
        status = oy_fail_at(err, "%s", folder);
    if (!status && layout->config.is_tied)
        compare_tied(&shards);
    close_shards(&shards);
    return status;
}

/* ---- writing ---- */

int weights_write(const struct weight_layout *layout, const float *arena,
                  const char *path, struct oy_error *err)
{
    struct safetensors_entry *entry =
        oy_calloc((size_t)layout->n_tensor, sizeof *entry);

    for (int i = 0; i < layout->n_tensor; i++) {
        const struct weight_tensor *tensor = &layout->tensor[i];
        entry[i] = (struct safetensors_entry){
            .name = tensor->name,
            .type = TENSOR_F32,
            .n_dim = tensor->n_dim,
            .shape = {tensor->n_dim == 2 ? tensor->n_row : tensor->n_column,
                      tensor->n_dim == 2 ? tensor->n_column : 0},
            .data = arena + tensor->at};
    }
    const int status = safetensors_write(path, entry, layout->n_tensor, err);
    oy_free(entry);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reader of llm.c's model files. */
#include "model/llmc.h"

#include "model/raw_model_internal.h"

enum {
    MAGIC = 20240326,
    VERSION_F32 = 3,
    VERSION_BF16 = 5,
    HEADER = 256 * 4,
    MAX_DIM = 1 << 17,
    MAX_COUNT = 1024,
    MAX_VOCAB = 1 << 24,
};

struct shape {
    int version;
    int32_t n_position, n_vocab, n_layer, n_head, dim;
    int32_t n_row; /* of the embedding: the vocabulary, padded */
};

int llmc_is(const unsigned char *head, size_t len)
{
    return len >= 4 && raw_int(head) == MAGIC;
}

static int is_within(int32_t number, int32_t high)
{
    return number >= 1 && number <= high;
}

static int read_header(struct raw_model *raw, struct shape *shape)
{
    const unsigned char *at = raw_take(raw, HEADER, "header");

    if (!at)
        return -1;
    *shape = (struct shape){.version = raw_int(at + 4),
                            .n_position = raw_int(at + 8),
                            .n_vocab = raw_int(at + 12),
                            .n_layer = raw_int(at + 16),
                            .n_head = raw_int(at + 20),
                            .dim = raw_int(at + 24),
                            .n_row = raw_int(at + 28)};
    if (shape->version != VERSION_F32 && shape->version != VERSION_BF16)
        return oy_fail(raw->err, OY_DATA,
                       "%s: version %d of llm.c is not supported", raw->path,
                       shape->version);
    if (is_within(shape->n_position, MAX_VOCAB) &&
        is_within(shape->n_row, MAX_VOCAB) &&
        is_within(shape->n_vocab, shape->n_row) &&
        is_within(shape->n_layer, MAX_COUNT) &&
        is_within(shape->n_head, MAX_COUNT) && is_within(shape->dim, MAX_DIM) &&
        shape->dim % shape->n_head == 0)
        return 0;
    return oy_fail(raw->err, OY_DATA, "%s: header: sizes that make no model",
                   raw->path);
}

/* All layers of one kind lie together. Linear layers are [out][in] there,
 * Conv1D of the checkpoint [in][out]. */
static int take(struct raw_model *raw, const struct shape *shape,
                const struct raw_tensor *tensor, int is_of_layer)
{
    const struct quant_type *type =
        quant_by_name(shape->version == VERSION_BF16 ? "BF16" : "F32");
    const uint64_t n =
        (tensor->n_row ? tensor->n_row : 1) * tensor->n_column * type->size;

    for (int i = 0; i < (is_of_layer ? shape->n_layer : 1); i++) {
        const void *data = raw_take(raw, n, tensor->hf);
        if (!data || raw_add(raw, tensor, i, type, data))
            return -1;
    }
    return 0;
}

static int take_embeddings(struct raw_model *raw, const struct shape *shape)
{
    const uint64_t dim = (uint64_t)shape->dim;
    const struct raw_tensor token = {"wte.weight", (uint64_t)shape->n_vocab,
                                     dim};
    const struct raw_tensor position = {"wpe.weight",
                                        (uint64_t)shape->n_position, dim};
    const uint64_t size = shape->version == VERSION_BF16 ? 2 : 4;
    const uint64_t n_padding = (uint64_t)(shape->n_row - shape->n_vocab);

    if (take(raw, shape, &token, 0) ||
        !raw_take(raw, n_padding * dim * size, "wte.weight"))
        return -1;
    return take(raw, shape, &position, 0);
}

static int take_layers(struct raw_model *raw, const struct shape *shape)
{
    const uint64_t dim = (uint64_t)shape->dim;
    const struct raw_tensor tensor[] = {
        {"h.%d.ln_1.weight", 0, dim},
        {"h.%d.ln_1.bias", 0, dim},
        {"h.%d.attn.c_attn.weight", dim, 3 * dim, TURN_TRANSPOSE},
        {"h.%d.attn.c_attn.bias", 0, 3 * dim},
        {"h.%d.attn.c_proj.weight", dim, dim, TURN_TRANSPOSE},
        {"h.%d.attn.c_proj.bias", 0, dim},
        {"h.%d.ln_2.weight", 0, dim},
        {"h.%d.ln_2.bias", 0, dim},
        {"h.%d.mlp.c_fc.weight", dim, 4 * dim, TURN_TRANSPOSE},
        {"h.%d.mlp.c_fc.bias", 0, 4 * dim},
        {"h.%d.mlp.c_proj.weight", 4 * dim, dim, TURN_TRANSPOSE},
        {"h.%d.mlp.c_proj.bias", 0, dim},
    };

    for (size_t i = 0; i < sizeof tensor / sizeof *tensor; i++) {
        if (take(raw, shape, &tensor[i], 1))
            return -1;
    }
    return 0;
}

static int take_last(struct raw_model *raw, const struct shape *shape)
{
    const uint64_t dim = (uint64_t)shape->dim;
    const struct raw_tensor weight = {"ln_f.weight", 0, dim};
    const struct raw_tensor bias = {"ln_f.bias", 0, dim};

    return take(raw, shape, &weight, 0) || take(raw, shape, &bias, 0);
}

int llmc_config(const char *path, struct oy_buffer *json, struct oy_error *err)
{
    struct safetensors file = {0};
    struct raw_model raw = {.file = &file, .path = path, .err = err};
    struct shape shape;
    int status = safetensors_map(&file, path, err);

    if (!status)
        status = read_header(&raw, &shape);
    /* GPT-2's only special token is the last of its vocabulary. */
    if (!status)
        oy_buffer_append_format(
            json,
            "{\n  \"architectures\": [\"GPT2LMHeadModel\"],\n"
            "  \"model_type\": \"gpt2\",\n"
            "  \"activation_function\": \"gelu_new\",\n"
            "  \"n_embd\": %d,\n  \"n_head\": %d,\n  \"n_layer\": %d,\n"
            "  \"n_positions\": %d,\n  \"vocab_size\": %d,\n"
            "  \"layer_norm_epsilon\": 1e-05,\n"
            "  \"tie_word_embeddings\": true,\n"
            "  \"bos_token_id\": %d,\n  \"eos_token_id\": %d\n}\n",
            shape.dim, shape.n_head, shape.n_layer, shape.n_position,
            shape.n_vocab, shape.n_vocab - 1, shape.n_vocab - 1);
    safetensors_close(&file);
    return status;
}

int llmc_tensors(struct safetensors *file, const char *path,
                 struct oy_error *err)
{
    struct raw_model raw = {.file = file, .path = path, .err = err};
    struct shape shape;

    if (safetensors_map(file, path, err))
        return -1;
    const int status = read_header(&raw, &shape) ||
                       take_embeddings(&raw, &shape) ||
                       take_layers(&raw, &shape) || take_last(&raw, &shape) ||
                       raw_end(&raw) || safetensors_sort(file, err);
    if (status)
        safetensors_close(file);
    return status ? -1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors of experts and of mixers other than plain attention. */
#include "model/weights_mixed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "model/mxfp4.h"

enum { LINES = 16 /* of a file that are turned at once */ };

/* Numbers of ffn_part. */
enum {
    MOE_ROUTER,
    MOE_ROUTER_BIAS,
    MOE_CORRECTION,
    MOE_GATE_UP,
    MOE_GATE_UP_BIAS,
    MOE_DOWN,
    MOE_DOWN_BIAS,
    MOE_SHARED_GATE_UP,
    MOE_SHARED_DOWN,
    MOE_SHARED_GATE,
};

/* Numbers of mixer_part. */
enum { MLA_Q_A, MLA_Q_NORM, MLA_Q_B, MLA_KV_A, MLA_KV_NORM, MLA_KV_B };
enum {
    DELTA_QKVZ,
    DELTA_BA,
    DELTA_CONV,
    DELTA_A_LOG,
    DELTA_DT_BIAS,
    DELTA_NORM
};
enum { LIGHTNING_QKV, LIGHTNING_GATE, LIGHTNING_NORM };

/* ---- names ---- */

struct expert_names {
    const char *family;
    const char *router, *expert, *gate, *up, *down;
    const char *shared; /* the shared expert */
};

static const struct expert_names names_table[] = {
    {NULL, "mlp.gate.weight", "mlp.experts", "gate_proj", "up_proj",
     "down_proj", "mlp.shared_expert"},
    {"mixtral", "block_sparse_moe.gate.weight", "block_sparse_moe.experts",
     "w1", "w3", "w2", NULL},
    {"minimax", "block_sparse_moe.gate.weight", "block_sparse_moe.experts",
     "w1", "w3", "w2", NULL},
    {"deepseek_v3", "mlp.gate.weight", "mlp.experts", "gate_proj", "up_proj",
     "down_proj", "mlp.shared_experts"},
    {"gpt_oss", "mlp.router.weight", "mlp.experts", NULL, NULL, NULL, NULL},
};

static const struct expert_names *names_of(const struct weight_layout *layout)
{
    const size_t n = sizeof names_table / sizeof *names_table;

    for (size_t i = 1; i < n; i++) {
        if (!strcmp(names_table[i].family, layout->config.family))
            return &names_table[i];
    }
    return &names_table[0];
}

/* ---- where they lie ---- */

static size_t add(struct weight_builder *builder, int layer, const char *name,
                  size_t n_row, size_t n_column)
{
    const size_t at = weight_align(builder);

    weight_add(builder, layer, name, n_row, n_column);
    return at;
}

/* The next rows of an expert, or of the shared one (number -1). */
static void add_matrix(struct weight_builder *builder, int layer, int number,
                       const char *kind, const size_t shape[2])
{
    const struct expert_names *names = names_of(builder->layout);
    char name[80];

    if (number < 0)
        snprintf(name, sizeof name, "%s.%s.weight", names->shared, kind);
    else
        snprintf(name, sizeof name, "%s.%d.%s.weight", names->expert, number,
                 kind);
    weight_add(builder, layer, name, shape[0], shape[1]);
}

static void add_experts(struct weight_builder *builder, int layer, size_t *part)
{
    const struct decoder_config *c = &builder->layout->config;
    const struct expert_names *names = names_of(builder->layout);
    const size_t dim = (size_t)c->dim, hidden = (size_t)c->moe.n_hidden;

    part[MOE_GATE_UP] = weight_align(builder);
    for (int i = 0; i < c->moe.n_expert; i++) {
        add_matrix(builder, layer, i, names->gate, (size_t[]){hidden, dim});
        add_matrix(builder, layer, i, names->up, (size_t[]){hidden, dim});
    }
    part[MOE_DOWN] = weight_align(builder);
    for (int i = 0; i < c->moe.n_expert; i++)
        add_matrix(builder, layer, i, names->down, (size_t[]){dim, hidden});
}

/* A tensor of all experts as gpt_oss has it: rows of the arena are columns of
 * the file, those of gate and up in turn. */
static size_t add_columns(struct weight_builder *builder, int layer,
                          const char *name, const size_t shape[2], int is_pair)
{
    const size_t n = (size_t)builder->layout->config.moe.n_expert;
    const size_t at = weight_align(builder);
    struct weight_tensor *tensor =
        weight_add(builder, layer, name, n * shape[0], shape[1]);

    tensor->form = WEIGHT_EXPERTS;
    tensor->n_dim = shape[1] > 1 ? 3 : 2;
    tensor->n_part = n;
    tensor->part_rows = shape[0];
    tensor->is_paired = is_pair;
    return at;
}

static void add_gpt_oss(struct weight_builder *builder, int layer, size_t *part)
{
    const struct decoder_config *c = &builder->layout->config;
    const size_t dim = (size_t)c->dim, hidden = (size_t)c->moe.n_hidden;
    const size_t n = (size_t)c->moe.n_expert;

    part[MOE_ROUTER_BIAS] = add(builder, layer, "mlp.router.bias", 0, n);
    part[MOE_GATE_UP] = add_columns(builder, layer, "mlp.experts.gate_up_proj",
                                    (size_t[]){2 * hidden, dim}, 1);
    part[MOE_GATE_UP_BIAS] =
        add_columns(builder, layer, "mlp.experts.gate_up_proj_bias",
                    (size_t[]){2 * hidden, 1}, 1);
    part[MOE_DOWN] = add_columns(builder, layer, "mlp.experts.down_proj",
                                 (size_t[]){dim, hidden}, 0);
    part[MOE_DOWN_BIAS] =
        add(builder, layer, "mlp.experts.down_proj_bias", n, dim);
}

static void add_shared(struct weight_builder *builder, int layer, size_t *part)
{
    const struct decoder_config *c = &builder->layout->config;
    const size_t n = (size_t)c->moe.n_shared_hidden, dim = (size_t)c->dim;

    part[MOE_SHARED_GATE_UP] = weight_align(builder);
    add_matrix(builder, layer, -1, "gate_proj", (size_t[]){n, dim});
    add_matrix(builder, layer, -1, "up_proj", (size_t[]){n, dim});
    part[MOE_SHARED_DOWN] = weight_align(builder);
    add_matrix(builder, layer, -1, "down_proj", (size_t[]){dim, n});
    if (c->moe.has_shared_gate)
        part[MOE_SHARED_GATE] =
            add(builder, layer, "mlp.shared_expert_gate.weight", 1, dim);
}

void weights_add_experts(struct weight_builder *builder, int layer)
{
    const struct decoder_config *c = &builder->layout->config;
    const struct expert_names *names = names_of(builder->layout);
    const size_t n = (size_t)c->moe.n_expert;
    size_t *part = builder->layout->layer[layer].ffn_part;

    part[MOE_ROUTER] = add(builder, layer, names->router, n, (size_t)c->dim);
    if (c->moe.router == ROUTER_SIGMOID_GROUPS)
        part[MOE_CORRECTION] =
            add(builder, layer, "mlp.gate.e_score_correction_bias", 0, n);
    if (names->gate)
        add_experts(builder, layer, part);
    else
        add_gpt_oss(builder, layer, part);
    if (c->moe.n_shared_hidden)
        add_shared(builder, layer, part);
}

void weights_add_mla(struct weight_builder *builder, int layer)
{
    const struct decoder_config *c = &builder->layout->config;
    const struct mla_config *mla = &c->mla;
    struct layer_layout *to = &builder->layout->layer[layer];
    size_t *part = to->mixer_part;
    const size_t dim = (size_t)c->dim, n_head = (size_t)c->n_head;
    const size_t q_rank = (size_t)mla->q_rank, rank = (size_t)mla->kv_rank;
    const size_t q = n_head * (size_t)(mla->nope_dim + mla->rope_dim);
    const size_t v = n_head * (size_t)mla->v_dim;

    if (q_rank) {
        part[MLA_Q_A] =
            add(builder, layer, "self_attn.q_a_proj.weight", q_rank, dim);
        part[MLA_Q_NORM] =
            add(builder, layer, "self_attn.q_a_layernorm.weight", 0, q_rank);
    }
    part[MLA_Q_B] =
        add(builder, layer,
            q_rank ? "self_attn.q_b_proj.weight" : "self_attn.q_proj.weight", q,
            q_rank ? q_rank : dim);
    part[MLA_KV_A] = add(builder, layer, "self_attn.kv_a_proj_with_mqa.weight",
                         rank + (size_t)mla->rope_dim, dim);
    part[MLA_KV_NORM] =
        add(builder, layer, "self_attn.kv_a_layernorm.weight", 0, rank);
    part[MLA_KV_B] = add(builder, layer, "self_attn.kv_b_proj.weight",
                         n_head * (size_t)mla->nope_dim + v, rank);
    to->o = add(builder, layer, "self_attn.o_proj.weight", dim, v);
}

void weights_add_delta_net(struct weight_builder *builder, int layer)
{
    const struct decoder_config *c = &builder->layout->config;
    struct layer_layout *to = &builder->layout->layer[layer];
    size_t *part = to->mixer_part;
    const size_t dim = (size_t)c->dim, n_value = (size_t)c->delta.n_value_head;
    const size_t value = n_value * (size_t)c->delta.value_dim;
    const size_t key = (size_t)(c->delta.n_key_head * c->delta.key_dim);

    part[DELTA_QKVZ] = add(builder, layer, "linear_attn.in_proj_qkvz.weight",
                           2 * key + 2 * value, dim);
    part[DELTA_BA] =
        add(builder, layer, "linear_attn.in_proj_ba.weight", 2 * n_value, dim);
    part[DELTA_CONV] = weight_align(builder);
    weight_add(builder, layer, "linear_attn.conv1d.weight", 2 * key + value,
               (size_t)c->delta.kernel)
        ->n_dim = 3;
    part[DELTA_A_LOG] = add(builder, layer, "linear_attn.A_log", 0, n_value);
    part[DELTA_DT_BIAS] =
        add(builder, layer, "linear_attn.dt_bias", 0, n_value);
    part[DELTA_NORM] = add(builder, layer, "linear_attn.norm.weight", 0,
                           (size_t)c->delta.value_dim);
    to->o = add(builder, layer, "linear_attn.out_proj.weight", dim, value);
}

void weights_add_lightning(struct weight_builder *builder, int layer)
{
    const struct decoder_config *c = &builder->layout->config;
    struct layer_layout *to = &builder->layout->layer[layer];
    size_t *part = to->mixer_part;
    const size_t dim = (size_t)c->dim;
    const size_t width = (size_t)(c->n_head * c->head_dim);

    part[LIGHTNING_QKV] =
        add(builder, layer, "self_attn.qkv_proj.weight", 3 * width, dim);
    part[LIGHTNING_GATE] =
        add(builder, layer, "self_attn.output_gate.weight", width, dim);
    part[LIGHTNING_NORM] =
        add(builder, layer, "self_attn.norm.weight", 0, width);
    to->o = add(builder, layer, "self_attn.out_proj.weight", dim, width);
}

/* ---- as their modules see them ---- */

static const float *find(const float *arena, size_t at)
{
    return at == SIZE_MAX ? NULL : arena + at;
}

struct moe_weights weights_experts(const struct weight_layout *layout,
                                   const float *arena, int layer)
{
    const size_t *part = layout->layer[layer].ffn_part;

    return (struct moe_weights){
        .router = find(arena, part[MOE_ROUTER]),
        .router_bias = find(arena, part[MOE_ROUTER_BIAS]),
        .correction = find(arena, part[MOE_CORRECTION]),
        .gate_up = find(arena, part[MOE_GATE_UP]),
        .gate_up_bias = find(arena, part[MOE_GATE_UP_BIAS]),
        .down = find(arena, part[MOE_DOWN]),
        .down_bias = find(arena, part[MOE_DOWN_BIAS]),
        .shared_gate_up = find(arena, part[MOE_SHARED_GATE_UP]),
        .shared_down = find(arena, part[MOE_SHARED_DOWN]),
        .shared_expert_gate = find(arena, part[MOE_SHARED_GATE])};
}

struct mla_weights weights_mla(const struct weight_layout *layout,
                               const float *arena, int layer)
{
    const size_t *part = layout->layer[layer].mixer_part;

    return (struct mla_weights){.q_a = find(arena, part[MLA_Q_A]),
                                .q_norm = find(arena, part[MLA_Q_NORM]),
                                .q_b = find(arena, part[MLA_Q_B]),
                                .kv_a = find(arena, part[MLA_KV_A]),
                                .kv_norm = find(arena, part[MLA_KV_NORM]),
                                .kv_b = find(arena, part[MLA_KV_B])};
}

struct delta_weights weights_delta_net(const struct weight_layout *layout,
                                       const float *arena, int layer)
{
    const size_t *part = layout->layer[layer].mixer_part;

    return (struct delta_weights){.qkvz = find(arena, part[DELTA_QKVZ]),
                                  .ba = find(arena, part[DELTA_BA]),
                                  .conv = find(arena, part[DELTA_CONV]),
                                  .a_log = find(arena, part[DELTA_A_LOG]),
                                  .dt_bias = find(arena, part[DELTA_DT_BIAS]),
                                  .norm = find(arena, part[DELTA_NORM])};
}

struct lightning_weights weights_lightning(const struct weight_layout *layout,
                                           const float *arena, int layer)
{
    const size_t *part = layout->layer[layer].mixer_part;

    return (struct lightning_weights){.qkv = find(arena, part[LIGHTNING_QKV]),
                                      .gate = find(arena, part[LIGHTNING_GATE]),
                                      .norm =
                                          find(arena, part[LIGHTNING_NORM])};
}

/* ---- files ---- */

/* The layer of a tensor of an expert, or -1; *end: what stands behind the
 * expert's number. */
static int layer_of_expert(const struct weight_layout *layout,
                           const struct weight_tensor *tensor, const char **end)
{
    const char *layers = weights_names(layout->config.family)->layer;
    const char *at = strstr(tensor->name, ".experts.");
    char *behind;

    if (!at || tensor->form == WEIGHT_EXPERTS)
        return -1;
    strtol(at + strlen(".experts."), &behind, 10);
    *end = behind;
    return *behind == '.'
               ? (int)strtol(tensor->name + strlen(layers) + 1, NULL, 10)
               : -1;
}

int weights_find_fused(const struct weight_layout *layout,
                       const struct weight_tensor *tensor,
                       struct weight_fused *fused)
{
    static const char experts[] = ".experts.";
    const struct expert_names *names = names_of(layout);
    const char *end;
    const int layer = layer_of_expert(layout, tensor, &end);

    if (layer < 0)
        return -1;
    const int is_down = !strncmp(end + 1, names->down, strlen(names->down));
    const char *front = strstr(tensor->name, experts);
    snprintf(fused->name, sizeof fused->name, "%.*s%s%s",
             (int)(front - tensor->name), tensor->name, experts,
             is_down ? "down_proj" : "gate_up_proj");
    fused->n = (uint64_t)tensor->n_row * tensor->n_column *
               (uint64_t)layout->config.moe.n_expert * (is_down ? 1 : 2);
    fused->at = tensor->at -
                layout->layer[layer].ffn_part[is_down ? MOE_DOWN : MOE_GATE_UP];
    return 0;
}

/* The arena's row of the file's row (or column) within a part. */
static size_t row_of(const struct weight_tensor *tensor, size_t row)
{
    return tensor->is_paired ? row % 2 * (tensor->part_rows / 2) + row / 2
                             : row;
}

/* Lines `first` .. of a part, n of them, become its columns. */
static void put_columns(const struct weight_tensor *tensor, const float *line,
                        size_t first, size_t n, float *part)
{
    for (size_t row = 0; row < tensor->part_rows; row++) {
        float *to = part + row_of(tensor, row) * tensor->n_column + first;
        for (size_t i = 0; i < n; i++)
            to[i] = line[i * tensor->part_rows + row];
    }
}

int weights_read_columns(const struct weight_tensor *tensor,
                         const struct safetensor *have, float *to)
{
    const size_t rows = tensor->part_rows, columns = tensor->n_column;
    float *line = oy_alloc_array(LINES * rows, sizeof *line);
    int status = 0;

    for (size_t part = 0; part < tensor->n_part; part++) {
        for (size_t at = 0; !status && at < columns; at += LINES) {
            const size_t n = columns - at < LINES ? columns - at : LINES;
            status = safetensor_to_f32(have, (part * columns + at) * rows,
                                       n * rows, line);
            if (!status)
                put_columns(tensor, line, at, n, to + part * rows * columns);
        }
    }
    oy_free(line);
    return status;
}

void weights_read_mxfp4(const struct weight_tensor *tensor,
                        const uint8_t *blocks, const uint8_t *scales, float *to)
{
    const size_t rows = tensor->part_rows;
    const size_t n_block = tensor->n_column / MXFP4_BLOCK;

    for (size_t i = 0; i < tensor->n_part * rows; i++) {
        const size_t row = i / rows * rows + row_of(tensor, i % rows);
        mxfp4_unpack(to + row * tensor->n_column,
                     blocks + i * n_block * MXFP4_BYTES, scales + i * n_block,
                     n_block);
    }
}

static int ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

int weights_is_idle(const struct weight_layout *layout, const char *name)
{
    static const char *const derived[] = {".slope_rate", ".query_decay",
                                          ".key_decay", ".diagonal_decay"};
    const struct decoder_config *c = &layout->config;

    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        if (!strcmp(c->family, "minimax") && ends_with(name, derived[i]))
            return 1;
    }
    if (!strcmp(c->family, "qwen3_next") && !strncmp(name, "mtp.", 4))
        return 1;
    return !strcmp(c->family, "deepseek_v3") &&
           !strncmp(name, "model.layers.", strlen("model.layers.")) &&
           strtol(name + strlen("model.layers."), NULL, 10) >= c->n_layer;
}

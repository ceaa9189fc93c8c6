/* SPDX-License-Identifier: Apache-2.0
 *
 * The families of decoders: how each differs from Llama.
 *
 * Defaults are those of the classes in transformers (models/NAME/
 * configuration_NAME.py), facts about the arithmetic those of
 * modeling_NAME.py. A family that is added here needs its tensors' names in
 * weights_names.c where they are not Llama's. */
#include <math.h>
#include <string.h>

#include "model/config_internal.h"

/* ---- parts that several share ---- */

enum { BLOCK_FULL, BLOCK_SLIDING };

static const char *const window_types[] = {"full_attention",
                                           "sliding_attention", NULL};

/* Block 1 becomes block 0 with a window. 0 tokens: without. */
static int read_window(const struct reading *reading, int fallback)
{
    struct decoder_config *c = reading->config;
    int window;

    if (config_int(reading, &reading->all, "sliding_window", 0, INT32_MAX,
                   fallback, &window))
        return -1;
    c->block[BLOCK_SLIDING] = c->block[BLOCK_FULL];
    c->block[BLOCK_SLIDING].window = window;
    return 0;
}

/* Every layer slides where there is a window. */
static int slide_all(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    if (read_window(reading, 0))
        return -1;
    memset(c->layer_block, c->block[BLOCK_SLIDING].window ? BLOCK_SLIDING : 0,
           (size_t)c->n_layer);
    return 0;
}

/* layer_types, or every period-th layer is full and the others slide. */
static int slide_between(const struct reading *reading, int period)
{
    struct decoder_config *c = reading->config;
    int found;

    if (config_layer_types(reading, window_types, &found))
        return -1;
    for (int i = 0; !found && i < c->n_layer; i++)
        c->layer_block[i] =
            period > 0 && (i + 1) % period ? BLOCK_SLIDING : BLOCK_FULL;
    return 0;
}

static int read_attention_bias(const struct reading *reading, int fallback)
{
    struct decoder_config *c = reading->config;

    if (config_bool(reading, "attention_bias", fallback, &c->has_qkv_bias))
        return -1;
    c->has_o_bias = c->has_qkv_bias;
    return 0;
}

/* ---- the families ---- */

static int read_llama(const struct reading *reading)
{
    return read_attention_bias(reading, 0) ||
                   config_bool(reading, "mlp_bias", 0,
                               &reading->config->has_ffn_bias)
               ? -1
               : 0;
}

/* Qwen's windows: from layer max_window_layers on, if at all. */
static int read_qwen_window(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    int use_window, first, found;

    if (config_bool(reading, "use_sliding_window", 0, &use_window) ||
        config_int(reading, &reading->all, "max_window_layers", 0, 1 << 16, 28,
                   &first) ||
        read_window(reading, 4096) ||
        config_layer_types(reading, window_types, &found))
        return -1;
    for (int i = 0; !found && i < c->n_layer; i++)
        c->layer_block[i] = i >= first ? BLOCK_SLIDING : BLOCK_FULL;
    if (!use_window)
        memset(c->layer_block, BLOCK_FULL, (size_t)c->n_layer);
    if (!use_window)
        c->block[BLOCK_SLIDING] = (struct decoder_block){0};
    return 0;
}

static int read_qwen2(const struct reading *reading)
{
    reading->config->has_qkv_bias = 1;
    return read_qwen_window(reading);
}

static int read_qwen3(const struct reading *reading)
{
    reading->config->has_qk_norm = 1;
    return read_attention_bias(reading, 0) || read_qwen_window(reading) ? -1
                                                                        : 0;
}

static int read_gpt2(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    int is_scaled, by_layer, upcast;

    if (config_bool(reading, "scale_attn_weights", 1, &is_scaled) ||
        config_bool(reading, "scale_attn_by_inverse_layer_idx", 0, &by_layer) ||
        config_bool(reading, "reorder_and_upcast_attn", 0, &upcast))
        return -1;
    if (by_layer)
        return oy_fail(reading->err, OY_DATA,
                       "'scale_attn_by_inverse_layer_idx' is not supported");
    if (!is_scaled)
        c->attention_scale = 1;
    c->norm = NORM_LAYER;
    c->has_norm_bias = 1;
    c->has_qkv_bias = c->has_o_bias = c->has_ffn_bias = 1;
    c->has_positions = 1;
    c->block[0].rope = ROPE_NONE;
    c->block[0].ffn = FFN_PLAIN;
    return 0;
}

static int read_gpt_neox(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    c->norm = NORM_LAYER;
    c->has_norm_bias = 1;
    c->has_ffn_bias = 1;
    c->n_kv_head = c->n_head;
    c->block[0].ffn = FFN_PLAIN;
    return read_attention_bias(reading, 1) ||
                   config_bool(reading, "use_parallel_residual", 1,
                               &c->block[0].is_parallel)
               ? -1
               : 0;
}

/* 1 + w in norms, sqrt(dim) on embeddings (rounded to f32 as there). */
static void set_gemma(struct decoder_config *c)
{
    c->norm_is_plus_one = 1;
    c->embedding_scale = (float)sqrt((double)c->dim);
}

static int read_gemma(const struct reading *reading)
{
    set_gemma(reading->config);
    /* "gelu" of the first files meant the form with tanh. */
    reading->config->activation = ACT_GELU_TANH;
    return 0;
}

static int read_gemma2(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    double scalar;

    set_gemma(c);
    c->block[0].norm_place = NORM_AROUND;
    if (config_positive(reading, &reading->all, "query_pre_attn_scalar", 256,
                        &scalar) ||
        config_factor(reading, "attn_logit_softcapping", &c->attention_cap) ||
        config_factor(reading, "final_logit_softcapping", &c->logit_cap) ||
        read_window(reading, 4096))
        return -1;
    c->attention_scale = (float)(1 / sqrt(scalar));
    return slide_between(reading, 2);
}

static int read_gemma3(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    int period;

    c->has_qk_norm = 1;
    if (config_int(reading, &reading->all, "_sliding_window_pattern", 1, 1024,
                   6, &period) ||
        config_int(reading, &reading->all, "sliding_window_pattern", 1, 1024,
                   period, &period) ||
        read_gemma2(reading))
        return -1;
    c->block[BLOCK_SLIDING].rope = 1;
    return slide_between(reading, period);
}

static int read_olmo2(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    c->has_qk_norm = 1;
    c->qk_norm = QK_WHOLE;
    c->block[0].norm_place = NORM_AFTER;
    return read_attention_bias(reading, 0);
}

static int read_olmo3(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    if (read_olmo2(reading) || read_window(reading, 4096))
        return -1;
    c->block[BLOCK_SLIDING].rope = 1;
    return slide_between(reading, 4);
}

/* Layers without rotation: the list, or every interval-th one. */
static int read_no_rope(const struct reading *reading, int interval)
{
    struct decoder_config *c = reading->config;
    const struct oy_json_value list =
        oy_json_member(&reading->all, "no_rope_layers");
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int n = 0;

    for (int i = 0; i < c->n_layer; i++)
        c->layer_block[i] = (i + 1) % interval == 0;
    if (!config_is_present(&list))
        return 0;
    oy_json_enter(&cursor, &list);
    for (; n < c->n_layer && oy_json_next_element(&cursor, &item) > 0; n++) {
        int64_t has_rope;
        if (item.kind != OY_JSON_NUMBER || oy_json_int64(&item, &has_rope))
            return oy_fail(reading->err, OY_DATA,
                           "no_rope_layers[%d] is not 0 or 1", n);
        c->layer_block[n] = !has_rope;
    }
    return n < c->n_layer ? oy_fail(reading->err, OY_DATA,
                                    "'no_rope_layers' names %d of %d layers", n,
                                    c->n_layer)
                          : 0;
}

/* Blocks: rotated or not (1), with a window or not (2). */
static int read_smollm3(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    uint8_t no_rope[DECODER_MAX_LAYER];
    int use_window, window, interval, found;

    if (read_llama(reading) ||
        config_int(reading, &reading->all, "no_rope_layer_interval", 1, 1024, 4,
                   &interval) ||
        config_int(reading, &reading->all, "sliding_window", 0, INT32_MAX, 0,
                   &window) ||
        config_bool(reading, "use_sliding_window", 0, &use_window) ||
        read_no_rope(reading, interval))
        return -1;
    memcpy(no_rope, c->layer_block, sizeof no_rope);
    if (config_layer_types(reading, window_types, &found))
        return -1;
    for (int i = 0; i < c->n_layer; i++) {
        const int slides = found ? c->layer_block[i] : no_rope[i];
        const int has_window = use_window && window && slides;
        c->layer_block[i] = (uint8_t)(no_rope[i] + 2 * has_window);
    }
    for (int i = 0; i < 4; i++) {
        c->block[i].rope = i % 2 ? ROPE_NONE : 0;
        c->block[i].window = i / 2 ? window : 0;
    }
    return 0;
}

static int read_granite(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    float residual, logits;

    if (read_llama(reading) ||
        config_factor(reading, "embedding_multiplier", &c->embedding_scale) ||
        config_factor(reading, "attention_multiplier", &c->attention_scale) ||
        config_factor(reading, "residual_multiplier", &residual) ||
        config_factor(reading, "logits_scaling", &logits))
        return -1;
    if (c->attention_scale == 0)
        c->attention_scale = 1;
    c->logit_scale = logits > 0 ? 1 / logits : 0;
    c->block[0].mixer_half.scale = c->block[0].ffn_half.scale = residual;
    return 0;
}

static int read_starcoder2(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    if (config_bool(reading, "use_bias", 1, &c->has_qkv_bias))
        return -1;
    c->has_o_bias = c->has_ffn_bias = c->has_qkv_bias;
    c->norm = NORM_LAYER;
    c->has_norm_bias = 1;
    c->block[0].ffn = FFN_PLAIN;
    return slide_all(reading);
}

static int read_stablelm(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    c->norm = NORM_LAYER;
    c->has_norm_bias = 1;
    c->qk_norm = QK_HEAD_OWN;
    if (config_bool(reading, "use_qkv_bias", 0, &c->has_qkv_bias) ||
        config_bool(reading, "qk_layernorm", 0, &c->has_qk_norm) ||
        config_bool(reading, "use_parallel_residual", 0,
                    &c->block[0].is_parallel))
        return -1;
    c->block[0].shares_norm = c->block[0].is_parallel;
    return 0;
}

/* Layers that do not slide are not rotated, where others slide. */
static int read_exaone4(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    const struct oy_json_value *all = &reading->all;
    const struct oy_json_value pattern =
        oy_json_member(all, "sliding_window_pattern");
    int period = 4, is_null;

    c->has_qk_norm = 1;
    c->block[0].norm_place = NORM_AFTER;
    /* "LLLG" of the first files stands for 4. */
    if (pattern.kind == OY_JSON_STRING)
        period = (int)pattern.len - 2;
    else if (config_int(reading, all, "sliding_window_pattern", 0, 1024, 4,
                        &period))
        return -1;
    is_null = oy_json_member(all, "sliding_window").kind == OY_JSON_NULL;
    if (read_window(reading, is_null ? 0 : 4096))
        return -1;
    if (c->block[BLOCK_SLIDING].window == 0)
        return 0;
    c->block[BLOCK_FULL].rope = ROPE_NONE;
    return slide_between(reading, period);
}

static int read_seed_oss(const struct reading *reading)
{
    struct decoder_config *c = reading->config;

    return config_bool(reading, "attention_bias", 1, &c->has_qkv_bias) ||
                   config_bool(reading, "attention_out_bias", 0,
                               &c->has_o_bias) ||
                   config_bool(reading, "mlp_bias", 0, &c->has_ffn_bias)
               ? -1
               : 0;
}

/* ---- the table ---- */

static const struct shape_keys gpt2_shape = {
    "n_embd",  "n_layer",     "n_head",
    "n_inner", "n_positions", "activation_function",
    1};
static const struct shape_keys gemma_shape = {"hidden_size",
                                              "num_hidden_layers",
                                              "num_attention_heads",
                                              "intermediate_size",
                                              "max_position_embeddings",
                                              "hidden_activation",
                                              0};

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct family family_table[] = {
    {.name = "llama",
     .read = read_llama,
     .keys = KEYS("attention_bias", "mlp_bias")},
    {.name = "qwen3",
     .read = read_qwen3,
     .keys = KEYS("attention_bias"),
     .has_windows = 1},
    {.name = "mistral", .read = slide_all, .has_windows = 1},
    {.name = "qwen2", .read = read_qwen2, .has_windows = 1},
    {.name = "gpt2",
     .read = read_gpt2,
     .keys = KEYS("scale_attn_weights", "scale_attn_by_inverse_layer_idx",
                  "reorder_and_upcast_attn", "n_ctx", "summary_activation",
                  "summary_first_dropout", "summary_proj_to_labels",
                  "summary_type", "summary_use_proj", "task_specific_params"),
     .shape = &gpt2_shape,
     .eps_key = "layer_norm_epsilon",
     .norm_eps = 1e-5,
     .is_tied = 1,
     .activation = ACT_GELU_TANH},
    {.name = "gpt_neox",
     .read = read_gpt_neox,
     .keys = KEYS("attention_bias", "use_parallel_residual"),
     .eps_key = "layer_norm_eps",
     .norm_eps = 1e-5,
     .rotary_key = "rotary_pct",
     .rotary_default = 0.25,
     .theta_key = "rotary_emb_base",
     .activation = ACT_GELU},
    {.name = "gemma",
     .read = read_gemma,
     .keys = KEYS("hidden_activation"),
     .is_tied = 1,
     .activation = ACT_GELU_TANH},
    {.name = "gemma2",
     .read = read_gemma2,
     .keys = KEYS("query_pre_attn_scalar", "attn_logit_softcapping",
                  "final_logit_softcapping"),
     .shape = &gemma_shape,
     .is_tied = 1,
     .has_windows = 1,
     .activation = ACT_GELU_TANH},
    {.name = "gemma3_text",
     .read = read_gemma3,
     .keys = KEYS("query_pre_attn_scalar", "attn_logit_softcapping",
                  "final_logit_softcapping", "rope_local_base_freq",
                  "sliding_window_pattern", "_sliding_window_pattern"),
     .shape = &gemma_shape,
     .rope_theta = 1e6,
     .local_theta = 1e4,
     .is_tied = 1,
     .has_windows = 1,
     .activation = ACT_GELU_TANH},
    {.name = "olmo2",
     .read = read_olmo2,
     .keys = KEYS("attention_bias"),
     .norm_eps = 1e-5},
    {.name = "olmo3",
     .read = read_olmo3,
     .keys = KEYS("attention_bias"),
     .norm_eps = 1e-5,
     .rope_theta = 5e5,
     .has_windows = 1},
    {.name = "phi3",
     .read = slide_all,
     .norm_eps = 1e-5,
     .rotary_default = 1,
     .has_windows = 1},
    {.name = "smollm3",
     .read = read_smollm3,
     .keys = KEYS("attention_bias", "mlp_bias", "no_rope_layers",
                  "no_rope_layer_interval"),
     .rope_theta = 2e6,
     .is_tied = 1,
     .has_windows = 1},
    {.name = "granite",
     .read = read_granite,
     .keys =
         KEYS("attention_bias", "mlp_bias", "embedding_multiplier",
              "attention_multiplier", "residual_multiplier", "logits_scaling")},
    {.name = "starcoder2",
     .read = read_starcoder2,
     .keys = KEYS("use_bias", "norm_type", "mlp_type"),
     .eps_key = "norm_epsilon",
     .norm_eps = 1e-5,
     .is_tied = 1,
     .has_windows = 1,
     .activation = ACT_GELU_TANH},
    {.name = "stablelm",
     .read = read_stablelm,
     .keys = KEYS("use_qkv_bias", "qk_layernorm", "use_parallel_residual"),
     .eps_key = "layer_norm_eps",
     .norm_eps = 1e-5,
     .rotary_default = 0.25},
    {.name = "exaone4",
     .read = read_exaone4,
     .keys = KEYS("sliding_window_pattern"),
     .norm_eps = 1e-5,
     .has_windows = 1},
    {.name = "seed_oss",
     .read = read_seed_oss,
     .keys = KEYS("attention_bias", "attention_out_bias", "mlp_bias")},
};

/* Number i of all families, NULL behind the last. */
static const struct family *family_at(size_t i)
{
    const size_t n = sizeof family_table / sizeof *family_table;
    const struct family *family =
        i < n ? &family_table[i] : &mixed_families[i - n];

    return family->name ? family : NULL;
}

const struct family *family_find(const struct reading *reading)
{
    const struct oy_json_value type =
        oy_json_member(&reading->all, "model_type");
    const int len =
        type.kind == OY_JSON_STRING && type.len < 66 ? (int)type.len - 2 : 0;
    struct oy_buffer list = {0};

    for (size_t i = 0; family_at(i); i++) {
        const struct family *family = family_at(i);
        if (type.kind == OY_JSON_STRING &&
            oy_json_equals(&type, family->name)) {
            oy_buffer_release(&list);
            return family;
        }
        oy_buffer_append_format(&list, "%s%s", i ? " " : "", family->name);
    }
    oy_fail(reading->err, OY_DATA,
            "model_type '%.*s' is not supported; these are: %s", len,
            len ? type.at + 1 : "", oy_buffer_string(&list));
    oy_buffer_release(&list);
    return NULL;
}

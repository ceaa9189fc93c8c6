/* SPDX-License-Identifier: Apache-2.0
 *
 * config.json written; presets. */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "model/config.h"

/* ---- writing ---- */

static void put_eos(const struct decoder_config *config, struct oy_buffer *out)
{
    oy_buffer_append_string(out, ",\n  \"eos_token_id\": ");
    if (config->n_eos == 0)
        oy_buffer_append_string(out, "null");
    if (config->n_eos == 1)
        oy_buffer_append_format(out, "%d", config->eos_id[0]);
    if (config->n_eos < 2)
        return;
    for (int i = 0; i < config->n_eos; i++)
        oy_buffer_append_format(out, "%s%d", i ? ", " : "[", config->eos_id[i]);
    oy_buffer_append_char(out, ']');
}

static void put_bos(const struct decoder_config *config, struct oy_buffer *out)
{
    if (config->bos_id < 0)
        oy_buffer_append_string(out, "  \"bos_token_id\": null");
    else
        oy_buffer_append_format(out, "  \"bos_token_id\": %d", config->bos_id);
}

static void put_int(struct oy_buffer *out, const char *key, int value)
{
    oy_buffer_append_format(out, ",\n  \"%s\": %d", key, value);
}

static void put_double(struct oy_buffer *out, const char *key, double value)
{
    oy_buffer_append_format(out, "\"%s\": ", key);
    oy_json_put_double(out, value);
}

static void put_rope_scaling(const struct decoder_config *config,
                             struct oy_buffer *out)
{
    const struct rope_config *rope = &config->rope[0];

    oy_buffer_append_string(out, ",\n  \"rope_scaling\": ");
    if (rope->scaling == ROPE_PLAIN) {
        oy_buffer_append_string(out, "null");
        return;
    }
    oy_buffer_append_format(out, "{\"rope_type\": \"%s\", ",
                            rope->scaling == ROPE_LINEAR ? "linear" : "llama3");
    put_double(out, "factor", rope->factor);
    if (rope->scaling == ROPE_LLAMA3) {
        oy_buffer_append_string(out, ", ");
        put_double(out, "low_freq_factor", rope->low_freq_factor);
        oy_buffer_append_string(out, ", ");
        put_double(out, "high_freq_factor", rope->high_freq_factor);
        oy_buffer_append_format(out,
                                ", \"original_max_position_embeddings\": "
                                "%d",
                                rope->original_position);
    }
    oy_buffer_append_char(out, '}');
}

static void put_shape(const struct decoder_config *config,
                      struct oy_buffer *out)
{
    put_int(out, "head_dim", config->head_dim);
    put_int(out, "hidden_size", config->dim);
    put_int(out, "intermediate_size", config->n_hidden);
    put_int(out, "max_position_embeddings", config->max_position);
    put_int(out, "num_attention_heads", config->n_head);
    put_int(out, "num_hidden_layers", config->n_layer);
    put_int(out, "num_key_value_heads", config->n_kv_head);
    put_int(out, "vocab_size", config->n_vocab);
}

void config_put_json(const struct decoder_config *config, struct oy_buffer *out)
{
    const char *name = config->has_qk_norm ? "Qwen3" : "Llama";

    oy_buffer_append_format(
        out, "{\n  \"architectures\": [\"%sForCausalLM\"],\n", name);
    put_bos(config, out);
    put_eos(config, out);
    oy_buffer_append_format(out,
                            ",\n  \"model_type\": \"%s\",\n"
                            "  \"attention_bias\": false,\n"
                            "  \"attention_dropout\": 0.0,\n"
                            "  \"hidden_act\": \"silu\"",
                            config->has_qk_norm ? "qwen3" : "llama");
    if (config->has_qk_norm)
        oy_buffer_append_string(out, ",\n  \"use_sliding_window\": false");
    else
        oy_buffer_append_string(out, ",\n  \"mlp_bias\": false");
    put_shape(config, out);
    oy_buffer_append_string(out, ",\n  \"rms_norm_eps\": ");
    oy_json_put_float(out, config->norm_eps);
    oy_buffer_append_string(out, ",\n  ");
    put_double(out, "rope_theta", config->rope[0].theta);
    put_rope_scaling(config, out);
    oy_buffer_append_format(out,
                            ",\n  \"tie_word_embeddings\": %s,\n"
                            "  \"torch_dtype\": \"float32\",\n"
                            "  \"use_cache\": true\n}\n",
                            config->is_tied ? "true" : "false");
}

void config_put_generation_json(const struct decoder_config *config,
                                struct oy_buffer *out)
{
    oy_buffer_append_string(out, "{\n");
    put_bos(config, out);
    put_eos(config, out);
    oy_buffer_append_string(out, "\n}\n");
}

/* ---- presets ---- */

static const char *const preset_name[] = {"minimind-26m",  "minimind-64m",
                                          "minimind-104m", "smollm2-135m",
                                          "tiny",          NULL};

/* In the order of the names: MiniMind's from the table in its README and
 * model_minimind.py (eps 1e-5 in the older two), SmolLM2's from its
 * config.json. */
static const struct preset {
    const char *family;
    int dim, n_layer, n_head, n_kv_head, head_dim, n_hidden, max_position;
    float norm_eps;
    int has_qk_norm;
    double rope_theta;
} preset_table[] = {
    {"llama", 512, 8, 8, 2, 64, 1408, 32768, 1e-5F, 0, 1e6},
    {"qwen3", 768, 8, 8, 4, 96, 2432, 32768, 1e-6F, 1, 1e6},
    {"llama", 768, 16, 8, 2, 96, 2048, 32768, 1e-5F, 0, 1e6},
    {"llama", 576, 30, 9, 3, 64, 1536, 8192, 1e-5F, 0, 1e5},
    {"llama", 192, 4, 6, 2, 32, 512, 2048, 1e-5F, 0, 1e4},
};

static void fill_preset(struct decoder_config *config,
                        const struct preset *preset)
{
    *config = (struct decoder_config){
        .dim = preset->dim,
        .n_layer = preset->n_layer,
        .n_head = preset->n_head,
        .n_kv_head = preset->n_kv_head,
        .head_dim = preset->head_dim,
        .n_hidden = preset->n_hidden,
        .max_position = preset->max_position,
        .norm_eps = preset->norm_eps,
        .has_qk_norm = preset->has_qk_norm,
        .is_tied = 1,
        .bos_id = -1,
    };
    snprintf(config->family, sizeof config->family, "%s", preset->family);
    for (int i = 0; i < DECODER_ROPES; i++) {
        config->rope[i].theta = preset->rope_theta;
        config->rope[i].max_position = preset->max_position;
    }
}

int config_preset(struct decoder_config *config, const char *name)
{
    for (int i = 0; preset_name[i]; i++) {
        if (strcmp(preset_name[i], name))
            continue;
        fill_preset(config, &preset_table[i]);
        return 0;
    }
    return -1;
}

const char *const *config_preset_names(void)
{
    return preset_name;
}

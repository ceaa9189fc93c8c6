/* SPDX-License-Identifier: Apache-2.0
 *
 * config.json: read, checked and written; presets. */
#include "model/config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/input.h"
#include "core/json.h"
#include "model/model_file.h"

enum { MAX_CONFIG_SIZE = 4 << 20 };

/* What a key is worth to a decoder of this family. */
enum key_use {
    KEY_READ,     /* read by this file */
    KEY_HARMLESS, /* changes no arithmetic of ours */
    KEY_MUST_BE_FALSE,
    KEY_MUST_BE_ONE,
    KEY_OF_EXPERTS, /* harmless where use_moe says false */
};

static const struct key_row {
    const char *name;
    enum key_use use;
} key_table[] = {
    {"model_type", KEY_READ},
    {"vocab_size", KEY_READ},
    {"hidden_size", KEY_READ},
    {"intermediate_size", KEY_READ},
    {"num_hidden_layers", KEY_READ},
    {"num_attention_heads", KEY_READ},
    {"num_key_value_heads", KEY_READ},
    {"head_dim", KEY_READ},
    {"max_position_embeddings", KEY_READ},
    {"rms_norm_eps", KEY_READ},
    {"tie_word_embeddings", KEY_READ},
    {"rope_theta", KEY_READ},
    {"rope_scaling", KEY_READ},
    {"rope_parameters", KEY_READ},
    {"hidden_act", KEY_READ},
    {"layer_types", KEY_READ},
    {"use_sliding_window", KEY_READ},
    {"sliding_window", KEY_READ},
    {"bos_token_id", KEY_READ},
    {"eos_token_id", KEY_READ},
    {"attention_bias", KEY_MUST_BE_FALSE},
    {"mlp_bias", KEY_MUST_BE_FALSE},
    {"rope_interleaved", KEY_MUST_BE_FALSE},
    {"inference_rope_scaling", KEY_MUST_BE_FALSE},
    {"use_moe", KEY_MUST_BE_FALSE},
    {"partial_rotary_factor", KEY_MUST_BE_ONE},
    {"architectures", KEY_HARMLESS},
    {"auto_map", KEY_HARMLESS},
    {"attention_dropout", KEY_HARMLESS}, /* training options decide */
    {"dropout", KEY_HARMLESS},
    {"hidden_dropout", KEY_HARMLESS},
    {"initializer_range", KEY_HARMLESS},
    {"use_cache", KEY_HARMLESS},
    {"pad_token_id", KEY_HARMLESS},
    {"dtype", KEY_HARMLESS},
    {"torch_dtype", KEY_HARMLESS},
    {"transformers_version", KEY_HARMLESS},
    {"pretraining_tp", KEY_HARMLESS},    /* a split of the same sums */
    {"max_window_layers", KEY_HARMLESS}, /* without a sliding window */
    {"flash_attn", KEY_HARMLESS},
    {"flash_attention", KEY_HARMLESS},
    {"is_llama_config", KEY_HARMLESS},
    {"transformers.js_config", KEY_HARMLESS},
    {"model_max_length", KEY_HARMLESS},
    {"_name_or_path", KEY_HARMLESS},
    {"_attn_implementation", KEY_HARMLESS},
    {"unsloth_version", KEY_HARMLESS},
    {"unsloth_fixed", KEY_HARMLESS},
    {"id2label", KEY_HARMLESS},
    {"label2id", KEY_HARMLESS},
    {"return_dict", KEY_HARMLESS},
    {"return_dict_in_generate", KEY_HARMLESS},
    {"chunk_size_feed_forward", KEY_HARMLESS},
    {"problem_type", KEY_HARMLESS},
    {"temperature", KEY_HARMLESS},
    {"top_k", KEY_HARMLESS},
    {"top_p", KEY_HARMLESS},
    {"max_length", KEY_HARMLESS},
    {"min_length", KEY_HARMLESS},
    {"num_beams", KEY_HARMLESS},
    {"num_beam_groups", KEY_HARMLESS},
    {"num_return_sequences", KEY_HARMLESS},
    {"length_penalty", KEY_HARMLESS},
    {"repetition_penalty", KEY_HARMLESS},
    {"diversity_penalty", KEY_HARMLESS},
    {"typical_p", KEY_HARMLESS},
    {"no_repeat_ngram_size", KEY_HARMLESS},
    {"encoder_no_repeat_ngram_size", KEY_HARMLESS},
    {"num_experts", KEY_OF_EXPERTS},
    {"num_experts_per_tok", KEY_OF_EXPERTS},
    {"n_routed_experts", KEY_OF_EXPERTS},
    {"n_shared_experts", KEY_OF_EXPERTS},
    {"scoring_func", KEY_OF_EXPERTS},
    {"aux_loss_alpha", KEY_OF_EXPERTS},
    {"seq_aux", KEY_OF_EXPERTS},
    {"norm_topk_prob", KEY_OF_EXPERTS},
    {"moe_intermediate_size", KEY_OF_EXPERTS},
    {"router_aux_loss_coef", KEY_OF_EXPERTS},
};

/* Families whose arithmetic this decoder has; defaults of their classes in
 * transformers, and of MiniMind's own (model_minimind.py). */
static const struct family {
    const char *name;
    int has_qk_norm;
    int is_tied;
    double rope_theta;

} family_table[] = {
    {"llama", 0, 0, 10000},
    {"qwen3", 1, 0, 10000},
    {"minimind", 1, 1, 1e6},
};

/* ---- reading ---- */

struct reading {
    struct decoder_config *config;
    struct oy_json_value all;
    struct oy_error *err;
};

static int is_present(const struct oy_json_value *value)
{
    return value->kind != OY_JSON_MISSING && value->kind != OY_JSON_NULL;
}

/* A whole number of the document within bounds; absent: `fallback`, or a
 * failure when that is negative. */
static int read_int(const struct reading *reading,
                    const struct oy_json_value *object, const char *key,
                    int low, int high, int fallback, int *number)
{
    const struct oy_json_value value = oy_json_member(object, key);
    int64_t n;

    *number = fallback;
    if (!is_present(&value))
        return fallback >= 0
                   ? 0
                   : oy_fail(reading->err, OY_DATA, "'%s' is missing", key);
    if (value.kind != OY_JSON_NUMBER || oy_json_int64(&value, &n) || n < low ||
        n > high)
        return oy_fail(reading->err, OY_DATA,
                       "'%s' is not a whole number from %d to %d", key, low,
                       high);
    *number = (int)n;
    return 0;
}

/* A positive finite number; absent: `fallback`, or a failure when that is
 * 0. */
static int read_positive(const struct reading *reading,
                         const struct oy_json_value *object, const char *key,
                         double fallback, double *number)
{
    const struct oy_json_value value = oy_json_member(object, key);

    *number = fallback;
    if (!is_present(&value))
        return fallback > 0
                   ? 0
                   : oy_fail(reading->err, OY_DATA, "'%s' is missing", key);
    if (value.kind != OY_JSON_NUMBER || oy_json_double(&value, number) ||
        !(*number > 0) || !isfinite(*number))
        return oy_fail(reading->err, OY_DATA, "'%s' is not a positive number",
                       key);
    return 0;
}

static int read_bool(const struct reading *reading, const char *key,
                     int fallback, int *truth)
{
    const struct oy_json_value value = oy_json_member(&reading->all, key);

    *truth = fallback;
    if (!is_present(&value))
        return 0;
    if (oy_json_bool(&value, truth))
        return oy_fail(reading->err, OY_DATA, "'%s' is not true or false", key);
    return 0;
}

static void copy_text(const struct oy_json_value *value, char *text,
                      size_t size)
{
    const size_t len = value->len >= 2 ? value->len - 2 : 0;
    const size_t n = len < size - 1 ? len : size - 1;

    memcpy(text, value->at + 1, n);
    text[n] = '\0';
}

static const struct family *find_family(const struct reading *reading)
{
    const struct oy_json_value value =
        oy_json_member(&reading->all, "model_type");
    char name[64] = "";

    for (size_t i = 0; i < sizeof family_table / sizeof *family_table; i++) {
        if (value.kind == OY_JSON_STRING &&
            oy_json_equals(&value, family_table[i].name))
            return &family_table[i];
    }
    if (value.kind == OY_JSON_STRING)
        copy_text(&value, name, sizeof name);
    oy_fail(reading->err, OY_DATA, "model_type '%s' is not supported", name);
    return NULL;
}

static int is_trivial(const struct oy_json_value *value)
{
    return value->kind == OY_JSON_NULL || value->kind == OY_JSON_FALSE;
}

/* MiniMind's configurations carry the numbers of experts they do not have. */
static int has_no_experts(const struct reading *reading)
{
    return oy_json_member(&reading->all, "use_moe").kind == OY_JSON_FALSE;
}

static int check_key(const struct reading *reading,
                     const struct oy_json_value *key,
                     const struct oy_json_value *value)
{
    char name[64];
    double number;

    copy_text(key, name, sizeof name);
    for (size_t i = 0; i < sizeof key_table / sizeof *key_table; i++) {
        if (!oy_json_equals(key, key_table[i].name))
            continue;
        if (key_table[i].use <= KEY_HARMLESS || is_trivial(value))
            return 0;
        if (key_table[i].use == KEY_MUST_BE_ONE &&
            value->kind == OY_JSON_NUMBER && !oy_json_double(value, &number) &&
            number == 1)
            return 0;
        if (key_table[i].use == KEY_OF_EXPERTS && has_no_experts(reading))
            return 0;
        return oy_fail(reading->err, OY_DATA, "'%s' is not supported", name);
    }
    if (is_trivial(value))
        return 0;
    return oy_fail(reading->err, OY_DATA,
                   "key '%s' is not understood and might change the model",
                   name);
}

static int check_keys(const struct reading *reading)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    oy_json_enter(&cursor, &reading->all);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        if (check_key(reading, &key, &value))
            return -1;
    }
    return 0;
}

static int read_shape(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    const struct oy_json_value *all = &reading->all;

    if (read_int(reading, all, "vocab_size", 1, 1 << 24, -1, &c->n_vocab) ||
        read_int(reading, all, "hidden_size", 1, 1 << 17, -1, &c->dim) ||
        read_int(reading, all, "num_hidden_layers", 1, 1024, -1, &c->n_layer) ||
        read_int(reading, all, "num_attention_heads", 1, 1024, -1,
                 &c->n_head) ||
        read_int(reading, all, "num_key_value_heads", 1, 1024, c->n_head,
                 &c->n_kv_head) ||
        read_int(reading, all, "head_dim", 2, 1024, c->dim / c->n_head,
                 &c->head_dim) ||
        read_int(reading, all, "intermediate_size", 1, 1 << 19, -1,
                 &c->n_hidden) ||
        read_int(reading, all, "max_position_embeddings", 1, 1 << 24, 2048,
                 &c->max_position))
        return -1;
    if (c->n_head % c->n_kv_head)
        return oy_fail(reading->err, OY_DATA,
                       "num_key_value_heads %d does not divide "
                       "num_attention_heads %d",
                       c->n_kv_head, c->n_head);
    if (c->head_dim < 2 || c->head_dim % 2)
        return oy_fail(reading->err, OY_DATA, "head_dim %d is not even",
                       c->head_dim);
    return 0;
}

static int read_llama3(const struct reading *reading,
                       const struct oy_json_value *scaling)
{
    struct decoder_config *c = reading->config;

    if (read_positive(reading, scaling, "low_freq_factor", 0,
                      &c->rope_low_freq_factor) ||
        read_positive(reading, scaling, "high_freq_factor", 0,
                      &c->rope_high_freq_factor) ||
        read_int(reading, scaling, "original_max_position_embeddings", 1,
                 1 << 24, -1, &c->rope_original_position))
        return -1;
    if (c->rope_high_freq_factor <= c->rope_low_freq_factor)
        return oy_fail(reading->err, OY_DATA,
                       "rope's high_freq_factor is not above low_freq_factor");
    return 0;
}

/* `scaling` is rope_scaling, or rope_parameters in the spelling of
 * transformers 5. */
static int read_rope_scaling(const struct reading *reading,
                             const struct oy_json_value *scaling)
{
    struct decoder_config *c = reading->config;
    struct oy_json_value type = oy_json_member(scaling, "rope_type");
    const struct oy_json_value part =
        oy_json_member(scaling, "partial_rotary_factor");
    double rotary = 1;
    char name[64] = "";

    if (!is_present(&type))
        type = oy_json_member(scaling, "type");
    if (is_present(&part) && (oy_json_double(&part, &rotary) || rotary != 1))
        return oy_fail(reading->err, OY_DATA,
                       "'partial_rotary_factor' is not supported");
    if (!is_present(&type) || oy_json_equals(&type, "default"))
        return 0;
    if (type.kind == OY_JSON_STRING)
        copy_text(&type, name, sizeof name);
    if (!strcmp(name, "linear"))
        c->rope_scaling = ROPE_LINEAR;
    else if (!strcmp(name, "llama3"))
        c->rope_scaling = ROPE_LLAMA3;
    else
        return oy_fail(reading->err, OY_DATA,
                       "rope scaling of type '%s' is not supported", name);
    if (read_positive(reading, scaling, "factor", 0, &c->rope_factor))
        return -1;
    return c->rope_scaling == ROPE_LLAMA3 ? read_llama3(reading, scaling) : 0;
}

static int read_rope(const struct reading *reading, double theta)
{
    struct oy_json_value scaling =
        oy_json_member(&reading->all, "rope_parameters");

    if (!is_present(&scaling))
        scaling = oy_json_member(&reading->all, "rope_scaling");
    if (read_positive(reading, &reading->all, "rope_theta", theta, &theta))
        return -1;
    reading->config->rope_theta = theta;
    if (!is_present(&scaling))
        return 0;
    if (scaling.kind != OY_JSON_OBJECT)
        return oy_fail(reading->err, OY_DATA, "rope's scaling is no object");
    if (read_positive(reading, &scaling, "rope_theta", theta,
                      &reading->config->rope_theta))
        return -1;
    return read_rope_scaling(reading, &scaling);
}

/* Sliding windows and activations that are not ours are refused. */
static int check_variants(const struct reading *reading)
{
    const struct oy_json_value *all = &reading->all;
    const struct oy_json_value act = oy_json_member(all, "hidden_act");
    const struct oy_json_value window = oy_json_member(all, "sliding_window");
    const struct oy_json_value types = oy_json_member(all, "layer_types");
    struct oy_json_cursor cursor;
    struct oy_json_value type;
    int use_window;

    if (is_present(&act) &&
        (act.kind != OY_JSON_STRING || !oy_json_equals(&act, "silu")))
        return oy_fail(reading->err, OY_DATA, "hidden_act is not 'silu'");
    if (read_bool(reading, "use_sliding_window", is_present(&window),
                  &use_window))
        return -1;
    if (use_window)
        return oy_fail(reading->err, OY_DATA,
                       "a sliding window is not supported");
    if (types.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &types);
    while (oy_json_next_element(&cursor, &type) > 0) {
        if (type.kind != OY_JSON_STRING ||
            !oy_json_equals(&type, "full_attention"))
            return oy_fail(reading->err, OY_DATA,
                           "layer_types holds more than 'full_attention'");
    }
    return 0;
}

static int add_eos(const struct reading *reading,
                   const struct oy_json_value *value)
{
    struct decoder_config *c = reading->config;
    int64_t id;

    if (value->kind != OY_JSON_NUMBER || oy_json_int64(value, &id) || id < 0 ||
        id > INT32_MAX)
        return oy_fail(reading->err, OY_DATA, "'eos_token_id' is no token id");
    if (c->n_eos == DECODER_MAX_EOS)
        return oy_fail(reading->err, OY_DATA,
                       "more than %d ids in 'eos_token_id'", DECODER_MAX_EOS);
    c->eos_id[c->n_eos++] = (int)id;
    return 0;
}

/* One id or a list; replaces what was read before. */
static int read_eos(const struct reading *reading)
{
    const struct oy_json_value value =
        oy_json_member(&reading->all, "eos_token_id");
    struct oy_json_cursor cursor;
    struct oy_json_value item;

    if (!is_present(&value))
        return 0;
    reading->config->n_eos = 0;
    if (value.kind != OY_JSON_ARRAY)
        return add_eos(reading, &value);
    oy_json_enter(&cursor, &value);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (add_eos(reading, &item))
            return -1;
    }
    return 0;
}

static int read_members(const struct reading *reading)
{
    struct decoder_config *c = reading->config;
    const struct family *family = find_family(reading);
    double eps;

    if (!family)
        return -1;
    snprintf(c->family, sizeof c->family, "%s", family->name);
    c->has_qk_norm = family->has_qk_norm;
    if (check_keys(reading) || read_shape(reading) ||
        read_positive(reading, &reading->all, "rms_norm_eps", 1e-6, &eps) ||
        read_bool(reading, "tie_word_embeddings", family->is_tied,
                  &c->is_tied) ||
        read_rope(reading, family->rope_theta) || check_variants(reading) ||
        read_eos(reading))
        return -1;
    c->norm_eps = (float)eps;
    c->bos_id = -1;
    const struct oy_json_value bos =
        oy_json_member(&reading->all, "bos_token_id");
    return is_present(&bos) ? read_int(reading, &reading->all, "bos_token_id",
                                       0, INT32_MAX, -1, &c->bos_id)
                            : 0;
}

/* The text must have OY_PADDING readable bytes behind it. */
static int enter_document(struct reading *reading, const char *json, size_t len)
{
    const char *why = "not an object";
    size_t where = 0;

    if (oy_json_validate(json, len, &why, &where) ||
        oy_json_value_of(json, len, &reading->all, &why) ||
        reading->all.kind != OY_JSON_OBJECT)
        return oy_fail(reading->err, OY_DATA, "byte %zu: %s", where, why);
    return 0;
}

int config_parse(struct decoder_config *config, const char *name,
                 const char *json, size_t len, struct oy_error *err)
{
    struct reading reading = {.config = config, .err = err};
    struct oy_buffer text = {0};

    *config = (struct decoder_config){.bos_id = -1};
    oy_buffer_append(&text, json, len);
    oy_buffer_reserve(&text, 1);
    int status = enter_document(&reading, text.data, len);
    if (!status)
        status = read_members(&reading);
    oy_buffer_release(&text);
    return status ? oy_fail_at(err, "%s", name) : 0;
}

/* Only the ids that end a text are wanted of it; it may be absent. */
static int read_generation_config(struct decoder_config *config,
                                  const char *folder, struct oy_error *err)
{
    struct reading reading = {.config = config, .err = err};
    struct oy_error missing = {0};
    char *path = oy_asprintf("%s/generation_config.json", folder);
    size_t len;
    char *json = oy_input_slurp(path, MAX_CONFIG_SIZE, &len, &missing);
    int status = 0;

    if (json) {
        status = enter_document(&reading, json, len) || read_eos(&reading);
        if (status)
            oy_fail_at(err, "%s", path);
    } else if (missing.code != OY_NOINPUT) {
        *err = missing;
        status = -1;
    }
    oy_free(json);
    oy_free(path);
    return status ? -1 : 0;
}

/* A model's file stands for the folder it could be made from. */
static int read_model_file(struct decoder_config *config, const char *path,
                           struct oy_error *err)
{
    struct oy_buffer json = {0};
    int status = model_file_config(path, &json, err);

    if (!status)
        status = config_parse(config, path, json.data, json.len, err);
    oy_buffer_release(&json);
    return status;
}

int config_read(struct decoder_config *config, const char *folder,
                struct oy_error *err)
{
    if (model_file_is(folder))
        return read_model_file(config, folder, err);
    char *path = oy_asprintf("%s/config.json", folder);
    size_t len;
    char *json = oy_input_slurp(path, MAX_CONFIG_SIZE, &len, err);
    int status = json ? config_parse(config, path, json, len, err) : -1;

    if (!status)
        status = read_generation_config(config, folder, err);
    oy_free(json);
    oy_free(path);
    return status;
}

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
    oy_buffer_append_string(out, ",\n  \"rope_scaling\": ");
    if (config->rope_scaling == ROPE_PLAIN) {
        oy_buffer_append_string(out, "null");
        return;
    }
    oy_buffer_append_format(out, "{\"rope_type\": \"%s\", ",
                            config->rope_scaling == ROPE_LINEAR ? "linear"
                                                                : "llama3");
    put_double(out, "factor", config->rope_factor);
    if (config->rope_scaling == ROPE_LLAMA3) {
        oy_buffer_append_string(out, ", ");
        put_double(out, "low_freq_factor", config->rope_low_freq_factor);
        oy_buffer_append_string(out, ", ");
        put_double(out, "high_freq_factor", config->rope_high_freq_factor);
        oy_buffer_append_format(out,
                                ", \"original_max_position_embeddings\": "
                                "%d",
                                config->rope_original_position);
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
    put_double(out, "rope_theta", config->rope_theta);
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
static const struct decoder_config preset_config[] = {
    {"llama", 0, 512, 8, 8, 2, 64, 1408, 32768, 1e-5F, 0, 1, 1e6},
    {"qwen3", 0, 768, 8, 8, 4, 96, 2432, 32768, 1e-6F, 1, 1, 1e6},
    {"llama", 0, 768, 16, 8, 2, 96, 2048, 32768, 1e-5F, 0, 1, 1e6},
    {"llama", 0, 576, 30, 9, 3, 64, 1536, 8192, 1e-5F, 0, 1, 1e5},
    {"llama", 0, 192, 4, 6, 2, 32, 512, 2048, 1e-5F, 0, 1, 1e4},
};

int config_preset(struct decoder_config *config, const char *name)
{
    for (int i = 0; preset_name[i]; i++) {
        if (strcmp(preset_name[i], name))
            continue;
        *config = preset_config[i];
        config->bos_id = -1;
        return 0;
    }
    return -1;
}

const char *const *config_preset_names(void)
{
    return preset_name;
}

/* ---- derived numbers ---- */

/* transformers, modeling_rope_utils.py, _compute_llama3_parameters. */
static double scale_llama3(const struct decoder_config *config, double freq)
{
    const double wave = 2 * M_PI / freq;
    const double original = config->rope_original_position;
    const double low = config->rope_low_freq_factor;
    const double high = config->rope_high_freq_factor;

    if (wave > original / low)
        return freq / config->rope_factor;
    if (wave < original / high)
        return freq;
    const double smooth = (original / wave - low) / (high - low);
    return (1 - smooth) * freq / config->rope_factor + smooth * freq;
}

void config_rope_frequencies(const struct decoder_config *config,
                             double *inv_freq)
{
    for (int i = 0; i < config->head_dim / 2; i++) {
        const double freq =
            pow(config->rope_theta, -2.0 * i / config->head_dim);
        inv_freq[i] = freq;
        if (config->rope_scaling == ROPE_LINEAR)
            inv_freq[i] = freq / config->rope_factor;
        if (config->rope_scaling == ROPE_LLAMA3)
            inv_freq[i] = scale_llama3(config, freq);
    }
}

uint64_t config_count_weights(const struct decoder_config *config)
{
    const uint64_t dim = (uint64_t)config->dim,
                   layers = (uint64_t)config->n_layer;
    const uint64_t head_dim = (uint64_t)config->head_dim;
    const uint64_t q = (uint64_t)config->n_head * head_dim;
    const uint64_t kv = (uint64_t)config->n_kv_head * head_dim;
    const uint64_t hidden = (uint64_t)config->n_hidden;
    const uint64_t layer = 2 * dim + 2 * q * dim + 2 * kv * dim +
                           3 * hidden * dim +
                           (config->has_qk_norm ? 2 * head_dim : 0);
    const uint64_t embedding = (uint64_t)config->n_vocab * dim;

    return layers * layer + dim + embedding * (config->is_tied ? 1 : 2);
}

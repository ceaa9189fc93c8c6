/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a GGUF out of a config.json.
 *
 * A GGUF has no word for many things that config.json can say: llama.cpp
 * decides them by the architecture. Where the configuration says something
 * else it is refused, never written as something that is nearly right. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/conv_internal.h"

/* ---- values of a file ---- */

void conv_put_raw(struct oy_buffer *out, uint64_t number, int size)
{
    for (int i = 0; i < size; i++)
        oy_buffer_append_char(out, (char)(number >> 8 * i));
}

void conv_put_key(struct conv_keys *keys, const char *key,
                  enum oy_gguf_type type)
{
    keys->n++;
    conv_put_raw(&keys->bytes, strlen(key), 8);
    oy_buffer_append_string(&keys->bytes, key);
    conv_put_raw(&keys->bytes, (uint64_t)type, 4);
}

void conv_put_text(struct conv_keys *keys, const char *key, const char *text,
                   size_t len)
{
    conv_put_key(keys, key, OY_GGUF_STRING);
    conv_put_raw(&keys->bytes, len, 8);
    oy_buffer_append(&keys->bytes, text, len);
}

void conv_put_u32(struct conv_keys *keys, const char *key, uint32_t number)
{
    conv_put_key(keys, key, OY_GGUF_U32);
    conv_put_raw(&keys->bytes, number, 4);
}

void conv_put_f32(struct conv_keys *keys, const char *key, float number)
{
    uint32_t bits;

    memcpy(&bits, &number, sizeof bits);
    conv_put_key(keys, key, OY_GGUF_F32);
    conv_put_raw(&keys->bytes, bits, 4);
}

void conv_put_bool(struct conv_keys *keys, const char *key, int truth)
{
    conv_put_key(keys, key, OY_GGUF_BOOL);
    conv_put_raw(&keys->bytes, truth != 0, 1);
}

void conv_put_array(struct conv_keys *keys, const char *key,
                    enum oy_gguf_type type, uint64_t n)
{
    conv_put_key(keys, key, OY_GGUF_ARRAY);
    conv_put_raw(&keys->bytes, type, 4);
    conv_put_raw(&keys->bytes, n, 8);
}

/* ---- members of config.json ---- */

struct writing {
    struct conv_keys *keys;
    const struct gguf_family *family;
    const struct oy_json_value *config;
    struct oy_json_value rope; /* rope_parameters or rope_scaling */
    struct oy_error *err;
    int64_t dim, n_head, head_dim;
};

static int is_present(const struct oy_json_value *value)
{
    return value->kind != OY_JSON_MISSING && value->kind != OY_JSON_NULL;
}

/* A member, or one of rope_parameters. */
static struct oy_json_value find(const struct writing *writing,
                                 const char *name)
{
    const struct oy_json_value value = oy_json_member(writing->config, name);

    if (is_present(&value) || writing->rope.kind != OY_JSON_OBJECT)
        return value;
    return oy_json_member(&writing->rope, name);
}

static int64_t find_int(const struct writing *writing, const char *name,
                        int64_t otherwise)
{
    const struct oy_json_value value = find(writing, name);
    int64_t number;

    return is_present(&value) && !oy_json_int64(&value, &number) ? number
                                                                 : otherwise;
}

static double find_real(const struct writing *writing, const char *name,
                        double otherwise)
{
    const struct oy_json_value value = find(writing, name);
    double number;

    return is_present(&value) && value.kind == OY_JSON_NUMBER &&
                   !oy_json_double(&value, &number)
               ? number
               : otherwise;
}

static int refuse(const struct writing *writing, const char *member)
{
    return oy_fail(writing->err, OY_DATA,
                   "config.json: '%s' says what a GGUF of '%s' cannot", member,
                   writing->family->arch);
}

/* ---- keys that are numbers ---- */

static char *make_key(const struct writing *writing, const char *suffix)
{
    return oy_asprintf("%s.%s", writing->family->arch, suffix);
}

static void put_u32(const struct writing *writing, const char *suffix,
                    int64_t number)
{
    char *key = make_key(writing, suffix);

    conv_put_u32(writing->keys, key, (uint32_t)number);
    oy_free(key);
}

static void put_f32(const struct writing *writing, const char *suffix,
                    double number)
{
    char *key = make_key(writing, suffix);

    conv_put_f32(writing->keys, key, (float)number);
    oy_free(key);
}

static int put_row(const struct writing *writing, const struct gguf_key *row)
{
    const struct oy_json_value value = find(writing, row->hf);
    int64_t number;
    double real;
    int truth;

    if (!is_present(&value))
        return 0;
    if (row->kind == GGUF_BOOL) {
        if (oy_json_bool(&value, &truth))
            return refuse(writing, row->hf);
        char *key = make_key(writing, row->gguf);
        conv_put_bool(writing->keys, key, truth);
        oy_free(key);
        return 0;
    }
    if (value.kind != OY_JSON_NUMBER)
        return refuse(writing, row->hf);
    if (row->kind == GGUF_INT) {
        if (oy_json_int64(&value, &number) || number < 0 || number > INT32_MAX)
            return refuse(writing, row->hf);
        put_u32(writing, row->gguf, number);
        return 0;
    }
    if (oy_json_double(&value, &real) || !isfinite(real))
        return refuse(writing, row->hf);
    put_f32(writing, row->gguf, real);
    return 0;
}

/* Rows of the family first; those of all that it has not. A window that is
 * switched off is not written. */
static int put_rows(const struct writing *writing)
{
    const struct oy_json_value use =
        oy_json_member(writing->config, "use_sliding_window");

    for (const struct gguf_key *row = writing->family->key; row->gguf; row++) {
        if (row->hf && put_row(writing, row))
            return -1;
    }
    for (const struct gguf_key *row = gguf_common_keys(); row->gguf; row++) {
        const struct gguf_key *used =
            gguf_family_key(writing->family, row->gguf, strlen(row->gguf));
        const int is_off = use.kind == OY_JSON_FALSE &&
                           !strcmp(row->gguf, "attention.sliding_window");
        if (used == row && row->hf && !is_off && put_row(writing, row))
            return -1;
    }
    return 0;
}

/* What classes of transformers have where config.json is silent. */
static void put_defaults(const struct writing *writing)
{
    const unsigned traits = writing->family->traits;

    if (traits & GGUF_GPT2_SHAPE) {
        if (find_int(writing, "n_inner", 0) == 0)
            put_u32(writing, "feed_forward_length", 4 * writing->dim);
        if (find_real(writing, "layer_norm_epsilon", 0) == 0)
            put_f32(writing, "attention.layer_norm_epsilon", 1e-5);
        return;
    }
    if (!find_int(writing, "num_key_value_heads", 0))
        put_u32(writing, "attention.head_count_kv", writing->n_head);
    if (find_real(writing, "rope_theta", 0) == 0)
        put_f32(writing, "rope.freq_base", 10000);
    if (find_real(writing, "rms_norm_eps", 0) == 0 &&
        find_real(writing, "layer_norm_eps", 0) == 0 &&
        find_real(writing, "norm_epsilon", 0) == 0)
        put_f32(writing, "attention.layer_norm_rms_epsilon", 1e-6);
    if (find_int(writing, "head_dim", 0))
        put_u32(writing, "attention.value_length", writing->head_dim);
}

/* ---- positions ---- */

static int put_rope_type(const struct writing *writing, const char *name)
{
    char *key = make_key(writing, "rope.scaling.type");
    const int64_t original =
        find_int(writing, "original_max_position_embeddings", 0);

    conv_put_text(writing->keys, key, name, strlen(name));
    oy_free(key);
    put_f32(writing, "rope.scaling.factor", find_real(writing, "factor", 1));
    if (original)
        put_u32(writing, "rope.scaling.original_context_length", original);
    return 0;
}

static int has_any(const struct writing *writing, const char *const *name)
{
    for (; *name; name++) {
        const struct oy_json_value value =
            oy_json_member(&writing->rope, *name);
        if (is_present(&value))
            return 1;
    }
    return 0;
}

/* llama.cpp's YaRN: transformers' with truncated corrections, its own
 * attention factor. */
static int put_yarn(const struct writing *writing)
{
    static const char *const more[] = {"mscale", "mscale_all_dim",
                                       "attention_factor", "truncate", NULL};

    if (has_any(writing, more))
        return refuse(writing, "rope_scaling");
    put_rope_type(writing, "yarn");
    if (find_real(writing, "beta_fast", 0) != 0)
        put_f32(writing, "rope.scaling.yarn_beta_fast",
                find_real(writing, "beta_fast", 32));
    if (find_real(writing, "beta_slow", 0) != 0)
        put_f32(writing, "rope.scaling.yarn_beta_slow",
                find_real(writing, "beta_slow", 1));
    return 0;
}

/* Llama 3's is a tensor (conv_gguf.c). */
static int put_scaling(const struct writing *writing)
{
    struct oy_json_value type = oy_json_member(&writing->rope, "rope_type");

    if (!is_present(&type))
        type = oy_json_member(&writing->rope, "type");
    if (!is_present(&type) || oy_json_equals(&type, "default") ||
        oy_json_equals(&type, "llama3"))
        return 0;
    if (oy_json_equals(&type, "linear"))
        return put_rope_type(writing, "linear");
    if (oy_json_equals(&type, "yarn"))
        return put_yarn(writing);
    return refuse(writing, "rope_scaling");
}

static int put_rope(const struct writing *writing)
{
    const double part = find_real(writing, "partial_rotary_factor",
                                  find_real(writing, "rotary_pct", 1));
    const int64_t n_turned = (int64_t)((double)writing->head_dim * part);

    if (writing->family->traits & GGUF_GPT2_SHAPE)
        return 0;
    if (part != 1 && !(writing->family->traits & GGUF_PARTIAL))
        return refuse(writing, "partial_rotary_factor");
    put_u32(writing, "rope.dimension_count", n_turned);
    return writing->rope.kind == OY_JSON_OBJECT ? put_scaling(writing) : 0;
}

/* ---- what a GGUF cannot say ---- */

/* Which layers slide: llama.cpp knows it by the architecture. */
static int should_slide(const struct writing *writing, int64_t layer)
{
    const char *arch = writing->family->arch;

    if (!strcmp(arch, "gemma2"))
        return layer % 2 == 0;
    if (!strcmp(arch, "gemma3"))
        return (layer + 1) % 6 != 0;
    return -1;
}

static int check_layer_types(const struct writing *writing)
{
    const struct oy_json_value list =
        oy_json_member(writing->config, "layer_types");
    struct oy_json_cursor cursor;
    struct oy_json_value type;
    int64_t layer = 0;

    if (list.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &type) > 0) {
        const int wanted = should_slide(writing, layer++);
        const int slides = oy_json_equals(&type, "sliding_attention");
        if (!slides && !oy_json_equals(&type, "full_attention"))
            return refuse(writing, "layer_types");
        if (wanted < 0 ? slides : slides != wanted)
            return refuse(writing, "layer_types");
    }
    return 0;
}

/* A member whose value the family's arithmetic has built in. */
static int check_member(const struct writing *writing, const char *name)
{
    const struct oy_json_value value = oy_json_member(writing->config, name);
    char *form;

    if (!is_present(&value))
        return 0;
    form = oy_asprintf("\"%s\":%.*s", name, (int)value.len, value.at);
    const int is_there = strstr(writing->family->members, form) != NULL;
    /* Gemma's older spelling of its activation, and GPT-2's other one. */
    const int is_known =
        is_there || oy_json_equals(&value, "gelu_pytorch_tanh");
    oy_free(form);
    return is_known ? 0 : refuse(writing, name);
}

static int check_experts(const struct writing *writing)
{
    const struct oy_json_value list =
        oy_json_member(writing->config, "mlp_only_layers");

    if (find_int(writing, "decoder_sparse_step", 1) != 1)
        return refuse(writing, "decoder_sparse_step");
    if (list.kind == OY_JSON_ARRAY && memchr(list.at, ',', list.len))
        return refuse(writing, "mlp_only_layers");
    for (size_t i = 0; list.kind == OY_JSON_ARRAY && i < list.len; i++) {
        if (list.at[i] >= '0' && list.at[i] <= '9')
            return refuse(writing, "mlp_only_layers");
    }
    return check_member(writing, "norm_topk_prob");
}

static int check_windows(const struct writing *writing)
{
    const struct oy_json_value window =
        oy_json_member(writing->config, "sliding_window");
    const struct oy_json_value use =
        oy_json_member(writing->config, "use_sliding_window");
    const int is_named = writing->family->traits & GGUF_WINDOW ||
                         !strcmp(writing->family->arch, "phi3");

    if (is_present(&window) && use.kind != OY_JSON_FALSE && !is_named)
        return refuse(writing, "sliding_window");
    return check_layer_types(writing);
}

static int check_gemma(const struct writing *writing)
{
    const char *arch = writing->family->arch;
    const double scalar = find_real(writing, "query_pre_attn_scalar", NAN);
    const int64_t n_layer = find_int(writing, "num_hidden_layers", 0);
    const int is_largest = (!strcmp(arch, "gemma2") && n_layer == 46) ||
                           (!strcmp(arch, "gemma3") && n_layer == 62);
    const int64_t built_in =
        is_largest ? writing->dim / writing->n_head : writing->head_dim;

    if (strncmp(arch, "gemma", 5))
        return 0;
    if (!isnan(scalar) && scalar != (double)built_in)
        return refuse(writing, "query_pre_attn_scalar");
    if (!strcmp(arch, "gemma3") &&
        find_real(writing, "rope_local_base_freq", 10000) != 10000)
        return refuse(writing, "rope_local_base_freq");
    return 0;
}

static int check_smollm3(const struct writing *writing)
{
    const struct oy_json_value list =
        oy_json_member(writing->config, "no_rope_layers");
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    int64_t layer = 0, turns;

    if (strcmp(writing->family->arch, "smollm3"))
        return 0;
    if (list.kind != OY_JSON_ARRAY)
        return find_int(writing, "no_rope_layer_interval", 4) == 4
                   ? 0
                   : refuse(writing, "no_rope_layer_interval");
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (oy_json_int64(&item, &turns) || turns != (++layer % 4 != 0))
            return refuse(writing, "no_rope_layers");
    }
    return 0;
}

/* A truth that llama.cpp's graph of the family has built in. */
static int check_truth(const struct writing *writing, const char *name,
                       int built_in)
{
    const struct oy_json_value value = oy_json_member(writing->config, name);
    int truth;

    if (!is_present(&value) ||
        (!oy_json_bool(&value, &truth) && truth == built_in))
        return 0;
    return refuse(writing, name);
}

/* Of Qwen 3 llama.cpp reads no bias of the output projection, which comes
 * with those of q, k and v. */
static int check_truths(const struct writing *writing)
{
    static const struct {
        const char *arch, *member;
        int built_in;
    } row[] = {{"gpt2", "scale_attn_weights", 1},
               {"gpt2", "scale_attn_by_inverse_layer_idx", 0},
               {"qwen3", "attention_bias", 0},
               {"qwen3moe", "attention_bias", 0},
               {"starcoder2", "use_bias", 1},
               {"seed_oss", "attention_bias", 1},
               {"seed_oss", "attention_out_bias", 0},
               {"seed_oss", "mlp_bias", 0}};

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        if (!strcmp(row[i].arch, writing->family->arch) &&
            check_truth(writing, row[i].member, row[i].built_in))
            return -1;
    }
    return 0;
}

static int check_all(const struct writing *writing)
{
    return check_windows(writing) || check_truths(writing) ||
                   check_experts(writing) || check_gemma(writing) ||
                   check_smollm3(writing) ||
                   check_member(writing, "hidden_act") ||
                   check_member(writing, "hidden_activation") ||
                   check_member(writing, "activation_function")
               ? -1
               : 0;
}

/* ---- the whole ---- */

int conv_put_architecture(struct conv_keys *keys,
                          const struct gguf_family *family,
                          const struct oy_json_value *config,
                          struct oy_error *err)
{
    struct writing writing = {
        .keys = keys, .family = family, .config = config, .err = err};
    const int is_gpt2 = (family->traits & GGUF_GPT2_SHAPE) != 0;

    writing.rope = oy_json_member(config, "rope_parameters");
    if (!is_present(&writing.rope))
        writing.rope = oy_json_member(config, "rope_scaling");
    /* A table for each kind of layer, as Gemma 3 has it, is not one of the
     * forms below. */
    const struct oy_json_value nested =
        oy_json_member(&writing.rope, "full_attention");
    if (writing.rope.kind == OY_JSON_OBJECT && is_present(&nested))
        return refuse(&writing, "rope_parameters");
    writing.dim = find_int(&writing, is_gpt2 ? "n_embd" : "hidden_size", 0);
    writing.n_head =
        find_int(&writing, is_gpt2 ? "n_head" : "num_attention_heads", 1);
    writing.head_dim =
        find_int(&writing, "head_dim",
                 writing.dim / (writing.n_head > 0 ? writing.n_head : 1));
    if (check_all(&writing) || put_rows(&writing))
        return -1;
    put_defaults(&writing);
    put_u32(&writing, "vocab_size", find_int(&writing, "vocab_size", 0));
    return put_rope(&writing);
}

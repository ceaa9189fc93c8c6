/* SPDX-License-Identifier: Apache-2.0
 *
 * Who answers: the model as headers and journals know it. */
#include <string.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/manifest.h"
#include "eval/scorer_internal.h"

static void put_token(struct oy_buffer *out, const char *name, const char *text,
                      int32_t id)
{
    oy_buffer_append_format(out, ",\"%s\":", name);
    if (!text || id < 0) {
        oy_buffer_append_string(out, "null");
        return;
    }
    oy_buffer_append_char(out, '[');
    oy_json_put_string(out, text, strlen(text));
    oy_buffer_append_format(out, ",\"%d\"]", id);
}

/* The last part of a path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

/* "manifest": the hash of the checkpoint's manifest, through which a score is
 * followed back to the text that the model was trained on. */
static void put_manifest(const char *model, struct oy_buffer *out)
{
    struct oy_error absent = {0};
    char *path = oy_asprintf("%s/manifest.json", model ? model : "");
    struct oy_manifest_file file = {.path = path};

    if (!oy_manifest_hash_file(&file, &absent))
        oy_buffer_append_format(out, ",\"manifest\":\"%s\"", file.hash);
    oy_free(path);
}

/* A command is known by its text: what it runs is its own affair. */
static void put_command(const struct scorer *scorer, struct oy_buffer *out)
{
    const char *const command = command_model_of(scorer->options.model);

    oy_buffer_append_string(out, "{\"command\":");
    oy_json_put_string(out, command, strlen(command));
    oy_buffer_append_char(out, '}');
}

void scorer_put_model(const struct scorer *scorer, struct oy_buffer *out)
{
    const struct tokenizer *t = scorer->tokenizer;
    const char *name =
        scorer->options.model ? base_name(scorer->options.model) : "";

    if (scorer->command) {
        oy_buffer_append_string(out, "{\"model\":\"cmd\",\"model_args\":");
        put_command(scorer, out);
        oy_buffer_append_string(out, ",\"model_source\":\"cmd\",\"identity\":");
        put_command(scorer, out);
        oy_buffer_append_char(out, '}');
        return;
    }
    oy_buffer_append_string(out, "{\"model\":\"oyster\",\"model_args\":{"
                                 "\"pretrained\":");
    oy_json_put_string(out, name, strlen(name));
    oy_buffer_append_format(
        out,
        ",\"dtype\":\"float32\"},\"model_num_parameters\":%llu,"
        "\"model_dtype\":\"torch.float32\",\"batch_size\":1,"
        "\"device\":\"cpu\"",
        (unsigned long long)config_count_weights(&scorer->config));
    put_token(out, "tokenizer_eos_token", t ? tokenizer_eos_text(t) : NULL,
              t ? tokenizer_eos(t) : -1);
    put_token(out, "tokenizer_bos_token", t ? tokenizer_bos_text(t) : NULL,
              t ? tokenizer_bos(t) : -1);
    if (t && tokenizer_eos(t) >= 0)
        oy_buffer_append_format(out, ",\"eot_token_id\":%d", tokenizer_eos(t));
    oy_buffer_append_format(out, ",\"max_length\":%zu,", scorer->max_length);
    oy_buffer_append_string(out, "\"model_source\":\"oyster\","
                                 "\"model_name\":");
    oy_json_put_string(out, name, strlen(name));
    oy_buffer_append_string(out, ",\"identity\":");
    scorer_put_identity(scorer, out);
    put_manifest(scorer->options.model, out);
    oy_buffer_append_char(out, '}');
}

/* Said only where it differs from how journals have always been. */
static void put_kv_type(const struct scorer *scorer, struct oy_buffer *out)
{
    const enum kv_type type = (enum kv_type)scorer->options.kv_type;

    if (type != KV_F32)
        oy_buffer_append_format(out, ",\"kv_dtype\":\"%s\"",
                                kv_type_name(type));
}

void scorer_put_identity(const struct scorer *scorer, struct oy_buffer *out)
{
    struct oy_buffer config = {0};
    char text[33];

    if (scorer->command) {
        put_command(scorer, out);
        return;
    }
    config_put_json(&scorer->config, &config);
    oy_hash128_text(oy_hash128(config.data, config.len), text);
    oy_buffer_release(&config);
    oy_buffer_append_format(out, "{\"config\":\"%s\"", text);
    if (scorer->engine) {
        oy_hash128_text(engine_weights_hash(scorer->engine), text);
        oy_buffer_append_format(out, ",\"weights\":\"%s\",\"kernel\":\"%s\"",
                                text, engine_kernel_name(scorer->engine));
        put_kv_type(scorer, out);
    }
    if (scorer->tokenizer) {
        oy_hash128_text(tokenizer_hash(scorer->tokenizer), text);
        oy_buffer_append_format(out, ",\"tokenizer\":\"%s\"", text);
    }
    oy_buffer_append_format(out, ",\"max_length\":%zu}", scorer->max_length);
}

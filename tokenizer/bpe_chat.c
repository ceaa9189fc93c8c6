/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a trained vocabulary a ready tokenizer folder.
 */
#include "tokenizer/bpe_chat.h"

#include <string.h>

#include "core/input.h"
#include "core/run.h"
#include "core/utf8.h"
#include "tokenizer/chat_template.h"

static const size_t MAX_SIZE = 16 << 20; /* of a template's file */

void bpe_chat_release(struct bpe_chat *chat)
{
    oy_list_release(&chat->special);
    oy_list_release(&chat->plain);
    oy_free(chat->file);
    oy_buffer_release(&chat->chat_template);
    oy_arena_release(&chat->arena);
    *chat = (struct bpe_chat){0};
}

/* ---- reading ---- */

static int has_token(const struct oy_list *list, const char *token)
{
    for (size_t i = 0; i < list->n_item; i++) {
        if (!strcmp(list->item[i], token))
            return 1;
    }
    return 0;
}

/* A string value as a C string in the arena; NULL when it is none. */
static const char *string_of(struct bpe_chat *chat,
                             const struct oy_json_value *value)
{
    struct oy_text text;
    uint64_t n_repaired;
    const char *why;

    if (value->kind != OY_JSON_STRING ||
        oy_json_text(value, &chat->arena, &text, &n_repaired, &why) ||
        memchr(text.at, 0, text.len))
        return NULL;
    return oy_arena_copy(&chat->arena, text.at, text.len);
}

static int read_tokens(struct bpe_chat *chat, const struct oy_json_value *file,
                       const char *key, struct oy_list *list,
                       struct oy_error *err)
{
    const struct oy_json_value array = oy_json_member(file, key);
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int rc = 0;

    if (array.kind == OY_JSON_MISSING)
        return 0;
    if (array.kind != OY_JSON_ARRAY)
        return oy_fail(err, OY_DATA, "%s: not an array", key);
    oy_json_enter(&cursor, &array);
    for (size_t i = 0; (rc = oy_json_next_element(&cursor, &value)) > 0; i++) {
        const char *const token = string_of(chat, &value);

        if (!token || !*token)
            return oy_fail(err, OY_DATA, "%s[%zu]: not a token", key, i);
        oy_list_add(list, token);
    }
    return rc ? oy_fail(err, OY_DATA, "%s: %s", key, cursor.why) : 0;
}

/* Whether it can be parsed; a chat cannot be rendered by one that cannot. */
static int check_template(const char *source, size_t len, struct oy_error *err)
{
    struct chat_template *const parsed =
        chat_template_new(source, len, NULL, err);

    chat_template_free(parsed);
    return parsed ? 0 : -1;
}

static int check_template_value(struct bpe_chat *chat,
                                const struct oy_json_value *value,
                                struct oy_error *err)
{
    struct oy_text text;
    uint64_t n_repaired;
    const char *why;

    if (value->kind != OY_JSON_STRING ||
        oy_json_text(value, &chat->arena, &text, &n_repaired, &why))
        return oy_fail(err, OY_DATA, "chat_template: not a string");
    return check_template(text.at, text.len, err);
}

static int read_preset(struct bpe_chat *chat, const struct oy_json_value *file,
                       struct oy_error *err)
{
    chat->config = oy_json_member(file, "config");
    if (chat->config.kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "config: not an object");
    const struct oy_json_value value =
        oy_json_member(&chat->config, "chat_template");

    return read_tokens(chat, file, "special_tokens", &chat->special, err) ||
                   read_tokens(chat, file, "plain_tokens", &chat->plain, err) ||
                   check_template_value(chat, &value, err)
               ? -1
               : 0;
}

static int read_file(struct bpe_chat *chat, const char *path,
                     struct oy_error *err)
{
    struct oy_json_value file;
    const char *why;
    size_t len, where;

    chat->file = oy_input_slurp(path, MAX_SIZE, &len, err);
    if (!chat->file)
        return -1;
    if (!oy_utf8_valid(chat->file, len))
        return oy_fail(err, OY_DATA, "not UTF-8");
    /* `{{ ... }}` is braces too: only the whole grammar tells. */
    if (oy_json_validate(chat->file, len, &why, &where) ||
        oy_json_value_of(chat->file, len, &file, &why) ||
        file.kind != OY_JSON_OBJECT) {
        oy_json_put_string(&chat->chat_template, chat->file, len);
        return check_template(chat->file, len, err);
    }
    if (oy_json_member(&file, "config").kind != OY_JSON_MISSING)
        return read_preset(chat, &file, err);
    const struct oy_json_value value = oy_json_member(&file, "chat_template");

    if (check_template_value(chat, &value, err))
        return -1;
    oy_buffer_append(&chat->chat_template, value.at, value.len);
    return 0;
}

/* A bundled preset, or a file. */
static int read_named(struct bpe_chat *chat, const char *name,
                      struct oy_error *err)
{
    char *const relative =
        oy_asprintf("tokenizer/chat_templates/%s.json", name);
    char *const bundled = strchr(name, '/') ? NULL : oy_find_data(relative);
    const char *const path = bundled ? bundled : name;
    int rc = oy_input_check(path, err);

    if (rc)
        oy_fail_at(err, "--chat-template: neither bundled nor a file");
    else if (read_file(chat, path, err))
        rc = oy_fail_at(err, "%s", path);
    oy_free(relative);
    oy_free(bundled);
    return rc;
}

/* A token that frames texts: the one asked for, which must be special, or
 * else, without a preset, the first. */
static int choose_frame(const struct bpe_chat *chat, const char *option,
                        const char *asked, const char **token,
                        struct oy_error *err)
{
    *token = asked;
    if (asked && !has_token(&chat->special, asked))
        return oy_fail(err, OY_USAGE, "%s: '%s' is not a --special token",
                       option, asked);
    if (!asked && chat->config.kind == OY_JSON_MISSING && chat->special.n_item)
        *token = chat->special.item[0];
    return 0;
}

int bpe_chat_init(struct bpe_chat *chat, const struct bpe_chat_options *options,
                  struct oy_error *err)
{
    *chat = (struct bpe_chat){0};
    if (options->name && read_named(chat, options->name, err))
        return -1;
    for (size_t i = 0; i < options->special->n_item; i++)
        oy_list_add(&chat->special, options->special->item[i]);
    return choose_frame(chat, "--bos", options->bos, &chat->bos, err) ||
                   choose_frame(chat, "--eos", options->eos, &chat->eos, err)
               ? -1
               : 0;
}

/* ---- writing ---- */

static void put_member(const char *key, const char *value,
                       struct oy_buffer *out)
{
    if (!value)
        return;
    oy_buffer_append_format(out, "  \"%s\": ", key);
    oy_json_put_string(out, value, strlen(value));
    oy_buffer_append_string(out, ",\n");
}

/* The preset's members as they are; those that were asked for come first and
 * take the place of its own. */
static void put_preset(const struct bpe_chat *chat, struct oy_buffer *out)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    put_member("bos_token", chat->bos, out);
    put_member("eos_token", chat->eos, out);
    oy_json_enter(&cursor, &chat->config);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        if ((chat->bos && oy_json_equals(&key, "bos_token")) ||
            (chat->eos && oy_json_equals(&key, "eos_token")) ||
            oy_json_equals(&key, "tokenizer_class"))
            continue;
        oy_buffer_append_string(out, "  ");
        oy_buffer_append(out, key.at, key.len);
        oy_buffer_append_string(out, ": ");
        oy_buffer_append(out, value.at, value.len);
        oy_buffer_append_string(out, ",\n");
    }
}

static void put_frame(const struct bpe_chat *chat, struct oy_buffer *out)
{
    put_member("bos_token", chat->bos, out);
    put_member("eos_token", chat->eos, out);
    put_member("pad_token", chat->eos, out);
    oy_buffer_append_string(out,
                            "  \"clean_up_tokenization_spaces\": false,\n");
    if (!chat->chat_template.len)
        return;
    oy_buffer_append_string(out, "  \"chat_template\": ");
    oy_buffer_append(out, chat->chat_template.data, chat->chat_template.len);
    oy_buffer_append_string(out, ",\n");
}

/* As transformers writes them; the first `n_special` ids are these tokens'. */
static void put_added_tokens(const struct bpe_chat *chat,
                             const struct bpe_trained *trained,
                             struct oy_buffer *out)
{
    oy_buffer_append_string(out, "  \"added_tokens_decoder\": {");
    for (size_t id = 0; id < trained->n_special; id++) {
        const struct oy_text token = bpe_trained_token(trained, id);
        char *const text = oy_strndup(token.at, token.len);

        oy_buffer_append_format(
            out, "%s\n    \"%zu\": {\n      \"content\": ", id ? "," : "", id);
        oy_json_put_string(out, token.at, token.len);
        oy_buffer_append_format(out,
                                ",\n"
                                "      \"lstrip\": false,\n"
                                "      \"normalized\": false,\n"
                                "      \"rstrip\": false,\n"
                                "      \"single_word\": false,\n"
                                "      \"special\": %s\n"
                                "    }",
                                has_token(&chat->plain, text) ? "false"
                                                              : "true");
        oy_free(text);
    }
    oy_buffer_append_string(out, trained->n_special ? "\n  },\n" : "},\n");
}

void bpe_chat_put_config(const struct bpe_chat *chat,
                         const struct bpe_trained *trained,
                         struct oy_buffer *out)
{
    oy_buffer_append_string(out, "{\n");
    put_added_tokens(chat, trained, out);
    if (chat->config.kind == OY_JSON_OBJECT)
        put_preset(chat, out);
    else
        put_frame(chat, out);
    oy_buffer_append_string(
        out, "  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n");
}

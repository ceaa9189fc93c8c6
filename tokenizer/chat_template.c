/* SPDX-License-Identifier: Apache-2.0
 *
 * Chat templates found, loaded, rendered. */
#include "tokenizer/chat_template.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/input.h"
#include "tokenizer/template.h"

enum { MAX_CONFIG = 64 << 20 };

struct chat_template {
    struct template *template;
    struct oy_arena arena;
    struct oy_text source;
    struct template_value tokens; /* bos_token -> text, ... */
};

/* A special token is a text or an object with one. */
static const struct template_value *token_text(
    const struct template_value *value)
{
    if (value && value->kind == TEMPLATE_DICT)
        value = template_get(value, "content");
    return value && value->kind == TEMPLATE_STRING ? value : NULL;
}

static void read_tokens(struct chat_template *chat,
                        const struct template_value *config)
{
    static const char *const name[] = {"bos_token", "eos_token", "unk_token",
                                       "sep_token", "pad_token", "cls_token",
                                       "mask_token"};

    chat->tokens = template_new_dict(&chat->arena);
    for (size_t i = 0; config && i < sizeof name / sizeof *name; i++) {
        const struct template_value *text =
            token_text(template_get(config, name[i]));
        if (!text)
            continue;
        template_put_name(
            &chat->tokens, &chat->arena, name[i],
            template_string(
                oy_arena_copy(&chat->arena, text->text.at, text->text.len),
                text->text.len));
    }
}

struct chat_template *chat_template_new(const char *source, size_t len,
                                        const struct template_value *config,
                                        struct oy_error *err)
{
    const struct template_options options = {.flags = TEMPLATE_CHAT};
    struct chat_template *chat = oy_calloc(1, sizeof *chat);

    chat->source =
        (struct oy_text){oy_arena_copy(&chat->arena, source, len), len};
    read_tokens(chat, config);
    chat->template = template_compile(source, len, &options, err);
    if (chat->template)
        return chat;
    chat_template_free(chat);
    return NULL;
}

void chat_template_free(struct chat_template *chat)
{
    if (!chat)
        return;
    template_free(chat->template);
    oy_arena_release(&chat->arena);
    oy_free(chat);
}

struct oy_text chat_template_source(const struct chat_template *chat)
{
    return chat->source;
}

/* ---- files ---- */

/* PATH itself, or a file of a folder, also compressed; NULL if none is
 * there. */
static char *find_file(const char *path, const char *file)
{
    static const char *const suffix[] = {"", ".zst", ".gz"};
    struct stat status;

    if (stat(path, &status) || !S_ISDIR(status.st_mode))
        return NULL;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        char *found = oy_asprintf("%s/%s%s", path, file, suffix[i]);
        if (access(found, F_OK) == 0)
            return found;
        oy_free(found);
    }
    return NULL;
}

/* The text of a named template in the list form of the configuration. */
static const struct template_value *pick(const struct template_value *list,
                                         const char *name)
{
    const struct template_value want =
        template_literal(name && *name ? name : "default");

    if (list->kind != TEMPLATE_LIST)
        return list;
    for (size_t i = 0; i < list->list->n_item; i++) {
        const struct template_value *item = &list->list->item[i];
        const struct template_value *have = template_get(item, "name");
        if (have && template_equal(have, &want))
            return template_get(item, "template");
    }
    return NULL;
}

static struct chat_template *from_config(const char *path, const char *text,
                                         size_t len, const char *own,
                                         const char *name, struct oy_error *err)
{
    struct oy_arena arena = {0};
    struct template_value config;
    const struct template_value *source;
    struct chat_template *chat = NULL;
    const char *why = "not an object";

    if (template_parse_json(text, len, &arena, &config, &why) ||
        config.kind != TEMPLATE_DICT) {
        oy_fail(err, OY_DATA, "%s: %s", path, why);
    } else if (own) {
        chat = chat_template_new(own, strlen(own), &config, err);
    } else {
        source = template_get(&config, "chat_template");
        source = source ? pick(source, name) : NULL;
        if (source && source->kind == TEMPLATE_STRING)
            chat = chat_template_new(source->text.at, source->text.len, &config,
                                     err);
        else
            oy_fail(err, OY_DATA, "%s: no chat template", path);
    }
    oy_arena_release(&arena);
    return chat;
}

struct chat_template *chat_template_load(const char *path, const char *name,
                                         struct oy_error *err)
{
    char *config = find_file(path, "tokenizer_config.json");
    char *jinja = find_file(path, "chat_template.jinja");
    char *text = NULL, *own = NULL;
    struct chat_template *chat = NULL;
    size_t len = 0, own_len = 0;

    if (jinja)
        own = oy_input_slurp(jinja, MAX_CONFIG, &own_len, err);
    if (!jinja || own)
        text = oy_input_slurp(config ? config : path, MAX_CONFIG, &len, err);
    if (text)
        chat = from_config(config ? config : path, text, len, own, name, err);
    oy_free(text);
    oy_free(own);
    oy_free(jinja);
    oy_free(config);
    return chat;
}

/* ---- rendering ---- */

static void merge(struct template_value *to, const struct template_value *from,
                  struct oy_arena *arena)
{
    for (size_t i = 0;
         from && from->kind == TEMPLATE_DICT && i < from->dict->n_entry; i++)
        template_put(to, arena, from->dict->entry[i].key,
                     from->dict->entry[i].value);
}

int chat_template_render(const struct chat_template *chat,
                         const struct chat_request *request,
                         struct oy_arena *arena, struct oy_buffer *out,
                         struct oy_error *err)
{
    struct template_value vars = template_new_dict(arena);

    merge(&vars, &chat->tokens, arena);
    template_put_name(&vars, arena, "messages", *request->messages);
    template_put_name(&vars, arena, "tools",
                      request->tools ? *request->tools : template_none());
    template_put_name(&vars, arena, "documents", template_none());
    template_put_name(&vars, arena, "add_generation_prompt",
                      template_bool(request->add_generation_prompt));
    merge(&vars, request->extra, arena);
    if (template_render(chat->template, &vars, arena, out, err))
        return oy_fail_at(err, "chat template");
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Chat templates found, loaded, rendered. */
#include "tokenizer/chat_template.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/input.h"
#include "core/run.h"
#include "tokenizer/template.h"

enum { MAX_CONFIG = 64 << 20 };

struct chat_template {
    struct template *template;
    struct template *with_tools; /* NULL: the same */
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

static struct template *compile(const char *source, size_t len,
                                struct oy_error *err)
{
    const struct template_options options = {.flags = TEMPLATE_CHAT};
    struct template *template = template_compile(source, len, &options, err);

    if (!template)
        oy_fail_at(err, "chat template");
    return template;
}

struct chat_template *chat_template_new(const char *source, size_t len,
                                        const struct template_value *config,
                                        struct oy_error *err)
{
    struct chat_template *chat = oy_calloc(1, sizeof *chat);

    chat->source =
        (struct oy_text){oy_arena_copy(&chat->arena, source, len), len};
    read_tokens(chat, config);
    chat->template = compile(source, len, err);
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
    template_free(chat->with_tools);
    oy_arena_release(&chat->arena);
    oy_free(chat);
}

struct oy_text chat_template_source(const struct chat_template *chat)
{
    return chat->source;
}

static size_t skip(struct oy_text text, size_t at, const char *what)
{
    while (at < text.len && text.at[at] && strchr(what, text.at[at]))
        at++;
    return at;
}

/* \{%-?\s*generation, as transformers looks for it. */
int chat_template_has_generation(const struct chat_template *chat)
{
    static const char name[] = "generation";
    const size_t len = sizeof name - 1;
    const struct oy_text text = chat->source;

    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.at[i] != '{' || text.at[i + 1] != '%')
            continue;
        const size_t at = skip(text, i + 2, "-+ \t\r\n");
        if (text.len - at >= len && !memcmp(text.at + at, name, len))
            return 1;
    }
    return 0;
}

/* ---- files ---- */

/* What lies beside a tokenizer. */
struct found {
    struct oy_arena arena;
    char *config_text;            /* config points into it */
    struct template_value config; /* a dictionary */
    char *jinja;                  /* the text of chat_template.jinja, or NULL */
    size_t jinja_len;
};

static void found_release(struct found *found)
{
    oy_free(found->config_text);
    oy_free(found->jinja);
    oy_arena_release(&found->arena);
}

static int is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A file of a folder, also compressed; NULL if none is there. */
static char *find_file(const char *folder, const char *file)
{
    static const char *const suffix[] = {"", ".zst", ".gz"};

    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        char *path = oy_asprintf("%s/%s%s", folder, file, suffix[i]);
        if (access(path, F_OK) == 0)
            return path;
        oy_free(path);
    }
    return NULL;
}

static int read_config(struct found *found, const char *path,
                       struct oy_error *err)
{
    const char *why = "not an object";
    size_t len;

    found->config_text = oy_input_slurp(path, MAX_CONFIG, &len, err);
    if (!found->config_text)
        return -1;
    if (template_parse_json(found->config_text, len, &found->arena,
                            &found->config, &why) ||
        found->config.kind != TEMPLATE_DICT)
        return oy_fail(err, OY_DATA, "%s: %s", path, why);
    return 0;
}

static int read_folder(struct found *found, const char *folder,
                       struct oy_error *err)
{
    char *config = find_file(folder, "tokenizer_config.json");
    char *jinja = find_file(folder, "chat_template.jinja");
    int failed = 0;

    if (config)
        failed = read_config(found, config, err);
    if (!failed && jinja) {
        found->jinja =
            oy_input_slurp(jinja, MAX_CONFIG, &found->jinja_len, err);
        failed = found->jinja ? 0 : -1;
    }
    oy_free(jinja);
    oy_free(config);
    return failed;
}

/* The text of a named template in the list form of the configuration. */
static const struct template_value *pick(const struct template_value *list,
                                         const char *name)
{
    const struct template_value want = template_literal(name);

    if (!list || list->kind != TEMPLATE_LIST)
        return NULL;
    for (size_t i = 0; i < list->list->n_item; i++) {
        const struct template_value *item = &list->list->item[i];
        const struct template_value *have = template_get(item, "name");
        const struct template_value *text = template_get(item, "template");
        if (have && text && template_equal(have, &want) &&
            text->kind == TEMPLATE_STRING)
            return text;
    }
    return NULL;
}

/* The template of the configuration; without a name "tool_use" serves
 * conversations with tools, as in transformers. */
static struct chat_template *from_config(const struct found *found,
                                         const char *name, struct oy_error *err)
{
    const struct template_value *value =
        template_get(&found->config, "chat_template");
    const struct template_value *source = value, *tools = NULL;
    struct chat_template *chat;

    if (value && value->kind == TEMPLATE_LIST) {
        source = pick(value, name ? name : "default");
        tools = name ? NULL : pick(value, "tool_use");
    }
    if (!source || source->kind != TEMPLATE_STRING)
        return NULL;
    chat = chat_template_new(source->text.at, source->text.len, &found->config,
                             err);
    if (!chat || !tools)
        return chat;
    chat->with_tools = compile(tools->text.at, tools->text.len, err);
    if (chat->with_tools)
        return chat;
    chat_template_free(chat);
    return NULL;
}

/* `place` is what messages name. */
static struct chat_template *from_found(const struct found *found,
                                        const char *place, const char *name,
                                        struct oy_error *err)
{
    struct chat_template *chat = NULL;

    if (found->jinja)
        chat = chat_template_new(found->jinja, found->jinja_len, &found->config,
                                 err);
    else
        chat = from_config(found, name, err);
    if (!chat && err->code)
        oy_fail_at(err, "%s", place);
    else if (!chat)
        oy_fail(err, OY_DATA, "%s: no chat template", place);
    return chat;
}

struct chat_template *chat_template_load(const char *path, const char *name,
                                         struct oy_error *err)
{
    struct found found = {0};
    struct chat_template *chat = NULL;
    int failed;

    found.config = template_new_dict(&found.arena);
    failed = is_folder(path) ? read_folder(&found, path, err)
                             : read_config(&found, path, err);
    if (!failed)
        chat = from_found(&found, path, name && *name ? name : NULL, err);
    found_release(&found);
    return chat;
}

/* ---- of a tokenizer ---- */

/* The folder whose configuration belongs to PATH, as in
 * tokenizer/tokenizer_document.h; NULL: none. The caller's. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (is_folder(path))
        return oy_strdup(path);
    if (strcmp(name, "tokenizer.json") && strcmp(name, "tokenizer.json.zst"))
        return NULL;
    return slash ? oy_strndup(path, (size_t)(slash - path)) : oy_strdup(".");
}

static void put_text(struct template_value *config, struct oy_arena *arena,
                     const char *name, const char *text)
{
    if (text && !template_get(config, name))
        template_put_name(config, arena, name, template_literal(text));
}

/* What the tokenizer's own file says (a GGUF), where nothing else does. */
static void add_own(struct found *found, const struct tokenizer *tokenizer)
{
    put_text(&found->config, &found->arena, "bos_token",
             tokenizer_bos_text(tokenizer));
    put_text(&found->config, &found->arena, "eos_token",
             tokenizer_eos_text(tokenizer));
    put_text(&found->config, &found->arena, "chat_template",
             tokenizer_chat_template(tokenizer));
}

/* The template inside a preset of oy-bpe or a tokenizer_config.json; the text
 * itself where it is no JSON. NULL: JSON without one. */
static struct chat_template *from_text(struct found *found, const char *text,
                                       size_t len, struct oy_error *err)
{
    struct template_value file;
    const struct template_value *source, *inner;
    const char *why;

    if (template_parse_json(text, len, &found->arena, &file, &why) ||
        file.kind != TEMPLATE_DICT)
        return chat_template_new(text, len, &found->config, err);
    inner = template_get(&file, "config");
    source = template_get(inner ? inner : &file, "chat_template");
    if (source && source->kind == TEMPLATE_LIST)
        source = pick(source, "default");
    if (!source || source->kind != TEMPLATE_STRING)
        return NULL;
    return chat_template_new(source->text.at, source->text.len, &found->config,
                             err);
}

/* One of the configuration's templates, a bundled one, or a file. */
static struct chat_template *chosen(struct found *found, const char *path,
                                    const char *choice, struct oy_error *err)
{
    char *relative = oy_asprintf("tokenizer/chat_templates/%s.json", choice);
    char *bundled = strchr(choice, '/') ? NULL : oy_find_data(relative);
    const char *file = bundled ? bundled : choice;
    struct chat_template *chat = NULL;
    char *text = NULL;
    size_t len;

    if (pick(template_get(&found->config, "chat_template"), choice))
        chat = from_config(found, choice, err);
    else if (access(file, F_OK))
        oy_fail(err, OY_NOINPUT, "%s: no chat template '%s', and no such file",
                path, choice);
    else
        text = oy_input_slurp(file, MAX_CONFIG, &len, err);
    if (text)
        chat = from_text(found, text, len, err);
    if (text && !chat && err->code)
        oy_fail_at(err, "%s", file);
    else if (text && !chat)
        oy_fail(err, OY_DATA, "%s: no chat template", file);
    oy_free(text);
    oy_free(bundled);
    oy_free(relative);
    return chat;
}

struct chat_template *chat_template_of(const struct tokenizer *tokenizer,
                                       const char *path, const char *choice,
                                       struct oy_error *err)
{
    struct found found = {0};
    struct chat_template *chat = NULL;
    char *folder = folder_of(path);

    found.config = template_new_dict(&found.arena);
    if (!folder || !read_folder(&found, folder, err)) {
        add_own(&found, tokenizer);
        chat = choice ? chosen(&found, path, choice, err)
                      : from_found(&found, path, NULL, err);
    }
    oy_free(folder);
    found_release(&found);
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

/* What a message thought, under the first of its names that is there. */
static const struct template_value *find_reasoning(
    const struct template_value *message)
{
    static const char *const name[] = {"reasoning_content", "thinking",
                                       "reasoning"};

    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const struct template_value *value = template_get(message, name[i]);
        if (value && value->kind != TEMPLATE_NONE)
            return value;
    }
    return NULL;
}

/* As apply_chat_template hands a message over: without the members that are
 * None, and with its thinking under both names that templates use
 * (transformers 5, _alias_reasoning_fields). */
static struct template_value prepare(const struct template_value *message,
                                     struct oy_arena *arena)
{
    const struct template_value *reasoning = find_reasoning(message);
    struct template_value plain = template_new_dict(arena);

    if (reasoning)
        template_put_name(&plain, arena, "thinking", *reasoning);
    for (size_t i = 0; i < message->dict->n_entry; i++) {
        const struct template_entry *entry = &message->dict->entry[i];
        if (entry->value.kind != TEMPLATE_NONE)
            template_put(&plain, arena, entry->key, entry->value);
    }
    if (reasoning)
        template_put_name(&plain, arena, "reasoning_content", *reasoning);
    return plain;
}

static int prepare_all(const struct template_value *messages,
                       struct oy_arena *arena, struct template_value *plain,
                       struct oy_error *err)
{
    if (messages->kind != TEMPLATE_LIST)
        return oy_fail(err, OY_DATA, "messages are not a list");
    if (!messages->list->n_item)
        return oy_fail(err, OY_DATA, "a conversation without messages");
    *plain = template_new_list(arena);
    for (size_t i = 0; i < messages->list->n_item; i++) {
        const struct template_value *message = &messages->list->item[i];
        if (message->kind != TEMPLATE_DICT)
            return oy_fail(err, OY_DATA, "message %zu is not an object", i);
        template_push(plain, arena, prepare(message, arena));
    }
    return 0;
}

static struct template_value or_none(const struct template_value *value)
{
    return value ? *value : template_none();
}

static int has_tools(const struct chat_request *request)
{
    return request->tools && request->tools->kind != TEMPLATE_NONE;
}

int chat_template_read_date(const char *text, struct tm *time)
{
    static const char *const format[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M",
                                         "%Y-%m-%dT%H:%M:%S"};

    for (size_t i = 0; i < sizeof format / sizeof *format; i++) {
        *time = (struct tm){0};
        const char *end = strptime(text, format[i], time);
        const int day = time->tm_mday;
        if (!end || *end)
            continue;
        timegm(time); /* the day of the week and of the year */
        return time->tm_mday == day ? 0 : -1;
    }
    return -1;
}

int chat_template_render(const struct chat_template *chat,
                         const struct chat_request *request,
                         struct oy_arena *arena, struct oy_buffer *out,
                         struct oy_error *err)
{
    struct template_value vars = template_new_dict(arena), messages;
    const time_t clock = time(NULL);
    struct tm local;
    const struct template_context context = {
        .now = request->now ? request->now : localtime_r(&clock, &local),
        .generation = request->generation,
    };
    const struct template *template = chat->with_tools && has_tools(request)
                                          ? chat->with_tools
                                          : chat->template;

    if (prepare_all(request->messages, arena, &messages, err))
        return -1;
    merge(&vars, &chat->tokens, arena);
    template_put_name(&vars, arena, "messages", messages);
    template_put_name(&vars, arena, "tools", or_none(request->tools));
    template_put_name(&vars, arena, "documents", or_none(request->documents));
    template_put_name(&vars, arena, "add_generation_prompt",
                      template_bool(request->add_generation_prompt));
    merge(&vars, request->extra, arena);
    if (template_render_in(template, &context, &vars, arena, out, err))
        return oy_fail_at(err, "chat template");
    return 0;
}

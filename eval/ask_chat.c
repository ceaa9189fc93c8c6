/* SPDX-License-Identifier: Apache-2.0
 *
 * Chat prompts, as lm-eval's HFLM.apply_chat_template renders them. */
#include "eval/ask_chat.h"

#include <strings.h>

#include "core/model_name.h"

/* The conversation without its system message, or none if it has none. */
static struct template_value without_system(
    const struct template_value *messages, struct oy_arena *arena)
{
    const struct template_value system = template_literal("system");
    struct template_value rest = template_new_list(arena);

    for (size_t i = 0; i < messages->list->n_item; i++) {
        const struct template_value *message = &messages->list->item[i];
        const struct template_value *role = template_get(message, "role");
        if (!role || !template_equal(role, &system))
            template_push(&rest, arena, *message);
    }
    return rest;
}

static int render(void *arg, const char *messages, size_t len,
                  int add_generation_prompt, struct oy_buffer *out,
                  struct oy_error *err)
{
    struct ask_chat *chat = arg;
    struct oy_error first = {0};
    struct template_value list, rest;
    struct chat_request request = {
        .messages = &list, .add_generation_prompt = add_generation_prompt};
    const char *why = "";

    oy_arena_clear(&chat->arena);
    const char *text = oy_arena_copy(&chat->arena, messages, len);
    if (template_parse_json(text, len, &chat->arena, &list, &why))
        return oy_fail(err, OY_DATA, "messages: %s", why);
    if (chat_template_render(chat->template, &request, &chat->arena, out,
                             &first) == 0)
        return 0;
    /* Some templates know no system role; lm-eval then leaves it out. */
    rest = without_system(&list, &chat->arena);
    request.messages = &rest;
    if (rest.list->n_item == list.list->n_item)
        return oy_fail(err, first.code, "%s", first.message);
    return chat_template_render(chat->template, &request, &chat->arena, out,
                                err);
}

int ask_chat_open(struct ask_chat *chat, const char *path, const char *name,
                  struct ask_options *options, struct oy_error *err)
{
    *chat = (struct ask_chat){0};
    char *found = oy_model_find(path, err);
    chat->template = found ? chat_template_load(found, name, err) : NULL;
    oy_free(found);
    if (!chat->template)
        return -1;
    options->chat = render;
    options->chat_arg = chat;
    options->chat_template = chat_template_source(chat->template).at;
    return 0;
}

int ask_chat_choose(struct ask_chat *chat, const char *choice, const char *path,
                    struct ask_options *options, struct oy_error *err)
{
    if (!choice || !strcasecmp(choice, "false"))
        return 0;
    if (!path)
        return oy_fail(err, OY_USAGE,
                       "--apply-chat-template wants --tokenizer");
    return ask_chat_open(chat, path, strcasecmp(choice, "true") ? choice : NULL,
                         options, err);
}

void ask_chat_release(struct ask_chat *chat)
{
    chat_template_free(chat->template);
    oy_arena_release(&chat->arena);
    *chat = (struct ask_chat){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of many makers into messages. */
#include "tokenizer/pack_messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const pack_message_fields[] = {
    "messages", "conversations", "tools",   "system", "instruction",
    "input",    "output",        "history", "prompt", "completion",
    "chosen",   "rejected",      "ids",     NULL,
};

/* What is known while a record is read. */
struct reading {
    const struct oy_json_value *found;
    struct oy_arena *arena;
    const char **why;
};

static int fail(const struct reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(const struct reading *r, const char *format, ...)
{
    char text[240];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *r->why = oy_arena_copy(r->arena, text, strlen(text) + 1);
    return -1;
}

static int is_text(const struct template_value *value)
{
    return value && value->kind == TEMPLATE_STRING;
}

static int text_is(const struct template_value *value, const char *text)
{
    const size_t len = strlen(text);

    return is_text(value) && value->text.len == len &&
           !memcmp(value->text.at, text, len);
}

/* A member of the record, or NULL where it is missing or null. -1. */
static int read_field(const struct reading *r, enum pack_field field,
                      struct template_value *value)
{
    const struct oy_json_value *json = &r->found[field];

    *value = template_none();
    if (json->kind == OY_JSON_MISSING)
        return 0;
    if (template_from_json(json, r->arena, value, r->why))
        return -1;
    return 0;
}

/* A text with JSON in it becomes what it says; an empty one, none. */
static int unpack(const struct reading *r, const char *name,
                  struct template_value *value)
{
    const char *why = NULL;

    if (value->kind != TEMPLATE_STRING)
        return 0;
    if (!value->text.len) {
        *value = template_none();
        return 0;
    }
    const struct oy_text text = value->text;
    if (template_parse_json(text.at, text.len, r->arena, value, &why))
        return fail(r, "'%s' is a text that is not JSON: %s", name, why);
    return 0;
}

/* ---- messages ---- */

static struct template_value new_message(const struct reading *r,
                                         const char *role,
                                         struct template_value content)
{
    struct template_value message = template_new_dict(r->arena);

    template_put_name(&message, r->arena, "role", template_literal(role));
    template_put_name(&message, r->arena, "content", content);
    return message;
}

/* The role as templates name it, or NULL. */
static const char *known_role(const struct template_value *name)
{
    static const char *const known[][2] = {
        {"system", "system"},
        {"developer", "developer"},
        {"user", "user"},
        {"assistant", "assistant"},
        {"tool", "tool"},
        {"function", "function"},
        {"ipython", "ipython"},
        {"human", "user"},
        {"gpt", "assistant"},
        {"observation", "tool"},
        {"function_call", "function_call"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (text_is(name, known[i][0]))
            return known[i][1];
    }
    return NULL;
}

/* ShareGPT's function_call: a text with {"name","arguments"} or a list. */
static int read_calls(const struct reading *r,
                      const struct template_value *value,
                      struct template_value *message)
{
    struct template_value said = *value;
    struct template_value calls = template_new_list(r->arena);

    if (unpack(r, "value", &said))
        return -1;
    const int is_list = said.kind == TEMPLATE_LIST;
    const size_t n = is_list ? said.list->n_item : 1;
    for (size_t i = 0; i < n; i++) {
        struct template_value call = template_new_dict(r->arena);
        template_put_name(&call, r->arena, "type",
                          template_literal("function"));
        template_put_name(&call, r->arena, "function",
                          is_list ? said.list->item[i] : said);
        template_push(&calls, r->arena, call);
    }
    *message = new_message(r, "assistant", template_literal(""));
    template_put_name(message, r->arena, "tool_calls", calls);
    return 0;
}

/* The members of a message under the names that templates use. */
static int copy_members(const struct reading *r,
                        const struct template_value *from, const char *role,
                        struct template_value *to)
{
    *to = template_new_dict(r->arena);
    for (size_t i = 0; i < from->dict->n_entry; i++) {
        const struct template_entry *entry = &from->dict->entry[i];
        struct template_value value = entry->value;
        if (text_is(&entry->key, "role") || text_is(&entry->key, "from")) {
            template_put_name(to, r->arena, "role", template_literal(role));
            continue;
        }
        if (text_is(&entry->key, "tool_calls") &&
            unpack(r, "tool_calls", &value))
            return -1;
        if (text_is(&entry->key, "value"))
            template_put_name(to, r->arena, "content", value);
        else
            template_put(to, r->arena, entry->key, value);
    }
    return 0;
}

/* As much of a text as a message shows. */
static size_t short_of(size_t len)
{
    return len < 40 ? len : 40;
}

static int read_message(const struct reading *r, size_t i,
                        const struct template_value *from,
                        struct template_value *message)
{
    if (from->kind != TEMPLATE_DICT)
        return fail(r, "message %zu is not an object", i);
    const struct template_value *name = template_get(from, "role");
    const struct template_value *value = template_get(from, "value");
    if (!name)
        name = template_get(from, "from");
    if (!name)
        return fail(r, "message %zu has no role", i);
    const char *role = known_role(name);
    if (!role)
        return fail(r, "message %zu: role '%.*s' is not known", i,
                    is_text(name) ? (int)short_of(name->text.len) : 0,
                    is_text(name) ? name->text.at : "");
    if (!strcmp(role, "function_call"))
        return value ? read_calls(r, value, message)
                     : fail(r, "message %zu has no value", i);
    return copy_members(r, from, role, message);
}

/* Appends a list of messages, a message, or a text that `role` said. */
static int add_said(const struct reading *r, const struct template_value *said,
                    const char *role, struct template_value *messages)
{
    struct template_value message;

    if (said->kind == TEMPLATE_STRING) {
        template_push(messages, r->arena, new_message(r, role, *said));
        return 0;
    }
    const int is_list = said->kind == TEMPLATE_LIST;
    if (!is_list && said->kind != TEMPLATE_DICT)
        return fail(r, "a conversation is neither a list nor a text");
    const size_t n = is_list ? said->list->n_item : 1;
    for (size_t i = 0; i < n; i++) {
        if (read_message(r, i, is_list ? &said->list->item[i] : said, &message))
            return -1;
        template_push(messages, r->arena, message);
    }
    return 0;
}

struct oy_text pack_role_of(const struct pack_talk *talk, size_t i)
{
    const struct template_value *role =
        i < talk->messages.list->n_item
            ? template_get(&talk->messages.list->item[i], "role")
            : NULL;

    return is_text(role) ? role->text : (struct oy_text){"", 0};
}

static int role_is(const struct pack_talk *talk, size_t i, const char *role)
{
    const struct oy_text have = pack_role_of(talk, i);

    return have.len == strlen(role) && !memcmp(have.at, role, have.len);
}

void pack_add_system(struct pack_talk *talk, struct oy_arena *arena,
                     struct oy_text text)
{
    const struct reading r = {.arena = arena};
    struct template_value all = template_new_list(arena);

    template_push(
        &all, arena,
        new_message(&r, "system", template_string(text.at, text.len)));
    for (size_t i = 0; i < talk->messages.list->n_item; i++)
        template_push(&all, arena, talk->messages.list->item[i]);
    talk->messages = all;
}

/* ---- forms ---- */

/* Alpaca's question: the input stands under the instruction. */
static struct template_value question_of(const struct reading *r,
                                         const struct template_value *task,
                                         const struct template_value *input)
{
    if (!is_text(input) || !input->text.len)
        return *task;
    const size_t n = task->text.len;
    char *text = oy_arena_alloc(r->arena, n + 1 + input->text.len);
    memcpy(text, task->text.at, n);
    text[n] = '\n';
    memcpy(text + n + 1, input->text.at, input->text.len);
    return template_string(text, n + 1 + input->text.len);
}

static int add_history(const struct reading *r,
                       const struct template_value *history,
                       struct template_value *messages)
{
    static const char *const role[] = {"user", "assistant"};

    if (history->kind == TEMPLATE_NONE)
        return 0;
    if (history->kind != TEMPLATE_LIST)
        return fail(r, "'history' is not a list");
    for (size_t i = 0; i < history->list->n_item; i++) {
        const struct template_value *turn = &history->list->item[i];
        if (turn->kind != TEMPLATE_LIST || turn->list->n_item != 2)
            return fail(r, "history %zu is not a pair of texts", i);
        for (int j = 0; j < 2; j++) {
            if (!is_text(&turn->list->item[j]))
                return fail(r, "history %zu is not a pair of texts", i);
            template_push(messages, r->arena,
                          new_message(r, role[j], turn->list->item[j]));
        }
    }
    return 0;
}

static int add_alpaca(const struct reading *r, struct template_value *messages)
{
    struct template_value task, input, output, history;

    if (read_field(r, PACK_INSTRUCTION, &task) ||
        read_field(r, PACK_INPUT, &input) ||
        read_field(r, PACK_OUTPUT, &output) ||
        read_field(r, PACK_HISTORY, &history) ||
        add_history(r, &history, messages))
        return -1;
    if (!is_text(&task))
        return fail(r, "'instruction' is not a text");
    template_push(messages, r->arena,
                  new_message(r, "user", question_of(r, &task, &input)));
    if (is_text(&output))
        template_push(messages, r->arena, new_message(r, "assistant", output));
    return 0;
}

/* What a record says without its pair: 1, 0 when it says nothing, -1. */
static int add_talk(const struct reading *r, int own,
                    struct template_value *messages)
{
    static const enum pack_field list[] = {PACK_OWN_FIELD, PACK_MESSAGES,
                                           PACK_CONVERSATIONS};
    struct template_value said;

    for (int i = own ? 0 : 1; i < (own ? 1 : 3); i++) {
        if (read_field(r, list[i], &said))
            return -1;
        if (said.kind == TEMPLATE_NONE)
            continue;
        if (said.kind != TEMPLATE_LIST)
            return fail(r, "the conversation is not a list");
        return add_said(r, &said, "user", messages) ? -1 : 1;
    }
    if (own)
        return 0;
    if (r->found[PACK_INSTRUCTION].kind != OY_JSON_MISSING)
        return add_alpaca(r, messages) ? -1 : 1;
    if (read_field(r, PACK_PROMPT, &said))
        return -1;
    if (said.kind == TEMPLATE_NONE)
        return 0;
    if (add_said(r, &said, "user", messages) ||
        read_field(r, PACK_COMPLETION, &said))
        return -1;
    if (said.kind != TEMPLATE_NONE && add_said(r, &said, "assistant", messages))
        return -1;
    return 1;
}

/* Tools and system line of the record, once its messages are there. */
static int complete(const struct reading *r, struct pack_talk *talk)
{
    struct template_value system;

    if (!talk->messages.list->n_item)
        return fail(r, "a conversation without messages");
    if (read_field(r, PACK_TOOLS, &talk->tools) ||
        read_field(r, PACK_SYSTEM, &system))
        return -1;
    for (size_t i = 0;
         talk->tools.kind == TEMPLATE_NONE && i < talk->messages.list->n_item;
         i++) {
        const struct template_value *tools =
            template_get(&talk->messages.list->item[i], "tools");
        if (tools && role_is(talk, i, "system"))
            talk->tools = *tools;
    }
    if (unpack(r, "tools", &talk->tools))
        return -1;
    if (talk->tools.kind != TEMPLATE_NONE && talk->tools.kind != TEMPLATE_LIST)
        return fail(r, "'tools' is not a list");
    if (is_text(&system) && system.text.len && !role_is(talk, 0, "system"))
        pack_add_system(talk, r->arena, system.text);
    return 0;
}

int pack_read_talk(const struct oy_json_value *found, int own,
                   struct oy_arena *arena, struct pack_talk *talk,
                   const char **why)
{
    const struct reading r = {found, arena, why};

    *talk = (struct pack_talk){.messages = template_new_list(arena)};
    const int got = add_talk(&r, own, &talk->messages);
    if (got < 0)
        return -1;
    if (!got)
        return fail(&r, "no conversation: neither messages, conversations, "
                        "instruction nor prompt");
    return complete(&r, talk);
}

/* ---- pairs ---- */

/* "\n\nHuman: ...\n\nAssistant: ..." as its turns. */
static int add_turns(const struct reading *r, struct oy_text text,
                     struct template_value *messages)
{
    static const char human[] = "\n\nHuman:", other[] = "\n\nAssistant:";
    const char *at = text.at, *const end = text.at + text.len;

    while (at < end) {
        const size_t left = (size_t)(end - at);
        const int is_human = left >= 8 && !memcmp(at, human, 8);
        if (!is_human && (left < 12 || memcmp(at, other, 12)))
            return fail(r, "a text without a prompt that begins neither with "
                           "'Human:' nor with 'Assistant:'");
        at += is_human ? 8 : 12;
        at += at < end && *at == ' ';
        const char *next = memmem(at, (size_t)(end - at), human, 8);
        const char *stop = next ? next : end;
        next = memmem(at, (size_t)(stop - at), other, 12);
        stop = next ? next : stop;
        template_push(messages, r->arena,
                      new_message(r, is_human ? "user" : "assistant",
                                  template_string(at, (size_t)(stop - at))));
        at = stop;
    }
    return 0;
}

/* Whether these messages are a whole conversation, not the end of one. */
static int begins_talk(const struct template_value *messages)
{
    const struct pack_talk talk = {.messages = *messages};

    return messages->list->n_item && !role_is(&talk, 0, "assistant");
}

static int read_side(const struct reading *r, enum pack_field field,
                     struct pack_talk *talk)
{
    struct template_value said, end = template_new_list(r->arena);

    *talk = (struct pack_talk){.messages = template_new_list(r->arena)};
    if (read_field(r, field, &said))
        return -1;
    if (said.kind == TEMPLATE_NONE)
        return fail(r, "no '%s'", pack_message_fields[field - 1]);
    const int got = add_talk(r, 0, &talk->messages);
    if (got < 0)
        return -1;
    if (!got && said.kind == TEMPLATE_STRING)
        return add_turns(r, said.text, &talk->messages) ? -1
                                                        : complete(r, talk);
    if (add_said(r, &said, "assistant", &end))
        return -1;
    if (begins_talk(&end)) {
        talk->messages = end;
        return complete(r, talk);
    }
    for (size_t i = 0; i < end.list->n_item; i++)
        template_push(&talk->messages, r->arena, end.list->item[i]);
    return complete(r, talk);
}

int pack_read_pair(const struct oy_json_value *found, struct oy_arena *arena,
                   struct pack_talk *chosen, struct pack_talk *rejected,
                   const char **why)
{
    const struct reading r = {found, arena, why};

    if (read_side(&r, PACK_CHOSEN, chosen))
        return -1;
    return read_side(&r, PACK_REJECTED, rejected);
}

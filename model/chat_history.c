/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages in memory and in files. */
#include "model/chat_history.h"

#include <string.h>

#include "core/input.h"
#include "core/json.h"
#include "core/output.h"

enum { MAX_FILE = 64 << 20 };

void chat_history_cut(struct chat_history *history, size_t n)
{
    while (history->n > n) {
        struct chat_message *last = &history->message[--history->n];
        oy_free(last->role);
        oy_free(last->text);
    }
}

void chat_history_release(struct chat_history *history)
{
    chat_history_cut(history, 0);
    oy_free(history->message);
    *history = (struct chat_history){0};
}

void chat_history_add(struct chat_history *history, const char *role,
                      const char *text, size_t len)
{
    OY_GROW(history->message, history->cap, history->n + 1);
    history->message[history->n++] =
        (struct chat_message){oy_strdup(role), oy_strndup(text, len), len};
}

static int has_system(const struct chat_history *history)
{
    return history->n && !strcmp(history->message[0].role, "system");
}

void chat_history_set_system(struct chat_history *history, const char *text,
                             size_t len)
{
    struct chat_history old = *history;
    const size_t first = (size_t)has_system(history);

    *history = (struct chat_history){0};
    if (len)
        chat_history_add(history, "system", text, len);
    for (size_t i = first; i < old.n; i++)
        chat_history_add(history, old.message[i].role, old.message[i].text,
                         old.message[i].len);
    chat_history_release(&old);
}

size_t chat_history_last_turn(const struct chat_history *history)
{
    size_t n = history->n;

    while (n && strcmp(history->message[n - 1].role, "user") != 0)
        n--;
    return n ? n - 1 : history->n;
}

/* ---- JSON ---- */

void chat_history_put(const struct chat_history *history, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < history->n; i++) {
        const struct chat_message *message = &history->message[i];
        oy_buffer_append_string(out, i ? ",{\"role\":" : "{\"role\":");
        oy_json_put_string(out, message->role, strlen(message->role));
        oy_buffer_append_string(out, ",\"content\":");
        oy_json_put_string(out, message->text, message->len);
        oy_buffer_append_char(out, '}');
    }
    oy_buffer_append_char(out, ']');
}

int chat_history_save(const struct chat_history *history, const char *path,
                      struct oy_error *err)
{
    struct oy_buffer out = {0};

    oy_buffer_append_string(&out, "{\"messages\":");
    chat_history_put(history, &out);
    oy_buffer_append_string(&out, "}\n");
    const int status = oy_output_write_file(path, out.data, out.len, err);
    oy_buffer_release(&out);
    return status;
}

static int read_message(const struct oy_json_value *item,
                        struct oy_arena *arena, struct chat_history *history)
{
    const struct oy_json_value role = oy_json_member(item, "role");
    const struct oy_json_value content = oy_json_member(item, "content");
    struct oy_text name, text;
    uint64_t n_repaired = 0;
    const char *why;

    if (role.kind != OY_JSON_STRING || content.kind != OY_JSON_STRING ||
        oy_json_text(&role, arena, &name, &n_repaired, &why) ||
        oy_json_text(&content, arena, &text, &n_repaired, &why))
        return -1;
    chat_history_add(history, oy_arena_copy(arena, name.at, name.len), text.at,
                     text.len);
    return 0;
}

static int read_messages(const char *text, size_t len, struct oy_arena *arena,
                         struct chat_history *history)
{
    struct oy_json_value whole, list, item;
    struct oy_json_cursor cursor;
    const char *why;
    size_t where;

    if (oy_json_validate(text, len, &why, &where) ||
        oy_json_value_of(text, len, &whole, &why) ||
        whole.kind != OY_JSON_OBJECT)
        return -1;
    list = oy_json_member(&whole, "messages");
    if (list.kind != OY_JSON_ARRAY)
        return -1;
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (item.kind != OY_JSON_OBJECT || read_message(&item, arena, history))
            return -1;
    }
    return 0;
}

int chat_history_load(struct chat_history *history, const char *path,
                      struct oy_error *err)
{
    struct chat_history loaded = {0};
    struct oy_arena arena = {0};
    size_t len;
    char *text = oy_input_slurp(path, MAX_FILE, &len, err);

    if (!text)
        return -1;
    const int failed = read_messages(text, len, &arena, &loaded);
    oy_arena_release(&arena);
    oy_free(text);
    if (failed) {
        chat_history_release(&loaded);
        return oy_fail(err, OY_DATA,
                       "%s: not {\"messages\":[{\"role\",\"content"
                       "\"},...]}",
                       path);
    }
    chat_history_release(history);
    *history = loaded;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns of a conversation by an OpenAI-compatible server. */
#include <stdlib.h>
#include <string.h>

#include "core/events.h"
#include "core/http.h"
#include "core/json.h"
#include "model/chat.h"

/* An answer that comes. */
struct stream {
    struct oy_events events;
    const struct chat_listener *listener;
    struct oy_arena arena;
    uint64_t *n_token;
    struct oy_error *err;
    int is_over; /* at [DONE], or told to stop */
};

static int has_end(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

char *chat_server_url(const char *url)
{
    size_t n = strlen(url);

    while (n && url[n - 1] == '/')
        n--;
    char *base = oy_strndup(url, n);
    char *full = has_end(base, "/chat/completions")
                     ? oy_strdup(base)
                     : oy_asprintf("%s%s/chat/completions", base,
                                   has_end(base, "/v1") ? "" : "/v1");
    oy_free(base);
    return full;
}

/* ---- asking ---- */

static void put_stop(const struct oy_list *stop, struct oy_buffer *out)
{
    if (!stop->n_item)
        return;
    oy_buffer_append_string(out, ",\"stop\":[");
    for (size_t i = 0; i < stop->n_item; i++) {
        oy_buffer_append_string(out, i ? "," : "");
        oy_json_put_string(out, stop->item[i], strlen(stop->item[i]));
    }
    oy_buffer_append_char(out, ']');
}

static void put_body(const struct chat_settings *settings,
                     const struct chat_history *history, uint64_t seed,
                     struct oy_buffer *out)
{
    const struct generate_options *generate = &settings->generate;

    oy_buffer_append_string(out, "{\"messages\":");
    chat_history_put(history, out);
    if (settings->model_name) {
        oy_buffer_append_string(out, ",\"model\":");
        oy_json_put_string(out, settings->model_name,
                           strlen(settings->model_name));
    }
    oy_buffer_append_format(out, ",\"stream\":true,\"max_tokens\":%lld",
                            (long long)generate->max_tokens);
    oy_buffer_append_string(out, ",\"temperature\":");
    oy_json_put_double(out, generate->sampler.temperature);
    oy_buffer_append_string(out, ",\"top_p\":");
    oy_json_put_double(out, generate->sampler.top_p);
    oy_buffer_append_format(out, ",\"seed\":%llu", (unsigned long long)seed);
    put_stop(&settings->stop, out);
    oy_buffer_append_char(out, '}');
}

/* ---- hearing ---- */

static int hear_text(struct stream *stream, const struct oy_json_value *value)
{
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    if (value->kind != OY_JSON_STRING ||
        oy_json_text(value, &stream->arena, &text, &n_repaired, &why) ||
        !text.len)
        return 0;
    ++*stream->n_token;
    return stream->listener->hear(stream->listener->arg, text.at, text.len);
}

/* {"choices":[{"delta":{"content":"..."}}]}, {"error":{"message":"..."}} or
 * [DONE]. */
static int hear_event(void *arg, const char *data, size_t len)
{
    struct stream *stream = arg;
    struct oy_json_value whole, item;
    struct oy_json_cursor cursor;
    const char *why;
    size_t where;

    oy_arena_clear(&stream->arena);
    if (len == 6 && !memcmp(data, "[DONE]", 6))
        return 1;
    const char *text = oy_arena_copy(&stream->arena, data, len);
    if (oy_json_validate(text, len, &why, &where) ||
        oy_json_value_of(text, len, &whole, &why) ||
        whole.kind != OY_JSON_OBJECT) {
        oy_fail(stream->err, OY_UNAVAILABLE, "the server's answer: not JSON");
        return 1;
    }
    item = oy_json_member(&whole, "error");
    if (item.kind != OY_JSON_MISSING && item.kind != OY_JSON_NULL) {
        oy_fail(stream->err, OY_UNAVAILABLE, "the server says: %.*s",
                (int)(item.len < 500 ? item.len : 500), item.at);
        return 1;
    }
    item = oy_json_member(&whole, "choices");
    if (item.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &item);
    if (oy_json_next_element(&cursor, &item) <= 0 ||
        item.kind != OY_JSON_OBJECT)
        return 0;
    item = oy_json_member(&item, "delta");
    if (item.kind != OY_JSON_OBJECT)
        return 0;
    item = oy_json_member(&item, "content");
    return hear_text(stream, &item);
}

static int receive(void *arg, const char *data, size_t len)
{
    struct stream *stream = arg;

    if (!stream->is_over)
        stream->is_over =
            len ? oy_events_read(&stream->events, data, len, hear_event, stream)
                : stream->listener->hear(stream->listener->arg, "", 0);
    return stream->is_over;
}

int chat_server_answer(const struct chat_settings *settings,
                       const struct chat_history *history, uint64_t seed,
                       const struct chat_listener *listener, uint64_t *n_token,
                       struct oy_error *err)
{
    struct stream stream = {
        .listener = listener, .n_token = n_token, .err = err};
    struct oy_buffer body = {0};
    char *url = chat_server_url(settings->url);

    put_body(settings, history, seed, &body);
    const struct oy_http_request request = {.url = url,
                                            .token = getenv("OPENAI_API_KEY"),
                                            .body = body.data,
                                            .len = body.len,
                                            .receive = receive,
                                            .arg = &stream};
    const int status = oy_http_post(&request, err);
    oy_events_release(&stream.events);
    oy_arena_release(&stream.arena);
    oy_buffer_release(&body);
    oy_free(url);
    return status || err->code ? -1 : 0;
}

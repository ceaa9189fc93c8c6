/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/events, core/http and the server's side of oy-chat, against a
 * server of one answer; of model/chat_history and model/stop_text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/events.h"
#include "core/http.h"
#include "model/chat.h"
#include "model/stop_text.h"

/* ---- events ---- */

static int join(void *arg, const char *data, size_t len)
{
    oy_buffer_append(arg, data, len);
    oy_buffer_append_char(arg, '|');
    return len == 4 && !memcmp(data, "stop", 4);
}

/* However the bytes are cut, the events are the same. */
static void test_events(void **state)
{
    static const char text[] =
        ": hello\n\ndata: one\r\n\r\nevent: x\ndata:two\n"
        "data:  three\nid: 5\n\n\ndata:\n\ndata: stop\n\n"
        "data: never\n\n";

    (void)state;
    for (size_t step = 1; step < sizeof text; step++) {
        struct oy_events events = {0};
        struct oy_buffer out = {0};
        int status = 0;
        for (size_t at = 0; !status && at < sizeof text - 1; at += step) {
            const size_t left = sizeof text - 1 - at;
            status = oy_events_read(&events, text + at,
                                    left < step ? left : step, join, &out);
        }
        assert_int_equal(status, 1);
        assert_string_equal(oy_buffer_string(&out), "one|two\n three||stop|");
        oy_events_release(&events);
        oy_buffer_release(&out);
    }
}

/* ---- a server of one answer ---- */

struct server {
    int listener;
    char url[64];
    const char *answer;
    struct oy_buffer request;
    pthread_t thread;
};

static int is_whole(struct oy_buffer *request)
{
    const char *text = oy_buffer_string(request);
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "content-length:");

    return body && length && strlen(body + 4) >= (size_t)atoi(length + 15);
}

static void *serve(void *arg)
{
    struct server *server = arg;
    const int client = accept(server->listener, NULL, NULL);

    while (client >= 0 && !is_whole(&server->request)) {
        char *to = oy_buffer_reserve(&server->request, 4096);
        const ssize_t n = read(client, to, 4096);
        if (n <= 0)
            break;
        server->request.len += (size_t)n;
    }
    for (const char *at = server->answer; client >= 0 && *at;) {
        const size_t left = strlen(at);
        const ssize_t n = send(client, at, left < 7 ? left : 7, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += n;
    }
    close(client);
    return NULL;
}

static void server_open(struct server *server, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;

    *server = (struct server){.answer = answer};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(
        bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    getsockname(server->listener, (struct sockaddr *)&address, &size);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d",
             ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_close(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
    oy_buffer_release(&server->request);
}

#define HEAD                                                                   \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"                   \
    "Connection: close\r\n\r\n"

static int hear(void *arg, const char *text, size_t len)
{
    struct oy_buffer *heard = arg;

    oy_buffer_append(heard, text, len);
    return heard->len > 0 && heard->data[heard->len - 1] == '!';
}

static int ask(struct server *server, struct oy_buffer *heard,
               uint64_t *n_token, struct oy_error *err)
{
    struct chat_settings settings = {
        .url = server->url, .model_name = "m", .generate.max_tokens = 9};
    const struct chat_listener listener = {hear, heard};
    struct chat_history history = {0};

    *err = (struct oy_error){0};
    sampler_options_init(&settings.generate.sampler);
    chat_history_add(&history, "user", "hi \"you\"", 8);
    const int status =
        chat_server_answer(&settings, &history, 3, &listener, n_token, err);
    chat_history_release(&history);
    return status;
}

static void test_server(void **state)
{
    struct server server;
    struct oy_buffer heard = {0};
    struct oy_error err;
    uint64_t n_token = 0;

    (void)state;
    server_open(&server,
                HEAD "data: {\"choices\":[{\"delta\":{\"role\":\"a\"}}]}\n\n"
                     "data: {\"choices\":[{\"delta\":{\"content\":\"Gr\xc3\xbc"
                     "\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":"
                     "\"\\u00dfe\"}}]}\n\ndata: [DONE]\n\n");
    assert_int_equal(ask(&server, &heard, &n_token, &err), 0);
    assert_string_equal(oy_buffer_string(&heard), "Gr\xc3\xbc\xc3\x9f"
                                                  "e");
    assert_int_equal(n_token, 2);
    const char *request = oy_buffer_string(&server.request);
    assert_non_null(strstr(request, "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_non_null(strstr(
        request, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi "
                 "\\\"you\\\"\"}],\"model\":\"m\",\"stream\":true,\"max_"
                 "tokens\":9,\"temperature\":1.0,\"top_p\":1.0,\"seed\":3}"));
    server_close(&server);
    oy_buffer_release(&heard);
}

/* A listener that has heard enough ends it; that is no failure. */
static void test_server_is_left(void **state)
{
    struct server server;
    struct oy_buffer heard = {0};
    struct oy_error err;
    uint64_t n_token = 0;

    (void)state;
    server_open(&server,
                HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"a!\"}}]}"
                     "\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}"
                     "\n\n");
    assert_int_equal(ask(&server, &heard, &n_token, &err), 0);
    assert_string_equal(oy_buffer_string(&heard), "a!");
    server_close(&server);
    oy_buffer_release(&heard);
}

static void test_server_fails(void **state)
{
    static const struct {
        const char *answer, *why;
    } bad[] = {
        {"HTTP/1.1 404 No\r\nContent-Length: 7\r\n\r\nno such", "404: no such"},
        {HEAD "data: {\"error\":{\"message\":\"too long\"}}\n\n", "too long"},
        {HEAD "data: {\n\n", "not JSON"},
        {"", "http://127.0.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct server server;
        struct oy_buffer heard = {0};
        struct oy_error err;
        uint64_t n_token = 0;
        server_open(&server, bad[i].answer);
        assert_int_equal(ask(&server, &heard, &n_token, &err), -1);
        assert_int_equal(err.code, OY_UNAVAILABLE);
        if (!strstr(err.message, bad[i].why))
            fail_msg("%s", err.message);
        server_close(&server);
        oy_buffer_release(&heard);
    }
}

static void test_address(void **state)
{
    static const char *const form[] = {"http://a:1", "http://a:1/",
                                       "http://a:1/v1", "http://a:1/v1/",
                                       "http://a:1/v1/chat/completions"};

    (void)state;
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        char *url = chat_server_url(form[i]);
        assert_string_equal(url, "http://a:1/v1/chat/completions");
        oy_free(url);
    }
}

/* ---- history, stop texts ---- */

static void test_history(void **state)
{
    struct chat_history history = {0};
    struct oy_buffer out = {0};

    (void)state;
    assert_int_equal(chat_history_last_turn(&history), 0);
    chat_history_add(&history, "user", "a", 1);
    chat_history_add(&history, "assistant", "b", 1);
    chat_history_set_system(&history, "s", 1);
    chat_history_set_system(&history, "t", 1);
    chat_history_add(&history, "user", "c", 1);
    assert_int_equal(chat_history_last_turn(&history), 3);
    chat_history_cut(&history, 3);
    assert_int_equal(chat_history_last_turn(&history), 1);
    chat_history_put(&history, &out);
    assert_string_equal(oy_buffer_string(&out),
                        "[{\"role\":\"system\",\"content\":\"t\"},"
                        "{\"role\":\"user\",\"content\":\"a\"},"
                        "{\"role\":\"assistant\",\"content\":\"b\"}]");
    chat_history_set_system(&history, "", 0);
    assert_int_equal(history.n, 2);
    oy_buffer_release(&out);
    chat_history_release(&history);
    chat_history_release(&history);
}

static void test_stop_texts(void **state)
{
    static const char *const stop[] = {"", "\nUser:", "END"};

    (void)state;
    assert_int_equal(stop_text_find(stop, 3, "a END b\nUser:", 13), 2);
    assert_int_equal(stop_text_find(stop, 3, "a EN", 4), SIZE_MAX);
    assert_int_equal(stop_text_find(stop, 3, "", 0), SIZE_MAX);
    assert_int_equal(stop_text_settled(stop, 3, "abc", 3), 3);
    assert_int_equal(stop_text_settled(stop, 3, "abEN", 4), 2);
    assert_int_equal(stop_text_settled(stop, 3, "x\nUser", 6), 1);
    assert_int_equal(stop_text_settled(stop, 3, "x\xef\xbf\xbd", 4), 1);
    assert_int_equal(stop_text_settled(stop, 0, "EN", 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_server_is_left),
        cmocka_unit_test(test_server_fails),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_stop_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

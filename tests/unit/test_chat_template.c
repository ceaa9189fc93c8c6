/* SPDX-License-Identifier: Apache-2.0
 *
 * Chat templates: real ones give the texts that transformers gives, files are
 * found, and the assistant's part of a text is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/input.h"
#include "tokenizer/chat_mask.h"
#include "tokenizer/chat_template.h"

static const char folder[] = "tests/data/chat";
static const struct tm now = {.tm_year = 124,
                              .tm_mon = 1,
                              .tm_mday = 29,
                              .tm_hour = 13,
                              .tm_min = 5,
                              .tm_sec = 9,
                              .tm_wday = 4,
                              .tm_yday = 59};

static char *slurp(const char *path, size_t *len)
{
    struct oy_error err = {0};

    return oy_input_slurp(path, 1 << 26, len, &err);
}

static const struct template_value *config(struct oy_arena *arena,
                                           struct template_value *value)
{
    *value = template_new_dict(arena);
    template_put_name(value, arena, "bos_token", template_literal("<|begin|>"));
    template_put_name(value, arena, "eos_token", template_literal("<|end|>"));
    return value;
}

static struct chat_template *new_chat(const char *source, size_t len)
{
    struct oy_arena arena = {0};
    struct template_value value;
    struct oy_error err = {0};
    struct chat_template *chat =
        chat_template_new(source, len, config(&arena, &value), &err);

    oy_arena_release(&arena);
    if (!chat)
        fail_msg("%s", err.message);
    return chat;
}

/* A record of a conversation as a request. */
static struct chat_request request_of(const struct template_value *record)
{
    const struct template_value *prompt =
        template_get(record, "add_generation_prompt");

    return (struct chat_request){
        .messages = template_get(record, "messages"),
        .tools = template_get(record, "tools"),
        .documents = template_get(record, "documents"),
        .extra = template_get(record, "chat_template_kwargs"),
        .now = &now,
        .add_generation_prompt = prompt && template_truth(prompt),
    };
}

/* The line that stands for the text of a conversation. */
static void put_line(const struct chat_template *chat, const char *json,
                     size_t len, char line[17])
{
    struct oy_arena arena = {0};
    struct oy_buffer text = {0};
    struct oy_error err = {0};
    struct template_value record;
    unsigned char digest[32];
    const char *why;

    assert_int_equal(template_parse_json(json, len, &arena, &record, &why), 0);
    const struct chat_request request = request_of(&record);
    if (chat_template_render(chat, &request, &arena, &text, &err)) {
        assert_int_equal(err.code, OY_DATA);
        strcpy(line, "raises");
    } else {
        oy_sha256(text.data, text.len, digest);
        for (int i = 0; i < 8; i++)
            snprintf(line + 2 * i, 3, "%02x", digest[i]);
    }
    oy_buffer_release(&text);
    oy_arena_release(&arena);
}

/* All conversations against NAME.expected. */
static void check_all(const char *name, const struct chat_template *chat)
{
    char path[300], line[17];
    size_t len, want_len;
    int n = 0;

    snprintf(path, sizeof path, "%s/%s.expected", folder, name);
    char *want = slurp(path, &want_len);
    snprintf(path, sizeof path, "%s/conversations.jsonl.zst", folder);
    char *all = slurp(path, &len);
    assert_non_null(want);
    assert_non_null(all);
    char *expected = want;
    for (char *at = all; at < all + len; n++) {
        char *end = memchr(at, '\n', (size_t)(all + len - at));
        char *stop = strchr(expected, '\n');
        *stop = '\0';
        put_line(chat, at, (size_t)(end - at), line);
        if (strcmp(line, expected))
            fail_msg("%s: conversation %d: %s, expected %s", name, n, line,
                     expected);
        expected = stop + 1;
        at = end + 1;
    }
    assert_int_equal(n, 200);
    oy_free(all);
    oy_free(want);
}

static void bundled_templates_equal_transformers(void **state)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[300], name[256];
    size_t len;
    int n = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".jinja"))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(dot - entry->d_name),
                 entry->d_name);
        snprintf(path, sizeof path, "%s/%s.jinja", folder, name);
        char *source = slurp(path, &len);
        struct chat_template *chat = new_chat(source, len);
        check_all(name, chat);
        chat_template_free(chat);
        oy_free(source);
        n++;
    }
    closedir(dir);
    assert_true(n >= 14);
}

/* Templates whose texts may not be bundled. */
static void shared_templates_equal_transformers(void **state)
{
    static const char *const name[] = {"deepseek_v3", "gemma3",  "llama3",
                                       "minimind",    "qwen2.5", "qwen3",
                                       "smollm2"};
    const char *const root = getenv("OYSTER_SHARED");
    char path[400], expected[64];

    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        struct oy_error err = {0};
        snprintf(path, sizeof path,
                 "%s/data/tokenizers/%s/tokenizer_config.json.zst",
                 root ? root : "../shared", name[i]);
        struct chat_template *own = chat_template_load(path, NULL, &err);
        if (!own) {
            printf("SKIPPED: %s\n", err.message);
            return;
        }
        const struct oy_text source = chat_template_source(own);
        struct chat_template *chat = new_chat(source.at, source.len);
        snprintf(expected, sizeof expected, "shared-%s", name[i]);
        check_all(expected, chat);
        chat_template_free(chat);
        chat_template_free(own);
    }
}

/* ---- what a template sees ---- */

static void assert_chat(const char *source, const char *json, const char *want)
{
    struct oy_arena arena = {0};
    struct oy_buffer text = {0}, padded = {0};
    struct oy_error err = {0};
    struct template_value record;
    const char *why;
    struct chat_template *chat = new_chat(source, strlen(source));

    oy_buffer_append_string(&padded, json);
    assert_int_equal(
        template_parse_json(padded.data, padded.len, &arena, &record, &why), 0);
    const struct chat_request request = request_of(&record);
    if (chat_template_render(chat, &request, &arena, &text, &err))
        assert_non_null(strstr(err.message, want));
    else
        assert_string_equal(oy_buffer_string(&text), want);
    chat_template_free(chat);
    oy_buffer_release(&text);
    oy_buffer_release(&padded);
    oy_arena_release(&arena);
}

static void messages_come_as_transformers_hands_them_over(void **state)
{
    static const char all[] = "{{ messages|tojson }}";

    (void)state;
    assert_chat(all,
                "{\"messages\":[{\"role\":\"user\",\"content\":null,"
                "\"x\":1}]}",
                "[{\"role\": \"user\", \"x\": 1}]");
    assert_chat(all, "{\"messages\":[{\"role\":\"user\",\"reasoning\":\"r\"}]}",
                "[{\"thinking\": \"r\", \"role\": \"user\", "
                "\"reasoning\": \"r\", \"reasoning_content\": \"r\"}]");
    assert_chat("{{ bos_token }}{{ eos_token }}{{ pad_token }}"
                "{{ tools is none }}{{ documents is none }}"
                "{{ add_generation_prompt }}{{ y }}",
                "{\"messages\":[{}],\"chat_template_kwargs\":{\"y\":7}}",
                "<|begin|><|end|>TrueTrueFalse7");
    assert_chat("{{ strftime_now('%Y-%m-%d %H:%M:%S %A %-d %j%Z%z %f%%') }}",
                "{\"messages\":[{}]}",
                "2024-02-29 13:05:09 Thursday 29 060 000000%");
}

static void what_is_no_conversation_fails(void **state)
{
    (void)state;
    assert_chat("x", "{\"messages\":[]}", "without messages");
    assert_chat("x", "{\"messages\":{}}", "not a list");
    assert_chat("x", "{\"messages\":[{},\"m\"]}", "message 1 is not an object");
    assert_chat("{{ raise_exception('not ' + 'so') }}", "{\"messages\":[{}]}",
                "the template says: not so");
}

static void tool_use_serves_conversations_with_tools(void **state)
{
    static const char json[] =
        "{\"chat_template\":[{\"name\":\"default\",\"template\":\"d\"},"
        "{\"name\":\"tool_use\",\"template\":\"t\"}]}";
    static const char *const want[] = {"d", "t"};
    char path[] = "/tmp/oyster-chat-XXXXXX";
    struct oy_error err = {0};
    struct oy_arena arena = {0};
    const int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    FILE *stream = fdopen(file, "w");
    fputs(json, stream);
    fclose(stream);
    struct chat_template *chat = chat_template_load(path, NULL, &err);
    assert_non_null(chat);
    for (int with_tools = 0; with_tools < 2; with_tools++) {
        struct oy_buffer text = {0};
        struct template_value messages = template_new_list(&arena);
        const struct template_value tools = template_new_list(&arena);
        template_push(&messages, &arena, template_new_dict(&arena));
        const struct chat_request request = {
            .messages = &messages, .tools = with_tools ? &tools : NULL};
        assert_int_equal(
            chat_template_render(chat, &request, &arena, &text, &err), 0);
        assert_string_equal(oy_buffer_string(&text), want[with_tools]);
        oy_buffer_release(&text);
    }
    chat_template_free(chat);
    assert_null(chat_template_load(path, "none", &err));
    assert_int_equal(err.code, OY_DATA);
    oy_arena_release(&arena);
    remove(path);
}

/* ---- masks ---- */

static void read_ids(const struct template_value *list, struct token_ids *ids)
{
    ids->n = 0;
    for (size_t i = 0; i < list->list->n_item; i++) {
        const int32_t id = (int32_t)list->list->item[i].integer;
        token_ids_append(ids, &id, 1);
    }
}

static void check_mask(const struct tokenizer *tokenizer,
                       struct tokenizer_worker *worker,
                       const struct template_value *record)
{
    const struct template_value *source = template_get(record, "template");
    struct chat_template *chat = new_chat(source->text.at, source->text.len);
    const struct chat_request request = request_of(record);
    struct token_ids ids = {0}, want = {0}, want_mask = {0};
    struct template_spans spans = {0};
    struct oy_arena arena = {0};
    struct oy_buffer text = {0};
    struct oy_error err = {0};
    const char *why;

    assert_int_equal(
        chat_mask_render(chat, &request, &arena, &text, &spans, &why, &err), 0);
    const struct oy_text whole = {oy_buffer_string(&text), text.len};
    tokenizer_encode(worker, whole.at, whole.len, TOKENIZER_TOKEN, &ids, NULL);
    read_ids(template_get(record, "ids"), &want);
    read_ids(template_get(record, "assistant_mask"), &want_mask);
    assert_int_equal(ids.n, want.n);
    uint8_t *mask = oy_alloc(ids.n);
    chat_mask_from_spans(worker, tokenizer, whole, &spans, &ids, mask);
    for (size_t i = 0; i < ids.n; i++) {
        assert_int_equal(ids.id[i], want.id[i]);
        assert_int_equal(mask[i], want_mask.id[i]);
    }
    oy_free(mask);
    token_ids_release(&ids);
    token_ids_release(&want);
    token_ids_release(&want_mask);
    template_spans_release(&spans);
    oy_buffer_release(&text);
    oy_arena_release(&arena);
    chat_template_free(chat);
}

static void generation_blocks_are_masked_as_transformers_does(void **state)
{
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load("tests/data/tokenizer", &err);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct oy_arena arena = {0};
    size_t len;
    char *all = slurp("tests/data/chat/masks.jsonl.zst", &len);

    (void)state;
    assert_non_null(all);
    for (char *at = all; at < all + len;) {
        char *end = memchr(at, '\n', (size_t)(all + len - at));
        struct template_value record;
        const char *why;
        oy_arena_clear(&arena);
        assert_int_equal(
            template_parse_json(at, (size_t)(end - at), &arena, &record, &why),
            0);
        check_mask(tokenizer, worker, &record);
        at = end + 1;
    }
    oy_arena_release(&arena);
    oy_free(all);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

/* The text with [ ] around what the assistant said; NULL: unknown. */
static void assert_said(const char *source, const char *json, const char *want)
{
    struct oy_arena arena = {0};
    struct oy_buffer text = {0}, padded = {0}, marked = {0};
    struct template_spans spans = {0};
    struct template_value record;
    struct oy_error err = {0};
    const char *why;
    struct chat_template *chat = new_chat(source, strlen(source));

    oy_buffer_append_string(&padded, json);
    assert_int_equal(
        template_parse_json(padded.data, padded.len, &arena, &record, &why), 0);
    const struct chat_request request = request_of(&record);
    const int rc =
        chat_mask_render(chat, &request, &arena, &text, &spans, &why, &err);
    assert_int_equal(rc, want ? 0 : 1);
    for (size_t i = 0, s = 0; want && i <= text.len; i++) {
        if (s < spans.n && i == spans.span[s].start)
            oy_buffer_append_char(&marked, '[');
        if (s < spans.n && i == spans.span[s].end) {
            oy_buffer_append_char(&marked, ']');
            s++;
        }
        if (i < text.len)
            oy_buffer_append_char(&marked, text.data[i]);
    }
    if (want)
        assert_string_equal(oy_buffer_string(&marked), want);
    else
        assert_int_equal(spans.n, 0);
    template_spans_release(&spans);
    oy_buffer_release(&text);
    oy_buffer_release(&padded);
    oy_buffer_release(&marked);
    oy_arena_release(&arena);
    chat_template_free(chat);
}

#define TURNS                                                                  \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"                    \
    "{\"role\":\"assistant\",\"content\":\"b\"},"                              \
    "{\"role\":\"user\",\"content\":\"c\"},"                                   \
    "{\"role\":\"assistant\",\"content\":\"d\"}]}"
#define BODY "{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}"

static void turns_are_what_they_add(void **state)
{
    (void)state;
    assert_said(BODY "<e>{% endfor %}"
                     "{% if add_generation_prompt %}<a>{% endif %}",
                TURNS, "<u>a<e><a>[b<e>]<u>c<e><a>[d<e>]");
    /* The prompt is always there (the first template of Llama 3). */
    assert_said(BODY "<e>{% endfor %}<a>", TURNS,
                "<u>a<e><a>[b<e>]<u>c<e><a>[d<e>]<a>");
    /* Older turns lose what they thought (Qwen 3). */
    assert_said(BODY "{% if loop.last %}!{% endif %}<e>{% endfor %}"
                     "{% if add_generation_prompt %}<a>{% endif %}",
                TURNS, NULL);
    assert_said("{% for m in messages %}<{{ m.role[0] }}>"
                "{% if loop.last and m.role == 'assistant' %}(t){% endif %}"
                "{{ m.content }}<e>{% endfor %}"
                "{% if add_generation_prompt %}<a>{% endif %}",
                TURNS, "<u>a<e><a>[b<e>]<u>c<e><a>[(t)d<e>]");
    /* The last one ends with another mark (gpt-oss). */
    assert_said(BODY
                "<{{ 'r' if loop.last and m.role == 'assistant' else 'e' }}>"
                "{% endfor %}"
                "{% if add_generation_prompt %}<a>{% endif %}",
                TURNS, "<u>a<e><a>[b<e>]<u>c<e><a>[d<r>]");
    /* The prompt opens a thought that older turns do not have. */
    assert_said(BODY "<e>{% endfor %}"
                     "{% if add_generation_prompt %}<a><think>{% endif %}",
                TURNS, "<u>a<e><a>[b<e>]<u>c<e><a>[d<e>]");
}

static void marks_are_minimind_s_rule(void **state)
{
    static int32_t id[] = {1, 7, 8, 5, 5, 9, 3, 7, 8, 4, 7, 8};
    static int32_t begin[] = {7, 8}, end[] = {9};
    static const uint8_t want[] = {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1};
    const struct token_ids ids = {.id = id, .n = 12};
    const struct token_ids from = {.id = begin, .n = 2};
    const struct token_ids to = {.id = end, .n = 1};
    uint8_t mask[12];

    (void)state;
    chat_mask_from_marks(&ids, &from, &to, mask);
    assert_memory_equal(mask, want, sizeof mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundled_templates_equal_transformers),
        cmocka_unit_test(shared_templates_equal_transformers),
        cmocka_unit_test(messages_come_as_transformers_hands_them_over),
        cmocka_unit_test(what_is_no_conversation_fails),
        cmocka_unit_test(tool_use_serves_conversations_with_tools),
        cmocka_unit_test(generation_blocks_are_masked_as_transformers_does),
        cmocka_unit_test(turns_are_what_they_add),
        cmocka_unit_test(marks_are_minimind_s_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

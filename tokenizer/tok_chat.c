/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok chat: conversations rendered, encoded, and what the assistant said
 * in them marked. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/filter.h"
#include "core/log.h"
#include "tokenizer/chat_mask.h"
#include "tokenizer/tok_filter.h"
#include "tokenizer/tok_ids.h"

enum field {
    FIELD_TEXT,
    FIELD_MESSAGES,
    FIELD_TOOLS,
    FIELD_DOCUMENTS,
    FIELD_PROMPT,
    FIELD_EXTRA,
};

/* Names of the fields, those that only replace what is there at the end. */
static const char *const field_name[] = {"messages",
                                         "tools",
                                         "documents",
                                         "add_generation_prompt",
                                         "chat_template_kwargs",
                                         "ids",
                                         "assistant_mask",
                                         NULL};

struct chat {
    const struct tok_settings *settings;
    const char *field; /* --field */
    struct tokenizer *tokenizer;
    struct chat_template *template;
    struct tm now;
    uint64_t n_token, n_byte, n_said, n_unmasked;
    struct tok_digits digits;
};

struct chat_worker {
    struct tokenizer_worker *worker;
    struct oy_arena arena; /* one conversation's */
    struct oy_buffer text;
    struct template_spans spans;
    struct token_ids ids;
    uint64_t n_token, n_byte, n_said, n_unmasked;
};

/* The fields of a record as values. */
struct conversation {
    struct template_value value[FIELD_EXTRA + 1];
};

static void *worker_new(void *self)
{
    const struct chat *chat = self;
    struct chat_worker *worker = oy_calloc(1, sizeof *worker);

    worker->worker = tokenizer_worker_new(chat->tokenizer);
    return worker;
}

static void worker_free(void *self, void *state)
{
    struct chat_worker *worker = state;

    (void)self;
    if (!worker)
        return;
    tokenizer_worker_free(worker->worker);
    oy_arena_release(&worker->arena);
    oy_buffer_release(&worker->text);
    template_spans_release(&worker->spans);
    token_ids_release(&worker->ids);
    oy_free(worker);
}

static int merge(void *self, void *state, int pass, struct oy_error *err)
{
    struct chat *chat = self;
    const struct chat_worker *worker = state;

    (void)pass;
    (void)err;
    chat->n_token += worker->n_token;
    chat->n_byte += worker->n_byte;
    chat->n_said += worker->n_said;
    chat->n_unmasked += worker->n_unmasked;
    return 0;
}

/* ---- a record ---- */

/* What each field must be where it is there and not null. */
static int has_kind(enum field field, enum template_kind kind)
{
    if (kind == TEMPLATE_NONE)
        return field != FIELD_MESSAGES;
    if (field == FIELD_PROMPT)
        return kind == TEMPLATE_BOOL;
    return kind == (field == FIELD_EXTRA ? TEMPLATE_DICT : TEMPLATE_LIST);
}

/* -1 when the record was marked as bad. */
static int read_conversation(struct oy_record *record, struct oy_arena *arena,
                             struct conversation *conversation)
{
    for (enum field i = FIELD_MESSAGES; i <= FIELD_EXTRA; i++) {
        const struct oy_json_value *json = &record->found[i];
        struct template_value *value = &conversation->value[i];
        const char *why = i == FIELD_EXTRA    ? "not an object"
                          : i == FIELD_PROMPT ? "neither true nor false"
                                              : "not a list";
        *value = template_none();
        if (json->kind == OY_JSON_MISSING && i != FIELD_MESSAGES)
            continue;
        if (json->kind == OY_JSON_MISSING)
            oy_record_fail(record, "no field 'messages'");
        else if (template_from_json(json, arena, value, &why) ||
                 !has_kind(i, value->kind))
            oy_record_fail(record, "field '%s': %s", field_name[i - 1], why);
        if (record->fate != OY_KEEP)
            return -1;
    }
    return 0;
}

/* 0, 1 when the spans are not known, -1 when the record was marked. */
static int render(const struct chat *chat, struct chat_worker *worker,
                  const struct conversation *conversation,
                  struct oy_record *record)
{
    const struct template_value *value = conversation->value;
    const struct chat_request request = {
        .messages = &value[FIELD_MESSAGES],
        .tools = &value[FIELD_TOOLS],
        .documents = &value[FIELD_DOCUMENTS],
        .extra = &value[FIELD_EXTRA],
        .now = &chat->now,
        .add_generation_prompt = template_truth(&value[FIELD_PROMPT]),
    };
    struct oy_error err = {0};
    const char *why = NULL;
    int rc;

    oy_buffer_clear(&worker->text);
    if (chat->settings->mask)
        rc = chat_mask_render(chat->template, &request, &worker->arena,
                              &worker->text, &worker->spans, &why, &err);
    else
        rc = chat_template_render(chat->template, &request, &worker->arena,
                                  &worker->text, &err);
    if (rc < 0)
        oy_record_fail(record, "%s", err.message);
    if (rc > 0)
        oy_note("%s:%llu: no assistant_mask: %s", record->file,
                (unsigned long long)record->line_number, why);
    return rc;
}

static void set_mask(struct chat_worker *worker, const uint8_t *mask,
                     struct oy_record *record)
{
    const size_t n = worker->ids.n;
    char *json = oy_arena_alloc(record->arena, 2 * n + 2);

    json[0] = '[';
    for (size_t i = 0; i < n; i++) {
        json[1 + 2 * i] = (char)('0' + mask[i]);
        json[2 + 2 * i] = ',';
        worker->n_said += mask[i];
    }
    json[n ? 2 * n : 1] = ']';
    oy_record_set_member(record, "assistant_mask", json, n ? 2 * n + 1 : 2);
}

static int judge(void *self, void *state, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct chat *chat = self;
    struct chat_worker *worker = state;
    struct conversation conversation;

    (void)pass;
    (void)err;
    oy_arena_clear(&worker->arena);
    if (read_conversation(record, &worker->arena, &conversation))
        return 0;
    const int rc = render(chat, worker, &conversation, record);
    if (rc < 0)
        return 0;

    const struct oy_text text = {oy_buffer_string(&worker->text),
                                 worker->text.len};
    struct token_ids *ids = &worker->ids;
    ids->n = 0;
    tokenizer_encode(worker->worker, text.at, text.len, TOKENIZER_TOKEN, ids,
                     NULL);
    if (tok_set_text(record, chat->field, text.at, text.len))
        return 0;
    tok_set_ids(&chat->digits, record, "ids", ids);
    if (rc > 0) {
        oy_record_set_member(record, "assistant_mask", "null", 4);
    } else if (chat->settings->mask) {
        uint8_t *mask = oy_arena_alloc(&worker->arena, ids->n + 1);
        chat_mask_from_spans(worker->worker, chat->tokenizer, text,
                             &worker->spans, ids, mask);
        set_mask(worker, mask, record);
    }
    worker->n_unmasked += rc > 0;
    worker->n_token += ids->n;
    worker->n_byte += text.len;
    return 0;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    const struct chat *chat = self;

    (void)err;
    oy_counter_add(context->counter, "bytes", chat->n_byte);
    oy_counter_add(context->counter, "tokens", chat->n_token);
    if (chat->settings->mask)
        oy_counter_add(context->counter, "assistant_tokens", chat->n_said);
    if (chat->n_unmasked) {
        oy_counter_add(context->counter, "records_without_mask",
                       chat->n_unmasked);
        oy_warn("%llu records have no assistant_mask (null): the template "
                "rewrites what was said; -v names them",
                (unsigned long long)chat->n_unmasked);
    }
    return 0;
}

/* ---- the run ---- */

/* The time of strftime_now(), for a template that asks for it; where nobody
 * gave one, the clock's goes into the manifest. */
static int set_time(struct tok_settings *settings, struct chat *chat,
                    struct oy_error *err)
{
    const struct oy_text source = chat_template_source(chat->template);
    const time_t clock = time(NULL);

    if (settings->date && chat_template_read_date(settings->date, &chat->now))
        return oy_fail(err, OY_USAGE,
                       "--date '%s' is not YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS",
                       settings->date);
    if (settings->date)
        return 0;
    localtime_r(&clock, &chat->now);
    if (!memmem(source.at, source.len, "strftime_now", 12))
        return 0;
    strftime(settings->date_text, sizeof settings->date_text,
             "%Y-%m-%dT%H:%M:%S", &chat->now);
    settings->date = settings->date_text;
    return 0;
}

static int open_template(struct tok_settings *settings, struct chat *chat,
                         struct oy_error *err)
{
    chat->template =
        chat_template_of(chat->tokenizer, settings->tokenizer.item[0],
                         settings->chat_template, err);
    if (!chat->template)
        return -1;

    const struct oy_text source = chat_template_source(chat->template);
    oy_hash128_text(oy_hash128(source.at, source.len), settings->template_hash);
    settings->template_hash_text = settings->template_hash;
    return set_time(settings, chat, err);
}

int tok_chat_run(struct tok_settings *settings, struct oy_run *run,
                 struct oy_error *err)
{
    struct chat chat = {.settings = settings, .field = run->field};
    const struct oy_filter filter = {
        .self = &chat,
        .field = field_name,
        .n_pass = 1,
        .writes_records = 1,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .merge = merge,
        .finish = finish,
    };
    int failed = -1;

    tok_digits_init(&chat.digits);
    chat.tokenizer = tok_load(settings, 0, run, err);
    if (chat.tokenizer && !open_template(settings, &chat, err))
        failed = oy_filter_run(&filter, 1, run, NULL, err);
    chat_template_free(chat.template);
    tokenizer_free(chat.tokenizer);
    return failed;
}

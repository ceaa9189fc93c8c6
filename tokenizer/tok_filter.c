/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok as a filter over records: encode and decode. */
#include "tokenizer/tok_filter.h"

#include <string.h>

#include "core/filter.h"
#include "core/json.h"
#include "tokenizer/tok_ids.h"

struct tok {
    const struct tok_settings *settings;
    struct tokenizer *tokenizer;
    const char *field; /* --field */
    uint64_t n_token, n_byte;
    struct tok_digits digits;
};

struct tok_worker {
    struct tokenizer_worker *worker;
    struct token_ids ids;
    struct oy_buffer text;
    uint64_t n_token, n_byte;
};

static void *worker_new(void *self)
{
    const struct tok *tok = self;
    struct tok_worker *worker = oy_calloc(1, sizeof *worker);

    if (tok->settings->command == TOK_ENCODE)
        worker->worker = tokenizer_worker_new(tok->tokenizer);
    return worker;
}

static void worker_free(void *self, void *state)
{
    struct tok_worker *worker = state;

    (void)self;
    if (!worker)
        return;
    tokenizer_worker_free(worker->worker);
    token_ids_release(&worker->ids);
    oy_buffer_release(&worker->text);
    oy_free(worker);
}

static int merge(void *self, void *state, int pass, struct oy_error *err)
{
    struct tok *tok = self;
    const struct tok_worker *worker = state;

    (void)pass;
    (void)err;
    tok->n_token += worker->n_token;
    tok->n_byte += worker->n_byte;
    return 0;
}

/* ---- encoding ---- */

int tok_encode(const struct tok_settings *settings,
               const struct tokenizer *tokenizer,
               struct tokenizer_worker *worker, struct oy_record *record,
               struct token_ids *ids)
{
    int32_t found;
    size_t n;

    ids->n = 0;
    if (settings->add_special) {
        const int32_t *before = tokenizer_before(tokenizer, &n);
        token_ids_append(ids, before, n);
    }
    if (tokenizer_encode(worker, record->text.at, record->text.len,
                         (enum tokenizer_special)settings->special_text, ids,
                         &found)) {
        const char *bytes = tokenizer_bytes(tokenizer, found, &n);
        oy_record_fail(record, "special token '%.*s' in the text", (int)n,
                       bytes);
        return -1;
    }
    if (settings->add_special) {
        const int32_t *behind = tokenizer_behind(tokenizer, &n);
        token_ids_append(ids, behind, n);
    }
    return 0;
}

static int judge_encode(void *self, void *state, struct oy_record *record,
                        int pass, struct oy_error *err)
{
    const struct tok *tok = self;
    struct tok_worker *worker = state;

    (void)pass;
    (void)err;
    if (tok_encode(tok->settings, tok->tokenizer, worker->worker, record,
                   &worker->ids))
        return 0;
    worker->n_token += worker->ids.n;
    worker->n_byte += record->text.len;
    tok_set_ids(&tok->digits, record, "ids", &worker->ids);
    /* The text that goes out is the text that was encoded. */
    if (record->n_repaired)
        oy_record_set_text(record, 0, record->text.at, record->text.len);
    return 0;
}

/* ---- decoding ---- */

int tok_set_text(struct oy_record *record, const char *field, const char *text,
                 size_t len)
{
    struct oy_buffer json = {0};

    if (record->found[0].kind != OY_JSON_MISSING) {
        text = oy_arena_copy(record->arena, text, len);
        oy_record_set_text(record, 0, text, len);
        return 0;
    }
    if (strchr(field, '.')) {
        oy_record_fail(record, "no field '%s' to hold the text", field);
        return -1;
    }
    oy_json_put_string(&json, text, len);
    const char *copy = oy_arena_copy(record->arena, json.data, json.len);
    oy_record_set_member(record, field, copy, json.len);
    oy_buffer_release(&json);
    return 0;
}

/* Names the first id that no token has. */
static void fail_unknown(const struct tok *tok, const struct token_ids *ids,
                         struct oy_record *record)
{
    size_t i = 0, len;

    while (tokenizer_bytes(tok->tokenizer, ids->id[i], &len))
        i++;
    const struct oy_text text = tok_id_text(&record->found[1], i);
    oy_record_fail(record, "ids[%zu]: %.*s is not in the vocabulary", i,
                   (int)text.len, text.at);
}

static int judge_decode(void *self, void *state, struct oy_record *record,
                        int pass, struct oy_error *err)
{
    const struct tok *tok = self;
    struct tok_worker *worker = state;
    const struct token_ids *ids = &worker->ids;
    struct oy_buffer *text = &worker->text;

    (void)pass;
    (void)err;
    if (record->found[1].kind == OY_JSON_MISSING) {
        oy_record_fail(record, "no field 'ids'");
        return 0;
    }
    if (tok_read_ids(&record->found[1], &worker->ids)) {
        oy_record_fail(record, "field 'ids' is not a list of integers");
        return 0;
    }
    oy_buffer_clear(text);
    if (tokenizer_decode(tok->tokenizer, ids->id, ids->n,
                         tok->settings->skip_special, text)) {
        fail_unknown(tok, ids, record);
        return 0;
    }
    worker->n_token += ids->n;
    worker->n_byte += text->len;
    tok_set_text(record, tok->field, text->data, text->len);
    return 0;
}

/* ---- the run ---- */

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    const struct tok *tok = self;

    (void)err;
    oy_counter_add(context->counter, "bytes", tok->n_byte);
    oy_counter_add(context->counter, "tokens", tok->n_token);
    return 0;
}

struct tokenizer *tok_load(const struct tok_settings *settings, size_t i,
                           struct oy_run *run, struct oy_error *err)
{
    struct tokenizer *tokenizer =
        tokenizer_load(settings->tokenizer.item[i], err);

    if (!tokenizer ||
        !oy_run_add_resource(run, "tokenizer", tokenizer_path(tokenizer), err))
        return tokenizer;
    tokenizer_free(tokenizer);
    return NULL;
}

static int run_filter(const struct tok_settings *settings, struct oy_run *run,
                      struct oy_error *err)
{
    static const char *const field[] = {"ids", NULL};
    const int decodes = settings->command == TOK_DECODE;
    struct tok tok = {.settings = settings, .field = run->field};
    const struct oy_filter filter = {
        .self = &tok,
        .field = field,
        .n_pass = 1,
        .wants_text = !decodes,
        .writes_records = 1,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = decodes ? judge_decode : judge_encode,
        .merge = merge,
        .finish = finish,
    };
    int failed = -1;

    tok.tokenizer = tok_load(settings, 0, run, err);
    tok_digits_init(&tok.digits);
    if (tok.tokenizer)
        failed = oy_filter_run(&filter, 1, run, NULL, err);
    tokenizer_free(tok.tokenizer);
    return failed;
}

int tok_command_from_name(const char *name, enum tok_command *command)
{
    static const char *const known[] = {
        [TOK_ENCODE] = "encode", [TOK_DECODE] = "decode",
        [TOK_COUNT] = "count",   [TOK_COMPARE] = "compare",
        [TOK_INFO] = "info",     [TOK_CHAT] = "chat",
    };

    for (int i = 0; i <= TOK_CHAT; i++) {
        if (strcmp(name, known[i]))
            continue;
        *command = (enum tok_command)i;
        return 0;
    }
    return -1;
}

int tok_run(struct tok_settings *settings, struct oy_run *run,
            struct oy_error *err)
{
    const int many =
        settings->command == TOK_COMPARE || settings->command == TOK_INFO;

    if (!settings->tokenizer.n_item)
        return oy_fail(err, OY_USAGE, "a tokenizer must be named with -t");
    if (!many && settings->tokenizer.n_item > 1)
        return oy_fail(err, OY_USAGE, "%s takes one tokenizer",
                       settings->command_name);
    switch (settings->command) {
    case TOK_COUNT:
    case TOK_COMPARE: return tok_compare_run(settings, run, err);
    case TOK_CHAT: return tok_chat_run(settings, run, err);
    case TOK_INFO: return tok_info_run(settings, run, err);
    default: return run_filter(settings, run, err);
    }
}

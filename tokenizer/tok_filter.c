/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok as a filter over records. */
#include "tokenizer/tok_filter.h"

#include <string.h>

#include "core/filter.h"
#include "core/json.h"

enum { ID_TEXT_MAX = 9 }; /* "16777215," : VOCAB_MAX_ID - 1 and a comma */

struct file_count {
    char *name;
    uint64_t n_document, n_byte, n_token;
};

struct tok {
    const struct tok_settings *settings;
    struct tokenizer *tokenizer;
    const char *field; /* --field */
    uint64_t n_token, n_byte;
    uint64_t n_unknown;      /* ids without a token, when decoding */
    struct file_count *file; /* in the order of the input */
    size_t n_file, cap_file;
    char digits[10000][4]; /* "0000" to "9999" */
};

struct tok_worker {
    struct tokenizer_worker *worker;
    struct token_ids ids;
    struct oy_buffer text;
    uint64_t n_token, n_byte, n_unknown;
};

int tok_command_from_name(const char *name, enum tok_command *command)
{
    static const char *const known[] = {
        [TOK_ENCODE] = "encode",
        [TOK_DECODE] = "decode",
        [TOK_COUNT] = "count",
    };

    for (int i = 0; i <= TOK_COUNT; i++) {
        if (strcmp(name, known[i]))
            continue;
        *command = (enum tok_command)i;
        return 0;
    }
    return -1;
}

static void *worker_new(void *self)
{
    const struct tok *tok = self;
    struct tok_worker *worker = oy_calloc(1, sizeof *worker);

    if (tok->settings->command != TOK_DECODE)
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
    tok->n_unknown += worker->n_unknown;
    return 0;
}

/* ---- encoding ---- */

static void fill_digits(struct tok *tok)
{
    for (int i = 0; i < 10000; i++) {
        tok->digits[i][0] = (char)('0' + i / 1000);
        tok->digits[i][1] = (char)('0' + i / 100 % 10);
        tok->digits[i][2] = (char)('0' + i / 10 % 10);
        tok->digits[i][3] = (char)('0' + i % 10);
    }
}

/* Writes a number below 10^8; returns the byte behind. */
static char *put_number(const struct tok *tok, char *out, uint32_t number)
{
    const uint32_t upper = number / 10000;
    const uint32_t first = upper ? upper : number;
    const int skip = (first < 1000) + (first < 100) + (first < 10);

    memcpy(out, tok->digits[first] + skip, 4);
    out += 4 - skip;
    if (!upper)
        return out;
    memcpy(out, tok->digits[number - upper * 10000], 4);
    return out + 4;
}

/* The ids as a JSON list in the record's arena. */
static void set_ids(const struct tok *tok, struct oy_record *record,
                    const struct token_ids *ids)
{
    char *json = oy_arena_alloc(record->arena, ids->n * ID_TEXT_MAX + 16);
    char *at = json;

    *at++ = '[';
    for (size_t i = 0; i < ids->n; i++) {
        at = put_number(tok, at, (uint32_t)ids->id[i]);
        *at++ = ',';
    }
    if (ids->n)
        at--;
    *at++ = ']';
    oy_record_set_member(record, "ids", json, (size_t)(at - json));
}

/* -1 when the record was marked as bad. */
static int encode(const struct tok *tok, struct tok_worker *worker,
                  struct oy_record *record)
{
    const struct tokenizer *tokenizer = tok->tokenizer;
    struct token_ids *ids = &worker->ids;
    int32_t found;
    size_t n;

    ids->n = 0;
    if (tok->settings->add_special) {
        const int32_t *before = tokenizer_before(tokenizer, &n);
        token_ids_append(ids, before, n);
    }
    if (tokenizer_encode(worker->worker, record->text.at, record->text.len,
                         (enum tokenizer_special)tok->settings->special_text,
                         ids, &found)) {
        const char *bytes = tokenizer_bytes(tokenizer, found, &n);
        oy_record_fail(record, "special token '%.*s' in the text", (int)n,
                       bytes);
        return -1;
    }
    if (tok->settings->add_special) {
        const int32_t *behind = tokenizer_behind(tokenizer, &n);
        token_ids_append(ids, behind, n);
    }
    worker->n_token += ids->n;
    worker->n_byte += record->text.len;
    return 0;
}

static int judge_encode(void *self, void *state, struct oy_record *record,
                        int pass, struct oy_error *err)
{
    struct tok_worker *worker = state;

    (void)pass;
    (void)err;
    if (encode(self, worker, record))
        return 0;
    set_ids(self, record, &worker->ids);
    /* The text that goes out is the text that was encoded. */
    if (record->n_repaired)
        oy_record_set_text(record, 0, record->text.at, record->text.len);
    return 0;
}

/* ---- decoding ---- */

/* The list "ids" of the record; -1 when it is something else. */
static int read_ids(const struct oy_json_value *list, struct token_ids *ids)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int64_t number;
    int more;

    ids->n = 0;
    if (list->kind != OY_JSON_ARRAY)
        return -1;
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &value)) > 0) {
        if (oy_json_int64(&value, &number))
            return -1;
        const int32_t id =
            number < 0 || number > INT32_MAX ? -1 : (int32_t)number;
        token_ids_append(ids, &id, 1);
    }
    return more;
}

static int judge_decode(void *self, void *state, struct oy_record *record,
                        int pass, struct oy_error *err)
{
    const struct tok *tok = self;
    struct tok_worker *worker = state;
    struct oy_buffer *text = &worker->text;

    (void)pass;
    (void)err;
    if (record->found[1].kind == OY_JSON_MISSING) {
        oy_record_fail(record, "no field 'ids'");
        return 0;
    }
    if (read_ids(&record->found[1], &worker->ids)) {
        oy_record_fail(record, "field 'ids' is not a list of integers");
        return 0;
    }
    oy_buffer_clear(text);
    worker->n_unknown +=
        tokenizer_decode(tok->tokenizer, worker->ids.id, worker->ids.n,
                         tok->settings->skip_special, text);
    worker->n_token += worker->ids.n;
    worker->n_byte += text->len;
    if (record->found[0].kind != OY_JSON_MISSING) {
        const char *copy = oy_arena_copy(record->arena, text->data, text->len);
        oy_record_set_text(record, 0, copy, text->len);
        return 0;
    }
    if (strchr(tok->field, '.')) {
        oy_record_fail(record, "no field '%s' to hold the text", tok->field);
        return 0;
    }
    struct oy_buffer json = {0};
    oy_json_put_string(&json, text->data, text->len);
    const char *copy = oy_arena_copy(record->arena, json.data, json.len);
    oy_record_set_member(record, tok->field, copy, json.len);
    oy_buffer_release(&json);
    return 0;
}

/* ---- counting ---- */

static int judge_count(void *self, void *state, struct oy_record *record,
                       int pass, struct oy_error *err)
{
    struct tok_worker *worker = state;

    (void)pass;
    (void)err;
    if (!encode(self, worker, record)) {
        record->word[0] = record->text.len;
        record->word[1] = worker->ids.n;
    }
    return 0;
}

static int settle_count(void *self, struct oy_record *record,
                        struct oy_filter_context *context, struct oy_error *err)
{
    struct tok *tok = self;

    (void)context;
    (void)err;
    if (!tok->n_file || strcmp(tok->file[tok->n_file - 1].name, record->file)) {
        OY_GROW(tok->file, tok->cap_file, tok->n_file + 1);
        tok->file[tok->n_file++] =
            (struct file_count){.name = oy_strdup(record->file)};
    }
    struct file_count *file = &tok->file[tok->n_file - 1];
    file->n_document++;
    file->n_byte += record->word[0];
    file->n_token += record->word[1];
    return 0;
}

static void put_line(struct oy_buffer *out, const struct file_count *count)
{
    const double ratio =
        count->n_token ? (double)count->n_byte / (double)count->n_token : 0.0;

    oy_buffer_append_format(out, "%llu\t%llu\t%llu\t%.4f\t%s\n",
                            (unsigned long long)count->n_document,
                            (unsigned long long)count->n_byte,
                            (unsigned long long)count->n_token, ratio,
                            count->name);
}

/* Like wc, with a sum where there are several files. */
static int write_counts(const struct tok *tok, struct oy_output *output,
                        struct oy_error *err)
{
    struct file_count sum = {.name = "total"};
    struct oy_buffer out = {0};

    oy_buffer_append_string(&out,
                            "documents\tbytes\ttokens\tbytes/token\tfile\n");
    for (size_t i = 0; i < tok->n_file; i++) {
        put_line(&out, &tok->file[i]);
        sum.n_document += tok->file[i].n_document;
        sum.n_byte += tok->file[i].n_byte;
        sum.n_token += tok->file[i].n_token;
    }
    if (tok->n_file != 1)
        put_line(&out, &sum);
    const int failed = oy_output_write(output, out.data, out.len, err);
    oy_buffer_release(&out);
    return failed;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct tok *tok = self;

    oy_counter_add(context->counter, "bytes", tok->n_byte);
    oy_counter_add(context->counter, "tokens", tok->n_token);
    if (tok->n_unknown)
        oy_counter_add(context->counter, "ids_without_token", tok->n_unknown);
    if (tok->settings->command == TOK_COUNT)
        return write_counts(tok, context->output, err);
    return 0;
}

/* ---- the run ---- */

static struct oy_filter filter_for(struct tok *tok)
{
    static const char *const field[] = {"ids", NULL};
    struct oy_filter filter = {
        .self = tok,
        .field = field,
        .n_pass = 1,
        .wants_text = tok->settings->command != TOK_DECODE,
        .writes_records = tok->settings->command != TOK_COUNT,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .merge = merge,
        .finish = finish,
    };

    switch (tok->settings->command) {
    case TOK_ENCODE: filter.judge = judge_encode; break;
    case TOK_DECODE: filter.judge = judge_decode; break;
    case TOK_COUNT:
        filter.judge = judge_count;
        filter.settle = settle_count;
        filter.output_kind = "table";
        break;
    }
    return filter;
}

int tok_run(const struct tok_settings *settings, struct oy_run *run,
            struct oy_error *err)
{
    struct tok tok = {.settings = settings, .field = run->field};
    int failed = -1;

    if (!settings->tokenizer)
        return oy_fail(err, OY_USAGE, "a tokenizer must be named with -t");
    tok.tokenizer = tokenizer_load(settings->tokenizer, err);
    if (!tok.tokenizer ||
        oy_run_add_resource(run, "tokenizer", tokenizer_path(tok.tokenizer),
                            err))
        goto out;
    fill_digits(&tok);
    const struct oy_filter filter = filter_for(&tok);
    failed = oy_filter_run(&filter, 1, run, NULL, err);
out:
    for (size_t i = 0; i < tok.n_file; i++)
        oy_free(tok.file[i].name);
    oy_free(tok.file);
    tokenizer_free(tok.tokenizer);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers as lines of a ledger. */
#include "eval/journal.h"

#include "core/alloc.h"
#include "core/ledger.h"

struct journal {
    struct oy_ledger *ledger;
    struct oy_arena arena; /* of completions */
    struct oy_buffer members;
};

/* ---- reading ---- */

static void get_array(const struct oy_json_value *value, struct oy_text *text)
{
    if (value->kind == OY_JSON_ARRAY)
        *text = (struct oy_text){value->at, value->len};
}

static int get_completion(const struct oy_json_value *value,
                          struct oy_arena *arena, struct request_answer *answer)
{
    uint64_t n_repaired = 0;
    const char *why;

    if (value->kind != OY_JSON_STRING)
        return value->kind == OY_JSON_MISSING ? 0 : -1;
    return oy_json_text(value, arena, &answer->completion, &n_repaired, &why);
}

static int read_answer(struct oy_arena *arena, const struct oy_json_value *line,
                       struct request_answer *answer)
{
    struct oy_json_value member = oy_json_member(line, "logprob");

    *answer = (struct request_answer){.given = 1};
    if (member.kind != OY_JSON_MISSING &&
        oy_json_double(&member, &answer->logprob))
        return -1;
    member = oy_json_member(line, "is_greedy");
    if (member.kind != OY_JSON_MISSING &&
        oy_json_bool(&member, &answer->is_greedy))
        return -1;
    member = oy_json_member(line, "token_logprobs");
    get_array(&member, &answer->token_logprobs);
    member = oy_json_member(line, "top_logprobs");
    get_array(&member, &answer->top_logprobs);
    member = oy_json_member(line, "completion");
    return get_completion(&member, arena, answer);
}

static int check_line(void *arg, const struct oy_json_value *line)
{
    struct oy_arena arena = {0};
    struct request_answer answer;

    (void)arg;
    const int failed = read_answer(&arena, line, &answer);
    oy_arena_release(&arena);
    return failed;
}

struct journal *journal_open(const char *path, const char *identity, size_t len,
                             struct oy_error *err)
{
    const struct oy_ledger_use use = {.identity = {identity, len},
                                      .check = check_line};
    struct oy_ledger *ledger = oy_ledger_open(path, &use, err);

    if (!ledger)
        return NULL;
    struct journal *journal = oy_calloc(1, sizeof *journal);
    journal->ledger = ledger;
    return journal;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    oy_ledger_close(journal->ledger);
    oy_arena_release(&journal->arena);
    oy_buffer_release(&journal->members);
    oy_free(journal);
}

int journal_find(struct journal *journal, struct oy_hash128 key,
                 struct request_answer *answer)
{
    const struct oy_json_value line =
        oy_ledger_find(journal ? journal->ledger : NULL, key);

    return line.kind != OY_JSON_MISSING &&
           read_answer(&journal->arena, &line, answer) == 0;
}

size_t journal_count(const struct journal *journal)
{
    return oy_ledger_count(journal->ledger);
}

/* ---- writing ---- */

static void put_array(struct oy_buffer *out, const char *name,
                      const struct oy_text *text)
{
    if (!text->len)
        return;
    oy_buffer_append_format(out, ",\"%s\":", name);
    oy_buffer_append(out, text->at, text->len);
}

void journal_add(struct journal *journal, struct oy_hash128 key,
                 enum request_type type, const struct request_answer *answer)
{
    struct oy_buffer *out = &journal->members;

    oy_buffer_clear(out);
    if (type == REQUEST_GENERATE) {
        oy_buffer_append_string(out, "\"completion\":");
        oy_json_put_string(out, answer->completion.at, answer->completion.len);
    } else {
        oy_buffer_append_string(out, "\"logprob\":");
        oy_json_put_double(out, answer->logprob);
        oy_buffer_append_format(out, ",\"is_greedy\":%s",
                                answer->is_greedy ? "true" : "false");
    }
    put_array(out, "token_logprobs", &answer->token_logprobs);
    put_array(out, "top_logprobs", &answer->top_logprobs);
    oy_ledger_add(journal->ledger, key, out->data, out->len);
}

int journal_flush(struct journal *journal, struct oy_error *err)
{
    return oy_ledger_flush(journal->ledger, err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Completions as members of JSON, in records and in the journal. */
#include <string.h>

#include "core/log.h"
#include "model/gen_internal.h"

void gen_answer_put(const struct gen_answer *answer, int with_ids,
                    struct oy_buffer *out)
{
    oy_buffer_append_string(out, "\"completion\":");
    oy_json_put_string(out, answer->text.at, answer->text.len);
    if (with_ids) {
        oy_buffer_append_string(out, ",\"completion_ids\":");
        oy_buffer_append(out, answer->ids.at, answer->ids.len);
    }
    oy_buffer_append_string(out, ",\"finish_reason\":");
    oy_json_put_string(out, answer->finish.at, answer->finish.len);
}

static int get_text(const struct oy_json_value *line, const char *name,
                    struct oy_arena *arena, struct oy_text *text)
{
    const struct oy_json_value value = oy_json_member(line, name);
    uint64_t n_repaired = 0;
    const char *why;

    return value.kind != OY_JSON_STRING ||
                   oy_json_text(&value, arena, text, &n_repaired, &why)
               ? -1
               : 0;
}

int gen_answer_read(const struct oy_json_value *line, struct oy_arena *arena,
                    struct gen_answer *answer)
{
    const struct oy_json_value ids = oy_json_member(line, "completion_ids");

    answer->ids = (struct oy_text){ids.at, ids.len};
    return ids.kind != OY_JSON_ARRAY ||
                   get_text(line, "completion", arena, &answer->text) ||
                   get_text(line, "finish_reason", arena, &answer->finish)
               ? -1
               : 0;
}

struct gen_answer gen_answer_make(const struct token_ids *ids, const char *text,
                                  size_t len, int is_stopped,
                                  struct oy_arena *arena)
{
    struct oy_buffer list = {0};
    struct gen_answer answer = {
        .text = {len ? oy_arena_copy(arena, text, len) : "", len},
        .finish = {is_stopped ? "stop" : "length", is_stopped ? 4 : 6}};

    oy_buffer_append_char(&list, '[');
    for (size_t i = 0; i < ids->n; i++)
        oy_buffer_append_format(&list, "%s%d", i ? "," : "", ids->id[i]);
    oy_buffer_append_char(&list, ']');
    answer.ids =
        (struct oy_text){oy_arena_copy(arena, list.data, list.len), list.len};
    oy_buffer_release(&list);
    return answer;
}

/* ---- the journal ---- */

static int check_line(void *arg, const struct oy_json_value *line)
{
    struct oy_arena arena = {0};
    struct gen_answer answer;

    (void)arg;
    const int failed = gen_answer_read(line, &arena, &answer);
    oy_arena_release(&arena);
    return failed;
}

static void put_hash(struct oy_buffer *out, const char *name,
                     struct oy_hash128 hash)
{
    char text[33];

    oy_hash128_text(hash, text);
    oy_buffer_append_format(out, "\"%s\":\"%s\",", name, text);
}

int gen_journal_open(struct gen *gen, const struct oy_run *run,
                     struct oy_error *err)
{
    struct oy_buffer identity = {0};

    if (!gen->settings->journal || gen->settings->print_distribution)
        return 0;
    oy_buffer_append_char(&identity, '{');
    put_hash(&identity, "weights", engine_weights_hash(gen->engine));
    if (gen->tokenizer)
        put_hash(&identity, "tokenizer", tokenizer_hash(gen->tokenizer));
    put_hash(
        &identity, "grammar",
        oy_hash128(gen->grammar.at ? gen->grammar.at : "", gen->grammar.len));
    oy_options_put_json(run->program, 1, &gen->members);
    put_hash(&identity, "options",
             oy_hash128(gen->members.data, gen->members.len));
    oy_buffer_append_format(&identity, "\"kernel\":\"%s\",\"seed\":%lld}",
                            engine_kernel_name(gen->engine),
                            (long long)run->seed);
    const struct oy_ledger_use use = {.identity = {identity.data, identity.len},
                                      .check = check_line};
    gen->journal = oy_ledger_open(gen->settings->journal, &use, err);
    oy_buffer_release(&identity);
    if (gen->journal)
        oy_note("%zu completions stand in the journal",
                oy_ledger_count(gen->journal));
    return gen->journal ? 0 : -1;
}

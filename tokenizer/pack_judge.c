/* SPDX-License-Identifier: Apache-2.0
 *
 * One record on its way to ids, for every method. */
#include <string.h>

#include "core/json.h"
#include "tokenizer/pack_internal.h"
#include "tokenizer/pack_text.h"

int pack_judge_text(void *self, void *state, struct oy_record *record, int pass,
                    struct oy_error *err)
{
    const struct pack *pack = self;
    struct pack_worker *worker = state;
    struct token_ids *ids = &worker->ids;

    (void)pass;
    (void)err;
    ids->n = 0;
    if (!record->text.len)
        return 0;
    if (pack->front >= 0)
        token_ids_append(ids, &pack->front, 1);
    tokenizer_encode(worker->worker, record->text.at, record->text.len,
                     TOKENIZER_TEXT, ids, NULL);
    if (pack->back >= 0)
        token_ids_append(ids, &pack->back, 1);
    record->blob_len = ids->n * sizeof *ids->id;
    record->blob = oy_arena_copy(record->arena, ids->id, record->blob_len);
    record->word[WORD_BYTES] = record->text.len;
    record->word[WORD_TOKENS] = ids->n;
    return 0;
}

/* ---- conversations ---- */

/* With --strict bytes that are not UTF-8 are a fault. */
static int begin(const struct pack *pack, struct pack_worker *worker,
                 struct oy_record *record)
{
    const char *why;
    size_t where;

    pack_chat_begin(worker->chat, record->number);
    if (!pack->run->strict ||
        !oy_json_validate(record->line, record->len, &why, &where))
        return 0;
    oy_record_fail(record, "%s at byte %zu", why, where + 1);
    return -1;
}

typedef int encode_fn(struct pack_chat_worker *worker, struct pack_talk *talk,
                      struct pack_encoded *encoded, const char **why);

/* Reads a record's conversation and makes ids of it. -1: the record failed. */
static int encode(const struct pack *pack, struct pack_worker *worker,
                  struct oy_record *record, encode_fn *make,
                  struct pack_encoded *encoded)
{
    struct pack_talk talk;
    const char *why = NULL;

    if (begin(pack, worker, record))
        return -1;
    if (!pack_read_talk(record->found, pack->own_field,
                        pack_chat_arena(worker->chat), &talk, &why) &&
        !make(worker->chat, &talk, encoded, &why))
        return 0;
    oy_record_fail(record, "%s", why);
    return -1;
}

int pack_judge_sft(void *self, void *state, struct oy_record *record, int pass,
                   struct oy_error *err)
{
    const struct pack *pack = self;
    struct pack_worker *worker = state;
    struct pack_encoded encoded;

    (void)pass;
    (void)err;
    if (encode(pack, worker, record, pack_chat_encode, &encoded))
        return 0;
    const size_t size = encoded.n * sizeof *encoded.id;
    char *blob = oy_arena_alloc(record->arena, size + encoded.n);
    memcpy(blob, encoded.id, size);
    memcpy(blob + size, encoded.loss, encoded.n);
    record->blob = blob;
    record->blob_len = size + encoded.n;
    record->word[WORD_BYTES] = encoded.text_bytes;
    record->word[WORD_TOKENS] = encoded.n;
    return 0;
}

/* ---- pairs ---- */

/* Cuts what is longer than a row; whether the rest is to be used. */
static int fit(const struct pack *pack, struct oy_record *record,
               struct pack_encoded *encoded)
{
    const size_t most = (size_t)pack->settings->seq_len;

    if (!most || encoded->n <= most)
        return 1;
    if (pack->settings->overlong == PACK_DROP)
        return 0;
    record->word[WORD_CUT]++;
    record->word[WORD_CUT_TOKENS] += encoded->n - most;
    encoded->n = most;
    return 1;
}

static int has_target(const struct pack_encoded *encoded)
{
    return encoded->n > 1 && memchr(encoded->loss + 1, 1, encoded->n - 1);
}

static void drop(struct oy_record *record, const char *reason)
{
    record->fate = OY_DROP;
    record->reason = reason;
}

/* One side of a pair behind the text of the line so far. -1 when the record
 * is bad or dropped. */
static int put_side(const struct pack *pack, struct pack_worker *worker,
                    struct oy_record *record, struct pack_talk *talk,
                    const char *name)
{
    struct oy_buffer *line = &worker->line;
    struct pack_encoded encoded;
    const char *why = NULL;

    if (pack_chat_encode(worker->chat, talk, &encoded, &why)) {
        oy_record_fail(record, "%s: %s", name, why);
        return -1;
    }
    if (!fit(pack, record, &encoded)) {
        drop(record, "overlong");
        return -1;
    }
    if (!has_target(&encoded)) {
        drop(record, "without_target");
        return -1;
    }
    oy_buffer_append_format(line, "\"%s\":{\"ids\":", name);
    pack_put_ids(line, encoded.id, encoded.n);
    oy_buffer_append_string(line, ",\"labels\":");
    pack_put_labels(line, encoded.id, encoded.loss, encoded.n);
    oy_buffer_append_string(line, "}");
    record->word[WORD_BYTES] += encoded.text_bytes;
    record->word[WORD_TOKENS] += encoded.n;
    return 0;
}

int pack_judge_dpo(void *self, void *state, struct oy_record *record, int pass,
                   struct oy_error *err)
{
    const struct pack *pack = self;
    struct pack_worker *worker = state;
    struct oy_buffer *line = &worker->line;
    struct pack_talk chosen, rejected;
    const char *why = NULL;

    (void)pass;
    (void)err;
    if (begin(pack, worker, record))
        return 0;
    if (pack_read_pair(record->found, pack_chat_arena(worker->chat), &chosen,
                       &rejected, &why)) {
        oy_record_fail(record, "%s", why);
        return 0;
    }
    oy_buffer_clear(line);
    oy_buffer_append_string(line, "{");
    if (put_side(pack, worker, record, &chosen, "chosen"))
        return 0;
    oy_buffer_append_string(line, ",");
    if (put_side(pack, worker, record, &rejected, "rejected"))
        return 0;
    oy_buffer_append_string(line, "}\n");
    record->blob_len = line->len;
    record->blob = oy_arena_copy(record->arena, line->data, line->len);
    return 0;
}

/* ---- prompts ---- */

int pack_judge_rl(void *self, void *state, struct oy_record *record, int pass,
                  struct oy_error *err)
{
    const struct pack *pack = self;
    struct pack_worker *worker = state;
    const size_t most = (size_t)pack->settings->seq_len;
    struct pack_encoded encoded;

    (void)pass;
    (void)err;
    if (encode(pack, worker, record, pack_chat_encode_prompt, &encoded))
        return 0;
    const size_t n = encoded.n;
    if (!fit(pack, record, &encoded)) {
        drop(record, "overlong");
        return 0;
    }
    /* The end of a prompt is what is answered: its beginning is cut off. */
    if (most && n > most)
        encoded.id += n - most;
    oy_buffer_clear(&worker->line);
    pack_put_ids(&worker->line, encoded.id, encoded.n);
    oy_record_set_member(
        record, "ids",
        oy_arena_copy(record->arena, worker->line.data, worker->line.len),
        worker->line.len);
    record->word[WORD_BYTES] = encoded.text_bytes;
    record->word[WORD_TOKENS] = encoded.n;
    return 0;
}

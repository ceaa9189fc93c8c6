/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the tokens and merges of a BPE model. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

/* ---- tokens ---- */

static int read_tokens(struct vocab_loader *loader,
                       const struct oy_json_value *map)
{
    struct vocab *vocab = loader->vocab;
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    int more, is_bytes;
    int64_t id;
    size_t len;

    if (map->kind != OY_JSON_OBJECT)
        return oy_fail(loader->err, OY_DATA, "'model.vocab' is not an object");
    oy_json_enter(&cursor, map);
    while ((more = oy_json_next_member(&cursor, &key, &value)) > 0) {
        char *at = vocab->text + loader->used;
        if (vocab_read_spelled(loader, &key, at, &len, &is_bytes))
            return -1;
        if (oy_json_int64(&value, &id))
            return oy_fail(loader->err, OY_DATA, "a token's id is no number");
        if (vocab_open_id(loader, id))
            return -1;
        vocab->token[id] = (struct vocab_token){
            .at = (uint32_t)loader->used,
            .len = (uint32_t)len,
            .is_used = 1,
            .is_bytes = (uint8_t)is_bytes,
        };
        loader->used += len;
        vocab->n_model++;
    }
    if (more < 0)
        return oy_fail(loader->err, OY_DATA, "'model.vocab': %s", cursor.why);
    return 0;
}

/* ---- merges ---- */

/* One half of a merge: its bytes go to `out`. */
static int read_half(struct vocab_loader *loader,
                     const struct oy_json_value *half, char *out, size_t *len,
                     int *is_bytes, int32_t *id)
{
    if (vocab_read_spelled(loader, half, out, len, is_bytes))
        return -1;
    *id = vocab_find_spelled(loader->vocab, out, *len, *is_bytes);
    if (*id < 0)
        return oy_fail(loader->err, OY_DATA,
                       "merge %zu: '%.*s' is not in the vocabulary",
                       loader->vocab->n_merge, (int)half->len, half->at);
    return 0;
}

/* The two halves of `["a","b"]` or `"a b"`. 0 for a line to be left out. */
static int halves_of(struct vocab_loader *loader,
                     const struct oy_json_value *value,
                     struct oy_json_value half[2], struct oy_buffer *scratch)
{
    struct oy_json_cursor cursor;

    if (value->kind == OY_JSON_ARRAY) {
        oy_json_enter(&cursor, value);
        if (oy_json_next_element(&cursor, &half[0]) == 1 &&
            oy_json_next_element(&cursor, &half[1]) == 1)
            return 1;
        return oy_fail(loader->err, OY_DATA, "merge %zu is not a pair",
                       loader->vocab->n_merge);
    }
    if (value->kind != OY_JSON_STRING)
        return oy_fail(loader->err, OY_DATA, "merge %zu is not a string",
                       loader->vocab->n_merge);
    if (value->len > 9 && !memcmp(value->at, "\"#version", 9))
        return 0;
    const char *text = value->at + 1;
    const size_t len = value->len - 2;
    const char *space = memchr(text, ' ', len);
    if (!space || memchr(space + 1, ' ', len - (size_t)(space + 1 - text)))
        return oy_fail(loader->err, OY_DATA, "merge %zu is not two parts",
                       loader->vocab->n_merge);
    /* Each half becomes a JSON string of its own. */
    const size_t n_left = (size_t)(space - text);
    oy_buffer_clear(scratch);
    oy_buffer_append_char(scratch, '"');
    oy_buffer_append(scratch, text, n_left);
    oy_buffer_append_string(scratch, "\"\"");
    oy_buffer_append(scratch, space + 1, len - n_left - 1);
    oy_buffer_append_char(scratch, '"');
    half[0] = half[1] = (struct oy_json_value){.kind = OY_JSON_STRING};
    half[0].at = scratch->data;
    half[0].len = n_left + 2;
    half[1].at = scratch->data + n_left + 2;
    half[1].len = len - n_left + 1;
    return 1;
}

/* The token that the concatenation in `room` spells. Neighbours in the list
 * are often two ways to the same token, so the last one is tried first. */
static int32_t find_result(const struct vocab *vocab, const char *room,
                           size_t len, int is_bytes)
{
    if (vocab->n_merge && vocab->merge[vocab->n_merge - 1].result >= 0) {
        const int32_t id = vocab->merge[vocab->n_merge - 1].result;
        const struct vocab_token *token = &vocab->token[id];
        if (token->len == len && token->is_bytes == is_bytes &&
            !memcmp(vocab->text + token->at, room, len))
            return id;
    }
    return vocab_find_spelled(vocab, room, len, is_bytes);
}

/* Resolves one merge; `room` holds any two halves. */
static int read_merge(struct vocab_loader *loader,
                      const struct oy_json_value half[2], char *room,
                      struct vocab_merge *merge)
{
    size_t len[2];
    int is_bytes[2];

    if (read_half(loader, &half[0], room, &len[0], &is_bytes[0], &merge->left))
        return -1;
    if (read_half(loader, &half[1], room + len[0], &len[1], &is_bytes[1],
                  &merge->right))
        return -1;
    if (is_bytes[0] != is_bytes[1]) {
        /* The result is spelled partly outside the byte alphabet, so no
         * text ever reaches it. */
        merge->result = -1;
        return 0;
    }
    merge->result =
        find_result(loader->vocab, room, len[0] + len[1], is_bytes[0]);
    if (merge->result < 0)
        return oy_fail(loader->err, OY_DATA,
                       "merge %zu: its result is not in the vocabulary",
                       loader->vocab->n_merge);
    return 0;
}

static int read_merges(struct vocab_loader *loader,
                       const struct oy_json_value *list,
                       struct oy_buffer *scratch, char *room)
{
    struct vocab *vocab = loader->vocab;
    struct oy_json_cursor cursor;
    struct oy_json_value value, half[2];
    size_t cap = 0;
    int more;

    if (list->kind != OY_JSON_ARRAY)
        return oy_fail(loader->err, OY_DATA, "'model.merges' is not a list");
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &value)) > 0) {
        const int is_pair = halves_of(loader, &value, half, scratch);
        if (is_pair < 0)
            return -1;
        if (!is_pair)
            continue;
        OY_GROW(vocab->merge, cap, vocab->n_merge + 1);
        if (read_merge(loader, half, room, &vocab->merge[vocab->n_merge]))
            return -1;
        vocab->n_merge++;
    }
    if (more < 0)
        return oy_fail(loader->err, OY_DATA, "'model.merges': %s", cursor.why);
    return 0;
}

/* ---- the model ---- */

/* Members of the model. */
enum {
    VOCAB,
    MERGES,
    TYPE,
    DROPOUT,
    UNK_TOKEN,
    PREFIX,
    SUFFIX,
    BYTE_FALLBACK,
    FUSE_UNK,
    IGNORE_MERGES,
    N_MODEL_PART,
};

static const char *const model_part[N_MODEL_PART] = {
    [VOCAB] = "vocab",
    [MERGES] = "merges",
    [TYPE] = "type",
    [DROPOUT] = "dropout",
    [UNK_TOKEN] = "unk_token",
    [PREFIX] = "continuing_subword_prefix",
    [SUFFIX] = "end_of_word_suffix",
    [BYTE_FALLBACK] = "byte_fallback",
    [FUSE_UNK] = "fuse_unk",
    [IGNORE_MERGES] = "ignore_merges",
};

static int is_true(const struct oy_json_value *value)
{
    int truth;

    return !oy_json_bool(value, &truth) && truth;
}

/* Options of the model that change ids and that we do not do. */
static int check_model_options(const struct oy_json_value *part,
                               struct oy_error *err)
{
    double share = 0;

    if (!vocab_is_absent(&part[TYPE]) && !oy_json_equals(&part[TYPE], "BPE"))
        return oy_fail(err, OY_DATA, "model type %.*s is not supported",
                       (int)part[TYPE].len, part[TYPE].at);
    for (int i = PREFIX; i <= SUFFIX; i++) {
        if (!vocab_is_absent(&part[i]) && !oy_json_equals(&part[i], ""))
            return oy_fail(err, OY_DATA, "model option '%s' is not supported",
                           model_part[i]);
    }
    if (!oy_json_double(&part[DROPOUT], &share) && share > 0)
        return oy_fail(err, OY_DATA, "model option 'dropout' is not supported");
    return 0;
}

/* Byte-level models that have all 256 bytes know every text. */
static int knows_all(const struct vocab *vocab)
{
    int n = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        n += vocab_find(vocab, &c, 1) >= 0;
    }
    return vocab->is_byte_level && n == 256;
}

/* What becomes of unknown characters. The tokens must be known already. */
static int read_unknown(struct vocab_loader *loader,
                        const struct oy_json_value part[N_MODEL_PART])
{
    struct vocab *vocab = loader->vocab;
    const struct oy_json_value *unk = &part[UNK_TOKEN];
    size_t len;
    int is_bytes;

    vocab->unk_id = -1;
    if (knows_all(vocab))
        return 0;
    vocab->fuse_unk = is_true(&part[FUSE_UNK]);
    vocab->byte_fallback = is_true(&part[BYTE_FALLBACK]);
    if (vocab->byte_fallback && vocab->is_byte_level)
        return oy_fail(loader->err, OY_DATA,
                       "model option 'byte_fallback' is not supported with "
                       "a ByteLevel pre_tokenizer");
    if (vocab_is_absent(unk) || oy_json_equals(unk, ""))
        return 0;
    char *text = oy_alloc(3 * unk->len);
    if (vocab_read_spelled(loader, unk, text, &len, &is_bytes)) {
        oy_free(text);
        return -1;
    }
    vocab->unk_id = vocab_find_spelled(vocab, text, len, is_bytes);
    oy_free(text);
    if (vocab->unk_id < 0)
        return oy_fail(loader->err, OY_DATA,
                       "unk_token %.*s is not in the vocabulary", (int)unk->len,
                       unk->at);
    return 0;
}

int vocab_read_model(struct vocab_loader *loader,
                     const struct oy_json_value *model, size_t size)
{
    struct oy_json_value part[N_MODEL_PART];
    struct oy_buffer scratch = {0};

    if (model->kind != OY_JSON_OBJECT)
        return oy_fail(loader->err, OY_DATA, "not a tokenizer: no 'model'");
    if (vocab_find_members(model, N_MODEL_PART, model_part, part))
        return oy_fail(loader->err, OY_DATA, "malformed 'model'");
    if (check_model_options(part, loader->err))
        return -1;
    loader->vocab->ignore_merges = is_true(&part[IGNORE_MERGES]);
    if (read_tokens(loader, &part[VOCAB]))
        return -1;
    vocab_build_table(loader->vocab);
    if (read_unknown(loader, part))
        return -1;
    char *room = oy_alloc(6 * size + 16);
    const int failed = read_merges(loader, &part[MERGES], &scratch, room);
    oy_free(room);
    oy_buffer_release(&scratch);
    return failed;
}

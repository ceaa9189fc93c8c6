/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: which model it is, and what models share. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

static const char *const part_name[VOCAB_N_MODEL_PART] = {
    [VOCAB_TOKENS] = "vocab",
    [VOCAB_MERGES] = "merges",
    [VOCAB_TYPE] = "type",
    [VOCAB_DROPOUT] = "dropout",
    [VOCAB_UNK_TOKEN] = "unk_token",
    [VOCAB_UNK_ID] = "unk_id",
    [VOCAB_PREFIX] = "continuing_subword_prefix",
    [VOCAB_SUFFIX] = "end_of_word_suffix",
    [VOCAB_BYTE_FALLBACK] = "byte_fallback",
    [VOCAB_FUSE_UNK] = "fuse_unk",
    [VOCAB_IGNORE_MERGES] = "ignore_merges",
    [VOCAB_MAX_CHARACTERS] = "max_input_chars_per_word",
};

int vocab_fail_part(struct vocab_loader *loader, int part, const char *why)
{
    return oy_fail(loader->err, OY_DATA, "model.%s: %s", part_name[part], why);
}

/* ---- tokens ---- */

int vocab_add_token(struct vocab_loader *loader,
                    const struct oy_json_value *spelled, int64_t id)
{
    struct vocab *vocab = loader->vocab;
    char *at = vocab->text + loader->used;
    int is_bytes;
    size_t len;

    if (vocab_read_spelled(loader, spelled, at, &len, &is_bytes) ||
        vocab_open_id(loader, id))
        return -1;
    struct vocab_token *token = &vocab->token[id];
    if (token->is_used)
        return oy_fail(loader->err, OY_DATA, "another token has id %lld",
                       (long long)id);
    *token = (struct vocab_token){
        .at = (uint32_t)loader->used,
        .len = (uint32_t)len,
        .is_used = 1,
        .is_model = 1,
        .is_bytes = (uint8_t)is_bytes,
    };
    loader->used += len;
    vocab->n_model++;
    return 0;
}

/* A name in a message: its begin, with whole characters. */
static int shown_length(const struct oy_json_value *name)
{
    size_t len = name->len;

    if (len <= 60)
        return (int)len;
    for (len = 60; len && ((unsigned char)name->at[len] & 0xc0) == 0x80;)
        len--;
    return (int)len;
}

int vocab_read_tokens(struct vocab_loader *loader,
                      const struct oy_json_value *map)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    int64_t id;
    int more;

    if (map->kind != OY_JSON_OBJECT)
        return vocab_fail_part(loader, VOCAB_TOKENS, "not an object");
    oy_json_enter(&cursor, map);
    while ((more = oy_json_next_member(&cursor, &key, &value)) > 0) {
        if (oy_json_int64(&value, &id))
            oy_fail(loader->err, OY_DATA, "not an id");
        else if (!vocab_add_token(loader, &key, id))
            continue;
        return oy_fail_at(loader->err, "model.vocab.%.*s", shown_length(&key),
                          key.at);
    }
    if (more < 0) {
        vocab_fail_json(loader, &cursor);
        return oy_fail_at(loader->err, "model.vocab");
    }
    return vocab_build_table(loader, 1);
}

void vocab_forget_tokens(struct vocab_loader *loader)
{
    struct vocab *vocab = loader->vocab;

    oy_free(vocab->slot);
    vocab->slot = NULL;
    vocab->n_id = vocab->n_model = 0;
    loader->used = 0;
}

/* ---- options ---- */

int vocab_read_flag(struct vocab_loader *loader,
                    const struct oy_json_value *parts, int part, int *flag)
{
    *flag = 0;
    if (vocab_is_absent(&parts[part]) || !oy_json_bool(&parts[part], flag))
        return 0;
    return vocab_fail_part(loader, part, "not a boolean");
}

int vocab_read_affix(struct vocab_loader *loader,
                     const struct oy_json_value *parts, int part,
                     struct oy_text *affix)
{
    struct vocab *vocab = loader->vocab;
    uint64_t n_repaired = 0;
    const char *why = NULL;

    if (vocab_is_absent(&parts[part]))
        return 0;
    if (parts[part].kind != OY_JSON_STRING)
        return vocab_fail_part(loader, part, "not a string");
    if (oy_json_text(&parts[part], &vocab->arena, affix, &n_repaired, &why))
        return vocab_fail_part(loader, part, why);
    /* What is borrowed from the document does not outlive it. */
    affix->at = oy_arena_copy(&vocab->arena, affix->at, affix->len);
    return 0;
}

int vocab_read_unk_token(struct vocab_loader *loader,
                         const struct oy_json_value *parts)
{
    const struct oy_json_value *unk = &parts[VOCAB_UNK_TOKEN];
    struct vocab *vocab = loader->vocab;
    size_t len;
    int is_bytes;

    /* The room behind the tokens is free. */
    char *text = vocab->text + loader->used;
    if (vocab_read_spelled(loader, unk, text, &len, &is_bytes))
        return oy_fail_at(loader->err, "model.unk_token");
    vocab->unk_id = vocab_find_spelled(vocab, text, len, is_bytes);
    if (vocab->unk_id >= 0)
        return 0;
    return oy_fail(loader->err, OY_DATA,
                   "model.unk_token: %.*s is not in the vocabulary",
                   shown_length(unk), unk->at);
}

/* ---- models of whole tokens ---- */

/* Both fail on a text with something unknown when there is no token for it:
 * MissingUnkToken of HF's wordpiece/mod.rs and wordlevel/mod.rs. */
static int read_wordlevel(struct vocab_loader *loader,
                          const struct oy_json_value *parts)
{
    return vocab_read_tokens(loader, &parts[VOCAB_TOKENS]) ||
                   vocab_read_unk_token(loader, parts)
               ? -1
               : 0;
}

static int read_wordpiece(struct vocab_loader *loader,
                          const struct oy_json_value *parts)
{
    const struct oy_json_value *max = &parts[VOCAB_MAX_CHARACTERS];
    struct vocab *vocab = loader->vocab;

    /* Defaults of WordPieceBuilder. */
    vocab->prefix = (struct oy_text){"##", 2};
    vocab->max_characters = 100;
    if (vocab_read_affix(loader, parts, VOCAB_PREFIX, &vocab->prefix))
        return -1;
    if (!vocab_is_absent(max) && (oy_json_int64(max, &vocab->max_characters) ||
                                  vocab->max_characters < 0))
        return vocab_fail_part(loader, VOCAB_MAX_CHARACTERS, "not a count");
    return read_wordlevel(loader, parts);
}

/* ---- which one ---- */

typedef int (*model_reader)(struct vocab_loader *loader,
                            const struct oy_json_value *parts);

static const struct {
    const char *type;
    model_reader read;
} known_model[] = {
    [VOCAB_BPE] = {"BPE", vocab_read_bpe},
    [VOCAB_WORDPIECE] = {"WordPiece", read_wordpiece},
    [VOCAB_UNIGRAM] = {"Unigram", vocab_read_unigram},
    [VOCAB_WORDLEVEL] = {"WordLevel", read_wordlevel},
};

/* Old files do not tell; HF tries one after the other (ModelUntagged in
 * models/mod.rs). */
static enum vocab_model guess_model(const struct oy_json_value *parts)
{
    if (parts[VOCAB_TOKENS].kind == OY_JSON_ARRAY)
        return VOCAB_UNIGRAM;
    if (parts[VOCAB_MERGES].kind != OY_JSON_MISSING)
        return VOCAB_BPE;
    return parts[VOCAB_MAX_CHARACTERS].kind == OY_JSON_MISSING
               ? VOCAB_WORDLEVEL
               : VOCAB_WORDPIECE;
}

static int find_model(struct vocab_loader *loader,
                      const struct oy_json_value *parts)
{
    const struct oy_json_value *type = &parts[VOCAB_TYPE];

    if (vocab_is_absent(type)) {
        loader->vocab->model = guess_model(parts);
        return 0;
    }
    for (size_t i = 0; i < sizeof known_model / sizeof *known_model; i++) {
        if (!oy_json_equals(type, known_model[i].type))
            continue;
        loader->vocab->model = (enum vocab_model)i;
        return 0;
    }
    return oy_fail(loader->err, OY_DATA, "model.type: %.*s is not supported",
                   shown_length(type), type->at);
}

int vocab_read_model(struct vocab_loader *loader,
                     const struct oy_json_value *model, int has_byte_level)
{
    struct oy_json_value parts[VOCAB_N_MODEL_PART];
    struct vocab *vocab = loader->vocab;

    if (model->kind != OY_JSON_OBJECT)
        return oy_fail(loader->err, OY_DATA, "model: not an object");
    if (vocab_find_parts(loader, model, VOCAB_N_MODEL_PART, part_name, parts))
        return oy_fail_at(loader->err, "model");
    if (find_model(loader, parts))
        return -1;
    vocab->unk_id = -1;
    vocab->is_byte_level = has_byte_level && vocab->model == VOCAB_BPE;
    vocab->spells_bytes = has_byte_level && vocab->model != VOCAB_BPE;
    return known_model[vocab->model].read(loader, parts);
}

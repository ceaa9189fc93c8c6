/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the tokenizer inside a GGUF: the keys tokenizer.ggml.* as
 * llama.cpp's src/llama-vocab.cpp and gguf-py write and read them. */
#include "tokenizer/document_gguf.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

#define KEY "tokenizer.ggml."

static const char mark[] = "\xe2\x96\x81";

/* The state of one reading. */
struct reader {
    const struct oy_gguf *gguf;
    struct draft *draft;
    struct document_pieces pieces;
    struct oy_error *err;
};

static const struct oy_gguf_value *find(const struct reader *reader,
                                        const char *key)
{
    return oy_gguf_find(reader->gguf, key);
}

static int is_text(struct oy_text text, const char *other)
{
    return text.len == strlen(other) && !memcmp(text.at, other, text.len);
}

/* A flag that may be absent. */
static int read_flag(struct reader *reader, const char *key, int *flag)
{
    const struct oy_gguf_value *value = find(reader, key);

    return value && oy_gguf_bool(value, flag)
               ? oy_fail(reader->err, OY_DATA, "%s: not a boolean", key)
               : 0;
}

/* A token's id that may be absent. */
static int read_id(struct reader *reader, const char *key, int32_t *id)
{
    const struct oy_gguf_value *value = find(reader, key);
    int64_t number;

    if (!value)
        return 0;
    if (oy_gguf_int64(value, &number))
        return oy_fail(reader->err, OY_DATA, "%s: not an integer", key);
    /* UINT32_MAX says that there is none. */
    if (number == UINT32_MAX || number == -1) {
        *id = -1;
        return 0;
    }
    if (number < 0 || (uint64_t)number >= reader->draft->n_token)
        return oy_fail(reader->err, OY_DATA, "%s: %lld is no token", key,
                       (long long)number);
    *id = (int32_t)number;
    return 0;
}

/* ---- tokens ---- */

/* An array of this key and as many elements as there are tokens, or NULL. */
static int find_array(struct reader *reader, const char *key,
                      const struct oy_gguf_value **array)
{
    *array = find(reader, key);
    if (!*array)
        return 0;
    if (!(*array)->is_array)
        return oy_fail(reader->err, OY_DATA, "%s: not an array", key);
    if ((*array)->n < reader->draft->n_token)
        return oy_fail(reader->err, OY_DATA, "%s: %llu elements for %zu tokens",
                       key, (unsigned long long)(*array)->n,
                       reader->draft->n_token);
    return 0;
}

static int read_tokens(struct reader *reader)
{
    const struct oy_gguf_value *list = find(reader, KEY "tokens");
    struct draft *draft = reader->draft;
    struct oy_text text;
    size_t at = 0;

    if (!list || !list->is_array || list->type != OY_GGUF_STRING)
        return oy_fail(reader->err, OY_DATA, KEY "tokens: %s",
                       list ? "not an array of strings" : "missing");
    while (oy_gguf_next_text(list, &at, &text)) {
        const int64_t id = (int64_t)draft->n_token;
        if (!oy_utf8_valid(text.at, text.len))
            return oy_fail(reader->err, OY_DATA, KEY "tokens[%lld]: not UTF-8",
                           (long long)id);
        if (!text.len) /* as llama.cpp calls it */
            text = draft_format(draft, "[EMPTY_%zu]", draft->n_token);
        if (draft_add_token(draft, text, id, 0, reader->err))
            return oy_fail_at(reader->err, KEY "tokens");
    }
    return draft->n_token ? 0
                          : oy_fail(reader->err, OY_DATA, KEY "tokens: empty");
}

static int read_types(struct reader *reader)
{
    const struct oy_gguf_value *array;
    const size_t n = reader->draft->n_token;
    int64_t type;

    reader->pieces.type = oy_alloc(n);
    memset(reader->pieces.type, PIECE_NORMAL, n);
    if (find_array(reader, KEY "token_type", &array))
        return -1;
    for (size_t i = 0; array && i < n; i++) {
        if (oy_gguf_element_int64(array, i, &type) || type < 0 ||
            type > PIECE_BYTE)
            return oy_fail(reader->err, OY_DATA,
                           KEY "token_type[%zu]: not a type of tokens", i);
        /* 0 is "undefined". */
        reader->pieces.type[i] = (uint8_t)(type ? type : PIECE_NORMAL);
    }
    return 0;
}

static int read_scores(struct reader *reader)
{
    const struct oy_gguf_value *array;
    struct draft *draft = reader->draft;
    double score = 0;

    if (find_array(reader, KEY "scores", &array))
        return -1;
    if (array && array->type != OY_GGUF_F32)
        return oy_fail(reader->err, OY_DATA, KEY "scores: not of floats");
    for (size_t i = 0; array && i < draft->n_token; i++) {
        oy_gguf_element_double(array, i, &score);
        if (!isfinite(score))
            return oy_fail(reader->err, OY_DATA,
                           KEY "scores[%zu]: not a number", i);
        draft->token[i].score = (float)score;
    }
    return 0;
}

static int read_ids(struct reader *reader)
{
    struct document_pieces *pieces = &reader->pieces;

    return read_id(reader, KEY "bos_token_id", &pieces->bos_id) ||
                   read_id(reader, KEY "eos_token_id", &pieces->eos_id) ||
                   read_id(reader, KEY "unknown_token_id", &pieces->unk_id) ||
                   read_flag(reader, KEY "add_bos_token", &pieces->add_bos) ||
                   read_flag(reader, KEY "add_eos_token", &pieces->add_eos)
               ? -1
               : 0;
}

/* ---- added tokens ---- */

/* The converter fills up a vocabulary with "[PAD32007]", the number being the
 * id: no text is to become one. */
static int is_filler(const struct draft_token *token)
{
    char name[32];

    snprintf(name, sizeof name, "[PAD%d]", token->id);
    return is_text(token->text, name);
}

static void add_specials(struct reader *reader)
{
    const size_t n = reader->draft->n_token;

    for (size_t i = 0; i < n; i++) {
        const struct draft_token *token = &reader->draft->token[i];
        const int type = reader->pieces.type[i];
        if (type == PIECE_CONTROL ||
            (type == PIECE_USER_DEFINED && !is_filler(token)))
            draft_add_added(reader->draft, token->text, token->id,
                            type == PIECE_CONTROL);
    }
}

/* The text of a token, for the configuration; NULL for none. */
static char *name_of(struct reader *reader, int32_t id)
{
    const struct oy_text *text = id < 0 ? NULL : &reader->draft->token[id].text;

    return text ? oy_arena_copy(&reader->draft->arena, text->at, text->len)
                : NULL;
}

static void take_names(struct reader *reader)
{
    reader->draft->bos_token = name_of(reader, reader->pieces.bos_id);
    reader->draft->eos_token = name_of(reader, reader->pieces.eos_id);
}

static int frame(struct reader *reader)
{
    const struct draft *draft = reader->draft;

    return draft_frame(
        reader->draft, reader->pieces.add_bos ? draft->bos_token : NULL,
        reader->pieces.add_eos ? draft->eos_token : NULL, reader->err);
}

/* ---- gpt2: merges of bytes ---- */

static int add_merge(struct draft *draft, struct oy_text text)
{
    /* A space may begin the left part, as llama.cpp has it. */
    const char *space =
        text.len > 1 ? memchr(text.at + 1, ' ', text.len - 1) : NULL;
    const size_t n_left = space ? (size_t)(space - text.at) : 0;

    if (!space || n_left + 1 == text.len || !oy_utf8_valid(text.at, text.len))
        return -1;
    OY_GROW(draft->merge, draft->cap_merge, draft->n_merge + 1);
    draft->merge[draft->n_merge++] = (struct draft_merge){
        {text.at, n_left},
        {space + 1, text.len - n_left - 1},
    };
    return 0;
}

static int read_merges(struct reader *reader)
{
    const struct oy_gguf_value *list = find(reader, KEY "merges");
    struct oy_text text;
    size_t at = 0;

    if (!list || !list->is_array || list->type != OY_GGUF_STRING)
        return oy_fail(reader->err, OY_DATA, KEY "merges: %s",
                       list ? "not an array of strings" : "missing");
    while (oy_gguf_next_text(list, &at, &text)) {
        if (add_merge(reader->draft, text))
            return oy_fail(reader->err, OY_DATA,
                           KEY "merges[%zu]: not two parts",
                           reader->draft->n_merge);
    }
    return 0;
}

/* Files from before the key was there: GPT-NeoX's way is known. */
static const struct document_pre *pre_by_architecture(struct reader *reader)
{
    const struct oy_text olmo = {"olmo", 4};
    struct oy_text name = {"", 0};

    oy_gguf_text(find(reader, "general.architecture"), &name);
    if (is_text(name, "gptneox"))
        return document_pre_find(olmo);
    oy_fail(reader->err, OY_DATA,
            KEY "pre: missing, so how texts are cut is not known");
    return NULL;
}

static const struct document_pre *find_pre(struct reader *reader)
{
    const struct oy_gguf_value *value = find(reader, KEY "pre");
    struct oy_text name;

    if (!value)
        return pre_by_architecture(reader);
    if (oy_gguf_text(value, &name)) {
        oy_fail(reader->err, OY_DATA, KEY "pre: not a string");
        return NULL;
    }
    const struct document_pre *pre = document_pre_find(name);
    if (!pre)
        oy_fail(reader->err, OY_DATA, KEY "pre: '%.*s' is not supported",
                (int)name.len, name.at);
    return pre;
}

static int read_bytes(struct reader *reader)
{
    struct draft *draft = reader->draft;
    struct document_pieces *pieces = &reader->pieces;
    const struct document_pre *pre = find_pre(reader);

    if (!pre || read_merges(reader))
        return -1;
    *pieces = (struct document_pieces){.type = pieces->type,
                                       .unk_id = -1,
                                       .bos_id = -1,
                                       .eos_id = -1,
                                       .add_bos = pre->adds_bos};
    if (read_ids(reader))
        return -1;
    add_specials(reader);
    take_names(reader);
    draft->ignore_merges = pre->ignores_merges;
    if (pre->normalizer)
        oy_buffer_append_string(&draft->normalizer, pre->normalizer);
    document_pre_put(pre, &draft->pre_tokenizer);
    draft_put_byte_level(&draft->decoder, 1, 1, 1);
    if (pre->adds_sep && draft->bos_token && draft->eos_token)
        return draft_put_cls_sep(draft, draft->bos_token, draft->eos_token, 1,
                                 reader->err);
    return frame(reader);
}

/* ---- llama, t5: SentencePiece ---- */

static int read_charsmap(struct reader *reader)
{
    const struct oy_gguf_value *value =
        find(reader, KEY "precompiled_charsmap");

    if (!value)
        return 0;
    if (!value->is_array ||
        (value->type != OY_GGUF_U8 && value->type != OY_GGUF_I8))
        return oy_fail(reader->err, OY_DATA,
                       KEY "precompiled_charsmap: not an array of bytes");
    reader->pieces.charsmap =
        (struct oy_text){(const char *)value->at, value->size};
    return 0;
}

/* A file without types tells bytes by their names. */
static int looks_like_byte(struct oy_text text)
{
    return text.len == 6 && !memcmp(text.at, "<0x", 3) && text.at[5] == '>';
}

static int check_bytes(struct reader *reader)
{
    const int has_types = find(reader, KEY "token_type") != NULL;

    for (size_t i = 0; i < reader->draft->n_token; i++) {
        const struct oy_text text = reader->draft->token[i].text;
        if (!has_types && looks_like_byte(text))
            reader->pieces.type[i] = PIECE_BYTE;
        if (reader->pieces.type[i] != PIECE_BYTE)
            continue;
        if (!document_is_byte_piece(text))
            return oy_fail(reader->err, OY_DATA,
                           KEY "tokens[%zu]: not the name of a byte", i);
        reader->pieces.byte_fallback = 1;
    }
    return 0;
}

static int read_pieces(struct reader *reader, int is_unigram)
{
    struct document_pieces *pieces = &reader->pieces;
    struct document_config none = {0};

    /* Defaults are those of llama_vocab::impl::load. */
    pieces->is_unigram = is_unigram;
    pieces->unk_id = is_unigram ? 2 : 0;
    pieces->bos_id = is_unigram ? -1 : 1;
    pieces->eos_id = is_unigram ? 1 : 2;
    pieces->add_bos = !is_unigram;
    pieces->add_eos = is_unigram;
    pieces->add_dummy_prefix = 1;
    if (read_ids(reader) || read_charsmap(reader) || check_bytes(reader) ||
        read_flag(reader, KEY "add_space_prefix", &pieces->add_dummy_prefix) ||
        read_flag(reader, KEY "remove_extra_whitespaces",
                  &pieces->remove_extra_whitespaces))
        return -1;
    if (pieces->unk_id < 0 || (size_t)pieces->unk_id >= reader->draft->n_token)
        return oy_fail(reader->err, OY_DATA,
                       KEY "unknown_token_id: there is no such token");
    return document_from_pieces(pieces, &none, reader->draft, reader->err);
}

/* ---- bert: WordPiece ---- */

/* Words begin with U+2581 here, and what goes on with nothing. */
static struct oy_text respell(struct draft *draft, struct oy_text text)
{
    const size_t n_mark = sizeof mark - 1;

    if (text.len >= n_mark && !memcmp(text.at, mark, n_mark))
        return (struct oy_text){text.at + n_mark, text.len - n_mark};
    char *spelled = oy_arena_alloc(&draft->arena, text.len + 2);
    memcpy(spelled, "##", 2);
    memcpy(spelled + 2, text.at, text.len);
    return (struct oy_text){spelled, text.len + 2};
}

static int respell_tokens(struct reader *reader, struct draft *spelled)
{
    for (size_t i = 0; i < reader->draft->n_token; i++) {
        const struct draft_token *token = &reader->draft->token[i];
        const int is_word = reader->pieces.type[i] == PIECE_NORMAL;
        if (draft_add_token(
                spelled, is_word ? respell(spelled, token->text) : token->text,
                token->id, 0, reader->err))
            return oy_fail_at(reader->err, KEY "tokens");
    }
    return 0;
}

static int read_words(struct reader *reader)
{
    struct draft spelled = {.model = DRAFT_WORDPIECE};
    struct document_pieces *pieces = &reader->pieces;
    int32_t sep = 102;
    int lowercase = 1, strips = -1;

    /* Defaults are those of llama_vocab::impl::load. */
    pieces->bos_id = 101;
    pieces->eos_id = -1;
    pieces->unk_id = 100;
    if (read_ids(reader) ||
        read_id(reader, KEY "cls_token_id", &pieces->bos_id) ||
        read_id(reader, KEY "seperator_token_id", &sep) ||
        read_flag(reader, KEY "normalizer.lowercase", &lowercase) ||
        read_flag(reader, KEY "normalizer.strip_accents", &strips))
        return -1;
    const size_t n = reader->draft->n_token;
    if ((size_t)pieces->bos_id >= n || (size_t)pieces->unk_id >= n ||
        (size_t)sep >= n)
        return oy_fail(reader->err, OY_DATA,
                       KEY "tokens: none for [CLS], [SEP] or [UNK]");
    /* Names of empty tokens lie in the arena. */
    spelled.arena = reader->draft->arena;
    reader->draft->arena = (struct oy_arena){0};
    const int failed = respell_tokens(reader, &spelled);
    draft_release(reader->draft);
    *reader->draft = spelled;
    if (failed)
        return -1;
    add_specials(reader);
    reader->draft->unk = reader->draft->token[pieces->unk_id].text;
    draft_put_bert(reader->draft, lowercase, strips, 1);
    return draft_put_cls_sep(reader->draft, name_of(reader, pieces->bos_id),
                             name_of(reader, sep), 0, reader->err);
}

/* ---- the whole ---- */

static int read_template(struct reader *reader)
{
    const struct oy_gguf_value *value = find(reader, "tokenizer.chat_template");
    struct oy_text text;

    if (!value)
        return 0;
    if (oy_gguf_text(value, &text) || !oy_utf8_valid(text.at, text.len))
        return oy_fail(reader->err, OY_DATA,
                       "tokenizer.chat_template: not a string of UTF-8");
    reader->draft->chat_template =
        oy_arena_copy(&reader->draft->arena, text.at, text.len);
    return 0;
}

static int read_model(struct reader *reader)
{
    struct oy_text model;

    if (oy_gguf_text(find(reader, KEY "model"), &model))
        return oy_fail(reader->err, OY_DATA,
                       KEY "model: missing or not a string");
    if (is_text(model, "no_vocab"))
        return oy_fail(reader->err, OY_NOINPUT,
                       "there is no tokenizer in it (" KEY "model: no_vocab)");
    if (read_tokens(reader) || read_types(reader) || read_scores(reader))
        return -1;
    if (is_text(model, "gpt2"))
        return read_bytes(reader);
    if (is_text(model, "llama"))
        return read_pieces(reader, 0);
    if (is_text(model, "t5"))
        return read_pieces(reader, 1);
    if (is_text(model, "bert"))
        return read_words(reader);
    return oy_fail(reader->err, OY_DATA, KEY "model: '%.*s' is not supported",
                   (int)model.len, model.at);
}

int document_read_gguf(const struct oy_gguf *gguf, struct draft *draft,
                       struct oy_error *err)
{
    struct reader reader = {.gguf = gguf, .draft = draft, .err = err};
    int failed = read_model(&reader);

    if (!failed)
        failed = read_template(&reader);
    oy_free(reader.pieces.type);
    return failed ? -1 : 0;
}

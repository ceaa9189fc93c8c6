/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: tokens, merges and added tokens. */
#include "tokenizer/vocab.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/vocab_internal.h"

enum { MAX_FILE_SIZE = 512 << 20 };

/* From bytes to id: open addressing at a load of a half at most. Place and
 * length are those of the token, so that a look-up touches two lines. */
struct vocab_slot {
    uint32_t tag; /* upper half of the hash, 0 = free */
    int32_t id;
    uint32_t at;
    uint32_t size; /* size_of() */
};

/* The state of one load. */
struct loader {
    struct vocab *vocab;
    struct oy_arena arena; /* for strings with escapes */
    struct oy_error *err;
    struct byte_alphabet alphabet;
    size_t used; /* of vocab->text */
};

/* ---- the table from bytes to id ---- */

/* Up to 8 bytes as one word, without reading behind them. */
static uint64_t load_few(const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t low, high;

    if (len >= 4) {
        memcpy(&low, s, 4);
        memcpy(&high, s + len - 4, 4);
        return (uint64_t)high << 32 | low;
    }
    if (!len)
        return 0;
    return (uint64_t)s[0] | (uint64_t)s[len / 2] << 8 |
           (uint64_t)s[len - 1] << 16;
}

static uint64_t hash_bytes(const char *bytes, size_t len, int is_bytes)
{
    uint64_t h = len * 0x9e3779b97f4a7c15ULL + (uint64_t)is_bytes;
    uint64_t word;

    for (; len > 8; len -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdULL;
        h ^= h >> 32;
    }
    return oy_mix64(h ^ load_few(bytes, len));
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

/* The length, and whether it is one of bytes or of characters. */
static uint32_t size_of(size_t len, int is_bytes)
{
    return (uint32_t)len << 1 | (uint32_t)is_bytes;
}

/* The slot that holds these bytes, or the free one where they belong. */
static struct vocab_slot *find_slot(const struct vocab *vocab,
                                    const char *bytes, size_t len, int is_bytes)
{
    const uint64_t hash = hash_bytes(bytes, len, is_bytes);
    const uint32_t tag = tag_of(hash);
    const uint32_t size = size_of(len, is_bytes);

    for (uint32_t i = (uint32_t)hash & vocab->slot_mask;;
         i = (i + 1) & vocab->slot_mask) {
        struct vocab_slot *slot = &vocab->slot[i];
        if (!slot->tag)
            return slot;
        if (slot->tag == tag && slot->size == size &&
            !memcmp(vocab->text + slot->at, bytes, len))
            return slot;
    }
}

static int32_t find_id(const struct vocab *vocab, const char *bytes, size_t len,
                       int is_bytes)
{
    const struct vocab_slot *slot = find_slot(vocab, bytes, len, is_bytes);

    return slot->tag ? slot->id : -1;
}

int32_t vocab_find(const struct vocab *vocab, const char *bytes, size_t len)
{
    return find_id(vocab, bytes, len, 1);
}

/* ---- tokens ---- */

/* The bytes of a spelled string at `out`, which has room for all of it. */
static int read_spelled(struct loader *loader,
                        const struct oy_json_value *value, char *out,
                        size_t *len, int *is_bytes)
{
    const int is_byte_level = loader->vocab->is_byte_level;
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    int64_t n = -1;

    if (value->kind != OY_JSON_STRING)
        return oy_fail(loader->err, OY_DATA, "a token is not a string");
    /* Neither `\` escapes nor other bytes get through this unharmed: `\` is
     * of the alphabet, so it is looked for. */
    const char *raw = value->at + 1;
    const size_t n_raw = value->len - 2;
    if (is_byte_level && !memchr(raw, '\\', n_raw))
        n = byte_alphabet_map(&loader->alphabet, raw, n_raw, out);
    if (n < 0) {
        oy_arena_clear(&loader->arena);
        if (oy_json_text(value, &loader->arena, &text, &n_repaired, &why))
            return oy_fail(loader->err, OY_DATA, "bad token: %s", why);
        if (is_byte_level)
            n = byte_alphabet_map(&loader->alphabet, text.at, text.len, out);
        *is_bytes = n >= 0 || !is_byte_level;
        if (n < 0 && text.len)
            memcpy(out, text.at, text.len);
        *len = n < 0 ? text.len : (size_t)n;
        return 0;
    }
    *is_bytes = 1;
    *len = (size_t)n;
    return 0;
}

/* Makes token[id] exist. */
static int open_id(struct loader *loader, int64_t id)
{
    struct vocab *vocab = loader->vocab;

    if (id < 0 || id >= VOCAB_MAX_ID)
        return oy_fail(loader->err, OY_DATA, "token id %lld out of range",
                       (long long)id);
    if (id < vocab->n_id)
        return 0;
    OY_GROW(vocab->token, vocab->cap_token, (size_t)id + 1);
    memset(vocab->token + vocab->n_id, 0,
           ((size_t)id + 1 - (size_t)vocab->n_id) * sizeof *vocab->token);
    vocab->n_id = (int32_t)id + 1;
    return 0;
}

static int read_tokens(struct loader *loader, const struct oy_json_value *map)
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
        if (read_spelled(loader, &key, at, &len, &is_bytes))
            return -1;
        if (oy_json_int64(&value, &id))
            return oy_fail(loader->err, OY_DATA, "a token's id is no number");
        if (open_id(loader, id))
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

static void build_table(struct vocab *vocab)
{
    uint32_t size = 16;

    while (size < 2U * (uint32_t)vocab->n_id)
        size *= 2;
    vocab->slot = oy_try_alloc(size, sizeof *vocab->slot);
    if (!vocab->slot)
        vocab->slot = oy_calloc(size, sizeof *vocab->slot);
    vocab->slot_mask = size - 1;
    for (int32_t id = 0; id < vocab->n_id; id++) {
        const struct vocab_token *token = &vocab->token[id];
        if (!token->is_used)
            continue;
        const char *bytes = vocab->text + token->at;
        struct vocab_slot *slot =
            find_slot(vocab, bytes, token->len, token->is_bytes);
        *slot = (struct vocab_slot){
            .tag = tag_of(hash_bytes(bytes, token->len, token->is_bytes)),
            .id = id,
            .at = token->at,
            .size = size_of(token->len, token->is_bytes),
        };
    }
}

/* ---- merges ---- */

/* One half of a merge: its bytes go to `out`. */
static int read_half(struct loader *loader, const struct oy_json_value *half,
                     char *out, size_t *len, int *is_bytes, int32_t *id)
{
    if (read_spelled(loader, half, out, len, is_bytes))
        return -1;
    *id = find_id(loader->vocab, out, *len, *is_bytes);
    if (*id < 0)
        return oy_fail(loader->err, OY_DATA,
                       "merge %zu: '%.*s' is not in the vocabulary",
                       loader->vocab->n_merge, (int)half->len, half->at);
    return 0;
}

/* The two halves of `["a","b"]` or `"a b"`. 0 for a line to be left out. */
static int halves_of(struct loader *loader, const struct oy_json_value *value,
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
    return find_id(vocab, room, len, is_bytes);
}

/* Resolves one merge; `room` holds any two halves. */
static int read_merge(struct loader *loader, const struct oy_json_value half[2],
                      char *room, struct vocab_merge *merge)
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

static int read_merges(struct loader *loader, const struct oy_json_value *list,
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

int vocab_is_absent(const struct oy_json_value *value)
{
    return value->kind == OY_JSON_MISSING || value->kind == OY_JSON_NULL;
}

int vocab_find_members(const struct oy_json_value *object, int n,
                       const char *const *name, struct oy_json_value *value)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, member;
    int more;

    memset(value, 0, (size_t)n * sizeof *value);
    oy_json_enter(&cursor, object);
    while ((more = oy_json_next_member(&cursor, &key, &member)) > 0) {
        for (int i = 0; i < n; i++) {
            if (oy_json_equals(&key, name[i]))
                value[i] = member;
        }
    }
    return more;
}

int vocab_bool(const struct oy_json_value *object, const char *name,
               int otherwise)
{
    const struct oy_json_value value = oy_json_member(object, name);
    int truth;

    return oy_json_bool(&value, &truth) ? otherwise : truth;
}

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
static int read_unknown(struct loader *loader,
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
    if (read_spelled(loader, unk, text, &len, &is_bytes)) {
        oy_free(text);
        return -1;
    }
    vocab->unk_id = find_id(vocab, text, len, is_bytes);
    oy_free(text);
    if (vocab->unk_id < 0)
        return oy_fail(loader->err, OY_DATA,
                       "unk_token %.*s is not in the vocabulary", (int)unk->len,
                       unk->at);
    return 0;
}

static int read_model(struct loader *loader, const struct oy_json_value *model,
                      size_t size)
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
    build_table(loader->vocab);
    if (read_unknown(loader, part))
        return -1;
    char *room = oy_alloc(6 * size + 16);
    const int failed = read_merges(loader, &part[MERGES], &scratch, room);
    oy_free(room);
    oy_buffer_release(&scratch);
    return failed;
}

/* ---- added tokens ---- */

static struct vocab_added *find_added(const struct vocab *vocab,
                                      const char *content, size_t len)
{
    for (size_t i = 0; i < vocab->n_added; i++) {
        struct vocab_added *added = &vocab->added[i];
        if (added->len == len && !memcmp(added->content, content, len))
            return added;
    }
    return NULL;
}

/* The id is not the file's: the model's own for a known content, else the
 * next free one (add_tokens in HF's tokenizer/added_vocabulary.rs). */
static int32_t id_for_added(const struct loader *loader, const char *bytes,
                            size_t len, int is_bytes)
{
    const struct vocab *vocab = loader->vocab;
    const int32_t known = find_id(vocab, bytes, len, is_bytes);
    int32_t next = vocab->n_model;

    if (known >= 0)
        return known;
    for (size_t i = 0; i < vocab->n_added; i++) {
        if (vocab->added[i].id >= next)
            next = vocab->added[i].id + 1;
    }
    return next;
}

static int add_token(struct loader *loader, const struct oy_json_value *entry)
{
    struct vocab *vocab = loader->vocab;
    const struct oy_json_value value = oy_json_member(entry, "content");
    char *bytes = vocab->text + loader->used;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    struct oy_text text;
    size_t len;
    int is_bytes;

    if (read_spelled(loader, &value, bytes, &len, &is_bytes))
        return -1;
    oy_arena_clear(&loader->arena);
    if (oy_json_text(&value, &loader->arena, &text, &n_repaired, &why))
        return oy_fail(loader->err, OY_DATA, "bad added token: %s", why);
    if (!text.len)
        return 0;
    struct vocab_added *added = find_added(vocab, text.at, text.len);
    if (!added) {
        const int32_t id = id_for_added(loader, bytes, len, is_bytes);
        if (open_id(loader, id))
            return -1;
        OY_GROW(vocab->added, vocab->cap_added, vocab->n_added + 1);
        added = &vocab->added[vocab->n_added++];
        *added = (struct vocab_added){.id = id, .len = text.len};
        added->content = oy_strndup(text.at, text.len);
    }
    added->single_word = vocab_bool(entry, "single_word", 0);
    added->lstrip = vocab_bool(entry, "lstrip", 0);
    added->rstrip = vocab_bool(entry, "rstrip", 0);
    added->special = vocab_bool(entry, "special", 0);
    added->normalized = vocab_bool(entry, "normalized", !added->special);
    struct vocab_token *token = &vocab->token[added->id];
    if (!token->is_used) {
        token->at = (uint32_t)loader->used;
        token->len = (uint32_t)len;
        token->is_bytes = (uint8_t)is_bytes;
        loader->used += len;
    }
    token->is_used = token->is_added = 1;
    token->is_special = (uint8_t)added->special;
    return 0;
}

static int read_added(struct loader *loader, const struct oy_json_value *list)
{
    struct oy_json_cursor cursor;
    struct oy_json_value entry;
    int more;

    if (vocab_is_absent(list))
        return 0;
    if (list->kind != OY_JSON_ARRAY)
        return oy_fail(loader->err, OY_DATA, "'added_tokens' is not a list");
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &entry)) > 0) {
        if (entry.kind != OY_JSON_OBJECT)
            return oy_fail(loader->err, OY_DATA,
                           "an added token is not an object");
        if (add_token(loader, &entry))
            return -1;
    }
    if (more < 0)
        return oy_fail(loader->err, OY_DATA, "'added_tokens': %s", cursor.why);
    return 0;
}

const struct vocab_added *vocab_find_added(const struct vocab *vocab,
                                           int32_t id)
{
    for (size_t i = vocab->n_added; i-- > 0;) {
        if (vocab->added[i].id == id)
            return &vocab->added[i];
    }
    return NULL;
}

/* HF 0.23 knows tokens with `normalized` by what the normalizer makes of
 * them, in decoding too (normalized_cache of added_vocabulary.rs); with
 * skip_special_tokens it asks whether that is the content of a special one. */
static void normalize_added(struct vocab *vocab)
{
    struct oy_buffer work[2] = {{0}, {0}};

    for (size_t i = 0; i < vocab->n_added; i++) {
        struct vocab_added *added = &vocab->added[i];
        struct vocab_token *token = &vocab->token[added->id];
        const struct oy_text content = {added->content, added->len};
        added->normal = content;
        if (!added->normalized)
            continue;
        const struct oy_text normal =
            normalize_text(&vocab->normalizer, content, work, NULL);
        if (normal.len == content.len &&
            !memcmp(normal.at, content.at, content.len))
            continue;
        added->normal.at = oy_arena_copy(&vocab->arena, normal.at, normal.len);
        added->normal.len = normal.len;
        const struct vocab_added *other =
            find_added(vocab, normal.at, normal.len);
        token->is_special = other && other->special;
        token->is_renamed = 1;
        vocab->has_renamed = 1;
    }
    oy_buffer_release(&work[0]);
    oy_buffer_release(&work[1]);
}

int32_t vocab_find_content(const struct vocab *vocab, const char *content,
                           size_t len)
{
    const struct vocab_added *added = find_added(vocab, content, len);
    struct byte_alphabet alphabet;

    if (added)
        return added->id;
    if (!vocab->is_byte_level)
        return vocab_find(vocab, content, len);
    byte_alphabet_init(&alphabet);
    char *bytes = oy_alloc(len);
    const int64_t n = byte_alphabet_map(&alphabet, content, len, bytes);
    const int32_t id = n < 0 ? find_id(vocab, content, len, 0)
                             : find_id(vocab, bytes, (size_t)n, 1);
    oy_free(bytes);
    return id;
}

/* ---- the file ---- */

static int is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The document as an object whose inside is still to be walked: one pass over
 * a large file less. */
static struct oy_json_value whole_object(const char *data, size_t len)
{
    while (len && is_space(*data)) {
        data++;
        len--;
    }
    while (len && is_space(data[len - 1]))
        len--;
    const int is_object = len > 1 && data[0] == '{' && data[len - 1] == '}';
    return (struct oy_json_value){
        .kind = is_object ? OY_JSON_OBJECT : OY_JSON_MISSING,
        .at = data,
        .len = len,
    };
}

static int read_document(struct vocab *vocab, const char *data, size_t len,
                         struct oy_error *err)
{
    static const char *const name[VOCAB_N_PART] = {
        [VOCAB_MODEL] = "model",
        [VOCAB_ADDED_TOKENS] = "added_tokens",
        [VOCAB_NORMALIZER] = "normalizer",
        [VOCAB_PRE_TOKENIZER] = "pre_tokenizer",
        [VOCAB_DECODER] = "decoder",
        [VOCAB_POST_PROCESSOR] = "post_processor",
    };
    struct loader loader = {.vocab = vocab, .err = err};
    struct oy_json_value root, part[VOCAB_N_PART];

    root = whole_object(data, len);
    if (root.kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "not a tokenizer");
    if (vocab_find_members(&root, VOCAB_N_PART, name, part))
        return oy_fail(err, OY_DATA, "malformed object");
    byte_alphabet_init(&loader.alphabet);
    /* Unescaped, a token is not longer than in the file, but a repaired byte
     * takes three. */
    vocab->text = oy_alloc(3 * len);
    vocab->hash = oy_hash128(data, len);
    vocab->is_byte_level = vocab_has_byte_level(&part[VOCAB_PRE_TOKENIZER]);
    int failed = read_model(&loader, &part[VOCAB_MODEL], len);
    if (!failed)
        failed = read_added(&loader, &part[VOCAB_ADDED_TOKENS]);
    if (!failed)
        failed = vocab_read_pipeline(vocab, part, err);
    if (!failed)
        normalize_added(vocab);
    oy_arena_release(&loader.arena);
    return failed ? -1 : 0;
}

static char *join(const char *folder, const char *name)
{
    return oy_asprintf("%s/%s", folder, name);
}

/* The tokenizer.json that PATH means, and the folder whose configuration
 * belongs to it (NULL: none). Both are the caller's. */
static char *find_file(const char *path, char **folder)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        *folder = oy_strdup(path);
        char *plain = join(path, "tokenizer.json");
        if (!access(plain, F_OK))
            return plain;
        char *packed = join(path, "tokenizer.json.zst");
        if (!access(packed, F_OK)) {
            oy_free(plain);
            return packed;
        }
        oy_free(packed);
        return plain; /* its absence will be the message */
    }
    if (!strcmp(name, "tokenizer.json") || !strcmp(name, "tokenizer.json.zst"))
        *folder =
            slash ? oy_strndup(path, (size_t)(slash - path)) : oy_strdup(".");
    return oy_strdup(path);
}

struct vocab *vocab_load(const char *path, struct oy_error *err)
{
    struct vocab *vocab = NULL;
    char *folder = NULL;
    char *file = find_file(path, &folder);
    size_t len;
    char *data = oy_input_slurp(file, MAX_FILE_SIZE, &len, err);

    if (!data)
        goto out;
    vocab = oy_calloc(1, sizeof *vocab);
    vocab->path = oy_strdup(file);
    int failed = read_document(vocab, data, len, err);
    if (failed)
        oy_fail_at(err, "%s", file);
    else if (folder)
        failed = vocab_read_config(vocab, folder, err);
    if (failed) {
        vocab_free(vocab);
        vocab = NULL;
    }
out:
    oy_free(data);
    oy_free(file);
    oy_free(folder);
    return vocab;
}

void vocab_free(struct vocab *vocab)
{
    if (!vocab)
        return;
    for (size_t i = 0; i < vocab->n_added; i++)
        oy_free(vocab->added[i].content);
    oy_free(vocab->added);
    oy_free(vocab->path);
    oy_free(vocab->text);
    oy_free(vocab->token);
    oy_free(vocab->merge);
    oy_free(vocab->slot);
    oy_free(vocab->before);
    oy_free(vocab->behind);
    oy_free(vocab->bos_token);
    oy_free(vocab->eos_token);
    oy_free(vocab->chat_template);
    oy_arena_release(&vocab->arena);
    oy_free(vocab);
}

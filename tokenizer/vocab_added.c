/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the added tokens. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/vocab_internal.h"

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
static int32_t id_for_added(const struct vocab_loader *loader,
                            const char *bytes, size_t len, int is_bytes)
{
    const struct vocab *vocab = loader->vocab;
    const int32_t known = vocab_find_spelled(vocab, bytes, len, is_bytes);
    int32_t next = vocab->n_model;

    if (known >= 0)
        return known;
    for (size_t i = 0; i < vocab->n_added; i++) {
        if (vocab->added[i].id >= next)
            next = vocab->added[i].id + 1;
    }
    return next;
}

static int add_token(struct vocab_loader *loader,
                     const struct oy_json_value *entry)
{
    struct vocab *vocab = loader->vocab;
    const struct oy_json_value value = oy_json_member(entry, "content");
    char *bytes = vocab->text + loader->used;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    struct oy_text text;
    size_t len;
    int is_bytes;

    if (vocab_read_spelled(loader, &value, bytes, &len, &is_bytes))
        return -1;
    oy_arena_clear(&loader->arena);
    if (oy_json_text(&value, &loader->arena, &text, &n_repaired, &why))
        return oy_fail(loader->err, OY_DATA, "bad added token: %s", why);
    if (!text.len)
        return 0;
    struct vocab_added *added = find_added(vocab, text.at, text.len);
    if (!added) {
        const int32_t id = id_for_added(loader, bytes, len, is_bytes);
        if (vocab_open_id(loader, id))
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

int vocab_read_added(struct vocab_loader *loader,
                     const struct oy_json_value *list)
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
void vocab_normalize_added(struct vocab *vocab)
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
    const int32_t id = n < 0 ? vocab_find_spelled(vocab, content, len, 0)
                             : vocab_find_spelled(vocab, bytes, (size_t)n, 1);
    oy_free(bytes);
    return id;
}

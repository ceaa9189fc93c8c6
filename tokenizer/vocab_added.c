/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the added tokens. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/vocab_internal.h"

/* ---- from content to token ---- */

/* The slot of a content, or the free one where it belongs. */
static uint32_t *find_slot(const struct vocab *vocab, const char *content,
                           size_t len)
{
    for (uint32_t i = (uint32_t)oy_hash64(content, len) & vocab->added_mask;;
         i = (i + 1) & vocab->added_mask) {
        uint32_t *slot = &vocab->added_slot[i];
        if (!*slot)
            return slot;
        const struct vocab_added *added = &vocab->added[*slot - 1];
        if (added->len == len && !memcmp(added->content, content, len))
            return slot;
    }
}

static struct vocab_added *find_added(const struct vocab *vocab,
                                      const char *content, size_t len)
{
    if (!vocab->n_added)
        return NULL;
    const uint32_t number = *find_slot(vocab, content, len);
    return number ? &vocab->added[number - 1] : NULL;
}

/* Room for one more at a load of a half at most. */
static void grow_slots(struct vocab *vocab)
{
    if (vocab->added_slot && 2 * (vocab->n_added + 1) <= vocab->added_mask)
        return;
    const uint32_t size = vocab->added_slot ? 2 * (vocab->added_mask + 1) : 64;
    oy_free(vocab->added_slot);
    vocab->added_slot = oy_calloc(size, sizeof *vocab->added_slot);
    vocab->added_mask = size - 1;
    for (uint32_t i = 0; i < vocab->n_added; i++) {
        const struct vocab_added *added = &vocab->added[i];
        *find_slot(vocab, added->content, added->len) = i + 1;
    }
}

/* ---- added tokens ---- */

/* A new added token of this content; NULL after a failure. */
static struct vocab_added *new_added(struct vocab_loader *loader,
                                     struct oy_text content, int32_t id)
{
    struct vocab *vocab = loader->vocab;

    if (vocab_open_id(loader, id))
        return NULL;
    grow_slots(vocab);
    OY_GROW(vocab->added, vocab->cap_added, vocab->n_added + 1);
    struct vocab_added *added = &vocab->added[vocab->n_added];
    *added = (struct vocab_added){.id = id, .len = content.len};
    added->content = oy_strndup(content.at, content.len);
    *find_slot(vocab, content.at, content.len) = (uint32_t)++vocab->n_added;
    return added;
}

/* Members of an added token, in the order in which HF writes them. */
enum {
    ID,
    CONTENT,
    SINGLE_WORD,
    LSTRIP,
    RSTRIP,
    NORMALIZED,
    SPECIAL,
    N_MEMBER,
};

static const char *const member_name[N_MEMBER] = {
    [ID] = "id",           [CONTENT] = "content", [SINGLE_WORD] = "single_word",
    [LSTRIP] = "lstrip",   [RSTRIP] = "rstrip",   [NORMALIZED] = "normalized",
    [SPECIAL] = "special",
};

static int fail_member(struct vocab_loader *loader, int member, const char *why)
{
    return oy_fail(loader->err, OY_DATA, "added_tokens[%zu].%s: %s",
                   loader->n_entry, member_name[member], why);
}

static int read_flags(struct vocab_loader *loader,
                      const struct oy_json_value *member,
                      struct vocab_added *added)
{
    int flag[N_MEMBER] = {0};

    for (int i = SINGLE_WORD; i < N_MEMBER; i++) {
        if (!vocab_is_absent(&member[i]) && oy_json_bool(&member[i], &flag[i]))
            return fail_member(loader, i, "not a boolean");
    }
    added->single_word = flag[SINGLE_WORD];
    added->lstrip = flag[LSTRIP];
    added->rstrip = flag[RSTRIP];
    added->special = flag[SPECIAL];
    added->normalized = vocab_is_absent(&member[NORMALIZED]) ? !added->special
                                                             : flag[NORMALIZED];
    return 0;
}

/* Reads the content as text, and as the bytes of a token behind the others. */
static int read_content(struct vocab_loader *loader,
                        const struct oy_json_value *value,
                        struct oy_text *content, size_t *len, int *is_bytes)
{
    char *bytes = loader->vocab->text + loader->used;
    uint64_t n_repaired = 0;
    const char *why = NULL;

    if (vocab_read_spelled(loader, value, bytes, len, is_bytes))
        return oy_fail_at(loader->err, "added_tokens[%zu].content",
                          loader->n_entry);
    oy_arena_clear(&loader->arena);
    return oy_json_text(value, &loader->arena, content, &n_repaired, &why)
               ? fail_member(loader, CONTENT, why)
               : 0;
}

/* What the id of an added token stands for from now on. One that the model
 * has given away already (its ids have holes) decodes to the added token, and
 * stays the model's in encoding. Once special is always special. */
static void claim_id(struct vocab_loader *loader,
                     const struct vocab_added *added, int is_new, size_t len,
                     int is_bytes)
{
    struct vocab *vocab = loader->vocab;
    struct vocab_token *token = &vocab->token[added->id];

    if (!token->is_used) {
        token->at = (uint32_t)loader->used;
        token->len = (uint32_t)len;
        token->is_bytes = (uint8_t)is_bytes;
        loader->used += len;
    } else if (is_new && token->is_model) {
        token->is_renamed = 1;
        vocab->has_renamed = 1;
    }
    token->is_used = token->is_added = 1;
    token->is_special |= (uint8_t)added->special;
}

/* The id is not the file's: the model's own for a known content, else the
 * next free one (add_tokens in HF's tokenizer/added_vocabulary.rs). */
static int read_entry(struct vocab_loader *loader,
                      const struct oy_json_value *entry)
{
    struct vocab *vocab = loader->vocab;
    struct oy_json_value member[N_MEMBER];
    struct oy_text content;
    int64_t file_id;
    size_t len;
    int is_bytes;

    if (entry->kind != OY_JSON_OBJECT)
        return oy_fail(loader->err, OY_DATA, "added_tokens[%zu]: not an object",
                       loader->n_entry);
    if (vocab_find_parts(loader, entry, N_MEMBER, member_name, member))
        return oy_fail_at(loader->err, "added_tokens[%zu]", loader->n_entry);
    if (read_content(loader, &member[CONTENT], &content, &len, &is_bytes))
        return -1;
    if (!vocab_is_absent(&member[ID]) && oy_json_int64(&member[ID], &file_id))
        return fail_member(loader, ID, "not an id");
    if (!content.len)
        return 0;
    struct vocab_added *added = find_added(vocab, content.at, content.len);
    const int32_t known =
        vocab_find_spelled(vocab, vocab->text + loader->used, len, is_bytes);
    const int is_new = !added && known < 0;
    if (!added)
        added = new_added(loader, content, is_new ? loader->next_id++ : known);
    if (!added)
        return oy_fail_at(loader->err, "added_tokens[%zu]", loader->n_entry);
    if (read_flags(loader, member, added))
        return -1;
    claim_id(loader, added, is_new, len, is_bytes);
    return 0;
}

int vocab_read_added(struct vocab_loader *loader,
                     const struct oy_json_value *list)
{
    struct oy_json_cursor cursor;
    struct oy_json_value entry;
    int more;

    loader->next_id = loader->vocab->n_model;
    if (vocab_is_absent(list))
        return 0;
    if (list->kind != OY_JSON_ARRAY)
        return oy_fail(loader->err, OY_DATA, "added_tokens: not a list");
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &entry)) > 0) {
        if (read_entry(loader, &entry))
            return -1;
        loader->n_entry++;
    }
    if (more < 0) {
        vocab_fail_json(loader, &cursor);
        return oy_fail_at(loader->err, "added_tokens");
    }
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

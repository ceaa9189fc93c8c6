/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a tokenizer: what its parts share, and the document as a whole. */
#include "tokenizer/vocab.h"

#include <string.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/keep.h"
#include "tokenizer/vocab_internal.h"

/* ---- parts ---- */

/* Strings with escapes, invalid bytes or characters outside the alphabet. */
static int read_hard(struct vocab_loader *loader, const char *raw, size_t n_raw,
                     char *out, size_t *len, int *is_bytes)
{
    struct oy_buffer *quoted = &loader->scratch;
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    int64_t n = -1;

    oy_buffer_clear(quoted);
    oy_buffer_append_char(quoted, '"');
    oy_buffer_append(quoted, raw, n_raw);
    oy_buffer_append_char(quoted, '"');
    const struct oy_json_value value = {OY_JSON_STRING, quoted->data,
                                        quoted->len};
    oy_arena_clear(&loader->arena);
    if (oy_json_text(&value, &loader->arena, &text, &n_repaired, &why))
        return oy_fail(loader->err, OY_DATA, "%s", why);
    if (loader->vocab->is_byte_level)
        n = byte_alphabet_map(&loader->alphabet, text.at, text.len, out);
    *is_bytes = n >= 0 || !loader->vocab->is_byte_level;
    *len = n >= 0 ? (size_t)n : text.len;
    if (n < 0 && text.len)
        memcpy(out, text.at, text.len);
    return 0;
}

int vocab_read_raw(struct vocab_loader *loader, const char *raw, size_t n_raw,
                   char *out, size_t *len, int *is_bytes)
{
    int64_t n = -1;

    if (memchr(raw, '\\', n_raw))
        return read_hard(loader, raw, n_raw, out, len, is_bytes);
    if (loader->vocab->is_byte_level) {
        n = byte_alphabet_map(&loader->alphabet, raw, n_raw, out);
    } else if (loader->is_valid) {
        memcpy(out, raw, n_raw);
        n = (int64_t)n_raw;
    }
    if (n < 0)
        return read_hard(loader, raw, n_raw, out, len, is_bytes);
    *is_bytes = 1;
    *len = (size_t)n;
    return 0;
}

int vocab_read_spelled(struct vocab_loader *loader,
                       const struct oy_json_value *value, char *out,
                       size_t *len, int *is_bytes)
{
    if (value->kind != OY_JSON_STRING)
        return oy_fail(loader->err, OY_DATA, "not a string");
    return vocab_read_raw(loader, value->at + 1, value->len - 2, out, len,
                          is_bytes);
}

/* Makes token[id] exist. */
int vocab_open_id(struct vocab_loader *loader, int64_t id)
{
    struct vocab *vocab = loader->vocab;

    if (id < 0 || id >= VOCAB_MAX_ID)
        return oy_fail(loader->err, OY_DATA, "id %lld is out of range",
                       (long long)id);
    if (id < vocab->n_id)
        return 0;
    OY_GROW(vocab->token, vocab->cap_token, (size_t)id + 1);
    memset(vocab->token + vocab->n_id, 0,
           ((size_t)id + 1 - (size_t)vocab->n_id) * sizeof *vocab->token);
    vocab->n_id = (int32_t)id + 1;
    return 0;
}

int vocab_is_absent(const struct oy_json_value *value)
{
    return value->kind == OY_JSON_MISSING || value->kind == OY_JSON_NULL;
}

int vocab_fail_json(struct vocab_loader *loader,
                    const struct oy_json_cursor *cursor)
{
    return oy_fail(loader->err, OY_DATA, "%s at byte %zu", cursor->why,
                   (size_t)(cursor->at - loader->data));
}

int vocab_find_parts(struct vocab_loader *loader,
                     const struct oy_json_value *object, int n,
                     const char *const *name, struct oy_json_value *value)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, member;
    int more;

    memset(value, 0, (size_t)n * sizeof *value);
    oy_json_enter(&cursor, object);
    /* Members mostly come in the order asked for. */
    int next = 0;
    while ((more = oy_json_next_member(&cursor, &key, &member)) > 0) {
        int tried = 0;
        for (; tried < n && !oy_json_equals(&key, name[next]); tried++)
            next = (next + 1) % n;
        if (tried == n)
            continue;
        value[next] = member;
        next = (next + 1) % n;
    }
    return more < 0 ? vocab_fail_json(loader, &cursor) : 0;
}

/* ---- the file ---- */

static int is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The document as an object whose inside is still to be walked: one pass over
 * a large file less. */
static int open_document(struct vocab_loader *loader, const char *data,
                         size_t len, struct oy_json_value *root)
{
    const size_t size = len;

    while (len && is_space(*data)) {
        data++;
        len--;
    }
    while (len && is_space(data[len - 1]))
        len--;
    *root = (struct oy_json_value){OY_JSON_OBJECT, data, len};
    if (!len || data[0] != '{')
        return oy_fail(loader->err, OY_DATA, "not a tokenizer");
    if (len == 1 || data[len - 1] != '}')
        return oy_fail(loader->err, OY_DATA, "truncated after %zu bytes", size);
    return 0;
}

static char *copy_string(const char *text)
{
    return text ? oy_strdup(text) : NULL;
}

static const char *const part_name[VOCAB_N_PART] = {
    [VOCAB_MODEL] = "model",
    [VOCAB_ADDED_TOKENS] = "added_tokens",
    [VOCAB_NORMALIZER] = "normalizer",
    [VOCAB_PRE_TOKENIZER] = "pre_tokenizer",
    [VOCAB_DECODER] = "decoder",
    [VOCAB_POST_PROCESSOR] = "post_processor",
    [VOCAB_TRUNCATION] = "truncation",
    [VOCAB_PADDING] = "padding",
};

/* The document without its model, for tokenizer/keep.h. */
static void copy_rest(struct vocab *vocab,
                      const struct oy_json_value part[VOCAB_N_PART])
{
    struct oy_buffer *rest = &vocab->rest;

    oy_buffer_append_string(rest, "{");
    for (int i = 0; i < VOCAB_N_PART; i++) {
        if (i == VOCAB_MODEL || part[i].kind == OY_JSON_MISSING)
            continue;
        oy_buffer_append_format(rest, "%s\"%s\":", rest->len > 1 ? "," : "",
                                part_name[i]);
        oy_buffer_append(rest, part[i].at, part[i].len);
    }
    oy_buffer_append_char(rest, '}');
}

static int find_parts(struct vocab_loader *loader,
                      struct oy_json_value part[VOCAB_N_PART])
{
    struct oy_json_value root;

    return open_document(loader, loader->data, loader->size, &root) ||
                   vocab_find_parts(loader, &root, VOCAB_N_PART, part_name,
                                    part)
               ? -1
               : 0;
}

/* The model of the document, kept or read; and where its other parts are. */
static int open_model(struct vocab_loader *loader,
                      struct oy_json_value part[VOCAB_N_PART])
{
    struct vocab *vocab = loader->vocab;
    struct oy_text rest;

    if (!keep_find(vocab, &rest)) {
        loader->data = rest.at;
        loader->size = rest.len;
        loader->used = vocab->n_text;
        return find_parts(loader, part);
    }
    if (find_parts(loader, part))
        return -1;
    loader->is_valid = oy_utf8_valid(loader->data, loader->size);
    vocab->text = oy_alloc(VOCAB_TEXT_GROWTH * loader->size);
    if (vocab_read_model(loader, &part[VOCAB_MODEL],
                         vocab_has_byte_level(&part[VOCAB_PRE_TOKENIZER])))
        return -1;
    if (keep_wants(vocab))
        copy_rest(vocab, part);
    return 0;
}

static int read_document(struct vocab *vocab, const char *data, size_t len,
                         struct oy_error *err)
{
    struct vocab_loader loader = {
        .vocab = vocab, .err = err, .data = data, .size = len};
    struct oy_json_value part[VOCAB_N_PART];

    /* Places of tokens are of 32 bits. */
    if (len >= UINT32_MAX / VOCAB_TEXT_GROWTH)
        return oy_fail(err, OY_DATA, "larger than a tokenizer can be");
    byte_alphabet_init(&loader.alphabet);
    vocab->hash = oy_hash128(data, len);
    int failed = open_model(&loader, part);
    if (!failed)
        failed = vocab_read_added(&loader, &part[VOCAB_ADDED_TOKENS]);
    if (!failed)
        failed = vocab_read_pipeline(vocab, part, err);
    if (!failed)
        vocab_normalize_added(vocab);
    vocab->n_text = loader.used;
    oy_arena_release(&loader.arena);
    oy_buffer_release(&loader.scratch);
    return failed ? -1 : 0;
}

struct vocab *vocab_new(const struct tokenizer_document *document,
                        struct oy_error *err)
{
    struct vocab *vocab = oy_calloc(1, sizeof *vocab);

    vocab->path = oy_strdup(document->path);
    vocab->prefix = vocab->suffix = (struct oy_text){"", 0};
    vocab->bos_token = copy_string(document->bos_token);
    vocab->eos_token = copy_string(document->eos_token);
    vocab->chat_template = copy_string(document->chat_template);
    if (!read_document(vocab, document->json.data, document->json.len, err))
        return vocab;
    oy_fail_at(err, "%s", document->path);
    vocab_free(vocab);
    return NULL;
}

struct vocab *vocab_load(const char *path, struct oy_error *err)
{
    struct tokenizer_document document = {0};
    struct vocab *vocab = NULL;

    if (!tokenizer_document_read(path, &document, err))
        vocab = vocab_new(&document, err);
    tokenizer_document_release(&document);
    return vocab;
}

void vocab_free(struct vocab *vocab)
{
    if (!vocab)
        return;
    for (size_t i = 0; i < vocab->n_added; i++)
        oy_free(vocab->added[i].content);
    oy_free(vocab->added);
    pretokenizer_free(vocab->chain);
    oy_free(vocab->added_slot);
    oy_free(vocab->path);
    oy_free(vocab->text);
    oy_free(vocab->token);
    oy_free(vocab->merge);
    oy_free(vocab->score);
    if (vocab->kept.n)
        oy_cache_close(&vocab->kept); /* and the slots with it */
    else
        oy_free(vocab->slot);
    oy_buffer_release(&vocab->rest);
    oy_free(vocab->before);
    oy_free(vocab->behind);
    oy_free(vocab->bos_token);
    oy_free(vocab->eos_token);
    oy_free(vocab->chat_template);
    normalizer_release(&vocab->normalizer);
    for (int i = 0; i < 2; i++)
        normalizer_release(&vocab->marker[i]);
    decode_chain_release(&vocab->decoder);
    oy_arena_release(&vocab->arena);
    oy_free(vocab);
}

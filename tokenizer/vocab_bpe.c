/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the tokens and merges of a BPE model. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

/* ---- merges ---- */

enum { BATCH = 64 };

/* The tokens of a merge. */
enum { LEFT, RIGHT, RESULT, N_TEXT };

/* Merges whose tokens are looked up together: one look-up waits for memory,
 * many wait at once. */
struct merge_reader {
    struct vocab_loader *loader;
    char *room; /* texts of a batch */
    size_t used;
    size_t n_entry; /* of the file: lines that are left out count too */
    size_t cap_merge;
    size_t n; /* in the batch */
    struct merge_entry {
        size_t number; /* in the file */
        struct merge_text {
            const char *at;
            size_t len;
            uint64_t hash;
            int is_bytes;
        } text[N_TEXT];
    } entry[BATCH];
};

static int fail_merge(struct merge_reader *reader, size_t number,
                      const char *why)
{
    return oy_fail(reader->loader->err, OY_DATA, "model.merges[%zu]: %s",
                   number, why);
}

/* `a b`, cut at its space. */
static int cut_line(struct merge_reader *reader,
                    const struct oy_json_value *line, struct oy_text half[2])
{
    const char *text = line->at + 1, *end = line->at + line->len - 1;
    const char *space = memchr(text, ' ', (size_t)(end - text));

    if (!space || memchr(space + 1, ' ', (size_t)(end - space - 1)))
        return fail_merge(reader, reader->n_entry, "not two parts");
    half[LEFT] = (struct oy_text){text, (size_t)(space - text)};
    half[RIGHT] = (struct oy_text){space + 1, (size_t)(end - space - 1)};
    return 1;
}

/* `["a","b"]` */
static int cut_pair(struct merge_reader *reader,
                    const struct oy_json_value *pair, struct oy_text half[2])
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;

    oy_json_enter(&cursor, pair);
    for (int i = 0; i < 2; i++) {
        if (oy_json_next_element(&cursor, &value) != 1)
            return fail_merge(reader, reader->n_entry, "not a pair");
        if (value.kind != OY_JSON_STRING)
            return fail_merge(reader, reader->n_entry, "not strings");
        half[i] = (struct oy_text){value.at + 1, value.len - 2};
    }
    if (oy_json_next_element(&cursor, &value) != 0)
        return fail_merge(reader, reader->n_entry, "not a pair");
    return 1;
}

/* The insides of the strings that a merge is made of. 0 for a line to be left
 * out. */
static int halves_of(struct merge_reader *reader,
                     const struct oy_json_value *value, struct oy_text half[2])
{
    if (value->kind == OY_JSON_ARRAY)
        return cut_pair(reader, value, half);
    if (value->kind != OY_JSON_STRING)
        return fail_merge(reader, reader->n_entry, "not a pair");
    if (value->len > 9 && !memcmp(value->at, "\"#version", 9))
        return 0;
    return cut_line(reader, value, half);
}

/* Reads one half into the room of the batch. */
static int read_half(struct merge_reader *reader, const struct oy_text *half,
                     struct merge_text *text)
{
    struct vocab_loader *loader = reader->loader;
    char *out = reader->room + reader->used;

    if (vocab_read_raw(loader, half->at, half->len, out, &text->len,
                       &text->is_bytes))
        return oy_fail_at(loader->err, "model.merges[%zu]", reader->n_entry);
    text->at = out;
    reader->used += text->len;
    text->hash = vocab_hash(loader->vocab, out, text->len, text->is_bytes);
    return 0;
}

/* The two halves in one, the right one without its prefix. Without a prefix
 * they lie so already. */
static int join_halves(struct merge_reader *reader, struct merge_entry *entry)
{
    const struct vocab *vocab = reader->loader->vocab;
    const struct merge_text *left = &entry->text[LEFT];
    const struct merge_text *right = &entry->text[RIGHT];
    struct merge_text *result = &entry->text[RESULT];
    const size_t n_prefix = vocab->prefix.len;

    if (right->len < n_prefix)
        return fail_merge(reader, entry->number,
                          "its right part is shorter than the "
                          "continuing_subword_prefix");
    *result = *left;
    result->len = left->len + right->len - n_prefix;
    if (n_prefix) {
        char *out = reader->room + reader->used;
        memcpy(out, left->at, left->len);
        memcpy(out + left->len, right->at + n_prefix, right->len - n_prefix);
        reader->used += result->len;
        result->at = out;
    }
    return 0;
}

static int32_t find_text(struct merge_reader *reader,
                         const struct merge_text *text)
{
    return vocab_find_hashed(reader->loader->vocab, text->hash, text->at,
                             text->len, text->is_bytes);
}

static int is_token(const struct vocab *vocab, int32_t id,
                    const struct merge_text *text)
{
    if (id >= vocab->n_id)
        return 0;
    const struct vocab_token *token = &vocab->token[id];
    return token->is_used && token->len == text->len &&
           token->is_bytes == text->is_bytes &&
           !memcmp(vocab->text + token->at, text->at, text->len);
}

/* The result of a merge. Lists are mostly in the order of their results, or
 * have several ways to one result in a row. */
static int32_t find_result(struct merge_reader *reader, int32_t last,
                           const struct merge_text *text)
{
    const struct vocab *vocab = reader->loader->vocab;

    if (is_token(vocab, last + 1, text))
        return last + 1;
    if (last >= 0 && is_token(vocab, last, text))
        return last;
    return vocab_find_spelled(vocab, text->at, text->len, text->is_bytes);
}

/* Turns the texts of the batch into merges. */
static int resolve_batch(struct merge_reader *reader)
{
    struct vocab *vocab = reader->loader->vocab;

    int32_t last =
        vocab->n_merge ? vocab->merge[vocab->n_merge - 1].result : -1;
    OY_GROW(vocab->merge, reader->cap_merge, vocab->n_merge + reader->n);
    for (size_t i = 0; i < reader->n; i++) {
        const struct merge_entry *entry = &reader->entry[i];
        const struct merge_text *text = entry->text;
        struct vocab_merge *merge = &vocab->merge[vocab->n_merge++];
        merge->left = find_text(reader, &text[LEFT]);
        merge->right = find_text(reader, &text[RIGHT]);
        if (merge->left < 0 || merge->right < 0)
            return fail_merge(reader, entry->number,
                              merge->left < 0
                                  ? "its left part is not in the vocabulary"
                                  : "its right part is not in the vocabulary");
        merge->result = -1;
        /* Else the result is spelled partly outside the byte alphabet, so no
         * text ever reaches it. */
        if (text[LEFT].is_bytes != text[RIGHT].is_bytes)
            continue;
        merge->result = find_result(reader, last, &text[RESULT]);
        last = merge->result;
        if (merge->result < 0)
            return fail_merge(reader, entry->number,
                              "its result is not in the vocabulary");
    }
    reader->n = reader->used = 0;
    return 0;
}

/* One entry of the list goes to the batch. */
static int add_merge(struct merge_reader *reader,
                     const struct oy_json_value *value)
{
    struct merge_entry *entry = &reader->entry[reader->n];
    struct oy_text half[2];
    const int is_pair = halves_of(reader, value, half);

    entry->number = reader->n_entry;
    if (is_pair < 0)
        return -1;
    if (is_pair && (read_half(reader, &half[0], &entry->text[LEFT]) ||
                    read_half(reader, &half[1], &entry->text[RIGHT]) ||
                    join_halves(reader, entry)))
        return -1;
    reader->n += (size_t)is_pair;
    reader->n_entry++;
    return reader->n == BATCH ? resolve_batch(reader) : 0;
}

static int read_merges(struct merge_reader *reader,
                       const struct oy_json_value *list)
{
    struct vocab_loader *loader = reader->loader;
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int more;

    if (list->kind != OY_JSON_ARRAY)
        return vocab_fail_part(loader, VOCAB_MERGES, "not a list");
    oy_json_enter(&cursor, list);
    while ((more = oy_json_next_element(&cursor, &value)) > 0) {
        if (add_merge(reader, &value))
            return -1;
    }
    if (more < 0) {
        vocab_fail_json(loader, &cursor);
        return oy_fail_at(loader->err, "model.merges");
    }
    return resolve_batch(reader);
}

/* ---- the model ---- */

/* Whether a text of bytes has tokens for all of it, whatever it is. */
static int knows_all(const struct vocab *vocab)
{
    int n = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        n += vocab_find(vocab, &c, 1) >= 0;
    }
    return vocab->is_byte_level && n == 256;
}

static int read_options(struct vocab_loader *loader,
                        const struct oy_json_value *parts)
{
    struct vocab *vocab = loader->vocab;
    double share = 0;

    if (vocab_read_affix(loader, parts, VOCAB_PREFIX, &vocab->prefix) ||
        vocab_read_affix(loader, parts, VOCAB_SUFFIX, &vocab->suffix) ||
        vocab_read_flag(loader, parts, VOCAB_BYTE_FALLBACK,
                        &vocab->byte_fallback) ||
        vocab_read_flag(loader, parts, VOCAB_FUSE_UNK, &vocab->fuse_unk) ||
        vocab_read_flag(loader, parts, VOCAB_IGNORE_MERGES,
                        &vocab->ignore_merges))
        return -1;
    if (vocab_is_absent(&parts[VOCAB_DROPOUT]))
        return 0;
    if (oy_json_double(&parts[VOCAB_DROPOUT], &share))
        return vocab_fail_part(loader, VOCAB_DROPOUT, "not a number");
    return share == 0 ? 0
                      : vocab_fail_part(loader, VOCAB_DROPOUT,
                                        "is not supported: ids would be left "
                                        "to chance");
}

/* Tokens are kept as bytes when that loses nothing: no prefix or suffix is
 * spelled beside the bytes, and no character of the visible alphabet is taken
 * apart by byte_fallback. */
static int read_tokens(struct vocab_loader *loader,
                       const struct oy_json_value *parts)
{
    const struct oy_json_value *map = &parts[VOCAB_TOKENS];
    struct vocab *vocab = loader->vocab;
    const int has_affix = vocab->prefix.len || vocab->suffix.len;

    if (has_affix && vocab->byte_fallback)
        return vocab_fail_part(loader, VOCAB_BYTE_FALLBACK,
                               "is not supported with a prefix or a suffix");
    if (vocab->is_byte_level && !has_affix) {
        if (vocab_read_tokens(loader, map))
            return -1;
        if (!vocab->byte_fallback || knows_all(vocab))
            return 0;
        vocab_forget_tokens(loader);
    }
    vocab->spells_bytes = vocab->is_byte_level;
    vocab->is_byte_level = 0;
    return vocab_read_tokens(loader, map);
}

/* What becomes of unknown characters. The tokens must be known already. */
static int read_unknown(struct vocab_loader *loader,
                        const struct oy_json_value *parts)
{
    const struct oy_json_value *unk = &parts[VOCAB_UNK_TOKEN];
    struct vocab *vocab = loader->vocab;

    if (knows_all(vocab)) {
        vocab->fuse_unk = vocab->byte_fallback = 0;
        return 0;
    }
    if (vocab_is_absent(unk) || oy_json_equals(unk, ""))
        return 0;
    return vocab_read_unk_token(loader, parts);
}

int vocab_read_bpe(struct vocab_loader *loader,
                   const struct oy_json_value *parts)
{
    struct merge_reader reader = {.loader = loader};

    if (read_options(loader, parts) || read_tokens(loader, parts) ||
        read_unknown(loader, parts))
        return -1;
    /* Each half of a batch once, and once more in the result; a repaired byte
     * takes three. */
    reader.room = oy_alloc(6 * loader->size + OY_PADDING);
    const int failed = read_merges(&reader, &parts[VOCAB_MERGES]);
    oy_free(reader.room);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the merges of a BPE model. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

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

/* ---- the easy ones ---- */

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

/* Reads a half that has no escapes up to `stop` and returns where that is;
 * NULL when it is not so easy. */
static const char *take_half(struct merge_reader *reader, const char *at,
                             const char *end, char stop,
                             struct merge_text *text)
{
    const struct vocab_loader *loader = reader->loader;
    const int is_byte_level = loader->vocab->is_byte_level;
    char *const begin = reader->room + reader->used, *out = begin;

    for (; at < end && *at != stop; out++) {
        if (*at == '\\' || *at == '"')
            return NULL;
        const int byte = is_byte_level
                             ? byte_alphabet_next(&loader->alphabet, &at)
                             : (unsigned char)*at++;
        if (byte < 0)
            return NULL;
        *out = (char)byte;
    }
    *text = (struct merge_text){.at = begin, .is_bytes = 1};
    text->len = (size_t)(out - begin);
    text->hash = vocab_hash(loader->vocab, begin, text->len, 1);
    reader->used += text->len;
    return at < end ? at : NULL;
}

/* The character behind white space, which must be `want`; the place behind
 * it, or NULL. */
static const char *take_mark(const char *at, char want)
{
    at = at ? skip_space(at) : NULL;
    return at && *at == want ? at + 1 : NULL;
}

/* `["a","b"]` or, of a byte alphabet, which has no space, `"a b"`. */
static const char *take_halves(struct merge_reader *reader, const char *at,
                               const char *end, struct merge_text *text)
{
    const char *pair = take_mark(at, '[');

    if (pair) {
        at = take_mark(pair, '"');
        at = at ? take_half(reader, at, end, '"', &text[LEFT]) : NULL;
        at = take_mark(take_mark(take_mark(at, '"'), ','), '"');
        at = at ? take_half(reader, at, end, '"', &text[RIGHT]) : NULL;
        return take_mark(take_mark(at, '"'), ']');
    }
    at = take_mark(at, '"');
    if (!at || *at == '#' || !reader->loader->vocab->is_byte_level)
        return NULL;
    at = take_half(reader, at, end, ' ', &text[LEFT]);
    at = at ? take_half(reader, at + 1, end, '"', &text[RIGHT]) : NULL;
    return at ? at + 1 : NULL;
}

/* Moves the cursor over the next merge if it is one of nearly all; else 0,
 * and it is to be read with care. */
static int take_merge(struct merge_reader *reader,
                      struct oy_json_cursor *cursor)
{
    struct merge_entry *entry = &reader->entry[reader->n];
    const size_t used = reader->used;
    const char *at = cursor->at;

    if (!reader->loader->vocab->is_byte_level && !reader->loader->is_valid)
        return 0;
    if (cursor->started)
        at = take_mark(at, ',');
    at = at ? take_halves(reader, at, cursor->end, entry->text) : NULL;
    if (!at) {
        reader->used = used;
        return 0;
    }
    cursor->at = at;
    cursor->started = 1;
    entry->number = reader->n_entry;
    return 1;
}

/* ---- the list ---- */

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

/* One entry of the list goes to the batch. 1, or 0 for a line to be left out,
 * or -1. */
static int read_merge(struct merge_reader *reader,
                      const struct oy_json_value *value)
{
    struct merge_entry *entry = &reader->entry[reader->n];
    struct oy_text half[2];
    const int is_pair = halves_of(reader, value, half);

    entry->number = reader->n_entry;
    if (is_pair > 0 && (read_half(reader, &half[0], &entry->text[LEFT]) ||
                        read_half(reader, &half[1], &entry->text[RIGHT])))
        return -1;
    return is_pair;
}

/* 1, 0 at the end, -1 after a failure. */
static int next_merge(struct merge_reader *reader,
                      struct oy_json_cursor *cursor)
{
    struct oy_json_value value;
    int is_pair = take_merge(reader, cursor);

    if (!is_pair) {
        const int more = oy_json_next_element(cursor, &value);
        if (more < 0)
            vocab_fail_json(reader->loader, cursor);
        if (more < 0)
            return oy_fail_at(reader->loader->err, "model.merges");
        if (!more)
            return 0;
        is_pair = read_merge(reader, &value);
    }
    if (is_pair < 0 ||
        (is_pair && join_halves(reader, &reader->entry[reader->n])))
        return -1;
    reader->n += (size_t)is_pair;
    reader->n_entry++;
    return reader->n == BATCH && resolve_batch(reader) ? -1 : 1;
}

int vocab_read_merges(struct vocab_loader *loader,
                      const struct oy_json_value *list)
{
    struct merge_reader reader = {.loader = loader};
    struct oy_json_cursor cursor;
    int more;

    if (list->kind != OY_JSON_ARRAY)
        return vocab_fail_part(loader, VOCAB_MERGES, "not a list");
    /* Each half of a batch once, and once more in the result; a repaired byte
     * takes three. */
    reader.room = oy_alloc(6 * loader->size + OY_PADDING);
    oy_json_enter(&cursor, list);
    do
        more = next_merge(&reader, &cursor);
    while (more > 0);
    const int failed = more < 0 || resolve_batch(&reader);
    oy_free(reader.room);
    return failed ? -1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The draft of a tokenizer: its tokens, and merges that follow from them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/utf8.h"
#include "tokenizer/document_internal.h"
#include "tokenizer/vocab.h"

/* Of a token that is made by merges, whose ways are tried one by one: longer
 * ones are damage (o200k_base has 128 bytes, Gemma some hundreds). */
enum { MAX_MERGED = 4096 };

void draft_release(struct draft *draft)
{
    oy_arena_release(&draft->arena);
    oy_free(draft->token);
    oy_free(draft->token_map.slot);
    oy_free(draft->added_map.slot);
    oy_free(draft->merge);
    oy_free(draft->added);
    oy_buffer_release(&draft->normalizer);
    oy_buffer_release(&draft->pre_tokenizer);
    oy_buffer_release(&draft->post_processor);
    oy_buffer_release(&draft->decoder);
    *draft = (struct draft){0};
}

char *draft_keep(struct draft *draft, const char *text)
{
    return text ? oy_arena_copy(&draft->arena, text, strlen(text)) : NULL;
}

struct oy_text draft_format(struct draft *draft, const char *format, ...)
{
    char text[256];
    va_list list;

    va_start(list, format);
    const int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    OY_ASSERT(len >= 0 && (size_t)len < sizeof text);
    return (struct oy_text){oy_arena_copy(&draft->arena, text, (size_t)len),
                            (size_t)len};
}

/* ---- maps ---- */

/* The elements of an array that a map leads to. */
struct elements {
    const char *base;
    size_t size, n;
};

/* The slot of this text, or the free one where it belongs; *tag is what it
 * then has to hold. */
static struct draft_slot *find_slot(const struct draft_map *map,
                                    struct elements elements, const char *text,
                                    size_t len, uint32_t *tag)
{
    const size_t mask = map->n_slot - 1;
    const uint64_t hash = oy_hash64(text, len);

    *tag = (uint32_t)(hash >> 32);
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        struct draft_slot *slot = &map->slot[i];
        if (!slot->place)
            return slot;
        if (slot->tag != *tag)
            continue;
        const void *element = elements.base + (slot->place - 1) * elements.size;
        const struct oy_text *known = element;
        if (known->len == len && !memcmp(known->at, text, len))
            return slot;
    }
}

/* The place of this text from 1 on, or 0. */
static uint32_t find_place(const struct draft_map *map,
                           struct elements elements, const char *text,
                           size_t len)
{
    uint32_t tag;

    return elements.n ? find_slot(map, elements, text, len, &tag)->place : 0;
}

/* Makes the text lead to the place behind the last element. */
static void add_place(struct draft_map *map, struct elements elements,
                      const char *text, size_t len)
{
    uint32_t tag;
    struct draft_slot *slot = find_slot(map, elements, text, len, &tag);

    *slot = (struct draft_slot){tag, (uint32_t)elements.n + 1};
}

/* Room for one more at a load of a half. */
static void grow_map(struct draft_map *map, struct elements elements)
{
    const size_t n = elements.n;

    if (2 * (n + 1) <= map->n_slot)
        return;
    oy_free(map->slot);
    map->n_slot = map->n_slot ? 2 * map->n_slot : 1024;
    map->slot = oy_calloc(map->n_slot, sizeof *map->slot);
    for (elements.n = 0; elements.n < n; elements.n++) {
        const void *element = elements.base + elements.n * elements.size;
        const struct oy_text *text = element;
        add_place(map, elements, text->at, text->len);
    }
}

/* ---- tokens ---- */

static struct elements tokens_of(const struct draft *draft)
{
    return (struct elements){(const char *)draft->token, sizeof *draft->token,
                             draft->n_token};
}

static struct elements added_of(const struct draft *draft)
{
    return (struct elements){(const char *)draft->added, sizeof *draft->added,
                             draft->n_added};
}

int draft_add_token(struct draft *draft, struct oy_text text, int64_t id,
                    float score, struct oy_error *err)
{
    const uint32_t place =
        find_place(&draft->token_map, tokens_of(draft), text.at, text.len);

    if (id < 0 || id >= VOCAB_MAX_ID)
        return oy_fail(err, OY_DATA, "id %lld is out of range", (long long)id);
    if (place)
        return oy_fail(err, OY_DATA, "token %lld: '%.*s' is token %d too",
                       (long long)id, (int)text.len, text.at,
                       draft->token[place - 1].id);
    grow_map(&draft->token_map, tokens_of(draft));
    add_place(&draft->token_map, tokens_of(draft), text.at, text.len);
    OY_GROW(draft->token, draft->cap_token, draft->n_token + 1);
    draft->token[draft->n_token++] =
        (struct draft_token){.text = text, .id = (int32_t)id, .score = score};
    return 0;
}

const struct draft_token *draft_find(const struct draft *draft,
                                     const char *text, size_t len)
{
    const uint32_t place =
        find_place(&draft->token_map, tokens_of(draft), text, len);

    return place ? &draft->token[place - 1] : NULL;
}

struct draft_added *draft_find_added(const struct draft *draft,
                                     struct oy_text content)
{
    const uint32_t place =
        find_place(&draft->added_map, added_of(draft), content.at, content.len);

    return place ? &draft->added[place - 1] : NULL;
}

struct draft_added *draft_add_added(struct draft *draft, struct oy_text content,
                                    int32_t id, int is_special)
{
    struct draft_added *known = draft_find_added(draft, content);

    if (known)
        return known;
    grow_map(&draft->added_map, added_of(draft));
    add_place(&draft->added_map, added_of(draft), content.at, content.len);
    OY_GROW(draft->added, draft->cap_added, draft->n_added + 1);
    draft->added[draft->n_added] = (struct draft_added){
        .content = content,
        .id = id,
        .special = is_special,
    };
    return &draft->added[draft->n_added++];
}

/* ---- merges ---- */

/* A way to make a token out of two others. */
struct candidate {
    const struct draft_token *whole, *left, *right;
    size_t n_left, n_right; /* characters */
};

struct candidates {
    struct candidate *item;
    size_t n, cap;
};

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The ids settle what remains, as the order of a stable sort would. */
static int by_parts(const struct candidate *a, const struct candidate *b)
{
    const int order = by_number(a->left->id, b->left->id);

    return order ? order : by_number(a->right->id, b->right->id);
}

static int by_id(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    const int order = by_number(a->whole->id, b->whole->id);

    return order ? order : by_parts(a, b);
}

static int by_score(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->whole->score != b->whole->score)
        return a->whole->score > b->whole->score ? -1 : 1;
    if (a->n_left != b->n_left)
        return a->n_left > b->n_left ? -1 : 1;
    if (a->n_right != b->n_right)
        return a->n_right > b->n_right ? -1 : 1;
    const int order = by_number(a->whole->id, b->whole->id);
    return order ? order : by_parts(a, b);
}

static void add_candidates(const struct draft *draft,
                           const struct draft_token *whole,
                           struct candidates *found)
{
    const char *text = whole->text.at;
    const size_t len = whole->text.len;
    const size_t n_all = oy_utf8_count(text, len);
    size_t at = 0;

    for (size_t n = 1; n < n_all; n++) {
        oy_utf8_next(text, &at);
        const struct draft_token *left = draft_find(draft, text, at);
        const struct draft_token *right =
            left ? draft_find(draft, text + at, len - at) : NULL;
        if (!right)
            continue;
        OY_GROW(found->item, found->cap, found->n + 1);
        found->item[found->n++] =
            (struct candidate){whole, left, right, n, n_all - n};
    }
}

int draft_make_merges(struct draft *draft, enum draft_order order,
                      struct oy_error *err)
{
    struct candidates found = {NULL, 0, 0};

    for (size_t i = 0; i < draft->n_token; i++) {
        if (draft->token[i].text.len > MAX_MERGED) {
            oy_free(found.item);
            return oy_fail(err, OY_DATA, "token %d: longer than %d bytes",
                           draft->token[i].id, MAX_MERGED);
        }
        add_candidates(draft, &draft->token[i], &found);
    }
    if (found.n)
        qsort(found.item, found.n, sizeof *found.item,
              order == DRAFT_BY_ID ? by_id : by_score);
    OY_GROW(draft->merge, draft->cap_merge, found.n);
    for (size_t i = 0; i < found.n; i++) {
        draft->merge[i].left = found.item[i].left->text;
        draft->merge[i].right = found.item[i].right->text;
    }
    draft->n_merge = found.n;
    oy_free(found.item);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The trie of all tokens, made from their sorted bytes. */
#include "model/token_walk.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = UINT16_MAX };

struct piece {
    const char *at;
    size_t len;
    int32_t id;
};

static int by_bytes(const void *a, const void *b)
{
    const struct piece *one = a, *two = b;
    const size_t n = one->len < two->len ? one->len : two->len;
    const int order = memcmp(one->at, two->at, n);

    if (order)
        return order;
    if (one->len != two->len)
        return one->len < two->len ? -1 : 1;
    return (one->id > two->id) - (one->id < two->id);
}

static void read_pieces(struct token_walk *walk,
                        const struct tokenizer *tokenizer)
{
    walk->at = oy_alloc_array((size_t)walk->n_id + 1, sizeof *walk->at);
    for (int32_t id = 0; id < walk->n_id; id++) {
        walk->at[id] = (uint32_t)walk->text.len;
        tokenizer_piece(tokenizer, id, &walk->text);
        if (walk->text.len - walk->at[id] > MAX_DEPTH)
            walk->text.len = walk->at[id];
    }
    walk->at[walk->n_id] = (uint32_t)walk->text.len;
}

static size_t sort_pieces(const struct token_walk *walk, struct piece *piece)
{
    size_t n = 0;

    for (int32_t id = 0; id < walk->n_id; id++) {
        const size_t len = walk->at[id + 1] - walk->at[id];
        if (len)
            piece[n++] =
                (struct piece){walk->text.data + walk->at[id], len, id};
    }
    if (n)
        qsort(piece, n, sizeof *piece, by_bytes);
    return n;
}

static size_t common_prefix(const struct piece *a, const struct piece *b)
{
    size_t n = 0;

    while (n < a->len && n < b->len && a->at[n] == b->at[n])
        n++;
    return n;
}

/* The nodes of a piece that its forerunner has not; `open` holds the numbers
 * of the nodes on the way to it, by depth. */
static void add_piece(struct token_walk *walk, const struct piece *piece,
                      size_t common, size_t *open, size_t *n_open)
{
    while (*n_open > common)
        walk->node[open[--*n_open]].skip = (uint32_t)walk->n_node;
    for (size_t i = common; i < piece->len; i++) {
        open[(*n_open)++] = walk->n_node;
        walk->node[walk->n_node++] =
            (struct token_walk_node){.token = (uint32_t)walk->n_token,
                                     .depth = (uint16_t)(i + 1),
                                     .byte = (uint8_t)piece->at[i]};
    }
    walk->token[walk->n_token++] = piece->id;
    if (piece->len > walk->max_depth)
        walk->max_depth = piece->len;
}

static void build(struct token_walk *walk, const struct piece *piece, size_t n)
{
    size_t *open = oy_alloc_array(MAX_DEPTH, sizeof *open), n_open = 0;

    walk->node = oy_calloc(walk->text.len + 1, sizeof *walk->node);
    walk->token = oy_alloc_array(n + 1, sizeof *walk->token);
    for (size_t i = 0; i < n; i++)
        add_piece(walk, &piece[i],
                  i ? common_prefix(&piece[i - 1], &piece[i]) : 0, open,
                  &n_open);
    while (n_open)
        walk->node[open[--n_open]].skip = (uint32_t)walk->n_node;
    walk->node[walk->n_node].token = (uint32_t)walk->n_token;
    oy_free(open);
}

struct token_walk *token_walk_new(const struct tokenizer *tokenizer,
                                  int32_t n_id, struct oy_error *err)
{
    struct token_walk *walk = oy_calloc(1, sizeof *walk);

    walk->n_id = n_id;
    read_pieces(walk, tokenizer);
    if (!walk->text.len) {
        oy_fail(err, OY_DATA, "%s: no grammar can be kept with its decoder",
                tokenizer_path(tokenizer));
        token_walk_free(walk);
        return NULL;
    }
    struct piece *piece = oy_alloc_array((size_t)n_id, sizeof *piece);
    build(walk, piece, sort_pieces(walk, piece));
    oy_free(piece);
    return walk;
}

void token_walk_free(struct token_walk *walk)
{
    if (!walk)
        return;
    oy_free(walk->node);
    oy_free(walk->token);
    oy_free(walk->at);
    oy_buffer_release(&walk->text);
    oy_free(walk);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a double array out of the sorted tokens of a vocabulary. */
#include "tokenizer/token_trie.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/sort.h"

_Static_assert(VOCAB_MAX_ID <= 1 << TOKEN_TRIE_ID_BITS, "an id fits a node");

enum {
    BLOCK = 256, /* nodes whose places differ in their last byte */
    WORDS = BLOCK / 64,
    OPEN_BLOCKS = 2, /* that new nodes go to: full to 98 % in the end */
};

/* Which places and which bases of a block are free. */
struct block {
    uint64_t place[WORDS], base[WORDS];
    int n_free;
};

/* Tokens [begin, end) of the sorted list share their first `depth` bytes,
 * which lead to `node`. */
struct range {
    uint32_t begin, end, depth, node;
};

struct builder {
    const struct vocab *vocab;
    int32_t *sorted; /* ids, by the bytes of their tokens, then by number */
    size_t n_sorted;
    struct token_trie *trie;
    size_t cap_node;
    struct block *block;
    size_t n_block, cap_block;
    struct range *stack;
    size_t n_stack, cap_stack;
};

/* ---- sorting ---- */

static const unsigned char *bytes_of(const struct vocab *vocab, int32_t id)
{
    return (const unsigned char *)vocab->text + vocab->token[id].at;
}

/* The first eight bytes of a token; zeros behind it. */
static uint64_t first_bytes(const struct vocab *vocab, int32_t id)
{
    const uint32_t len = vocab->token[id].len;
    unsigned char bytes[8] = {0};
    uint64_t key;

    memcpy(bytes, bytes_of(vocab, id), len < 8 ? len : 8);
    memcpy(&key, bytes, 8);
    return __builtin_bswap64(key);
}

static int compare_tokens(const void *left, const void *right, void *arg)
{
    const struct vocab *vocab = arg;
    const int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    const uint32_t n_a = vocab->token[a].len, n_b = vocab->token[b].len;
    const int order =
        memcmp(bytes_of(vocab, a), bytes_of(vocab, b), n_a < n_b ? n_a : n_b);

    if (order)
        return order;
    return n_a != n_b ? (n_a > n_b) - (n_a < n_b) : (a > b) - (a < b);
}

/* The tokens whose first bytes are the same are put in order one by one. */
static void sort_tokens(struct builder *builder)
{
    const struct vocab *vocab = builder->vocab;
    const size_t n_id = (size_t)vocab->n_id;
    struct oy_pair *pair = oy_alloc_array(2 * n_id, sizeof *pair);
    size_t n = 0, end;

    for (int32_t id = 0; id < vocab->n_id; id++) {
        const struct vocab_token *token = &vocab->token[id];
        if (!token->is_model || !token->len)
            continue;
        pair[n].key = first_bytes(vocab, id);
        pair[n++].value = (uint64_t)id;
    }
    oy_sort_pairs(pair, pair + n_id, n);
    builder->sorted = oy_alloc_array(n, sizeof *builder->sorted);
    builder->n_sorted = n;
    for (size_t i = 0; i < n; i++)
        builder->sorted[i] = (int32_t)pair[i].value;
    for (size_t begin = 0; begin < n; begin = end) {
        for (end = begin + 1; end < n && pair[end].key == pair[begin].key;)
            end++;
        if (end - begin > 1)
            qsort_r(builder->sorted + begin, end - begin,
                    sizeof *builder->sorted, compare_tokens, (void *)vocab);
    }
    oy_free(pair);
}

/* ---- places ---- */

/* The word whose bit i is bit i ^ x of this one. */
static uint64_t exchange_bits(uint64_t word, unsigned x)
{
    static const uint64_t even[6] = {
        0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f,
        0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff,
    };

    for (int i = 0; i < 6; i++) {
        const int width = 1 << i;
        if (x >> i & 1)
            word = (word & even[i]) << width | (word >> width & even[i]);
    }
    return word;
}

/* A free base of the block from which all labels lead to free places, or -1.
 * All bases are asked at once. */
static int fit(const struct block *block, const unsigned char *label, int n)
{
    if (block->n_free < n)
        return -1;
    for (unsigned at = 0; at < WORDS; at++) {
        uint64_t fits = block->base[at];
        for (int i = 0; i < n && fits; i++)
            fits &=
                exchange_bits(block->place[at ^ label[i] / 64], label[i] % 64);
        if (fits)
            return (int)(64 * at) + __builtin_ctzll(fits);
    }
    return -1;
}

static size_t add_block(struct builder *builder)
{
    const size_t at = builder->n_block++;

    OY_GROW(builder->block, builder->cap_block, builder->n_block);
    memset(&builder->block[at], 0xff, sizeof builder->block[at]);
    builder->block[at].n_free = BLOCK;
    OY_ASSERT(builder->n_block < (1U << 30) / BLOCK);
    OY_GROW(builder->trie->node, builder->cap_node, builder->n_block * BLOCK);
    memset(builder->trie->node + at * BLOCK, 0,
           BLOCK * sizeof *builder->trie->node);
    return at;
}

/* A base for these labels; it and the places are taken. Old blocks are given
 * up, full or not: a gap or two in each. */
static uint32_t take_base(struct builder *builder, const unsigned char *label,
                          int n)
{
    const size_t last = builder->n_block;
    /* The first block is the root's and that of the nodes without children,
     * whose base is 0. */
    size_t at = last > OPEN_BLOCKS ? last - OPEN_BLOCKS : 1;
    int base = -1;

    for (; at < last; at++) {
        base = fit(&builder->block[at], label, n);
        if (base >= 0)
            break;
    }
    if (base < 0) {
        at = add_block(builder);
        base = 0;
    }
    struct block *block = &builder->block[at];
    block->base[base / 64] &= ~(1ULL << base % 64);
    for (int i = 0; i < n; i++) {
        const int place = base ^ label[i];
        block->place[place / 64] &= ~(1ULL << place % 64);
    }
    block->n_free -= n;
    return (uint32_t)at * BLOCK + (uint32_t)base;
}

/* ---- nodes ---- */

/* The tokens that end here; of equal ones the last. Returns the first token
 * that goes on. */
static uint32_t set_id(struct builder *builder, const struct range *range)
{
    struct token_trie_node *node = &builder->trie->node[range->node];
    const struct vocab *vocab = builder->vocab;
    uint32_t at = range->begin;

    for (; at < range->end; at++) {
        const int32_t id = builder->sorted[at];
        if (vocab->token[id].len > range->depth)
            break;
        node->base |= TOKEN_TRIE_HAS_ID;
        node->token = node->token >> TOKEN_TRIE_ID_BITS << TOKEN_TRIE_ID_BITS |
                      (uint32_t)id;
    }
    return at;
}

static void add_children(struct builder *builder, const struct range *range)
{
    const struct vocab *vocab = builder->vocab;
    const uint32_t depth = range->depth;
    unsigned char label[BLOCK];
    uint32_t first[BLOCK + 1];
    int n = 0;

    for (uint32_t i = set_id(builder, range); i < range->end; i++) {
        const unsigned char byte = bytes_of(vocab, builder->sorted[i])[depth];
        if (n && label[n - 1] == byte)
            continue;
        label[n] = byte;
        first[n++] = i;
    }
    if (!n)
        return;
    first[n] = range->end;
    const uint32_t base = take_base(builder, label, n);
    struct token_trie_node *node = builder->trie->node;
    node[range->node].base |= base << 2;
    OY_GROW(builder->stack, builder->cap_stack, builder->n_stack + (size_t)n);
    for (int i = n - 1; i >= 0; i--) {
        const uint32_t child = base ^ label[i];
        node[child].base = TOKEN_TRIE_USED;
        node[child].token = (uint32_t)label[i] << TOKEN_TRIE_ID_BITS;
        builder->stack[builder->n_stack++] =
            (struct range){first[i], first[i + 1], depth + 1, child};
    }
}

void token_trie_init(struct token_trie *trie, const struct vocab *vocab)
{
    struct builder builder = {.vocab = vocab, .trie = trie};

    *trie = (struct token_trie){0};
    sort_tokens(&builder);
    add_block(&builder);
    const struct range all = {0, (uint32_t)builder.n_sorted, 0,
                              TOKEN_TRIE_ROOT};
    add_children(&builder, &all);
    while (builder.n_stack) {
        const struct range range = builder.stack[--builder.n_stack];
        add_children(&builder, &range);
    }
    trie->n = builder.n_block * BLOCK;
    oy_free(builder.sorted);
    oy_free(builder.block);
    oy_free(builder.stack);
}

void token_trie_release(struct token_trie *trie)
{
    oy_free(trie->node);
    *trie = (struct token_trie){0};
}

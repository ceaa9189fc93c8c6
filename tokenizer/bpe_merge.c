/* SPDX-License-Identifier: Apache-2.0
 *
 * The merging of one word: on the stack when it is short, else with a heap. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "tokenizer/bpe_internal.h"

/* ---- tables ---- */

static void set_bit(uint64_t *bits, uint32_t at)
{
    bits[at / 64] |= 1ULL << at % 64;
}

static void fill_spans(struct bpe *bpe)
{
    const struct vocab *vocab = bpe->vocab;

    for (int32_t id = 0; id < vocab->n_id; id++) {
        const struct vocab_token *token = &vocab->token[id];
        const unsigned char *s = (const unsigned char *)vocab->text + token->at;
        if (!token->is_used || !token->is_bytes || token->len < 2)
            continue;
        if (token->len == 2)
            set_bit(bpe->two, bpe_two_at(s));
        else
            set_bit(bpe->three, bpe_hash_few(s, 3, BPE_THREE_BITS));
        if (token->len > 3)
            set_bit(bpe->three,
                    bpe_hash_few(s + token->len - 3, 3, BPE_THREE_BITS));
        for (uint32_t i = 0; i + 4 <= token->len; i++)
            set_bit(bpe->four, bpe_hash_few(s + i, 4, BPE_FOUR_BITS));
    }
}

static void fill_bytes(struct bpe *bpe)
{
    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        bpe->byte_id[byte] = vocab_find(bpe->vocab, &c, 1);
        bpe->lacks_bytes |= bpe->byte_id[byte] < 0;
    }
    for (int left = 0; left < 256; left++) {
        for (int right = 0; right < 256; right++) {
            const int missing =
                bpe->byte_id[left] < 0 || bpe->byte_id[right] < 0;
            bpe->byte_rank[left << 8 | right] =
                missing
                    ? BPE_NO_RANK
                    : bpe_rank(bpe, bpe->byte_id[left], bpe->byte_id[right]);
        }
    }
}

/* A pair that occurs twice has the later rank, as in HF's map. */
static void put_pair(struct bpe *bpe, const struct vocab_merge *merge,
                     int32_t rank)
{
    const uint64_t hash = bpe_pair_hash(merge->left, merge->right);
    uint32_t i = (uint32_t)hash & bpe->pair_mask;

    const uint64_t bit = hash >> (64 - BPE_FILTER_BITS);
    bpe->filter[bit / 64] |= 1ULL << bit % 64;
    while (bpe->pair[i].left >= 0 && (bpe->pair[i].left != merge->left ||
                                      bpe->pair[i].right != merge->right))
        i = (i + 1) & bpe->pair_mask;
    bpe->pair[i] =
        (struct bpe_pair){merge->left, merge->right, rank, merge->result};
}

struct bpe *bpe_new(const struct vocab *vocab)
{
    struct bpe *bpe = oy_calloc(1, sizeof *bpe);
    uint32_t size = 16;

    OY_ASSERT(vocab->n_merge < (1U << 29));
    while (size < 2 * vocab->n_merge)
        size *= 2;
    bpe->vocab = vocab;
    bpe->merge = vocab->merge;
    bpe->pair_mask = size - 1;
    bpe->pair = oy_try_alloc(size, sizeof *bpe->pair);
    if (!bpe->pair)
        bpe->pair = oy_alloc_array(size, sizeof *bpe->pair);
    memset(bpe->pair, 0xff, size * sizeof *bpe->pair);
    bpe->filter = oy_calloc((1 << BPE_FILTER_BITS) / 64, sizeof(uint64_t));
    for (size_t i = 0; i < vocab->n_merge; i++) {
        if (vocab->merge[i].result >= 0)
            put_pair(bpe, &vocab->merge[i], (int32_t)i);
    }
    bpe->byte_rank = oy_alloc_array(1 << 16, sizeof *bpe->byte_rank);
    fill_bytes(bpe);
    bpe->two = oy_calloc((1 << 16) / 64, sizeof *bpe->two);
    bpe->three = oy_calloc((1 << BPE_THREE_BITS) / 64, sizeof *bpe->three);
    bpe->four = oy_calloc((1 << BPE_FOUR_BITS) / 64, sizeof *bpe->four);
    fill_spans(bpe);
    return bpe;
}

void bpe_free(struct bpe *bpe)
{
    if (!bpe)
        return;
    oy_free(bpe->pair);
    oy_free(bpe->filter);
    oy_free(bpe->byte_rank);
    oy_free(bpe->two);
    oy_free(bpe->three);
    oy_free(bpe->four);
    oy_free(bpe);
}

/* ---- short words ---- */

/* The place of the smallest rank, the leftmost of equals. */
static size_t find_lowest(const int32_t *rank, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++)
        best = rank[i] < rank[best] ? i : best;
    return best;
}

/* rank[i] belongs to id[i] and id[i + 1]. */
static size_t merge_short(const struct bpe *bpe, int32_t *id, int32_t *rank,
                          size_t n)
{
    while (n > 1) {
        const size_t at = find_lowest(rank, n - 1);
        if (rank[at] == BPE_NO_RANK)
            break;
        id[at] = bpe->merge[rank[at]].result;
        memmove(id + at + 1, id + at + 2, (n - at - 2) * sizeof *id);
        memmove(rank + at, rank + at + 1, (n - at - 2) * sizeof *rank);
        n--;
        if (at)
            rank[at - 1] = bpe_rank(bpe, id[at - 1], id[at]);
        if (at + 1 < n)
            rank[at] = bpe_rank(bpe, id[at], id[at + 1]);
    }
    return n;
}

/* ---- long words ---- */

/* A symbol of a doubly linked list; `next` is n at the end. */
struct bpe_symbol {
    int32_t id;
    int32_t rank; /* with the next one */
    uint32_t previous, next;
};

static void sift_down(uint64_t *heap, size_t n, size_t at)
{
    const uint64_t key = heap[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= key)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = key;
}

static void push(uint64_t *heap, size_t *n, uint64_t key)
{
    size_t at = (*n)++;

    while (at && heap[(at - 1) / 2] > key) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = key;
}

/* Ranks come first in a key, then places: ties go to the left. */
static uint64_t key_of(int32_t rank, uint32_t at)
{
    return (uint64_t)(uint32_t)rank << 32 | at;
}

/* Gives the symbol a new rank with its neighbour and queues it. */
static void requeue(const struct bpe *bpe, struct bpe_symbol *symbol, size_t n,
                    uint32_t at, uint64_t *heap, size_t *n_heap)
{
    struct bpe_symbol *here = &symbol[at];

    here->rank = here->next == n
                     ? BPE_NO_RANK
                     : bpe_rank(bpe, here->id, symbol[here->next].id);
    if (here->rank != BPE_NO_RANK)
        push(heap, n_heap, key_of(here->rank, at));
}

static void join_at(const struct bpe *bpe, struct bpe_symbol *symbol, size_t n,
                    uint32_t at, uint64_t *heap, size_t *n_heap)
{
    struct bpe_symbol *here = &symbol[at];
    struct bpe_symbol *gone = &symbol[here->next];

    here->id = bpe->merge[here->rank].result;
    here->next = gone->next;
    gone->rank = BPE_NO_RANK;
    if (here->next != n)
        symbol[here->next].previous = at;
    requeue(bpe, symbol, n, at, heap, n_heap);
    if (at)
        requeue(bpe, symbol, n, here->previous, heap, n_heap);
}

static size_t merge_long(const struct bpe *bpe, struct bpe_scratch *scratch,
                         int32_t *id, size_t n)
{
    size_t n_heap = 0, n_out = 0;

    /* Each merge takes one symbol away and queues two at most. */
    OY_GROW(scratch->symbol, scratch->cap_symbol, n);
    OY_GROW(scratch->heap, scratch->cap_heap, 3 * n);
    struct bpe_symbol *symbol = scratch->symbol;
    uint64_t *heap = scratch->heap;
    for (uint32_t i = 0; i < n; i++) {
        const int32_t rank =
            i + 1 < n ? bpe_rank(bpe, id[i], id[i + 1]) : BPE_NO_RANK;
        symbol[i] = (struct bpe_symbol){id[i], rank, i - 1, i + 1};
        if (rank != BPE_NO_RANK)
            heap[n_heap++] = key_of(rank, i);
    }
    for (size_t i = n_heap / 2; i-- > 0;)
        sift_down(heap, n_heap, i);
    while (n_heap) {
        const uint64_t key = heap[0];
        const uint32_t at = (uint32_t)key;
        heap[0] = heap[--n_heap];
        if (n_heap)
            sift_down(heap, n_heap, 0);
        /* An entry whose rank is no longer the symbol's is out of date. */
        if (symbol[at].rank == (int32_t)(key >> 32))
            join_at(bpe, symbol, n, at, heap, &n_heap);
    }
    for (size_t at = 0; at < n; at = symbol[at].next)
        id[n_out++] = symbol[at].id;
    return n_out;
}

void bpe_scratch_release(struct bpe_scratch *scratch)
{
    oy_free(scratch->symbol);
    oy_free(scratch->heap);
    *scratch = (struct bpe_scratch){0};
}

size_t bpe_merge(const struct bpe *bpe, struct bpe_scratch *scratch,
                 const unsigned char *word, size_t len, int32_t *id)
{
    int32_t rank[BPE_SHORT];
    size_t n = 0;

    if (len <= BPE_SHORT && !bpe->lacks_bytes) {
        for (size_t i = 0; i < len; i++)
            id[i] = bpe->byte_id[word[i]];
        for (size_t i = 0; i + 1 < len; i++)
            rank[i] = bpe->byte_rank[word[i] << 8 | word[i + 1]];
        return merge_short(bpe, id, rank, len);
    }
    for (size_t i = 0; i < len; i++) {
        id[n] = bpe->byte_id[word[i]];
        n += id[n] >= 0;
    }
    if (n > BPE_SHORT)
        return merge_long(bpe, scratch, id, n);
    for (size_t i = 0; i + 1 < n; i++)
        rank[i] = bpe_rank(bpe, id[i], id[i + 1]);
    return merge_short(bpe, id, rank, n);
}

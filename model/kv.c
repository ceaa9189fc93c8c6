/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool of blocks behind all sequences. */
#include "model/kv.h"

#include <string.h>

#include "core/alloc.h"

struct kv_pool {
    size_t n_layer, n_head, head_dim;
    uint64_t max_bytes;
    float **slab; /* [n_slab]: [key, value][layer][head][block][token][dim] */
    size_t n_slab, cap_slab;
    int32_t *n_user; /* [block]: sequences that hold it */
    size_t cap_user;
    size_t n_used;
    size_t cursor; /* where the search for a free block goes on */
};

static size_t slab_floats(const struct kv_pool *pool)
{
    return 2 * pool->n_layer * pool->n_head * KV_SLAB_BLOCKS * KV_BLOCK *
           pool->head_dim;
}

struct kv_pool *kv_pool_new(const struct decoder_config *config,
                            uint64_t max_bytes)
{
    struct kv_pool *pool = oy_calloc(1, sizeof *pool);

    pool->n_layer = (size_t)config->n_layer;
    pool->n_head = (size_t)config->n_kv_head;
    pool->head_dim = (size_t)config->head_dim;
    pool->max_bytes = max_bytes;
    return pool;
}

void kv_pool_free(struct kv_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->n_slab; i++)
        oy_free(pool->slab[i]);
    oy_free(pool->slab);
    oy_free(pool->n_user);
    oy_free(pool);
}

size_t kv_token_bytes(const struct kv_pool *pool)
{
    return 2 * pool->n_layer * pool->n_head * pool->head_dim * sizeof(float);
}

size_t kv_used_blocks(const struct kv_pool *pool)
{
    return pool->n_used;
}

uint64_t kv_memory(const struct kv_pool *pool)
{
    return (uint64_t)pool->n_slab * slab_floats(pool) * sizeof(float);
}

static int add_slab(struct kv_pool *pool, struct oy_error *err)
{
    const uint64_t size = (uint64_t)slab_floats(pool) * sizeof(float);

    if (pool->max_bytes && kv_memory(pool) + size > pool->max_bytes)
        return oy_fail(err, OY_SYSTEM,
                       "keys and values need more than the allowed %llu bytes",
                       (unsigned long long)pool->max_bytes);
    OY_GROW(pool->slab, pool->cap_slab, pool->n_slab + 1);
    OY_GROW(pool->n_user, pool->cap_user, (pool->n_slab + 1) * KV_SLAB_BLOCKS);
    float *slab = oy_try_alloc(slab_floats(pool), sizeof *slab);
    if (!slab)
        return oy_fail(err, OY_SYSTEM, "no memory for keys and values");
    memset(pool->n_user + pool->n_slab * KV_SLAB_BLOCKS, 0,
           KV_SLAB_BLOCKS * sizeof *pool->n_user);
    pool->slab[pool->n_slab++] = slab;
    return 0;
}

/* A free block, the one behind `neighbour` if possible; -1 when full. */
static int32_t take_block(struct kv_pool *pool, int32_t neighbour,
                          struct oy_error *err)
{
    const size_t behind = (size_t)(neighbour + 1);

    if (pool->n_used == pool->n_slab * KV_SLAB_BLOCKS && add_slab(pool, err))
        return -1;
    const size_t n = pool->n_slab * KV_SLAB_BLOCKS;
    if (neighbour >= 0 && behind < n && !pool->n_user[behind])
        pool->cursor = behind;
    while (pool->cursor >= n || pool->n_user[pool->cursor])
        pool->cursor = pool->cursor + 1 < n ? pool->cursor + 1 : 0;
    pool->n_user[pool->cursor] = 1;
    pool->n_used++;
    return (int32_t)pool->cursor;
}

static int push_block(struct kv_pool *pool, struct kv_sequence *sequence,
                      struct oy_error *err)
{
    const size_t n = sequence->n_block;
    const int32_t block =
        take_block(pool, n ? sequence->block[n - 1] : -1, err);

    if (block < 0)
        return -1;
    OY_GROW(sequence->block, sequence->cap, n + 1);
    sequence->block[sequence->n_block++] = block;
    return 0;
}

int kv_reserve(struct kv_pool *pool, struct kv_sequence *sequence, size_t n,
               struct oy_error *err)
{
    while (sequence->n_block * KV_BLOCK < sequence->len + n) {
        if (push_block(pool, sequence, err))
            return -1;
    }
    return 0;
}

/* The first n tokens of a block, for all layers and heads. */
static void copy_block(struct kv_pool *pool, int32_t from, int32_t to, size_t n)
{
    const size_t size = n * pool->head_dim * sizeof(float);

    for (int layer = 0; layer < (int)pool->n_layer; layer++) {
        for (int head = 0; head < (int)pool->n_head; head++) {
            memcpy(kv_key(pool, to, layer, head),
                   kv_key(pool, from, layer, head), size);
            memcpy(kv_value(pool, to, layer, head),
                   kv_value(pool, from, layer, head), size);
        }
    }
}

int kv_fork(struct kv_pool *pool, const struct kv_sequence *from, size_t len,
            struct kv_sequence *to, struct oy_error *err)
{
    const size_t n_whole = len / KV_BLOCK, rest = len % KV_BLOCK;

    OY_ASSERT(len <= from->len && !to->n_block);
    OY_GROW(to->block, to->cap, n_whole + 1);
    for (size_t i = 0; i < n_whole; i++) {
        to->block[i] = from->block[i];
        pool->n_user[from->block[i]]++;
    }
    to->n_block = n_whole;
    to->len = n_whole * KV_BLOCK;
    if (!rest)
        return 0;
    if (push_block(pool, to, err)) {
        kv_release(pool, to);
        return -1;
    }
    copy_block(pool, from->block[n_whole], to->block[n_whole], rest);
    to->len = len;
    return 0;
}

void kv_release(struct kv_pool *pool, struct kv_sequence *sequence)
{
    for (size_t i = 0; i < sequence->n_block; i++) {
        int32_t *n_user = &pool->n_user[sequence->block[i]];
        OY_ASSERT(*n_user > 0);
        if (--*n_user == 0)
            pool->n_used--;
    }
    oy_free(sequence->block);
    *sequence = (struct kv_sequence){0};
}

static float *rows_at(const struct kv_pool *pool, int32_t block, size_t kind,
                      int layer, int head)
{
    const size_t part =
        (kind * pool->n_layer + (size_t)layer) * pool->n_head + (size_t)head;
    const size_t inside = (size_t)block % KV_SLAB_BLOCKS;

    return pool->slab[block / KV_SLAB_BLOCKS] +
           (part * KV_SLAB_BLOCKS + inside) * KV_BLOCK * pool->head_dim;
}

float *kv_key(const struct kv_pool *pool, int32_t block, int layer, int head)
{
    return rows_at(pool, block, 0, layer, head);
}

float *kv_value(const struct kv_pool *pool, int32_t block, int layer, int head)
{
    return rows_at(pool, block, 1, layer, head);
}

int kv_is_next(int32_t a, int32_t b)
{
    return b == a + 1 && a / KV_SLAB_BLOCKS == b / KV_SLAB_BLOCKS;
}

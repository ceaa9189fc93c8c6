/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool of blocks behind all sequences. */
#include "model/kv.h"

#include <string.h>

#include "core/alloc.h"
#include "model/kv_rows.h"

enum { KEY, VALUE };

/* [key rows, value rows][layer][head][block][token] */
struct slab {
    unsigned char *bytes;
    size_t n_block; /* slab_blocks, or fewer in the last one */
};

struct kv_pool {
    struct kv_shape shape;
    size_t n_part;      /* layers times heads */
    size_t slab_blocks; /* of all slabs but the last */
    size_t row_size[2]; /* bytes of a key and of a value */
    struct slab *slab;
    size_t n_slab, cap_slab;
    size_t n_block;  /* of all slabs */
    int32_t *n_user; /* [block]: who holds it */
    size_t cap_user;
    size_t n_used;
    size_t n_state; /* states that exist */
    size_t cursor;  /* where the search for a free block goes on */
};

/* ---- the pool ---- */

const char *kv_type_name(enum kv_type type)
{
    static const char *const name[] = {"f32", "bf16", "q8"};

    return name[type];
}

struct kv_shape kv_shape_of(const struct decoder_config *config)
{
    return (struct kv_shape){.n_layer = config->n_layer,
                             .n_head = config->n_kv_head,
                             .key_dim = config->head_dim,
                             .value_dim = config->head_dim};
}

size_t kv_token_bytes(const struct kv_pool *pool)
{
    return pool->n_part * (pool->row_size[KEY] + pool->row_size[VALUE]);
}

static size_t block_size(const struct kv_pool *pool)
{
    return KV_BLOCK * kv_token_bytes(pool);
}

static uint64_t state_bytes(const struct kv_pool *pool, size_t n)
{
    return (uint64_t)n * pool->shape.n_state * sizeof(float);
}

/* Blocks that the budget allows beside n states. Layers may keep nothing but
 * states: blocks cost nothing then. */
static size_t allowed_blocks(const struct kv_pool *pool, size_t n_state)
{
    const uint64_t states = state_bytes(pool, n_state);
    const uint64_t max = pool->shape.max_bytes;

    if (!max || (states <= max && !block_size(pool)))
        return INT32_MAX;
    return states < max ? (size_t)((max - states) / block_size(pool)) : 0;
}

/* Where states share a small budget with blocks, slabs are small, so that the
 * first one does not take what the states of other sequences need. */
static size_t choose_slab(const struct kv_pool *pool)
{
    const size_t n = allowed_blocks(pool, 1) / 16;

    if (!pool->shape.n_state || n >= KV_SLAB_BLOCKS)
        return KV_SLAB_BLOCKS;
    return n ? n : 1;
}

struct kv_pool *kv_pool_new(const struct kv_shape *shape)
{
    struct kv_pool *pool = oy_calloc(1, sizeof *pool);

    pool->shape = *shape;
    pool->n_part = (size_t)shape->n_layer * (size_t)shape->n_head;
    pool->row_size[KEY] = kv_row_size(shape->type, (size_t)shape->key_dim);
    pool->row_size[VALUE] = kv_row_size(shape->type, (size_t)shape->value_dim);
    pool->slab_blocks = choose_slab(pool);
    return pool;
}

void kv_pool_free(struct kv_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->n_slab; i++)
        oy_free(pool->slab[i].bytes);
    oy_free(pool->slab);
    oy_free(pool->n_user);
    oy_free(pool);
}

const struct kv_shape *kv_pool_shape(const struct kv_pool *pool)
{
    return &pool->shape;
}

size_t kv_used_blocks(const struct kv_pool *pool)
{
    return pool->n_used;
}

uint64_t kv_memory(const struct kv_pool *pool)
{
    return (uint64_t)pool->n_block * block_size(pool) +
           state_bytes(pool, pool->n_state);
}

size_t kv_free_blocks(const struct kv_pool *pool)
{
    const size_t allowed = allowed_blocks(pool, pool->n_state);
    const size_t top = allowed > pool->n_block ? allowed : pool->n_block;

    return top - pool->n_used;
}

size_t kv_max_tokens(const struct kv_pool *pool)
{
    const size_t n = allowed_blocks(pool, 1);

    return n == INT32_MAX ? SIZE_MAX : n * KV_BLOCK;
}

/* ---- blocks ---- */

static int fail_full(const struct kv_pool *pool, struct oy_error *err)
{
    return oy_fail(err, OY_SYSTEM,
                   "keys and values need more than the allowed %llu bytes",
                   (unsigned long long)pool->shape.max_bytes);
}

static int add_slab(struct kv_pool *pool, struct oy_error *err)
{
    const size_t allowed = allowed_blocks(pool, pool->n_state);
    size_t n = pool->slab_blocks;

    /* Only a full slab can have another behind it. */
    if (allowed <= pool->n_block || pool->n_block % pool->slab_blocks)
        return fail_full(pool, err);
    if (n > allowed - pool->n_block)
        n = allowed - pool->n_block;
    OY_GROW(pool->slab, pool->cap_slab, pool->n_slab + 1);
    OY_GROW(pool->n_user, pool->cap_user, pool->n_block + n);
    unsigned char *bytes = oy_try_alloc(n, block_size(pool) + 1);
    if (!bytes)
        return oy_fail(err, OY_SYSTEM, "no memory for keys and values");
    memset(pool->n_user + pool->n_block, 0, n * sizeof *pool->n_user);
    pool->slab[pool->n_slab++] = (struct slab){bytes, n};
    pool->n_block += n;
    return 0;
}

/* A free block, the one behind `neighbour` if possible; -1 when full. */
static int32_t take_block(struct kv_pool *pool, int32_t neighbour,
                          struct oy_error *err)
{
    const size_t behind = (size_t)(neighbour + 1);

    if (pool->n_used == pool->n_block && add_slab(pool, err))
        return -1;
    const size_t n = pool->n_block;
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

static int make_state(struct kv_pool *pool, struct kv_sequence *sequence,
                      struct oy_error *err)
{
    const size_t n = pool->shape.n_state;

    if (!n || sequence->state)
        return 0;
    if (pool->shape.max_bytes &&
        kv_memory(pool) + state_bytes(pool, 1) > pool->shape.max_bytes)
        return fail_full(pool, err);
    sequence->state = oy_try_alloc(n, sizeof *sequence->state);
    if (!sequence->state)
        return oy_fail(err, OY_SYSTEM, "no memory for states");
    memset(sequence->state, 0, n * sizeof *sequence->state);
    pool->n_state++;
    return 0;
}

int kv_reserve(struct kv_pool *pool, struct kv_sequence *sequence, size_t n,
               struct oy_error *err)
{
    if (make_state(pool, sequence, err))
        return -1;
    while (sequence->n_block * KV_BLOCK < sequence->len + n) {
        if (push_block(pool, sequence, err))
            return -1;
    }
    return 0;
}

void kv_hold(struct kv_pool *pool, int32_t block)
{
    OY_ASSERT(pool->n_user[block] > 0);
    pool->n_user[block]++;
}

void kv_drop(struct kv_pool *pool, int32_t block)
{
    OY_ASSERT(pool->n_user[block] > 0);
    if (--pool->n_user[block] == 0)
        pool->n_used--;
}

int32_t kv_users(const struct kv_pool *pool, int32_t block)
{
    return pool->n_user[block];
}

/* ---- rows ---- */

static unsigned char *rows_at(const struct kv_pool *pool, int32_t block,
                              int kind, size_t part)
{
    const struct slab *slab = &pool->slab[(size_t)block / pool->slab_blocks];
    const size_t inside = (size_t)block % pool->slab_blocks;
    const size_t keys =
        pool->n_part * slab->n_block * KV_BLOCK * pool->row_size[KEY];

    return slab->bytes + (kind == VALUE ? keys : 0) +
           (part * slab->n_block + inside) * KV_BLOCK * pool->row_size[kind];
}

static size_t part_of(const struct kv_pool *pool, int layer, int head)
{
    return (size_t)layer * (size_t)pool->shape.n_head + (size_t)head;
}

void kv_put(const struct kv_pool *pool, const struct kv_sequence *sequence,
            size_t position, int layer, int head, const float *key,
            const float *value)
{
    const int32_t block = sequence->block[position / KV_BLOCK];
    const size_t inside = position % KV_BLOCK;
    const size_t part = part_of(pool, layer, head);
    const struct kv_shape *shape = &pool->shape;

    kv_row_write(shape->type,
                 rows_at(pool, block, KEY, part) + inside * pool->row_size[KEY],
                 key, (size_t)shape->key_dim);
    kv_row_write(shape->type,
                 rows_at(pool, block, VALUE, part) +
                     inside * pool->row_size[VALUE],
                 value, (size_t)shape->value_dim);
}

/* What is read of a tile: rows of one kind, layer and head. */
struct reading {
    const struct kv_pool *pool;
    int kind;
    size_t part, dim;
};

/* The blocks from the first on that lie behind each other in memory. */
static size_t run_length(const struct kv_pool *pool, const int32_t *block,
                         size_t n)
{
    const int32_t size = (int32_t)pool->slab_blocks;
    size_t run = 1;

    while (run < n && block[run] == block[run - 1] + 1 &&
           block[run] / size == block[0] / size)
        run++;
    return run;
}

static const float *read_rows(const struct reading *reading,
                              const int32_t *block, size_t n, float *scratch)
{
    const struct kv_pool *pool = reading->pool;
    const size_t n_block = (n + KV_BLOCK - 1) / KV_BLOCK;
    const size_t dim = reading->dim;
    size_t run = run_length(pool, block, n_block);

    if (run == n_block && pool->shape.type == KV_F32)
        return (const float *)(const void *)rows_at(
            pool, block[0], reading->kind, reading->part);
    for (size_t i = 0; i < n_block; i += run) {
        run = run_length(pool, block + i, n_block - i);
        const size_t left = n - i * KV_BLOCK;
        kv_rows_read(pool->shape.type,
                     rows_at(pool, block[i], reading->kind, reading->part),
                     left < run * KV_BLOCK ? left : run * KV_BLOCK, dim,
                     scratch + i * KV_BLOCK * dim);
    }
    return scratch;
}

const float *kv_keys(const struct kv_pool *pool,
                     const struct kv_sequence *sequence, size_t at, size_t n,
                     int layer, int head, float *scratch)
{
    const struct reading reading = {pool, KEY, part_of(pool, layer, head),
                                    (size_t)pool->shape.key_dim};

    return read_rows(&reading, sequence->block + at / KV_BLOCK, n, scratch);
}

const float *kv_values(const struct kv_pool *pool,
                       const struct kv_sequence *sequence, size_t at, size_t n,
                       int layer, int head, float *scratch)
{
    const struct reading reading = {pool, VALUE, part_of(pool, layer, head),
                                    (size_t)pool->shape.value_dim};

    return read_rows(&reading, sequence->block + at / KV_BLOCK, n, scratch);
}

/* ---- sharing ---- */

void kv_push_shared(struct kv_pool *pool, struct kv_sequence *sequence,
                    int32_t block)
{
    OY_ASSERT(sequence->len == sequence->n_block * KV_BLOCK);
    OY_ASSERT(!pool->shape.n_state);
    OY_GROW(sequence->block, sequence->cap, sequence->n_block + 1);
    kv_hold(pool, block);
    sequence->block[sequence->n_block++] = block;
    sequence->len += KV_BLOCK;
}

/* The first n tokens of a block, for all layers and heads. */
static void copy_block(struct kv_pool *pool, int32_t from, int32_t to, size_t n)
{
    for (int kind = KEY; kind <= VALUE; kind++) {
        for (size_t part = 0; part < pool->n_part; part++)
            memcpy(rows_at(pool, to, kind, part),
                   rows_at(pool, from, kind, part), n * pool->row_size[kind]);
    }
}

int kv_push_copy(struct kv_pool *pool, struct kv_sequence *sequence,
                 int32_t block, size_t n, struct oy_error *err)
{
    OY_ASSERT(sequence->len == sequence->n_block * KV_BLOCK && n < KV_BLOCK);
    if (push_block(pool, sequence, err))
        return -1;
    copy_block(pool, block, sequence->block[sequence->n_block - 1], n);
    sequence->len += n;
    return 0;
}

int kv_fork(struct kv_pool *pool, const struct kv_sequence *from, size_t len,
            struct kv_sequence *to, struct oy_error *err)
{
    const size_t n_whole = len / KV_BLOCK, rest = len % KV_BLOCK;
    const size_t n_state = pool->shape.n_state;

    OY_ASSERT(len <= from->len && !to->n_block);
    if (n_state && len < from->len)
        return 0;
    if (len && make_state(pool, to, err))
        return -1;
    if (len && n_state)
        memcpy(to->state, from->state, n_state * sizeof *to->state);
    OY_GROW(to->block, to->cap, n_whole + 1);
    for (size_t i = 0; i < n_whole; i++) {
        to->block[i] = from->block[i];
        kv_hold(pool, from->block[i]);
    }
    to->n_block = n_whole;
    to->len = n_whole * KV_BLOCK;
    if (!rest || !kv_push_copy(pool, to, from->block[n_whole], rest, err))
        return 0;
    kv_release(pool, to);
    return -1;
}

void kv_release(struct kv_pool *pool, struct kv_sequence *sequence)
{
    for (size_t i = 0; i < sequence->n_block; i++)
        kv_drop(pool, sequence->block[i]);
    pool->n_state -= sequence->state != NULL;
    oy_free(sequence->block);
    oy_free(sequence->state);
    *sequence = (struct kv_sequence){0};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and values of past tokens, in blocks of 16 tokens that sequences share.
 *
 * A sequence is a table of blocks and a length. kv_fork() makes a second
 * sequence with the same beginning: whole blocks are shared and counted, the
 * last, partly filled one is copied. A block is written by one sequence only
 * (the one that appended it); shared blocks are never written again. Within a
 * slab, blocks that follow each other are contiguous for each (layer, head),
 * and a sequence gets neighbours where it can: kernels then read long runs.
 *
 * Rows are kept as f32, as bf16 (rounded to the nearest, ties to even) or as
 * q8 (a scale of max|x| / 127 and an int8 for each element). What is kept of
 * a row depends on that row alone; attention reads the kept row even in the
 * pass that wrote it, so that results do not depend on how tokens were cut
 * into passes.
 *
 * Layers without attention may keep a state of floats for each sequence
 * instead (linear attention). It belongs to one length: it can be handed on
 * whole, but not cut.
 *
 * One thread at a time for all functions but kv_put(), kv_keys(), kv_values().
 */
#ifndef MODEL_KV_H
#define MODEL_KV_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/config.h"

enum {
    KV_BLOCK = 16,       /* tokens of a block */
    KV_SLAB_BLOCKS = 64, /* blocks that are allocated at once, where the
                          * budget allows */
};

enum kv_type { KV_F32, KV_BF16, KV_Q8 };

/* The names of the types in their order, for a table of options. */
#define KV_TYPE_NAMES "f32|bf16|q8"
const char *kv_type_name(enum kv_type type);

struct kv_shape {
    int n_layer; /* that keep keys and values */
    int n_head;  /* key heads of a layer */
    int key_dim, value_dim;
    size_t n_state; /* floats of a sequence's state; 0: none */
    enum kv_type type;
    uint64_t max_bytes; /* of blocks and states; 0: what the system gives */
};

/* All layers of the decoder, value_dim = key_dim = head_dim, f32, no state. */
struct kv_shape kv_shape_of(const struct decoder_config *config);

struct kv_pool;

struct kv_pool *kv_pool_new(const struct kv_shape *shape);
void kv_pool_free(struct kv_pool *pool);
const struct kv_shape *kv_pool_shape(const struct kv_pool *pool);
/* Bytes that one token needs; blocks in use; blocks that sequences could
 * still take; bytes allocated. */
size_t kv_token_bytes(const struct kv_pool *pool);
size_t kv_used_blocks(const struct kv_pool *pool);
size_t kv_free_blocks(const struct kv_pool *pool);
uint64_t kv_memory(const struct kv_pool *pool);
/* Tokens of the longest single sequence that fits; SIZE_MAX without limit. */
size_t kv_max_tokens(const struct kv_pool *pool);

/* Zero-initialised is an empty sequence that owns nothing. */
struct kv_sequence {
    int32_t *block; /* [n_block], of the pool */
    size_t n_block;
    size_t cap;
    size_t len;   /* tokens whose keys and values are there */
    float *state; /* [n_state] behind len tokens, zeros at first; NULL before
                   * the first kv_reserve, and without states */
};

/* Makes room for n tokens behind len; len stays. -1 (71) when the pool is
 * full: what was reserved before stays usable. */
int kv_reserve(struct kv_pool *pool, struct kv_sequence *sequence, size_t n,
               struct oy_error *err);
/* `to` (empty) becomes the first `len` tokens of `from`. -1 (71) when the
 * pool has no block for the copy; `to` is empty then. With states, a part of
 * `from` (len < from->len) cannot be had: `to` then stays empty, with 0. The
 * caller looks at to->len. */
int kv_fork(struct kv_pool *pool, const struct kv_sequence *from, size_t len,
            struct kv_sequence *to, struct oy_error *err);
/* Gives its blocks and state back and leaves it empty. */
void kv_release(struct kv_pool *pool, struct kv_sequence *sequence);

/* For a table of blocks outside of sequences: appends a whole, filled block
 * behind a sequence that ends with one; counts and discounts a user of a
 * block; how many it has. */
void kv_push_shared(struct kv_pool *pool, struct kv_sequence *sequence,
                    int32_t block);
void kv_hold(struct kv_pool *pool, int32_t block);
void kv_drop(struct kv_pool *pool, int32_t block);
int32_t kv_users(const struct kv_pool *pool, int32_t block);
/* Appends a copy of the first n (below KV_BLOCK) tokens of a block. -1 (71)
 * when the pool is full; the sequence is unchanged then. */
int kv_push_copy(struct kv_pool *pool, struct kv_sequence *sequence,
                 int32_t block, size_t n, struct oy_error *err);

/* Keeps the rows of a token, key[key_dim] and value[value_dim], at a position
 * that is reserved. */
void kv_put(const struct kv_pool *pool, const struct kv_sequence *sequence,
            size_t position, int layer, int head, const float *key,
            const float *value);
/* The rows [n][key_dim] (or [value_dim]) of positions at .. at + n - 1 as
 * floats: in place where they lie so, else in scratch, which has room for n
 * rounded up to whole blocks. `at` is a multiple of KV_BLOCK. */
const float *kv_keys(const struct kv_pool *pool,
                     const struct kv_sequence *sequence, size_t at, size_t n,
                     int layer, int head, float *scratch);
const float *kv_values(const struct kv_pool *pool,
                       const struct kv_sequence *sequence, size_t at, size_t n,
                       int layer, int head, float *scratch);

#endif

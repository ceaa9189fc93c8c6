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
 * One thread at a time for all functions but kv_key() and kv_value().
 */
#ifndef MODEL_KV_H
#define MODEL_KV_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/config.h"

enum {
    KV_BLOCK = 16,       /* tokens of a block */
    KV_SLAB_BLOCKS = 64, /* blocks that are allocated at once */
};

struct kv_pool;

/* At most `max_bytes` of slabs (0: as much as the system gives). */
struct kv_pool *kv_pool_new(const struct decoder_config *config,
                            uint64_t max_bytes);
void kv_pool_free(struct kv_pool *pool);
/* Bytes that one token needs; blocks in use; bytes allocated. */
size_t kv_token_bytes(const struct kv_pool *pool);
size_t kv_used_blocks(const struct kv_pool *pool);
uint64_t kv_memory(const struct kv_pool *pool);

/* Zero-initialised is an empty sequence that owns nothing. */
struct kv_sequence {
    int32_t *block; /* [n_block], of the pool */
    size_t n_block;
    size_t cap;
    size_t len; /* tokens whose keys and values are there */
};

/* Makes room for n tokens behind len; len stays. -1 (71) when the pool is
 * full: what was reserved before stays usable. */
int kv_reserve(struct kv_pool *pool, struct kv_sequence *sequence, size_t n,
               struct oy_error *err);
/* `to` (empty) becomes the first `len` tokens of `from`. -1 (71) when the
 * pool has no block for the copy; `to` is empty then. */
int kv_fork(struct kv_pool *pool, const struct kv_sequence *from, size_t len,
            struct kv_sequence *to, struct oy_error *err);
/* Gives its blocks back and leaves it empty. */
void kv_release(struct kv_pool *pool, struct kv_sequence *sequence);

/* The rows of a block: [KV_BLOCK][head_dim]. */
float *kv_key(const struct kv_pool *pool, int32_t block, int layer, int head);
float *kv_value(const struct kv_pool *pool, int32_t block, int layer, int head);
/* Whether block b + 1's rows follow b's in memory. */
int kv_is_next(int32_t a, int32_t b);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of a vocabulary from bytes to id. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

/* Open addressing at a load of a half at most. Strings of up to KEY_MAX bytes
 * are found without a look at their text. */
struct vocab_slot {
    uint64_t key; /* key_of() */
    int32_t id;
    uint32_t size; /* size_of(); 0: free */
};

enum { KEY_MAX = 8 };

/* Up to KEY_MAX bytes as one word, without reading behind them. Of the same
 * length, different bytes have different words. */
static inline uint64_t load_few(const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t low, high;

    if (len >= 4) {
        memcpy(&low, s, 4);
        memcpy(&high, s + len - 4, 4);
        return (uint64_t)high << 32 | low;
    }
    if (!len)
        return 0;
    return (uint64_t)s[0] | (uint64_t)s[len / 2] << 8 |
           (uint64_t)s[len - 1] << 16;
}

static inline uint64_t hash_bytes(const char *bytes, size_t len, int is_bytes)
{
    uint64_t h = len * 0x9e3779b97f4a7c15ULL + (uint64_t)is_bytes;
    uint64_t word;

    for (; len > KEY_MAX; len -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdULL;
        h ^= h >> 32;
    }
    return oy_mix64(h ^ load_few(bytes, len));
}

static inline uint64_t key_of(uint64_t hash, const char *bytes, size_t len)
{
    return len <= KEY_MAX ? load_few(bytes, len) : hash;
}

/* The length, and whether it is one of bytes or of characters. */
static inline uint32_t size_of(size_t len, int is_bytes)
{
    return (uint32_t)(len + 1) << 1 | (uint32_t)is_bytes;
}

static int is_token(const struct vocab *vocab, int32_t id, const char *bytes,
                    size_t len)
{
    return len <= KEY_MAX ||
           !memcmp(vocab->text + vocab->token[id].at, bytes, len);
}

/* The slot that holds these bytes, or the free one where they belong. */
static struct vocab_slot *find_slot(const struct vocab *vocab, uint64_t hash,
                                    const char *bytes, size_t len, int is_bytes)
{
    const uint64_t key = key_of(hash, bytes, len);
    const uint32_t size = size_of(len, is_bytes);

    for (uint32_t i = (uint32_t)hash & vocab->slot_mask;;
         i = (i + 1) & vocab->slot_mask) {
        struct vocab_slot *slot = &vocab->slot[i];
        if (!slot->size)
            return slot;
        if (slot->key == key && slot->size == size &&
            is_token(vocab, slot->id, bytes, len))
            return slot;
    }
}

uint64_t vocab_hash(const struct vocab *vocab, const char *bytes, size_t len,
                    int is_bytes)
{
    const uint64_t hash = hash_bytes(bytes, len, is_bytes);

    __builtin_prefetch(&vocab->slot[(uint32_t)hash & vocab->slot_mask]);
    return hash;
}

int32_t vocab_find_hashed(const struct vocab *vocab, uint64_t hash,
                          const char *bytes, size_t len, int is_bytes)
{
    const struct vocab_slot *slot =
        find_slot(vocab, hash, bytes, len, is_bytes);

    return slot->size ? slot->id : -1;
}

int32_t vocab_find_spelled(const struct vocab *vocab, const char *bytes,
                           size_t len, int is_bytes)
{
    const uint64_t hash = hash_bytes(bytes, len, is_bytes);

    return vocab_find_hashed(vocab, hash, bytes, len, is_bytes);
}

int32_t vocab_find(const struct vocab *vocab, const char *bytes, size_t len)
{
    return vocab_find_spelled(vocab, bytes, len, 1);
}

static void alloc_slots(struct vocab *vocab)
{
    uint32_t size = 16;

    while (size < 2U * (uint32_t)vocab->n_model)
        size *= 2;
    vocab->slot = oy_try_alloc(size, sizeof *vocab->slot);
    if (!vocab->slot)
        vocab->slot = oy_calloc(size, sizeof *vocab->slot);
    vocab->slot_mask = size - 1;
}

/* Puts a token into the table. */
static int put_token(struct vocab_loader *loader, int32_t id, uint64_t hash,
                     int is_unique)
{
    struct vocab *vocab = loader->vocab;
    const struct vocab_token *token = &vocab->token[id];
    struct vocab_slot *slot = find_slot(vocab, hash, vocab->text + token->at,
                                        token->len, token->is_bytes);

    if (slot->size && is_unique)
        return oy_fail(loader->err, OY_DATA,
                       "model.vocab: ids %d and %d are spelled alike", slot->id,
                       id);
    *slot = (struct vocab_slot){
        .key = key_of(hash, vocab->text + token->at, token->len),
        .id = id,
        .size = size_of(token->len, token->is_bytes),
    };
    return 0;
}

int vocab_build_table(struct vocab_loader *loader, int is_unique)
{
    enum { BATCH = 64 };
    struct vocab *vocab = loader->vocab;
    uint64_t hash[BATCH];

    alloc_slots(vocab);
    for (int32_t begin = 0; begin < vocab->n_id; begin += BATCH) {
        const int32_t left = vocab->n_id - begin;
        const int32_t n = left < BATCH ? left : BATCH;
        const struct vocab_token *token = &vocab->token[begin];
        for (int32_t i = 0; i < n; i++)
            hash[i] = vocab_hash(vocab, vocab->text + token[i].at, token[i].len,
                                 token[i].is_bytes);
        for (int32_t i = 0; i < n; i++) {
            if (token[i].is_used &&
                put_token(loader, begin + i, hash[i], is_unique))
                return -1;
        }
    }
    return 0;
}

size_t vocab_table_size(const struct vocab *vocab)
{
    return ((size_t)vocab->slot_mask + 1) * sizeof *vocab->slot;
}

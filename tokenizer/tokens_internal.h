/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of token streams in numbers, shared by reader and writer; the
 * picture is in tokenizer/tokens.h.
 */
#ifndef TOKENIZER_TOKENS_INTERNAL_H
#define TOKENIZER_TOKENS_INTERNAL_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "token streams are mapped as they lie: little-endian machines only"
#endif

#define TOKENS_MAGIC      "OYTOKENS"
#define TOKENS_END_MAGIC  "OYTOKEND"
#define TOKENS_BLOCK_MARK 0x4254594fU /* "OYTB" */
#define TOKENS_FOOT_MARK  0x4554594fU /* "OYTE" */

enum {
    TOKENS_HEADER_SIZE = 96,
    TOKENS_BLOCK_HEADER_SIZE = 40,
    TOKENS_FOOT_SIZE = 48, /* the fixed part before the index */
    TOKENS_TAIL_SIZE = 24, /* hash, offset, magic behind the index */
    TOKENS_FLAG_MASK = 1,
    TOKENS_FLAG_SHUFFLE = 2,
};

/* The fixed parts as they lie in the file. */
struct tokens_header {
    char magic[8];
    uint16_t major, minor;
    uint32_t header_size;
    uint32_t vocab_size;
    uint32_t token_size;
    uint32_t row_len;
    uint32_t flags;
    uint64_t tokenizer[2]; /* high, low */
    int32_t bos, eos;
    uint64_t seed;
    uint32_t block_tokens;
    uint32_t zero;
    uint64_t zero2;
    uint64_t zero3;
    uint64_t hash;
};

struct tokens_block_header {
    uint32_t mark;
    uint32_t n_token;
    uint32_t n_start;
    uint32_t payload_size;
    uint64_t first;
    uint64_t previous;
    uint64_t hash;
};

struct tokens_foot {
    uint32_t mark;
    uint32_t zero;
    uint64_t n_token;
    uint64_t n_document;
    uint64_t n_block;
    uint64_t text_bytes;
    uint64_t last_hash;
};

_Static_assert(sizeof(struct tokens_header) == TOKENS_HEADER_SIZE, "layout");
_Static_assert(sizeof(struct tokens_block_header) == TOKENS_BLOCK_HEADER_SIZE,
               "layout");
_Static_assert(sizeof(struct tokens_foot) == TOKENS_FOOT_SIZE, "layout");

/* Bytes of a block's payload; cannot overflow for n <= TOKENS_BLOCK. */
static inline uint32_t tokens_payload_size(uint32_t n_token, uint32_t n_start,
                                           uint32_t token_size, int has_mask)
{
    uint32_t size = n_token * token_size;

    size = (size + 3) / 4 * 4 + n_start * 4;
    if (has_mask)
        size += (n_token + 7) / 8;
    return (size + 7) / 8 * 8;
}

/* Where the starts and the mask lie in a payload. */
static inline uint32_t tokens_starts_at(uint32_t n_token, uint32_t token_size)
{
    return (n_token * token_size + 3) / 4 * 4;
}

#endif

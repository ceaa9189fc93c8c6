/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of token streams in numbers, and the two ways of reading one
 * file: front to back, and by position. The picture is in tokenizer/tokens.h.
 */
#ifndef TOKENIZER_TOKENS_INTERNAL_H
#define TOKENIZER_TOKENS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/input.h"
#include "tokenizer/tokens.h"

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
    TOKENS_FLAG_ROWS = 4,
    TOKENS_FLAGS_KNOWN = 7,
};

/* In a place of a document's start: a row begins there too. */
#define TOKENS_ROW_MARK 0x80000000U

/* Where in which file something is wrong. */
#define TOKENS_AT "%s: byte %llu: "

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

/* Numbers of the index behind the fixed part of a footer: an offset a block;
 * with rows also the rows that begin before each block, and their sum. */
static inline uint64_t tokens_index_size(uint64_t n_block, int has_rows)
{
    return has_rows ? 2 * n_block + 1 : n_block;
}

/* ---- what parts say (tokens_layout.c) ---- */

/* What is wrong with a header, or NULL. */
const char *tokens_header_fault(const struct tokens_header *header);
struct tokens_info tokens_info_of(const struct tokens_header *header);
/* Whether the header's numbers can be those of a block at this place: what is
 * wrong, or NULL. */
const char *tokens_block_fault(const struct tokens_header *stream,
                               const struct tokens_block_header *header,
                               uint64_t first);
uint64_t tokens_block_hash(struct oy_buffer *scratch,
                           const struct tokens_block_header *header,
                           const void *payload);
/* Start number i of a block, with its mark. */
uint32_t tokens_start_of(const struct tokens_header *stream,
                         const struct tokens_block_header *header,
                         const unsigned char *payload, uint32_t i);
/* Unpacks tokens from .. from+n-1 of a block whose hash is right. */
void tokens_unpack_ids(const struct tokens_header *stream,
                       const unsigned char *payload, size_t from, size_t n,
                       int32_t *id);
void tokens_unpack_flags(const struct tokens_header *stream,
                         const struct tokens_block_header *header,
                         const unsigned char *payload, size_t from, size_t n,
                         uint8_t *flag);

/* ---- one file, front to back (tokens_scan.c) ---- */

/* The block that was read last, unpacked. */
struct tokens_block {
    int32_t *id;   /* [TOKENS_BLOCK] */
    uint8_t *flag; /* [TOKENS_BLOCK] */
    size_t n;
};

struct tokens_scan {
    struct oy_input *input;
    const char *name;
    uint64_t at; /* bytes taken */
    struct tokens_header header;
    struct tokens_info info;
    uint64_t previous; /* hash of the part before */
    uint64_t n_token, n_document, n_row, text_bytes;
    uint64_t row_at;     /* where the last row begins */
    uint64_t *offset;    /* of each block */
    uint64_t *row_index; /* rows that begin before each block */
    size_t n_block, cap_offset, cap_row_index;
    struct oy_buffer part;
    int ended;
};

/* Takes the header from scan->input, which is set. */
int tokens_scan_begin(struct tokens_scan *scan, struct oy_error *err);
int tokens_scan_open(struct tokens_scan *scan, const char *path,
                     struct oy_error *err);
void tokens_scan_release(struct tokens_scan *scan);
/* 1 and the next block, 0 at the proven end, -1. */
int tokens_scan_block(struct tokens_scan *scan, struct tokens_block *block,
                      struct oy_error *err);

/* ---- one plain file, by position (tokens_map.c) ---- */

struct tokens_map {
    const char *name;          /* borrowed */
    const unsigned char *base; /* NULL: not mapped */
    size_t size;
    struct tokens_header header;
    struct tokens_foot foot;
    const unsigned char *index; /* tokens_index_size() numbers */
    uint64_t n_row;
    uint64_t first, first_row; /* numbers of its first ones in the reader */
    unsigned char *proven;     /* one a block */
    struct oy_buffer scratch;
};

/* `path` is borrowed until tokens_map_release(). */
int tokens_map_open(struct tokens_map *map, const char *path,
                    struct oy_error *err);
void tokens_map_release(struct tokens_map *map);
/* Up to n tokens from `at` on, as many as the block has: *got. */
int tokens_map_read(struct tokens_map *map, uint64_t at, size_t n, int32_t *id,
                    uint8_t *flag, size_t *got, struct oy_error *err);
/* Where row `row` < n_row lies. */
int tokens_map_row(struct tokens_map *map, uint64_t row, uint64_t *at,
                   size_t *n, struct oy_error *err);

#endif

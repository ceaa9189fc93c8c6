/* SPDX-License-Identifier: Apache-2.0
 *
 * What each token of a vocabulary becomes in decoding, found out beforehand.
 *
 * Most decoders begin with steps that look at one token at a time (Replace,
 * Metaspace, WordPiece ...), then join the texts: as they are, as bytes
 * (ByteLevel), or with the bytes that tokens name (ByteFallback); what steps
 * follow see one text. The first part is done here once for every token, so
 * that decoding is copying. An entry holds up to 15 bytes itself: 16 are
 * copied whatever the length, from one cache line.
 */
#ifndef TOKENIZER_DECODE_TABLE_H
#define TOKENIZER_DECODE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/json.h"
#include "tokenizer/vocab.h"

/* decode_entry.kind: a length up to DECODE_INLINE, or one of these; each may
 * have DECODE_SPECIAL on top. */
enum {
    DECODE_INLINE = 15,
    DECODE_LONG = 16,      /* `byte` begins with place and length, 32 bits
                              each, in the table's text */
    DECODE_BYTE = 17,      /* byte[0] names a byte of a run */
    DECODE_UNKNOWN = 18,   /* no token has this id */
    DECODE_SPECIAL = 0x80, /* a special token */
};

struct decode_entry {
    char byte[DECODE_INLINE];
    uint8_t kind;
};

/* How the texts are joined. */
enum decode_join {
    DECODE_JOIN_TEXTS,
    DECODE_JOIN_BYTES,    /* and made valid UTF-8 */
    DECODE_JOIN_FALLBACK, /* runs of DECODE_BYTE are text, or U+FFFD */
};

struct decode_table {
    struct decode_entry *entry; /* [n]; NULL: the decoder has another form */
    int32_t n;
    struct oy_buffer text; /* of long entries */
    enum decode_join join;
    size_t n_own;            /* steps that the entries stand for */
    size_t rest;             /* the first step for the whole text */
    int has_first, has_last; /* the first or last token has another entry */
};

/* The vocabulary is borrowed. */
struct decode_table *decode_table_new(const struct vocab *vocab);
void decode_table_free(struct decode_table *table);

/* The entry of a token where it is the first, or last, or both; a long one has
 * its text in `text`, which is overwritten. */
void decode_table_edge(const struct decode_table *table,
                       const struct vocab *vocab, int32_t id, int is_first,
                       int is_last, struct decode_entry *entry,
                       struct oy_buffer *text);

/* Appends a token as the file spells it, as what a decoder gets. */
void decode_put_spelled(const struct vocab *vocab, int32_t id,
                        struct oy_buffer *out);
/* The byte that a text like "<0x0A>" names, or -1. */
int decode_byte_of(struct oy_text text);

#endif

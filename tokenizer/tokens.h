/* SPDX-License-Identifier: Apache-2.0
 *
 * Token streams: token ids on disk or in a pipe, with proof of every byte.
 *
 * A stream is a header, blocks of up to TOKENS_BLOCK tokens, and a footer. It
 * is written and read front to back, so it can be piped; a plain file is also
 * read by position (the footer ends in an index of blocks). A stream that
 * stops before its footer is truncated, which is an error (65), never an end.
 * Several files (shards) read as one long stream when they were made with
 * the same tokenizer.
 *
 * A stream may be divided into rows: runs of whole documents that are trained
 * on as they are, none longer than the header's row length, found by number
 * through the index. Without rows the reader cuts the stream as it likes.
 *
 * Layout, all integers little-endian, every part a multiple of 8 bytes:
 *
 *     header  "OYTOKENS"  u16 major, u16 minor  u32 header size (96)
 *             u32 vocabulary size  u32 bytes of a token (2 or 4)
 *             u32 row length or 0  u32 flags (1: loss mask, 2: shuffle,
 *             4: rows)
 *             u8[16] tokenizer hash  i32 bos  i32 eos (-1: none)
 *             u64 shuffle seed  u32 tokens of a block  u32 0  u64 0  u64 0
 *             u64 XXH3 of the 88 bytes before
 *     block   u32 "OYTB"  u32 n_token  u32 n_start  u32 payload size
 *             u64 number of its first token  u64 previous block's hash (the
 *             header's before the first)  u64 XXH3 of these 32 bytes and the
 *             payload: n_token ids of 2 or 4 bytes; n_start u32 places in the
 *             block where a document starts, ascending, bit 31 set where a
 *             row does; with a loss mask one bit a token, low bit first;
 *             zeros up to 8 bytes
 *     footer  u32 "OYTE"  u32 0  u64 n_token  u64 n_document  u64 n_block
 *             u64 bytes of text  u64 last block's hash  u64[n_block] offset
 *             of each block, with rows u64[n_block + 1] rows that begin before
 *             each block and in all  u64 XXH3 of the footer so far  u64 offset
 *             of the footer  "OYTOKEND"
 *
 * All blocks but the last are full, so token i lies in block i / TOKENS_BLOCK.
 * Because each block names the hash of the one before, tokens_position_hash()
 * proves everything up to a place. Streams without rows are of minor version
 * 0; a reader refuses what is newer than itself, and other major versions.
 */
#ifndef TOKENIZER_TOKENS_H
#define TOKENIZER_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/output.h"

enum {
    TOKENS_MAJOR = 1,
    TOKENS_MINOR = 1,
    TOKENS_BLOCK = 65536, /* tokens of a full block */
};

/* What a reader is told of each token. */
enum {
    TOKENS_START = 1, /* a document starts here */
    TOKENS_LOSS = 2, /* this token is to be learnt; set when there is no mask */
    TOKENS_ROW = 4,  /* a row starts here */
};

/* What the header says. */
struct tokens_info {
    uint32_t vocab_size;
    uint32_t row_len; /* oy-pack --seq-len; 0: the reader decides */
    int has_mask;
    int has_rows;  /* rows of at most row_len tokens */
    int shuffle;   /* rows are to be read in the order of tokens_row_at() */
    uint64_t seed; /* for that */
    struct oy_hash128 tokenizer; /* tokenizer_hash() of the one that made it */
    int32_t bos, eos;            /* -1: none */
};

/* ---- reading ---- */

/* Not for two threads at once. */
struct tokens_reader;

/* Opens files (or "-", standard input) as one stream; n_path 0 is standard
 * input. Files may be compressed, then they are read front to back only. NULL
 * after a failure: 66 missing, 65 not a token stream or shards that do not
 * belong together. */
struct tokens_reader *tokens_open(const char *const *path, int n_path,
                                  struct oy_error *err);
/* The same of one input that somebody opened and perhaps peeked into; it is
 * taken over, also after a failure. */
struct oy_input;
struct tokens_reader *tokens_open_input(struct oy_input *input,
                                        struct oy_error *err);
void tokens_close(struct tokens_reader *reader);

/* Borrowed from the reader. */
const struct tokens_info *tokens_reader_info(
    const struct tokens_reader *reader);
/* Whether `magic` (8 bytes) begins a token stream. */
int tokens_is_magic(const void *magic);

/* The next tokens, up to n, front to back: ids and flags (NULL: not wanted).
 * Returns how many, fewer than n only at the proven end, -1 on failure. */
int64_t tokens_read(struct tokens_reader *reader, size_t n, int32_t *id,
                    uint8_t *flag, struct oy_error *err);
/* Passes over n tokens, checking their hashes all the same. Returns how many
 * there were, -1 on failure. */
int64_t tokens_skip(struct tokens_reader *reader, uint64_t n,
                    struct oy_error *err);
/* Tokens read or skipped so far. */
uint64_t tokens_position(const struct tokens_reader *reader);
/* A hash of all tokens, flags and headers up to tokens_position(): equal for
 * equal beginnings, whatever was asked for at once. */
uint64_t tokens_position_hash(const struct tokens_reader *reader);

/* Whether every input is a plain regular file: then the functions below
 * work, and tokens_read() may be used beside them. */
int tokens_is_seekable(const struct tokens_reader *reader);
/* Of all files; 0 when not seekable. */
uint64_t tokens_total(const struct tokens_reader *reader);
uint64_t tokens_total_documents(const struct tokens_reader *reader);
uint64_t tokens_total_rows(const struct tokens_reader *reader);
/* Bytes of UTF-8 that the documents had: for bits per byte. */
uint64_t tokens_total_bytes(const struct tokens_reader *reader);
/* Tokens at .. at+n-1, which must exist (OY_ASSERT). A block's hash is checked
 * when it is touched for the first time. 0, or -1. */
int tokens_read_at(struct tokens_reader *reader, uint64_t at, size_t n,
                   int32_t *id, uint8_t *flag, struct oy_error *err);
/* Where row number `row` lies, which must exist (OY_ASSERT). 0, or -1. */
int tokens_find_row(struct tokens_reader *reader, uint64_t row, uint64_t *at,
                    size_t *n, struct oy_error *err);

/* Which of n_row rows comes as number `index` in this epoch: a permutation
 * that is a function of (seed, epoch) and is never written down. */
uint64_t tokens_row_at(uint64_t seed, uint64_t epoch, uint64_t n_row,
                       uint64_t index);

/* ---- writing ---- */

struct tokens_writer;

/* Writes into `output` (borrowed; the caller commits it). The header goes out
 * with the first block. */
struct tokens_writer *tokens_writer_new(const struct tokens_info *info,
                                        struct oy_output *output);
void tokens_writer_free(struct tokens_writer *writer);
/* Appends one document: its ids (each in 0 .. vocab_size-1, asserted), where
 * `loss` (one byte a token, 0 or 1) is needed only with a mask. `text_bytes`
 * is added to the footer's sum. 0, or -1 (74). */
int tokens_write(struct tokens_writer *writer, const int32_t *id, size_t n,
                 const uint8_t *loss, uint64_t text_bytes,
                 struct oy_error *err);
/* The next document begins a row; with rows the first one must. The documents
 * of a row may have info.row_len tokens together (asserted). */
void tokens_begin_row(struct tokens_writer *writer);
/* Writes what is left and the footer. Without it the stream is truncated. */
int tokens_writer_finish(struct tokens_writer *writer, struct oy_error *err);
uint64_t tokens_writer_count(const struct tokens_writer *writer);
uint64_t tokens_writer_documents(const struct tokens_writer *writer);

/* ---- checking ---- */

struct tokens_summary {
    struct tokens_info info;
    uint64_t n_token, n_document, n_row, n_block, text_bytes;
};

/* Reads every byte of one file: hashes, counts, order, ids within the
 * vocabulary, index, nothing behind the footer. 0, or -1 with err (65 and the
 * place of the first fault; 66). */
int tokens_check(const char *path, struct tokens_summary *summary,
                 struct oy_error *err);

#endif

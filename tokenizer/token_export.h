/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of tokens as other projects read them.
 *
 *  nanogpt   nothing but ids of 16 bits (data/openwebtext/prepare.py, read by
 *            numpy.memmap in train.py); a meta.pkl with the vocabulary's size
 *            where it is not GPT-2's.
 *  llmc      256 i32: magic 20240520, version 1, number of tokens, zeros, then
 *            ids of 16 bits; or 20240801, 7, number, and ids of 32 bits where
 *            the vocabulary is too large (dev/data/data_common.py).
 *  megatron  NAME.bin: ids; NAME.idx: "MMIDIDX\0\0", u64 1, u8 kind of id (8:
 *            u16 up to 65,499 ids, 4: i32), u64 sequences, u64 documents + 1,
 *            i32 length and i64 place of every sequence, i64 sequences before
 *            each document's end, from 0 on
 *            (megatron/core/datasets/indexed_dataset.py).
 *
 * All integers are little-endian. None of them carries a hash: a manifest
 * does.
 */
#ifndef TOKENIZER_TOKEN_EXPORT_H
#define TOKENIZER_TOKEN_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/output.h"

enum {
    LLMC_HEADER_SIZE = 1024,
    LLMC_MAGIC_16 = 20240520, /* version 1 */
    LLMC_MAGIC_32 = 20240801, /* version 7 */
    MEGATRON_HEADER_SIZE = 34,
    NANOGPT_VOCABULARY = 50257, /* what train.py takes without a meta.pkl,
                                   and pads to 50304 */
};

/* Of documents, for val.bin (data/openwebtext/prepare.py). */
#define NANOGPT_VALID_FRACTION 0.0005

/* Appends n ids of 2 or 4 bytes. */
void token_export_put(struct oy_buffer *out, int id_size, const int32_t *id,
                      size_t n);

/* Bytes of an id in a file of llm.c's. */
int llmc_id_size(uint32_t vocab_size);
/* The header of a file of n_token ids (fewer than 2^31). */
int llmc_write_header(struct oy_output *output, int id_size, uint64_t n_token,
                      struct oy_error *err);

/* A pickle of {'vocab_size': N}. */
int nanogpt_write_meta(struct oy_output *output, uint32_t vocab_size,
                       struct oy_error *err);

int megatron_id_size(uint32_t vocab_size);
/* Lengths of documents, kept in a temporary file until they are an index. */
struct megatron_index;
/* NULL after a failure (71). */
struct megatron_index *megatron_index_new(int id_size, const char *tmpdir,
                                          struct oy_error *err);
void megatron_index_free(struct megatron_index *index);
/* A document of n ids. -1: too long for the format (65), or 71. */
int megatron_index_add(struct megatron_index *index, size_t n,
                       struct oy_error *err);
int megatron_index_write(struct megatron_index *index, struct oy_output *output,
                         struct oy_error *err);

/* ---- checking ---- */

enum token_export_kind {
    TOKEN_EXPORT_NONE, /* none of them */
    TOKEN_EXPORT_LLMC,
    TOKEN_EXPORT_MEGATRON_INDEX,
};

/* By the first `n` bytes of a file. */
enum token_export_kind token_export_kind(const void *head, size_t n);

/* Whether the file at `path` holds what its header says, to the byte; an
 * index of Megatron's together with the .bin beside it. 0, or -1 with err (65
 * and what is wrong; 66). */
int token_export_check(const char *path, enum token_export_kind kind,
                       struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing token files of other projects. */
#include "tokenizer/token_export.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/spool.h"

enum { CHUNK = 1 << 14 };

int token_export_ids(struct oy_output *output, int id_size, const int32_t *id,
                     size_t n, struct oy_error *err)
{
    uint16_t narrow[CHUNK];

    if (id_size == 4)
        return oy_output_write(output, id, n * sizeof *id, err);
    while (n) {
        const size_t step = n < CHUNK ? n : CHUNK;
        for (size_t i = 0; i < step; i++)
            narrow[i] = (uint16_t)id[i];
        if (oy_output_write(output, narrow, step * sizeof *narrow, err))
            return -1;
        id += step;
        n -= step;
    }
    return 0;
}

/* ---- llm.c, nanoGPT ---- */

int llmc_id_size(uint32_t vocab_size)
{
    return vocab_size <= 65536 ? 2 : 4;
}

int llmc_write_header(struct oy_output *output, int id_size, uint64_t n_token,
                      struct oy_error *err)
{
    int32_t header[LLMC_HEADER_SIZE / 4] = {LLMC_MAGIC_16, 1};

    OY_ASSERT(n_token <= INT32_MAX);
    if (id_size == 4) {
        header[0] = LLMC_MAGIC_32;
        header[1] = 7;
    }
    header[2] = (int32_t)n_token;
    return oy_output_write(output, header, sizeof header, err);
}

int nanogpt_write_meta(struct oy_output *output, uint32_t vocab_size,
                       struct oy_error *err)
{
    /* Protocol 2: an empty dictionary, a key (8-bit length and text), a 32-bit
     * number, set, stop. */
    unsigned char pickle[] = "\x80\x02}X\x0a\0\0\0vocab_sizeJ\0\0\0\0s.";
    unsigned char *number = pickle + sizeof pickle - 1 - 6;

    OY_ASSERT(vocab_size <= INT32_MAX);
    memcpy(number, &vocab_size, sizeof vocab_size);
    return oy_output_write(output, pickle, sizeof pickle - 1, err);
}

/* ---- Megatron ---- */

struct megatron_index {
    int id_size;
    int file; /* of i32 lengths */
    uint64_t n;
    int32_t length[CHUNK]; /* not yet in the file */
    size_t n_kept;
};

int megatron_id_size(uint32_t vocab_size)
{
    return vocab_size < 65500 ? 2 : 4; /* DType.optimal_dtype */
}

struct megatron_index *megatron_index_new(int id_size, const char *tmpdir,
                                          struct oy_error *err)
{
    struct megatron_index *index = oy_calloc(1, sizeof *index);

    index->id_size = id_size;
    index->file = oy_spool_file(oy_spool_folder(tmpdir), err);
    if (index->file >= 0)
        return index;
    oy_free(index);
    return NULL;
}

void megatron_index_free(struct megatron_index *index)
{
    if (!index)
        return;
    close(index->file);
    oy_free(index);
}

static int flush_lengths(struct megatron_index *index, struct oy_error *err)
{
    const char *at = (const char *)index->length;
    size_t left = index->n_kept * sizeof *index->length;

    while (left) {
        const ssize_t put = write(index->file, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return oy_fail_errno(err, OY_SYSTEM, "temporary file");
        at += put;
        left -= (size_t)put;
    }
    index->n_kept = 0;
    return 0;
}

int megatron_index_add(struct megatron_index *index, size_t n,
                       struct oy_error *err)
{
    if (n > INT32_MAX)
        return oy_fail(err, OY_DATA,
                       "a document of %zu tokens is too long for Megatron", n);
    if (index->n_kept == CHUNK && flush_lengths(index, err))
        return -1;
    index->length[index->n_kept++] = (int32_t)n;
    index->n++;
    return 0;
}

/* The next lengths out of the file into index->length; how many, -1. */
static ssize_t read_lengths(struct megatron_index *index, uint64_t at,
                            struct oy_error *err)
{
    const uint64_t left = index->n - at;
    const size_t want =
        (left < CHUNK ? (size_t)left : CHUNK) * sizeof *index->length;
    char *into = (char *)index->length;
    size_t have = 0;

    while (have < want) {
        const ssize_t got = pread(index->file, into + have, want - have,
                                  (off_t)(at * sizeof *index->length + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return oy_fail_errno(err, OY_SYSTEM, "temporary file");
        have += (size_t)got;
    }
    return (ssize_t)(want / sizeof *index->length);
}

enum column { LENGTHS, PLACES, ENDS };

static int write_column(struct megatron_index *index, enum column column,
                        struct oy_output *output, struct oy_error *err)
{
    int64_t wide[CHUNK], place = 0;

    for (uint64_t at = 0; at < index->n;) {
        const ssize_t n = read_lengths(index, at, err);
        if (n < 0)
            return -1;
        for (ssize_t i = 0; i < n; i++) {
            wide[i] = column == PLACES ? place : (int64_t)at + i + 1;
            place += (int64_t)index->length[i] * index->id_size;
        }
        const int failed =
            column == LENGTHS
                ? oy_output_write(output, index->length,
                                  (size_t)n * sizeof *index->length, err)
                : oy_output_write(output, wide, (size_t)n * sizeof *wide, err);
        if (failed)
            return -1;
        at += (uint64_t)n;
    }
    return 0;
}

int megatron_index_write(struct megatron_index *index, struct oy_output *output,
                         struct oy_error *err)
{
    char header[MEGATRON_HEADER_SIZE] = "MMIDIDX\0\0\1";
    const uint64_t n_document = index->n + 1;
    static const int64_t zero;

    header[17] = index->id_size == 2 ? 8 : 4;
    memcpy(header + 18, &index->n, 8);
    memcpy(header + 26, &n_document, 8);
    if (flush_lengths(index, err) ||
        oy_output_write(output, header, sizeof header, err) ||
        write_column(index, LENGTHS, output, err) ||
        write_column(index, PLACES, output, err) ||
        oy_output_write(output, &zero, sizeof zero, err))
        return -1;
    return write_column(index, ENDS, output, err);
}

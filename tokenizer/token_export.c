/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing token files of other projects. */
#include "tokenizer/token_export.h"

#include <string.h>

#include "tokenizer/temporary.h"

enum { CHUNK = 1 << 14 };

void token_export_put(struct oy_buffer *out, int id_size, const int32_t *id,
                      size_t n)
{
    char *at = oy_buffer_reserve(out, n * sizeof *id);

    if (id_size == 4) {
        memcpy(at, id, n * sizeof *id);
    } else {
        for (size_t i = 0; i < n; i++) {
            const uint16_t narrow = (uint16_t)id[i];
            memcpy(at + 2 * i, &narrow, sizeof narrow);
        }
    }
    out->len += n * (size_t)id_size;
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
    uint64_t n;
    struct temporary lengths; /* i32 each */
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
    if (!temporary_open(&index->lengths, tmpdir, err))
        return index;
    oy_free(index);
    return NULL;
}

void megatron_index_free(struct megatron_index *index)
{
    if (!index)
        return;
    temporary_close(&index->lengths);
    oy_free(index);
}

int megatron_index_add(struct megatron_index *index, size_t n,
                       struct oy_error *err)
{
    const int32_t length = (int32_t)n;

    if (n > INT32_MAX)
        return oy_fail(err, OY_DATA,
                       "a document of %zu tokens is too long for Megatron", n);
    index->n++;
    oy_buffer_append(&index->lengths.waiting, &length, sizeof length);
    return temporary_spill(&index->lengths, err);
}

enum column { LENGTHS, PLACES, ENDS };

static int write_column(const struct megatron_index *index, enum column column,
                        struct oy_output *output, struct oy_error *err)
{
    int64_t wide[CHUNK], place = 0;
    int32_t length[CHUNK];

    for (uint64_t at = 0; at < index->n;) {
        const uint64_t left = index->n - at;
        const size_t n = left < CHUNK ? (size_t)left : CHUNK;
        if (temporary_read(&index->lengths, at * sizeof *length, length,
                           n * sizeof *length, err))
            return -1;
        for (size_t i = 0; i < n; i++) {
            wide[i] =
                (int64_t)(column == PLACES ? (uint64_t)place : at + i + 1);
            place += (int64_t)length[i] * index->id_size;
        }
        const int failed =
            column == LENGTHS
                ? oy_output_write(output, length, n * sizeof *length, err)
                : oy_output_write(output, wide, n * sizeof *wide, err);
        if (failed)
            return -1;
        at += n;
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
    if (temporary_flush(&index->lengths, err) ||
        oy_output_write(output, header, sizeof header, err) ||
        write_column(index, LENGTHS, output, err) ||
        write_column(index, PLACES, output, err) ||
        oy_output_write(output, &zero, sizeof zero, err))
        return -1;
    return write_column(index, ENDS, output, err);
}

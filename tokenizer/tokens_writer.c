/* SPDX-License-Identifier: Apache-2.0
 *
 * Token streams, the writing half. */
#include "tokenizer/tokens.h"

#include <string.h>

#include "core/alloc.h"
#include "tokenizer/tokens_internal.h"

struct tokens_writer {
    struct tokens_info info;
    struct oy_output *output;
    uint32_t token_size;
    int has_header;
    uint32_t *start; /* [TOKENS_BLOCK] of the block being filled */
    unsigned char *mask;
    uint32_t n_token, n_start;
    uint64_t total, n_document, text_bytes;
    uint64_t hash;       /* of the last part written */
    uint64_t *offset;    /* of each block */
    uint64_t *row_index; /* rows that begin before each block */
    size_t n_block, cap_offset, cap_row_index;
    uint64_t n_row, n_row_before; /* in all, before the block being filled */
    size_t row_fill;              /* tokens of the row being filled */
    int begins_row;
    /* The block being filled: room for what its hash covers of the header,
     * then ids in the stream's own width. */
    struct oy_buffer part;
};

enum { COVERED = offsetof(struct tokens_block_header, hash) };

static void begin_block(struct tokens_writer *writer)
{
    writer->n_token = writer->n_start = 0;
    memset(writer->mask, 0, TOKENS_BLOCK / 8);
    oy_buffer_clear(&writer->part);
    oy_buffer_reserve(&writer->part, COVERED);
    writer->part.len = COVERED;
}

struct tokens_writer *tokens_writer_new(const struct tokens_info *info,
                                        struct oy_output *output)
{
    struct tokens_writer *writer = oy_calloc(1, sizeof *writer);

    writer->info = *info;
    writer->output = output;
    writer->token_size = info->vocab_size <= 65536 ? 2 : 4;
    writer->start = oy_alloc_array(TOKENS_BLOCK, sizeof *writer->start);
    writer->mask = oy_calloc(TOKENS_BLOCK / 8, 1);
    begin_block(writer);
    return writer;
}

void tokens_writer_free(struct tokens_writer *writer)
{
    if (!writer)
        return;
    oy_free(writer->start);
    oy_free(writer->mask);
    oy_free(writer->offset);
    oy_free(writer->row_index);
    oy_buffer_release(&writer->part);
    oy_free(writer);
}

static int write_header(struct tokens_writer *writer, struct oy_error *err)
{
    const struct tokens_info *info = &writer->info;
    struct tokens_header header = {
        .magic = TOKENS_MAGIC,
        .major = TOKENS_MAJOR,
        .minor = info->has_rows ? TOKENS_MINOR : 0,
        .header_size = TOKENS_HEADER_SIZE,
        .vocab_size = info->vocab_size,
        .token_size = writer->token_size,
        .row_len = info->row_len,
        .flags = (info->has_mask ? TOKENS_FLAG_MASK : 0U) |
                 (info->has_rows ? TOKENS_FLAG_ROWS : 0U) |
                 (info->shuffle ? TOKENS_FLAG_SHUFFLE : 0U),
        .tokenizer = {info->tokenizer.high, info->tokenizer.low},
        .bos = info->bos,
        .eos = info->eos,
        .seed = info->seed,
        .block_tokens = TOKENS_BLOCK,
    };

    header.hash = oy_hash64(&header, offsetof(struct tokens_header, hash));
    writer->hash = header.hash;
    writer->has_header = 1;
    return oy_output_write(writer->output, &header, sizeof header, err);
}

/* Appends ids in the stream's own width. */
static void put_ids(struct tokens_writer *writer, const int32_t *id, size_t n)
{
    char *at = oy_buffer_reserve(&writer->part, n * writer->token_size);

    if (writer->token_size == 4) {
        memcpy(at, id, n * sizeof *id);
    } else {
        for (size_t i = 0; i < n; i++) {
            const uint16_t narrow = (uint16_t)id[i];
            memcpy(at + 2 * i, &narrow, sizeof narrow);
        }
    }
    writer->part.len += n * writer->token_size;
}

static int flush_block(struct tokens_writer *writer, struct oy_error *err)
{
    static const char zero[8];
    struct tokens_block_header header = {
        .mark = TOKENS_BLOCK_MARK,
        .n_token = writer->n_token,
        .n_start = writer->n_start,
        .payload_size =
            tokens_payload_size(writer->n_token, writer->n_start,
                                writer->token_size, writer->info.has_mask),
        .first = writer->total - writer->n_token,
    };
    struct oy_buffer *part = &writer->part;

    if (!writer->has_header && write_header(writer, err))
        return -1;
    header.previous = writer->hash;
    OY_GROW(writer->offset, writer->cap_offset, writer->n_block + 1);
    OY_GROW(writer->row_index, writer->cap_row_index, writer->n_block + 1);
    writer->row_index[writer->n_block] = writer->n_row_before;
    writer->n_row_before = writer->n_row;
    writer->offset[writer->n_block++] = oy_output_bytes(writer->output);
    memcpy(part->data, &header, COVERED);
    oy_buffer_append(part, zero, -part->len & 3);
    oy_buffer_append(part, writer->start, writer->n_start * sizeof(uint32_t));
    if (writer->info.has_mask)
        oy_buffer_append(part, writer->mask, (writer->n_token + 7) / 8);
    oy_buffer_append(part, zero, -part->len & 7);
    header.hash = oy_hash64(part->data, part->len);
    writer->hash = header.hash;
    OY_ASSERT(part->len == COVERED + header.payload_size);
    const int failed =
        oy_output_write(writer->output, &header, sizeof header, err) ||
        oy_output_write(writer->output, part->data + COVERED,
                        header.payload_size, err);
    begin_block(writer);
    return failed ? -1 : 0;
}

/* Copies what fits into the block; returns how many tokens did. */
static size_t fill_block(struct tokens_writer *writer, const int32_t *id,
                         size_t n, const uint8_t *loss)
{
    const size_t room = TOKENS_BLOCK - writer->n_token;
    const size_t take = n < room ? n : room;
    uint32_t bad = 0;

    for (size_t i = 0; i < take; i++)
        bad |= (uint32_t)id[i] >= writer->info.vocab_size;
    OY_ASSERT(!bad);
    put_ids(writer, id, take);
    for (size_t i = 0; writer->info.has_mask && i < take; i++) {
        const size_t bit = writer->n_token + i;
        if (loss[i])
            writer->mask[bit / 8] |= (unsigned char)(1U << bit % 8);
    }
    writer->n_token += (uint32_t)take;
    writer->total += take;
    return take;
}

void tokens_begin_row(struct tokens_writer *writer)
{
    OY_ASSERT(writer->info.has_rows);
    writer->begins_row = 1;
}

/* Notes where a document starts, and perhaps a row. */
static void put_start(struct tokens_writer *writer)
{
    const uint32_t mark = writer->begins_row ? TOKENS_ROW_MARK : 0;

    writer->start[writer->n_start++] = writer->n_token | mark;
    writer->n_row += writer->begins_row;
    writer->begins_row = 0;
}

int tokens_write(struct tokens_writer *writer, const int32_t *id, size_t n,
                 const uint8_t *loss, uint64_t text_bytes, struct oy_error *err)
{
    OY_ASSERT(loss || !writer->info.has_mask);
    writer->text_bytes += text_bytes;
    if (!n)
        return 0;
    writer->n_document++;
    if (writer->info.has_rows) {
        writer->row_fill = n + (writer->begins_row ? 0 : writer->row_fill);
        OY_ASSERT(writer->n_row || writer->begins_row);
        OY_ASSERT(writer->row_fill <= writer->info.row_len);
    }
    for (size_t at = 0; at < n;) {
        if (writer->n_token == TOKENS_BLOCK && flush_block(writer, err))
            return -1;
        if (!at)
            put_start(writer);
        at += fill_block(writer, id + at, n - at, loss ? loss + at : NULL);
    }
    return 0;
}

int tokens_writer_finish(struct tokens_writer *writer, struct oy_error *err)
{
    struct oy_buffer *part = &writer->part;

    if (writer->n_token && flush_block(writer, err))
        return -1;
    if (!writer->has_header && write_header(writer, err))
        return -1;
    const uint64_t at = oy_output_bytes(writer->output);
    const struct tokens_foot foot = {
        .mark = TOKENS_FOOT_MARK,
        .n_token = writer->total,
        .n_document = writer->n_document,
        .n_block = writer->n_block,
        .text_bytes = writer->text_bytes,
        .last_hash = writer->hash,
    };
    oy_buffer_clear(part);
    oy_buffer_append(part, &foot, sizeof foot);
    const size_t index_size = writer->n_block * sizeof *writer->offset;
    oy_buffer_append(part, writer->offset, index_size);
    if (writer->info.has_rows) {
        oy_buffer_append(part, writer->row_index, index_size);
        oy_buffer_append(part, &writer->n_row, sizeof writer->n_row);
    }
    const uint64_t hash = oy_hash64(part->data, part->len);
    oy_buffer_append(part, &hash, sizeof hash);
    oy_buffer_append(part, &at, sizeof at);
    oy_buffer_append(part, TOKENS_END_MAGIC, 8);
    return oy_output_write(writer->output, part->data, part->len, err);
}

uint64_t tokens_writer_count(const struct tokens_writer *writer)
{
    return writer->total;
}

uint64_t tokens_writer_documents(const struct tokens_writer *writer)
{
    return writer->n_document;
}

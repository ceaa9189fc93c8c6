/* SPDX-License-Identifier: Apache-2.0
 *
 * One token stream, front to back. */
#include <string.h>

#include "tokenizer/tokens_internal.h"

static int fail_at(const struct tokens_scan *scan, struct oy_error *err,
                   const char *what)
{
    return oy_fail(err, OY_DATA, TOKENS_AT "%s", scan->name,
                   (unsigned long long)scan->at, what);
}

/* Takes exactly `size` bytes. */
static int take(struct tokens_scan *scan, void *data, size_t size,
                struct oy_error *err)
{
    const ssize_t got = oy_input_read(scan->input, data, size, err);

    if (got < 0)
        return -1;
    scan->at += (uint64_t)got;
    if ((size_t)got < size)
        return fail_at(scan, err, "token stream is truncated");
    return 0;
}
int tokens_scan_begin(struct tokens_scan *scan, struct oy_error *err)
{
    const char *fault;

    scan->name = oy_input_name(scan->input);
    const ssize_t got =
        oy_input_read(scan->input, &scan->header, sizeof scan->header, err);
    if (got < 0)
        return -1;
    if ((size_t)got < sizeof scan->header) {
        const int begins = got >= 8 && tokens_is_magic(scan->header.magic);
        return oy_fail(err, OY_DATA, "%s: %s", scan->name,
                       begins ? "token stream is truncated"
                              : "not a token stream");
    }
    fault = tokens_header_fault(&scan->header);
    if (fault)
        return oy_fail(err, OY_DATA, "%s: %s", scan->name, fault);
    scan->at = sizeof scan->header;
    scan->previous = scan->header.hash;
    scan->info = tokens_info_of(&scan->header);
    return 0;
}

int tokens_scan_open(struct tokens_scan *scan, const char *path,
                     struct oy_error *err)
{
    scan->input = oy_input_open(path, err);
    return scan->input ? tokens_scan_begin(scan, err) : -1;
}

void tokens_scan_release(struct tokens_scan *scan)
{
    oy_input_close(scan->input);
    oy_free(scan->offset);
    oy_free(scan->row_index);
    oy_buffer_release(&scan->part);
    *scan = (struct tokens_scan){0};
}
/* Only a broken writer or a forged file gets past the hash and fails in the
 * two functions below. Ids within the vocabulary, starts ascending: */
static const char *content_fault(const struct tokens_header *stream,
                                 const struct tokens_block_header *header,
                                 const unsigned char *payload,
                                 const int32_t *id)
{
    const int has_rows = !!(stream->flags & TOKENS_FLAG_ROWS);
    uint32_t largest = 0, next = 0;

    for (uint32_t i = 0; i < header->n_token; i++)
        largest = (uint32_t)id[i] > largest ? (uint32_t)id[i] : largest;
    if (largest >= stream->vocab_size)
        return "token id outside the vocabulary";
    for (uint32_t i = 0; i < header->n_start; i++) {
        uint32_t place = tokens_start_of(stream, header, payload, i);
        if (has_rows)
            place &= ~TOKENS_ROW_MARK;
        if (place < next || place >= header->n_token)
            return "document starts out of order";
        next = place + 1;
    }
    return NULL;
}

/* No row longer than the header says, and no token in front of the first. */
static const char *rows_fault(struct tokens_scan *scan,
                              const struct tokens_block_header *header,
                              const unsigned char *payload)
{
    const uint64_t row_len = scan->header.row_len;

    for (uint32_t i = 0; i < header->n_start; i++) {
        const uint32_t start =
            tokens_start_of(&scan->header, header, payload, i);
        const uint64_t at = header->first + (start & ~TOKENS_ROW_MARK);
        if (!(start & TOKENS_ROW_MARK))
            continue;
        if (scan->n_row ? at - scan->row_at > row_len : at > 0)
            return "row out of place";
        scan->row_at = at;
        scan->n_row++;
    }
    if (!scan->n_row ||
        header->first + header->n_token - scan->row_at > row_len)
        return "row out of place";
    return NULL;
}

static int index_differs(const struct tokens_scan *scan, const char *index)
{
    const size_t size = scan->n_block * sizeof *scan->offset;

    if (size && memcmp(index, scan->offset, size))
        return 1;
    if (!scan->info.has_rows)
        return 0;
    if (size && memcmp(index + size, scan->row_index, size))
        return 1;
    return memcmp(index + 2 * size, &scan->n_row, sizeof scan->n_row) != 0;
}

/* Reads the footer whose mark was taken, and proves the end. */
static int scan_end(struct tokens_scan *scan, const void *begin, size_t n_begin,
                    struct oy_error *err)
{
    const uint64_t at = scan->at - n_begin;
    const size_t size =
        TOKENS_FOOT_SIZE + TOKENS_TAIL_SIZE +
        8 * tokens_index_size(scan->n_block, scan->info.has_rows);
    struct tokens_foot foot;
    uint64_t tail[2];
    char more;

    oy_buffer_clear(&scan->part);
    char *data = oy_buffer_reserve(&scan->part, size);
    memcpy(data, begin, n_begin);
    if (take(scan, data + n_begin, size - n_begin, err))
        return -1;
    memcpy(&foot, data, sizeof foot);
    memcpy(tail, data + size - TOKENS_TAIL_SIZE, sizeof tail);
    if (foot.n_token != scan->n_token || foot.n_document != scan->n_document ||
        foot.n_block != scan->n_block || foot.last_hash != scan->previous ||
        tail[0] != oy_hash64(data, size - TOKENS_TAIL_SIZE) || tail[1] != at ||
        memcmp(data + size - 8, TOKENS_END_MAGIC, 8) ||
        index_differs(scan, data + TOKENS_FOOT_SIZE))
        return fail_at(scan, err, "footer does not fit the token stream");
    scan->text_bytes = foot.text_bytes;
    const ssize_t behind = oy_input_read(scan->input, &more, 1, err);
    if (behind)
        return behind < 0 ? -1
                          : fail_at(scan, err, "bytes behind a token stream");
    scan->ended = 1;
    return 0;
}

int tokens_scan_block(struct tokens_scan *scan, struct tokens_block *block,
                      struct oy_error *err)
{
    struct tokens_block_header header;
    const uint64_t at = scan->at;
    const size_t fixed = offsetof(struct tokens_block_header, hash);

    if (take(scan, &header, sizeof header, err))
        return -1;
    if (header.mark == TOKENS_FOOT_MARK)
        return scan_end(scan, &header, sizeof header, err);
    const char *fault =
        tokens_block_fault(&scan->header, &header, scan->n_token);
    if (!fault && scan->n_token % TOKENS_BLOCK)
        fault = "token block behind one that is not full";
    if (fault)
        return fail_at(scan, err, fault);
    oy_buffer_clear(&scan->part);
    oy_buffer_append(&scan->part, &header, fixed);
    char *payload = oy_buffer_reserve(&scan->part, header.payload_size);
    if (take(scan, payload, header.payload_size, err))
        return -1;
    if (header.previous != scan->previous ||
        header.hash != oy_hash64(scan->part.data, fixed + header.payload_size))
        return fail_at(scan, err, "token block with a wrong hash");
    const unsigned char *bytes = (const unsigned char *)payload;
    tokens_unpack_ids(&scan->header, bytes, 0, header.n_token, block->id);
    OY_GROW(scan->offset, scan->cap_offset, scan->n_block + 1);
    OY_GROW(scan->row_index, scan->cap_row_index, scan->n_block + 1);
    scan->row_index[scan->n_block] = scan->n_row;
    scan->offset[scan->n_block++] = at;
    fault = content_fault(&scan->header, &header, bytes, block->id);
    if (!fault && scan->info.has_rows)
        fault = rows_fault(scan, &header, bytes);
    if (fault)
        return fail_at(scan, err, fault);
    tokens_unpack_flags(&scan->header, &header, bytes, 0, header.n_token,
                        block->flag);
    block->n = header.n_token;
    scan->previous = header.hash;
    scan->n_token += header.n_token;
    scan->n_document += header.n_start;
    return 1;
}

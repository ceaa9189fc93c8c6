/* SPDX-License-Identifier: Apache-2.0
 *
 * Token streams: what headers and blocks may say, and unpacking them. */
#include <string.h>

#include "tokenizer/tokens_internal.h"

const char *tokens_header_fault(const struct tokens_header *header)
{
    if (memcmp(header->magic, TOKENS_MAGIC, 8))
        return "not a token stream";
    if (header->major != TOKENS_MAJOR || header->minor > TOKENS_MINOR)
        return "token stream of another version";
    if (header->hash != oy_hash64(header, offsetof(struct tokens_header, hash)))
        return "damaged header of a token stream";
    if (header->header_size != TOKENS_HEADER_SIZE ||
        header->block_tokens != TOKENS_BLOCK ||
        header->vocab_size > INT32_MAX || header->flags & ~TOKENS_FLAGS_KNOWN)
        return "header of a token stream out of range";
    if (header->flags & TOKENS_FLAG_ROWS && !header->row_len)
        return "header of a token stream out of range";
    if (header->token_size != 4 &&
        (header->token_size != 2 || header->vocab_size > 65536))
        return "header of a token stream out of range";
    return NULL;
}

struct tokens_info tokens_info_of(const struct tokens_header *header)
{
    return (struct tokens_info){
        .vocab_size = header->vocab_size,
        .row_len = header->row_len,
        .has_mask = !!(header->flags & TOKENS_FLAG_MASK),
        .has_rows = !!(header->flags & TOKENS_FLAG_ROWS),
        .shuffle = !!(header->flags & TOKENS_FLAG_SHUFFLE),
        .seed = header->seed,
        .tokenizer = {header->tokenizer[0], header->tokenizer[1]},
        .bos = header->bos,
        .eos = header->eos,
    };
}

const char *tokens_block_fault(const struct tokens_header *stream,
                               const struct tokens_block_header *header,
                               uint64_t first)
{
    const int has_mask = !!(stream->flags & TOKENS_FLAG_MASK);

    if (header->mark != TOKENS_BLOCK_MARK)
        return "no token block where one should be";
    if (!header->n_token || header->n_token > TOKENS_BLOCK ||
        header->n_start > header->n_token ||
        header->payload_size !=
            tokens_payload_size(header->n_token, header->n_start,
                                stream->token_size, has_mask))
        return "damaged header of a token block";
    if (header->first != first)
        return "token block out of place";
    return NULL;
}

uint64_t tokens_block_hash(struct oy_buffer *scratch,
                           const struct tokens_block_header *header,
                           const void *payload)
{
    oy_buffer_clear(scratch);
    oy_buffer_append(scratch, header,
                     offsetof(struct tokens_block_header, hash));
    oy_buffer_append(scratch, payload, header->payload_size);
    return oy_hash64(scratch->data, scratch->len);
}

uint32_t tokens_start_of(const struct tokens_header *stream,
                         const struct tokens_block_header *header,
                         const unsigned char *payload, uint32_t i)
{
    uint32_t place;

    memcpy(&place,
           payload + tokens_starts_at(header->n_token, stream->token_size) +
               4UL * i,
           sizeof place);
    return place;
}

void tokens_unpack_ids(const struct tokens_header *stream,
                       const unsigned char *payload, size_t from, size_t n,
                       int32_t *id)
{
    if (stream->token_size == 4) {
        memcpy(id, payload + 4 * from, 4 * n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t narrow;
        memcpy(&narrow, payload + 2 * (from + i), sizeof narrow);
        id[i] = narrow;
    }
}

void tokens_unpack_flags(const struct tokens_header *stream,
                         const struct tokens_block_header *header,
                         const unsigned char *payload, size_t from, size_t n,
                         uint8_t *flag)
{
    const unsigned char *mask =
        payload + tokens_starts_at(header->n_token, stream->token_size) +
        4UL * header->n_start;

    memset(flag, TOKENS_LOSS, n);
    for (size_t i = 0; (stream->flags & TOKENS_FLAG_MASK) && i < n; i++) {
        const size_t bit = from + i;
        flag[i] = mask[bit / 8] >> bit % 8 & 1 ? TOKENS_LOSS : 0;
    }
    for (uint32_t i = 0; i < header->n_start; i++) {
        const uint32_t start = tokens_start_of(stream, header, payload, i);
        const uint32_t place = start & ~TOKENS_ROW_MARK;
        if (place >= from && place - from < n)
            flag[place - from] |= start & TOKENS_ROW_MARK
                                      ? TOKENS_START | TOKENS_ROW
                                      : TOKENS_START;
    }
}

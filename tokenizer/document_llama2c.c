/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading llama2.c's tokenizer.bin (karpathy/llama2.c, tokenizer.py): the
 * length of the longest token, then for each its score, length and bytes.
 *
 * It is made of a SentencePiece model of BPE and lost two things on the way,
 * which are put back: U+2581 became a space, the tokens 1 and 2 stand between
 * line feeds. Types of pieces are not there: 0 is the unknown one, and what is
 * spelled as a byte is one. */
#include <math.h>
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/document_internal.h"

enum { HEAD_SIZE = 4, ENTRY_SIZE = 8, MAX_TOKEN = 1 << 16 };

static const char mark[] = "\xe2\x96\x81";

static uint32_t load(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;

    return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
           (uint32_t)byte[3] << 24;
}

int document_is_llama2c(const char *data, size_t len)
{
    return len > HEAD_SIZE + ENTRY_SIZE && load(data) > 0 &&
           load(data) < MAX_TOKEN && load(data + HEAD_SIZE + 4) > 0 &&
           load(data + HEAD_SIZE + 4) <= load(data);
}

/* The piece that the bytes were made of. */
static struct oy_text restore(struct draft *draft, const char *bytes,
                              size_t len, size_t id)
{
    struct oy_buffer piece = {0};
    struct oy_text text;

    if ((id == 1 || id == 2) && len > 2 && bytes[0] == '\n' &&
        bytes[len - 1] == '\n') {
        bytes++;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == ' ')
            oy_buffer_append(&piece, mark, sizeof mark - 1);
        else
            oy_buffer_append_char(&piece, bytes[i]);
    }
    text.at = oy_arena_copy(&draft->arena, piece.data, piece.len);
    text.len = piece.len;
    oy_buffer_release(&piece);
    return text;
}

static uint8_t type_of(struct oy_text text, size_t id)
{
    if (id == 0)
        return PIECE_UNKNOWN;
    if (id < 3)
        return PIECE_CONTROL;
    return document_is_byte_piece(text) ? PIECE_BYTE : PIECE_NORMAL;
}

/* The entry at *at; moves it behind. */
static int add_entry(struct draft *draft, const char *data, size_t len,
                     size_t *at, struct oy_error *err)
{
    float score;

    if (len - *at < ENTRY_SIZE)
        return oy_fail(err, OY_DATA, "truncated");
    memcpy(&score, data + *at, sizeof score);
    const uint32_t n = load(data + *at + 4);
    *at += ENTRY_SIZE;
    if (!n || n > load(data) || n > len - *at)
        return oy_fail(err, OY_DATA, "truncated, or a bad length");
    if (!isfinite(score) || !oy_utf8_valid(data + *at, n))
        return oy_fail(err, OY_DATA, "a bad score, or not UTF-8");
    const struct oy_text text = restore(draft, data + *at, n, draft->n_token);
    *at += n;
    return draft_add_token(draft, text, (int64_t)draft->n_token, score, err);
}

static int add_entries(struct draft *draft,
                       const struct document_source *source,
                       struct document_pieces *pieces, struct oy_error *err)
{
    size_t cap = 0;

    for (size_t at = HEAD_SIZE; at < source->len;) {
        const size_t start = at, id = draft->n_token;
        if (add_entry(draft, source->data, source->len, &at, err))
            return oy_fail_at(err, "byte %zu: token %zu", start, id);
        OY_GROW(pieces->type, cap, id + 1);
        pieces->type[id] = type_of(draft->token[id].text, id);
        pieces->byte_fallback |= pieces->type[id] == PIECE_BYTE;
    }
    return draft->n_token < 3 ? oy_fail(err, OY_DATA, "no tokens") : 0;
}

int document_read_llama2c(const struct document_source *source,
                          struct draft *draft, struct oy_error *err)
{
    struct document_pieces pieces = {
        .bos_id = 1,
        .eos_id = 2,
        .add_bos = 1,
        .add_dummy_prefix = 1,
    };
    int failed = add_entries(draft, source, &pieces, err);

    if (!failed)
        failed = document_from_pieces(&pieces, source->config, draft, err);
    oy_free(pieces.type);
    return failed;
}

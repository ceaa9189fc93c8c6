/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows cut out of token streams.
 */
#include <stdio.h>
#include <string.h>

#include "model/feed_internal.h"

struct tokens_source {
    struct feed_source base;
    struct tokens_reader *reader;
    size_t seq_len;
    uint64_t total;
    struct feed_cutter cutter;
};

/* Of n + 1 tokens in the buffer the first n go in, the last n come out. What
 * opens a document is a target only if it also ends the one before it. */
static struct feed_row row_of(struct feed_cutter *cutter, size_t n)
{
    struct feed_buffer *const b = &cutter->buffer;

    for (size_t i = 0; i < n; i++) {
        const uint8_t next = cutter->flag[i + 1];
        const int opens = (next & TOKENS_START) && b->id[i + 1] != cutter->eos;
        b->start[i] = i == 0 || (cutter->flag[i] & TOKENS_START);
        b->target[i] = opens || !(next & TOKENS_LOSS) ? -1 : b->id[i + 1];
    }
    return (struct feed_row){n, b->id, b->target, b->start};
}

void feed_cutter_init(struct feed_cutter *cutter, feed_pull pull, void *arg,
                      size_t seq_len, int32_t eos)
{
    *cutter = (struct feed_cutter){
        .pull = pull, .arg = arg, .seq_len = seq_len, .eos = eos};
    feed_buffer_reserve(&cutter->buffer, seq_len + 2);
    cutter->flag = oy_alloc(seq_len + 2);
}

void feed_cutter_release(struct feed_cutter *cutter)
{
    feed_buffer_release(&cutter->buffer);
    oy_free(cutter->flag);
    cutter->flag = NULL;
}

/* Moves what was read behind the last row to the front, and reads on until
 * there is a whole row and the begin of the next, or the end. Tokens of the
 * row; 0 at the end, -1. */
static int64_t read_whole_row(struct feed_cutter *cutter, struct oy_error *err)
{
    struct feed_buffer *const b = &cutter->buffer;
    size_t have = cutter->n_kept, seen = 1;

    memmove(b->id, b->id + cutter->n_given, have * sizeof *b->id);
    memmove(cutter->flag, cutter->flag + cutter->n_given, have);
    for (;;) {
        while (seen < have && !(cutter->flag[seen] & TOKENS_ROW))
            seen++;
        if (seen < have)
            break;
        const size_t room = cutter->seq_len + 2 - have;
        const int64_t got = cutter->pull(cutter->arg, room, b->id + have,
                                         cutter->flag + have, err);
        if (got < 0)
            return -1;
        have += (size_t)got;
        if (got == 0) {
            seen = have;
            break;
        }
    }
    cutter->n_given = seen;
    cutter->n_kept = have - seen;
    return (int64_t)seen;
}

static int next_whole_row(struct feed_cutter *cutter, struct feed_row *row,
                          struct oy_error *err)
{
    const int64_t n = read_whole_row(cutter, err);

    if (n <= 0)
        return (int)n;
    *row = row_of(cutter, (size_t)n - 1);
    return 1;
}

int feed_cutter_next(struct feed_cutter *cutter, struct feed_row *row,
                     struct oy_error *err)
{
    struct feed_buffer *const b = &cutter->buffer;
    const size_t n = cutter->seq_len, kept = cutter->n_kept;
    int64_t got;

    if (cutter->has_rows)
        return next_whole_row(cutter, row, err);
    if (kept) {
        b->id[0] = b->id[n];
        cutter->flag[0] = cutter->flag[n];
    }
    got = cutter->pull(cutter->arg, n + 1 - kept, b->id + kept,
                       cutter->flag + kept, err);
    if (got < 0)
        return -1;
    if ((size_t)got + kept < 2)
        return 0;
    cutter->n_kept = 1;
    *row = row_of(cutter, (size_t)got + kept - 1);
    return 1;
}

static void tokens_source_close(struct feed_source *base)
{
    struct tokens_source *const s = (struct tokens_source *)base;

    tokens_close(s->reader);
    feed_cutter_release(&s->cutter);
    oy_free(s);
}

static int64_t pull_tokens(void *arg, size_t n, int32_t *id, uint8_t *flag,
                           struct oy_error *err)
{
    struct tokens_source *const s = arg;

    return tokens_read(s->reader, n, id, flag, err);
}

static int row_at(struct feed_source *base, uint64_t index,
                  struct feed_row *row, struct oy_error *err)
{
    struct tokens_source *const s = (struct tokens_source *)base;
    struct feed_buffer *const b = &s->cutter.buffer;
    const uint64_t at = index * s->seq_len;
    const uint64_t left = s->total - 1 - at;
    const size_t n = left < s->seq_len ? (size_t)left : s->seq_len;

    if (tokens_read_at(s->reader, at, n + 1, b->id, s->cutter.flag, err) != 0)
        return -1;
    *row = row_of(&s->cutter, n);
    snprintf(base->place, sizeof base->place, "token %llu",
             (unsigned long long)at);
    return 0;
}

/* A row as it was packed. */
static int whole_row_at(struct feed_source *base, uint64_t index,
                        struct feed_row *row, struct oy_error *err)
{
    struct tokens_source *const s = (struct tokens_source *)base;
    uint64_t at;
    size_t n;

    if (tokens_find_row(s->reader, index, &at, &n, err) != 0 ||
        tokens_read_at(s->reader, at, n, s->cutter.buffer.id, s->cutter.flag,
                       err) != 0)
        return -1;
    *row = row_of(&s->cutter, n - 1);
    snprintf(base->place, sizeof base->place, "row %llu",
             (unsigned long long)index);
    return 0;
}

static int row_next(struct feed_source *base, struct feed_row *row,
                    struct oy_error *err)
{
    struct tokens_source *const s = (struct tokens_source *)base;

    snprintf(base->place, sizeof base->place, "token %llu",
             (unsigned long long)tokens_position(s->reader));
    return feed_cutter_next(&s->cutter, row, err);
}

static struct tokens_source *new_source(struct tokens_reader *reader,
                                        size_t seq_len)
{
    const struct tokens_info *const info = tokens_reader_info(reader);
    struct tokens_source *const s = oy_calloc(1, sizeof *s);

    s->reader = reader;
    s->seq_len = seq_len;
    s->base.close = tokens_source_close;
    s->base.info.seq_len = seq_len;
    s->base.info.n_vocab = info->vocab_size;
    s->base.info.tokenizer = info->tokenizer;
    s->base.info.has_tokenizer = 1;
    s->base.info.has_rows = info->has_rows;
    s->base.info.has_seed = info->shuffle;
    s->base.info.seed = info->seed;
    /* In a row no document's begin is the end of another. */
    feed_cutter_init(&s->cutter, pull_tokens, s, seq_len,
                     info->has_rows ? -1 : info->eos);
    s->cutter.has_rows = info->has_rows;
    return s;
}

struct feed_source *feed_tokens_at(struct tokens_reader *reader, size_t seq_len)
{
    struct tokens_source *const s = new_source(reader, seq_len);

    s->base.at = s->base.info.has_rows ? whole_row_at : row_at;
    s->total = tokens_total(reader);
    s->base.info.n_token = s->total;
    /* Bits per byte need a loss on every token. */
    if (!tokens_reader_info(reader)->has_mask)
        s->base.info.text_bytes = tokens_total_bytes(reader);
    if (s->base.info.has_rows)
        s->base.info.n_row = tokens_total_rows(reader);
    else if (s->total > 1)
        s->base.info.n_row = (s->total - 2) / seq_len + 1;
    return &s->base;
}

struct feed_source *feed_tokens_stream(struct tokens_reader *reader,
                                       size_t seq_len)
{
    struct tokens_source *const s = new_source(reader, seq_len);

    s->base.next = row_next;
    return &s->base;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows into micro-batches.
 */
#include "model/train_batch.h"

#include "core/alloc.h"

void train_batch_init(struct train_batch *batch, size_t max_row, size_t seq_len)
{
    const size_t n = max_row * seq_len;

    *batch = (struct train_batch){.max_token = n};
    batch->id = oy_alloc_array(n, sizeof *batch->id);
    batch->target = oy_alloc_array(n, sizeof *batch->target);
    batch->first = oy_alloc_array(n + 1, sizeof *batch->first);
}

void train_batch_release(struct train_batch *batch)
{
    oy_free(batch->id);
    oy_free(batch->target);
    oy_free(batch->first);
    *batch = (struct train_batch){0};
}

static int is_bad(int32_t id, int n_vocab)
{
    return id >= n_vocab;
}

static int append_row(struct train_batch *batch, const struct feed_row *row,
                      const struct feed *feed, int n_vocab,
                      struct oy_error *err)
{
    struct decoder_batch *const d = &batch->decoder;

    for (size_t i = 0; i < row->n; i++) {
        const size_t at = d->n_token + i;
        if (is_bad(row->id[i], n_vocab) || is_bad(row->target[i], n_vocab))
            return oy_fail(err, OY_DATA,
                           "%s: id %d is not in the model's vocabulary of %d",
                           feed_place(feed),
                           is_bad(row->id[i], n_vocab) ? row->id[i]
                                                       : row->target[i],
                           n_vocab);
        if (row->start[i])
            batch->first[d->n_document++] = at;
        batch->id[at] = row->id[i];
        batch->target[at] = row->target[i];
        batch->n_target += row->target[i] >= 0;
    }
    d->n_token += row->n;
    batch->n_row++;
    return 0;
}

int train_batch_fill(struct train_batch *batch, struct feed *feed, size_t n_row,
                     int n_vocab, struct oy_error *err)
{
    struct feed_row row;

    batch->decoder = (struct decoder_batch){
        .id = batch->id, .target = batch->target, .first = batch->first};
    batch->n_row = 0;
    batch->n_target = 0;
    while (batch->n_row < n_row) {
        const int got = feed_next(feed, &row, err);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        OY_ASSERT(batch->decoder.n_token + row.n <= batch->max_token);
        if (append_row(batch, &row, feed, n_vocab, err) != 0)
            return -1;
    }
    batch->first[batch->decoder.n_document] = batch->decoder.n_token;
    return 0;
}

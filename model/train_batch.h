/* SPDX-License-Identifier: Apache-2.0
 *
 * A micro-batch: rows of a feed, one behind the other, cut into documents.
 */
#ifndef MODEL_TRAIN_BATCH_H
#define MODEL_TRAIN_BATCH_H

#include "model/decoder.h"
#include "model/feed.h"

struct train_batch {
    struct decoder_batch decoder; /* what the decoder is given */
    size_t n_row;
    uint64_t n_target;
    size_t max_token;
    int32_t *id, *target; /* [max_token] */
    size_t *first;        /* [max_token + 1] */
};

/* Room for `max_row` rows of `seq_len` tokens. */
void train_batch_init(struct train_batch *batch, size_t max_row,
                      size_t seq_len);
void train_batch_release(struct train_batch *batch);

/* Takes up to n_row rows: 0, with fewer rows (perhaps none) only at the end
 * of the feed; -1, also (65) for ids that are not below n_vocab. */
int train_batch_fill(struct train_batch *batch, struct feed *feed, size_t n_row,
                     int n_vocab, struct oy_error *err);

#endif

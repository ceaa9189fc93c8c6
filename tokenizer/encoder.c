/* SPDX-License-Identifier: Apache-2.0
 *
 * The pre-tokenizer and the model of a vocabulary put together. */
#include "tokenizer/encoder.h"

#include "core/alloc.h"
#include "tokenizer/normalize.h"

struct encoder {
    const struct vocab *vocab;
    struct bpe *bpe;
};

struct encoder_worker {
    const struct encoder *encoder;
    struct bpe_worker *bpe;
    struct oy_buffer marked[2]; /* what Metaspace makes of a text */
};

struct encoder *encoder_new(const struct vocab *vocab)
{
    struct encoder *encoder = oy_calloc(1, sizeof *encoder);

    encoder->vocab = vocab;
    encoder->bpe = bpe_new(vocab);
    return encoder;
}

void encoder_free(struct encoder *encoder)
{
    if (!encoder)
        return;
    bpe_free(encoder->bpe);
    oy_free(encoder);
}

struct encoder_worker *encoder_worker_new(const struct encoder *encoder)
{
    struct encoder_worker *worker = oy_calloc(1, sizeof *worker);

    worker->encoder = encoder;
    worker->bpe = bpe_worker_new(encoder->bpe);
    return worker;
}

void encoder_worker_free(struct encoder_worker *worker)
{
    if (!worker)
        return;
    bpe_worker_free(worker->bpe);
    for (int i = 0; i < 2; i++)
        oy_buffer_release(&worker->marked[i]);
    oy_free(worker);
}

void encoder_run(struct encoder_worker *worker, struct oy_text text,
                 int is_first, struct token_ids *ids)
{
    const struct vocab *vocab = worker->encoder->vocab;
    const struct oy_text marked =
        normalize_text(&vocab->marker[is_first], text, worker->marked, NULL);

    bpe_encode(worker->bpe, marked.at, marked.len, ids);
}

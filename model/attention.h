/* SPDX-License-Identifier: Apache-2.0
 *
 * Causal self-attention over packed documents, forward and backward.
 *
 * Tokens of many documents lie one behind the other; a token sees itself and
 * the tokens before it in its document, nothing else: what lies above the
 * diagonal or in another document is never computed. Scores exist only as
 * tiles (queries of one group of heads x keys), with a running maximum and
 * sum as in Dao et al. 2022 (FlashAttention); the backward pass makes them
 * again from the saved log-sum-exp. The heads that share a key head are one
 * tall tile, so that keys and values are read once for all of them. Tiles
 * start at document borders and are a function of the documents alone:
 * results do not depend on the number of threads.
 */
#ifndef MODEL_ATTENTION_H
#define MODEL_ATTENTION_H

#include <stddef.h>

#include "core/error.h"
#include "model/gemm.h"

struct attention_shape {
    size_t n_head;
    size_t n_kv_head; /* divides n_head; head h reads kv head
                         h / (n_head / n_kv_head) */
    size_t head_dim;
};

/* Scratch memory for one pool; not for two calls at once. */
struct attention;

/* The gemm door is borrowed. NULL with 71. */
struct attention *attention_new(const struct attention_shape *shape,
                                struct gemm *gemm, struct oy_error *err);
void attention_free(struct attention *attention);
/* Bytes of its scratch memory. */
size_t attention_memory(const struct attention *attention);

/* Documents lie at first[i] .. first[i + 1] - 1 of the token rows; first has
 * n + 1 entries. */
struct attention_documents {
    size_t n;
    const size_t *first;
};

/* out[token][n_head * head_dim] from qkv[token][q heads, k heads, v heads],
 * already rotated. lse[token][n_head] is saved for the backward pass. */
void attention_forward(struct attention *attention,
                       const struct attention_documents *document,
                       const float *qkv, float *out, float *lse);

/* Fills dqkv (same layout as qkv) from dout. */
void attention_backward(struct attention *attention,
                        const struct attention_documents *document,
                        const float *qkv, const float *out, const float *lse,
                        const float *dout, float *dqkv);

#endif

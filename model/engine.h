/* SPDX-License-Identifier: Apache-2.0
 *
 * The answering side of the decoder: tokens in, last hidden states and logits
 * out, with a cache of keys and values.
 *
 * A pass takes pieces of many sequences at once: long ones of prompts and
 * single tokens of running generations become the rows of one matrix. The
 * bits of a row are a function of the tokens before it in its sequence alone:
 * not of the other pieces, of how a prompt was cut into pieces, of blocks
 * that were shared or computed anew, or of the number of threads. (Products
 * come from model/gemm.h, rows from model/rows.h; attention adds over
 * positions in tiles that start at multiples of 256.)
 *
 * One engine is used by one thread at a time; it runs on its pool.
 */
#ifndef MODEL_ENGINE_H
#define MODEL_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/pool.h"
#include "model/config.h"
#include "model/kv.h"
#include "model/profile.h"
#include "model/weights.h"

/* Rows of a pass that callers should fill where they can. */
enum { ENGINE_ROWS = 384 };

struct engine;

/* Type of the products with weights. bf16 rounds weights and their inputs to
 * it and adds in f32; weights then take half the memory. q8 rounds inputs to 8
 * bits in groups of 32 and takes weights as a file has them, where that is one
 * of the types of model/quant_panel.h, and as Q8_0 where not. (Experts, latent
 * and linear attention, the router and rows that do not fill a panel of
 * model/matrix.h stay f32.) */
enum engine_type { ENGINE_F32, ENGINE_BF16, ENGINE_Q8 };
/* Two names for each, in their order, for a table of options. */
#define ENGINE_TYPE_NAMES "f32|float32|bf16|bfloat16|q8|int8"
enum { ENGINE_TYPE_SPELLINGS = 2 };

/* Reads a checkpoint folder or a model's file; for f32, weights that lie there
 * as they are wanted stay there (model/weights_map.h). `kernel` as in gemm_new;
 * 64 where it has no products of the type. The pool is borrowed. NULL after a
 * failure. */
struct engine *engine_open(const char *folder, const char *kernel,
                           enum engine_type type, uint64_t kv_bytes,
                           struct oy_pool *pool, struct oy_error *err);
/* Over weights that live elsewhere (a trainer's), borrowed; in f32. */
struct engine *engine_new(const struct weight_layout *layout,
                          const float *weights, const char *kernel,
                          uint64_t kv_bytes, struct oy_pool *pool,
                          struct oy_error *err);
void engine_free(struct engine *engine);

const struct decoder_config *engine_config(const struct engine *engine);
struct kv_pool *engine_kv(struct engine *engine);
/* Keeps keys and values as `type` from now on (f32 at first). No sequence may
 * hold any yet (asserted). */
void engine_set_kv_type(struct engine *engine, enum kv_type type);
struct oy_pool *engine_pool(const struct engine *engine);
/* Books the time of passes from now on, as gemm_set_profile does; the caller
 * books what lies between them. */
void engine_set_profile(struct engine *engine, struct profile *profile);
/* For journals and manifests; borrowed. */
const char *engine_kernel_name(const struct engine *engine);
/* Of all weights as they were read; takes a moment. */
struct oy_hash128 engine_weights_hash(const struct engine *engine);

/* The next n tokens of a sequence. The ids must be in 0 .. n_vocab - 1
 * (asserted). A sequence stands in one piece of a pass only. */
struct engine_piece {
    struct kv_sequence *sequence; /* grows by n */
    const int32_t *id;
    size_t n;
    const uint8_t *wanted; /* [n]: whose states are asked for; NULL: none but
                            * the last */
    /* Tokens that the text will have, where that is known: models whose
     * rotations depend on it (config_rope_regime) turn the whole text as a
     * text of that length. 0: as many as there are after the piece. */
    size_t text_len;
    /* [n]: rows [dim] that stand in the place of the ids' rows of the embedding
     * table, as they would lie there; NULL where the id counts. NULL: all ids
     * count. For what is no text: images, sounds through a projector. */
    const float *const *embed;
};

/* Runs the pieces and writes the final (normed) states of the wanted rows, in
 * order, to hidden[n_wanted][dim]. -1 (71) when there is no memory: sequences
 * are unchanged then. */
int engine_run(struct engine *engine, const struct engine_piece *piece,
               size_t n_piece, float *hidden, struct oy_error *err);

/* Logits of states, a few rows at a time: task(arg, row, logits, worker) is
 * called once for each row of 0 .. n-1, by the pool's threads; it may
 * overwrite the n_vocab logits. -1 (71) without memory. */
typedef void (*engine_logits_task)(void *arg, size_t row, float *logits,
                                   int worker);
int engine_logits(struct engine *engine, const float *hidden, size_t n,
                  engine_logits_task task, void *arg, struct oy_error *err);

#endif

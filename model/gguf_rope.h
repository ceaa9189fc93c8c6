/* SPDX-License-Identifier: Apache-2.0
 *
 * How a GGUF says that positions are scaled, as rope_scaling of config.json.
 *
 * Keys name linear and YaRN; Llama 3's form is there only as a tensor of
 * divisors (rope_freqs), Phi-3's as two (rope_factors_long, _short). The four
 * numbers of Llama 3 are found again where they explain all divisors; other
 * divisors are given as "longrope" with the same list twice, which is the
 * same arithmetic.
 */
#ifndef MODEL_GGUF_ROPE_H
#define MODEL_GGUF_ROPE_H

#include "model/gguf_model.h"

/* Sizes that several keys follow from; 0 where the file does not say. */
struct gguf_rope_shape {
    int64_t n_layer, dim, n_head, head_dim;
    int64_t n_turned; /* of a head's elements, rope.dimension_count */
    int64_t n_position;
    double theta;
};

void gguf_rope_read_shape(const struct oy_gguf *keys, const char *arch,
                          struct gguf_rope_shape *shape);

/* Appends ",\"rope_scaling\":..." and what belongs to it. */
int gguf_rope_put(const struct gguf_model *model,
                  const struct gguf_family *family, struct oy_buffer *json,
                  struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading model files that are a header and then numbers in a fixed order. */
#ifndef MODEL_RAW_MODEL_INTERNAL_H
#define MODEL_RAW_MODEL_INTERNAL_H

#include "core/alloc.h"
#include "core/error.h"
#include "model/safetensors.h"

/* A file, mapped, and how far it is read. */
struct raw_model {
    struct safetensors *file;
    const char *path;
    size_t at;
    struct oy_error *err;
};

static inline int32_t raw_int(const unsigned char *at)
{
    return (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 |
                     (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
}

/* The next bytes; NULL after a failure that says what is truncated. */
const void *raw_take(struct raw_model *raw, uint64_t size, const char *what);

/* A tensor in the file's order: n_row 0 for a vector. */
struct raw_tensor {
    const char *hf; /* with %d for the layer */
    uint64_t n_row, n_column;
    enum tensor_turn turn;
    uint64_t n_head;
};

/* Adds the tensor of `layer` with its elements at `data`. */
int raw_add(struct raw_model *raw, const struct raw_tensor *tensor, int layer,
            const struct quant_type *type, const void *data);

/* The file must end here. */
int raw_end(struct raw_model *raw);

#endif

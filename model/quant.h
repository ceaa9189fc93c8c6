/* SPDX-License-Identifier: Apache-2.0
 *
 * The types of tensors that GGUF files hold: values packed in blocks.
 *
 * Layouts are those of ggml (ggml-common.h, ggml-quants.c of ggml-org/ggml,
 * gguf-py/gguf/quants.py). Unpacking is exact: every type needs one rounding
 * at most, so the floats are the same on every machine. Packing repeats the
 * arithmetic of ggml's reference quantisers (quantize_row_*_ref) step by step
 * in plain C. All functions are pure and thread-safe.
 */
#ifndef MODEL_QUANT_H
#define MODEL_QUANT_H

#include <stddef.h>
#include <stdint.h>

/* Elements of the largest block. */
enum { QUANT_MAX_BLOCK = 256 };

struct quant_type {
    const char *name;   /* "Q4_K" */
    uint32_t id;        /* enum ggml_type */
    uint32_t n;         /* elements of a block */
    uint32_t size;      /* bytes of a block */
    uint32_t file_type; /* general.file_type of a file that is mostly this
                         * (enum llama_ftype); UINT32_MAX: none */
    /* n_block blocks at `from` (any alignment) to floats. */
    void (*unpack)(const void *from, size_t n_block, float *to);
    /* Floats to blocks; NULL: cannot be written. */
    void (*pack)(const float *from, size_t n_block, void *to);
};

/* By the number in a file; NULL for a type whose values are not understood
 * (its name is oy_gguf_tensor_type_name()). */
const struct quant_type *quant_find(uint32_t id);
/* By its name in any case: "q4_k", also "float32" and its kind. NULL for one
 * that is not known or cannot be written. */
const struct quant_type *quant_by_name(const char *name);

/* Elements from .. from + n of rows of whole blocks at `data`. */
void quant_read(const struct quant_type *type, const void *data, uint64_t from,
                uint64_t n, float *to);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The container of GGUF files: keys with values, and where tensors lie.
 *
 * Versions 2 and 3 (docs/gguf.md of ggml-org/ggml). Nothing is copied: texts
 * and arrays are borrowed from the bytes that were parsed. A file is taken for
 * hostile: every count and length is checked against the bytes that are there
 * before anything is done with it, sums and products for overflow; twice the
 * same key or tensor, arrays of arrays, booleans that are neither 0 nor 1,
 * tensor types that ggml has removed, tensors that overlap, leave gaps or lie
 * outside the file are refused. What the keys mean is the business of others.
 * All functions are thread-safe on different structures.
 */
#ifndef CORE_GGUF_H
#define CORE_GGUF_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/json.h"

enum oy_gguf_type {
    OY_GGUF_U8,
    OY_GGUF_I8,
    OY_GGUF_U16,
    OY_GGUF_I16,
    OY_GGUF_U32,
    OY_GGUF_I32,
    OY_GGUF_F32,
    OY_GGUF_BOOL,
    OY_GGUF_STRING,
    OY_GGUF_ARRAY,
    OY_GGUF_U64,
    OY_GGUF_I64,
    OY_GGUF_F64,
    OY_GGUF_N_TYPE,
};

/* A value as it stands in the file: of an array its elements. */
struct oy_gguf_value {
    enum oy_gguf_type type; /* of an array the type of its elements */
    int is_array;
    uint64_t n; /* elements; 1 when it is no array */
    const unsigned char *at;
    size_t size; /* bytes */
};

struct oy_gguf_pair {
    struct oy_text key;
    struct oy_gguf_value value;
};

enum { OY_GGUF_MAX_DIM = 4 };

struct oy_gguf_tensor {
    struct oy_text name;
    int n_dim;
    uint64_t dim[OY_GGUF_MAX_DIM]; /* fastest first; 1 behind n_dim */
    uint32_t type;                 /* see oy_gguf_tensor_type_name() */
    uint64_t offset;               /* from the start of the file */
    uint64_t size;                 /* bytes */
};

/* Zero-initialised is empty. */
struct oy_gguf {
    uint32_t version;
    uint64_t alignment;
    struct oy_gguf_pair *pair; /* in file order */
    size_t n_pair, cap_pair;
    struct oy_gguf_tensor *tensor; /* in file order */
    size_t n_tensor, cap_tensor;
};

enum { OY_GGUF_SIZE_UNKNOWN = -1 };

/* Whether a file that begins so is a GGUF. */
int oy_gguf_is(const void *head, size_t len);

/* Parses the begin of a file: `data` are its first `len` bytes, `file_size` is
 * how many it has in all (OY_GGUF_SIZE_UNKNOWN: a stream that has not ended).
 * 0; 1 when more bytes are needed to see all keys and tensors; -1 after a
 * failure (65) that names the byte. With a size that is known tensors are
 * proved to lie in the file. To be released in any case, before another try. */
int oy_gguf_parse(struct oy_gguf *gguf, const void *data, size_t len,
                  int64_t file_size, struct oy_error *err);
void oy_gguf_release(struct oy_gguf *gguf);

/* The value of a key, or NULL. */
const struct oy_gguf_value *oy_gguf_find(const struct oy_gguf *gguf,
                                         const char *key);

/* One value that is no array: 0, or -1 when it is NULL or of another type.
 * Integers of any width are read where they fit. */
int oy_gguf_text(const struct oy_gguf_value *value, struct oy_text *text);
int oy_gguf_int64(const struct oy_gguf_value *value, int64_t *number);
int oy_gguf_double(const struct oy_gguf_value *value, double *number);
int oy_gguf_bool(const struct oy_gguf_value *value, int *truth);

/* Element i < n of an array of integers, or of floats: 0, or -1 when it is of
 * another type. */
int oy_gguf_element_int64(const struct oy_gguf_value *array, uint64_t i,
                          int64_t *number);
int oy_gguf_element_double(const struct oy_gguf_value *array, uint64_t i,
                           double *number);
/* The text at *at, which begins at 0, of an array of strings; moves *at behind
 * it. 1, or 0 at the end. */
int oy_gguf_next_text(const struct oy_gguf_value *array, size_t *at,
                      struct oy_text *text);

/* "Q4_K"; NULL for a number that is no type of tensors. */
const char *oy_gguf_tensor_type_name(uint32_t type);

#endif

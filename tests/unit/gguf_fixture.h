/* SPDX-License-Identifier: Apache-2.0
 *
 * Small GGUFs made on the spot, for tests and fuzzers. */
#ifndef TESTS_GGUF_FIXTURE_H
#define TESTS_GGUF_FIXTURE_H

#include <string.h>

#include "core/alloc.h"
#include "core/gguf.h"

static inline void gguf_put(struct oy_buffer *out, uint64_t number, int size)
{
    for (int i = 0; i < size; i++)
        oy_buffer_append_char(out, (char)(number >> (8 * i)));
}

static inline void gguf_put_text(struct oy_buffer *out, const char *text)
{
    gguf_put(out, strlen(text), 8);
    oy_buffer_append_string(out, text);
}

static inline void gguf_put_head(struct oy_buffer *out, uint64_t n_tensor,
                                 uint64_t n_pair)
{
    oy_buffer_append_string(out, "GGUF");
    gguf_put(out, 3, 4);
    gguf_put(out, n_tensor, 8);
    gguf_put(out, n_pair, 8);
}

static inline void gguf_put_number(struct oy_buffer *out, const char *key,
                                   enum oy_gguf_type type, uint64_t number,
                                   int size)
{
    gguf_put_text(out, key);
    gguf_put(out, type, 4);
    gguf_put(out, number, size);
}

static inline void gguf_put_string(struct oy_buffer *out, const char *key,
                                   const char *text)
{
    gguf_put_text(out, key);
    gguf_put(out, OY_GGUF_STRING, 4);
    gguf_put_text(out, text);
}

/* The head of an array, whose n elements follow. */
static inline void gguf_put_array(struct oy_buffer *out, const char *key,
                                  enum oy_gguf_type type, uint64_t n)
{
    gguf_put_text(out, key);
    gguf_put(out, OY_GGUF_ARRAY, 4);
    gguf_put(out, type, 4);
    gguf_put(out, n, 8);
}

#endif

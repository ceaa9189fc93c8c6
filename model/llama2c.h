/* SPDX-License-Identifier: Apache-2.0
 *
 * Model files of karpathy/llama2.c (export.py, run.c, runq.c): version 0
 * without a magic number, version 1 in f32, version 2 in int8 with a scale
 * for each group.
 */
#ifndef MODEL_LLAMA2C_H
#define MODEL_LLAMA2C_H

#include "core/alloc.h"
#include "core/error.h"
#include "model/safetensors.h"

/* By the first 16 bytes. Version 0 is told by numbers that make sense. */
int llama2c_is(const unsigned char *head, size_t len);
/* As model_file_config() and model_file_tensors(). */
int llama2c_config(const char *path, struct oy_buffer *json,
                   struct oy_error *err);
int llama2c_tensors(struct safetensors *file, const char *path,
                    struct oy_error *err);

#endif

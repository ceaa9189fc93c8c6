/* SPDX-License-Identifier: Apache-2.0
 *
 * Model files of karpathy/llm.c (train_gpt2.py, train_gpt2.c): GPT-2 in f32
 * (version 3) or bf16 (version 5).
 */
#ifndef MODEL_LLMC_H
#define MODEL_LLMC_H

#include "core/alloc.h"
#include "core/error.h"
#include "model/safetensors.h"

/* By the first bytes. */
int llmc_is(const unsigned char *head, size_t len);
/* As model_file_config() and model_file_tensors(). */
int llmc_config(const char *path, struct oy_buffer *json, struct oy_error *err);
int llmc_tensors(struct safetensors *file, const char *path,
                 struct oy_error *err);

#endif

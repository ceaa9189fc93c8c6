/* SPDX-License-Identifier: Apache-2.0
 *
 * A model in one file instead of a checkpoint's folder: GGUF, llama2.c, llm.c.
 *
 * Each is seen as the folder it could have been converted from: the text of a
 * config.json, and tensors under Hugging Face's names that are converted as
 * they are read. What reads folders reads these too.
 */
#ifndef MODEL_MODEL_FILE_H
#define MODEL_MODEL_FILE_H

#include "core/alloc.h"
#include "core/error.h"
#include "model/safetensors.h"

/* Whether PATH is a regular file: then it is no folder, and must be one of
 * these. */
int model_file_is(const char *path);

/* Whether a tokenizer may be looked for at PATH: in a folder or a GGUF; the
 * other formats have none. */
int model_file_has_tokenizer(const char *path);

/* Appends the text of config.json. 65 when the file is none of the formats,
 * damaged, or of an architecture that is not supported. */
int model_file_config(const char *path, struct oy_buffer *json,
                      struct oy_error *err);

/* Opens the tensors; to be closed with safetensors_close() after success. */
int model_file_tensors(struct safetensors *file, const char *path,
                       struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that hold the tensors of one model: one safetensors file, those
 * that an index names, or a model's file of another format.
 *
 * A file is opened once, however often an index names it; names with a slash
 * are refused. Nothing is said about a tensor that two files have: who looks
 * for one is told how many there are.
 */
#ifndef MODEL_TENSOR_SHARDS_H
#define MODEL_TENSOR_SHARDS_H

#include "core/error.h"
#include "model/safetensors.h"

/* Zero-initialised is empty. */
struct shards {
    struct safetensors *file; /* [n] */
    char **path;              /* [n] */
    int n;
    size_t cap_file, cap_path;
};

/* Opens model.safetensors of a folder, else the files of its
 * model.safetensors.index.json; or a model's file (model/model_file.h). 66
 * when one is missing, 65 when one is damaged. To be closed in any case. */
int shards_open(struct shards *shards, const char *path, struct oy_error *err);
/* Opens one safetensors file. */
int shards_open_file(struct shards *shards, const char *path,
                     struct oy_error *err);
/* Also of a struct that is empty; leaves it so. */
void shards_close(struct shards *shards);

/* A tensor by name, borrowed; NULL when no file has it. *n_found (may be
 * NULL): in how many files it is. */
const struct safetensor *shards_find(const struct shards *shards,
                                     const char *name, int *n_found);

#endif

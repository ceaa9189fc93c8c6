/* SPDX-License-Identifier: Apache-2.0
 *
 * A GGUF, or all parts of a split one, as the checkpoint it was made from.
 *
 * Files are mapped, never copied. What config.json would say is put together
 * from the keys; tensors get Hugging Face's names and are read through their
 * turns (model/tensor_turn.h). Nothing that changes arithmetic is passed over:
 * a key of the architecture or a tensor that the tables do not know is a
 * failure (65) that names it, and so is a type of tensors that is not
 * understood.
 */
#ifndef MODEL_GGUF_MODEL_H
#define MODEL_GGUF_MODEL_H

#include "core/alloc.h"
#include "core/error.h"
#include "core/gguf.h"
#include "model/gguf_family.h"
#include "model/safetensors.h"

struct gguf_part {
    char *path;
    void *map;
    size_t size;
    struct oy_gguf gguf;
};

/* Keys are those of the first part. */
struct gguf_model {
    struct gguf_part *part;
    int n_part;
};

/* Maps and parses a file; of a split one (NAME-00001-of-0000N.gguf, any of
 * them) all parts, which must agree. 66 missing, 65 damaged. */
int gguf_model_open(struct gguf_model *model, const char *path,
                    struct oy_error *err);
void gguf_model_close(struct gguf_model *model);

const struct oy_gguf *gguf_model_keys(const struct gguf_model *model);
/* NULL after a failure: an architecture that is missing or not supported. */
const struct gguf_family *gguf_model_family(const struct gguf_model *model,
                                            struct oy_error *err);
/* By its name in the file; NULL. *part (may be NULL): where it lies. */
const struct oy_gguf_tensor *gguf_model_find(const struct gguf_model *model,
                                             const char *name,
                                             const struct gguf_part **part);

/* Whether the numbers among the keys are within sense, also in a file that
 * is no whole model: 0, or -1 (65) naming the key. */
int gguf_model_check(const struct gguf_model *model, struct oy_error *err);

/* Appends the text of config.json. */
int gguf_model_config(const struct gguf_model *model, struct oy_buffer *json,
                      struct oy_error *err);

/* Adds the tensors to an empty `file`, sorted by name, their data borrowed
 * from the model. To be released with safetensors_close() in any case. */
int gguf_model_tensors(const struct gguf_model *model, struct safetensors *file,
                       struct oy_error *err);

#endif

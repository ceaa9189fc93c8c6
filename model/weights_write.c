/* SPDX-License-Identifier: Apache-2.0
 *
 * An arena as a file: tensors as checkpoints of their family have them. */
#include <string.h>

#include "core/alloc.h"
#include "model/safetensors.h"
#include "model/weights.h"

/* The published GPT-2 has names without the first word that transformers
 * gives them; both are read everywhere. */
static const char *written_name(const char *name)
{
    static const char word[] = "transformer.";
    const size_t n = sizeof word - 1;

    return strncmp(name, word, n) ? name : name + n;
}

/* The rows of the arena as columns. */
static float *turn(const struct weight_tensor *tensor, const float *from)
{
    const size_t n_row = tensor->n_row, n_column = tensor->n_column;
    float *to = oy_alloc_array(n_row * n_column, sizeof *to);

    for (size_t row = 0; row < n_row; row++) {
        for (size_t i = 0; i < n_column; i++)
            to[i * n_row + row] = from[row * n_column + i];
    }
    return to;
}

/* Only matrices of what can be trained are written. */
static struct safetensors_entry entry_of(const struct weight_tensor *tensor,
                                         const float *arena, float **turned)
{
    const int is_matrix = tensor->n_dim == 2;
    const int is_turned = is_matrix && tensor->form == WEIGHT_TRANSPOSED;
    struct safetensors_entry entry = {
        .name = written_name(tensor->name),
        .type = TENSOR_F32,
        .n_dim = tensor->n_dim,
        .shape = {is_matrix ? tensor->n_row : tensor->n_column,
                  is_matrix ? tensor->n_column : 0},
        .data = arena + tensor->at,
    };

    OY_ASSERT(is_turned || tensor->form == WEIGHT_AS_IS || !is_matrix);
    if (is_turned) {
        entry.shape[0] = tensor->n_column;
        entry.shape[1] = tensor->n_row;
        entry.data = *turned = turn(tensor, arena + tensor->at);
    }
    return entry;
}

int weights_write(const struct weight_layout *layout, const float *arena,
                  const char *path, struct oy_error *err)
{
    const size_t n = (size_t)layout->n_tensor;
    struct safetensors_entry *entry = oy_calloc(n, sizeof *entry);
    float **turned = oy_calloc(n, sizeof *turned);

    for (size_t i = 0; i < n; i++)
        entry[i] = entry_of(&layout->tensor[i], arena, &turned[i]);
    const int status = safetensors_write(path, entry, layout->n_tensor, err);
    for (size_t i = 0; i < n; i++)
        oy_free(turned[i]);
    oy_free(turned);
    oy_free(entry);
    return status;
}

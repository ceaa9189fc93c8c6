/* SPDX-License-Identifier: Apache-2.0
 *
 * What the mixers other than plain attention share: whose rows a pass has,
 * and memory for it.
 */
#ifndef MODEL_MIXER_H
#define MODEL_MIXER_H

#include <stddef.h>

#include "core/error.h"

/* The next n tokens of a sequence: rows first .. first + n - 1 of the pass. */
struct mixer_piece {
    float *state; /* of this layer; zeros before the first token; changed */
    size_t first, n;
};

/* Zero-initialised is empty. */
struct mixer_scratch {
    float *floats;
    size_t cap;
};

/* At least n floats, whatever was there is lost; borrowed until the next call.
 * NULL (71) without memory. */
float *mixer_reserve(struct mixer_scratch *scratch, size_t n,
                     struct oy_error *err);
void mixer_release(struct mixer_scratch *scratch);

#endif

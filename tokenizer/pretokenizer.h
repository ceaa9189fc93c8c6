/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenizers in general: a list of steps, each of which cuts, or rewrites,
 * the pieces of the one before, as Hugging Face's pre_tokenizers do.
 *
 * The common pre-tokenizers have equals in tokenizer/split.h that are many
 * times as fast; this is for all others. A chain does not change once it was
 * made and may be used from many threads; `struct pretokenizer_work` belongs
 * to one thread.
 */
#ifndef TOKENIZER_PRETOKENIZER_H
#define TOKENIZER_PRETOKENIZER_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"

struct pretokenizer;

/* The pieces of one text. Zero-initialised is empty. */
struct pretokenizer_work {
    struct oy_text *piece; /* [n], with OY_PADDING readable bytes behind each;
                              valid until the next run */
    size_t n;
    struct pretokenizer_scratch *scratch; /* private */
};

void pretokenizer_work_release(struct pretokenizer_work *work);

/* Cuts a text, valid UTF-8, normalised, with OY_PADDING readable bytes behind
 * it; is_first: nothing stands before it in the whole text (Metaspace's
 * "first" asks). The pieces are what HF's pre-tokenizer calls splits, with one
 * difference: those of ByteLevel are the bytes themselves, not their visible
 * spelling. Empty pieces are left out. */
void pretokenizer_run(const struct pretokenizer *chain, struct oy_text text,
                      int is_first, struct pretokenizer_work *work);
void pretokenizer_free(struct pretokenizer *chain);

#endif

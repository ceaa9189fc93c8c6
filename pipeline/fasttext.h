/* SPDX-License-Identifier: Apache-2.0
 *
 * Classifiers of texts in fastText's files, .bin and .ftz: languages
 * (lid.176, GlotLID) and whatever else was trained as a supervised model.
 *
 * Labels and scores are those of fastText 0.9.2's predict(). Read are files of
 * versions 11 and 12, whole or quantised, with hierarchical softmax, softmax,
 * negative sampling or one against all. Source: fastText's src (dictionary.cc,
 * fasttext.cc, loss.cc, productquantizer.cc, quantmatrix.cc).
 */
#ifndef PIPELINE_FASTTEXT_H
#define PIPELINE_FASTTEXT_H

#include <stddef.h>

#include "core/error.h"

/* Does not change once it was loaded; shared by threads. */
struct fasttext;
/* Scratch and a cache of words, of one thread. */
struct fasttext_work;

struct fasttext_label {
    const char *name; /* without "__label__"; the model's */
    float score;      /* fastText's probability: up to 1.00002 */
};

/* NULL after a failure: 66 missing, 65 damaged or not a supervised model. */
struct fasttext *fasttext_load(const char *path, struct oy_error *err);
void fasttext_free(struct fasttext *model);
size_t fasttext_n_label(const struct fasttext *model);

/* The model is borrowed. */
struct fasttext_work *fasttext_work_new(const struct fasttext *model);
/* NULL is allowed. */
void fasttext_work_free(struct fasttext_work *work);

/* The best k labels of a text, best first; returns how many there are, fewer
 * than k when the model has no more, or knows nothing of the text. A line
 * feed is taken for a space, as datatrove hands texts over. Equal scores are
 * in the model's order. Linear in the text. */
size_t fasttext_predict(struct fasttext_work *work, const char *text,
                        size_t len, struct fasttext_label *best, size_t k);

#endif

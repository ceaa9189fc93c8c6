/* SPDX-License-Identifier: Apache-2.0
 *
 * From logits to the next token: penalties, filters, a draw.
 *
 * The filters are those of transformers (LogitsProcessor classes, order of
 * GenerationMixin._get_logits_processor): repetition penalty, no repeated
 * n-gram, temperature, top-k, top-p, min-p, typical-p. A filter never leaves
 * nothing. Of equal logits at a filter's border all stay.
 */
#ifndef MODEL_SAMPLER_H
#define MODEL_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "core/random.h"

struct sampler_options {
    double temperature;        /* 0: greedy; 1: as they are */
    int64_t top_k;             /* 0: all */
    double top_p;              /* 1: all */
    double min_p;              /* 0: all */
    double typical_p;          /* 1: all */
    double repetition_penalty; /* 1: none */
    int64_t no_repeat_ngram;   /* 0: none */
};

/* Everything off, temperature 1. */
void sampler_options_init(struct sampler_options *options);

/* A token that may come next. */
struct candidate {
    int32_t id;
    float logit; /* after all processors */
    double probability;
};

/* What is left, best first (of equal ones the lower id). */
struct distribution {
    struct candidate *candidate;
    size_t n, cap;
    float *scratch;
    size_t cap_scratch;
};

void distribution_release(struct distribution *distribution);

/* Applies the options to logits[n] (overwritten) after the tokens of history
 * (prompt and output) and fills the distribution. Logits of -infinity and NaN
 * are out of the question; when all are, n is 0. With temperature 0 the
 * distribution is the best token alone. */
void sampler_filter(const struct sampler_options *options,
                    const int32_t *history, size_t n_history, float *logits,
                    size_t n, struct distribution *out);

/* Draws from it (one number of the stream); -1 when it is empty. */
int32_t sampler_draw(const struct distribution *distribution,
                     struct oy_random *random);

#endif

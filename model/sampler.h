/* SPDX-License-Identifier: Apache-2.0
 *
 * From logits to the next token: penalties, filters, a draw.
 *
 * In this order: what a grammar allows, logit bias, repetition penalty,
 * presence and frequency penalty, no repeated n-gram, temperature, top-h,
 * top-k, top-p, min-p, typical-p, epsilon and eta cutoff. The processors are
 * those of transformers (LogitsProcessor classes, order of
 * GenerationMixin._get_logits_processor); presence and frequency penalty, which
 * it has not, are OpenAI's and count the output alone. A filter (top-h and
 * behind) never leaves nothing; what stands before may. Of equal logits at the
 * border of top-k and typical-p all stay; top-h and top-p keep those of lower
 * ids.
 */
#ifndef MODEL_SAMPLER_H
#define MODEL_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "core/random.h"

/* What is added to a token's logit; -infinity bans it. */
struct sampler_bias {
    int32_t id;
    float bias;
};

struct sampler_options {
    double temperature;              /* 0: greedy; 1: as they are */
    double top_h;                    /* 1: all */
    int64_t top_k;                   /* 0: all */
    double top_p;                    /* 1: all */
    double min_p;                    /* 0: all */
    double typical_p;                /* 1: all */
    double epsilon_cutoff;           /* 0: all */
    double eta_cutoff;               /* 0: all */
    double repetition_penalty;       /* 1: none */
    double presence_penalty;         /* 0: none */
    double frequency_penalty;        /* 0: none */
    int64_t no_repeat_ngram;         /* 0: none */
    const struct sampler_bias *bias; /* borrowed; ids beyond n are ignored */
    size_t n_bias;
};

/* Everything off, temperature 1. */
void sampler_options_init(struct sampler_options *options);

/* What came before, all borrowed. */
struct sampler_past {
    const int32_t *id; /* prompt and output */
    size_t n;
    size_t n_prompt;         /* of them; presence and frequency penalty look
                              * at the others */
    const uint64_t *allowed; /* a bit for each token; NULL: all of them */
};

/* A token that may come next. */
struct candidate {
    int32_t id;
    float logit; /* after all processors */
    double probability;
};

/* What is left, in an order that is a function of logits and options. */
struct distribution {
    struct candidate *candidate;
    size_t n, cap;
    float *scratch;
    size_t cap_scratch;
};

void distribution_release(struct distribution *distribution);
/* Best first, of equal ones the lower id. */
void distribution_sort(struct distribution *distribution);

/* Applies the options to logits[n] (overwritten) and fills the distribution.
 * Logits of -infinity and NaN are out of the question; when all are, n is 0.
 * With temperature 0 the distribution is the best token alone. */
void sampler_filter(const struct sampler_options *options,
                    const struct sampler_past *past, float *logits, size_t n,
                    struct distribution *out);

/* Only what stands before the temperature: the mask, bias and penalties, on
 * logits or on their log-probabilities (beam search). `scratch` has room for n
 * floats. */
void sampler_process(const struct sampler_options *options,
                     const struct sampler_past *past, float *logits, size_t n,
                     float *scratch);

/* Draws from it (one number of the stream); -1 when it is empty. */
int32_t sampler_draw(const struct distribution *distribution,
                     struct oy_random *random);

#endif

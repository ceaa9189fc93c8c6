/* SPDX-License-Identifier: Apache-2.0
 *
 * Beam search: the completions of greatest probability that are found by
 * keeping the best few at every step.
 *
 * Equal to transformers' generate(num_beams=N, do_sample=False): of the
 * max(2, 1 + end tokens) * N best continuations, those of the first N that end
 * are finished, the best N that do not end go on; a finished one is scored by
 * the sum of its log-probabilities, the end token's too, divided by its length
 * to the power of the length penalty; the search is over when no running one
 * can beat the worst of N finished ones by its score so far. Mask, bias and
 * penalties are done to the log-probabilities, as there; temperature and
 * filters have no part. A continuation whose text holds a stop text ends there,
 * like one with an end token. Of equal scores the beam before, then the lower id
 * wins.
 */
#ifndef MODEL_BEAM_H
#define MODEL_BEAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "model/constraint.h"
#include "model/engine.h"
#include "model/sampler.h"
#include "tokenizer/tokenizer.h"

enum { BEAM_MAX = 256 };

/* When a search with N finished completions is over. */
enum beam_stopping {
    BEAM_STOP_LIKELY, /* none of the running is likely to be better */
    BEAM_STOP_EARLY,  /* at once */
    BEAM_STOP_NEVER,  /* none of the running can be better */
};

struct beam_options {
    size_t n_beam; /* 1 .. BEAM_MAX */
    double length_penalty;
    enum beam_stopping stopping;
    const struct sampler_options *sampler;
    size_t max_tokens; /* 1 or more */
    int ignore_eos;
    struct constraint *constraint;     /* borrowed; NULL: none */
    const struct tokenizer *tokenizer; /* NULL without stop texts */
    const char *const *stop;           /* [n_stop] */
    size_t n_stop;
};

struct beam_completion {
    struct token_ids ids; /* without the end token */
    int is_ended; /* by an end token or a stop text; else at its length */
    float score;
};

/* Completes a prompt: fills result[n_beam], best first; fewer when there are
 * no more: *n_result. Each is released by the caller (token_ids_release), also
 * after a failure. The prompt's blocks are shared. -1 (71) without memory, and
 * before anything is computed when beams that part at once and go on to
 * max_tokens would not fit into the budget. */
int beam_run(struct engine *engine, const struct beam_options *options,
             const int32_t *prompt, size_t n_prompt,
             struct beam_completion *result, size_t *n_result,
             struct oy_error *err);

#endif

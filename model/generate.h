/* SPDX-License-Identifier: Apache-2.0
 *
 * Completions of many prompts at once.
 *
 * Prompts and running completions share the passes of the engine: whenever
 * one ends, the next prompt takes its place. A completion is a function of
 * its prompt, the options, the seed and its numbers alone, not of its
 * neighbours.
 */
#ifndef MODEL_GENERATE_H
#define MODEL_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "model/constraint.h"
#include "model/engine.h"
#include "model/sampler.h"
#include "tokenizer/tokenizer.h"

struct generate_options {
    struct sampler_options sampler;
    int64_t max_tokens;      /* of a completion */
    int ignore_eos;          /* go on behind the model's end tokens */
    const char *const *stop; /* texts that end a completion */
    size_t n_stop;
    uint64_t seed;
};

enum generate_finish { GENERATE_STOP, GENERATE_LENGTH };

struct generate_job {
    const int32_t *prompt;     /* at least one token; what prompts begin with
                            * together is computed once */
    size_t n_prompt;           /* at most the model's max_position (asserted) */
    const float *const *embed; /* [n_prompt]: see struct batch_request; NULL */
    uint64_t record;    /* the random stream is a function of the seed, */
    uint64_t sample;    /* the record and the number of its sample */
    int64_t max_tokens; /* 0: as the options say */
    const struct generate_options *options; /* its own, borrowed; NULL: those
                                             * of the run */
    struct constraint *constraint; /* the grammar of its text, borrowed; NULL:
                                    * any. A completion without a token to go
                                    * on with ends as at its length. */
    /* Called, where not NULL, behind every token that goes on, with ids and
     * text up to there; other than 0 ends the completion. */
    int (*progress)(void *arg, const struct generate_job *job);
    /* Called, where not NULL, when the completion is whole; not when there was
     * no room for one. */
    void (*done)(void *arg, const struct generate_job *job);
    void *arg;
    /* Filled; released by generate_job_release. */
    struct token_ids ids;  /* without the end token */
    struct oy_buffer text; /* decoded, special tokens left out, cut before the
                            * stop text; empty without a tokenizer */
    enum generate_finish finish;
    struct constraint_cursor cursor; /* private */
};

void generate_job_release(struct generate_job *job);

/* Runs all jobs. The tokenizer may be NULL when there are no stop texts. -1
 * with err (71); before anything begins when one of them, with all that it may
 * say, does not fit into the budget alone. */
int generate_run(struct engine *engine, const struct tokenizer *tokenizer,
                 const struct generate_options *options,
                 struct generate_job *job, size_t n, struct oy_error *err);

/* The same for runs that follow each other, as the turns of a conversation: a
 * prompt that begins with the last one's and its answer goes on from there,
 * and others from the whole blocks that past ones left. Borrows the engine and
 * the tokenizer. After a failure it is good for generator_free only. */
struct generator;
struct generator *generator_new(struct engine *engine,
                                const struct tokenizer *tokenizer);
void generator_free(struct generator *generator);
int generator_run(struct generator *generator,
                  const struct generate_options *options,
                  struct generate_job *job, size_t n, struct oy_error *err);
/* Tokens computed so far. */
uint64_t generator_count(const struct generator *generator);

/* The stream that draws the tokens of a completion. */
struct oy_random generate_random(uint64_t seed, uint64_t record,
                                 uint64_t sample);

#endif

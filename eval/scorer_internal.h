/* SPDX-License-Identifier: Apache-2.0
 *
 * What opening a model, answering with it and telling of it share. */
#ifndef EVAL_SCORER_INTERNAL_H
#define EVAL_SCORER_INTERNAL_H

#include "eval/command_model.h"
#include "eval/scorer.h"
#include "eval/tree.h"
#include "model/embed_keys.h"
#include "model/engine.h"
#include "model/profile.h"
#include "tokenizer/tokenizer.h"

/* Logits of one request, kept for the file. */
struct kept {
    uint64_t number;
    size_t n_row;
    float *logits;
};

struct scorer {
    struct scorer_options options;
    struct oy_pool *pool;
    struct engine *engine;         /* NULL when dry */
    struct batch *batch;           /* of all windows; NULL when dry */
    struct tokenizer *tokenizer;   /* NULL: requests must carry ids */
    struct command_model *command; /* answers instead of an engine; or NULL */
    struct profile *profile;       /* NULL: none is wanted */
    struct decoder_config config;
    size_t max_length;
    int32_t prefix;
    struct oy_buffer prefix_text;
    struct embed_keys embed_keys;

    uint64_t n_request, n_naive, n_row, n_truncated;
    uint64_t n_computed;   /* rows of the model, completions aside */
    struct oy_arena arena; /* tokens of a dry run */
    struct tree_sequence *sequence;
    size_t n_sequence, cap_sequence;

    struct kept *kept;
    size_t n_kept, cap_kept;
    char *model; /* where it was found */
};

/* What the tokens of a part are known by; NULL: their ids. */
const int32_t *scorer_find_keys(struct scorer *scorer,
                                const struct plan_part *part,
                                struct oy_arena *arena);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers requests with a local model: the work of oy-score.
 *
 *     struct scorer *scorer = scorer_new(&options, &err);
 *     struct scorer_worker *worker = scorer_worker_new(scorer);
 *     scorer_plan(worker, &request, &arena, &plan, &err);   many, any thread
 *     scorer_answer(scorer, item, n_item, &arena, &err);    one window
 *
 * Tokens that several requests of a window begin with are computed once
 * (eval/tree.h). An answer is a function of the request and the model: not of
 * the window, its order, or the number of threads.
 */
#ifndef EVAL_SCORER_H
#define EVAL_SCORER_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/counter.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/pool.h"
#include "eval/plan.h"
#include "eval/request.h"

struct scorer_options {
    const char *model;     /* a checkpoint folder, or "cmd:COMMAND"
                            * (eval/command_model.h); NULL with dry_run */
    const char *tokenizer; /* NULL: the model's */
    const char *kernel;    /* NULL: the best (model/gemm.h) */
    int64_t max_length;    /* rows of an input; 0: as the model says */
    uint64_t kv_memory;    /* bytes for keys and values; 0: unbounded */
    int kv_type;           /* how they are kept: enum kv_type */
    int type;              /* of the products: a number in ENGINE_TYPE_NAMES */
    int per_token;         /* answers carry token_logprobs */
    int64_t top_logprobs;  /* answers carry the K best; 0: not */
    int keep_logits;       /* for scorer_write_logits */
    int profile;           /* for scorer_print_profile */
    int dry_run;           /* nothing will be scored: weights stay away */
    void (*progress)(void *arg, uint64_t n_row); /* or NULL */
    void *progress_arg;
};

struct scorer;
struct scorer_worker;

/* The pool is borrowed. NULL after a failure (64, 65, 66, 71). */
struct scorer *scorer_new(const struct scorer_options *options,
                          struct oy_pool *pool, struct oy_error *err);
void scorer_free(struct scorer *scorer);

/* A thread's part: it encodes. Borrows the scorer. */
struct scorer_worker *scorer_worker_new(const struct scorer *scorer);
void scorer_worker_free(struct scorer_worker *worker);

/* The tokens of a request; all in the arena. -1 with err (65). */
int scorer_plan(struct scorer_worker *worker, const struct request *request,
                struct oy_arena *arena, struct plan *plan,
                struct oy_error *err);
/* Words of memory that it takes: its tokens, and the floats of its rows. */
size_t scorer_plan_size(const struct scorer *scorer, const struct plan *plan);
/* A deep copy of it, whose bytes all lie in the arena. */
struct plan scorer_keep_plan(const struct scorer *scorer,
                             const struct plan *plan, struct oy_arena *arena);

struct scorer_item {
    enum request_type type;
    struct plan plan;
    uint64_t number;              /* of the request in the run, for logits.N */
    struct oy_text line;          /* the request's; for a command */
    struct request_answer answer; /* given != 0: left as it is; else filled,
                                   * its texts in the arena */
};

/* Whether a command answers, which gets lines. */
int scorer_is_command(const struct scorer *scorer);

/* Who hears of each new answer: about once a second of those that are there
 * meanwhile, so that they can be kept safe, and of the rest before
 * scorer_answer returns. Each is told once, in no order; borrowed. */
struct scorer_listener {
    void (*answered)(void *arg, const struct scorer_item *item);
    void (*pause)(void *arg); /* after those of one moment */
    void *arg;
};

/* Answers all items that have no answer yet; the listener may be NULL. -1 with
 * err (71, and what command_model_answer fails with). */
int scorer_answer(struct scorer *scorer, struct scorer_item *item, size_t n,
                  const struct scorer_listener *listener,
                  struct oy_arena *arena, struct oy_error *err);

/* After the last answer: what a command says at its end. -1 with err (69). */
int scorer_finish(struct scorer *scorer, struct oy_error *err);

/* Where the time went, on standard error; nothing without `profile` or a model
 * of one's own. */
void scorer_print_profile(const struct scorer *scorer);

/* Adds a plan to the counts that scorer_put_counts tells: requests (after
 * windowing), naive_tokens, unique_prefix_tokens, scored_rows,
 * truncated_requests; completions do not count. Copies the tokens when the run
 * is dry. */
void scorer_count(struct scorer *scorer, const struct plan *plan);
/* One JSON object. unique_prefix_tokens only of a dry run. */
void scorer_put_counts(const struct scorer *scorer, struct oy_buffer *out);

/* Of a run that was not dry: naive_tokens and, what sharing them left to do,
 * computed_tokens; answers of a journal and completions do not count. */
void scorer_add_counts(const struct scorer *scorer,
                       struct oy_counters *counter);

/* Writes logits.N [n_scored][n_vocab] of every request so far. */
int scorer_write_logits(const struct scorer *scorer, const char *path,
                        struct oy_error *err);

/* The member "model" of a header (eval/request.h), with the model's identity
 * and, of a checkpoint that has one, the hash of its manifest.json. */
void scorer_put_model(const struct scorer *scorer, struct oy_buffer *out);
/* Whose answers these are, as one JSON object: hashes of weights, shape and
 * tokenizer, the kernel, max_length. For journals. */
void scorer_put_identity(const struct scorer *scorer, struct oy_buffer *out);

#endif

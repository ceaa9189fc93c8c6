/* SPDX-License-Identifier: Apache-2.0
 *
 * A training run from options to checkpoint.
 *
 * A step takes `accumulate` micro-batches of `batch_rows` rows. Its loss is
 * the sum over its tokens divided by all tokens that have a target (or, with
 * LOSS_MICRO, the mean of the micro-batches' means); with experts the mean of
 * the micro-batches' balancing losses (decoder_balance) is added. When loss or
 * gradient norm is not a finite number the update is left out and said so;
 * three in a row end the run (65). Steps end early when a pipe ends. The
 * checkpoint is written every save_every steps and at the end; `resume` goes
 * on from there and gives the bytes that an uninterrupted run would have
 * given. Each checkpoint carries its manifest (model/train_report.h).
 */
#ifndef MODEL_TRAINER_H
#define MODEL_TRAINER_H

#include <stdint.h>

#include "core/error.h"
#include "core/options.h"
#include "model/decoder.h"
#include "model/feed.h"
#include "model/optimizer.h"
#include "model/schedule.h"

enum loss_average { LOSS_STEP, LOSS_MICRO };

struct trainer_options {
    /* The model: exactly one of the first three. */
    const char *preset, *config_file, *init;
    const char *tokenizer; /* NULL: that of `init`, if it has one */
    const char *output;    /* checkpoint folder */
    int resume;

    struct feed_options feed; /* tokenizer, lengths, seed are filled in */
    const char *valid;        /* NULL: no validation */
    /* How long: steps from 0 on, or one of the others above 0; none (steps
     * -1): one epoch. */
    int64_t steps, tokens;
    double epochs;
    int64_t seq_len; /* 0: the stream's, else at most 512 */
    int64_t batch_rows, accumulate;

    struct schedule schedule; /* steps is filled in */
    double muon_lr;           /* peak, by the same schedule */
    struct optimizer_options optimizer;
    struct decoder_loss_options loss;
    int loss_average; /* enum loss_average */
    uint64_t seed;

    int64_t save_every;    /* 0: only at the end */
    const char *log;       /* JSONL; NULL: none */
    const char *gradients; /* folder: gradients of the run's first step, before
                              clipping, as gradients.safetensors */
    int dry_run;           /* say the plan on standard output, train nothing */
    const struct oy_program *program; /* for the manifest; NULL: none */
    const char *manifest;             /* a second copy of it; NULL: none */
    const char *stats;                /* counts as JSON; NULL: none */
    /* As in gemm_new; NULL: the best for training. While the run lasts, the
     * name of the one that was chosen. */
    const char *kernel;
    int is_bf16; /* operands of products are rounded to it */
    int n_thread;
    uint64_t memory; /* refuse to need more; 0: any */
    int profile;     /* say at the end, on standard error, where time went */
    int progress;    /* show the line of progress */
};

/* The whole run. 0, or -1 with err. */
int trainer_run(struct trainer_options *options, struct oy_error *err);

#endif

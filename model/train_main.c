/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-train: tokens into a model.
 */
#include <string.h>
#include <unistd.h>

#include "core/run.h"
#include "model/config.h"
#include "model/trainer.h"

static const char DESCRIPTION[] =
    "Trains a decoder of the shape of Llama, Qwen2, Qwen3, MiniMind or GPT-2, "
    "or one with experts (Qwen3-MoE, Qwen2-MoE, MiniMind, Mixtral), from "
    "scratch, or goes on from a checkpoint's weights (--init), and writes a "
    "checkpoint folder that transformers opens.\n\n"
    "The input is a token stream or shards of oy-pack; JSONL texts, which are "
    "tokenised and packed on the way; or JSONL rows {\"ids\":[...],"
    "\"labels\":[...],\"doc_ids\":[...]}, one row each: labels of -100 have "
    "no loss, a row of N ids is N-1 targets, a new document starts where "
    "doc_ids change. Positions and attention start anew in every document. "
    "Plain files are shuffled by the seed, once an epoch, and read as often "
    "as is asked for; a pipe is one pass in order.\n\n"
    "The loss of a step is the sum over its tokens divided by all tokens with "
    "a loss; experts add router_aux_loss_coef times their load-balancing loss, "
    "as the model's own class has it. Checkpoints appear whole; with --resume "
    "a run goes on from the "
    "one in -o, if there is one, and ends with the bytes that it would have "
    "ended with undisturbed. A checkpoint's manifest.json says what it was "
    "made of (inputs, options, outputs, all by hash): see oy-check.\n\n"
    "    oy-pack -t tok.json clean.jsonl | oy-train --preset tiny -t tok.json "
    "--steps 200 -o ckpt";

/* What the table fills and trainer_options has in another form. */
struct values {
    struct trainer_options o;
    int method, dtype;
    int schedule;
    int order;
};

static const struct values DEFAULTS = {
    .o = {.steps = -1,
          .batch_rows = 8,
          .accumulate = 1,
          .schedule = {.lr = 5e-4, .min_ratio = 0.1},
          .muon_lr = 0.02,
          .optimizer = {.beta1 = 0.9,
                        .beta2 = 0.95,
                        .eps = 1e-8,
                        .weight_decay = 0.1,
                        .clip = 1.0}},
};

enum { DTYPE_F32, DTYPE_BF16 }; /* in the order of the option's choices */
enum { MAX_OPTIONS = 48, N_UNUSED = 5, M = OY_OPT_IN_MANIFEST };

/* An option of filters that was given; NULL when none was. */
static const char *unused_option(const struct oy_run *run)
{
    return run->bad != OY_BAD_STOP ? "bad"
           : run->rejects          ? "rejects"
           : run->strict           ? "strict"
           : run->compress         ? "compress"
           : run->shard            ? "shard"
                                   : NULL;
}

/* What no option's range can say. */
static int check(const struct values *v, const struct oy_run *run,
                 struct oy_error *err)
{
    const struct trainer_options *const o = &v->o;
    const int n_model = !!o->preset + !!o->config_file + !!o->init;
    const int n_length = (o->steps >= 0) + (o->tokens > 0) + (o->epochs > 0);

    if (unused_option(run))
        return oy_fail(err, OY_USAGE, "--%s has no use here",
                       unused_option(run));
    if (n_model != 1)
        return oy_fail(err, OY_USAGE,
                       "give one of --preset, --config-model and --init");
    if (n_length > 1)
        return oy_fail(err, OY_USAGE,
                       "give one of --steps, --tokens and --epochs");
    if (o->dry_run && (run->stats || run->manifest))
        return oy_fail(err, OY_USAGE,
                       "--dry-run leaves nothing for --stats or --manifest");
    if (!run->output && !o->dry_run)
        return oy_fail(err, OY_USAGE, "give the checkpoint folder with -o");
    if (v->schedule != SCHEDULE_WSD && o->schedule.decay > 0)
        return oy_fail(err, OY_USAGE, "--decay-steps is of --schedule wsd");
    return 0;
}

static void settle(struct values *v, const struct oy_run *run)
{
    struct trainer_options *const o = &v->o;

    o->schedule.kind = (enum schedule_kind)v->schedule;
    o->feed.path = run->input.item;
    o->feed.n_path = (int)run->input.n_item;
    o->feed.field = run->field;
    o->feed.max_record = run->max_record;
    o->feed.tmpdir = run->tmpdir;
    o->feed.order = v->order + FEED_ANY; /* auto comes first in the choices */
    o->output = run->output;
    o->seed = (uint64_t)run->seed;
    o->n_thread = (int)run->threads;
    o->is_bf16 = v->dtype == DTYPE_BF16;
    o->program = run->program;
    o->manifest = run->manifest;
    o->stats = run->stats;
    o->memory = run->memory;
    o->progress = run->progress == OY_PROGRESS_ON ||
                  (run->progress == OY_PROGRESS_AUTO && !run->quiet &&
                   isatty(STDERR_FILENO));
}

/* What is learnt from, and what is written. */
static size_t put_options(struct values *v, struct oy_run *run,
                          struct oy_option *to)
{
    struct trainer_options *const o = &v->o;
    const struct oy_option table[] = {
        {"output", 'o', OY_OPT_STRING, &run->output, "CKPT", NULL, 0,
         "Checkpoint folder to write; it appears whole or not at all."},
        {"method", 0, OY_OPT_CHOICE, &v->method, NULL, "pretrain", M,
         "What is learnt from the rows."},
        {"preset", 0, OY_OPT_STRING, &o->preset, "NAME", NULL, M,
         "A new model of a known shape: minimind-26m, minimind-64m, "
         "minimind-104m, minimind-moe, smollm2-135m, tiny. Its vocabulary is "
         "the tokenizer's."},
        {"config-model", 0, OY_OPT_STRING, &o->config_file, "FILE", NULL, 0,
         "A new model of the shape in this config.json."},
        {"init", 0, OY_OPT_STRING, &o->init, "CKPT", NULL, 0,
         "Start from the weights of this checkpoint."},
        {"tokenizer", 't', OY_OPT_STRING, &o->tokenizer, "TOKENIZER", NULL, 0,
         "In any form that oy-tok reads: tokenises texts, and goes into the "
         "checkpoint as a tokenizer.json (default: that of --init)."},
        {"valid", 0, OY_OPT_STRING, &o->valid, "FILE", NULL, 0,
         "Validation input of any of the three kinds; its loss is logged with "
         "every checkpoint."},
        {"steps", 0, OY_OPT_INT, &o->steps, "N", "0:", M,
         "Optimiser steps; 0 writes a new model as it is (default: one "
         "epoch)."},
        {"tokens", 0, OY_OPT_INT, &o->tokens, "N", "0:", M,
         "Steps for this many tokens, by default those of --steps."},
        {"epochs", 0, OY_OPT_DOUBLE, &o->epochs, "X", "0:1000000", M,
         "Steps for this many passes over files, by default one."},
        {"seq-len", 0, OY_OPT_INT, &o->seq_len, "N", "0:1048576", M,
         "Targets of a row (default: what the token stream says, else 512, or "
         "the model's positions if fewer)."},
        {"batch-rows", 0, OY_OPT_INT, &o->batch_rows, "N", "1:1048576", M,
         "Rows of a micro-batch: what is in memory at once."},
        {"accumulate", 0, OY_OPT_INT, &o->accumulate, "N", "1:1048576", M,
         "Micro-batches of a step."},
        {"order", 0, OY_OPT_CHOICE, &v->order, NULL, "auto|sequential|shuffle",
         M, "Order of rows; auto shuffles plain files."},
        {"save-every", 0, OY_OPT_INT, &o->save_every, "N", "0:", 0,
         "Write the checkpoint every N steps; 0 means at the end."},
        {"resume", 0, OY_OPT_FLAG, &o->resume, NULL, NULL, 0,
         "Go on from the checkpoint in -o, if there is one."},
        {"log", 0, OY_OPT_STRING, &o->log, "FILE.jsonl", NULL, 0,
         "One JSON object a step."},
        {"dump-gradients", 0, OY_OPT_STRING, &o->gradients, "DIR", NULL, 0,
         "Write the first step's gradients, before clipping, to "
         "DIR/gradients.safetensors."},
        {"profile", 0, OY_OPT_FLAG, &o->profile, NULL, NULL, 0,
         "Print on standard error where the time of the steps went, kernel by "
         "kernel: seconds and their part, operations and bytes a second, and "
         "how much that is of the roofline, whose ceilings of arithmetic and "
         "memory are measured on the same threads first."},
        {"dry-run", 0, OY_OPT_FLAG, &o->dry_run, NULL, NULL, 0,
         "Print weights, memory, steps and tokens as JSON; train nothing."},
    };

    memcpy(to, table, sizeof table);
    return sizeof table / sizeof *table;
}

/* How it is learnt. */
static size_t put_recipe_options(struct values *v, struct oy_option *to)
{
    struct trainer_options *const o = &v->o;
    const struct oy_option table[] = {
        {"lr", 0, OY_OPT_DOUBLE, &o->schedule.lr, "X", "0:100", M,
         "Peak learning rate."},
        {"schedule", 0, OY_OPT_CHOICE, &v->schedule, NULL,
         "cosine|wsd|linear|constant|minimind", M,
         "How the learning rate goes by step."},
        {"warmup", 0, OY_OPT_INT, &o->schedule.warmup, "N", "0:", M,
         "Steps of linear warm-up."},
        {"decay-steps", 0, OY_OPT_INT, &o->schedule.decay, "N", "0:", M,
         "Last steps, in which wsd goes down to zero."},
        {"min-lr-ratio", 0, OY_OPT_DOUBLE, &o->schedule.min_ratio, "X", "0:1",
         M, "Where cosine and linear end, as a part of --lr."},
        {"optimizer", 0, OY_OPT_CHOICE, &o->optimizer.kind, NULL, "adamw|muon",
         M,
         "muon is for the matrices of the layers; embedding, head and vectors "
         "stay with AdamW."},
        {"muon-lr", 0, OY_OPT_DOUBLE, &o->muon_lr, "X", "0:100", M,
         "Peak learning rate of Muon; it goes by step as --lr does."},
        {"muon-adjust", 0, OY_OPT_CHOICE, &o->optimizer.adjust, NULL,
         "original|match_rms_adamw", M,
         "How --muon-lr is fitted to a matrix: for rates of its own, such as "
         "0.02, or for those that AdamW takes."},
        {"weight-decay", 0, OY_OPT_DOUBLE, &o->optimizer.weight_decay, "X",
         "0:10", M,
         "Of AdamW and Muon, on tensors of two and more dimensions."},
        {"decay-all", 0, OY_OPT_FLAG, &o->optimizer.decay_all, NULL, NULL, M,
         "Decay vectors too."},
        {"beta1", 0, OY_OPT_DOUBLE, &o->optimizer.beta1, "X", "0:0.999999", M,
         "Of AdamW."},
        {"beta2", 0, OY_OPT_DOUBLE, &o->optimizer.beta2, "X", "0:0.999999", M,
         "Of AdamW."},
        {"eps", 0, OY_OPT_DOUBLE, &o->optimizer.eps, "X", "0:1", M,
         "Of AdamW."},
        {"clip", 0, OY_OPT_DOUBLE, &o->optimizer.clip, "X", "0:", M,
         "Largest norm of a step's gradient; 0 clips nothing."},
        {"kernel", 0, OY_OPT_STRING, &o->kernel, "NAME", NULL, M,
         "Matrix kernel: plain, avx2 or avx512 with -packed behind it, or "
         "openblas; by default the best one of the CPU."},
        {"dtype", 0, OY_OPT_CHOICE, &v->dtype, NULL, "f32|bf16", M,
         "Numbers of the matrix products. With bf16 both operands are rounded "
         "to it on the way; sums, weights, gradients and the optimiser's "
         "state stay f32. Losses differ by some 1e-3; a CPU with AMX or bf16 "
         "products trains faster."},
        {"z-loss", 0, OY_OPT_DOUBLE, &o->loss.z_loss, "X", "0:1", M,
         "Weight of the mean square of log(sum(exp(logits)))."},
        {"label-smoothing", 0, OY_OPT_DOUBLE, &o->loss.label_smoothing, "X",
         "0:1", M, "As torch has it."},
        {"loss-average", 0, OY_OPT_CHOICE, &o->loss_average, NULL, "step|micro",
         M,
         "Over all tokens of the step, or the mean of its micro-batches' "
         "means."},
    };

    memcpy(to, table, sizeof table);
    return sizeof table / sizeof *table;
}

/* Options of filters, which find nothing to do here: they are not shown, and
 * refused by check(). */
static size_t put_unused_options(struct oy_run *run, struct oy_option *to)
{
    const struct oy_option table[N_UNUSED] = {
        {"bad", 0, OY_OPT_CHOICE, &run->bad, NULL, "stop|skip", OY_OPT_HIDDEN,
         ""},
        {"rejects", 0, OY_OPT_STRING, &run->rejects, "FILE", NULL,
         OY_OPT_HIDDEN, ""},
        {"strict", 0, OY_OPT_FLAG, &run->strict, NULL, NULL, OY_OPT_HIDDEN, ""},
        {"compress", 0, OY_OPT_STRING, &run->compress, "CODEC", NULL,
         OY_OPT_HIDDEN, ""},
        {"shard", 0, OY_OPT_STRING, &run->shard, "I/N", NULL, OY_OPT_HIDDEN,
         ""},
    };

    memcpy(to, table, sizeof table);
    return N_UNUSED;
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct values v = DEFAULTS;
    struct oy_option table[MAX_OPTIONS + 1] = {0};
    struct oy_program program = {
        .name = "oy-train",
        .synopsis = "(--preset NAME | --config-model FILE | --init CKPT) "
                    "[OPTION]... -o CKPT [FILE]...",
        .summary = "train a language model",
        .description = DESCRIPTION,
        .option = table,
    };

    size_t n_option = put_unused_options(&run, table);

    n_option += put_options(&v, &run, table + n_option);
    n_option += put_recipe_options(&v, table + n_option);
    OY_ASSERT(n_option <= MAX_OPTIONS);
    oy_run_init(&run, argv[0]);
    if (oy_run_parse(&run, &program, argc, argv, &err) == 0 &&
        check(&v, &run, &err) == 0) {
        settle(&v, &run);
        trainer_run(&v.o, &err);
    }
    return oy_run_exit(&run, &err);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The paired comparison of two results files: per task a difference with its
 * error, tests, and a verdict.
 *
 * Results are those of oy-grade and oy-eval: `oyster.samples` holds every
 * document, so that the two systems are compared document by document. Per
 * task the main metric counts (acc_norm if there, else acc, exact_match,
 * pass@1, bits_per_byte). 0/1 scores are tested by McNemar's exact test,
 * others by a paired bootstrap; Holm's correction runs over the tasks. A task
 * is a regression when its score fell by more than its tolerance and the
 * one-sided p, corrected, is at most alpha.
 */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "eval/statistics.h"

/* ---- one results file ---- */

/* A document's score: a number, or the two parts of a ratio of sums. */
struct compare_sample {
    int64_t doc_id;
    uint64_t doc_hash;     /* 0 when the file has none */
    double value;          /* the score, or the ratio's upper sum */
    double weight;         /* 1, or the ratio's lower sum */
    int64_t cluster;       /* -1: none */
    struct oy_text answer; /* its beginning, as JSON; len 0: none */
};

struct compare_task {
    char *name;
    char *metric;        /* "acc_norm" */
    int is_ratio;        /* value / weight is a ratio of sums */
    int lower_is_better; /* bits_per_byte, perplexities */
    double mean, error;  /* as the file says; for unpaired comparisons */
    /* What was asked, as JSON; len 0 where the file does not say. */
    struct oy_text version, shots, prompts;
    struct compare_sample *sample; /* in doc_id order */
    size_t n_sample, cap_sample;
};

struct compare_results {
    char *name; /* path as given */
    struct oy_arena arena;
    struct oy_text tokenizer; /* its hash, as JSON; len 0: not known */
    struct compare_task *task;
    size_t n_task, cap_task;
};

/* Reads a results file; with `unpaired` its samples may be missing. 66 when it
 * does not exist, 65 when it is not a results file. */
int compare_results_read(struct compare_results *results, const char *path,
                         int unpaired, struct oy_error *err);
void compare_results_release(struct compare_results *results);

/* The task of that name, or NULL. */
const struct compare_task *compare_find_task(
    const struct compare_results *results, const char *name);

/* ---- a comparison ---- */

enum compare_verdict { COMPARE_SAME, COMPARE_IMPROVEMENT, COMPARE_REGRESSION };

struct compare_tolerance {
    const char *task; /* NULL: every task */
    double drop;
};

struct compare_options {
    double alpha;       /* 0.05 */
    uint64_t seed;      /* of the bootstrap */
    size_t n_replicate; /* 10,000 */
    int unpaired;
    int allow_versions, allow_prompts; /* though they differ */
    int flips;                         /* reports list them */
    const struct compare_tolerance *tolerance;
    size_t n_tolerance;
};

/* NaN stands for "not defined" (null in JSON). */
struct compare_row {
    const char *task, *metric; /* borrowed from the base results */
    const struct compare_task *base_task, *new_task; /* borrowed */
    int lower_is_better;
    int is_paired, is_binary;
    size_t n;
    double mean_base, mean_new, diff; /* new - base */
    double se_base, se_new, se_diff, se_diff_unpaired, corr;
    double ci_low, ci_high;
    double mde; /* two-sided 5 %, power 80 % */
    uint64_t only_base, only_new;
    double p_mcnemar, p_mcnemar_holm; /* two-sided; bootstrap's if not 0/1 */
    double p_regression, p_regression_holm; /* one-sided */
    double p_z, p_t, p_z_unpaired;
    struct statistics_bootstrap bootstrap;
    size_t n_cluster; /* 0: no clusters */
    struct statistics_clustered clustered;
    double tolerance;
    enum compare_verdict verdict;
};

struct comparison {
    const char *base, *new; /* names of the files; borrowed */
    struct compare_row *row;
    size_t n_row;
    int has_regression;
};

/* 65 when the two sides were not asked the same, with the tasks whose versions,
 * documents or prompts (their hashes) differ; unpaired, documents and prompts
 * may. So do perplexities of models with different tokenizers: only bits per
 * byte can be compared then. What a file does not say is not held against it.
 */
int compare_check(const struct compare_results *base,
                  const struct compare_results *new,
                  const struct compare_options *options, struct oy_error *err);

/* Compares the tasks that both have, in the base's order; a task of only one
 * side is a warning. 65 when none is common, or as compare_check. The results
 * must outlive the comparison. */
int compare_run(struct comparison *comparison,
                const struct compare_results *base,
                const struct compare_results *new,
                const struct compare_options *options, struct oy_error *err);
void comparison_release(struct comparison *comparison);

/* ---- reports; each appends ---- */

/* A table for people; what fell, and by how much. */
void compare_put_table(const struct comparison *comparison,
                       const struct compare_options *options,
                       struct oy_buffer *out);
void compare_put_markdown(const struct comparison *comparison,
                          const struct compare_options *options,
                          struct oy_buffer *out);

/* The documents whose score changed, with both answers: those that got worse
 * first. Of scores that are not 0/1 the largest changes. `mark` begins each
 * line. */
void compare_put_flips(const struct compare_row *row, const char *mark,
                       struct oy_buffer *out);
/* The same as a JSON array of {doc_id, base, new, base_answer, new_answer}. */
void compare_put_flips_json(const struct compare_row *row,
                            struct oy_buffer *out);

/* {"alpha", "comparisons": [...]} */
void compare_put_json(const struct comparison *comparison, size_t n,
                      const struct compare_options *options,
                      struct oy_buffer *out);
/* JUnit XML: a suite a comparison, a case a task, a failure a regression. */
void compare_put_junit(const struct comparison *comparison, size_t n,
                       struct oy_buffer *out);

#endif

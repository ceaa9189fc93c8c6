/* SPDX-License-Identifier: Apache-2.0
 *
 * What grading and the writing of its results share. */
#ifndef EVAL_GRADE_INTERNAL_H
#define EVAL_GRADE_INTERNAL_H

#include "core/output.h"
#include "core/pool.h"
#include "eval/answer_filter.h"
#include "eval/grade.h"
#include "eval/metric.h"
#include "eval/sandbox.h"
#include "eval/task.h"

struct grade_metric {
    const struct metric_kind *kind;
    struct template *weight;  /* of rolling metrics */
    struct template *labels;  /* of choices of which several are right */
    struct metric_item *item; /* a document each */
    size_t cap_item;
    const struct answer_filter *filter; /* NULL: "none" */
    struct answer_ignore *ignore;       /* of completions */
    /* Of completions in TeX: how they are compared; or NULL. */
    int (*equal)(struct oy_text completion, struct oy_text reference);
    int64_t pass_k;     /* of programs: k of pass@k; else 0 */
    const char *source; /* of programs: lm-eval's function */
    double value;       /* after grade_finish */
    double error;
};

/* A document as its parts are gathered. */
struct graded {
    int64_t doc_id;
    const struct request *request; /* [n_request] */
    size_t n_request;
    struct template_value doc;
    struct template_value target; /* index of the right choice,
                                   list of such, or a text */
    struct template_value shown;  /* as lm-eval's doc_to_target gives it */
    struct template_value choices;
    struct metric_item *item; /* [n_metric] */
    struct oy_text chosen;    /* of choices; .at NULL: none was */
    /* What the filters make of it: [n_filter][n_request], of which those that
     * take the first fill one. */
    struct oy_text *answer;
    char doc_hash[65], prompt_hash[65], target_hash[65];
};

struct grade_task {
    const struct task *task;
    /* Those of the first filter, those of the next ... */
    struct grade_metric *metric;
    size_t n_metric;
    struct answer_filter **filter; /* of completions; else none */
    size_t n_filter;
    size_t n_repeat;         /* completions of a document */
    int is_code;             /* graded by running programs */
    struct template *given;  /* of code: its part of a program, or NULL */
    struct sandbox *sandbox; /* of code; borrowed */
    size_t n_document;       /* graded so far */
    size_t n_effective;      /* promised by the header */
    int64_t last_doc_id;     /* -1 */
    /* doc_hash + prompt_hash + target_hash of every document */
    struct oy_buffer hashes;
    struct oy_buffer samples; /* oyster.samples: objects, comma between */
    struct oy_output *log;    /* samples_TASK.jsonl, or NULL */
    struct oy_buffer *later;  /* its lines of the filters behind the first */
};

struct grade {
    struct grade_options options;
    struct oy_arena arena;
    struct template_value run; /* the header */
    struct template_value model;
    struct task_set set;
    struct grade_task *task; /* [set.n_task] */
    struct oy_pool *pool;

    /* The document whose requests are coming in. */
    struct grade_task *current;
    int64_t doc_id;
    struct request *request;
    size_t n_request;
    size_t cap_request;
    struct oy_arena pending;

    /* Documents of one task whose programs have still to be run; all
     * they hold lies in `pending`. */
    struct grade_task *deferred_task;
    struct graded **deferred;
    size_t n_deferred, cap_deferred;
    struct sandbox *sandbox[2]; /* without and with packages */
};

/* The name of a metric's filter: "none" where there is none. */
const char *grade_filter_name(const struct grade_metric *metric);

/* Grades the collected requests of one document and forgets them; those of
 * code are kept until there are many, or grade_deferred() is called. */
int grade_document(struct grade *grade, struct oy_error *err);
int grade_deferred(struct grade *grade, struct oy_error *err);

/* ---- programs ---- */

/* How many metrics a member of a metric_list stands for: one a `k` of a
 * pass_at_k, else 1. */
size_t grade_code_width(const struct template_value *config);
/* Fills the metric with number `part` of those; 0 when the member is none of
 * programs, 1, -1 with err (65). */
int grade_code_metric(const struct template_value *config, size_t part,
                      struct grade_task *task, struct grade_metric *metric,
                      struct oy_arena *arena, struct oy_error *err);
/* The sandbox of a task of code. -1 with err (64 when code is not to be run,
 * 69 when there is no sandbox). */
int grade_code_open(struct grade *grade, struct grade_task *task,
                    struct oy_error *err);
/* Runs the programs of all deferred documents and fills in their metrics. */
int grade_code_run(struct grade *grade, struct oy_error *err);

/* A document's line of oyster.samples, by which oy-cmp pairs runs, without its
 * metrics: {"doc_id", "doc_hash", and, if there, "cluster", "answer". */
void grade_put_pairing(const struct grade_task *task,
                       const struct graded *graded, struct oy_buffer *out);

/* 64 hex digits of SHA-256. */
void grade_sha256(const void *data, size_t len, char hex[65]);

/* results.json as a value whose parts lie in `arena`. */
struct template_value result_build(struct grade *grade, struct oy_arena *arena);

#endif

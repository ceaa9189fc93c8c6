/* SPDX-License-Identifier: Apache-2.0
 *
 * From answered requests to results: the work of oy-grade.
 *
 * The stream is given in order: the header, then every request with its
 * answer, the requests of a document together and in order. What comes out
 * is lm-eval's results JSON (same keys, same values: metrics, standard
 * errors, groups, hashes), its samples files and its table.
 *
 *     struct grade *grade = grade_new(&options, err);
 *     grade_begin(grade, run, run_len, err);
 *     while (...) grade_add(grade, &request, err);
 *     grade_finish(grade, err);
 *     grade_put_results(grade, out);  grade_put_table(grade, out);
 *     grade_free(grade);
 *
 * All values are sums in document order: equal streams give equal bytes.
 *
 * Completions that are programs (metrics pass_at_k, pass_at_1, pass@K) are run
 * in a sandbox (eval/sandbox.h), many at once. A member of their metric_list
 * may have `k` (a list), `given` (an expression: the part of the program that
 * the benchmark wrote) and `packages` (true: numpy and what else is installed
 * may be imported).
 *
 * exact_match or acc with `equal`: "hendrycks_math" or "agieval_math" compares
 * completions with the document's member `answer` as eval/answer_math.h says.
 */
#ifndef EVAL_GRADE_H
#define EVAL_GRADE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/options.h"
#include "eval/request.h"
#include "eval/sandbox.h"

struct grade_options {
    struct sandbox_options sandbox; /* where programs are run */
    int unsafe;                     /* run them without one */
    int refuse_code; /* --confirm_run_unsafe_code was wanted and not given */
    const char *log_samples; /* folder for samples_TASK.jsonl; NULL: none */
    int64_t bootstrap_iters; /* 100000, lm-eval's default; 0: no stderr */
    int64_t threads;         /* for the bootstrap; 0: all */
    int stamp;               /* real date and times instead of null */
};

void grade_options_init(struct grade_options *options);

/* Fills option[0 .. GRADE_N_OPTION-1]; the table points into `options`. What
 * was given is finished by grade_options_finish(): -1 with err (64), options
 * that contradict each other. */
enum { GRADE_N_OPTION = 8 };
void grade_options_table(struct grade_options *options,
                         struct oy_option *option);
int grade_options_finish(struct grade_options *options, struct oy_error *err);

struct grade;

/* NULL after a failure (73: the folder cannot be made). */
struct grade *grade_new(const struct grade_options *options,
                        struct oy_error *err);
void grade_free(struct grade *grade);

/* The value of "oyster_run", serialised. Copied. -1 with err: 65; 64 where
 * code is refused; 69 where there is code and no sandbox. */
int grade_begin(struct grade *grade, const char *run, size_t len,
                struct oy_error *err);

/* Tells who answered, in place of a header's member "model" (eval/request.h
 * says what the object holds). For oy-eval. Copied. */
int grade_set_model(struct grade *grade, const char *model, size_t len,
                    struct oy_error *err);

/* The next answered request; borrowed during the call. -1 with err (65): a
 * task that the header does not name, a request without an answer, out of
 * order or missing, a document without its members. */
int grade_add(struct grade *grade, const struct request *request,
              struct oy_error *err);

/* After the last request: checks that every document has come, aggregates,
 * and closes the samples files. */
int grade_finish(struct grade *grade, struct oy_error *err);

/* Appends the results JSON (indent 2, an LF behind). */
void grade_put_results(struct grade *grade, struct oy_buffer *out);
/* Appends the table that lm-eval prints, and that of the groups, if any. */
void grade_put_table(struct grade *grade, struct oy_buffer *out);

#endif

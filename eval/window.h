/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that are answered together: those of one task, up to a few
 * thousand, whole documents.
 *
 * A window is filled, answered, read and cleared. Answers that the journal
 * knows are taken from there; new ones are written to it while the others are
 * still computed, about once a second, so that a kill costs little more.
 * For one thread.
 */
#ifndef EVAL_WINDOW_H
#define EVAL_WINDOW_H

#include "core/alloc.h"
#include "eval/journal.h"
#include "eval/scorer.h"

struct window {
    struct scorer *scorer;   /* borrowed */
    struct journal *journal; /* borrowed; or NULL */
    struct oy_arena arena;   /* of all that the requests hold */
    struct scorer_item *item;
    size_t n;

    /* Private. */
    struct oy_hash128 *key; /* [n] */
    size_t cap_item, cap_key;
    size_t n_token;
    struct oy_text task; /* of the last request */
    int64_t doc_id;
    struct oy_error failed; /* of the journal, amid answering */
};

/* Whether a request of this document has to wait for the next window. */
int window_is_full(const struct window *window, struct oy_text task,
                   int64_t doc_id);

/* Adds a request; what it holds lies in the window's arena (task need not).
 * `key` is that of its line as oy-ask writes it, without the LF; of no matter
 * without a journal. */
void window_add(struct window *window, const struct scorer_item *item,
                struct oy_text task, int64_t doc_id, struct oy_hash128 key);

/* Answers all. -1 with err (71; 74, the journal; see scorer_answer). */
int window_answer(struct window *window, struct oy_error *err);

void window_clear(struct window *window);
void window_release(struct window *window);

#endif

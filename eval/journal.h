/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers on disk, so that an interrupted run does not compute them again.
 *
 * A journal is a ledger (core/ledger.h) of lines {"key", "logprob", ...}, made
 * durable window by window. That of another model, tokenizer, kernel or set of
 * options is refused (65), never mixed.
 */
#ifndef EVAL_JOURNAL_H
#define EVAL_JOURNAL_H

#include <stddef.h>

#include "core/error.h"
#include "core/hash.h"
#include "eval/request.h"

struct journal;

/* Opens or makes the file. `identity` is one JSON object, compared byte for
 * byte. NULL after a failure (65, 73, 74). */
struct journal *journal_open(const char *path, const char *identity, size_t len,
                             struct oy_error *err);
/* NULL is allowed. */
void journal_close(struct journal *journal);

/* Fills `answer` (borrowed from the journal) when the key is known; returns
 * whether it is. */
int journal_find(struct journal *journal, struct oy_hash128 key,
                 struct request_answer *answer);
/* Appends an answer of this type; it is found from then on only after the
 * journal was opened anew. */
void journal_add(struct journal *journal, struct oy_hash128 key,
                 enum request_type type, const struct request_answer *answer);
/* Writes what was added and makes it durable. -1 (74). */
int journal_flush(struct journal *journal, struct oy_error *err);
/* Answers that were read. */
size_t journal_count(const struct journal *journal);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers on disk under keys, so that an interrupted run does not compute
 * them again: what journals (--journal) are made of.
 *
 * A ledger is JSONL: a line that says whose answers these are, then one line
 * an answer, {"key", ...}. Lines are appended and made durable at each flush;
 * a last line that was cut off by a kill is dropped. The ledger of another
 * run is refused (65), never mixed. One thread at a time.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include <stddef.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"

struct oy_ledger;

/* Whose answers, and what they look like. */
struct oy_ledger_use {
    struct oy_text identity; /* one JSON object, compared byte for byte */
    /* Called for each answer that is read; other than 0: damaged. May be
     * NULL. */
    int (*check)(void *arg, const struct oy_json_value *line);
    void *arg;
};

/* Opens or makes the file; `use` is borrowed until this returns. NULL after a
 * failure (65, 73, 74). */
struct oy_ledger *oy_ledger_open(const char *path,
                                 const struct oy_ledger_use *use,
                                 struct oy_error *err);
/* NULL is allowed. */
void oy_ledger_close(struct oy_ledger *ledger);

/* The line of a key, an object borrowed from the ledger; kind MISSING when it
 * is not known, or the ledger is NULL. */
struct oy_json_value oy_ledger_find(const struct oy_ledger *ledger,
                                    struct oy_hash128 key);
/* Appends an answer, its members without braces ("a":1,"b":2); it is found
 * from then on only after the ledger was opened anew. */
void oy_ledger_add(struct oy_ledger *ledger, struct oy_hash128 key,
                   const char *members, size_t len);
/* Writes what was added and makes it durable. -1 (74). */
int oy_ledger_flush(struct oy_ledger *ledger, struct oy_error *err);
/* Answers that were read. */
size_t oy_ledger_count(const struct oy_ledger *ledger);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * How many copies of each record a mixture takes: 0, 1, or several.
 *
 * A plan is read from lists such as `A=0.5,B=0.3`, told all records once
 * (to count them), closed, and then asked for each record again, in the same
 * order. Of a source with n records and a quota of q, each is taken q / n
 * times, and q mod n of them once more, chosen evenly without replacement
 * (selection sampling, Knuth 3.4.2 S) by random numbers that are a function
 * of the seed and the record's number: nothing is held but counts.
 */
#ifndef PIPELINE_MIX_PLAN_H
#define PIPELINE_MIX_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* One NAME=NUMBER. */
struct mix_share {
    char *name;
    double weight; /* finite, not negative */
};

struct mix_shares {
    struct mix_share *item;
    size_t n, cap;
    double sum;
};

/* Reads NAME=NUMBER,...; -1 (64) after a failure that names `option`: not of
 * that form, a name twice, a number below 0, or nothing above 0. */
int mix_shares_read(struct mix_shares *shares, const char *option,
                    const char *text, struct oy_error *err);
void mix_shares_release(struct mix_shares *shares);
/* The index of a name, or shares->n. */
size_t mix_shares_find(const struct mix_shares *shares, const char *name,
                       size_t len);
/* The index of a file: NAME is its path, or its last part, with or without
 * .jsonl, .json, .ndjson, .txt and .zst, .gz, .xz, .bz2 behind; or
 * shares->n. */
size_t mix_shares_find_file(const struct mix_shares *shares, const char *path);

struct mix_source {
    uint64_t n;      /* records */
    uint64_t quota;  /* records to take, copies counted */
    uint64_t passed; /* of n, by mix_plan_copies() */
    uint64_t more;   /* still to be chosen for one copy more */
};

struct mix_plan {
    const struct mix_shares *shares; /* NULL: one source, without weights */
    struct mix_source *source;       /* [shares->n + 1]; last: all others */
    size_t n_source;
    uint64_t seed;
};

void mix_plan_init(struct mix_plan *plan, const struct mix_shares *shares,
                   uint64_t seed);
void mix_plan_release(struct mix_plan *plan);

/* Counts a record. */
void mix_plan_count(struct mix_plan *plan, size_t source);

/* Sets the quotas. Weights below a sum of 1 leave the rest to the records of
 * all other sources, if there are any; else they are relative. `take` is the
 * number of records in all; -1: as many as can be had without a copy, times
 * `fraction`. Without weights no record is taken twice. -1 (65): a source that
 * is to give something has no records. */
int mix_plan_close(struct mix_plan *plan, int64_t take, double fraction,
                   struct oy_error *err);

/* Copies of the next record, whose number in the run this is. */
uint64_t mix_plan_copies(struct mix_plan *plan, size_t source, uint64_t number);

#endif

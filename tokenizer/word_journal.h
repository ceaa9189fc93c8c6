/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts on disk, so that an interrupted count goes on where it was.
 *
 * A folder holds files of sorted runs (word_run.h) and a journal: a first
 * line that says what is counted and how, then one line a run, with the
 * records that went into it, the hash of the run's bytes and a digest of these
 * records. A line is written when the run is durable; a last line that was cut
 * off is dropped. A run that goes on leaves out the records that are in the
 * journal, adds up their digests anew, and in the end compares: counts of
 * another input are never mixed in.
 *
 * A journal is used by one process at a time (a lock says so). Functions that
 * add to it may be called from many threads.
 */
#ifndef TOKENIZER_WORD_JOURNAL_H
#define TOKENIZER_WORD_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "tokenizer/word_run.h"

/* How many records, and a sum over their numbers and texts that does not
 * depend on their order. */
struct word_digest {
    uint64_t n_record, sum;
};

/* `hash` is that of the record's text. */
void word_digest_add(struct word_digest *digest, uint64_t number,
                     uint64_t hash);

/* Which records: ranges of numbers, both ends included, ascending.
 * Zero-initialised is empty. */
struct word_cover {
    struct word_range {
        uint64_t first, last;
    } * range;
    size_t n_range, range_cap;
    struct word_digest digest;
};

void word_cover_release(struct word_cover *cover);
void word_cover_clear(struct word_cover *cover);
/* Adds a record, numbers ascending. */
void word_cover_add(struct word_cover *cover, uint64_t number, uint64_t hash);

struct word_journal;

/* Opens or makes the folder. `identity` is one line, compared byte for byte.
 * NULL after a failure: 65 another identity, or damaged; 73; 74. */
struct word_journal *word_journal_open(const char *folder, const char *identity,
                                       struct oy_error *err);
/* Leaves the folder for a later run, unless no run is in it. NULL is allowed.
 */
void word_journal_close(struct word_journal *journal);
/* Removes it and what is in it. NULL is allowed. */
void word_journal_remove(struct word_journal *journal);

/* The runs that were read. */
size_t word_journal_count(const struct word_journal *journal);
const struct word_run *word_journal_run(const struct word_journal *journal,
                                        size_t i);
/* The number of the run that holds a record, or -1. */
int64_t word_journal_find(const struct word_journal *journal, uint64_t record);
/* Records that were met again, digest[i] those of run i: whether they are
 * those that were counted. 0, or -1 (65). */
int word_journal_check(const struct word_journal *journal,
                       const struct word_digest *digest, struct oy_error *err);

/* Makes a new file for runs and gives its descriptor (the journal's) and
 * number; -1 (73). */
int word_journal_new_part(struct word_journal *journal, int *part,
                          struct oy_error *err);
/* Makes a run of such a file durable and notes it. -1 (74). */
int word_journal_add(struct word_journal *journal, int part,
                     const struct word_run *run, const struct word_cover *cover,
                     struct oy_error *err);

#endif

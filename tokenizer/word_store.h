/* SPDX-License-Identifier: Apache-2.0
 *
 * All words of a corpus and their counts: in memory, or, with a budget, in
 * sorted runs on disk that are merged when they are read.
 *
 * Each thread counts into a tally of its own and spills it when its share of
 * the budget is full. What is read in the end does not depend on how the words
 * came, nor on what was spilled. With a journal (word_journal.h) everything is
 * spilled, and a run that was killed goes on.
 */
#ifndef TOKENIZER_WORD_STORE_H
#define TOKENIZER_WORD_STORE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/json.h"
#include "tokenizer/word_count.h"
#include "tokenizer/word_journal.h"
#include "tokenizer/word_run.h"

struct word_store_options {
    uint64_t memory;           /* of all threads; 0: without limit */
    const char *tmpdir;        /* for runs; NULL: $TMPDIR or /tmp; borrowed */
    int n_thread;              /* tallies that share the memory */
    const unsigned char *rank; /* [256] in which order bytes come; NULL: in
                                  their own; borrowed */
    struct word_journal *journal; /* NULL: none; borrowed */
};

/* Zero-initialised may be released. */
struct word_store {
    struct word_store_options options;
    struct word_count table; /* all words, while no run holds any */
    struct word_run *run;
    size_t n_run, run_cap;
    int *fd; /* of temporary files */
    size_t n_fd, fd_cap;
    uint64_t n_spilled;        /* runs that were written while counting */
    uint64_t n_symbol;         /* sum of count * length of words given with a
                                 count of their own */
    struct word_digest *again; /* [n_again] of the journal's runs: records
                                  that were met again */
    size_t n_again;
    pthread_mutex_t lock; /* files and runs, while tallies spill */
    int has_lock;

    /* While it is read. */
    struct oy_pair *order;
    size_t next;
    int in_order;
    struct word_merger merger;
    struct oy_buffer text;   /* the present word */
    unsigned char byte[256]; /* of a rank */
};

/* One thread's. Zero-initialised may be released. */
struct word_tally {
    struct word_store *store;
    struct word_count words;
    int fd, part; /* where it spills; fd -1: nowhere yet */
    uint64_t at;
    uint64_t n_symbol; /* as above */
    uint64_t n_byte;   /* of text since the last run */
    struct word_cover cover;
    struct word_digest *again;
};

void word_store_init(struct word_store *store,
                     const struct word_store_options *options);
void word_store_release(struct word_store *store);

/* ---- counting ---- */

void word_tally_init(struct word_tally *tally, struct word_store *store);
void word_tally_release(struct word_tally *tally);
/* To be called before the words of a record are added to tally->words: its
 * text, and the count that came with it or 0. 1: the
 * run that was killed counted it, and it must not be again (only with a
 * journal); 0: it is to be counted; -1 after a failure. With a journal a
 * record goes into one run, so that the memory may be exceeded by the words of
 * one record. */
int word_tally_begin(struct word_tally *tally, uint64_t number,
                     struct oy_text text, uint64_t count, struct oy_error *err);
/* To be called before up to `more` words are added to tally->words: spills
 * them if they leave no room. -1 after a failure (71, 74). */
int word_tally_make_room(struct word_tally *tally, size_t more,
                         struct oy_error *err);
/* A word with a count of its own. -1 when the counts add up to 2^63 symbols or
 * more (65). */
int word_tally_add(struct word_tally *tally, const char *word, size_t len,
                   uint64_t count, struct oy_error *err);
/* Gives all its words to the store. One at a time. */
int word_tally_close(struct word_tally *tally, struct oy_error *err);

/* ---- reading ---- */

/* After all tallies were closed: at most one run is left. -1 after a failure
 * (71, or 65 when the journal is of other records). */
int word_store_close(struct word_store *store, struct oy_error *err);
/* Whether the words are in a run, not in memory. */
int word_store_is_spilled(const struct word_store *store);
/* How many words there are; after word_store_close(). */
uint64_t word_store_count(const struct word_store *store);
/* Begins to read, any number of times; `in_order`: in ascending order, else in
 * any. -1 after a failure. */
int word_store_begin(struct word_store *store, int in_order,
                     struct oy_error *err);
/* 1 and the next word (borrowed until the next call), 0 at the end, -1 after a
 * failure (71). */
int word_store_next(struct word_store *store, struct word_entry *word,
                    struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Counted words in files: sorted runs, written once, read and merged as often
 * as they are wanted.
 *
 * A run holds words in ascending order of their bytes, each once. On disk a
 * word is the number of bytes that it shares with the one before, the number
 * of its own, these bytes, and the count; numbers are LEB128. About 5 bytes a
 * word of a natural language. Nothing here is for two threads at once.
 */
#ifndef TOKENIZER_WORD_RUN_H
#define TOKENIZER_WORD_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/hash.h"
#include "tokenizer/word_count.h"

/* Where a run lies. Plain data. */
struct word_run {
    int fd; /* borrowed */
    uint64_t at, size;
    uint64_t n_word;
    struct oy_hash128 hash; /* of its bytes */
};

/* ---- writing ---- */

/* Zero-initialised may be released. */
struct word_writer {
    struct word_run run;
    struct oy_buffer out, last;
    struct oy_hasher *hasher;
};

/* The run will lie from `at` on in the file. */
void word_writer_init(struct word_writer *writer, int fd, uint64_t at);
void word_writer_release(struct word_writer *writer);
/* Words come in ascending order. -1 after a failure (71: there is no temporary
 * space), as below. */
int word_writer_add(struct word_writer *writer, const struct word_entry *word,
                    struct oy_error *err);
/* Writes the rest; writer->run is the run then. */
int word_writer_close(struct word_writer *writer, struct oy_error *err);

/* A whole table as a run. With `rank` (see word_count_order) each byte of the
 * words is written as its rank. */
int word_run_write(const struct word_count *words, const unsigned char *rank,
                   int fd, uint64_t at, struct word_run *run,
                   struct oy_error *err);
/* Whether the bytes are still those that were written: 1, 0, or -1 (71). */
int word_run_is_whole(const struct word_run *run, struct oy_error *err);

/* ---- reading ---- */

/* Zero-initialised may be released. */
struct word_reader {
    uint64_t at, left; /* in the file */
    int fd;
    size_t next; /* in `in` */
    struct oy_buffer in, text;
    struct word_entry word; /* the present one */
    uint64_t prefix;        /* of it */
};

void word_reader_init(struct word_reader *reader, const struct word_run *run);
void word_reader_release(struct word_reader *reader);
/* 1 and the next word in reader->word (borrowed until the next call), 0 at
 * the end, -1 after a failure (71). */
int word_reader_next(struct word_reader *reader, struct oy_error *err);

/* ---- merging ---- */

enum {
    WORD_FAN_IN = 64,            /* runs that are merged at once */
    WORD_READER_SIZE = 64 << 10, /* what a reader takes for its input */
};

/* Zero-initialised may be released. */
struct word_merger {
    struct word_reader reader[WORD_FAN_IN];
    size_t n_reader;
    uint8_t heap[WORD_FAN_IN]; /* readers, that of the first word on top */
    size_t n_heap;
    struct oy_buffer text;
    struct word_entry word; /* the present one */
};

/* Up to WORD_FAN_IN runs. -1 after a failure (71), as below. */
int word_merger_init(struct word_merger *merger, const struct word_run *run,
                     size_t n_run, struct oy_error *err);
void word_merger_release(struct word_merger *merger);
/* 1 and the next word of all runs in merger->word (borrowed until the next
 * call), its counts added up; 0 at the end; -1. */
int word_merger_next(struct word_merger *merger, struct oy_error *err);

#endif

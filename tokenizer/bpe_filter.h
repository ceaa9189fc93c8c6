/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-bpe as a filter: records or counts in, one tokenizer.json out, or counts.
 *
 * Texts are cut and their pieces counted by every thread for itself; the
 * tables are added up at the end, or merged from disk, and the merges are
 * trained from the sums.
 */
#ifndef TOKENIZER_BPE_FILTER_H
#define TOKENIZER_BPE_FILTER_H

#include <stdint.h>

#include "core/error.h"
#include "core/options.h"
#include "core/run.h"

enum bpe_unit { BPE_UNIT_RECORD, BPE_UNIT_LINE };
enum bpe_initial { BPE_INITIAL_AUTO, BPE_INITIAL_BYTES, BPE_INITIAL_NONE };

/* The options of the program; numbers below 0 were not given. */
struct bpe_settings {
    int64_t vocab_size;
    const char *pre;
    struct oy_list special;
    int64_t min_frequency;
    int64_t max_token_length;
    int64_t limit_alphabet;
    int initial_alphabet;  /* enum bpe_initial */
    int unit;              /* enum bpe_unit */
    const char *bos, *eos; /* for tokenizer_config.json; NULL: the template's,
                              or the first special */
    const char *chat_template; /* a preset's name, or a file; NULL: none */
    int counts;                /* 1: the words are written, nothing trained */
    int resume;                /* 1: counts are kept beside the output */
};

/* Trains on the run's inputs and writes the file to its output; an output
 * whose name does not end in .json (or .json.zst, .json.gz) and is not a file
 * already becomes a folder with tokenizer.json and tokenizer_config.json. 0,
 * or -1 with err (64 when a choice is missing or unknown). */
int bpe_filter_run(const struct bpe_settings *settings, struct oy_run *run,
                   struct oy_error *err);

#endif

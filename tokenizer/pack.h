/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-pack: documents become a token stream (tokenizer/tokens.h).
 *
 * Method pretrain: every document is framed, begin token in front and end
 * token behind, as the tokenizer's configuration names them. Where both are
 * one token it stands in front only, so that it opens a document and ends the
 * one before it. Without a configuration a special token <|endoftext|> is taken
 * for both; where there is none either, documents are not framed and a warning
 * says so. The text of special tokens stays text. Documents follow each
 * other without padding; a row of --seq-len tokens is cut by the reader, and
 * the places where documents start are kept.
 */
#ifndef TOKENIZER_PACK_H
#define TOKENIZER_PACK_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"

struct pack_settings {
    const char *tokenizer; /* path, required */
    int method;            /* 0: pretrain */
    const char *bos, *eos; /* NULL: the configuration's; "": none */
    int64_t seq_len;       /* 0: the reader decides */
    int shuffle;           /* the reader is told to shuffle rows by --seed */
    int64_t split_tokens;  /* 0: one stream; else -o is a prefix of shards */
};

/* Fills `bos` and `eos` in, for the manifest, and clears them in the end. 0,
 * or -1 with err. */
int pack_run(struct pack_settings *settings, struct oy_run *run,
             struct oy_error *err);

#endif

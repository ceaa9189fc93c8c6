/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-pack: documents and conversations become what a trainer reads.
 *
 * Method pretrain: every document is framed, begin token in front and end
 * token behind, as the tokenizer's configuration names them. Where both are
 * one token it stands in front only, so that it opens a document and ends the
 * one before it (in rows, which have no document before, on both sides).
 * Without a configuration a special token <|endoftext|> is taken for both;
 * where there is none either, documents are not framed and a warning says so.
 * The text of special tokens stays text.
 *
 * Method sft: conversations (tokenizer/pack_chat.h) are rendered by the chat
 * template; only what the assistant said is to be learnt. Method dpo: pairs
 * of them as lines {"chosen":{"ids","labels"},"rejected":{...}}. Method rl:
 * records as they are with the "ids" of their prompt.
 *
 * Pretraining and sft write a token stream (tokenizer/tokens.h), shards of
 * one, or with `export` the files of another project
 * (tokenizer/token_export.h). How documents become rows: tokenizer/pack_rows.h.
 */
#ifndef TOKENIZER_PACK_H
#define TOKENIZER_PACK_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"

enum pack_method { PACK_PRETRAIN, PACK_SFT, PACK_DPO, PACK_RL };

enum pack_export {
    PACK_NO_EXPORT,
    PACK_NANOGPT,
    PACK_LLMC,
    PACK_MEGATRON,
    PACK_JSONL,
};

/* What of a conversation is to be learnt. */
enum pack_mask {
    PACK_MASK_AUTO,  /* marks where the template writes them, else spans */
    PACK_MASK_MARKS, /* chat_mask_from_marks(): MiniMind's and Qwen's */
    PACK_MASK_SPANS, /* chat_mask_from_spans() */
    PACK_MASK_ALL,   /* everything */
};

struct pack_settings {
    const char *tokenizer; /* path, required */
    int method;            /* enum pack_method */
    const char *bos, *eos; /* NULL: the configuration's; "": none */
    int64_t seq_len;       /* 0: the reader decides; rows need one */
    int packing;           /* enum pack_packing; auto is resolved */
    int overlong;          /* enum pack_overlong; auto is resolved */
    int64_t window;        /* tokens that best-fit looks at together */
    int shuffle;           /* the reader is told to shuffle rows by --seed */
    int64_t split_tokens;  /* 0: one stream; else -o is a prefix of shards */
    int export;            /* enum pack_export */
    double valid_fraction; /* of an export's documents; -1: the format's */

    /* Of conversations. */
    const char *chat_template;  /* NULL: the tokenizer's; a name or a file */
    int mask;                   /* enum pack_mask */
    const char *system_prompts; /* a file of lines, or NULL */
    double system_ratio;        /* how many get one of them */
    double empty_think_ratio;   /* how many keep an empty block of thoughts */
    double thinking_ratio;      /* how many are to think; -1: not said */
    const char *date;           /* what strftime_now() tells */
};

/* Fills in what was left to be found (bos, eos, packing, overlong, mask), for
 * the manifest; what belongs to the tokenizer is cleared in the end. 0, or -1
 * with err. */
int pack_run(struct pack_settings *settings, struct oy_run *run,
             struct oy_error *err);

#endif

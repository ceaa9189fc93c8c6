/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter of oy-pack and its methods.
 */
#ifndef TOKENIZER_PACK_INTERNAL_H
#define TOKENIZER_PACK_INTERNAL_H

#include "core/filter.h"
#include "tokenizer/pack.h"
#include "tokenizer/pack_chat.h"
#include "tokenizer/pack_output.h"
#include "tokenizer/pack_rows.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokens.h"

struct pack {
    struct pack_settings *settings;
    struct oy_run *run;
    struct tokenizer *tokenizer;
    struct tokens_info info;
    int32_t front, back; /* ids around a document, -1: none */
    double valid_fraction;
    struct pack_chat *chat; /* of conversations */
    int own_field;          /* --field names the conversation */
    struct pack_output *output;
    struct pack_rows *rows;
    uint64_t n_byte, n_empty;
    /* Of pairs and prompts. */
    uint64_t n_token, n_cut, n_cut_token;
};

struct pack_worker {
    struct tokenizer_worker *worker;
    struct token_ids ids;
    struct pack_chat_worker *chat;
    struct oy_buffer line;
};

/* What judge() leaves in record->word. */
enum { WORD_BYTES, WORD_TOKENS, WORD_CUT, WORD_CUT_TOKENS };

/* Each leaves a record's document as its blob: WORD_TOKENS ids, for sft one
 * byte of loss a token behind them. */
int pack_judge_text(void *self, void *state, struct oy_record *record, int pass,
                    struct oy_error *err);
int pack_judge_sft(void *self, void *state, struct oy_record *record, int pass,
                   struct oy_error *err);
/* The blob is the line that goes out. */
int pack_judge_dpo(void *self, void *state, struct oy_record *record, int pass,
                   struct oy_error *err);
/* Sets the record's "ids". */
int pack_judge_rl(void *self, void *state, struct oy_record *record, int pass,
                  struct oy_error *err);

/* Checks what options can be said together, and resolves those that are left
 * to the method (packing, overlong). -1 (64). */
int pack_check(struct pack_settings *settings, const struct oy_run *run,
               struct oy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations as ids, and which of them the assistant said.
 *
 * The messages are rendered by the chat template and encoded, special tokens
 * recognised. What is to be learnt is found by tokenizer/chat_mask.h: by the
 * marks <|im_start|>assistant\n and <|im_end|>\n (MiniMind's rule, which is
 * Qwen's too; where these tokens do not exist the begin and end token of the
 * configuration stand for them), or by spans of the text.
 *
 * What MiniMind does to its conversations on the way (lm_dataset.py,
 * pre_processing_chat and post_processing_chat) can be asked for: a share gets
 * a system message out of a list, unless it begins with one or names tools;
 * an empty block of thoughts, "<think>\n\n</think>\n\n", stays in a share of
 * those that have one. Chance is a function of the seed and the record's
 * number: both sides of a pair are treated alike.
 */
#ifndef TOKENIZER_PACK_CHAT_H
#define TOKENIZER_PACK_CHAT_H

#include <time.h>

#include "core/run.h"
#include "tokenizer/pack.h"
#include "tokenizer/pack_messages.h"
#include "tokenizer/tokenizer.h"

struct pack_chat;
struct pack_chat_worker;

/* Loads template and prompts; all is borrowed. NULL after a failure: 64, 65,
 * 66. */
struct pack_chat *pack_chat_new(const struct pack_settings *settings,
                                const struct tokenizer *tokenizer,
                                struct oy_run *run, struct oy_error *err);
void pack_chat_free(struct pack_chat *chat);
/* PACK_MASK_MARKS, _SPANS or _ALL: what auto has become. */
enum pack_mask pack_chat_mask(const struct pack_chat *chat);

/* One thread's memory. */
struct pack_chat_worker *pack_chat_worker_new(const struct pack_chat *chat);
void pack_chat_worker_free(struct pack_chat_worker *worker);
/* For what pack_read_talk() makes; emptied by pack_chat_begin(). */
struct oy_arena *pack_chat_arena(struct pack_chat_worker *worker);
/* Goes to record `number`: its chances are drawn anew. */
void pack_chat_begin(struct pack_chat_worker *worker, uint64_t number);

/* Ids of a conversation, borrowed until the next call. */
struct pack_encoded {
    const int32_t *id;
    const uint8_t *loss; /* one byte a token */
    size_t n;
    size_t text_bytes;
};

/* Changes the messages as asked, renders, encodes, masks. 0; -1 with *why (in
 * the arena) when the record cannot be rendered, or a turn not found. */
int pack_chat_encode(struct pack_chat_worker *worker, struct pack_talk *talk,
                     struct pack_encoded *encoded, const char **why);
/* The prompt alone: without the last message if the assistant said it, with
 * what makes it speak. loss is NULL. */
int pack_chat_encode_prompt(struct pack_chat_worker *worker,
                            struct pack_talk *talk,
                            struct pack_encoded *encoded, const char **why);

#endif

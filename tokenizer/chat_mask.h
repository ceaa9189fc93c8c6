/* SPDX-License-Identifier: Apache-2.0
 *
 * Which part of a rendered conversation the assistant said: what sft learns
 * from, and the assistant_mask of oy-tok chat. Two rules, one place.
 *
 * By spans (any template). Where the template has {% generation %} blocks,
 * they are the spans, as in transformers' return_assistant_tokens_mask. Else
 * turn i of role "assistant" is what its rendering adds to the text of the
 * messages before it with the generation prompt: header and role stay outside,
 * the end-of-turn token is inside. A template that rewrites what was said
 * (Qwen 3 drops the thinking of older turns) is followed as long as a turn is
 * shortened at its beginning only or ends with another special token.
 *
 * By ids (MiniMind): everything between two lists of tokens, the second
 * included. It needs no rendering, but believes a user who types the markers.
 */
#ifndef TOKENIZER_CHAT_MASK_H
#define TOKENIZER_CHAT_MASK_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

/* Appends the text as chat_template_render() does, and sets *spans to the
 * bytes of it that the assistant said, ascending, offsets from where the text
 * begins in `out`. Release them with template_spans_release(). 0; 1 when the
 * text is there but a turn cannot be found in it, *why (in `arena`) says
 * which, and there are no spans; -1 with err (65). */
int chat_mask_render(const struct chat_template *chat,
                     const struct chat_request *request, struct oy_arena *arena,
                     struct oy_buffer *out, struct template_spans *spans,
                     const char **why, struct oy_error *err);

/* mask[i] = 1 for each of the ids of `text` that holds the beginning of a
 * span, or stands between that and the first id of the span's last character
 * (transformers' char_to_token), else 0. What transformers does where an id
 * has no characters (trimmed offsets) or where a span ends in the first id, to
 * mask all that follows, is not copied. `ids` are what `worker` makes of
 * `text`, special tokens recognised, perhaps cut off behind. Where the
 * normalizer changed the text, ids are counted by encoding its beginnings. */
void chat_mask_from_spans(struct tokenizer_worker *worker,
                          const struct tokenizer *tokenizer,
                          struct oy_text text,
                          const struct template_spans *spans,
                          const struct token_ids *ids, uint8_t *mask);

/* MiniMind's rule: mask[i] = 1 for the ids behind each occurrence of `begin`
 * ("<|im_start|>assistant\n") up to and with the next `end` ("<|im_end|>\n"),
 * or to the last id where there is none; else 0 (MiniMind,
 * dataset/lm_dataset.py, SFTDataset.generate_labels). Lists must not be
 * empty. */
void chat_mask_from_marks(const struct token_ids *ids,
                          const struct token_ids *begin,
                          const struct token_ids *end, uint8_t *mask);

#endif
